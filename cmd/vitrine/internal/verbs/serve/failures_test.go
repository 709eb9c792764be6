package serve

import (
	"crypto/elliptic"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/witness"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile/folder"
	"github.com/vitrine-tls/vitrine/wire"
)

// failed is a handshake of this peer that failed after a message of size bytes.
func failed(peer string, size int) failure {
	c := new(explain.Collector)
	c.Hooks().Message(trace.Message{Dir: trace.Received, Raw: make([]byte, size)})
	return failure{collector: c, at: time.Now(), peer: peer}
}

func filesIn(t *testing.T, dir string) (names []string, size int64) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		names, size = append(names, e.Name()), size+info.Size()
	}
	return names, size
}

// An empty connection leaves nothing, and any other an account.
func TestAnEmptyConnectionLeavesNothing(t *testing.T) {
	in, err := folder.Open(t.TempDir(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if name, err := add(in, failed("192.0.2.7:50", 1)); name == "" || err != nil {
		t.Errorf("of a message: %q, %v", name, err)
	}
	if name, err := add(in, failure{collector: new(explain.Collector), peer: "192.0.2.7:51"}); name != "" || err != nil {
		t.Errorf("of nothing: %q, %v", name, err)
	}
}

// A disk that is slow or broken holds nothing up: what finds no room is counted.
func TestFailuresWaitForNothing(t *testing.T) {
	f := &failures{waiting: witness.NewQueue(func(failure) {})}
	<-f.waiting.Stop() // nothing is written from now on
	for range witness.Waiting - 1 {
		f.waiting.Put(failure{})
	}
	hooks := f.hooks()
	for range 3 {
		near, far := net.Pipe()
		far.Close()
		conn := tls.Server(near, &tls.Config{Trace: hooks, Certificates: []tls.Certificate{{}}})
		err := conn.Handshake()
		if err == nil {
			t.Fatal("the handshake did not fail")
		}
		f.ended(httptls.Handshake{Conn: conn, Err: err})
	}
	if f.lost.Load() != 2 {
		t.Errorf("%d are lost", f.lost.Load())
	}
	f.running.Range(func(any, any) bool { t.Error("a collector stays"); return false })
}

// connected is the server's side of a connection whose handshake is done.
func connected(t *testing.T, config *tls.Config) *tls.Conn {
	t.Helper()
	key := onCurve(t, elliptic.P256())
	config.Certificates = []tls.Certificate{selfSigned(t, key, func(c *x509.Certificate) { c.DNSNames = []string{"x"} })}
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	ended := make(chan error, 1)
	go func() {
		client := tls.Client(far, &tls.Config{InsecureSkipVerify: true})
		_, err := client.Read(make([]byte, 1))
		ended <- err
	}()
	server := tls.Server(near, config)
	if err := server.Handshake(); err != nil {
		t.Fatal(err, <-ended)
	}
	t.Cleanup(func() { near.Close(); <-ended })
	return server
}

// A good handshake leaves nothing, and costs nothing from then on.
func TestGoodHandshakesAreNotKept(t *testing.T) {
	dir := t.TempDir()
	in, err := folder.Open(dir, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan *trace.Hooks, 1)
	srv := &httptls.Server{HTTP: &http.Server{}, TLS: &tls.Config{}, OnHandshake: func(h httptls.Handshake) { seen <- h.Conn.Hooks() }}
	stop := keepFailures(in, slog.New(slog.NewTextHandler(io.Discard, nil)), srv)
	server := connected(t, srv.TLS)
	srv.OnHandshake(httptls.Handshake{Conn: server})
	if h := <-seen; h == nil || h.Record != nil || h.Message != nil {
		t.Errorf("the hooks stay: %+v", h)
	}
	stop()
	if names, _ := filesIn(t, dir); len(names) != 0 {
		t.Errorf("%q", names)
	}
}

// What a client says as data is not in an account.
func TestApplicationDataIsNotKept(t *testing.T) {
	f := &failures{}
	hooks := f.hooks().Connection()
	hooks.Record(trace.Record{Dir: trace.Received, Type: wire.ContentApplicationData, Wire: []byte{23, 3, 3, 0, 1, 9}, Plain: []byte("early and private")})
	found, _ := f.running.Load(hooks)
	account := found.(*explain.Collector).Connection(explain.About{})
	if r := account.Events[0].Record; len(r.Plain) != 0 || len(r.Wire) == 0 {
		t.Errorf("%+v", r)
	}
}
