package hpke

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// What crypto/hpke has sealed opens by the shared secret alone, each message by its number.
func TestFromSecret(t *testing.T) {
	for kem, c := range curves {
		key, err := c.curve.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		for kdf := range hashes {
			for aead := range ciphers {
				s := wire.HPKESuite{KDF: kdf, AEAD: aead}
				sender, err := NewSender(kem, key.PublicKey().Bytes(), s, []byte("info"))
				if err != nil {
					t.Fatal(err)
				}
				logged, err := FromSecret(sender.SharedSecret(), kem, s, []byte("info"))
				if err != nil {
					t.Fatal(err)
				}
				for n := range uint64(3) {
					plain := fmt.Append(nil, "message ", n)
					sealed, err := sender.Seal([]byte("bound"), plain)
					if err != nil {
						t.Fatal(err)
					}
					if got, err := logged.Open(n, []byte("bound"), sealed); err != nil || !bytes.Equal(got, plain) {
						t.Errorf("%v, %v, message %d: %q, %v", kem, s, n, got, err)
					}
					if _, err := logged.Open(n+1, []byte("bound"), sealed); err == nil {
						t.Errorf("%v, %v: message %d opens as another", kem, s, n)
					}
				}
				other, err := FromSecret(sender.SharedSecret(), kem, s, []byte("other"))
				if sealed, _ := sender.Seal(nil, nil); err != nil {
					t.Fatal(err)
				} else if _, err := other.Open(3, nil, sealed); err == nil {
					t.Errorf("%v, %v: info is not bound", kem, s)
				}
			}
		}
	}
	if _, err := FromSecret(make([]byte, 32), wire.KEMX25519, wire.HPKESuite{KDF: wire.KDFSHA256, AEAD: exportOnly}, nil); err == nil {
		t.Error("a cipher that seals nothing is taken")
	}
}
