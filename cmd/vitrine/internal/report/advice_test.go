package report

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// issuer is an authority of a test.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate for name, signed by itself where by is nil.
func issue(t *testing.T, by *issuer, name string, ca bool, from time.Time) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: from, NotAfter: from.Add(48 * time.Hour), IsCA: ca, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	if by == nil {
		by = &issuer{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{cert, key}
}

// fails shakes hands over a loopback connection, and returns each side's error.
func fails(t *testing.T, client, server *tls.Config) (atClient, atServer error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		raw, err := l.Accept()
		if err != nil {
			done <- err
			return
		}
		defer raw.Close()
		raw.SetDeadline(time.Now().Add(10 * time.Second))
		conn := tls.Server(raw, server)
		err = conn.Handshake()
		io.Copy(io.Discard, raw)
		done <- err
	}()
	raw, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(10 * time.Second))
	conn := tls.Client(raw, client)
	if err = conn.Handshake(); err == nil { // in TLS 1.3 the client learns of it when it reads
		_, err = conn.Read(make([]byte, 1))
	}
	raw.Close()
	return err, <-done
}

// Each fault has one cause and one remedy, on the side that finds it and on the one
// that is told.
func TestAdviceNamesTheTrueCause(t *testing.T) {
	now := time.Now().Add(-time.Hour)
	root := issue(t, nil, "root", true, now)
	middle := issue(t, root, "middle", true, now)
	leaf, below := issue(t, root, "a.test", false, now), issue(t, middle, "a.test", false, now)
	early := issue(t, root, "a.test", false, now.Add(24*time.Hour))
	trust := x509.NewCertPool()
	trust.AddCert(root.cert)
	own := func(i *issuer) []tls.Certificate {
		return []tls.Certificate{{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}}
	}
	rsaOnly := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for name, c := range map[string]struct {
		change         func(client, server *tls.Config)
		client, server string // what each side is told, text and advice
		never          string
	}{
		"a missing intermediate": {func(_, s *tls.Config) { s.Certificates = own(below) },
			"the peer must send its certificate too (fullchain.pem has it; 1 came in all); if it is a root that you trust, give its certificate with --ca FILE", "must trust that authority", ""},
		"an unknown client": {func(c, s *tls.Config) {
			s.ClientAuth, s.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			c.Certificates = own(leaf)
		}, "does not know the authority that signed our certificate", "with --client-ca FILE", "--ca FILE"},
		"no client certificate": {func(_, s *tls.Config) { s.ClientAuth, s.ClientCAs = tls.RequireAndVerifyClientCert, trust },
			"give one that fits with --cert and --key", "give the client a certificate of an authority", "--client-ca"},
		"another name":  {func(c, _ *tls.Config) { c.ServerName = "b.test" }, "ask with --sni for a name that the certificate has", "one of the certificate's names", ""},
		"not yet valid": {func(_, s *tls.Config) { s.Certificates = own(early) }, "check this machine's clock", "check the clocks", "renewed"},
		"a key for other suites": {func(c, s *tls.Config) {
			c.MaxVersion, c.CipherSuites, s.CipherSuites = tls.VersionTLS12, rsaOnly, append(rsaOnly, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
		}, "offer more with --suites, --groups and --sigalgs", "fits our certificate, whose key is ECDSA P-256 (RFC 5246 §7.4.2) give a certificate with another kind of key", "add one of its to --suites"},
		"no group in TLS 1.2": {func(c, s *tls.Config) {
			c.MaxVersion, c.CurvePreferences, s.CurvePreferences = tls.VersionTLS12, []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP384}
		}, "--groups", "no group in common (RFC 8422 §5.1.1) have the client offer other groups, or add one of its to --groups", "no cipher suite in common"},
		"no scheme in TLS 1.2": {func(c, _ *tls.Config) {
			c.MaxVersion, c.SignatureSchemes = tls.VersionTLS12, []tls.SignatureScheme{tls.PSSWithSHA256}
		}, "accepts no cipher suite", "no signature scheme in common", "no cipher suite in common"},
		"no version":  {func(c, s *tls.Config) { c.MaxVersion, s.MinVersion = tls.VersionTLS12, tls.VersionTLS13 }, "widen --min and --max", "widen --min and --max", ""},
		"no protocol": {func(c, s *tls.Config) { c.NextProtos, s.NextProtos = []string{"finger"}, []string{"h2"} }, "protocols in --alpn", "have the client ask for ours", "NextProtos"},
		"no suite": {func(c, s *tls.Config) {
			c.MinVersion, c.CipherSuites, s.CipherSuites = tls.VersionTLS13, []uint16{tls.TLS_AES_128_GCM_SHA256}, []uint16{tls.TLS_AES_256_GCM_SHA384}
		}, "--suites", "no cipher suite in common (RFC 8446 §4.1.1) have the client offer other cipher suites, or add one of its to --suites", ""},
	} {
		client := &tls.Config{ServerName: "a.test", RootCAs: trust}
		server := &tls.Config{Certificates: own(leaf)}
		c.change(client, server)
		atClient, atServer := fails(t, client, server)
		for we, got := range map[wire.Role]error{wire.Client: atClient, wire.Server: atServer} {
			f := Describe(got, we, nil)
			all, want := f.Text+" "+f.Advice, pick(we, c.client, c.server)
			if !strings.Contains(all, want) || c.never != "" && strings.Contains(all, c.never) && want != c.never {
				t.Errorf("%s: the %v is told %q, want %q and never %q", name, we, all, want, c.never)
			}
		}
		if h, ok := errors.AsType[*tls.HandshakeError](atServer); ok && h.What != "" {
			for _, both := range h.Ours {
				if slices.Contains(h.Theirs, both) {
					t.Errorf("%s: nothing is in common, and %s is in both lists", name, both)
				}
			}
		}
	}
}

// A hello of TLS 1.2 without signature_algorithms stands for SHA-1, which is what
// is wrong with it, and not its suites.
func TestHelloWithoutSchemes(t *testing.T) {
	leaf := issue(t, nil, "a.test", false, time.Now().Add(-time.Hour))
	hello := &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CompressionMethods: []wire.CompressionMethod{wire.CompressionNull},
		CipherSuites: []wire.CipherSuite{wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, NoExtensions: true}
	body := hello.Append(nil, wire.Context{})
	raw := append([]byte{22, 3, 1, 0, byte(len(body) + 4), 1, 0, 0, byte(len(body))}, body...)
	ours, theirs := net.Pipe()
	defer ours.Close()
	go func() {
		ours.Write(raw)
		io.Copy(io.Discard, ours)
	}()
	err := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}}).Handshake()
	f := Describe(err, wire.Server, nil)
	if !strings.Contains(f.Text, "the client sent no signature_algorithms, which stands for SHA-1") || !strings.Contains(f.Advice, "--legacy sha1-signatures") {
		t.Errorf("%+v", f)
	}
}
