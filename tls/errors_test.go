package tls

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "write testdata/errors.txt anew")

// failing is a way in which a connection fails, and the types that each side's
// error must have, beside HandshakeError.
type failing struct {
	name   string
	set    func(client, server *Config)
	client []any
	server []any
}

// then is the moment at which all of these connections are made.
var then = time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)

// failures need certificates whose dates stand in the messages.
func failures() []failing {
	good := func(t *x509.Certificate) *x509.Certificate {
		t.NotBefore, t.NotAfter = then.AddDate(0, -1, 0), then.AddDate(0, 1, 0)
		return t
	}
	p := datedCA(good)
	cert := func(kind string, t *x509.Certificate) []Certificate { return []Certificate{p.certificate(kind, t)} }
	other := datedCA(good)
	self := selfSigned(good(&x509.Certificate{DNSNames: []string{"example.test"}}))
	refused := []any{new(AlertError)}
	unverified := []any{new(*CertificateVerificationError), new(*certcheck.Error)}
	with := func(list []any, more ...any) []any { return append(append([]any(nil), list...), more...) }
	base := func(f func(client, server *Config)) func(client, server *Config) {
		return func(client, server *Config) {
			client.RootCAs, server.Certificates = p.roots, cert("ecdsa-p256", good(&x509.Certificate{}))
			f(client, server)
		}
	}
	list := []failing{
		{"server: unknown authority", func(c, s *Config) { c.RootCAs = other.roots }, with(unverified, new(x509.UnknownAuthorityError)), refused},
		{"server: self-signed", func(_, s *Config) { s.Certificates = []Certificate{self} }, with(unverified, new(x509.UnknownAuthorityError)), refused},
		{"server: wrong name", func(c, _ *Config) { c.ServerName = "other.test" }, with(unverified, new(x509.HostnameError)), refused},
		{"server: expired", func(_, s *Config) {
			s.Certificates = cert("ecdsa-p256", &x509.Certificate{NotBefore: then.AddDate(-1, 0, 0), NotAfter: then.AddDate(0, 0, -3)})
		}, with(unverified, new(x509.CertificateInvalidError)), refused},
		{"server: not yet valid", func(_, s *Config) {
			s.Certificates = cert("ecdsa-p256", &x509.Certificate{NotBefore: then.AddDate(0, 0, 2), NotAfter: then.AddDate(1, 0, 0)})
		}, with(unverified, new(x509.CertificateInvalidError)), refused},
		{"server: another key", func(_, s *Config) { s.Certificates[0].PrivateKey = newKey("ecdsa-p256") }, nil, refused},
		{"server: refused by VerifyPeerCertificate", func(c, _ *Config) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errMine }
		}, []any{new(mineError)}, refused},
		{"server: refused by VerifyConnection", func(c, _ *Config) { c.VerifyConnection = func(ConnectionState) error { return errMine } }, []any{new(mineError)}, refused},
		{"server: GetCertificate fails", func(_, s *Config) {
			s.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { return nil, errMine }
		}, refused, []any{new(mineError)}},

		{"client: no certificate", func(_, s *Config) { s.ClientAuth = RequireAnyClientCert }, refused, nil},
		{"client: unknown authority", func(c, s *Config) {
			s.ClientAuth, s.ClientCAs = RequireAndVerifyClientCert, p.roots
			wrong := other.certificate("ecdsa-p256", good(&x509.Certificate{}))
			c.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &wrong, nil }
		}, refused, with(unverified, new(x509.UnknownAuthorityError))},
		{"client: expired", func(c, s *Config) {
			s.ClientAuth, s.ClientCAs = RequireAndVerifyClientCert, p.roots
			c.Certificates = cert("ecdsa-p256", &x509.Certificate{NotBefore: then.AddDate(-1, 0, 0), NotAfter: then.Add(-time.Hour)})
		}, refused, with(unverified, new(x509.CertificateInvalidError))},

		{"no version", func(c, s *Config) { c.MaxVersion, s.MinVersion = VersionTLS12, VersionTLS13 }, refused, nil},
		{"no version, the other way", func(c, s *Config) { c.MinVersion, s.MaxVersion = VersionTLS13, VersionTLS12 }, refused, nil},
		{"no suite", func(c, s *Config) {
			c.CipherSuites, s.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256}, []uint16{TLS_CHACHA20_POLY1305_SHA256}
			at(VersionTLS13, c, s)
		}, refused, nil},
		{"no suite in TLS 1.2", func(c, s *Config) {
			c.CipherSuites, s.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, []uint16{TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256}
			at(VersionTLS12, c, s)
		}, refused, nil},
		{"no suite for the key", func(c, s *Config) {
			c.CipherSuites = []uint16{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
			at(VersionTLS12, c, s)
		}, refused, nil},
		{"no group", func(c, s *Config) { c.CurvePreferences, s.CurvePreferences = []CurveID{X25519}, []CurveID{CurveP256} }, refused, nil},
		{"no group in TLS 1.2", func(c, s *Config) {
			c.CurvePreferences, s.CurvePreferences = []CurveID{X25519}, []CurveID{CurveP256}
			at(VersionTLS12, c, s)
		}, refused, nil},
		{"no protocol", func(c, s *Config) { c.NextProtos, s.NextProtos = []string{"h2"}, []string{"http/1.1", "ftp"} }, refused, nil},
		{"fallback", func(c, _ *Config) { c.MaxVersion, c.Legacy.FallbackSCSV = VersionTLS12, true }, refused, nil},
	}
	for i := range list {
		list[i].set = base(list[i].set)
	}
	return list
}

type mineError struct{}

func (mineError) Error() string { return "not on a Sunday" }

var errMine error = mineError{}

// datedCA is an authority whose own certificate is in its time at then.
func datedCA(good func(*x509.Certificate) *x509.Certificate) *pki {
	p := &pki{roots: x509.NewCertPool(), key: newKey("ecdsa-p256")}
	t := &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	t.Subject.CommonName = "Dated CA"
	p.ca = p.issue(good(t), p.key)
	p.roots.AddCert(p.ca)
	return p
}

func selfSigned(t *x509.Certificate) Certificate {
	p := &pki{key: newKey("ecdsa-p256")}
	t.Subject.CommonName, t.KeyUsage = "Self", x509.KeyUsageDigitalSignature
	cert := p.issue(t, p.key)
	return Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: p.key}
}

// What both sides say about each failure, in testdata/errors.txt: a change of
// the words shows in a diff. go test -run TestErrors -update writes it.
func TestErrors(t *testing.T) {
	var b strings.Builder
	for _, f := range failures() {
		client, server := testPKI().client(), new(Config)
		client.Time = func() time.Time { return then }
		server.Time = client.Time
		f.set(client, server)
		c, _, clientErr, serverErr := connectInMemory(client, server)
		if clientErr == nil { // in TLS 1.3 the client learns of it when it reads
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			_, clientErr = c.Read(make([]byte, 1))
		}
		entry(t, &b, f.name, "client", clientErr, f.client)
		entry(t, &b, f.name, "server", serverErr, f.server)
	}
	for _, f := range slices.Concat(foreign(), misused(), disagreeing(), later()) {
		clientErr, serverErr := f.run()
		entry(t, &b, f.name, "client", clientErr, f.client)
		entry(t, &b, f.name, "server", serverErr, f.server)
	}
	for _, code := range []wire.AlertCode{40, 42, 43, 44, 45, 46, 48, 49, 70, 71, 80, 112, 116, 120} {
		a, peer := memoryPipe()
		go func() {
			io.ReadFull(peer, make([]byte, 5))
			peer.Write(recordOf(wire.ContentAlert, []byte{2, byte(code)}))
		}()
		err := Client(a, testPKI().client()).Handshake()
		var fault *HandshakeError
		if errors.As(err, &fault); fault == nil || fault.Hint == "" || !fault.Received {
			t.Errorf("%v: %v has no hint", code, err)
		}
		entry(t, &b, "alert "+code.String(), "client", err, []any{new(AlertError)})
	}
	const file = "testdata/errors.txt"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, old := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(old)) {
		if i >= len(got) || i >= len(old) || got[i] != old[i] {
			t.Fatalf("%s differs from line %d on; if that is meant, run with -update. Now:\n%s", file, i+1, b.String())
		}
	}
}

// entry checks one side's error and adds it to the list.
func entry(t *testing.T, b *strings.Builder, name, side string, err error, types []any) {
	t.Helper()
	if err == nil {
		if types != nil {
			t.Errorf("%s: the %s has no error", name, side)
		}
		return
	}
	for _, typ := range types {
		if !errors.As(err, typ) {
			t.Errorf("%s: the %s's error is no %T: %v", name, side, typ, err)
		}
	}
	var fault *HandshakeError
	var header tls.RecordHeaderError
	if !errors.As(err, &fault) && !errors.As(err, &header) {
		t.Errorf("%s: the %s's error is a %T", name, side, err)
	}
	text := err.Error()
	if bare := strings.TrimPrefix(strings.TrimPrefix(text, "remote error: "), "local error: "); !strings.HasPrefix(bare, "tls: ") || strings.Contains(text, "%!") || strings.ContainsAny(text, "\n\r\x00{}&") || len(text) > 900 || len(text) < 30 {
		t.Errorf("%s: not for people: %q", name, text)
	}
	fmt.Fprintf(b, "%s, %s:\n\t%s\n", name, side, text)
}
