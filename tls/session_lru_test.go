package tls

import (
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// A ticket of TLS 1.3 goes to one of those that ask at the same time; a session of
// TLS 1.2 to all of them. RFC 8446 §C.4.
func TestOneTakesATicket(t *testing.T) {
	const callers = 8
	for version, want := range map[wire.Version]int{wire.TLS13: 1, wire.TLS12: callers} {
		cache := NewLRUClientSessionCache(0).(*lruCache)
		cache.Put("a", must(NewResumptionState([]byte{1}, &SessionState{session: &session.Session{Version: version}})))
		var all sync.WaitGroup
		taken := make(chan *ClientSessionState, callers)
		// A mutex goes from one to the next in the order of their coming where they
		// have waited for more than a millisecond. So, were there two steps, each
		// caller would take the first before any took the second.
		cache.mutex.Lock()
		for range callers {
			all.Go(func() { taken <- take(cache, "a") })
		}
		time.Sleep(10 * time.Millisecond)
		cache.mutex.Unlock()
		all.Wait()
		close(taken)
		got := 0
		for cs := range taken {
			if cs != nil {
				got++
			}
		}
		if got != want {
			t.Errorf("%v: %d of %d callers have the session, want %d", version, got, callers, want)
		}
	}
}
