package tls

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
)

// EarlyData is how a server takes early data (0-RTT): what a client sends together with its
// ClientHello. Anyone on the path can record it and send it again, so a server takes it only
// in handshakes that begin by [Conn.AcceptEarly]. Clients need no setting; see
// [Conn.HandshakeEarly]. RFC 8446 §2.3, §8.
type EarlyData struct {
	// MaxBytes is how much is taken on one connection, at most 16 MiB; 0 takes none. That much
	// may wait in memory for a connection. Tickets say it to clients.
	MaxBytes int
	// Protocols are the application protocols, of those in NextProtos, for which it is taken: those
	// that say what may be done twice. "" stands for connections without one.
	Protocols []string
	// Replay refuses what is sent again, and is required: session.SingleUse with a store that all
	// servers share which open the same tickets, or session.NewRecorder for one process. Each
	// question may take 100 ms: one for each ticket that is issued, and one for early data.
	Replay session.ReplayStore
	// Window is how much the age of the ticket that the client says may differ from what the
	// server counts, for the way and for clocks that are not exact; 0 for 10 seconds, at most a minute.
	Window time.Duration
}

const (
	earlyWindow    = 10 * time.Second
	maxEarlyWindow = time.Minute
	maxEarlyData   = handshake.MaxEarlyData
)

func (e *EarlyData) window() time.Duration {
	if e.Window == 0 {
		return earlyWindow
	}
	return e.Window
}

// checkEarly refuses what could not work, or would not be safe.
func (c *Config) checkEarly() error {
	e := &c.EarlyData
	switch {
	case e.MaxBytes < 0 || e.MaxBytes > maxEarlyData:
		return misuse("EarlyData.MaxBytes is %d; 0 to %d are possible", e.MaxBytes, maxEarlyData)
	case e.Window < 0 || e.Window > maxEarlyWindow:
		return misuse("EarlyData.Window is %v; up to %v is possible, and 0 for %v", e.Window, maxEarlyWindow, earlyWindow)
	case e.MaxBytes == 0:
		return nil
	case e.Replay == nil:
		return misuse("EarlyData.MaxBytes without EarlyData.Replay would take the same early data any number of times; set it to session.SingleUse(store), with one store for all servers that share ticket keys, or to session.NewRecorder")
	case len(e.Protocols) == 0:
		return misuse("EarlyData.MaxBytes without EarlyData.Protocols takes no early data; name the application protocols, or \"\" for connections without one")
	case c.SessionTicketsDisabled:
		return misuse("EarlyData.MaxBytes has no meaning with SessionTicketsDisabled: early data needs a ticket")
	}
	for _, p := range e.Protocols {
		if p != "" && !slices.Contains(c.NextProtos, p) {
			return misuse("EarlyData.Protocols lists %q, which NextProtos does not", p)
		}
	}
	return nil
}

// replay is a ReplayStore as the handshake sees it: it answers in time, or not at all.
type replay struct{ store session.ReplayStore }

var (
	errReplaySlow = errors.New("the replay store did not answer in time")
	errReplayBusy = errors.New("too many calls wait for the replay store")
)

// replayCalls has an element for each call that goes on: a store that hangs must not hold a
// goroutine for each client.
var replayCalls = make(chan struct{}, 256)

// inMemory stores never wait: they need no time limit, which a busy machine could exceed.
func (r replay) inMemory() bool {
	if local, is := r.store.(interface{ InMemory() bool }); is {
		return local.InMemory()
	}
	return false
}

// within asks the store, for no longer than a handshake waits. A store that does not heed its
// context is left alone with the question.
func (r replay) within(ctx context.Context, ask func(context.Context) error) error {
	if r.inMemory() {
		return unpanicked(ctx, ask)
	}
	select {
	case replayCalls <- struct{}{}:
	default:
		return errReplayBusy
	}
	ctx, cancel := context.WithTimeoutCause(ctx, storeTimeout, errReplaySlow)
	done := make(chan error, 1)
	go func() {
		defer cancel()
		err := errInterrupted
		defer func() {
			done <- err
			<-replayCalls
		}()
		err = unpanicked(ctx, ask)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// unpanicked turns a panic of the store into an error.
func unpanicked(ctx context.Context, ask func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return ask(ctx)
}

func (r replay) Permit(ctx context.Context, ticket [sha256.Size]byte, until time.Time) error {
	return r.within(ctx, func(ctx context.Context) error { return r.store.Permit(ctx, string(ticket[:]), until) })
}

func (r replay) Claim(ctx context.Context, ticket [sha256.Size]byte, until time.Time) error {
	return r.within(ctx, func(ctx context.Context) error { return r.store.Claim(ctx, string(ticket[:]), until) })
}
