package session

import (
	"sync"
	"testing"
)

// A writer is alone; a reader sees all that was written. The detector of races sees
// more.
func TestReadersLock(t *testing.T) {
	var lock readersLock
	var a, b int
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				lock.Lock()
				a++
				b++
				lock.Unlock()
			}
		})
		wg.Go(func() {
			for range 5000 {
				held := lock.RLock()
				if a != b {
					t.Errorf("%d and %d", a, b)
				}
				held.RUnlock()
			}
		})
	}
	wg.Wait()
	lock.Lock()
	for i := range lock.places {
		if lock.places[i].TryRLock() {
			t.Errorf("place %d of %d is free to read during a write", i, len(lock.places))
		}
	}
	lock.Unlock()
	if a != 2000 {
		t.Errorf("%d of 2,000 writes are left", a)
	}
}
