package session

import (
	"math/rand/v2"
	"sync"
)

// readersLock is a lock for values that are read in each handshake and hardly ever written.
// A sync.RWMutex counts its readers in one place, which the processors then take from each
// other. This one counts them in several.
type readersLock struct {
	places [16]struct {
		sync.RWMutex
		_ [104]byte // to two lines of a cache, which are fetched together
	}
}

// RLock takes the lock to read. RUnlock of what it returns gives it back.
func (l *readersLock) RLock() (held *sync.RWMutex) {
	held = &l.places[rand.Uint32()%uint32(len(l.places))].RWMutex
	held.RLock()
	return held
}

// Lock takes the lock to write: it waits for all who read.
func (l *readersLock) Lock() {
	for i := range l.places {
		l.places[i].Lock()
	}
}

func (l *readersLock) Unlock() {
	for i := range l.places {
		l.places[i].Unlock()
	}
}
