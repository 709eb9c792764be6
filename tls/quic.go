package tls

import (
	"context"
	stdtls "crypto/tls"
	"errors"
	"net"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

type (
	// QUICEncryptionLevel is a level at which QUIC sends handshake messages.
	QUICEncryptionLevel = stdtls.QUICEncryptionLevel
	// QUICEventKind says what a [QUICEvent] is about.
	QUICEventKind = stdtls.QUICEventKind
	// QUICSessionTicketOptions are those of [QUICConn.SendSessionTicket].
	QUICSessionTicketOptions = stdtls.QUICSessionTicketOptions
)

// Encryption levels. RFC 9001 §4.
const (
	QUICEncryptionLevelInitial     = stdtls.QUICEncryptionLevelInitial
	QUICEncryptionLevelEarly       = stdtls.QUICEncryptionLevelEarly
	QUICEncryptionLevelHandshake   = stdtls.QUICEncryptionLevelHandshake
	QUICEncryptionLevelApplication = stdtls.QUICEncryptionLevelApplication
)

// Kinds of [QUICEvent].
const (
	QUICNoEvent                     = stdtls.QUICNoEvent
	QUICSetReadSecret               = stdtls.QUICSetReadSecret
	QUICSetWriteSecret              = stdtls.QUICSetWriteSecret
	QUICWriteData                   = stdtls.QUICWriteData
	QUICTransportParameters         = stdtls.QUICTransportParameters
	QUICTransportParametersRequired = stdtls.QUICTransportParametersRequired
	QUICRejectedEarlyData           = stdtls.QUICRejectedEarlyData
	QUICHandshakeDone               = stdtls.QUICHandshakeDone
	QUICResumeSession               = stdtls.QUICResumeSession
	QUICStoreSession                = stdtls.QUICStoreSession
	QUICErrorEvent                  = stdtls.QUICErrorEvent
)

// QUICConfig configures a [QUICConn].
type QUICConfig struct {
	// TLSConfig says all that it says for a [Conn]. QUIC has TLS 1.3 alone, so MinVersion
	// may be anything and MaxVersion must allow that. It must have NextProtos. Not heeded is what is about records,
	// timeouts and renegotiation: Record, HandshakeTimeout, Renegotiate, PostHandshakeAuth.
	TLSConfig *Config
	// EnableSessionEvents has [QUICResumeSession] events on both sides. A client's sessions
	// then come as [QUICStoreSession] events, and are kept by [QUICConn.StoreSession] only.
	EnableSessionEvents bool
	// ClientHelloInfoConn is what callbacks find as ClientHelloInfo.Conn, for its addresses;
	// nil for nothing. A client without ServerName keeps sessions by its remote address. It
	// is never read, written or closed.
	ClientHelloInfoConn net.Conn
}

// QUICEvent is something that a QUIC implementation has to act on.
type QUICEvent struct {
	Kind QUICEventKind
	// Level is set for secrets and for data to write.
	Level QUICEncryptionLevel
	// Data is a secret, data to write, or the peer's transport parameters. It is the
	// caller's: unlike with crypto/tls it stays valid.
	Data []byte
	// Suite is set for secrets: it fixes the AEAD and the hash.
	Suite uint16
	// SessionState is set for QUICResumeSession and QUICStoreSession. Of the former,
	// EarlyData may be set to false before the next call of NextEvent.
	SessionState *SessionState
	// Err is set for QUICErrorEvent. It wraps an [AlertError].
	Err error
}

// QUICConn is one side of a connection that QUIC carries: it does the handshake of TLS 1.3,
// and the QUIC implementation does what its events say. There are no records, and QUIC
// protects its packets itself, by the secrets that it is given. RFC 9001.
//
//	q := tls.QUICClient(&tls.QUICConfig{TLSConfig: config})
//	q.SetTransportParameters(parameters)
//	err := q.Start(ctx)
//	for e := q.NextEvent(); e.Kind != tls.QUICNoEvent; e = q.NextEvent() {
//		// act on e
//	}
//	// when a CRYPTO frame has come: q.HandleData(level, data), and then events again
//
// Nothing runs in the background: callbacks of the Config are called in Start, HandleData,
// SetTransportParameters and NextEvent. The context that they are shown has the values of
// Start's, and ends with the handshake, and by Close.
//
// Its methods must not be called at the same time, but for ConnectionState, which may.
type QUICConn struct {
	conn   Conn // whose Config and caches a handshake's host uses; there is no socket below
	events bool // EnableSessionEvents
	engine *engine.QUIC
	host   *quicHost

	ctx     context.Context // of Start; nil before
	cancel  context.CancelCauseFunc
	running bool // Run or Receive is on the stack
	closed  bool
	err     error // terminal
	told    bool  // as an event
	ticket  bool  // SendSessionTicket was called

	queue []QUICEvent
	next  int // in the queue

	known known
}

// known is what ConnectionState tells of.
type known struct {
	mutex  sync.Mutex
	agreed handshake.Agreed
	result *handshake.Result // once the handshake is complete
}

// QUICClient returns the client side of a connection. The config must not be nil, and its
// TLSConfig must be as for [Client].
func QUICClient(config *QUICConfig) *QUICConn { return newQUICConn(config, wire.Client) }

// QUICServer returns the server side of a connection. The config must not be nil, and its
// TLSConfig must be as for [Server].
func QUICServer(config *QUICConfig) *QUICConn { return newQUICConn(config, wire.Server) }

func newQUICConn(config *QUICConfig, role wire.Role) *QUICConn {
	q := &QUICConn{events: config.EnableSessionEvents}
	q.conn.config, q.conn.role, q.conn.conn = config.TLSConfig, role, config.ClientHelloInfoConn
	if q.conn.config == nil {
		q.conn.config = &emptyConfig
	}
	q.conn.shaking.Store(new(shaking))
	q.host = &quicHost{host: (*host)(&q.conn), q: q, origin: q.conn.config}
	return q
}

// Start begins the handshake. It must be called once, and before all methods but
// SetTransportParameters, ConnectionState and Close. The handshake fails when ctx ends
// before it is complete.
//
// All errors of a QUICConn wrap an [AlertError], which is for the CONNECTION_CLOSE frame,
// and are final.
func (q *QUICConn) Start(ctx context.Context) error {
	if q.ctx != nil {
		return quicError(&handshake.Error{Alert: wire.AlertInternalError, Rule: "Start was called more than once"})
	}
	q.ctx, q.cancel = context.WithCancelCause(ctx)
	if q.closed {
		return q.fail(errQUICClosed)
	}
	return q.advance(q.conn.role == wire.Client, func(ctx context.Context) error {
		if err := q.begin(); err != nil {
			return err
		}
		return q.engine.Run(ctx)
	})
}

// begin reads the Config and makes the engine.
func (q *QUICConn) begin() error {
	h, err := q.resolve()
	if err != nil {
		return err
	}
	c := &q.conn
	if key := c.sessionKey(); key != "" { // nor does a client offer a session of TCP
		c.scratch.cacheKey = "QUIC " + key
	}
	c.options = engine.Options{Hooks: c.hooks()}
	q.engine = engine.NewQUIC(c.role, h, c.options.Hooks, q.host, h.Sessions && h.Tickets && c.role == wire.Client)
	return nil
}

// HandleData takes what has come in CRYPTO frames at a level, in order and without gaps.
// The bytes are copied.
func (q *QUICConn) HandleData(level QUICEncryptionLevel, data []byte) error {
	return q.advance(true, func(ctx context.Context) error { return q.engine.Receive(ctx, level, data) })
}

// SetTransportParameters sets what is sent to the peer as quic_transport_parameters. A
// client must set them before Start, or when a QUICTransportParametersRequired event says
// so; a server may see the client's first. Once sent they do not change.
func (q *QUICConn) SetTransportParameters(params []byte) {
	q.host.setParameters(params)
	if q.engine != nil && q.err == nil && !q.engine.Done() && !q.running {
		_ = q.advance(true, func(ctx context.Context) error { return q.engine.Run(ctx) }) // NextEvent tells of an error
	}
}

// advance runs f, which takes the handshake further. costs: it may do public-key work.
func (q *QUICConn) advance(costs bool, f func(context.Context) error) (err error) {
	switch {
	case q.err != nil:
		return q.err
	case q.ctx == nil:
		return quicError(&handshake.Error{Alert: wire.AlertInternalError, Rule: "Start was not called"})
	case q.running:
		return quicError(&handshake.Error{Alert: wire.AlertInternalError, Rule: "a callback called a method of its own QUICConn"})
	case q.closed:
		return q.fail(q.closure())
	}
	before := q.engine != nil && q.engine.Done()
	if !before && q.ctx.Err() != nil {
		return q.fail(canceled(q.ctx))
	}
	ctx := q.ctx
	if before { // which has ended with the handshake
		ctx = context.WithoutCancel(ctx)
	}
	err = errInterrupted
	q.running = true
	defer func() {
		q.running = false
		if q.closed && err == nil {
			err = q.closure()
		}
		if err != nil {
			err = q.fail(err)
			return
		}
		q.learn(!before)
	}()
	if turn := q.conn.config.HandshakeTurn; turn != nil && costs && !before {
		done, err := turn(ctx)
		if err != nil {
			return err
		}
		if done != nil {
			defer done()
		}
	}
	return f(ctx)
}

// canceled is the error for a handshake whose context has ended.
func canceled(ctx context.Context) error {
	return closing(&handshake.Error{Rule: "the handshake was given up", Err: ctx.Err()})
}

// learn takes over what ConnectionState tells of. first: the handshake was not complete.
func (q *QUICConn) learn(first bool) {
	q.known.mutex.Lock()
	defer q.known.mutex.Unlock()
	r := q.engine.Result()
	q.known.agreed = r.Agreed
	if first && q.engine.Done() {
		q.known.result = r
		q.conn.forgetHello()
		q.cancel(nil)
	}
}

// fail is where the connection ends. It returns what the application gets.
func (q *QUICConn) fail(err error) error {
	if q.err != nil {
		return q.err
	}
	if q.engine != nil {
		_ = q.engine.Fail(err)
	}
	if fault, ok := err.(*handshake.Error); ok {
		err = asStd(fault, false)
	}
	q.err = quicError(err)
	if s := q.conn.shaking.Load(); s.offered != nil && (q.engine == nil || !q.engine.Done()) && !rejectsECH(err) {
		q.conn.drop(s.offered)
	}
	q.conn.forgetHello()
	q.forgetEvents()
	if q.cancel != nil {
		q.cancel(nil)
	}
	return q.err
}

// errQUICClosed is why a handshake that was under way is over, errQUICOver why nothing more is
// taken after it.
var (
	errQUICClosed = closing(&handshake.Error{Rule: "the connection was closed during the handshake"})
	errQUICOver   = closing(&handshake.Error{Rule: "the connection was closed"})
)

func (q *QUICConn) closure() error {
	if q.engine != nil && q.engine.Done() {
		return errQUICOver
	}
	return errQUICClosed
}

// closing is an error with the alert close_notify.
func closing(err error) error { return &alerting{err, AlertError(wire.AlertCloseNotify)} }

// Close ends the handshake, where it is under way, and wipes the secrets that no event has
// told of. Nothing more is taken or sent afterwards. It returns why the connection has failed, if it has; a handshake that was
// under way fails by it.
func (q *QUICConn) Close() error {
	done := q.engine != nil && q.engine.Done()
	q.closed = true
	switch {
	case q.ctx == nil:
		return nil
	case q.running: // in a callback: advance does the rest
		q.cancel(nil)
	case q.err == nil && !done:
		q.fail(errQUICClosed)
	}
	q.forgetEvents()
	return q.err
}

// SendSessionTicket has a server send its client a ticket, once the handshake is complete,
// and only once. Nothing is sent where tickets are off, or of no use to the client, or
// where the session cannot be sealed.
//
// With opts.EarlyData the ticket allows early data (0-RTT), which anyone on the path can record
// and send again. A ticket brings it once: by EarlyData.Replay of the Config, or without that
// to the process that has sent the ticket. RFC 9001 §9.2.
func (q *QUICConn) SendSessionTicket(opts QUICSessionTicketOptions) error {
	var misuse string
	switch {
	case q.err != nil:
		return q.err
	case q.conn.role == wire.Client:
		misuse = "SendSessionTicket was called on a client"
	case q.engine == nil || !q.engine.Done():
		misuse = "SendSessionTicket was called before the handshake was complete"
	case q.ticket:
		misuse = "SendSessionTicket was called more than once"
	}
	if misuse != "" {
		return quicError(&handshake.Error{Alert: wire.AlertInternalError, Rule: misuse})
	}
	q.ticket = true
	return q.advance(false, func(ctx context.Context) error {
		h, err := q.resolve()
		if err != nil {
			return err
		}
		return q.engine.SendTicket(ctx, h, handshake.TicketOptions{Extra: opts.Extra, Early: opts.EarlyData})
	})
}

// StoreSession puts a session that came as a [QUICStoreSession] event into the client's
// cache. Its Extra may have been changed.
func (q *QUICConn) StoreSession(session *SessionState) error {
	switch {
	case q.conn.role == wire.Server:
		return quicError(&handshake.Error{Alert: wire.AlertInternalError, Rule: "StoreSession was called on a server"})
	case session == nil || session.session == nil || len(session.ticket) == 0:
		return quicError(&handshake.Error{Alert: wire.AlertInternalError, Rule: "StoreSession takes what a QUICStoreSession event brought"})
	}
	q.host.store(session)
	return nil
}

// ConnectionState tells what is known so far: before the handshake is complete that is
// what was agreed on, and nothing of the peer's certificate.
func (q *QUICConn) ConnectionState() ConnectionState {
	q.known.mutex.Lock()
	defer q.known.mutex.Unlock()
	if q.known.result != nil {
		return connectionState(q.known.result, true)
	}
	a := &q.known.agreed
	cs := ConnectionState{Version: uint16(a.Version), CurveID: CurveID(a.Group), NegotiatedProtocol: a.ALPN, NegotiatedProtocolIsMutual: true,
		DidResume: a.Resumption != handshake.ResumedNone, ServerName: a.ServerName, HelloRetryRequest: a.HelloRetry}
	if a.Suite != nil {
		cs.CipherSuite = uint16(a.Suite.ID)
	}
	handshake.SetExporter(&cs, notYet)
	return cs
}

// State tells more than ConnectionState, as [Conn.State] does.
func (q *QUICConn) State() State {
	q.known.mutex.Lock()
	defer q.known.mutex.Unlock()
	if q.known.result == nil {
		return State{}
	}
	return stateOf(q.known.result, q.conn.role)
}

// notYet is the exporter before the handshake is complete.
func notYet(string, []byte, int) ([]byte, error) {
	return nil, &handshake.Error{Rule: "keying material cannot be exported before the handshake is complete"}
}

// alerting gives an error the alert that QUIC implementations look for.
type alerting struct {
	error
	alert AlertError
}

func (a *alerting) Unwrap() []error { return []error{a.error, a.alert} }

// quicError is err with its alert.
func quicError(err error) error {
	if _, has := errors.AsType[*alerting](err); has {
		return err
	}
	alert := AlertError(wire.AlertInternalError)
	if fault, ok := errors.AsType[*handshake.Error](err); ok && fault.Alert != 0 {
		alert = AlertError(fault.Alert)
	}
	return &alerting{err, alert}
}
