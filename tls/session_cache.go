package tls

import (
	"bytes"
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
)

// SessionState is a session that can be resumed, without its handle.
type SessionState struct {
	// Extra is the application's own data; it travels with the session.
	Extra [][]byte
	// EarlyData is whether the session allows early data. Set it to false to have it allow
	// none; true where it was false means nothing.
	EarlyData bool

	session *session.Session
	ticket  []byte // of a client over QUIC, until it is stored
}

// showSession shows a session to the application.
func showSession(one *session.Session) *SessionState {
	return &SessionState{Extra: one.Extra, EarlyData: one.MaxEarlyData > 0, session: one}
}

// value is a copy of the session, with what the application has changed.
func (s *SessionState) value() session.Session {
	one := *s.session
	if one.Extra = s.Extra; !s.EarlyData {
		one.MaxEarlyData = 0
	}
	return one
}

// Bytes returns the session as bytes, secrets included: to be kept like a key.
func (s *SessionState) Bytes() ([]byte, error) {
	if s.session == nil {
		return nil, misuse("a SessionState made by hand has no session in it")
	}
	c := s.value()
	blob, err := c.Append(nil)
	if err != nil {
		return nil, err
	}
	return withSum(blob, nil), nil
}

// ParseSessionState reads what Bytes returned, and notices if it was damaged since.
func ParseSessionState(data []byte) (*SessionState, error) {
	blob, err := checkSum(data, nil)
	if err != nil {
		return nil, err
	}
	c, err := session.Parse(slices.Clone(blob))
	if err != nil {
		return nil, err
	}
	return showSession(c), nil
}

// ClientSessionState is a session that a client can resume, with its handle.
type ClientSessionState struct {
	ticket, id []byte
	state      *SessionState
	// owner is part of the key under which this is kept: while it is alive, no other
	// function can have its address.
	owner func(*CertificateRequestInfo) (*Certificate, error)
	// older are the sessions that are kept beside this one, the next to offer first; they
	// have none. used: it has been offered.
	older []*ClientSessionState
	used  bool
}

// ResumptionState returns the ticket and the session. A session known by its
// ID has no ticket.
func (cs *ClientSessionState) ResumptionState() (ticket []byte, state *SessionState, err error) {
	if cs == nil || cs.state == nil {
		return nil, nil, nil
	}
	return cs.ticket, cs.state, nil
}

// NewResumptionState makes a ClientSessionState from a ticket and a session.
func NewResumptionState(ticket []byte, state *SessionState) (*ClientSessionState, error) {
	if len(ticket) == 0 || state == nil || state.session == nil {
		return nil, misuse("a resumption state needs a ticket and a session")
	}
	return &ClientSessionState{ticket: ticket, state: state}, nil
}

// ClientSessionCache keeps a client's sessions, by a key that names the server and
// digests the Config: those that share a cache share sessions only if they agree in
// the client's certificates, whom they trust, the versions, and what
// is allowed of signatures, groups and Legacy. A key of a Config with RootCAs or
// GetClientCertificate, which it knows by their addresses, has no meaning in another
// process.
//
// A server that resumes a session takes the client for whom it was then. A session
// remembers whether the server had asked for a certificate and which one was shown,
// also as bytes (see [SessionState.Bytes]), and is offered only by a client that would
// show the same: GetClientCertificate is asked again. A session is offered only while
// the server's chain is still good for the Config, and is removed if a handshake that
// offered it fails.
//
// Of TLS 1.3 up to four sessions are kept under a key, in one ClientSessionState. Each is
// offered once, a fresh one first. The last is offered again until a new one comes, unless
// Resumption.SingleUse is set. With the cache of NewLRUClientSessionCache this holds also
// where many connections are made at the same time; any other is changed by a Get and
// then a Put.
//
// It may be called by many goroutines at once.
type ClientSessionCache interface {
	Get(sessionKey string) (session *ClientSessionState, ok bool)
	// Put adds a session; a nil one removes what the key stands for.
	Put(sessionKey string, cs *ClientSessionState)
}

// maxTicket is the most bytes of a ticket that is given out or offered. Its length could
// say 65535, but in a ClientHello it shares as many with all other extensions.
const maxTicket = 60 << 10

// SealTicket makes a ticket of a session.
func (h *host) SealTicket(s *handshake.State, one *session.Session) ([]byte, error) {
	ticket, err := h.seal(s, one)
	if err == nil && len(ticket) > maxTicket {
		err = misuse("there is a ticket of %d bytes; at most %d can be offered", len(ticket), maxTicket)
	}
	return ticket, err
}

func (h *host) seal(s *handshake.State, one *session.Session) ([]byte, error) {
	if h.config.WrapSession != nil {
		own := *one // the application may keep it
		own.Secret = bytes.Clone(one.Secret)
		state := showSession(&own)
		ticket, err := h.config.WrapSession(connectionState(s.Result, false), state)
		if !state.EarlyData { // the ticket must not announce it either
			one.MaxEarlyData = 0
		}
		return ticket, err
	}
	room := s.Sealing()
	blob, err := one.Append(room.Blob[:0])
	if err != nil {
		return nil, err
	}
	room.Blob = blob
	if room.Ticket, err = h.keys().Seal(room.Ticket[:0], blob, one.Binding[:]); err != nil {
		return nil, err
	}
	return room.Ticket, nil
}

// OpenTicket is nil for a ticket that is not ours.
func (h *host) OpenTicket(s *handshake.State, ticket []byte) *session.Session {
	unwrap := h.config.UnwrapSession
	if unwrap == nil && h.config.WrapSession != nil { // which may have called EncryptTicket
		unwrap = h.decryptTicket
	}
	if unwrap != nil {
		cs := (*Conn)(h).incomplete()
		cs.Version, cs.ServerName = uint16(s.Result.Version), s.Result.ServerName
		state, err := unwrap(ticket, cs)
		if err != nil || state == nil || state.session == nil {
			return nil
		}
		one := state.value() // the application may use its value elsewhere
		return &one
	}
	room := s.Opening()
	if cap(room.Blob) < len(ticket) { // what is outgrown is not wiped by Release
		clear(room.Blob[:cap(room.Blob)])
	}
	blob, err := h.keys().Open(slices.Grow(room.Blob[:0], len(ticket)), ticket, s.Binding()[:])
	if err != nil {
		return nil
	}
	room.Blob = blob
	one := &room.Session
	if one.ServerName = s.Result.ServerName; one.Parse(blob) != nil {
		return nil
	}
	if one.PeerChain != nil || one.PeerKey != nil || one.OCSP != nil || one.IssuerOCSP != nil || one.SCTs != nil { // they outlive the room
		if one, err = session.Parse(bytes.Clone(blob)); err != nil {
			return nil
		}
	}
	return one
}

// RenewTicket: another ticket of the same session would be valid no longer than
// the one that the client has, and as visible, so that there is reason for one
// only after a change of keys. An application that wraps sessions itself is asked
// each time.
func (h *host) RenewTicket(ticket []byte) bool {
	return h.config.WrapSession != nil || !h.keys().Current(ticket)
}

func (h *host) keys() *session.TicketKeys {
	if h.ticketKeys != nil {
		return h.ticketKeys
	}
	return h.config.ticketKeys()
}

// storeTimeout is how long a session store may take: a slow one must not slow
// handshakes more than a full one would take.
const storeTimeout = 100 * 1e6 // nanoseconds

// storeContext bounds the time that a store takes. For the one in memory, which never
// waits, a timer would cost a good part of what it takes.
func storeContext(ctx context.Context, store session.Store) (context.Context, context.CancelFunc) {
	if inMemory(store) {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, storeTimeout)
}

// inMemory stores neither wait nor damage what they keep.
func inMemory(store session.Store) bool {
	_, is := store.(*session.Memory)
	return is
}

// sumSize is how much of a digest notices damage. An attacker that can write into
// a store, and change the sum too, has the secrets anyway.
const sumSize = 8

// withSum appends a digest of a blob and of what it is kept under: a session with a
// damaged or another's secret would fail the handshake, where none costs a full one.
func withSum(blob, key []byte) []byte {
	sum := session.Binding(key, blob)
	return append(blob, sum[:sumSize]...)
}

// checkSum returns the blob that withSum was given.
func checkSum(data, key []byte) ([]byte, error) {
	if n := len(data) - sumSize; n >= 0 {
		if sum := session.Binding(key, data[:n]); bytes.Equal(sum[:sumSize], data[n:]) {
			return data[:n:n], nil
		}
	}
	return nil, errDamaged
}

var errDamaged error = &handshake.Error{Rule: "the session was damaged where it was kept, or another release has kept it"}

func (h *host) PutSession(ctx context.Context, id []byte, one *session.Session) error {
	blob, err := one.Append(nil)
	if err != nil {
		return err
	}
	store := h.config.Resumption.Store
	if !inMemory(store) {
		blob = withSum(blob, id)
	}
	ctx, cancel := storeContext(ctx, store)
	defer cancel()
	return store.Put(ctx, string(id), blob, one.Expiry())
}

func (h *host) GetSession(ctx context.Context, id []byte) *session.Session {
	store := h.config.Resumption.Store
	ctx, cancel := storeContext(ctx, store)
	defer cancel()
	blob, err := store.Get(ctx, string(id))
	if err == nil && !inMemory(store) {
		blob, err = checkSum(blob, id)
	}
	if err != nil {
		return nil
	}
	one, err := session.Parse(blob)
	if err != nil {
		return nil
	}
	return one
}

// EncryptTicket seals a session under c's ticket keys, for use in WrapSession.
func (c *Config) EncryptTicket(cs ConnectionState, ss *SessionState) ([]byte, error) {
	blob, err := ss.Bytes()
	if err != nil {
		return nil, err
	}
	return c.ticketKeys().Seal(nil, blob, nil)
}

// DecryptTicket opens what EncryptTicket sealed, for use in UnwrapSession. It
// returns nil, nil for a ticket that c's keys do not open.
func (c *Config) DecryptTicket(identity []byte, cs ConnectionState) (*SessionState, error) {
	return openTicket(c.ticketKeys(), identity)
}

// decryptTicket is DecryptTicket of the Config that ticket keys are of.
func (h *host) decryptTicket(identity []byte, _ ConnectionState) (*SessionState, error) {
	return openTicket(h.keys(), identity)
}

func openTicket(keys *session.TicketKeys, identity []byte) (*SessionState, error) {
	blob, err := keys.Open(nil, identity, nil)
	if err != nil {
		return nil, nil
	}
	state, err := ParseSessionState(blob)
	if err != nil {
		return nil, nil
	}
	return state, nil
}
