package proxy

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) {
	if own := os.Getenv(childConfig); own != "" {
		os.Exit(child(own))
	}
	leak.Main(m)
}

// childConfig holds the configuration of a process that takes over from the test.
const childConfig = "VITRINE_TEST_PROXY"

// child runs a proxy that takes over, until its standard input ends.
func child(own string) int {
	c, err := config.Parse([]byte(own), "test")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	p, err := New(*c, Options{TakeOver: true})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	if err := p.Run(ctx); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// pki is an authority and what it has certified, as files.
type pki struct {
	folder string
	ca     *x509.Certificate
	key    *ecdsa.PrivateKey
	roots  *x509.CertPool
}

var onePKI = sync.OnceValue(func() *pki {
	folder, err := os.MkdirTemp("", "proxy")
	if err != nil {
		panic(err)
	}
	p := &pki{folder: folder, roots: x509.NewCertPool()}
	p.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, p.key.Public(), p.key)
	if err != nil {
		panic(err)
	}
	p.ca, _ = x509.ParseCertificate(der)
	p.roots.AddCert(p.ca)
	p.write("ca.pem", "CERTIFICATE", der)
	return p
})

func (p *pki) write(name, kind string, der []byte) string {
	path := filepath.Join(p.folder, name)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err == nil {
		err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		panic(err)
	}
	return path
}

// issue writes a certificate for names with its key, and returns the file.
func (p *pki) issue(t testing.TB, names ...string) string {
	t.Helper()
	name := strings.Join(names, "+") + ".pem"
	path := filepath.Join(p.folder, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.ca, key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, _ := x509.MarshalPKCS8PrivateKey(key)
	p.write(name, "CERTIFICATE", der)
	return p.write(name, "PRIVATE KEY", keyDER)
}

func (p *pki) pair(t testing.TB, name string) tls.Certificate {
	t.Helper()
	file := p.issue(t, name)
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// client is a configuration that trusts the authority.
func (p *pki) client(name string) *tls.Config {
	return &tls.Config{RootCAs: p.roots, ServerName: name, MinVersion: tls.VersionTLS12}
}

// serverTLS ends TLS with a certificate for names.
func serverTLS(t testing.TB, names ...string) *config.ServerTLS {
	return &config.ServerTLS{Certificates: []config.Certificate{{Cert: onePKI().issue(t, names...)}}}
}

// at is the configuration of one listener and one target.
func at(l config.Listener, target config.Target) config.Config {
	if l.Listen == nil {
		l.Listen = []string{"127.0.0.1:0"}
	}
	if len(l.Routes) == 0 {
		l.Target = "t"
	}
	return config.Config{Listeners: []config.Listener{l}, Targets: map[string]config.Target{"t": target}}
}

// begin runs a proxy until the test ends, and returns the address of its first listener.
func begin(t testing.TB, c config.Config, hooks ...event.Hooks) (*Proxy, string) {
	t.Helper()
	p, err := New(c, Options{Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, p)
	return p, p.Addrs()[c.Listeners[0].Listen[0]][0].String()
}

// runUntilEnd runs p until the test ends.
func runUntilEnd(t testing.TB, p *Proxy) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Shutdown(over)
		stop()
		if err := <-done; err != nil {
			t.Error("Run:", err)
		}
	})
}

// backend serves each connection with f, and closes it then. It returns its address.
func backend(t testing.TB, own *tls.Config, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, l, own, f)
	return l.Addr().String()
}

func serveOn(t testing.TB, l net.Listener, own *tls.Config, f func(net.Conn)) {
	var running sync.WaitGroup
	t.Cleanup(func() { l.Close(); running.Wait() })
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if own != nil {
				conn = tls.Server(conn, own)
			}
			running.Go(func() {
				defer conn.Close()
				f(conn)
			})
		}
	})
}

// echo sends everything back, and ends when the peer does.
func echo(conn net.Conn) {
	io.Copy(conn, conn)
	closeWrite(conn)
}

// dial connects with TLS, or without where own is nil.
func dial(t testing.TB, address string, own *tls.Config) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second)) // a test that hangs, fails
	if own != nil {
		conn = tls.Client(conn, own)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// roundTrip sends data, ends its direction, and wants all of it back.
func roundTrip(conn net.Conn, data []byte) error {
	sent := make(chan error, 1)
	go func() {
		_, err := conn.Write(data)
		if err == nil {
			err = closeWrite(conn)
		}
		sent <- err
	}()
	got, err := io.ReadAll(conn)
	if writeErr := <-sent; err == nil {
		err = writeErr
	}
	if err == nil && !bytes.Equal(got, data) {
		err = io.ErrShortWrite
	}
	return err
}

func dialAlways(address string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
}

// contextOf is over already where the caller is not patient.
func contextOf(t *testing.T, patient bool) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	if !patient {
		cancel()
	}
	return ctx, cancel
}

func write(t testing.TB, path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
