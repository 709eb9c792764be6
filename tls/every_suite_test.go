package tls

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// weakSuites has every switch that a cipher suite may need.
var weakSuites = Legacy{RSAKeyExchange: true, DES: true, TripleDES: true, RC4: true, NullCiphers: true, Anonymous: true, MD5: true}

// modernSuites are those with RSA and ECDHE and AES or ChaCha20.
func modernSuites() []*CipherSuite {
	return slices.DeleteFunc(append(CipherSuites(), InsecureCipherSuites()...), func(c *CipherSuite) bool {
		s := suite.ByID(wire.CipherSuite(c.ID))
		kx := s.KeyExchange
		return kx != wire.KeyExchangeNone && kx != wire.KeyExchangeECDHE && kx != wire.KeyExchangeRSA ||
			strings.Contains(s.Name, "CCM") || s.Cipher.Bits < 128 || s.Cipher.Stream != nil
	})
}

// forSuite sets both sides up for a suite in a version, whatever that takes.
func forSuite(s *suite.Suite, v wire.Version) (client, server *Config) {
	p := testPKI()
	client = p.client()
	switch s.Auth {
	case suite.AuthPSK, suite.AuthAnon:
		server = &Config{}
	case suite.AuthDSS:
		server = &Config{Certificates: []Certificate{dsaCertificate()}}
		client.InsecureSkipVerify = true // crypto/x509 knows no DSA
	case suite.AuthECDSA:
		server = p.server("ecdsa-p256")
	default:
		server = p.server("rsa2048")
	}
	for _, c := range []*Config{client, server} {
		c.Legacy = weakSuites
		c.Legacy.SSL30, c.Legacy.DSSSigning = true, true
		c.CipherSuites, c.MinVersion, c.MaxVersion = []uint16{uint16(s.ID)}, uint16(v), uint16(v)
		c.PSK = PSK{Hint: "who are you?",
			Client: func(hint string) (string, []byte, error) {
				if hint != "who are you?" {
					return "", nil, fmt.Errorf("the hint is %q", hint)
				}
				return "someone", []byte("a key of theirs"), nil
			},
			Server: func(identity string) ([]byte, error) {
				if identity != "someone" {
					return nil, nil
				}
				return []byte("a key of theirs"), nil
			}}
	}
	return client, server
}

// dsaCertificate is a server's of an authority that nobody knows.
var dsaCertificate = sync.OnceValue(func() Certificate {
	ca := must(devca.New("example.test"))
	return must(ca.Issue(devca.Leaf{Names: []string{"example.test"}, Key: devca.DSA}))
})

// Every suite, in every version that it exists in: a handshake, data both ways in
// records of all kinds of lengths, and what the two sides say of it.
func TestEverySuiteInEveryVersion(t *testing.T) {
	for _, s := range suite.All() {
		for _, v := range allVersions {
			if !s.Allows(v) {
				continue
			}
			t.Run(s.Name+"/"+v.String(), func(t *testing.T) {
				t.Parallel()
				client, server := forSuite(s, v)
				c, srv := mustConnect(t, client, server)
				for _, conn := range []*Conn{c, srv} {
					state := conn.State()
					if state.Version != v || state.CipherSuite != s.ID {
						t.Fatalf("agreed on %v, %v", state.Version, state.CipherSuite)
					}
					if psk := s.KeyExchange.PSK(); psk != (state.PSKIdentity == "someone") {
						t.Errorf("PSK identity %q", state.PSKIdentity)
					}
					if dh := s.KeyExchange.Share() == wire.ShareDH; dh != (state.DHBits == 2048) || dh && state.Group != wire.GroupFFDHE2048 {
						t.Errorf("group %v, %d bits", state.Group, state.DHBits)
					}
				}
				if shown := len(c.State().PeerCertificates) > 0; s.KeyExchange != wire.KeyExchangeNone && shown != s.KeyExchange.Certificate() {
					t.Errorf("the client has seen a certificate: %v", shown)
				}
				exchange(t, c, srv)
			})
		}
	}
}
