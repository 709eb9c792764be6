package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// ErrResting says that the store was not asked, because it has failed several times in a row.
var ErrResting = errors.New("fleet: the store has failed several times and is left alone for a moment")

// ErrBusy says that the store was not asked, because as many calls wait for it as may.
var ErrBusy = errors.New("fleet: too many calls wait for the store")

const (
	// maxCalls wait for the store at once; with 20 ms each that is 12,800 a second at the least.
	maxCalls = 256
	// probeTime is how long a call may go on that tries whether the store is back. The
	// handshake does not wait for it: a new connection, with TLS, may take longer than a look-up.
	// Whether the store is fast enough then shows a second one, over the connection that is there.
	probeTime = time.Second
)

// bounded is a Store that answers in time, whatever the one below does.
type bounded struct {
	below   session.Store
	timeout time.Duration
	report  func(operation string, took time.Duration, err error)
	calls   chan struct{} // has an element for each call that goes on
	// A store that is full takes no values, but has those that it has.
	reads, writes breaker
}

func newBounded(below session.Store, timeout time.Duration, report func(string, time.Duration, error)) *bounded {
	return &bounded{below: below, timeout: timeout, report: report, calls: make(chan struct{}, maxCalls)}
}

func (b *bounded) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	_, err := b.call(ctx, "put", &b.writes, func(ctx context.Context) ([]byte, error) { return nil, b.below.Put(ctx, key, blob, expiry) })
	return err
}

func (b *bounded) Get(ctx context.Context, key string) ([]byte, error) {
	return b.call(ctx, "get", &b.reads, func(ctx context.Context) ([]byte, error) { return b.below.Get(ctx, key) })
}

func (b *bounded) Take(ctx context.Context, key string) ([]byte, error) {
	return b.call(ctx, "take", &b.reads, func(ctx context.Context) ([]byte, error) { return b.below.Take(ctx, key) })
}

func (b *bounded) Delete(ctx context.Context, key string) error {
	_, err := b.call(ctx, "delete", &b.reads, func(ctx context.Context) ([]byte, error) { return nil, b.below.Delete(ctx, key) })
	return err
}

type answer struct {
	blob []byte
	err  error
}

// call waits for f no longer than the timeout, and tells of what came of it.
func (b *bounded) call(ctx context.Context, operation string, br *breaker, f func(context.Context) ([]byte, error)) ([]byte, error) {
	began := time.Now()
	a := b.try(ctx, br, f)
	if b.report != nil {
		b.report(operation, time.Since(began), a.err)
	}
	return a.blob, a.err
}

func (b *bounded) try(ctx context.Context, br *breaker, f func(context.Context) ([]byte, error)) answer {
	select {
	case b.calls <- struct{}{}:
	default:
		return answer{err: ErrBusy}
	}
	probe, allowed := br.allow(time.Now())
	if !allowed {
		<-b.calls
		return answer{err: ErrResting}
	}
	limit := b.timeout
	if probe {
		limit = max(limit, probeTime)
	}
	// A call goes on when the client goes away: what comes of it is news of the store.
	under, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	done := make(chan answer, 1)
	go func() {
		defer cancel()
		began := time.Now()
		blob, err := f(under)
		good := answered(err) && (!probe || time.Since(began) <= b.timeout || b.quick(under))
		br.note(time.Now(), probe, good)
		done <- answer{blob, err}
		<-b.calls
	}()
	timer := time.NewTimer(b.timeout)
	defer timer.Stop()
	select {
	case a := <-done:
		return a
	case <-timer.C:
		return answer{err: context.DeadlineExceeded}
	case <-ctx.Done():
		return answer{err: ctx.Err()}
	}
}

// answered reports that the store did what it was asked for.
func answered(err error) bool { return err == nil || errors.Is(err, session.ErrNotFound) }

// quick reports that the store answers in the time of a look-up.
func (b *bounded) quick(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	_, err := b.below.Get(ctx, "how fast")
	return answered(err)
}

// drain waits for the calls that go on. Nobody may make others then.
func (b *bounded) drain() {
	for range cap(b.calls) {
		b.calls <- struct{}{}
	}
}
