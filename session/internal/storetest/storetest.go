// Package storetest is what every store must do, as tests that run against each with its real
// server. It is for tests alone.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// takers want the same blob at once.
const takers = 1000

// Run tests a store that is empty, or has what earlier tests have left. largest is the size of
// blob that it must keep; one of 2 MiB must be refused.
func Run(t *testing.T, store session.Swapper, largest int) {
	t.Run("values", func(t *testing.T) { values(t, store, largest) })
	t.Run("expiry", func(t *testing.T) { expiry(t, store) })
	t.Run("take", func(t *testing.T) { take(t, store) })
	t.Run("take and put", func(t *testing.T) { takeAndPut(t, store) })
	t.Run("compare and set", func(t *testing.T) { compareAndSet(t, store) })
	t.Run("count", func(t *testing.T) { count(t, store) })
}

// key is one that nobody has used.
func key(kind string) string { return kind + rand.Text() }

func soon() time.Time { return time.Now().Add(time.Hour) }

func values(t *testing.T, s session.Swapper, largest int) {
	ctx := t.Context()
	keys := map[string][]byte{
		key("text"):                              []byte("a blob"),
		key("\x00\r\n \xff{}*?/../\u2028"):       {0, 1, 2, 255, '\r', '\n'},
		string(bytes.Repeat([]byte("k"), 1000)):  []byte("of a long key"),
		string(bytes.Repeat([]byte("k"), 1001)):  []byte("of another"),
		key("empty"):                             {},
		key("large"):                             bytes.Repeat([]byte{0xa5}, largest),
		key("END\r\n"):                           []byte("END\r\nVALUE 1 2 3\r\n"),
		string(append([]byte(key("")), 128, 10)): []byte("$-1\r\n"),
	}
	for k, blob := range keys {
		if err := s.Delete(ctx, k); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(ctx, k); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%.40q before it is put: %.40q, %v", k, got, err)
		}
		if err := s.Put(ctx, k, []byte("an old one"), soon()); err != nil {
			t.Error(err)
		}
		given := bytes.Clone(blob)
		if err := s.Put(ctx, k, given, soon()); err != nil {
			t.Errorf("%.40q: %v", k, err)
		}
		clear(given) // the store has a copy
	}
	for k, blob := range keys {
		if got, err := s.Get(ctx, k); err != nil || !bytes.Equal(got, blob) {
			t.Errorf("%.40q: %d bytes for %d, %v", k, len(got), len(blob), err)
		}
		if err := s.Delete(ctx, k); err != nil {
			t.Error(err)
		}
		if err := s.Delete(ctx, k); err != nil {
			t.Errorf("deleted twice: %v", err)
		}
		if _, err := s.Get(ctx, k); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("%.40q after it is deleted: %v", k, err)
		}
	}
	if err := s.Put(ctx, key("huge"), make([]byte, 2<<20), soon()); err == nil {
		t.Error("a huge blob is kept")
	}
}

func expiry(t *testing.T, s session.Swapper) {
	ctx := t.Context()
	k, over := key("expiry"), time.Now().Add(700*time.Millisecond)
	if err := s.Put(ctx, k, []byte("blob"), over); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, k); err != nil && time.Now().Before(over) {
		t.Errorf("before its time: %v", err)
	}
	for time.Now().Before(over.Add(20 * time.Millisecond)) { // it is the clock that is tested
		time.Sleep(10 * time.Millisecond)
	}
	if got, err := s.Get(ctx, k); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("after its time: %q, %v", got, err)
	}
	if _, err := s.Take(ctx, k); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("taken after its time: %v", err)
	}
	if done, err := s.CompareAndSet(ctx, k, nil, []byte("next"), soon()); !done || err != nil {
		t.Errorf("set after the old one's time: %v, %v", done, err)
	}
	if err := s.Put(ctx, k, []byte("late"), time.Now().Add(-time.Second)); err != nil {
		t.Errorf("put too late: %v", err)
	}
	if got, err := s.Get(ctx, k); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("put too late: %q, %v", got, err)
	}
}

func take(t *testing.T, s session.Swapper) {
	k := key("take")
	if err := s.Put(t.Context(), k, []byte("blob"), soon()); err != nil {
		t.Fatal(err)
	}
	var failed atomic.Int32 // a machine that is busy lets connections take long, and what comes too late may be the blob
	won := race(takers, func(int) bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		blob, err := s.Take(ctx, k)
		if err != nil && !errors.Is(err, session.ErrNotFound) && failed.Add(1) == 1 {
			t.Log(err)
		}
		return err == nil && string(blob) == "blob"
	})
	if n := failed.Load(); won > 1 || won == 0 && n == 0 || n > takers/2 {
		t.Errorf("%d of %d took the blob, %d failed", won, takers, n)
	}
	if _, err := s.Get(t.Context(), k); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("taken, and there: %v", err)
	}
	if done, err := s.CompareAndSet(t.Context(), k, nil, []byte("next"), soon()); !done || err != nil {
		t.Errorf("set where one was taken: %v, %v", done, err)
	}
}

// race reports in how many of n goroutines that start together f is true.
func race(n int, f func(i int) bool) (won int) {
	var start, done sync.WaitGroup
	var mu sync.Mutex
	start.Add(1)
	for i := range n {
		done.Go(func() {
			start.Wait()
			if f(i) {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	start.Done()
	done.Wait()
	return won
}

// Each value that was put is taken at most once, though others are put at the same time.
func takeAndPut(t *testing.T, s session.Swapper) {
	ctx, k := t.Context(), key("take and put")
	taken := map[string]int{}
	var mu sync.Mutex
	race(8, func(i int) bool {
		for n := range 40 {
			if i%2 == 0 {
				if err := s.Put(ctx, k, []byte{byte(i), byte(n)}, soon()); err != nil {
					t.Error(err)
				}
			} else if blob, err := s.Take(ctx, k); err == nil {
				mu.Lock()
				taken[string(blob)]++
				mu.Unlock()
			} else if !errors.Is(err, session.ErrNotFound) {
				t.Error(err)
			}
		}
		return true
	})
	for blob, n := range taken {
		if n != 1 {
			t.Errorf("%x is taken %d times", blob, n)
		}
	}
}

func compareAndSet(t *testing.T, s session.Swapper) {
	ctx, k := t.Context(), key("swap")
	swap := func(old, blob []byte) bool {
		done, err := s.CompareAndSet(ctx, k, old, blob, soon())
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if swap([]byte("none"), []byte("a")) || !swap(nil, []byte("a")) || swap(nil, []byte("b")) || swap([]byte("b"), []byte("c")) ||
		!swap([]byte("a"), []byte{}) || swap(nil, []byte("d")) || !swap([]byte{}, []byte{0, '\r', '\n'}) || !swap([]byte{0, '\r', '\n'}, []byte("e")) {
		t.Error("a value is set over another than the one that was to be there")
	}
	if err := s.Delete(ctx, k); err != nil {
		t.Fatal(err)
	}
	for _, old := range [][]byte{nil, []byte("winner")} {
		won := race(50, func(int) bool {
			done, err := s.CompareAndSet(ctx, k, old, []byte("winner"+string(old)), soon())
			if err != nil {
				t.Error(err)
			}
			return done
		})
		if won != 1 {
			t.Errorf("%d set the value over %q", won, old)
		}
	}
}

// Additions by many are not lost.
func count(t *testing.T, s session.Swapper) {
	ctx, k := t.Context(), key("count")
	const members, each = 4, 10
	race(members, func(int) bool {
		for range each {
			for done := false; !done; {
				old, err := s.Get(ctx, k)
				if err != nil && !errors.Is(err, session.ErrNotFound) {
					t.Error(err)
					return false
				}
				if done, err = s.CompareAndSet(ctx, k, old, append(bytes.Clone(old), 'x'), soon()); err != nil {
					t.Error(err)
					return false
				}
			}
		}
		return true
	})
	if got, err := s.Get(ctx, k); len(got) != members*each || err != nil {
		t.Errorf("%d of %d additions are there, %v", len(got), members*each, err)
	}
}
