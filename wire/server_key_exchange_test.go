package wire

import (
	"bytes"
	"testing"
)

func FuzzServerKeyExchange(f *testing.F) { fuzzMessage(f, TypeServerKeyExchange) }

func TestServerKeyExchangeFields(t *testing.T) {
	g := find(t, "ServerKeyExchange", "openssl-tls12-ecdsa")
	m := decode[*ServerKeyExchange](t, "ServerKeyExchange", g.name)
	if m.Group != GroupX25519 || len(m.Share) != 32 || m.Scheme != ECDSAP256SHA256 || m.Raw != nil {
		t.Errorf("%+v", m)
	}
	if params := m.AppendParams(nil, g.ctx); !bytes.HasPrefix(g.body(), params) || len(params) != 4+32 {
		t.Errorf("what is signed is not the start of the message: %x", params)
	}
	if m := decode[*ServerKeyExchange](t, "ServerKeyExchange", "openssl-tls10"); m.Scheme != 0 || len(m.Signature) == 0 {
		t.Errorf("TLS 1.0: scheme %v, signature %x", m.Scheme, m.Signature)
	}
}

func TestServerKeyExchangeWithExplicitCurveIsRefused(t *testing.T) {
	body := bytes.Clone(find(t, "ServerKeyExchange", "openssl-tls12-ecdsa").body())
	body[0] = 1 // explicit_prime
	c := Context{Version: TLS12, KeyExchange: KeyExchangeECDHE}
	if err := Decode(new(ServerKeyExchange), body, c, nil); err == nil {
		t.Error("explicit_prime was accepted")
	}
}
