package scan

import (
	"bytes"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A flawed server says by hand what a server says up to its ServerHelloDone, or of TLS 1.3
// its ServerHello, and goes no further. Its fields are its faults; without any it is sound.
type flawed struct {
	versions []wire.Version // newest first; nil for TLS 1.2
	suites   []wire.CipherSuite
	groups   []wire.NamedGroup // of ECDHE; nil for P-256
	p        string            // the modulus of DHE in hexadecimal; empty for ffdhe2048
	// share is the public key of every connection; nil for a new one each time.
	share []byte
	// deafFallback passes TLS_FALLBACK_SCSV over, unmarked leaves the sentinel out, and
	// frail hangs up at what it does not know.
	deafFallback, unmarked, frail bool
	ssl2                          bool
}

// ffdhe2048 is the modulus of RFC 7919 §A.1.
const ffdhe2048 = "ffffffffffffffffadf85458a2bb4a9aafdc5620273d3cf1d8b9c583ce2d3695a9e13641146433fbcc939dce249b3ef97d2fe363630c75d8f681b202aec4617ad3df1ed5d5fd65612433f51f5f066ed0856365553ded1af3b557135e7f57c935984f0c70e0e68b77e2a689daf3efe8721df158a136ade73530acca4f483a797abc0ab182b324fb61d108a94bb2c8e3fbb96adab760d7f4681d4f42a3de394df4ae56ede76372bb190b07a7c8ee0a6d709e02fce1cdf7e2ecc03404cd28342f619172fe9ce98583ff8e4f1232eef28183c3fe3b1b4c6fad733bb5fcbc2ec22005c58ef1837d1683b2c6f34a26c1b2effa886b423861285c97ffffffffffffffff"

func (f flawed) serve(t testing.TB) Target {
	cert := certificate(t, devca.RSA)
	return serve(t, func(conn net.Conn) { f.talk(conn, cert) })
}

func (f flawed) talk(conn net.Conn, cert tls.Certificate) {
	c := &brokenConn{broken: &broken{}, Conn: conn, cert: cert}
	first := make([]byte, 2)
	if _, err := conn.Read(first[:1]); err != nil {
		return
	}
	if first[0]&0x80 != 0 {
		if f.ssl2 {
			conn.Write(ssl2Hello(cert))
		}
		return
	}
	c.Conn = &unreadConn{conn, first[:1]}
	_, whole, err := c.raw()
	var hello wire.ClientHello
	if err != nil || wire.Decode(&hello, whole[9:], wire.Context{}, nil) != nil {
		return
	}
	if f.frail && slices.Contains(hello.CipherSuites, 0x3a3a) {
		return
	}
	f.answer(c, &hello)
}

// unreadConn gives back what was read to look at it.
type unreadConn struct {
	net.Conn
	first []byte
}

func (c *unreadConn) Read(b []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(b, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// ssl2Hello is a SERVER-HELLO of SSL 2.0.
func ssl2Hello(cert tls.Certificate) []byte {
	der := cert.Certificate[0]
	body := []byte{4, 0, 1, 0, 2, byte(len(der) >> 8), byte(len(der)), 0, 3, 0, 16}
	body = append(append(append(body, der...), 2, 0, 0x80), make([]byte, 16)...)
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...)
}

func (f flawed) answer(c *brokenConn, hello *wire.ClientHello) {
	offered := []wire.Version{hello.LegacyVersion}
	hello.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { offered = wire.ReadSupportedVersions(r, nil) })
	ours := f.versions
	if ours == nil {
		ours = []wire.Version{wire.TLS12}
	}
	i := slices.IndexFunc(ours, func(v wire.Version) bool { return slices.Contains(offered, v) })
	switch {
	case i < 0:
		c.alert(wire.AlertProtocolVersion)
		return
	case i > 0 && slices.Contains(hello.CipherSuites, wire.TLS_FALLBACK_SCSV) && !f.deafFallback:
		c.alert(wire.AlertInappropriateFallback)
		return
	}
	v := ours[i]
	s := slices.IndexFunc(f.suites, func(s wire.CipherSuite) bool {
		return strings.HasPrefix(SuiteName(s), "TLS_AES_") == (v == wire.TLS13) && slices.Contains(hello.CipherSuites, s)
	})
	if s < 0 {
		c.alert(wire.AlertHandshakeFailure)
		return
	}
	random := chance(32)
	if v < wire.TLS13 && slices.Contains(ours, wire.TLS13) && !f.unmarked {
		copy(random[24:], sentinel12)
	}
	if v == wire.TLS13 {
		f.greet13(c, hello, random, f.suites[s])
		return
	}
	f.greet12(c, hello, random, f.suites[s], v)
	c.Read(make([]byte, 1))
}

// greet13 answers with a key share of X25519, or asks for one.
func (f flawed) greet13(c *brokenConn, hello *wire.ClientHello, random []byte, s wire.CipherSuite) {
	m := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: random, SessionID: hello.SessionID, CipherSuite: s}
	m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtSupportedVersions, Data: []byte{3, 4}})
	var shares []wire.KeyShareEntry
	hello.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { shares = wire.ReadKeyShares(r, nil) })
	var groups []wire.NamedGroup
	hello.Extensions.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { groups = wire.ReadSupportedGroups(r, nil) })
	x25519 := func(e wire.KeyShareEntry) bool { return e.Group == wire.GroupX25519 }
	switch {
	case slices.ContainsFunc(shares, x25519):
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtKeyShare, Data: append([]byte{0, 29, 0, 32}, f.key(32)...)})
	case slices.Contains(groups, wire.GroupX25519):
		m.Random = wire.HelloRetryRandom[:]
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtKeyShare, Data: []byte{0, 29}})
	default:
		c.alert(wire.AlertHandshakeFailure)
		return
	}
	f.say(c, m, wire.Context{Version: wire.TLS12})
}

// greet12 says all up to the ServerHelloDone.
func (f flawed) greet12(c *brokenConn, hello *wire.ClientHello, random []byte, s wire.CipherSuite, v wire.Version) {
	m := &wire.ServerHello{LegacyVersion: v, Random: random, CipherSuite: s}
	for t, body := range map[wire.ExtensionType][]byte{wire.ExtRenegotiationInfo: {0}, wire.ExtExtendedMasterSecret: nil} {
		if hello.Extensions.Has(t) {
			m.Extensions = append(m.Extensions, wire.Extension{Type: t, Data: body})
		}
	}
	m.NoExtensions = len(m.Extensions) == 0
	context := wire.Context{Version: v, From: wire.Server, KeyExchange: exchangeOf(s)}
	exchange := &wire.ServerKeyExchange{Scheme: wire.RSAPKCS1SHA256, Signature: make([]byte, 256)}
	switch context.KeyExchange.Share() {
	case wire.ShareEC:
		ours := f.groups
		if ours == nil {
			ours = []wire.NamedGroup{wire.GroupP256}
		}
		var theirs []wire.NamedGroup
		hello.Extensions.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { theirs = wire.ReadSupportedGroups(r, nil) })
		i := slices.IndexFunc(ours, func(g wire.NamedGroup) bool { return slices.Contains(theirs, g) })
		if i < 0 {
			c.alert(wire.AlertHandshakeFailure)
			return
		}
		exchange.Group, exchange.Share = ours[i], f.key(65)
	case wire.ShareDH:
		p := f.p
		if p == "" {
			p = ffdhe2048
		}
		exchange.P, _ = hex.DecodeString(p)
		exchange.G, exchange.Share = []byte{2}, f.key(len(exchange.P))
	}
	f.say(c, m, context)
	chain := &wire.Certificate{}
	for _, der := range c.cert.Certificate {
		chain.Entries = append(chain.Entries, wire.CertificateEntry{DER: der})
	}
	f.say(c, chain, context)
	if context.KeyExchange.Share() != wire.ShareNone {
		f.say(c, exchange, context)
	}
	f.say(c, &wire.ServerHelloDone{}, context)
}

func (f flawed) say(c *brokenConn, m wire.Message, context wire.Context) {
	raw := wire.AppendMessage(nil, m, context)
	c.Write(append(record.AppendHeader(nil, record.Header{Type: wire.ContentHandshake, Version: wire.TLS12, Length: len(raw)}), raw...))
}

func (f flawed) key(n int) []byte {
	if f.share != nil {
		return bytes.Repeat(f.share, n)[:n]
	}
	return chance(n)
}

const (
	gcmECDHE = wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	gcmDHE   = wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
)

// Each fault of a server is found where it is, and nowhere else.
func TestFaultsUpToTheServerHelloDone(t *testing.T) {
	three := []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11}
	both := []wire.CipherSuite{wire.TLS_AES_128_GCM_SHA256, gcmECDHE, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
	dhe := []wire.CipherSuite{gcmDHE}
	// The primes of Mersenne, 2^607-1 and 2^2203-1, are no safe ones (OEIS A000043); what is
	// 2 less than a safe prime can be divided by 3.
	mersenne607, mersenne2203 := "7f"+strings.Repeat("ff", 75), "07"+strings.Repeat("ff", 275)
	tests := []struct {
		id     string
		sound  flawed
		faulty flawed
	}{
		{"ssl2", flawed{suites: dhe}, flawed{suites: dhe, ssl2: true}},
		{"suites-export", flawed{suites: dhe}, flawed{suites: []wire.CipherSuite{gcmDHE, 0x0014}}},
		{"dh-small", flawed{suites: dhe}, flawed{suites: dhe, p: mersenne607}},
		{"dh-1024", flawed{suites: dhe}, flawed{suites: dhe, p: hex.EncodeToString(piPrime(1024, 129093).Bytes())}},
		{"dh-not-prime", flawed{suites: dhe}, flawed{suites: dhe, p: ffdhe2048[:len(ffdhe2048)-2] + "fd"}},
		{"dh-unsafe", flawed{suites: dhe}, flawed{suites: dhe, p: mersenne2203}},
		{"dh-reused", flawed{suites: dhe}, flawed{suites: dhe, share: []byte{7}}},
		{"key-share-reused", flawed{suites: both[1:2]}, flawed{suites: both[1:2], share: []byte{7}}},
		{"key-share-reused", flawed{suites: both[:1], versions: three}, flawed{suites: both[:1], versions: three, share: []byte{7}}},
		{"group-weak", flawed{suites: both[1:2]}, flawed{suites: both[1:2], groups: []wire.NamedGroup{wire.GroupP256, 19}}},
		{"no-fallback-scsv", flawed{suites: both, versions: three}, flawed{suites: both, versions: three, deafFallback: true}},
		{"no-sentinel", flawed{suites: both, versions: three}, flawed{suites: both, versions: three, unmarked: true}},
		{"tls13-intolerant", flawed{suites: both[1:2]}, flawed{suites: both[1:2], frail: true}},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			t.Parallel()
			if r := audited(t, test.sound.serve(t), Options{ConfigurationOnly: true}); r.has(test.id) {
				t.Errorf("it is found in a sound server: %+v", r.Findings)
			}
			r := audited(t, test.faulty.serve(t), Options{ConfigurationOnly: true})
			wantFinding(t, r, test.id)
		})
	}
}

// wantFinding wants a finding that says all that one says.
func wantFinding(t *testing.T, r *Report, id string) {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id })
	if i < 0 {
		t.Fatalf("%s is not found among %+v", id, r.Findings)
	}
	if f := r.Findings[i]; f.Title == "" || f.Gain == "" || f.Do == "" || len(f.Evidence) == 0 || f.Evidence[0] == "" {
		t.Errorf("it says %+v", f)
	}
}

// A server that lets clients renegotiate is found, whether it does so safely or not.
func TestRenegotiationByClients(t *testing.T) {
	lets := old(t, wire.TLS12, gcmECDHE)
	lets.Renegotiate.MinInterval = -1
	lets.Renegotiate.FromClient = true
	wantFinding(t, audited(t, serveTLS(t, lets), Options{ConfigurationOnly: true}), "reneg-client")
	if r := audited(t, serveTLS(t, old(t, wire.TLS12, gcmECDHE)), Options{ConfigurationOnly: true}); r.has("reneg-client") || r.has("reneg-unannounced") {
		t.Errorf("a server that refuses: %+v", r.Findings)
	}
	r := audited(t, (&broken{renegotiates: true}).serve(t), Options{ConfigurationOnly: true})
	wantFinding(t, r, "reneg-client")
	wantFinding(t, r, "reneg-unannounced")
}

// Every kind of finding stands in a test of this package, with a server that has it.
func TestEveryFindingHasATest(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests []byte
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, b...)
	}
	for _, k := range Kinds() {
		if !bytes.Contains(tests, []byte(`"`+k.ID+`"`)) {
			t.Errorf("%s stands in no test", k.ID)
		}
	}
}
