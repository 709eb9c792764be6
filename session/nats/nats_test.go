package nats

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
)

// child has the test be the server.
const child = "VITRINE_NATS_SERVER"

func TestMain(m *testing.M) {
	if port := os.Getenv(child); port != "" {
		n, _ := strconv.Atoi(port)
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: n, JetStream: true, StoreDir: os.Getenv(child + "_FOLDER"), NoSigs: true})
		if err != nil {
			os.Exit(1)
		}
		s.Start()
		s.WaitForShutdown()
		return
	}
	leak.Main(m)
}

func start(t *testing.T) *storetest.Server {
	folder := t.TempDir()
	return storetest.Start(t, func(port string) *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), child+"="+port, child+"_FOLDER="+folder)
		return c
	})
}

func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, open(t, "nats://"+start(t).Addr+"/sessions"), 256<<10)
}

func TestTroubles(t *testing.T) {
	server := start(t)
	storetest.Troubles(t, open(t, "nats://"+server.Addr), server, []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n", "INFO {}\r\nMSG a 1 99999999999\r\n", "INFO {\r\n", "MSG\r\n", "\r\n",
	})
}

// held is how many messages the bucket has, markers too, and their bytes.
func held(t *testing.T, l *link) (count, bytes uint64) {
	t.Helper()
	status, err := l.kv.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status.Values(), status.Bytes()
}

// What is taken leaves nothing soon after, and a member that has read it before does not take it once more.
func TestMarkersGo(t *testing.T) {
	s := open(t, "nats://"+start(t).Addr+"/sessions")
	const sessions = 200
	for i := range sessions {
		if err := s.Put(t.Context(), fmt.Sprint(i), make([]byte, 230), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	l, err := s.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, late, err := s.read(t.Context(), l, "0")
	if err != nil {
		t.Fatal(err)
	}
	_, before := held(t, l)
	for i := range sessions {
		if _, err := s.Take(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	count, after := held(t, l)
	t.Logf("a session is %d bytes, one that was just taken %d", before/sessions, after/max(1, count))
	storetest.Eventually(t, "markers are gone", func() bool { count, _ := held(t, l); return count == 0 })
	if err := l.purge(t.Context(), "0", jetstream.LastRevision(late)); !changed(err) {
		t.Errorf("taken once more: %v", err)
	}
	if _, err := s.Take(t.Context(), "0"); !errors.Is(err, session.ErrNotFound) {
		t.Errorf("taken once more: %v", err)
	}
	if done, err := s.CompareAndSet(t.Context(), "0", nil, []byte("next"), time.Now().Add(time.Hour)); !done || err != nil {
		t.Errorf("set where a marker was: %v, %v", done, err)
	}
}

// A bucket without a time for markers keeps them, and is a store all the same, also where such a one takes another's place.
func TestABucketThatKeepsMarkers(t *testing.T) {
	addr := start(t).Addr
	first := open(t, "nats://"+addr+"/other")
	l, err := first.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sessions", "other"} {
		if err := l.js.DeleteKeyValue(t.Context(), name); err != nil && !errors.Is(err, jetstream.ErrBucketNotFound) {
			t.Fatal(err)
		}
		if _, err := l.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: name, TTL: keep, Storage: jetstream.MemoryStorage}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range []*Store{open(t, "nats://"+addr+"/sessions"), first} {
		if err := s.Put(t.Context(), "key", []byte("blob"), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if blob, err := s.Take(t.Context(), "key"); err != nil || string(blob) != "blob" {
			t.Errorf("%q, %v", blob, err)
		}
		if _, err := s.Take(t.Context(), "key"); !errors.Is(err, session.ErrNotFound) {
			t.Errorf("taken twice: %v", err)
		}
		if err := s.Delete(t.Context(), "key"); err != nil {
			t.Error(err)
		}
		l, err := s.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if count, _ := held(t, l); count != 1 || l.brief.Load() {
			t.Errorf("%d markers", count)
		}
	}
}

// A look-up is one round trip, and a take two: the server has no command that does both.
func TestRoundTrips(t *testing.T) {
	storetest.Rounds(t, start(t), func(address string) session.Store { return open(t, "nats://"+address) }, 1, 1, 2)
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"", "nats://", "redis://h", "nats://h/a/b", "nats://h/a.b", "nats://h?x=1"} {
		if s, err := Open(url); err == nil {
			s.Close()
			t.Errorf("%q is taken", url)
		}
	}
}
