package memcached

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func start(t *testing.T) *storetest.Server {
	program := programs.Need(t, "memcached", "memcached")
	return storetest.Start(t, func(port string) *exec.Cmd {
		return exec.Command(program, "-l", "127.0.0.1", "-p", port, "-U", "0", "-u", "nobody")
	})
}

func openAt(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, openAt(t, "memcached://"+start(t).Addr+","+start(t).Addr+"/"), 256<<10)
}

func TestTroubles(t *testing.T) {
	server := start(t)
	storetest.Troubles(t, openAt(t, "memcached://"+server.Addr), server, []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n", "VALUE a 0 4294967295\r\n", "VALUE a 0 -1\r\n", "VALUE\r\n", "STORED\r\n", strings.Repeat("x", 1<<20), "\r\n",
	})
}

// A look-up is one round trip, and so is a take.
func TestRoundTrips(t *testing.T) {
	storetest.Rounds(t, start(t), func(address string) session.Store { return openAt(t, "memcached://"+address) }, 1, 1, 1)
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"", "memcached://", "redis://h", "memcached://h,", "memcached://u:p@h", "memcached://h?x=1", "memcached://h,H:11211"} {
		if s, err := Open(url); err == nil {
			s.Close()
			t.Errorf("%q is taken", url)
		}
	}
}

// Members whose configurations name the servers in another order find each other's sessions.
func TestTheOrderOfServersIsNoMatter(t *testing.T) {
	a, b := start(t).Addr, start(t).Addr
	one, other := openAt(t, "memcached://"+a+","+b), openAt(t, "memcached://"+b+","+a)
	for i := range 50 {
		key := fmt.Sprint(i)
		if err := one.Put(t.Context(), key, []byte(key), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got, err := other.Get(t.Context(), key); err != nil || string(got) != key {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
}

// With a server more, keys move to that one alone, and each has its share.
func TestKeysStay(t *testing.T) {
	few, _ := newServers([]string{"a", "b", "c"})
	more, _ := newServers([]string{"d", "c", "a", "b"})
	moved := 0
	for i := range 4000 {
		was, _ := few.PickServer(fmt.Sprint(i))
		is, _ := more.PickServer(fmt.Sprint(i))
		if was != is {
			if moved++; is.String() != "d:11211#0" {
				t.Fatalf("key %d moves from %s to %s", i, was, is)
			}
		}
	}
	if moved < 800 || moved > 1200 {
		t.Errorf("%d of 4000 keys are on the fourth server", moved)
	}
}

// A name that leads elsewhere is followed: at once where the old server is gone, and after a while where it is still there.
func TestNamesAreLookedUpAgain(t *testing.T) {
	_, service, _ := net.SplitHostPort(start(t).Addr)
	for _, gone := range []bool{true, false} {
		s, err := newServers([]string{"sessions.test:" + service})
		if err != nil {
			t.Fatal(err)
		}
		var where atomic.Pointer[netip.Addr]
		lead := func(to string) { a := netip.MustParseAddr(to); where.Store(&a) }
		s.lookup = func(_ context.Context, host string) ([]netip.Addr, error) { return []netip.Addr{*where.Load()}, nil }
		store := open(s)
		t.Cleanup(func() { store.Close() })
		put := func() error { return store.Put(t.Context(), "key", []byte("blob"), time.Now().Add(time.Hour)) }
		if gone {
			lead("127.0.0.2") // nobody listens there
			if put() == nil {
				t.Fatal("somebody listens at 127.0.0.2")
			}
		} else {
			lead("127.0.0.1")
			if err := put(); err != nil {
				t.Fatal(err)
			}
			s.mu.Lock()
			s.places[s.names[0]].when = time.Now().Add(-again)
			s.mu.Unlock()
			lead("127.0.0.2")
			storetest.Eventually(t, "the name is followed", func() bool { return put() != nil })
		}
		lead("127.0.0.1")
		storetest.Eventually(t, "the server is found", func() bool { return put() == nil })
	}
}
