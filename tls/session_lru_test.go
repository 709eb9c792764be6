package tls

import (
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// oneStep is our cache, which must not be asked in two steps.
type oneStep struct {
	*lruCache
	t *testing.T
}

func (o oneStep) Get(string) (*ClientSessionState, bool) {
	o.t.Error("Get: another connection may get the same before it is removed")
	return nil, false
}

func (o oneStep) Put(string, *ClientSessionState) {
	o.t.Error("Put: another connection may have got the same before")
}

// A ticket of TLS 1.3 goes to one of those that ask at the same time; a session of
// TLS 1.2 to all of them. RFC 8446 §C.4.
func TestOneTakesATicket(t *testing.T) {
	for version, again := range map[wire.Version]bool{wire.TLS13: false, wire.TLS12: true} {
		one := must(NewResumptionState([]byte{1}, &SessionState{session: &session.Session{Version: version}}))
		cache := oneStep{NewLRUClientSessionCache(0).(*lruCache), t}
		cache.lruCache.Put("a", one)
		if got := take(cache, "a"); got != one {
			t.Errorf("%v: the cache gives %v", version, got)
		}
		if got := take(cache, "a"); (got == one) != again {
			t.Errorf("%v: the second time the cache gives %v", version, got)
		}
	}
}
