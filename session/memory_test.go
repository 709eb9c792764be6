package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// expect fails unless key stands for want; "" means for nothing.
func expect(t *testing.T, m *Memory, key, want string) {
	t.Helper()
	b, err := m.Get(context.Background(), key)
	if want == "" && !errors.Is(err, ErrNotFound) || want != "" && (err != nil || string(b) != want) {
		t.Errorf("Get(%q) = %q, %v; want %q", key, b, err, want)
	}
}

func put(t *testing.T, m *Memory, key, blob string) {
	t.Helper()
	if err := m.Put(context.Background(), key, []byte(blob), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
}

func TestMemory(t *testing.T) {
	ctx := context.Background()
	m := NewMemory(1 << 20)
	expect(t, m, "a", "")
	put(t, m, "a", "1")
	expect(t, m, "a", "1")
	put(t, m, "a", "2")
	expect(t, m, "a", "2")
	if b, err := m.Take(ctx, "a"); err != nil || string(b) != "2" {
		t.Errorf("Take = %q, %v", b, err)
	}
	if _, err := m.Take(ctx, "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("second Take: %v", err)
	}
	put(t, m, "a", "3")
	for range 2 {
		if err := m.Delete(ctx, "a"); err != nil {
			t.Error(err)
		}
	}
	expect(t, m, "a", "")
	if m.used != 0 {
		t.Errorf("%d bytes in use by nothing", m.used)
	}
}

func TestMemoryCopies(t *testing.T) {
	ctx := context.Background()
	m := NewMemory(1 << 20)
	in := []byte("blob")
	m.Put(ctx, "a", in, time.Now().Add(time.Hour))
	clear(in)
	out, _ := m.Get(ctx, "a")
	clear(out)
	expect(t, m, "a", "blob")
	kept, _ := m.Get(ctx, "a")
	m.Delete(ctx, "a") // wipes its own copy only
	if string(kept) != "blob" {
		t.Errorf("a returned blob changed to %q", kept)
	}
}

func TestMemoryEvictsLeastRecentlyUsed(t *testing.T) {
	cost := (&entry{key: "a", blob: []byte("1")}).cost()
	m := NewMemory(3 * cost)
	for _, k := range []string{"a", "b", "c"} {
		put(t, m, k, "1")
	}
	expect(t, m, "a", "1") // now b is the one unused for longest
	put(t, m, "d", "1")
	expect(t, m, "b", "")
	for _, k := range []string{"a", "c", "d"} {
		expect(t, m, k, "1")
	}
	if m.used != 3*cost || len(m.entries) != 3 {
		t.Errorf("%d bytes in %d entries, want %d in 3", m.used, len(m.entries), 3*cost)
	}
	// Too big for the whole budget: refused, others stay, what key stood for goes.
	if err := m.Put(context.Background(), "a", make([]byte, 3*cost), time.Now().Add(time.Hour)); err == nil {
		t.Error("an entry beyond the whole budget was kept")
	}
	expect(t, m, "a", "")
	expect(t, m, "c", "1")
}

func TestMemoryExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		m := NewMemory(1 << 20)
		put(t, m, "a", "1") // for an hour
		put(t, m, "b", "1")
		m.Put(ctx, "past", []byte("1"), time.Now())
		expect(t, m, "past", "")
		time.Sleep(time.Hour - time.Nanosecond)
		expect(t, m, "a", "1")
		time.Sleep(time.Nanosecond)
		expect(t, m, "a", "")
		if _, err := m.Take(ctx, "b"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Take of an expired entry: %v", err)
		}
		if m.used != 0 || m.recent.Len() != 0 {
			t.Errorf("expired entries still use %d bytes", m.used)
		}
	})
}

func TestMemoryTakeIsAtomic(t *testing.T) {
	ctx := context.Background()
	m := NewMemory(1 << 20)
	var wg sync.WaitGroup
	var taken [50]atomic.Int32
	for i := range taken {
		put(t, m, fmt.Sprint(i), "1")
	}
	for range 8 {
		wg.Go(func() {
			for i := range taken {
				m.Get(ctx, fmt.Sprint(i))
				if _, err := m.Take(ctx, fmt.Sprint(i)); err == nil {
					taken[i].Add(1)
				}
			}
		})
	}
	wg.Wait()
	for i := range taken {
		if n := taken[i].Load(); n != 1 {
			t.Errorf("entry %d was taken %d times", i, n)
		}
	}
}
