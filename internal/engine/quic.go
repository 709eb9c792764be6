package engine

import (
	"context"
	stdtls "crypto/tls"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Level is an encryption level: one stream of handshake messages, under keys of its own.
// RFC 9001 §4.
type Level = stdtls.QUICEncryptionLevel

// The levels. No handshake messages come with early data.
const (
	levelInitial     = stdtls.QUICEncryptionLevelInitial
	levelEarly       = stdtls.QUICEncryptionLevelEarly
	levelHandshake   = stdtls.QUICEncryptionLevelHandshake
	levelApplication = stdtls.QUICEncryptionLevelApplication
)

// Carrier is the QUIC implementation as the engine sees it: what it must do, in order.
type Carrier interface {
	// Write has handshake bytes sent at a level. They are lent.
	Write(Level, []byte)
	// Secret puts a traffic secret into use. It is lent.
	Secret(dir trace.Direction, at Level, suite wire.CipherSuite, secret []byte)
	// Done says that the handshake is complete.
	Done()
	// SessionSaver keeps a client's sessions.
	handshake.SessionSaver
}

// QUIC is the engine of a connection that QUIC carries: handshake messages by level, and no
// records, no alerts, no data. RFC 9001.
type QUIC struct {
	role    wire.Role
	hooks   *trace.Hooks
	carrier Carrier
	saves   bool
	hs      *handshake.State // nil once the handshake is over
	result  *handshake.Result
	err     error  // terminal
	hand    []byte // received, and not consumed; what was consumed stays before it
	read    Level  // at which the peer's messages come
	write   Level
	done    bool
	// last is the secret that application data is read with: it is for after the handshake.
	// RFC 9001 §5.7.
	last handshake.Keys
	// What a server needs for a ticket: whether the client wants one, and the age of the
	// session that was resumed.
	tickets bool
	born    *handshake.Born
	posts   int // messages that have come after the handshake
}

// maxPosts is how many messages after the handshake are acted on: they are tickets, and saving one
// costs more than sending it. Further ones are checked and dropped.
const maxPosts = 32

// NewQUIC makes the engine of one side. saves: the client's sessions are kept. hooks may be
// nil.
func NewQUIC(role wire.Role, c *handshake.Config, hooks *trace.Hooks, carrier Carrier, saves bool) *QUIC {
	q := &QUIC{role: role, hooks: hooks, carrier: carrier, saves: saves, result: new(handshake.Result)}
	q.hs = handshake.New(role, c, hooks, (*streams)(q), q.result)
	return q
}

// Result is what the handshake has agreed on. It grows while Run or Receive is called.
func (q *QUIC) Result() *handshake.Result { return q.result }

// Done reports whether the handshake is complete.
func (q *QUIC) Done() bool { return q.done }

// Run takes the handshake as far as what has been received allows, and what the application
// has decided. Errors are terminal.
func (q *QUIC) Run(ctx context.Context) error {
	switch {
	case q.err != nil:
		return q.err
	case q.done:
		return nil
	}
	if err := q.hs.Run(ctx); err != nil {
		return q.Fail(err)
	}
	if !q.hs.Done() {
		return nil
	}
	q.done = true
	if q.role == wire.Server {
		q.tickets, q.born = q.hs.WantsTickets(), q.hs.Born()
	}
	q.carrier.Done()
	q.read = levelApplication
	q.carrier.Secret(trace.Received, q.read, q.last.Suite.ID, q.last.Secret)
	q.Abandon()
	return nil
}

// Abandon gives the handshake's state back.
func (q *QUIC) Abandon() {
	if q.hs != nil {
		q.hs.Release()
		q.hs = nil
	}
	q.last = handshake.Keys{} // it was lent by the State
}

// maxBuffered is how much may have been received and not be consumed: the longest message,
// and a flight behind it.
const maxBuffered = maxCertificate + maxMessage

// Receive takes what the peer has sent at a level, a copy, and does what follows.
func (q *QUIC) Receive(ctx context.Context, at Level, data []byte) error {
	switch {
	case q.err != nil:
		return q.err
	case at != q.read:
		return q.Fail(fault(wire.AlertUnexpectedMessage, fmt.Sprintf("the peer sent handshake data at the level %v, where %v is due", at, q.read), "RFC 9001 §4.1.3"))
	case len(q.hand)+len(data) > maxBuffered:
		return q.Fail(fault(wire.AlertInternalError, fmt.Sprintf("the peer sent more than %d bytes of handshake data that nothing was waiting for", maxBuffered), "RFC 9000 §7.5"))
	}
	q.hand = append(q.hand, data...)
	if !q.done {
		if err := q.Run(ctx); err != nil || !q.done {
			return err
		}
	}
	if err := q.afterwards(); err != nil {
		return q.Fail(err)
	}
	return nil
}

// afterwards handles messages after the handshake.
func (q *QUIC) afterwards() error {
	for {
		if len(q.hand) == 0 {
			q.hand = nil // what was consumed before is not needed any more
			return nil
		}
		if _, err := handshake.ProfileOf(q.result.Version).After(q.result, q.role.Peer(), wire.HandshakeType(q.hand[0])); err != nil {
			return err
		}
		size, err := wholeMessage(q.hand, nil)
		if err != nil || size == 0 {
			return err
		}
		msg := q.hand[:size]
		q.hand = q.hand[size:]
		p := handshake.Post{Role: q.role, Result: q.result, Hooks: q.hooks}
		if q.posts++; q.saves && q.posts <= maxPosts {
			p.Saver = q.carrier
		}
		if err := p.Receive(msg); err != nil {
			return err
		}
	}
}

// SendTicket sends a server's client a ticket, if it takes any. c is what the handshake ran with.
func (q *QUIC) SendTicket(ctx context.Context, c *handshake.Config, o handshake.TicketOptions) error {
	if q.err != nil || !q.tickets {
		return q.err
	}
	r := *q.result // others may look at it
	s := handshake.SendTicket(c, q.hooks, (*streams)(q), &r, q.born, o)
	defer s.Release()
	if err := s.Run(ctx); err != nil {
		return q.Fail(err)
	}
	return nil
}

// Fail ends the connection. The QUIC implementation sends the alert, as the code of a
// CONNECTION_CLOSE frame. RFC 9001 §4.8.
func (q *QUIC) Fail(err error) error {
	if q.err != nil {
		return q.err
	}
	q.err = err
	code := wire.AlertInternalError
	if fault, ok := errors.AsType[*handshake.Error](err); ok {
		code = fault.Alert
	}
	if code != 0 && q.hooks != nil && q.hooks.Alert != nil { // else it is our side that gives up
		q.hooks.Alert(trace.Alert{Dir: trace.Sent, Level: wire.LevelFatal, Code: code, Err: err})
	}
	q.hand = nil
	q.Abandon()
	return err
}

// streams are the engine as the handshake's driver sees it: QUIC's streams of CRYPTO frames.
type streams QUIC

func (c *streams) Peek() (msg []byte, kind wire.HandshakeType, ok bool, err error) {
	size, err := wholeMessage(c.hand, c.hs)
	if err != nil || size == 0 {
		return nil, 0, false, err
	}
	return c.hand[:size], wire.HandshakeType(c.hand[0]), true, nil
}

func (c *streams) Consume()   { c.hand = c.hand[wire.MessageLen(c.hand):] }
func (c *streams) Idle() bool { return len(c.hand) == 0 }

func (c *streams) Send(msg []byte) error {
	c.carrier.Write(c.write, msg)
	return nil
}

// InstallIn: application data is read with what the server sends before the handshake is
// complete; the secret must not be used before.
func (c *streams) InstallIn(k handshake.Keys) {
	switch {
	case k.Label == handshake.LabelEarly:
		c.carrier.Secret(trace.Received, levelEarly, k.Suite.ID, k.Secret)
		return
	case c.read == levelHandshake:
		c.last = k
		return
	}
	c.read = levelHandshake
	c.carrier.Secret(trace.Received, c.read, k.Suite.ID, k.Secret)
}

func (c *streams) InstallOut(k handshake.Keys) {
	if k.Label == handshake.LabelEarly {
		c.carrier.Secret(trace.Sent, levelEarly, k.Suite.ID, k.Secret)
		return
	}
	c.write = nextLevel[c.write]
	c.carrier.Secret(trace.Sent, c.write, k.Suite.ID, k.Secret)
}

var nextLevel = map[Level]Level{levelInitial: levelHandshake, levelHandshake: levelApplication}

// What follows is of records, and TLS 1.3 over QUIC asks for none of it: there is no
// change_cipher_spec, no alert, no later handshake, and early data is not the handshake's.
func (*streams) SendChangeCipherSpec() error      { return nil }
func (*streams) SendWarning(wire.AlertCode) error { return nil }
func (*streams) SendLate(func([]byte) []byte)     {}
func (*streams) ReadSecret() []byte               { return nil }
func (*streams) SkipEarlyData(int)                {}
