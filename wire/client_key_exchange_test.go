package wire

import "testing"

func FuzzClientKeyExchange(f *testing.F) { fuzzMessage(f, TypeClientKeyExchange) }

// What each real client sends for each key exchange: an X25519 public key has
// 32 bytes, a premaster under RSA-2048 has 256.
func TestClientKeyExchangeFields(t *testing.T) {
	for name, want := range map[string]struct {
		identity string
		size     int
	}{
		"nss-ssl30":               {size: 256}, // without a length
		"nss-ssl30-dhe":           {size: 256},
		"openssl-tls10-rsa":       {size: 256},
		"openssl-tls10-dhe":       {size: 256},
		"openssl-tls12-ecdsa":     {size: 32},
		"openssl-tls12-rsa":       {size: 256},
		"openssl-tls12-dhe":       {size: 256},
		"openssl-tls12-dh-anon":   {size: 128},
		"openssl-tls10-ecdh-anon": {size: 32},
		"openssl-tls12-psk":       {identity: "alice"},
		"gnutls-tls12-psk":        {identity: "alice"},
		"openssl-tls12-dhe-psk":   {identity: "alice", size: 128},
		"gnutls-tls11-dhe-psk":    {identity: "alice", size: 256},
		"openssl-tls12-ecdhe-psk": {identity: "alice", size: 32},
		"openssl-tls12-rsa-psk":   {identity: "alice", size: 256},
		"gnutls-tls12-rsa-psk":    {identity: "alice", size: 256},
	} {
		m := decode[*ClientKeyExchange](t, "ClientKeyExchange", name)
		if string(m.Identity) != want.identity || len(m.Exchange) != want.size {
			t.Errorf("%s: identity %q, %d bytes", name, m.Identity, len(m.Exchange))
		}
	}
}
