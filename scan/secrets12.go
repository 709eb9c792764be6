package scan

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// schedules are the key schedules up to TLS 1.2.
var schedules = map[wire.Version]*keys.Schedule{
	wire.SSL30: keys.SSL30, wire.TLS10: keys.TLS10, wire.TLS11: keys.TLS11, wire.TLS12: keys.TLS12,
}

// secrets12 are those of a handshake up to TLS 1.2.
type secrets12 struct {
	schedule *keys.Schedule
	hash     *suite.Hash
	master   []byte
	block    keys.KeyBlock
	verify   []byte // of our Finished
}

// rest12 goes on from the ServerHello.
func (c *conversation) rest12(stage Stage) error {
	s := &c.s12
	s.schedule = schedules[c.a.Version]
	if s.schedule == nil {
		return fail(Malformed, "the server picks %v", c.a.Version)
	}
	if r := c.a.Probe.Hello.Resume; r != nil && r.Version < wire.TLS13 && len(c.a.Server.SessionID) > 0 && bytes.Equal(c.a.Server.SessionID, c.built.hello.SessionID) {
		return c.resumed12(r)
	}
	if err := c.until(wire.TypeServerHelloDone); err != nil || stage == Flight {
		return err
	}
	premaster, exchange, err := c.exchange()
	if err != nil {
		return err
	}
	if err := c.sendNoCertificate(); err != nil {
		return err
	}
	if err := c.sendMessage(&wire.ClientKeyExchange{Exchange: exchange}); err != nil {
		return err
	}
	s.hash = s.schedule.Hash(c.suite)
	if c.a.Has(wire.ExtExtendedMasterSecret) && s.schedule.ExtendedMaster != nil {
		s.master = s.schedule.ExtendedMaster(s.hash, nil, premaster, c.running(s.hash).Sum(nil))
	} else {
		s.master = s.schedule.Master(s.hash, nil, premaster, c.built.hello.Random, c.a.Server.Random)
	}
	s.derive(c)
	if err := c.sendFinished12(); err != nil {
		return err
	}
	return c.serverFinished12()
}

// resumed12 goes on where the server has taken a session.
func (c *conversation) resumed12(r *Session) error {
	if c.suite == nil || c.a.Suite != r.Suite {
		return fail(Malformed, "the server goes on with a session and another suite")
	}
	c.a.Resumed = true
	s := &c.s12
	s.hash, s.master = s.schedule.Hash(c.suite), r.secret
	s.derive(c)
	if err := c.until(wire.TypeFinished); err != nil || c.a.Probe.Until < Complete {
		return err
	}
	if err := c.sendFinished12(); err != nil {
		return err
	}
	c.a.Done = true
	return nil
}

// derive makes the keys from the master secret.
func (s *secrets12) derive(c *conversation) {
	s.block = s.schedule.KeyBlock(c.suite, nil, s.master, c.built.hello.Random, c.a.Server.Random)
	c.a.keyLog = append(c.a.keyLog, "CLIENT_RANDOM "+hex.EncodeToString(c.built.hello.Random)+" "+hex.EncodeToString(s.master))
}

// running is the transcript's hash so far.
func (c *conversation) running(h *suite.Hash) hash.Hash {
	x := h.New()
	x.Write(c.transcript)
	return x
}

// install begins the keys of a direction.
func (s *secrets12) install(half *record.Half, c *conversation, from wire.Role) error {
	if s.master == nil {
		return fail(Malformed, "change_cipher_spec comes before there are keys")
	}
	p := record.Params{Version: c.a.Version, Suite: c.suite, Compression: wire.CompressionNull,
		Key: s.block.ClientKey, IV: s.block.ClientIV, MAC: s.block.ClientMAC, EncryptThenMAC: c.a.Has(wire.ExtEncryptThenMAC)}
	if from == wire.Server {
		p.Key, p.IV, p.MAC = s.block.ServerKey, s.block.ServerIV, s.block.ServerMAC
	}
	half.SetKeys(p)
	return nil
}

func (c *conversation) sendFinished12() error {
	s := &c.s12
	if err := c.send(wire.ContentChangeCipherSpec, []byte{wire.ChangeCipherSpecContent}); err != nil {
		return err
	}
	if err := s.install(&c.out, c, wire.Client); err != nil {
		return err
	}
	s.verify = s.schedule.Finished(s.hash, nil, s.master, wire.Client, c.running(s.hash))
	return c.sendMessage(&wire.Finished{VerifyData: s.verify})
}

// serverFinished12 reads what the server ends the handshake with.
func (c *conversation) serverFinished12() error {
	if err := c.until(wire.TypeFinished); err != nil {
		return err
	}
	if c.in.Epoch() == 0 {
		return fail(Malformed, "the server's Finished is not protected")
	}
	c.a.Done = true
	if id := c.a.Server.SessionID; len(id) > 0 {
		c.keep(&Session{ID: id})
	}
	return nil
}

// keep adds a session to the answer.
func (c *conversation) keep(s *Session) {
	s.Version, s.Suite, s.extended = c.a.Version, c.a.Suite, c.a.Has(wire.ExtExtendedMasterSecret)
	if s.secret == nil {
		s.secret = c.s12.master
	}
	c.a.Sessions = append(c.a.Sessions, s)
}

// sendNoCertificate answers a request for a certificate with none.
func (c *conversation) sendNoCertificate() error {
	switch {
	case c.a.Request == nil:
		return nil
	case c.a.Version == wire.SSL30:
		return c.alert(wire.Alert{Level: wire.LevelWarning, Code: wire.AlertNoCertificate})
	}
	return c.sendMessage(&wire.Certificate{})
}

// exchange does the client's half of the key exchange.
func (c *conversation) exchange() (premaster, sent []byte, err error) {
	if c.suite == nil || c.suite.KeyExchange.PSK() {
		return nil, nil, fail(Unsupported, "a probe cannot complete a handshake with %v", c.a.Suite)
	}
	if c.a.Server.CompressionMethod != wire.CompressionNull {
		return nil, nil, fail(Unsupported, "a probe does not compress")
	}
	if c.suite.KeyExchange.Encrypted() {
		public, err := c.rsaKey()
		if err != nil {
			return nil, nil, err
		}
		secret, encrypted, err := kex.SealPremaster(public, c.built.hello.LegacyVersion)
		if err != nil {
			return nil, nil, fail(Unsupported, "the server's key: %w", err)
		}
		return secret[:], encrypted, nil
	}
	x := c.a.KeyExchange
	if x == nil {
		return nil, nil, fail(Malformed, "the server sends no ServerKeyExchange")
	}
	if x.Group != 0 {
		return exchangeIn(x.Group, x.Share)
	}
	group, err := kex.NewDH(x.P, x.G)
	if err != nil {
		return nil, nil, fail(Unsupported, "the server's finite field: %w", err)
	}
	private, err := group.Generate()
	if err != nil {
		return nil, nil, fail(Unsupported, "the server's finite field: %w", err)
	}
	premaster, err = private.Finish(x.Share)
	if err != nil {
		return nil, nil, fail(Malformed, "the server's key share: %w", err)
	}
	return premaster, private.Share(), nil
}

func exchangeIn(group wire.NamedGroup, share []byte) (premaster, sent []byte, err error) {
	private, err := kex.Generate(group)
	if err != nil {
		return nil, nil, fail(Unsupported, "the server's group: %w", err)
	}
	premaster, err = private.Finish(share)
	if err != nil {
		return nil, nil, fail(Malformed, "the server's key share: %w", err)
	}
	return premaster, private.Share(), nil
}

// rsaKey is the key of the server's certificate.
func (c *conversation) rsaKey() (*rsa.PublicKey, error) {
	if len(c.a.Certificates) == 0 {
		return nil, fail(Malformed, "the server sends no certificate")
	}
	cert, err := x509.ParseCertificate(c.a.Certificates[0])
	if err != nil {
		return nil, fail(Malformed, "the server's certificate: %w", err)
	}
	public, ok := cert.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() > maxRSABits || public.E > 1<<31-1 {
		return nil, fail(Malformed, "the key of the server's certificate does not fit the suite")
	}
	return public, nil
}

// maxRSABits bounds what a server can make us compute.
const maxRSABits = 16384
