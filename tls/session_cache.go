package tls

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"sync"
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
)

// SessionState is a session that can be resumed, without its handle.
type SessionState struct {
	// Extra is the application's own data; it travels with the session.
	Extra [][]byte
	// EarlyData must stay false: 0-RTT is not implemented.
	EarlyData bool

	session *session.Session
}

// Bytes returns the session as bytes, secrets included: to be kept like a key.
func (s *SessionState) Bytes() ([]byte, error) {
	if s.session == nil {
		return nil, misuse("a SessionState made by hand has no session in it")
	}
	c := *s.session
	c.Extra = s.Extra
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
	return &SessionState{Extra: c.Extra, session: c}, nil
}

// ClientSessionState is a session that a client can resume, with its handle.
type ClientSessionState struct {
	ticket, id []byte
	state      *SessionState
	// owner is part of the key under which this is kept: while it is alive, no other
	// function can have its address.
	owner func(*CertificateRequestInfo) (*Certificate, error)
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
// the client's certificates, whom they trust, the protocols and the versions. It may
// be called by many goroutines at once.
type ClientSessionCache interface {
	Get(sessionKey string) (session *ClientSessionState, ok bool)
	// Put adds a session; a nil one removes what the key stands for.
	Put(sessionKey string, cs *ClientSessionState)
}

// NewLRUClientSessionCache returns a cache of the given number of sessions,
// which drops the one unused for longest; below 1 it is 64.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	if capacity < 1 {
		capacity = 64
	}
	return &lruCache{capacity: capacity, items: map[string]*list.Element{}, order: list.New()}
}

type lruCache struct {
	mutex    sync.Mutex
	capacity int
	items    map[string]*list.Element
	order    *list.List // most recent first
}

type lruItem struct {
	key     string
	session *ClientSessionState
}

func (c *lruCache) Get(key string) (*ClientSessionState, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruItem).session, true
}

func (c *lruCache) Put(key string, cs *ClientSessionState) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.items[key]
	switch {
	case ok && cs == nil:
		c.order.Remove(e)
		delete(c.items, key)
	case ok:
		e.Value.(*lruItem).session = cs
		c.order.MoveToFront(e)
	case cs != nil:
		if c.order.Len() >= c.capacity {
			last := c.order.Back()
			delete(c.items, last.Value.(*lruItem).key)
			c.order.Remove(last)
		}
		c.items[key] = c.order.PushFront(&lruItem{key, cs})
	}
}

// sessionKey names the server in the cache, and what of the Config a session stands
// for. Empty for a server without a name.
func (c *Conn) sessionKey() string {
	if c.cacheKey == "" {
		name := c.config.ServerName
		if name == "" {
			name = c.conn.RemoteAddr().String()
			if host, _, err := net.SplitHostPort(name); err == nil && host == "" {
				name = ""
			}
		}
		if name != "" {
			c.cacheKey = name + " " + c.config.sessionKey()
		}
	}
	return c.cacheKey
}

// sessionKey digests what must not differ between two Configs that share sessions:
// who we are there, whom we trust, and what we speak. A server that resumes a
// session does not ask who we are, and takes us for whoever we were.
func (c *Config) sessionKey() string {
	b := binary.BigEndian.AppendUint16(nil, c.MinVersion)
	b = binary.BigEndian.AppendUint16(b, c.MaxVersion)
	b = fmt.Appendf(b, "%v %p %p", c.InsecureSkipVerify, c.RootCAs, closure(c.GetClientCertificate))
	for _, p := range c.NextProtos {
		b = append(append(b, byte(len(p))), p...)
	}
	b = append(b, 0)
	for i := range c.Certificates {
		for _, der := range c.Certificates[i].Certificate[:min(1, len(c.Certificates[i].Certificate))] {
			digest := sha256.Sum256(der)
			b = append(b, digest[:]...)
		}
	}
	digest := sha256.Sum256(b)
	return hex.EncodeToString(digest[:16])
}

// closure tells functions apart, also those that differ only in what they have
// captured. A clone of a Config has the same.
func closure(f func(*CertificateRequestInfo) (*Certificate, error)) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&f))
}

// LoadSession returns a session for this server that this Config may resume.
// TLS 1.3 tickets are used once, so that they do not link connections (RFC 8446
// §C.4).
func (h *host) LoadSession(s *handshake.State) *handshake.ClientSession {
	c, cache := (*Conn)(h), h.config.ClientSessionCache
	if c.sessionKey() == "" {
		return nil
	}
	cs, ok := cache.Get(c.sessionKey())
	if !ok || cs == nil || cs.state == nil || cs.state.session == nil {
		return nil
	}
	one := cs.state.session
	own := suite.ByID(one.Suite)
	now := h.config.now()
	switch {
	case !slices.Contains(s.Config.Versions, one.Version), own == nil, !slices.Contains(s.Config.Suites, own),
		one.ServerName != s.Config.ServerName,
		len(one.PeerChain) == 0 && certified(own), // there would be nothing to verify
		len(cs.id) == 0 && !s.Config.Tickets,
		one.ExtendedMasterSecret && s.Config.NoExtendedMasterSecret: // the server would have to abort, RFC 7627 §5.3
		return nil
	case !now.Before(one.Expiry()):
		cache.Put(c.sessionKey(), nil)
		return nil
	}
	if handshake.ProfileOf(one.Version).Updates {
		cache.Put(c.sessionKey(), nil)
	}
	return &handshake.ClientSession{Session: one, Ticket: cs.ticket, ID: cs.id}
}

// SaveSession keeps a session for the next connection to this server.
func (h *host) SaveSession(r *handshake.Result, s *handshake.ClientSession) {
	c := (*Conn)(h)
	if c.sessionKey() == "" {
		return
	}
	one := s.Session
	if one.CreatedAt.IsZero() {
		one.CreatedAt = h.config.now()
	}
	h.config.ClientSessionCache.Put(c.sessionKey(), &ClientSessionState{
		ticket: s.Ticket, id: s.ID, state: &SessionState{session: one}, owner: h.config.GetClientCertificate,
	})
}

// maxTicket is the most bytes of a ticket. RFC 8446 §4.6.1, RFC 5077 §3.3.
const maxTicket = 1<<16 - 1

// SealTicket makes a ticket of a session.
func (h *host) SealTicket(s *handshake.State, one *session.Session) ([]byte, error) {
	if h.config.WrapSession != nil {
		ticket, err := h.config.WrapSession(connectionState(s.Result, false), &SessionState{session: one})
		if err == nil && len(ticket) > maxTicket {
			err = misuse("WrapSession made a ticket of %d bytes; at most %d can be sent", len(ticket), maxTicket)
		}
		return ticket, err
	}
	blob, err := one.Append(nil)
	if err != nil {
		return nil, err
	}
	return h.keys().Seal(nil, blob, one.Binding[:])
}

// OpenTicket is nil for a ticket that is not ours.
func (h *host) OpenTicket(s *handshake.State, ticket []byte) *session.Session {
	if h.config.UnwrapSession != nil {
		cs := (*Conn)(h).incomplete()
		cs.Version = uint16(s.Result.Version)
		state, err := h.config.UnwrapSession(ticket, cs)
		if err != nil || state == nil || state.session == nil {
			return nil
		}
		one := *state.session // the application may use its value elsewhere
		one.Extra = state.Extra
		return &one
	}
	blob, err := h.keys().Open(nil, ticket, s.Binding()[:])
	if err != nil {
		return nil
	}
	one, err := session.Parse(blob)
	if err != nil {
		return nil
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

// sumSize is how much of a digest notices damage. Whoever can write into a store, and
// change the sum too, has the secrets anyway.
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
	blob, err := c.ticketKeys().Open(nil, identity, nil)
	if err != nil {
		return nil, nil
	}
	state, err := ParseSessionState(blob)
	if err != nil {
		return nil, nil
	}
	return state, nil
}
