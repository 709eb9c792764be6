package tls

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// The groups of RFC 7919 in TLS 1.3, as a key share and after a retry, and in
// TLS 1.2, where the client's list decides.
func TestFiniteFields(t *testing.T) {
	for _, id := range []CurveID{256, 257, 258, 259, 260} {
		group := wire.NamedGroup(id)
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(VersionTLS13, client, server)
		client.CurvePreferences, server.CurvePreferences = []CurveID{id}, []CurveID{id}
		c, s := mustConnect(t, client, server)
		for _, conn := range []*Conn{c, s} {
			if got := conn.State(); got.Group != group || got.KeyExchange != "DHE" || got.HelloRetry {
				t.Errorf("TLS 1.3: %v by %s, retry %v; want %v", got.Group, got.KeyExchange, got.HelloRetry, group)
			}
		}
		exchange(t, c, s)

		client.CurvePreferences = []CurveID{X25519, id}
		c, s = mustConnect(t, client, server)
		if got := c.State(); got.Group != group || !got.HelloRetry {
			t.Errorf("TLS 1.3 with a retry: %v, retry %v; want %v", got.Group, got.HelloRetry, group)
		}
		exchange(t, c, s)

		client, server = testPKI().client(), testPKI().server("rsa2048")
		at(VersionTLS12, client, server)
		client.CipherSuites = []uint16{uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)}
		server.CipherSuites = client.CipherSuites
		client.CurvePreferences = []CurveID{X25519, id}
		server.CurvePreferences = []CurveID{X25519, id}
		server.DHE.Parameters = &DHParameters{P: kex.DHOf(wire.GroupFFDHE3072).P(), G: []byte{5}} // for others
		c, s = mustConnect(t, client, server)
		if got, bits := c.State(), kex.DHOf(group).Bits(); got.Group != group || got.DHBits != bits || s.State().DHBits != bits {
			t.Errorf("TLS 1.2: %v of %d and %d bits; want %v", got.Group, got.DHBits, s.State().DHBits, group)
		}
		exchange(t, c, s)
	}
}

// A server whose client lists finite fields that are not the server's must not
// pick a DHE suite. RFC 7919 §4.
func TestNoFiniteFieldInCommon(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("rsa2048")
	at(VersionTLS12, client, server)
	dhe, ecdhe := uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256), TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	client.CipherSuites, server.CipherSuites = []uint16{dhe, ecdhe}, []uint16{dhe, ecdhe}
	client.CurvePreferences = []CurveID{X25519, 260}
	c, _ := mustConnect(t, client, server)
	if got := c.State(); uint16(got.CipherSuite) != ecdhe {
		t.Errorf("agreed on %v", got.CipherSuite)
	}
}

// A server's own parameters reach the client, and the client's floor holds.
func TestOwnParameters(t *testing.T) {
	small := smallPrime(t)
	for _, test := range []struct {
		name           string
		change         func(client, server *Config)
		bits           int
		client, server string // what its error says; empty for none
	}{
		{"a group of RFC 7919 is the default", func(_, _ *Config) {}, 2048, "", ""},
		{"a small group of the server", func(_, s *Config) { s.DHE.Parameters, s.Legacy.SmallDH = small, true }, 0,
			"1536 bits; at least 2048 are demanded", "insufficient_security"},
		{"a small group with consent", func(c, s *Config) {
			s.DHE.Parameters, s.Legacy.SmallDH = small, true
			c.DHE.MinBits, c.Legacy.SmallDH = 1024, true
		}, 1536, "", ""},
		{"a small group without the switch", func(_, s *Config) { s.DHE.Parameters = small }, 0, "", "set Legacy.SmallDH"},
		{"a low floor without the switch", func(c, _ *Config) { c.DHE.MinBits = 1024 }, 0, "set Legacy.SmallDH", ""},
		{"a floor below all reason", func(c, _ *Config) { c.DHE.MinBits, c.Legacy.SmallDH = 512, true }, 0, "1024 are the least", ""},
		{"an even prime", func(_, s *Config) {
			s.DHE.Parameters = &DHParameters{P: append([]byte{0x80}, make([]byte, 255)...), G: []byte{2}}
		}, 0, "", "not valid"},
		{"a high floor", func(c, _ *Config) { c.DHE.MinBits = 3072 }, 0, "2048 bits; at least 3072 are demanded", "insufficient_security"},
	} {
		client, server := testPKI().client(), testPKI().server("rsa2048")
		at(VersionTLS12, client, server)
		client.CipherSuites = []uint16{uint16(wire.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384)}
		server.CipherSuites = client.CipherSuites
		test.change(client, server)
		c, s, clientErr, serverErr := connectInMemory(client, server)
		if test.client+test.server == "" {
			if clientErr != nil || serverErr != nil {
				t.Errorf("%s: client: %v; server: %v", test.name, clientErr, serverErr)
			} else if c.State().DHBits != test.bits || s.State().DHBits != test.bits {
				t.Errorf("%s: %d and %d bits", test.name, c.State().DHBits, s.State().DHBits)
			}
		}
		for _, side := range []struct {
			err  error
			want string
		}{{clientErr, test.client}, {serverErr, test.server}} {
			if side.want != "" && (side.err == nil || !strings.Contains(side.err.Error(), side.want)) {
				t.Errorf("%s: %v, want one with %q", test.name, side.err, side.want)
			}
		}
		c.Close()
		s.Close()
	}
}

// smallPrime is the group of 1536 bits of RFC 3526 §2: 2^1536 - 2^1472 - 1 +
// 2^64 * ([2^1406 pi] + 741804).
func smallPrime(t *testing.T) *DHParameters {
	t.Helper()
	p, ok := new(big.Int).SetString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"+
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D"+
		"C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF", 16)
	if !ok || !p.ProbablyPrime(1) || p.BitLen() != 1536 {
		t.Fatal(errors.New("the prime of RFC 3526 is not what it should be"))
	}
	return &DHParameters{P: p.Bytes(), G: []byte{2}}
}
