package explain

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// weak has every switch that a suite or a version may need.
var weak = tls.Legacy{SSL30: true, SSL2Hello: true, DSSSigning: true, RSAKeyExchange: true, DES: true, TripleDES: true, RC4: true,
	NullCiphers: true, Anonymous: true, MD5: true}

// pairFor is what it takes for a suite in a version.
func pairFor(t *testing.T, s *suite.Suite, v wire.Version) *pair {
	t.Helper()
	key := map[suite.Auth]devca.KeyType{suite.AuthRSA: devca.RSA, suite.AuthDSS: devca.DSA}[s.Auth]
	p := newPairWith(t, key)
	p.client.InsecureSkipVerify = key == devca.DSA // crypto/x509 knows no DSA
	if s.Auth == suite.AuthPSK || s.Auth == suite.AuthAnon {
		p.server.Certificates = nil
	}
	if s.KeyExchange == wire.KeyExchangeRSAPSK {
		p.server.Certificates = newPairWith(t, devca.RSA).server.Certificates
	}
	for _, c := range []*tls.Config{p.client, p.server} {
		c.Legacy = weak
		c.CipherSuites, c.MinVersion, c.MaxVersion = []uint16{uint16(s.ID)}, uint16(v), uint16(v)
	}
	p.sharesKey()
	return p
}

// sharesKey has both sides know a pre-shared key.
func (p *pair) sharesKey() {
	p.client.PSK.Client = func(string) (string, []byte, error) { return "alice@example.com", []byte("a key that both know"), nil }
	p.server.PSK.Server = func(string) ([]byte, error) { return []byte("a key that both know"), nil }
	p.server.PSK.Hint = "whose key?"
}

// Every suite in every version it exists in: seen from both sides, everything is
// derived, opened and verified again, and nothing disagrees.
func TestEverySuiteInEveryVersion(t *testing.T) {
	for _, s := range suite.All() {
		for _, v := range everyVersion {
			if !s.Allows(v) {
				continue
			}
			t.Run(s.Name+"/"+v.String(), func(t *testing.T) {
				t.Parallel()
				client, server := pairFor(t, s, v).connect(t, nil)
				for _, side := range []*Collector{client, server} {
					account := side.Connection(About{})
					account.mustAgree(t)
					account.mustBeWhole(t)
					account.mustCost(t, s.KeyExchange, v)
					if !race { // in these nothing runs at the same time, and the detector makes them slow
						render(t, account, look{})
						side.mustKeep(t)
					}
					if x := account.Summary; x.CipherSuite != s.Name || x.Version != v.String() || (x.PSKIdentity != "") != s.KeyExchange.PSK() {
						t.Errorf("%+v", x)
					}
				}
			})
		}
	}
}

// inputs are the secrets that no schedule derives.
var inputs = map[string]bool{"premaster_secret": true, "other_secret": true, "psk": true, "shared_secret": true}

// mustBeWhole: nothing was left unchecked but what cannot be checked.
func (c *Connection) mustBeWhole(t *testing.T) {
	t.Helper()
	secrets, keys, signatures := 0, 0, 0
	for _, e := range c.Events {
		switch {
		case e.Secret != nil:
			secrets++
			if e.Secret.Check.Result != Agrees && !inputs[e.Secret.Name] {
				t.Errorf("%s: %s", e.Secret.Name, e.Secret.Check.What)
			}
		case e.Keys != nil:
			if keys++; e.Keys.Check.Result != Agrees {
				t.Errorf("keys of the %s: %s", e.Keys.From, e.Keys.Check.What)
			}
		case e.Record != nil && e.Record.Epoch > 0:
			if e.Record.Check.Result != Agrees {
				t.Errorf("record %d: %s", e.Record.Number, e.Record.Check.What)
			}
			e.Record.mustBeTiled(t)
		case e.Message != nil:
			m := e.Message
			if m.Malformed != "" || len(m.Pieces) == 0 {
				t.Errorf("%s: %q, carried by %v", m.Name, m.Malformed, m.Pieces)
			}
			if proves := m.typ == wire.TypeFinished || m.typ == wire.TypeCertificateVerify; proves != strings.HasPrefix(m.Covers, "ClientHello..") {
				t.Errorf("%s covers %q", m.Name, m.Covers)
			}
			for _, check := range m.Checks {
				if signatures++; check.Result != Agrees {
					t.Errorf("%s: %s", m.Name, check.What)
				}
			}
		}
	}
	for _, hs := range c.Handshakes {
		for i, p := range hs.Transcript {
			if m := c.Events[p.Event].Message; m == nil || m.Name != p.Name || len(p.Hash) == 0 || i > 0 && bytes.Equal(p.Hash, hs.Transcript[i-1].Hash) {
				t.Errorf("the transcript has %+v", p)
			}
		}
	}
	if secrets < 4 || keys < 2 || signatures < 2 {
		t.Errorf("seen from the %s there are %d secrets, %d keys, %d proofs", c.Side, secrets, keys, signatures)
	}
}

// mustBeTiled: every byte of a protected record, and of what is inside it, belongs to
// one part.
func (r *Record) mustBeTiled(t *testing.T) {
	t.Helper()
	tiles := func(what string, parts []Field, n int) {
		at := 0
		for _, f := range parts {
			if f.Offset != at || f.Name == "" {
				t.Errorf("record %d: %s has %q at %d, not at %d", r.Number, what, f.Name, f.Offset, at)
			}
			at += f.Length
		}
		if at != n {
			t.Errorf("record %d: the parts of %s are %d bytes of %d", r.Number, what, at, n)
		}
	}
	tiles("what is on the wire", r.Sealed, len(r.Wire)-wire.RecordHeaderLen)
	content := len(r.Plain)
	if r.Compressed > 0 {
		content = len(r.Packed)
	}
	tiles("what is inside", r.Inside, content+len(r.Added))
	if len(r.Additional) == 0 || r.AdditionalIs == "" {
		t.Errorf("record %d: nothing says what is covered besides its content", r.Number)
	}
}
