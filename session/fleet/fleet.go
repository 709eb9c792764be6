package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
	"weak"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// Settings say where sessions are, and how clients resume.
type Settings struct {
	// Store is the URL of a store, as the package's documentation says; empty keeps everything
	// in this process.
	Store string
	// KeyFile has a fleet key in each line, as 64 hex digits; # begins a comment.
	KeyFile string
	// Keys are the fleet keys, in place of KeyFile.
	Keys [][32]byte
	// Timeout is how long a handshake waits for the store; 20 ms by default, at most 100 ms.
	Timeout time.Duration
	// SingleUse keeps the sessions behind tickets in the store, where each is taken once. A
	// handshake of TLS 1.3 then gives out one ticket, unless Resumption.Tickets says otherwise.
	SingleUse bool
	// SessionIDs keeps sessions up to TLS 1.2 for clients without tickets.
	SessionIDs bool
	// Rotation is about ticket keys.
	Rotation Rotation
	// Inherit is what [Sessions.Export] of the process before has given; without a Store alone.
	Inherit []byte
}

// Options are for those that watch, and for tests.
type Options struct {
	// Report is called after each call to the store, from many goroutines: get, put, take,
	// delete, or keys for the schedule of ticket keys. err is nil where a session was not there.
	Report func(operation string, took time.Duration, err error)
	// Now is the clock of ticket keys; nil is time.Now.
	Now func() time.Time
}

// Sessions are those of one member. All methods may be called at the same time.
type Sessions struct {
	settings Settings
	options  Options
	source   *TicketKeySource
	ids      session.Store // for session IDs
	tickets  session.Store // for single-use tickets
	permits  session.Store // for early data, one for each ticket
	bounded  *bounded      // nil without a store
	close    func() error

	mu      sync.Mutex
	configs []weak.Pointer[tls.Config]
	closed  bool
}

// memoryBudget is for the sessions of one process.
const memoryBudget = 64 << 20

// Open opens the store, without waiting for it: it may come later. Ticket keys are looked for
// until ctx is done, and for a second at most. Settings that cannot work are an error.
func Open(ctx context.Context, settings Settings, options Options) (*Sessions, error) {
	if settings.Store == "" {
		memory := session.NewMemory(memoryBudget)
		var key [32]byte
		rand.Read(key[:])
		settings.Keys = [][32]byte{key}
		if r := &settings.Rotation; r.Poll == 0 {
			r.Poll = alone(r.Every)
		}
		s, err := assemble(memory, settings, options)
		if err != nil {
			return nil, err
		}
		s.ids, s.tickets, s.permits = memory, memory, memory // nobody else reads it
		if keys, err := decodeSchedule(settings.Inherit); err == nil {
			s.source.learn(keys)
		}
		return s, s.first(ctx)
	}
	if settings.Keys == nil {
		keys, err := readKeyFile(settings.KeyFile)
		if err != nil {
			return nil, err
		}
		settings.Keys = keys
	}
	store, err := openStore(settings.Store)
	if err != nil {
		return nil, err
	}
	s, err := New(store, settings, options)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	s.close = store.Close
	s.first(ctx)
	return s, nil
}

// alone is how often keys are looked at that no other member changes: the next one is published long before
// it seals, and a process at rest sleeps.
func alone(every time.Duration) time.Duration {
	if every <= 0 {
		return time.Minute
	}
	return min(time.Minute, every/32)
}

// first looks for ticket keys, so that the first connections have some.
func (s *Sessions) first(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, keyTime)
	defer cancel()
	return s.Update(ctx)
}

// New is Open for a store of your own, which stays yours to close after [Sessions.Close]. Of
// the settings, Store and KeyFile are not looked at.
func New(store session.Swapper, settings Settings, options Options) (*Sessions, error) {
	s, err := assemble(store, settings, options)
	if err != nil {
		return nil, err
	}
	s.bounded = newBounded(store, s.settings.Timeout, s.report)
	s.ids = &sealed{s.source.vault, purposeSession, s.bounded}
	s.tickets = &sealed{s.source.vault, purposeTicket, s.bounded}
	s.permits = &sealed{s.source.vault, purposeEarly, s.bounded}
	return s, nil
}

func assemble(store session.Swapper, settings Settings, options Options) (*Sessions, error) {
	if settings.Timeout == 0 {
		settings.Timeout = 20 * time.Millisecond
	}
	if settings.Timeout < 0 || settings.Timeout > 100*time.Millisecond {
		return nil, fmt.Errorf("fleet: a look-up may take %v; a handshake waits 100ms at most", settings.Timeout)
	}
	source, err := NewTicketKeySource(store, settings.Keys, settings.Rotation, options.Now)
	if err != nil {
		return nil, err
	}
	return &Sessions{settings: settings, options: options, source: source, close: func() error { return nil }}, nil
}

func (s *Sessions) report(operation string, took time.Duration, err error) {
	if s.options.Report == nil {
		return
	}
	if errors.Is(err, session.ErrNotFound) {
		err = nil
	}
	s.options.Report(operation, took, err)
}

// Export is the ticket keys, for a process that takes this one's place. It is secret: clear it
// once it is passed on. With a store it is empty, for there every process finds them.
func (s *Sessions) Export() []byte {
	if s.settings.Store != "" {
		return nil
	}
	s.source.mu.Lock()
	defer s.source.mu.Unlock()
	return s.source.known.encode()
}

// Apply has c resume the sessions of the fleet, and keeps its ticket keys up to date for as long
// as c is reachable and Run runs. Clones share no ticket keys with it, unless they are made by
// ForProtocols while c stays reachable: apply the sessions to each. Sessions made under one
// Config resume under another only where both have the same rules for clients, as package
// session says of a binding. Where c takes early data and has no EarlyData.Replay, each ticket
// brings it to one member of the fleet, once: it has a permit in the store, and is refused
// where the store does not answer. c must not be in use yet.
func (s *Sessions) Apply(c *tls.Config) {
	if s.settings.SessionIDs {
		c.Resumption.Store = s.ids
	}
	if s.settings.SingleUse {
		c.WrapSession, c.UnwrapSession = s.wrap, s.unwrap
		if c.Resumption.Tickets == 0 {
			c.Resumption.Tickets = 1 // each that no client comes back with waits a day in the store
		}
	}
	if c.EarlyData.MaxBytes > 0 && c.EarlyData.Replay == nil {
		c.EarlyData.Replay = session.SingleUse(s.permits)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs = append(s.living(), weak.Make(c))
	keys := s.source.Schedule()
	defer clear(keys)
	s.setKeys(c, keys)
}

// living are the configs that somebody still uses. The lock is held.
func (s *Sessions) living() []weak.Pointer[tls.Config] {
	var alive []weak.Pointer[tls.Config]
	for _, p := range s.configs {
		if p.Value() != nil {
			alive = append(alive, p)
		}
	}
	return alive
}

// spread gives the schedule to all configs.
func (s *Sessions) spread() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.configs = s.living()
	keys := s.source.Schedule()
	defer clear(keys)
	for _, p := range s.configs {
		if c := p.Value(); c != nil {
			s.setKeys(c, keys)
		}
	}
}

// setKeys gives c a schedule, which it does not refuse as plan makes none that is wrong. Without keys of the fleet none seals: the
// ones that c would make for itself are of no use to the other members.
func (s *Sessions) setKeys(c *tls.Config, keys []session.TicketKey) {
	if len(keys) == 0 {
		never := session.TicketKey{From: time.Unix(1<<36, 0)}
		rand.Read(never.Secret[:])
		keys = []session.TicketKey{never}
	}
	if err := c.SetTicketKeySchedule(keys); err != nil {
		s.report("keys", 0, err)
	}
}

// Update brings the ticket keys up to date once, as Run does all the time. A server that calls
// it before it takes connections has keys from the first one on.
func (s *Sessions) Update(ctx context.Context) error {
	began := time.Now()
	changed, err := s.source.Update(ctx)
	if changed {
		s.spread()
	}
	s.report("keys", time.Since(began), err)
	return err
}

// Run keeps the ticket keys up to date until ctx is done.
func (s *Sessions) Run(ctx context.Context) {
	s.source.Run(ctx, s.spread, func(err error) { s.report("keys", 0, err) })
}

// Close waits for the calls to the store that go on, for a second or two at most, and closes it. End Run before.
// Handshakes that come later are full ones.
func (s *Sessions) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	if s.bounded != nil {
		s.bounded.drain()
	}
	return s.close()
}
