package passive

import (
	"context"
	"crypto"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// at has both ends speak one version.
func (p *ends) at(v wire.Version) {
	for _, c := range []*tls.Config{p.client, p.server} {
		c.MinVersion, c.MaxVersion = uint16(v), uint16(v)
		c.Legacy = weak
	}
}

// readOne waits for the byte that the server sends when it is done.
func readOne(c *tls.Conn) error {
	_, err := io.ReadFull(c, make([]byte, 1))
	return err
}

// then has the server do something and say so.
func then(f func(*tls.Conn) error) func(*tls.Conn) error {
	return func(c *tls.Conn) error {
		if err := f(c); err != nil {
			return err
		}
		_, err := c.Write([]byte("!"))
		return err
	}
}

// withClientCertificate gives the client a certificate to show.
func withClientCertificate(t *testing.T, p *ends) {
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"alice"}, Client: true, Key: devca.RSA})
	if err != nil {
		t.Fatal(err)
	}
	p.client.Certificates, p.server.ClientCAs = []tls.Certificate{cert}, ca.Pool()
}

func askForCertificate(c *tls.Conn) error { return c.RequestClientCertificate(context.Background()) }

func updateTwice(c *tls.Conn) error {
	for _, both := range []bool{true, false} {
		if err := c.KeyUpdate(both); err != nil {
			return err
		}
		if _, err := c.Write([]byte("more")); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			return err
		}
	}
	return nil
}

// renegotiate has the client ask for it, three times, with data between.
func renegotiate(c *tls.Conn) error {
	for range 3 {
		if err := c.Renegotiate(context.Background()); err != nil {
			return err
		}
		if _, err := c.Write([]byte("more")); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, make([]byte, 4)); err != nil {
			return err
		}
	}
	return nil
}

// combos are what connections can be made of, in the versions that have it.
var combos = []struct {
	name     string
	versions []wire.Version
	change   func(t *testing.T, p *ends)
}{
	{"client certificate", everyVersion, func(t *testing.T, p *ends) {
		withClientCertificate(t, p)
		p.server.ClientAuth = tls.RequireAndVerifyClientCert
	}},
	{"no client certificate", everyVersion, func(_ *testing.T, p *ends) { p.server.ClientAuth = tls.RequestClientCert }},
	{"late client certificate", []wire.Version{wire.TLS13}, func(t *testing.T, p *ends) {
		withClientCertificate(t, p)
		p.client.PostHandshakeAuth, p.serve, p.before = true, then(askForCertificate), readOne
	}},
	{"late client certificate, twice, after KeyUpdates", []wire.Version{wire.TLS13}, func(t *testing.T, p *ends) {
		withClientCertificate(t, p)
		p.client.PostHandshakeAuth, p.before = true, readOne
		p.serve = then(func(c *tls.Conn) error {
			return errors.Join(c.KeyUpdate(true), askForCertificate(c), c.KeyUpdate(true), askForCertificate(c))
		})
	}},
	{"certificate by renegotiation", everyVersion[:4], func(t *testing.T, p *ends) {
		withClientCertificate(t, p)
		p.client.Renegotiation, p.serve, p.before = tls.RenegotiateOnceAsClient, then(askForCertificate), readOne
	}},
	{"three renegotiations", everyVersion[1:4], func(_ *testing.T, p *ends) {
		p.server.Renegotiate.FromClient, p.server.Renegotiate.MinInterval, p.before = true, -1, renegotiate
	}},
	{"KeyUpdates", []wire.Version{wire.TLS13}, func(_ *testing.T, p *ends) { p.before = updateTwice }},
	{"HelloRetryRequest", []wire.Version{wire.TLS13}, func(_ *testing.T, p *ends) {
		p.client.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
		p.server.CurvePreferences, p.server.HelloRetryCookie = []tls.CurveID{tls.CurveP384}, true
	}},
	{"padding and small records", everyVersion[1:], func(_ *testing.T, p *ends) {
		p.client.Record.Padding = func(n int) int { return 100 - n%100 }
		p.client.Record.MaxFragment, p.server.Record.MaxFragment = 64, 61
	}},
	{"compression", everyVersion[1:4], func(_ *testing.T, p *ends) {
		p.client.Legacy.Compression, p.server.Legacy.Compression, p.before = true, true, talk
	}},
	{"compression and renegotiation", everyVersion[1:4], func(_ *testing.T, p *ends) {
		p.client.Legacy.Compression, p.server.Legacy.Compression = true, true
		p.server.Renegotiate.FromClient, p.server.Renegotiate.MinInterval, p.before = true, -1, renegotiate
	}},
	{"no extended master secret, MAC then encrypt", everyVersion[1:4], func(_ *testing.T, p *ends) {
		p.client.Legacy.NoExtendedMasterSecret, p.client.Legacy.NoEncryptThenMAC, p.before = true, true, talk
		p.client.CipherSuites = []uint16{uint16(wire.TLS_RSA_WITH_AES_128_CBC_SHA)}
		p.server.CipherSuites = p.client.CipherSuites
	}},
	{"encrypt then MAC", everyVersion[1:4], func(_ *testing.T, p *ends) {
		p.before = talk
		p.client.CipherSuites = []uint16{uint16(wire.TLS_RSA_WITH_AES_128_CBC_SHA)}
		p.server.CipherSuites = p.client.CipherSuites
	}},
	{"RC4 and much data", everyVersion[:4], func(_ *testing.T, p *ends) {
		p.before = talk
		p.client.CipherSuites = []uint16{uint16(wire.TLS_RSA_WITH_RC4_128_SHA)}
		p.server.CipherSuites = p.client.CipherSuites
	}},
	{"much data", everyVersion, func(_ *testing.T, p *ends) {
		p.before = func(c *tls.Conn) error {
			const n = 200_000
			go c.Write(make([]byte, n))
			_, err := io.ReadFull(c, make([]byte, n)) // Read may use all of its slice: not the one that is written
			return err
		}
	}},
	{"no trust", everyVersion, func(_ *testing.T, p *ends) { p.client.RootCAs, p.fails = nil, true }},
	{"no common version", []wire.Version{wire.TLS12}, func(_ *testing.T, p *ends) {
		p.server.MinVersion, p.server.MaxVersion, p.fails = tls.VersionTLS13, 0, true
	}},
	{"client certificate refused", everyVersion, func(_ *testing.T, p *ends) { p.server.ClientAuth, p.fails = tls.RequireAnyClientCert, true }},
}

// Whatever happens in a connection, the listener sees what the client sees; without keys
// it sees no protected byte.
func TestCombinations(t *testing.T) {
	for _, c := range combos {
		for _, v := range c.versions {
			t.Run(c.name+"/"+v.String(), func(t *testing.T) {
				t.Parallel()
				p := newEnds(t, devca.RSA)
				p.at(v)
				c.change(t, p)
				h := p.connect(t)
				got, _ := h.listen(logOf(h.log), nil)
				h.client.mustEqual(t, got)
				h.mustBeShut(t)
			})
		}
	}
}

// mustBeShut: without keys nothing that is protected is shown.
func (h *heard) mustBeShut(t *testing.T) {
	t.Helper()
	got, sum := h.listen(nil, nil)
	if len(got.records) != len(h.client.records) || len(got.secrets)+len(got.keys) > 0 || sum.Readable {
		t.Errorf("without keys: %d records, %d secrets, %d keys, %+v", len(got.records), len(got.secrets), len(got.keys), sum)
	}
	for _, r := range got.records {
		if r.Epoch > 0 && (r.Unopened == "" || r.Plain != nil) || r.Epoch == 0 && r.Unopened != "" {
			t.Errorf("without keys: %v epoch %d, %q", r.Dir, r.Epoch, r.Unopened)
		}
	}
	for _, m := range got.messages {
		if m.PostHandshake {
			t.Errorf("without keys there is a message after the handshake: %v", m)
		}
	}
}

// A session that is resumed opens by the connection that it resumes, without a line of
// its own in the key log.
func TestResumptions(t *testing.T) {
	for _, c := range []struct {
		kind     string
		versions []wire.Version
		change   func(p *ends)
	}{
		{"ticket", everyVersion[1:4], func(*ends) {}},
		{"id", everyVersion[:4], func(p *ends) {
			p.server.SessionTicketsDisabled, p.server.Resumption.Store = true, session.NewMemory(1<<20)
		}},
		{"psk", everyVersion[4:], func(*ends) {}},
	} {
		for _, v := range c.versions {
			t.Run(c.kind+"/"+v.String(), func(t *testing.T) {
				p := newEnds(t, devca.RSA)
				p.at(v)
				c.change(p)
				first, second := p.connect(t), p.connect(t)
				sessions := new(Sessions)
				keys := logOf(first.log)
				if c.kind == "psk" { // whose fresh key exchange no earlier connection knows
					keys = logOf(append(first.log, second.log...))
				}
				first.listen(keys, sessions)
				got, sum := second.listen(keys, sessions)
				second.client.mustEqual(t, got)
				if sum.Resumed != c.kind || !sum.Readable || !sum.Complete {
					t.Errorf("%+v", sum)
				}
				if c.kind == "psk" {
					return
				}
				// Without hooks the first connection leaves its session behind, too.
				sessions = new(Sessions)
				first.play(New(nil, keys, sessions))
				got, _ = second.listen(nil, sessions)
				second.client.mustEqual(t, got)
				if got, sum := second.listen(keys, nil); sum.Readable || sum.Resumed != c.kind || len(got.keys) > 0 {
					t.Errorf("without the connection before: %+v", sum)
				}
			})
		}
	}
}

// strangers is a certificate that no server of the tests has.
var strangers = sync.OnceValues(func() (tls.Certificate, error) {
	ca, err := authority()
	if err != nil {
		return tls.Certificate{}, err
	}
	return ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: devca.RSA})
})

// In place of the key log the private key opens what was agreed on with RSA, and the
// pre-shared key what was agreed on with it alone.
func TestOtherKeys(t *testing.T) {
	everySuite(t, func(t *testing.T, s *suite.Suite, v wire.Version) {
		kx := s.KeyExchange
		if kx.Share() != wire.ShareNone || kx == wire.KeyExchangeNone {
			t.Skip("neither key suffices")
		}
		p := endsFor(t, s, v)
		h := p.connect(t)
		keys := new(Keys)
		if kx.Encrypted() {
			other, err := issued[devca.RSA]()
			wrong, err2 := strangers()
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			keys.AddRSA(wrong.PrivateKey.(crypto.Decrypter))
			if got, sum := h.listen(keys, nil); sum.Readable || len(got.keys) > 0 {
				t.Errorf("with a key that is another's: %+v", sum)
			}
			keys.AddRSA(other.PrivateKey.(crypto.Decrypter))
		}
		if kx.PSK() {
			if got, sum := h.listen(keys, nil); sum.Readable || len(got.keys) > 0 {
				t.Errorf("without the pre-shared key: %+v", sum)
			}
			keys.AddPSK(identity, []byte(sharedKey))
		}
		got, sum := h.listen(keys, nil)
		h.client.mustEqual(t, got)
		if !sum.Readable || !sum.Complete || sum.Missing != "" {
			t.Errorf("%+v", sum)
		}
		for _, name := range []string{"premaster_secret", "psk", "other_secret"} {
			want := 0
			for _, x := range h.client.secrets {
				if x.Name == name {
					want++
				}
			}
			for _, x := range got.secrets {
				if x.Name == name {
					want--
				}
			}
			if want != 0 {
				t.Errorf("%s: %d more at the client", name, want)
			}
		}
	})
}
