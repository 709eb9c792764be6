package hpke

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/hex"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

var suites = []wire.HPKESuite{
	{KDF: wire.KDFSHA256, AEAD: wire.AEADAES128}, {KDF: wire.KDFSHA256, AEAD: wire.AEADAES256}, {KDF: wire.KDFSHA384, AEAD: wire.AEADChaCha20}, {KDF: wire.KDFSHA512, AEAD: wire.AEADAES128},
}

// What a Sender seals a Receiver opens, and crypto/hpke too, with every KEM; both sides
// have one secret.
func TestSealAndOpen(t *testing.T) {
	for _, kem := range []wire.HPKEKEM{wire.KEMX25519, wire.KEMP256, wire.KEMP384, wire.KEMP521, 0x647a} {
		id, err := hpke.NewKEM(uint16(kem))
		if err != nil {
			t.Fatal(err)
		}
		made, err := id.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		private, err := made.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		key, err := NewPrivateKey(kem, private)
		if err != nil || !bytes.Equal(key.Public(), made.PublicKey().Bytes()) || !Supported(kem) {
			t.Fatalf("%v: %v", kem, err)
		}
		for _, s := range suites {
			info := []byte("info")
			sender, err := NewSender(kem, key.Public(), s, info)
			if err != nil {
				t.Fatal(err)
			}
			receiver, err := key.NewReceiver(sender.Enc, s, info)
			if err != nil {
				t.Fatal(err)
			}
			kdf, aead, _ := functions(s)
			std, err := hpke.NewRecipient(sender.Enc, made, kdf, aead, info)
			if err != nil {
				t.Fatal(err)
			}
			for _, text := range []string{"first", "second"} {
				sealed, err := sender.Seal([]byte("aad"), []byte(text))
				if err != nil || len(sealed) != len(text)+Overhead {
					t.Fatal(err)
				}
				if _, err := receiver.Open([]byte("other"), sealed); err == nil {
					t.Errorf("%v, %v: opens with other data beside it", kem, s)
				}
				for _, open := range []func(aad, sealed []byte) ([]byte, error){receiver.Open, std.Open} {
					if got, err := open([]byte("aad"), sealed); err != nil || string(got) != text {
						t.Errorf("%v, %v: %q, %v", kem, s, got, err)
					}
				}
			}
			if _, dh := curves[kem]; dh != (sender.SharedSecret() != nil) || !bytes.Equal(sender.SharedSecret(), receiver.SharedSecret()) {
				t.Errorf("%v, %v: the secret of the sender is %x, of the receiver %x", kem, s, sender.SharedSecret(), receiver.SharedSecret())
			}
		}
	}
	if !alike {
		t.Error("crypto/hpke's Sender and Recipient are no longer alike: the sender's secret is not known")
	}
}

// After Wipe the secret is gone, where there was one.
func TestWipe(t *testing.T) {
	for _, kem := range []wire.HPKEKEM{wire.KEMX25519, 0x647a} {
		id, _ := hpke.NewKEM(uint16(kem))
		made, err := id.GenerateKey()
		if err != nil {
			t.Fatal(err)
		}
		private, _ := made.Bytes()
		key, _ := NewPrivateKey(kem, private)
		sender, err := NewSender(kem, key.Public(), suites[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		receiver, err := key.NewReceiver(sender.Enc, suites[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		var dh [][]byte
		for _, x := range []*exchanged{sender.key, receiver.key} {
			if x != nil {
				dh = append(dh, x.dh)
			}
		}
		sender.Wipe()
		receiver.Wipe()
		for _, b := range dh {
			if len(b) == 0 || len(bytes.Trim(b, "\x00")) > 0 {
				t.Errorf("%v: %x is left", kem, b)
			}
		}
		if sender.SharedSecret() != nil || receiver.SharedSecret() != nil {
			t.Errorf("%v: the secret is left", kem)
		}
	}
	(*Sender)(nil).Wipe()
	(*Receiver)(nil).Wipe()
}

// The shared secret of RFC 9180 §A.1.1.
func TestSharedSecret(t *testing.T) {
	octets := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := NewPrivateKey(wire.KEMX25519, octets("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := key.NewReceiver(octets("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431"), suites[0], octets("4f6465206f6e2061204772656369616e2055726e"))
	if err != nil {
		t.Fatal(err)
	}
	if want := octets("fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc"); !bytes.Equal(r.SharedSecret(), want) {
		t.Errorf("%x, want %x", r.SharedSecret(), want)
	}
	plain, err := r.Open(octets("436f756e742d30"), octets("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"))
	if err != nil || string(plain) != "Beauty is truth, truth beauty" {
		t.Errorf("%q, %v", plain, err)
	}
}

func TestWhatCannotBe(t *testing.T) {
	key, _ := NewPrivateKey(wire.KEMX25519, bytes.Repeat([]byte{1}, 32))
	for name, err := range map[string]error{
		"a KEM that nobody has": second(NewSender(0x9999, []byte{1}, suites[0], nil)),
		"its private key":       second(NewPrivateKey(0x9999, []byte{1})),
		"a short public key":    second(NewSender(wire.KEMX25519, []byte{1}, suites[0], nil)),
		"a short hybrid one":    second(NewSender(0x647a, []byte{1}, suites[0], nil)),
		"a short private key":   second(NewPrivateKey(wire.KEMP256, []byte{1})),
		"a short hybrid key":    second(NewPrivateKey(0x647a, []byte{1})),
		"small order":           second(NewSender(wire.KEMX25519, make([]byte, 32), suites[0], nil)),
		"small order received":  second(key.NewReceiver(make([]byte, 32), suites[0], nil)),
		"a short encapsulation": second(key.NewReceiver([]byte{1}, suites[0], nil)),
		"another derivation":    second(key.NewReceiver(make([]byte, 32), wire.HPKESuite{KDF: 0x1111, AEAD: 1}, nil)),
		"no cipher":             second(NewSender(wire.KEMX25519, key.Public(), wire.HPKESuite{KDF: 1, AEAD: exportOnly}, nil)),
	} {
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if Supported(0x9999) || SupportedSuite(wire.HPKESuite{KDF: 1, AEAD: 0x2222}) || !SupportedSuite(suites[0]) {
		t.Error("what is supported is not what works")
	}
	if _, err := ecdh.X25519().NewPublicKey(key.Public()); err != nil {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }
