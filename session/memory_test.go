package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
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

// room makes a store of one shard with the given number of cells.
func room(cells int) *Memory {
	m := NewMemory(leastShard)
	m.shards[0].most = cells
	return m
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
	n := m.Stats()
	if n.Held == 0 || n.Held > n.Budget {
		t.Errorf("%d bytes taken of %d", n.Held, n.Budget)
	}
	if n.Held = 0; n != (Stats{Budget: 1 << 20, Hits: 3, Misses: 3}) {
		t.Errorf("%+v", n)
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
	m := room(3)
	for _, k := range []string{"a", "b", "c"} {
		put(t, m, k, "1")
	}
	expect(t, m, "a", "1") // now b is the one unused for longest
	put(t, m, "d", "1")
	expect(t, m, "b", "")
	for _, k := range []string{"a", "c", "d"} {
		expect(t, m, k, "1")
	}
	if n := m.Stats(); n.Entries != 3 || n.Used != 3*cellSize || n.Evictions != 1 {
		t.Errorf("%+v", n)
	}
	// Too big for the whole budget: refused, others stay, what key stood for goes.
	if err := m.Put(context.Background(), "a", make([]byte, 3*cellSize), time.Now().Add(time.Hour)); err == nil {
		t.Error("an entry beyond the whole budget was kept")
	}
	expect(t, m, "a", "")
	expect(t, m, "c", "1")
	put(t, m, "e", strings.Repeat("x", 2*cellSize)) // takes the place of all
	if n := m.Stats(); n.Entries != 1 || n.Used != 3*cellSize {
		t.Errorf("%+v", n)
	}
}

func TestMemoryExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		m := room(3)
		put(t, m, "a", "1") // for an hour
		put(t, m, "b", "1")
		m.Put(ctx, "past", []byte("1"), time.Now())
		m.Put(ctx, "long past", []byte("1"), time.Unix(0, 0))
		expect(t, m, "past", "")
		expect(t, m, "long past", "")
		m.Put(ctx, "for ever", []byte("1"), time.Now().Add(1<<63-1))
		time.Sleep(time.Hour - time.Nanosecond)
		expect(t, m, "a", "1")
		time.Sleep(time.Nanosecond)
		expect(t, m, "a", "")
		if _, err := m.Take(ctx, "b"); !errors.Is(err, ErrNotFound) {
			t.Errorf("Take of an expired entry: %v", err)
		}
		expect(t, m, "for ever", "1")
		if n := m.Stats(); n.Entries != 1 || n.Used != cellSize || n.Expired != 2 || n.Misses != 4 {
			t.Errorf("%+v", n)
		}
		put(t, m, "c", "1")
		put(t, m, "d", "1")
		time.Sleep(time.Hour)
		expect(t, m, "for ever", "1")
		put(t, m, "e", "1") // in place of c, which has expired
		if n := m.Stats(); n.Expired != 3 || n.Evictions != 0 {
			t.Errorf("%+v", n)
		}
	})
}

func TestMemoryTakeIsAtomic(t *testing.T) {
	ctx := context.Background()
	m := NewMemory(64 << 20)
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
				m.Stats()
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

func TestMemoryShards(t *testing.T) {
	for _, test := range []struct{ budget, procs, want int }{
		{-1, 8, 1}, {0, 8, 1}, {1 << 20, 8, 1}, {4 << 20, 8, 4}, {63 << 20, 8, 32}, {63 << 20, 3, 16}, {1 << 30, 1, 4},
	} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(test.procs))
			if m := NewMemory(test.budget); len(m.shards) != test.want {
				t.Errorf("%d bytes and %d processors: %d shards, want %d", test.budget, test.procs, len(m.shards), test.want)
			}
		}()
	}
}

// The largest session fits a shard of the least size, a chain of certificates a
// store much smaller, and nothing at all no store.
func TestMemoryHoldsLargeBlobs(t *testing.T) {
	s := typical("example.com")
	for _, test := range []struct{ budget, chain int }{{8 << 10, 6 << 10}, {1 << 20, 900 << 10}} {
		s.PeerChain = [][]byte{bytes.Repeat([]byte{1}, test.chain)}
		m, blob := NewMemory(test.budget), string(mustAppend(t, s))
		for range 3 {
			put(t, m, "a", blob)
			put(t, m, "b", blob)
			expect(t, m, "a", "")
			expect(t, m, "b", blob)
		}
		check(t, m)
	}
	for _, budget := range []int{-1, 0, 1, 512} {
		m := NewMemory(budget)
		if err := m.Put(context.Background(), "a", nil, time.Now().Add(time.Hour)); err == nil {
			t.Errorf("a store of %d bytes holds something", budget)
		}
		expect(t, m, "a", "")
	}
}

// typical is a session of TLS 1.2 without client certificate.
func typical(host string) *Session {
	s := &Session{
		Version: wire.TLS12, Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Secret: make([]byte, 48),
		ExtendedMasterSecret: true, ALPN: "h2", ServerName: host, Group: wire.GroupX25519,
		SignatureScheme: wire.ECDSAP256SHA256, CreatedAt: time.Now(), Lifetime: 24 * time.Hour,
		Binding: Binding([]byte(host), []byte{0}),
	}
	rand.Read(s.Secret)
	return s
}

// heap is how many bytes are in use, garbage excepted.
func heap() int {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// How many sessions a MiB holds: as promised, by the count of the heap and not
// our own. For the case of many hosts see docs/adr/0010.
func TestMemoryDensity(t *testing.T) {
	for _, test := range []struct{ mib, hosts, least int }{
		{1, 1, 9000}, {5, 1, 9000}, {64, 1, 9000}, {16, 200, 9000}, {16, 1 << 30, 4000},
	} {
		t.Run(fmt.Sprintf("%d MiB, %d hosts", test.mib, test.hosts), func(t *testing.T) {
			ctx := context.Background()
			before := heap()
			m := NewMemory(test.mib << 20)
			id, s := make([]byte, 32), typical("host0000000")
			const perMiB = 10_000 // more than fit, so that the store is full
			for i := range test.mib * perMiB {
				if test.hosts > 1 {
					s = typical(fmt.Sprintf("host%07d", i%test.hosts))
				}
				s.CreatedAt = s.CreatedAt.Add(time.Millisecond)
				rand.Read(s.Secret)
				rand.Read(id)
				blob, _ := s.Append(nil)
				if err := m.Put(ctx, string(id), blob, s.Expiry()); err != nil {
					t.Fatal(err)
				}
			}
			grown := heap() - before
			n := m.Stats()
			perBudget := n.Entries / test.mib
			perGrown := int(int64(n.Entries) * (1 << 20) / int64(grown))
			t.Logf("%d entries: %d per MiB of budget, %d per MiB of heap; %d shards, %d bytes held of %d, heap grew by %d",
				n.Entries, perBudget, perGrown, len(m.shards), n.Held, n.Budget, grown)
			if perBudget < test.least || perGrown < test.least {
				t.Errorf("want %d per MiB", test.least)
			}
			if n.Held > n.Budget || grown > n.Budget+16<<10 { // what the test itself takes
				t.Errorf("the budget is %d, the store counts %d and the heap %d", n.Budget, n.Held, grown)
			}
			runtime.KeepAlive(m)
		})
	}
}

// Sessions up to the number that is promised are all there: the shards fill
// evenly enough that none evicts while others have room.
func TestMemoryHoldsWhatIsPromised(t *testing.T) {
	const mib = 16
	ctx := context.Background()
	m := NewMemory(mib << 20)
	blob := mustAppend(t, typical("example.com"))
	for i := range mib * 9000 {
		m.Put(ctx, fmt.Sprint(i), blob, time.Now().Add(time.Hour))
	}
	if n := m.Stats(); n.Entries != mib*9000 || n.Evictions != 0 {
		t.Errorf("%+v", n)
	}
}

// No client can tell, or choose, where a store keeps its session.
func TestMemoryKeysItsDigests(t *testing.T) {
	a, _ := NewMemory(1 << 20).locate("key")
	b, _ := NewMemory(1 << 20).locate("key")
	if a == b {
		t.Error("two stores have one tag for a key")
	}
}

// Terms are told apart by their text, not by its hash.
func TestMemoryTermsOfOneHash(t *testing.T) {
	m := room(30)
	put(t, m, "a", "1") // makes the index
	s := m.shards[0]
	for _, size := range []int{1, 500} {
		one, two := bytes.Repeat([]byte("x"), size), bytes.Repeat([]byte("x"), size)
		two[size-1] = 'y'
		i, j := s.hold(one, 7, 0), s.hold(two, 7, 0)
		if i == j || s.hold(one, 7, 0) != i || s.at(i).get(offRefs) != 2 {
			t.Errorf("%d bytes: two terms of one hash are records %d and %d", size, i, j)
		}
		if tag := keyTag(s.at(i)[offTag:]); s.find(&tag) != 0 {
			t.Error("terms are found as an entry")
		}
	}
}

// A dropped session leaves no byte behind, whichever way it goes.
func TestMemoryWipes(t *testing.T) {
	ctx := context.Background()
	secret := strings.Repeat("the secret", 50)
	for name, drop := range map[string]func(*Memory){
		"Delete":      func(m *Memory) { m.Delete(ctx, "a") },
		"Take":        func(m *Memory) { m.Take(ctx, "a") },
		"overwritten": func(m *Memory) { put(t, m, "a", "x") },
		"evicted":     func(m *Memory) { put(t, m, "b", strings.Repeat("x", 500)) },
		"too large":   func(m *Memory) { m.Put(ctx, "a", make([]byte, 5000), time.Now().Add(time.Hour)) },
		"expired put": func(m *Memory) { m.Put(ctx, "a", nil, time.Now()) },
	} {
		m := room(10)
		put(t, m, "a", secret)
		found := func() bool {
			for _, c := range m.shards[0].segments[0] {
				if bytes.Contains(c[:], []byte("the secret")) || bytes.Contains(c[:], []byte("ret")) {
					return true
				}
			}
			return false
		}
		if !found() {
			t.Fatal("the test does not see the secret")
		}
		if drop(m); found() {
			t.Errorf("%s: the secret is still in memory", name)
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	ctx := context.Background()
	m := NewMemory(64 << 20)
	const n = 1 << 19
	ids := make([]string, n)
	blob := mustAppend(b, typical("example.com"))
	expiry := time.Now().Add(time.Hour)
	for i := range ids {
		ids[i] = rand.Text()
		m.Put(ctx, ids[i], blob, expiry)
	}
	for name, f := range map[string]func(id string){
		"Get": func(id string) { m.Get(ctx, id) },
		"Put": func(id string) { m.Put(ctx, id, blob, expiry) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var start atomic.Uint32
			b.RunParallel(func(pb *testing.PB) {
				for i := start.Add(12345678); pb.Next(); i++ {
					f(ids[i*2654435761%n])
				}
			})
		})
	}
}

// Of many that see the same value, one changes it.
func TestCompareAndSet(t *testing.T) {
	ctx, m, end := t.Context(), NewMemory(1<<20), time.Now().Add(time.Hour)
	swap := func(old, blob string) bool {
		var was []byte
		if old != "" {
			was = []byte(old)
		}
		done, err := m.CompareAndSet(ctx, "key", was, []byte(blob), end)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if swap("a", "b") || !swap("", "a") || swap("", "b") || swap("b", "c") {
		t.Error("a value is changed that was another")
	}
	won := make(chan bool)
	for range 100 {
		go func() { won <- swap("a", "b") }()
	}
	n := 0
	for range 100 {
		if <-won {
			n++
		}
	}
	if blob, err := m.Get(ctx, "key"); n != 1 || string(blob) != "b" || err != nil {
		t.Errorf("%d won, %q, %v", n, blob, err)
	}
}
