package engine

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// ExternalPSK knows the one that the host has.
func (h *host) ExternalPSK([]byte) (*handshake.ExternalPSK, error) { return h.external, nil }

// hostsKeyAlone are those of a connection whose secrets come of a pre-shared key alone.
var hostsKeyAlone = only(wire.TLS13, func(c, s *host) {
	key := handshake.ExternalPSK{Identity: []byte("id"), Key: bytes.Repeat([]byte("key "), 8), Hash: suite.SHA256}
	c.config.External, s.external = []handshake.ExternalPSK{key}, &key
	c.config.PSKAlone, c.config.PrefersPSKAlone = true, true
	s.config.PSKAlone, s.config.AsksExternal = true, true
})

func TestAKeyAlone(t *testing.T) {
	c, s := hostsKeyAlone(t)
	if l := connect(c, s).run().done(t).talk(t); l.client.Result().Group != 0 {
		t.Errorf("there is a key exchange in the group %v", l.client.Result().Group)
	}
}

// ofPSK are those about external pre-shared keys. RFC 8446 §4.2.9, RFC 9973.
var ofPSK = []offence{
	illegal("does a key exchange beside the PSK, which we did not offer", hostsKeyAlone, wire.Server, serverHello(func(m *wire.ServerHello) {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtKeyShare, Data: []byte(aShare)})
	})),
	{"and the Config demands both", wire.AlertHandshakeFailure, then(hostsKeyAlone, func(c, s *host) { c.config.Beside, s.config.Beside = true, true }), wire.Client,
		clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtPSKKeyExchangeModes, 1, 0) })}, // what it lists is not done beside
	illegal("announces early data, and wants a certificate beside its PSK", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtCertWithExternPSK}, wire.Extension{Type: wire.ExtEarlyData})
	})),
}
