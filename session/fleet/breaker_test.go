package fleet

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// slow is a store that takes its time, and counts what reaches it.
type slow struct {
	*session.Memory
	takes             atomic.Int64 // nanoseconds
	calls, now, limit atomic.Int64 // limit is the most at once
}

func (s *slow) Get(ctx context.Context, key string) ([]byte, error) {
	s.calls.Add(1)
	s.limit.Store(max(s.limit.Load(), s.now.Add(1)))
	defer s.now.Add(-1)
	timer := time.NewTimer(time.Duration(s.takes.Load()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return s.Memory.Get(ctx, key)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A store that answers, but too late for a look-up, is left alone until it is fast: one call at a
// time tries, less and less often.
func TestASlowStoreIsLeftAlone(t *testing.T) {
	for _, takes := range []time.Duration{25 * time.Millisecond, 300 * time.Millisecond, 900 * time.Millisecond, time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			store := &slow{Memory: session.NewMemory(1 << 20)}
			store.takes.Store(int64(takes))
			b := newBounded(store, 20*time.Millisecond, nil)
			ask := func() error { _, err := b.Get(t.Context(), "key"); return err }
			for range breakAfter {
				ask()
			}
			time.Sleep(time.Minute) // that calls go on which nobody waits for
			synctest.Wait()
			store.calls.Store(0)
			store.limit.Store(0)
			asked := 0
			for end := time.Now().Add(time.Minute); time.Now().Before(end); asked++ {
				if err := ask(); err == nil {
					t.Fatal("a slow store answers in time")
				}
				time.Sleep(5 * time.Millisecond)
			}
			// A rest is a second at the least once it is long; then the call, and one more to see how fast it is.
			if n := store.calls.Load(); n > 2*(60+6) || n < 20 || store.limit.Load() != 1 {
				t.Errorf("%v: of %d calls %d reached the store, %d at once", takes, asked, n, store.limit.Load())
			}
			time.Sleep(time.Minute)
			store.takes.Store(int64(time.Millisecond))
			began := time.Now()
			for !answered(ask()) {
				time.Sleep(5 * time.Millisecond)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("%v: it took %v until the store was asked again", takes, took)
			}
			b.drain()
		})
	}
}

// Rests of a store that goes up and down stay long; those of one that has done well begin short.
func TestRestsOfAStoreThatFlaps(t *testing.T) {
	var b breaker
	now := time.Now()
	for i := range 8 {
		for range breakAfter {
			b.note(now, false, false)
		}
		want := min(firstRest<<i, longRest)
		if rest := b.until.Sub(now); rest < want/2 || rest > want {
			t.Errorf("rest %d is %v, not %v", i, rest, want)
		}
		now = b.until
		if probe, ok := b.allow(now); !ok || !probe {
			t.Fatal("no probe after a rest")
		}
		b.note(now, false, true) // a call of before says nothing
		if _, ok := b.allow(now); ok {
			t.Error("two probes")
		}
		b.note(now, true, true)
	}
	now = now.Add(calm + time.Second)
	for range breakAfter {
		b.note(now, false, false)
	}
	if b.until.Sub(now) > firstRest {
		t.Errorf("after %v without a failure the first rest is %v", calm, b.until.Sub(now))
	}
}
