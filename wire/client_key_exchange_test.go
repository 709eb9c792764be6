package wire

import "testing"

func FuzzClientKeyExchange(f *testing.F) { fuzzMessage(f, TypeClientKeyExchange) }

func TestClientKeyExchangeFields(t *testing.T) {
	for name, size := range map[string]int{
		"openssl-tls12-ecdsa": 32,  // an X25519 public key
		"openssl-tls12-rsa":   256, // a premaster under RSA-2048
		"openssl-tls12-dhe":   256, // a public key in a 2048-bit field
	} {
		if m := decode[*ClientKeyExchange](t, "ClientKeyExchange", name); len(m.Exchange) != size {
			t.Errorf("%s: %d bytes", name, len(m.Exchange))
		}
	}
}
