package session

import (
	"runtime"
	"testing"
	"time"
)

// A clock is the application's: one that panics or ends its goroutine leaves no lock
// behind, and no other connection without tickets.
func TestAClockHoldsNoLock(t *testing.T) {
	uses := map[string]func(*TicketKeys){
		"Seal":    func(k *TicketKeys) { k.Seal(nil, []byte("blob"), nil) },
		"Open":    func(k *TicketKeys) { k.Open(nil, make([]byte, 100), nil) },
		"Current": func(k *TicketKeys) { k.Current(make([]byte, 100)) },
		"Keys":    func(k *TicketKeys) { k.Keys() },
		"Set":     func(k *TicketKeys) { k.Set([][32]byte{{1}}) },
	}
	for name, use := range uses {
		for how, fail := range map[string]func(){"panic": func() { panic("of the clock") }, "Goexit": runtime.Goexit} {
			for nth := range 3 { // the reading of the clock that fails
				read := -1
				keys := NewTicketKeys(func() time.Time {
					if read++; read == nth {
						fail()
					}
					return time.Now()
				})
				done := make(chan struct{})
				go func() {
					defer close(done)
					defer func() { recover() }()
					use(keys)
				}()
				bounded(t, name+", "+how, done)
				after := make(chan struct{})
				go func() {
					defer close(after)
					read = 100
					keys.Set([][32]byte{{3}})
					if ticket, err := keys.Seal(nil, []byte("blob"), nil); err != nil || !keys.Current(ticket) {
						t.Errorf("%s, %s: %v", name, how, err)
					}
				}()
				bounded(t, "what follows "+name+", "+how, after)
			}
		}
	}
}

func bounded(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatalf("%s does not return", what)
	}
}
