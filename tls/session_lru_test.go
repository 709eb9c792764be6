package tls

import (
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// A ticket of TLS 1.3 goes to one of those that ask at the same time, unless it is the
// last; a session of TLS 1.2 to all of them. RFC 8446 §C.4.
func TestOneTakesATicket(t *testing.T) {
	for _, test := range []struct {
		version wire.Version
		single  bool
		want    string
	}{
		{wire.TLS13, false, "6543333"}, // four are kept
		{wire.TLS13, true, "6543---"},
		{wire.TLS12, false, "6666666"},
		{wire.TLS12, true, "6666666"},
	} {
		cache := NewLRUClientSessionCache(0).(*lruCache)
		for ticket := range "0123456" {
			restock(cache, "a", func(now *ClientSessionState) *ClientSessionState {
				return now.with(stocked(test.version, byte('0'+ticket)))
			})
		}
		var mutex sync.Mutex
		var got []byte
		var group sync.WaitGroup
		for range test.want {
			group.Go(func() {
				restock(cache, "a", func(now *ClientSessionState) *ClientSessionState {
					if cache.mutex.TryLock() {
						cache.mutex.Unlock()
						t.Error("another connection may get the same before it is removed")
					}
					mutex.Lock()
					defer mutex.Unlock()
					got = append(got, append(now.ticketOf(), '-')[0])
					return now.offered(test.single)
				})
			})
		}
		group.Wait()
		if string(got) != test.want {
			t.Errorf("%v, single use %v: %s, want %s", test.version, test.single, got, test.want)
		}
	}
}

func stocked(version wire.Version, ticket byte) *ClientSessionState {
	return must(NewResumptionState([]byte{ticket}, &SessionState{session: &session.Session{Version: version}}))
}

func (cs *ClientSessionState) ticketOf() []byte {
	ticket, _, _ := cs.ResumptionState()
	return ticket
}
