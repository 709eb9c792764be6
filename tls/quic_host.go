package tls

import (
	"bytes"
	"context"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// quicHost is what a handshake over QUIC asks: a host, but for what the QUIC implementation
// has a say in. It is the engine's Carrier too.
type quicHost struct {
	*host
	q      *QUICConn
	origin *Config // that GetConfigForClient was called of

	parameters []byte // ours; nil while they are not set
	asked      bool   // the application was told that they are needed
	sent       bool   // they are in a message, or about to be
	// shown is the session of a QUICResumeSession event that the application has not drained.
	shown    *SessionState
	declined bool // it wants no early data with the session
}

// resolve reads the Config for a connection over QUIC.
func (q *QUICConn) resolve() (*handshake.Config, error) {
	if err := q.needsProtocols(); err != nil {
		return nil, err
	}
	h := new(handshake.Config)
	resolve := (*Config).resolveClient
	if q.conn.role == wire.Server {
		resolve = (*Config).resolveServer
	}
	if err := resolve(q.conn.config, h, q.host); err != nil {
		return nil, err
	}
	return h, q.host.adapt(h)
}

// needsProtocols refuses a Config without NextProtos, where it will be used as it is. RFC 9001
// §8.1.
func (q *QUICConn) needsProtocols() error {
	c := q.conn.config
	if len(c.NextProtos) > 0 || q.conn.role == wire.Server && c.GetConfigForClient != nil {
		return nil
	}
	return misuse("QUIC needs NextProtos, such as h3")
}

// adapt leaves of h what there is in QUIC. RFC 9001 §4.2, §5.3.
func (h *quicHost) adapt(r *handshake.Config) error {
	if !slices.Contains(r.Versions, wire.TLS13) {
		return misuse("QUIC needs TLS 1.3, which MaxVersion leaves out, or the lack of a certificate")
	}
	r.Versions = []wire.Version{wire.TLS13}
	if slices.Contains(r.Suites, suite.ByID(wire.TLS_AES_128_CCM_8_SHA256)) {
		return misuse("CipherSuites lists TLS_AES_128_CCM_8_SHA256, whose tags are too short for QUIC")
	}
	r.SizeLimit, r.MaxFragmentLength, r.PostHandshakeAuth, r.SSL2Hello = 0, 0, false, false
	r.Compression, r.Store = false, false
	r.Host, r.QUIC = h, h
	if h.role == wire.Client {
		r.EarlySize = 1 // or any more: how much is QUIC's business
	} else {
		r.Early = h.early()
	}
	return nil
}

// early is how a server takes early data with tickets for which SendSessionTicket allows it. RFC
// 9001 §4.6, §9.2.
func (h *quicHost) early() *handshake.Early {
	e := &h.config.EarlyData
	own := &handshake.Early{Max: handshake.QUICEarlyData, Window: e.window(), Wanted: true, Protocols: e.Protocols, Replay: replay{e.Replay}}
	if e.Replay == nil {
		own.Replay = h.origin.quicPermits()
	}
	if len(e.Protocols) == 0 {
		own.Protocols = h.config.NextProtos
	}
	return own
}

// quicPermits are those of tickets with early data over QUIC where c has no ReplayStore. What
// is lost of them, and what was never there because another process has sent the ticket,
// brings no early data.
func (c *Config) quicPermits() inProcess {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.permits == nil {
		c.permits = session.SingleUse(session.NewMemory(1 << 20))
	}
	return inProcess{c.permits}
}

// inProcess is a ReplayStore that never waits, so that nothing need wait for it.
type inProcess struct{ store session.ReplayStore }

func (p inProcess) Permit(ctx context.Context, ticket [sha256.Size]byte, until time.Time) error {
	return p.store.Permit(ctx, string(ticket[:]), until)
}

func (p inProcess) Claim(ctx context.Context, ticket [sha256.Size]byte, until time.Time) error {
	return p.store.Claim(ctx, string(ticket[:]), until)
}

// ForClient asks GetConfigForClient.
func (h *quicHost) ForClient(ctx context.Context, s *handshake.State) (*handshake.Config, error) {
	next, err := h.host.ForClient(ctx, s)
	if err != nil || next == nil {
		return nil, err
	}
	return next, h.adapt(next)
}

// Binding keeps sessions of QUIC apart from those of TCP.
func (h *quicHost) Binding(s *handshake.State) [32]byte {
	own := h.host.Binding(s)
	return session.Binding([]byte("QUIC"), own[:])
}

// setParameters takes our transport parameters, until they are in a message.
func (h *quicHost) setParameters(p []byte) {
	if !h.sent {
		h.parameters = append([]byte{}, p...)
	}
}

func (h *quicHost) Parameters() ([]byte, bool) {
	switch {
	case h.parameters != nil:
		h.sent = true
	case !h.asked:
		h.asked = true
		h.q.add(QUICEvent{Kind: QUICTransportParametersRequired})
	}
	return h.parameters, h.parameters != nil
}

func (h *quicHost) TakeParameters(peer []byte) {
	h.q.add(QUICEvent{Kind: QUICTransportParameters, Data: bytes.Clone(peer)})
}

// show has the application look at a session before anything follows from it.
func (h *quicHost) show(state *SessionState) {
	h.shown = state
	h.q.add(QUICEvent{Kind: QUICResumeSession, SessionState: state})
}

func (h *quicHost) Waits() bool { return h.shown != nil }

// looked says that all events were taken. It reports whether the handshake waited for that.
func (h *quicHost) looked() bool {
	if h.shown == nil {
		return false
	}
	h.declined, h.shown = !h.shown.EarlyData, nil
	return true
}

func (h *quicHost) DeclinesEarly() bool { return h.declined }

// RefusedEarly says that what was sent early is to be sent again.
func (h *quicHost) RefusedEarly() { h.q.add(QUICEvent{Kind: QUICRejectedEarlyData}) }

// Resumes shows what a client's ticket stands for.
func (h *quicHost) Resumes(one *session.Session) {
	if !h.q.events {
		return
	}
	own := *one // its room is used again
	own.Secret = bytes.Clone(one.Secret)
	own.Extra = cloneAll(one.Extra)
	if one.PSK != nil {
		key := *one.PSK
		key.Identity, key.Hint = bytes.Clone(key.Identity), bytes.Clone(key.Hint)
		own.PSK = &key
	}
	h.show(showSession(&own))
}

func cloneAll(list [][]byte) [][]byte {
	out := make([][]byte, len(list))
	for i := range list {
		out[i] = bytes.Clone(list[i])
	}
	return out
}

// LoadSession shows the session that is about to be offered.
func (h *quicHost) LoadSession(ctx context.Context, s *handshake.State) *handshake.ClientSession {
	one := h.host.LoadSession(ctx, s)
	if one == nil || !h.q.events {
		return one
	}
	state := *h.shaking.Load().offered.state
	h.show(&state)
	return one
}

// SaveSession keeps a session, or lets the application do that.
func (h *quicHost) SaveSession(r *handshake.Result, one *handshake.ClientSession) {
	if !h.q.events {
		h.host.SaveSession(r, one)
		return
	}
	if one.CreatedAt.IsZero() {
		one.CreatedAt = h.config.now()
	}
	state := showSession(one.Session)
	state.ticket = one.Ticket
	h.q.add(QUICEvent{Kind: QUICStoreSession, SessionState: state})
}

// store keeps what SaveSession has shown.
func (h *quicHost) store(state *SessionState) {
	if h.config.ClientSessionCache == nil {
		return
	}
	one := state.value()
	h.host.SaveSession(nil, &handshake.ClientSession{Session: &one, Ticket: state.ticket})
}
