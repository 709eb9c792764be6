package scan

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// secrets13 are those of a handshake in TLS 1.3.
type secrets13 struct {
	share          wire.KeyShareEntry
	handshake      []byte // the handshake secret
	client, server []byte // the traffic secrets of the moment
	resumption     []byte // resumption_master_secret
}

// keys13 makes the handshake's keys, after the ServerHello.
func (c *conversation) keys13() error {
	if c.suite == nil || c.suite.Cipher.AEAD == nil || !c.suite.Allows(wire.TLS13) {
		return fail(Unsupported, "a probe cannot read TLS 1.3 with %v", c.a.Suite)
	}
	s, h := &c.s13, c.suite.Hash
	var psk, shared []byte
	if c.a.Server.Extensions.Has(wire.ExtPreSharedKey) {
		r := c.a.Probe.Hello.Resume
		if r == nil || r.Version < wire.TLS13 {
			return fail(Malformed, "the server picks a pre-shared key that was not offered")
		}
		c.a.Resumed, psk = true, r.secret
	}
	if s.share.Group != 0 || psk == nil {
		private := c.built.keys[s.share.Group]
		if private == nil {
			return fail(Malformed, "the server answers with a key share in %v, for which it has none of ours", s.share.Group)
		}
		var err error
		if shared, err = private.Finish(s.share.Share); err != nil {
			return fail(Malformed, "the server's key share: %w", err)
		}
	}
	early := keys.Extract(h, nil, nil, psk)
	derived := keys.DeriveSecret(h, nil, early, keys.LabelDerived, keys.EmptyHash(h))
	s.handshake = keys.Extract(h, nil, derived, shared)
	digest := c.running(h).Sum(nil)
	s.client = keys.DeriveSecret(h, nil, s.handshake, keys.LabelClientHandshakeTraffic, digest)
	s.server = keys.DeriveSecret(h, nil, s.handshake, keys.LabelServerHandshakeTraffic, digest)
	c.logSecret("CLIENT_HANDSHAKE_TRAFFIC_SECRET", s.client)
	c.logSecret("SERVER_HANDSHAKE_TRAFFIC_SECRET", s.server)
	if len(c.hand) > 0 {
		return fail(Malformed, "the keys change within a record of the server")
	}
	install13(&c.in, c.suite, s.server)
	install13(&c.out, c.suite, s.client)
	return nil
}

func (c *conversation) logSecret(label string, secret []byte) {
	c.a.keyLog = append(c.a.keyLog, fmt.Sprintf("%s %x %x", label, c.built.hello.Random, secret))
}

func install13(half *record.Half, s *suite.Suite, secret []byte) {
	key, iv := make([]byte, s.Cipher.KeyLen), make([]byte, s.Cipher.FixedIVLen)
	keys.TrafficKeys(s, secret, key, iv)
	half.SetKeys(record.Params{Version: wire.TLS13, Suite: s, Key: key, IV: iv})
}

// rest13 goes on from the ServerHello.
func (c *conversation) rest13(stage Stage) error {
	if err := c.until(wire.TypeFinished); err != nil {
		return err
	}
	s, h := &c.s13, c.suite.Hash
	derived := keys.DeriveSecret(h, nil, s.handshake, keys.LabelDerived, keys.EmptyHash(h))
	master := keys.Extract(h, nil, derived, nil)
	digest := c.running(h).Sum(nil)
	s.server = keys.DeriveSecret(h, nil, master, keys.LabelServerTraffic, digest)
	client := keys.DeriveSecret(h, nil, master, keys.LabelClientTraffic, digest)
	c.logSecret("SERVER_TRAFFIC_SECRET_0", s.server)
	c.logSecret("CLIENT_TRAFFIC_SECRET_0", client)
	install13(&c.in, c.suite, s.server)
	if stage < Complete {
		return nil
	}
	if c.a.Request != nil {
		if err := c.sendMessage(&wire.Certificate{RequestContext: c.a.Request.RequestContext}); err != nil {
			return err
		}
	}
	if err := c.sendMessage(&wire.Finished{VerifyData: keys.Finished13(h, nil, s.client, c.running(h).Sum(nil))}); err != nil {
		return err
	}
	s.client = client
	install13(&c.out, c.suite, client)
	s.resumption = keys.DeriveSecret(h, nil, master, keys.LabelResumptionMaster, c.running(h).Sum(nil))
	c.a.Done = true
	return nil
}

// foldFirstHello puts the hash of the first ClientHello into its place. RFC 8446 §4.4.1.
func (c *conversation) foldFirstHello() error {
	if c.suite == nil {
		return fail(Unsupported, "a probe does not know %v", c.a.Suite)
	}
	h := c.suite.Hash.New()
	first := len(c.built.message)
	h.Write(c.transcript[:first])
	folded := h.Sum([]byte{byte(wire.TypeMessageHash), 0, 0, byte(c.suite.Hash.Size)})
	c.transcript = append(folded, c.transcript[first:]...)
	return nil
}

// updated goes on to the server's next keys, after its KeyUpdate.
func (c *conversation) updated() {
	if c.a.Version >= wire.TLS13 && c.a.Done {
		c.s13.server = keys.NextTrafficSecret(c.suite.Hash, nil, c.s13.server)
		install13(&c.in, c.suite, c.s13.server)
	}
}
