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

// What each real server sends for each key exchange.
func TestServerKeyExchangeOfEachKeyExchange(t *testing.T) {
	for name, want := range map[string]struct {
		hint      string
		group     NamedGroup
		p, share  int
		scheme    SignatureScheme
		signature bool
	}{
		"nss-ssl30-dhe":           {p: 256, share: 256, signature: true},
		"nss-ssl30-dhe-dss":       {p: 256, share: 256, signature: true},
		"openssl-tls10-dhe":       {p: 256, share: 256, signature: true},
		"openssl-tls11-dhe-dss":   {p: 128, share: 128, signature: true},
		"openssl-tls12-dhe-dss":   {p: 128, share: 128, signature: true, scheme: 0x0302},
		"gnutls-tls12-dhe":        {p: 256, share: 256, signature: true, scheme: RSAPKCS1SHA256},
		"openssl-tls12-dh-anon":   {p: 128, share: 128},
		"openssl-tls10-ecdh-anon": {group: GroupX25519, share: 32},
		"gnutls-tls12-ecdh-anon":  {group: GroupP256, share: 65},
		"openssl-tls12-psk":       {hint: "vitrine"},
		"openssl-tls12-rsa-psk":   {hint: "vitrine"},
		"openssl-tls12-dhe-psk":   {hint: "vitrine", p: 128, share: 128},
		"gnutls-tls11-dhe-psk":    {hint: "vitrine", p: 256, share: 256},
		"openssl-tls12-ecdhe-psk": {group: GroupX25519, share: 32},
		"gnutls-tls12-ecdhe-psk":  {hint: "vitrine", group: GroupP256, share: 65},
	} {
		m := decode[*ServerKeyExchange](t, "ServerKeyExchange", name)
		if string(m.Hint) != want.hint || m.Group != want.group || len(m.P) != want.p || len(m.G) > want.p || (len(m.G) > 0) != (want.p > 0) ||
			len(m.Share) != want.share || m.Scheme != want.scheme || (len(m.Signature) > 0) != want.signature || m.Raw != nil {
			t.Errorf("%s: hint %q, group %v, %d bytes of p, %d of g, %d of share, %v, signature %x",
				name, m.Hint, m.Group, len(m.P), len(m.G), len(m.Share), m.Scheme, m.Signature)
		}
	}
}

// All that a ServerKeyExchange has before its signature is what is signed.
func TestServerKeyExchangeParams(t *testing.T) {
	for _, g := range goldens(t, "ServerKeyExchange") {
		m := decode[*ServerKeyExchange](t, "ServerKeyExchange", g.name)
		rest, ok := bytes.CutPrefix(g.body(), m.AppendParams(nil, g.ctx))
		want := 0
		if g.ctx.KeyExchange.Signed() {
			want = 2 + len(m.Signature)
			if m.Scheme != 0 {
				want += 2
			}
		}
		if !ok || len(rest) != want {
			t.Errorf("%s: %d bytes after the parameters, want %d", g.name, len(rest), want)
		}
	}
}

// A key exchange that has no such message is carried, not guessed.
func TestServerKeyExchangeThatShouldNotBe(t *testing.T) {
	for _, k := range []KeyExchange{KeyExchangeNone, KeyExchangeRSA} {
		body := find(t, "ServerKeyExchange", "openssl-tls12-dhe").body()
		var m ServerKeyExchange
		if err := Decode(&m, body, Context{Version: TLS12, KeyExchange: k}, nil); err != nil || !bytes.Equal(m.Raw, body) || m.P != nil {
			t.Errorf("%v: %+v, %v", k, m, err)
		}
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
