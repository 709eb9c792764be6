package diff

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// maker makes connections with one certificate.
type maker struct {
	ca   *devca.CA
	cert tls.Certificate
}

func newMaker(t *testing.T) *maker {
	t.Helper()
	ca, err := devca.New("localhost")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	return &maker{ca, cert}
}

// make makes a connection; change is for its configuration. What fails is in the account.
func (m *maker) make(t *testing.T, change func(client, server *tls.Config)) *explain.Connection {
	t.Helper()
	collector := new(explain.Collector)
	client := &tls.Config{ServerName: "localhost", RootCAs: m.ca.Pool(), Trace: collector.Hooks()}
	server := &tls.Config{Certificates: []tls.Certificate{m.cert}}
	if change != nil {
		change(client, server)
	}
	near, far := net.Pipe()
	defer near.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer far.Close()
		conn := tls.Server(far, server)
		if conn.Handshake() == nil {
			io.ReadAll(conn)
			conn.CloseWrite()
		}
	}()
	conn := tls.Client(near, client)
	about := explain.About{Target: "localhost:443", Trust: "verified"}
	if about.Err = conn.Handshake(); about.Err == nil {
		_, err := io.WriteString(conn, "hello")
		if err := errors.Join(err, conn.CloseWrite()); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, conn)
	}
	near.Close()
	<-ended
	return collector.Connection(about)
}

// Connections that differ in what is new in each, and in times, are the same.
func TestSame(t *testing.T) {
	m := newMaker(t)
	for name, change := range map[string]func(client, server *tls.Config){
		"1.3": nil,
		"1.2": func(client, _ *tls.Config) { client.MaxVersion = tls.VersionTLS12 },
		"DHE": func(client, server *tls.Config) {
			client.MaxVersion = tls.VersionTLS12
			client.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}
			server.CipherSuites = client.CipherSuites
		},
		"failed": func(client, server *tls.Config) {
			client.MaxVersion, server.MinVersion = tls.VersionTLS12, tls.VersionTLS13
		},
	} {
		d := Of(m.make(t, change), m.make(t, change))
		if !d.Equal() || len(d.Entries) != 0 {
			t.Errorf("%s: %+v", name, d.Entries)
		}
		var out bytes.Buffer
		if err := d.Text(&out, 80); err != nil || !strings.Contains(out.String(), "Nothing differs but times") || !strings.Contains(out.String(), "handshake") {
			t.Errorf("%s: %v\n%s", name, err, out.String())
		}
	}
}

// Each kind of difference is found, and nothing else is called one.
func TestDifferences(t *testing.T) {
	m := newMaker(t)
	base := m.make(t, nil)
	for _, c := range []struct {
		name   string
		change func(client, server *tls.Config)
		want   []Entry // of which A and B need not be given
	}{
		{"a suite less", func(client, _ *tls.Config) {
			client.CipherSuites = []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		}, []Entry{{Where: "ClientHello", What: "cipher_suite", List: true, OnlyA: []string{"TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
			"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"}}}},
		{"another order of groups", func(client, _ *tls.Config) {
			client.CurvePreferences = []tls.CurveID{tls.CurveP256, tls.X25519}
		}, []Entry{{Where: "outcome", What: "group"}, {Where: "ClientHello", What: "supported_groups: group", List: true, Order: true}, {Where: "ServerHello", What: "key_share: group", List: true}}},
		{"ALPN", func(client, server *tls.Config) {
			client.NextProtos, server.NextProtos = []string{"h2"}, []string{"h2"}
		},
			[]Entry{{Where: "outcome", What: "ALPN"}, {Where: "ClientHello", What: "extensions", List: true, OnlyB: []string{"application_layer_protocol_negotiation"}},
				{Where: "ClientHello", What: "application_layer_protocol_negotiation: protocol_name", List: true}, {Where: "EncryptedExtensions", What: "extensions", List: true}, {Where: "choices", What: "ALPN"}}},
		{"the version", func(client, _ *tls.Config) { client.MaxVersion = tls.VersionTLS12 },
			[]Entry{{Where: "outcome", What: "version"}, {Where: "outcome", What: "round trips"}, {Where: "ClientHello", What: "supported_versions: version", List: true, OnlyA: []string{"TLS 1.3", "TLS 1.2"}},
				{Where: "messages", What: "of the server", List: true}}},
		{"a certificate", func(client, server *tls.Config) {
			cert, err := m.ca.Issue(devca.Leaf{Names: []string{"localhost", "box.localhost"}})
			if err != nil {
				t.Fatal(err)
			}
			server.Certificates = []tls.Certificate{cert}
		}, []Entry{{Where: "Certificate of the server, certificate 1", What: "names"}, {Where: "Certificate of the server, certificate 1", What: "SHA-256"}}},
		{"a failure", func(client, server *tls.Config) { client.RootCAs = devcaPool(t) },
			[]Entry{{Where: "outcome", What: "failure"}, {Where: "outcome", What: "complete"}, {Where: "messages", What: "alerts of the client", List: true}}},
	} {
		d := Of(base, m.make(t, c.change))
		if d.Equal() || len(d.Entries) == 0 {
			t.Errorf("%s: nothing differs", c.name)
		}
		for _, want := range c.want {
			i := slices.IndexFunc(d.Entries, func(e Entry) bool { return e.Where == want.Where && e.What == want.What })
			if i < 0 {
				t.Errorf("%s: no %s of %s in %+v", c.name, want.What, want.Where, d.Entries)
				continue
			}
			got := d.Entries[i]
			if got.List != want.List || want.OnlyA != nil && !slices.Equal(got.OnlyA, want.OnlyA) || want.OnlyB != nil && !slices.Equal(got.OnlyB, want.OnlyB) || want.Order && !got.Order {
				t.Errorf("%s: %+v, want %+v", c.name, got, want)
			}
		}
		if wheres := slices.CompactFunc(slices.Clone(d.Entries), func(x, y Entry) bool { return x.Where == y.Where }); len(wheres) != distinct(d.Entries) {
			t.Errorf("%s: what belongs together does not stand together: %+v", c.name, d.Entries)
		}
		if back := Of(m.make(t, c.change), base); len(back.Entries) != len(d.Entries) {
			t.Errorf("%s: %d entries, and %d the other way round", c.name, len(d.Entries), len(back.Entries))
		}
		var out bytes.Buffer
		if err := d.Text(&out, 80); err != nil || !strings.Contains(out.String(), "\noutcome\n") && !strings.Contains(out.String(), d.Entries[0].Where) {
			t.Errorf("%s: %v\n%s", c.name, err, out.String())
		}
	}
}

func distinct(all []Entry) int {
	seen := map[string]bool{}
	for _, e := range all {
		seen[e.Where] = true
	}
	return len(seen)
}

func devcaPool(t *testing.T) *x509.CertPool {
	t.Helper()
	other, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return other.Pool()
}

// An account needs no more than its JSON, and each kind of connection is the same as itself
// and another than each other one.
func TestFromJSON(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	var all []*explain.Connection
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c := new(explain.Connection)
		if err := json.Unmarshal(b, c); err != nil {
			t.Fatal(name, err)
		}
		all = append(all, c)
	}
	for i, a := range all {
		for j, b := range all {
			d := Of(a, b)
			if d.Equal() != (i == j) {
				t.Errorf("%s and %s: same %v", files[i], files[j], d.Same)
			}
			out, err := json.Marshal(d)
			if err != nil || !json.Valid(out) || bytes.Contains(out, []byte(`"a":null`)) {
				t.Errorf("%v: %s", err, out)
			}
		}
	}
}

// GREASE is compared by its places alone.
func TestGREASE(t *testing.T) {
	hello := func(values ...string) *explain.Connection {
		m := &explain.Message{Name: "ClientHello", From: "client", Fields: []explain.Field{
			{Name: "ClientHello", Group: true}, {Name: "cipher_suites", Group: true, Depth: 1},
		}}
		for _, v := range values {
			m.Fields = append(m.Fields, explain.Field{Name: "cipher_suite", Depth: 2, Value: v})
		}
		return &explain.Connection{Events: []explain.Event{{Message: m}}}
	}
	if d := Of(hello("GREASE (0x0a0a)", "X"), hello("GREASE (0x1a1a)", "X")); !d.Equal() {
		t.Errorf("%+v", d.Entries)
	}
	if d := Of(hello("GREASE (0x0a0a)", "X"), hello("X", "GREASE (0x0a0a)")); d.Equal() || !d.Entries[0].Order {
		t.Errorf("%+v", d.Entries)
	}
}

// What a peer sends cannot command a terminal, and an error of the writer is passed on.
func TestText(t *testing.T) {
	d := Of(&explain.Connection{Side: "client", Failure: "\x1b[31m" + strings.Repeat("long ", 40)}, &explain.Connection{Side: "server"})
	var out bytes.Buffer
	if err := d.Text(&out, 80); err != nil || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%v, %q", err, out.String())
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if len(line) > 80 || strings.HasSuffix(line, " ") {
			t.Errorf("%q", line)
		}
	}
	full := errors.New("full")
	if err := d.Text(failing{full}, 80); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
