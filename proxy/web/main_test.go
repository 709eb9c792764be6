package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) { leak.Main(m) }

// pki is an authority, one below it, and what that has certified.
var pki = sync.OnceValue(func() (p struct {
	roots *x509.CertPool
	pair  tls.Certificate
}) {
	var parent *x509.Certificate
	var parentKey *ecdsa.PrivateKey
	for i, name := range []string{"root", "middle", "leaf"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, IsCA: i < 2, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		if i == 2 {
			template.DNSNames = []string{"a.test", "b.test", "c.test"}
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		}
		if parent == nil {
			parent, parentKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
		if err != nil {
			panic(err)
		}
		made, _ := x509.ParseCertificate(der)
		if i == 0 {
			p.roots = x509.NewCertPool()
			p.roots.AddCert(made)
		} else {
			p.pair.Certificate = append([][]byte{der}, p.pair.Certificate...)
		}
		parent, parentKey, p.pair.PrivateKey = made, key, key
	}
	return p
})

// stand is a proxy in front of services.
type stand struct {
	t      *testing.T
	addr   string
	client *http.Client
	route  *Route

	mu     sync.Mutex
	failed []error
}

// newStand puts a proxy in front of services, all of one target. Names a.test and b.test have
// the same rules, c.test has others.
func newStand(t *testing.T, cfg *config.HTTP, services ...http.HandlerFunc) *stand {
	t.Helper()
	s := &stand{t: t}
	var places []Place
	for _, service := range services {
		srv := httptest.NewServer(service)
		t.Cleanup(srv.Close)
		places = append(places, placeAt(t, srv.Listener.Addr().String()))
	}
	s.route = &Route{Rules: "all", Places: func() []Place { return places }}
	strict := &Route{Rules: "strict", Places: s.route.Places}
	h, err := New(Options{
		HTTP: cfg, IdleTimeout: 5 * time.Second,
		Route: func(_ *http.Request, name string) *Route {
			switch name {
			case "a.test", "b.test", "127.0.0.1":
				return s.route
			case "c.test":
				return strict
			}
			return nil
		},
		Failed: func(_ *http.Request, _ string, _ int, err error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.failed = append(s.failed, err)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptls.Server{HTTP: Server(h), TLS: &tls.Config{
		Certificates: []tls.Certificate{pki().pair}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pki().roots,
	}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(l)
	}()
	t.Cleanup(func() {
		server.Close()
		<-done
	})
	s.addr = l.Addr().String()
	s.client = &http.Client{Transport: s.transport(&tls.Config{RootCAs: pki().roots})}
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// transport reaches the proxy whatever the URL says.
func (s *stand) transport(c *tls.Config) *httptls.Transport {
	return &httptls.Transport{TLS: c, HTTP: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	}}}
}

func placeAt(t *testing.T, addr string) Place {
	transport := Transport(func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", addr)
	}, nil)
	t.Cleanup(transport.(*http.Transport).CloseIdleConnections)
	return Place{URL: &url.URL{Scheme: "http", Host: addr}, Transport: transport}
}

// dial is a connection to speak HTTP/1.1 on by hand.
func (s *stand) dial(name string) *tls.Conn {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.addr, &tls.Config{RootCAs: pki().roots, ServerName: name, NextProtos: []string{"http/1.1"}})
	if err != nil {
		s.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// do sends a request.
func (s *stand) do(r *http.Request) *http.Response {
	s.t.Helper()
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func (s *stand) request(method, url string) *http.Request {
	r, err := http.NewRequestWithContext(s.t.Context(), method, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}
