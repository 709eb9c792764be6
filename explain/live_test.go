package explain

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// pair are the configurations of the two ends of a connection, and what the
// server does before it echoes.
type pair struct {
	client, server *tls.Config
	serve          func(*tls.Conn) error
	shake          func(*tls.Conn) error // the client's handshake; nil for an ordinary one
}

// authority has issued the certificates of all tests.
var authority = sync.OnceValues(func() (*devca.CA, error) { return devca.New() })

var issued = map[devca.KeyType]func() (tls.Certificate, error){}

var everyVersion = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

func init() {
	for _, key := range []devca.KeyType{devca.ECDSA, devca.RSA, devca.DSA} {
		issued[key] = sync.OnceValues(func() (tls.Certificate, error) {
			ca, err := authority()
			if err != nil {
				return tls.Certificate{}, err
			}
			return ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: key})
		})
	}
}

func newPair(t *testing.T) *pair { return newPairWith(t, devca.ECDSA) }

// newPairWith has a server with that kind of key.
func newPairWith(t *testing.T, key devca.KeyType) *pair {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := issued[key]()
	if err != nil {
		t.Fatal(err)
	}
	return &pair{
		client: &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		server: &tls.Config{Certificates: []tls.Certificate{cert}},
	}
}

// connect makes a connection over TCP: the client says something, the server
// answers, both close. before runs at the client before it speaks.
func (p *pair) connect(t *testing.T, before func(*tls.Conn) error) (client, server *Collector) {
	t.Helper()
	client, server = new(Collector), new(Collector)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		config := p.server.Clone()
		config.Trace = server.Hooks()
		config.SetSessionTicketKeys([][32]byte{{1}}) // a clone has keys of its own
		conn := tls.Server(raw, config)
		if p.serve != nil {
			err = p.serve(conn)
		}
		if err == nil {
			_, err = io.Copy(conn, conn)
		}
		conn.Close()
		served <- err
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	config := p.client.Clone()
	config.Trace = client.Hooks()
	conn := tls.Client(raw, config)
	defer conn.Close()
	shake := p.shake
	if shake == nil {
		shake = (*tls.Conn).Handshake
	}
	if err := shake(conn); err != nil {
		t.Fatal(err)
	}
	if before != nil {
		if err := before(conn); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); err != nil || string(got) != "hello" {
		t.Fatalf("the answer is %q, %v", got, err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	return client, server
}

func (c *Connection) mustAgree(t *testing.T) {
	t.Helper()
	if !c.Checks.OK() || len(c.Checks.Remarks()) == 0 || !c.Summary.Complete {
		t.Errorf("seen from the %s: %s: %q", c.Side, c.Checks.Sentence(), c.Checks.Failures)
	}
}

// Whatever the engine does, seen from either side, must be explained whole.
func TestLive(t *testing.T) {
	cases := []struct {
		name   string
		change func(*pair)
		before func(*tls.Conn) error
		want   func(Summary) bool
	}{
		{"1.3", nil, nil, func(s Summary) bool { return s.Version == "TLS 1.3" && s.RoundTrips == 1 && s.Resumed == "" }},
		{"1.2", func(p *pair) { p.client.MaxVersion = tls.VersionTLS12 }, nil,
			func(s Summary) bool { return s.Version == "TLS 1.2" && s.RoundTrips == 2 && s.Group == "x25519" }},
		{"retry", func(p *pair) {
			p.client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
			p.server.CurvePreferences = []tls.CurveID{tls.CurveP384}
			p.server.HelloRetryCookie = true
		}, nil, func(s Summary) bool { return s.HelloRetry && s.RoundTrips == 2 && s.Group == "secp384r1" }},
		{"key update", nil, func(c *tls.Conn) error { return c.KeyUpdate(true) }, func(s Summary) bool { return s.Complete }},
		{"padding", func(p *pair) { p.client.Record.Padding = func(n int) int { return 100 - n%100 } }, nil,
			func(s Summary) bool { return s.Complete }},
		{"ALPN", func(p *pair) { p.client.NextProtos, p.server.NextProtos = []string{"h2"}, []string{"h2"} }, nil,
			func(s Summary) bool { return s.ALPN == "h2" && s.ServerName == "localhost" }},
		{"small records", func(p *pair) { p.client.Record.MaxFragment, p.server.Record.MaxFragment = 64, 64 }, nil,
			func(s Summary) bool { return s.Complete }},
		{"no extended master secret", func(p *pair) {
			p.client.MaxVersion, p.client.Legacy.NoExtendedMasterSecret = tls.VersionTLS12, true
		}, nil, func(s Summary) bool { return s.Complete }},
		{"MAC then encrypt", func(p *pair) {
			p.client.MaxVersion, p.client.Legacy.NoEncryptThenMAC = tls.VersionTLS12, true
			p.client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}
			p.server.CipherSuites = p.client.CipherSuites
		}, nil, func(s Summary) bool { return strings.HasSuffix(s.CipherSuite, "CBC_SHA256") }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			if c.change != nil {
				c.change(p)
			}
			client, server := p.connect(t, c.before)
			for _, side := range []*Collector{client, server} {
				account := side.Connection(About{})
				account.mustAgree(t)
				if s := account.Summary; !c.want(s) || !s.ClosedByClient || !s.ClosedByServer {
					t.Errorf("seen from the %s: %+v", account.Side, s)
				}
				render(t, account, look{})
				side.mustKeep(t)
				if t.Failed() {
					t.Log(render(t, account, look{Summary: true}))
				}
			}
		})
	}
}

// A resumption is checked against the connection before it.
func TestLiveResumption(t *testing.T) {
	for version, kind := range map[uint16]string{tls.VersionTLS12: "ticket", tls.VersionTLS13: "psk"} {
		t.Run(kind, func(t *testing.T) {
			p := newPair(t)
			p.client.MaxVersion = version
			first, _ := p.connect(t, nil)
			previous := first.Connection(About{})
			previous.mustAgree(t)
			second, server := p.connect(t, nil)
			account := second.Connection(About{Previous: previous})
			account.mustAgree(t)
			server.Connection(About{Previous: previous}).mustAgree(t)
			if account.Summary.Resumed != kind || account.Summary.RoundTrips != 1 {
				t.Errorf("%+v", account.Summary)
			}
			name := map[string]string{"ticket": "master_secret", "psk": "psk"}[kind]
			if got := resultOf(account, name); got != Agrees {
				t.Errorf("with the connection before, %s is %q", name, got)
			}
			if got := resultOf(second.Connection(About{}), name); got != Given {
				t.Errorf("without the connection before, %s is %q", name, got)
			}
			stranger, _ := newPair(t).connect(t, nil)
			if got := resultOf(second.Connection(About{Previous: stranger.Connection(About{})}), name); got != Differs {
				t.Errorf("with a connection that has nothing to do with it, %s is %q", name, got)
			}
		})
	}
}

// resultOf is how the first value of that name was judged.
func resultOf(c *Connection, name string) Result {
	for _, e := range c.Events {
		if e.Secret != nil && e.Secret.Name == name {
			return e.Secret.Check.Result
		}
	}
	return ""
}

// A binder that is not the one of the pre-shared key is found out.
func TestBinder(t *testing.T) {
	p := newPair(t)
	first, _ := p.connect(t, nil)
	second, _ := p.connect(t, nil)
	for i, e := range second.events {
		if m, ok := e.what.(trace.Message); ok && m.Raw[0] == byte(wire.TypeClientHello) {
			m.Raw = flip(m.Raw) // the binder is its end
			second.events[i].what = m
		}
		if r, ok := e.what.(trace.Record); ok && bytes.Contains(r.Plain, []byte("localhost")) {
			r.Plain, r.Wire = flip(r.Plain), flip(r.Wire)
			second.events[i].what = r
		}
	}
	c := second.Connection(About{Previous: first.Connection(About{})})
	if !slices.ContainsFunc(c.Checks.Failures, func(f string) bool { return strings.HasPrefix(f, "ClientHello: binder") }) {
		t.Errorf("nobody minds the binder: %q", c.Checks.Failures)
	}
}

// A record that is missing in a trace is missed.
func TestMissingRecord(t *testing.T) {
	tp := readTape(t, "rfc8448-simple.txt")
	c := collect(t, tp, func(e any) any {
		if r, ok := e.(trace.Record); ok && r.Dir == trace.Received && r.Type == wire.ContentApplicationData {
			return nil
		}
		return e
	}).Connection(About{})
	if len(c.Checks.Failures) != 1 || !strings.Contains(c.Checks.Failures[0], "sequence number is 2, and 1 was due") {
		t.Errorf("failures: %q", c.Checks.Failures)
	}
}
