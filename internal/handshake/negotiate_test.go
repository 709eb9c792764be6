package handshake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

type versions = []wire.Version

func TestOfferedVersions(t *testing.T) {
	for _, test := range []struct {
		legacy       wire.Version
		listed, want versions
	}{
		{wire.TLS12, versions{wire.TLS13, wire.TLS12}, versions{wire.TLS13, wire.TLS12}},
		{wire.TLS10, versions{wire.TLS13}, versions{wire.TLS13}}, // legacy_version says nothing then
		{wire.TLS12, nil, versions{wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30}},
		{wire.TLS13, nil, versions{wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30}}, // TLS 1.3 must be listed
		{0x7f7f, nil, versions{wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30}},
		{wire.SSL30, nil, versions{wire.SSL30}},
		{wire.SSL20, nil, nil},
		{0, nil, nil},
	} {
		if got := offeredVersions(test.legacy, test.listed, nil); !slices.Equal(got, test.want) {
			t.Errorf("%v, %v: %v, want %v", test.legacy, test.listed, got, test.want)
		}
	}
}

func TestPickVersion(t *testing.T) {
	for _, test := range []struct {
		ours, theirs versions
		want         wire.Version
	}{
		{versions{wire.TLS13, wire.TLS12}, versions{wire.TLS12, wire.TLS13}, wire.TLS13}, // ours is newest first
		{versions{wire.TLS12}, versions{wire.TLS13, wire.TLS12}, wire.TLS12},
		{versions{wire.TLS13}, versions{wire.TLS12}, 0},
		{versions{wire.TLS13}, versions{0x1a1a, wire.TLS13}, wire.TLS13},
		{versions{wire.TLS13, wire.TLS12}, nil, 0},
	} {
		if got := pickVersion(test.ours, test.theirs); got != test.want {
			t.Errorf("%v, %v: %v, want %v", test.ours, test.theirs, got, test.want)
		}
	}
}

func TestSelectedVersion(t *testing.T) {
	says := func(v ...byte) wire.Extensions {
		return wire.Extensions{{Type: wire.ExtSupportedVersions, Data: v}}
	}
	for _, test := range []struct {
		legacy wire.Version
		x      wire.Extensions
		want   wire.Version
		alert  wire.AlertCode
	}{
		{wire.TLS12, says(3, 4), wire.TLS13, 0},
		{wire.TLS12, nil, wire.TLS12, 0},
		{wire.TLS10, nil, wire.TLS10, 0},
		{wire.TLS13, nil, 0, wire.AlertProtocolVersion},
		{wire.TLS12, says(3, 3), 0, wire.AlertIllegalParameter},
		{wire.TLS13, says(3, 4), 0, wire.AlertIllegalParameter},
		{wire.TLS11, says(3, 4), 0, wire.AlertIllegalParameter},
		{wire.TLS12, says(3), 0, wire.AlertDecodeError},
		{wire.TLS12, says(3, 4, 0), 0, wire.AlertDecodeError},
	} {
		got, err := selectedVersion(&wire.ServerHello{LegacyVersion: test.legacy, Extensions: test.x})
		if got != test.want || alertOf(err) != test.alert {
			t.Errorf("%v %v: %v, %v", test.legacy, test.x, got, err)
		}
	}
}

func alertOf(err error) wire.AlertCode {
	var fault *Error
	if errors.As(err, &fault) {
		return fault.Alert
	}
	return 0
}

// The sentinel of a server is found by every client that could do better, and
// by no other. RFC 8446 §4.1.3.
func TestDowngradeSentinels(t *testing.T) {
	all := versions{wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}
	for _, server := range all {
		for _, client := range all {
			for _, v := range all {
				if v > min(server, client) {
					continue
				}
				random := make([]byte, 32)
				sentinel(server, v, random)
				attacked := v < min(server, client)
				// RFC 8446 knows no sentinel of servers before TLS 1.2.
				want := attacked && server >= wire.TLS12 && client >= wire.TLS12
				if got := downgraded(client, v, random) != nil; got != want {
					t.Errorf("server %v, client %v, agreed on %v: found %v, want %v", server, client, v, got, want)
				}
				if slices.Max(random[:24]) != 0 {
					t.Error("the sentinel is more than eight bytes")
				}
			}
		}
	}
	if err := downgraded(wire.TLS13, wire.TLS12, make([]byte, 32)); err != nil {
		t.Error(err)
	}
}

func TestPickSuite(t *testing.T) {
	ids := func(names ...wire.CipherSuite) (out []*suite.Suite) {
		for _, id := range names {
			out = append(out, suite.ByID(id))
		}
		return out
	}
	const (
		gcm13, gcm256, chacha13 = wire.TLS_AES_128_GCM_SHA256, wire.TLS_AES_256_GCM_SHA384, wire.TLS_CHACHA20_POLY1305_SHA256
		chacha12                = wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
		gcm12, rsa12            = wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	)
	isRSA := func(s *suite.Suite) bool { return s.Auth == suite.AuthRSA }
	for _, test := range []struct {
		ours   []*suite.Suite
		theirs []wire.CipherSuite
		v      wire.Version
		fits   func(*suite.Suite) bool
		want   wire.CipherSuite
	}{
		{ids(gcm13, gcm256), []wire.CipherSuite{gcm256, gcm13}, wire.TLS13, nil, gcm13}, // our order
		{ids(gcm256, gcm13), []wire.CipherSuite{gcm13, gcm256}, wire.TLS13, nil, gcm256},
		{ids(gcm13, gcm12), []wire.CipherSuite{gcm13, gcm12}, wire.TLS12, nil, gcm12},
		{ids(gcm13, gcm12), []wire.CipherSuite{gcm12}, wire.TLS13, nil, 0},
		{ids(gcm12, rsa12), []wire.CipherSuite{gcm12, rsa12}, wire.TLS12, isRSA, rsa12},
		{ids(gcm12), []wire.CipherSuite{gcm12}, wire.TLS12, isRSA, 0},
		{ids(gcm13), []wire.CipherSuite{0x0a0a, 0x1234, gcm13}, wire.TLS13, nil, gcm13},
		{ids(gcm13), nil, wire.TLS13, nil, 0},
	} {
		got := wire.CipherSuite(0)
		if s := pickSuite(test.ours, test.theirs, test.v, test.fits); s != nil {
			got = s.ID
		}
		if got != test.want {
			t.Errorf("%v of %v and %v: %v, want %v", test.v, test.ours, test.theirs, got, test.want)
		}
	}
	for _, test := range []struct {
		theirs []wire.CipherSuite
		want   []*suite.Suite
	}{
		{[]wire.CipherSuite{gcm13, chacha13}, ids(gcm13, gcm256, chacha13)},
		{[]wire.CipherSuite{chacha13, gcm13}, ids(chacha13, gcm13, gcm256)},
		{[]wire.CipherSuite{0x0a0a, chacha13, gcm13}, ids(chacha13, gcm13, gcm256)}, // GREASE is no preference
		{nil, ids(gcm13, gcm256, chacha13)},
	} {
		ours := ids(gcm13, gcm256, chacha13)
		if got := forClient(ours, test.theirs); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.theirs, got, test.want)
		}
		if !slices.Equal(ours, ids(gcm13, gcm256, chacha13)) {
			t.Error("the Config's list was sorted")
		}
	}
	ours := ids(chacha12, gcm13, chacha13, gcm256) // both kinds in turns
	if got, want := forClient(ours, []wire.CipherSuite{chacha13}), ids(chacha12, chacha13, gcm13, gcm256); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPickGroup(t *testing.T) {
	type groups = []wire.NamedGroup
	const p256, p384, x25519, hybrid = wire.GroupP256, wire.GroupP384, wire.GroupX25519, wire.GroupX25519MLKEM768
	for _, test := range []struct {
		name                 string
		ours, theirs, shares groups
		want                 wire.NamedGroup
		share                bool
	}{
		{"our best, with a share", groups{x25519, p256}, groups{p256, x25519}, groups{x25519}, x25519, true},
		{"a share saves a round trip", groups{x25519, p256}, groups{x25519, p256}, groups{p256}, p256, true},
		{"no share at all", groups{x25519, p256}, groups{p256, x25519}, nil, x25519, false},
		{"a share of what we do not have", groups{p384}, groups{p256, p384}, groups{p256}, p384, false},
		{"a hybrid is worth a round trip", groups{hybrid, x25519}, groups{x25519, hybrid}, groups{x25519}, hybrid, false},
		{"a hybrid with its share", groups{hybrid, x25519}, groups{x25519, hybrid}, groups{x25519, hybrid}, hybrid, true},
		{"we prefer the classical one", groups{x25519, hybrid}, groups{hybrid, x25519}, groups{hybrid}, x25519, false},
		{"nothing in common", groups{p384}, groups{p256}, groups{p256}, 0, false},
		{"a share that is not listed", groups{p256, p384}, groups{p384}, groups{p256}, p384, false},
	} {
		var shares []wire.KeyShareEntry
		for _, g := range test.shares {
			shares = append(shares, wire.KeyShareEntry{Group: g, Share: []byte{byte(g)}})
		}
		g, share, ok := pickGroup(test.ours, test.theirs, shares)
		if g != test.want || ok != (test.want != 0) || (share != nil) != test.share || share != nil && share[0] != byte(g) {
			t.Errorf("%s: %v, %v, %v", test.name, g, share, ok)
		}
	}
	for _, test := range []struct {
		ours, theirs groups
		want         wire.NamedGroup
	}{
		{groups{hybrid, p256, x25519}, groups{x25519, p256, hybrid}, p256}, // TLS 1.2 knows no hybrids
		{groups{hybrid, p256}, nil, p256},                                  // RFC 8422 §4
		{groups{hybrid}, groups{hybrid}, 0},
		{groups{p256}, groups{x25519}, 0},
	} {
		if got := pickECDHE(test.ours, test.theirs); got != test.want {
			t.Errorf("%v, %v: %v, want %v", test.ours, test.theirs, got, test.want)
		}
	}
}

func TestPickALPN(t *testing.T) {
	for _, test := range []struct {
		ours, theirs []string
		want         string
		none         bool
	}{
		{[]string{"h2", "http/1.1"}, []string{"http/1.1", "h2"}, "h2", false}, // the server's order
		{[]string{"http/1.1"}, []string{"h2", "http/1.1"}, "http/1.1", false},
		{[]string{"h2"}, []string{"H2"}, "", true},
		{[]string{"h2"}, []string{"h2c"}, "", true},
		{nil, []string{"h2"}, "", false},
		{[]string{"h2"}, nil, "", false},
	} {
		var theirs [][]byte
		for _, p := range test.theirs {
			theirs = append(theirs, []byte(p))
		}
		if got, none := pickALPN(test.ours, theirs); got != test.want || none != test.none {
			t.Errorf("%q, %q: %q, %v", test.ours, test.theirs, got, none)
		}
	}
}

// testKeys are one of each kind.
var testKeys = func() map[string]crypto.Signer {
	all := map[string]crypto.Signer{}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		all[name], _ = ecdsa.GenerateKey(curve, rand.Reader)
	}
	_, all["Ed25519"], _ = ed25519.GenerateKey(rand.Reader)
	all["RSA"], _ = rsa.GenerateKey(rand.Reader, 2048)
	all["small RSA"], _ = rsa.GenerateKey(rand.Reader, 1024)
	for name, file := range map[string]string{"RSA-PSS": "pss", "RSA-PSS for SHA-384": "pss384", "small RSA-PSS": "pss1024", "Ed448": "ed448"} {
		text, _ := os.ReadFile("../otherkeys/testdata/" + file + "-key.pem")
		block, _ := pem.Decode(text)
		all[name], _ = otherkeys.ParsePrivate(block.Bytes)
	}
	return all
}()

// What a key can sign, by version: the whole table. RFC 8446 §4.2.3.
func TestSchemesOfKeys(t *testing.T) {
	pss := []wire.SignatureScheme{wire.RSAPSSRSAESHA256, wire.RSAPSSRSAESHA384, wire.RSAPSSRSAESHA512}
	ecdsas := []wire.SignatureScheme{wire.ECDSAP256SHA256, wire.ECDSAP384SHA384, wire.ECDSAP521SHA512}
	pkcs1 := []wire.SignatureScheme{wire.RSAPKCS1SHA256, wire.RSAPKCS1SHA384, wire.RSAPKCS1SHA512, wire.RSAPKCS1SHA224, wire.RSAPKCS1SHA1, wire.RSAMD5SHA1}
	keyPSS, ed448 := []wire.SignatureScheme{wire.RSAPSSPSSSHA256, wire.RSAPSSPSSSHA384, wire.RSAPSSPSSSHA512}, []wire.SignatureScheme{wire.Ed448}
	for name, want := range map[string]struct{ in12, in13 []wire.SignatureScheme }{
		"P-256":     {append(slices.Clone(ecdsas), wire.ECDSASHA224, wire.ECDSASHA1), ecdsas[:1]},
		"P-384":     {append(slices.Clone(ecdsas), wire.ECDSASHA224, wire.ECDSASHA1), ecdsas[1:2]},
		"P-521":     {append(slices.Clone(ecdsas), wire.ECDSASHA224, wire.ECDSASHA1), ecdsas[2:]},
		"Ed25519":   {[]wire.SignatureScheme{wire.Ed25519}, []wire.SignatureScheme{wire.Ed25519}},
		"RSA":       {slices.Concat(pss, pkcs1), pss},
		"small RSA": {slices.Concat(pss[:2], pkcs1), pss[:2]}, // 1024 bits hold no PSS with SHA-512
		"RSA-PSS":   {keyPSS, keyPSS}, "small RSA-PSS": {keyPSS[:2], keyPSS[:2]}, "RSA-PSS for SHA-384": {keyPSS[1:2], keyPSS[1:2]},
		"Ed448": {ed448, ed448},
	} {
		for in13, want := range map[bool][]wire.SignatureScheme{false: want.in12, true: want.in13} {
			for i := range signers {
				scheme := signers[i].scheme
				got := pickScheme(testKeys[name].Public(), []wire.SignatureScheme{0x0a0a, scheme}, nil, in13)
				if (got == scheme) != slices.Contains(want, scheme) {
					t.Errorf("%s, TLS 1.3 %v: %v is picked: %v", name, in13, scheme, got == scheme)
				}
			}
		}
	}
}

func TestPickScheme(t *testing.T) {
	pub := testKeys["RSA"].Public()
	theirs := []wire.SignatureScheme{wire.ECDSAP256SHA256, wire.RSAPSSRSAESHA512, wire.RSAPSSRSAESHA256}
	if got := pickScheme(pub, theirs, nil, true); got != wire.RSAPSSRSAESHA512 {
		t.Error("not the peer's first:", got)
	}
	if got := pickScheme(pub, theirs, []stdtls.SignatureScheme{stdtls.PSSWithSHA256}, true); got != wire.RSAPSSRSAESHA256 {
		t.Error("not what the certificate is restricted to:", got)
	}
	if got := pickScheme(pub, theirs, []stdtls.SignatureScheme{}, true); got != 0 {
		t.Error("a certificate restricted to nothing signs with", got)
	}
	if got := pickScheme("no key", theirs, nil, true); got != 0 {
		t.Error(got)
	}
}

// What a scheme signs it verifies, and nothing else does.
func TestSignersRoundTrip(t *testing.T) {
	message := []byte("what is signed")
	for name, key := range testKeys {
		for i := range signers {
			g := &signers[i]
			if !g.fits(key.Public(), false) {
				continue
			}
			sig, err := key.Sign(rand.Reader, g.digest(signed{message: message}, nil), g.opts())
			if err != nil {
				t.Errorf("%s, %v: %v", name, g.scheme, err)
				continue
			}
			if err := g.verify(key.Public(), sig, signed{message: message}, nil); err != nil {
				t.Errorf("%s, %v: %v", name, g.scheme, err)
			}
			if g.verify(key.Public(), sig, signed{message: []byte("something else")}, nil) == nil {
				t.Errorf("%s, %v: verifies another message", name, g.scheme)
			}
			sig[len(sig)/2] ^= 1
			if g.verify(key.Public(), sig, signed{message: message}, nil) == nil || g.verify(key.Public(), nil, signed{message: message}, nil) == nil {
				t.Errorf("%s, %v: verifies another signature", name, g.scheme)
			}
		}
	}
}

func TestAuthOf(t *testing.T) {
	for name, key := range testKeys {
		want := suite.AuthECDSA
		if strings.Contains(name, "RSA") {
			want = suite.AuthRSA
		}
		if got := authOf(key.Public()); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
