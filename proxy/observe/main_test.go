package observe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) { leak.Main(m) }

// observer is an Observer that ends with the test.
func observer(t testing.TB, admin config.Admin, log config.Log, traces config.Traces, w io.Writer) *Observer {
	t.Helper()
	o, err := New(admin, log, traces, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return o
}

// text is a log that is read while it is written.
type text struct {
	mu sync.Mutex
	b  []byte
}

func (l *text) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	return len(p), nil
}

func (l *text) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}

// authority signs one certificate, once for all tests.
var pair = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "private.example"}, DNSNames: []string{"private.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// shake makes a connection with a server of this Config, tells the hooks of its handshake as
// a proxy does, and ends it. client is nil for one that speaks no TLS.
func shake(t testing.TB, hooks event.Hooks, server, client *tls.Config) event.Handshake {
	t.Helper()
	near, far := net.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer far.Close()
		if client == nil {
			far.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
			return
		}
		c := tls.Client(far, client)
		if c.Handshake() == nil {
			io.Copy(io.Discard, c)
		}
	}()
	conn := tls.Server(near, server)
	began := time.Now()
	h := event.Handshake{Conn: conn, Err: conn.Handshake(), Took: time.Since(began)}
	c := &event.Connection{ID: 1, Listener: ":443", Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 5000}, At: began}
	if h.Err == nil {
		state := conn.ConnectionState()
		h.State, c.ServerName, c.ALPN = &state, state.ServerName, state.NegotiatedProtocol
	}
	hooks.Accepted(c)
	hooks.Handshaken(c, h)
	hooks.Closed(c, event.Result{Took: time.Since(began), Received: 3, Sent: 5, Err: h.Err})
	if h.Err == nil {
		conn.Write([]byte("hello")) // what a client reads brings its tickets
	}
	near.Close()
	<-ended
	return h
}

func serverConfig() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{pair()}} }

func clientConfig() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: "private.example"}
}

// failedOn is what a proxy tells of a handshake that failed.
func failedOn(conn *tls.Conn, err error) (*event.Connection, event.Handshake) {
	return &event.Connection{Peer: &net.TCPAddr{}}, event.Handshake{Conn: conn, Err: err}
}
