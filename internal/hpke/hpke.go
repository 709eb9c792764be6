// Package hpke is the HPKE of crypto/hpke, RFC 9180, as Encrypted Client Hello needs it:
// chosen by numbers from the wire, and with the shared secret of the encapsulation in
// view. With that secret, what was sealed can be opened. A key log has it.
//
// The secret is known for the four Diffie-Hellman KEMs. With any other that crypto/hpke
// has, all works but that.
package hpke

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// curves are those of the Diffie-Hellman KEMs. RFC 9180 §7.1.
var curves = map[wire.HPKEKEM]struct {
	curve ecdh.Curve
	group wire.NamedGroup
}{
	wire.KEMP256:   {ecdh.P256(), wire.GroupP256},
	wire.KEMP384:   {ecdh.P384(), wire.GroupP384},
	wire.KEMP521:   {ecdh.P521(), wire.GroupP521},
	wire.KEMX25519: {ecdh.X25519(), wire.GroupX25519},
}

// Supported reports whether the KEM is implemented.
func Supported(kem wire.HPKEKEM) bool {
	_, err := hpke.NewKEM(uint16(kem))
	return err == nil
}

// SupportedSuite reports whether the derivation and the cipher are implemented.
func SupportedSuite(s wire.HPKESuite) bool {
	_, _, err := functions(s)
	return err == nil
}

func functions(s wire.HPKESuite) (hpke.KDF, hpke.AEAD, error) {
	kdf, err := hpke.NewKDF(uint16(s.KDF))
	if err != nil {
		return nil, nil, fmt.Errorf("the derivation %v is not implemented", s.KDF)
	}
	aead, err := hpke.NewAEAD(uint16(s.AEAD))
	if err != nil || s.AEAD == exportOnly {
		return nil, nil, fmt.Errorf("the cipher %v is not implemented", s.AEAD)
	}
	return kdf, aead, nil
}

const exportOnly wire.HPKEAEAD = 0xffff // it seals nothing

// Overhead is by how many bytes every cipher of RFC 9180 lengthens what it seals.
const Overhead = 16

// Sender seals for one public key.
type Sender struct {
	// Enc is the encapsulated key, for the receiver.
	Enc    []byte
	sender *hpke.Sender
	key    *exchanged // nil where the secret is not known
}

// NewSender encapsulates to a public key. info is bound to what is sealed.
func NewSender(kem wire.HPKEKEM, public []byte, s wire.HPKESuite, info []byte) (*Sender, error) {
	kdf, aead, err := functions(s)
	if err != nil {
		return nil, err
	}
	if c, ok := curves[kem]; ok && alike {
		return newDHSender(c.curve, c.group, kem, public, kdf, aead, info)
	}
	id, err := hpke.NewKEM(uint16(kem))
	if err != nil {
		return nil, fmt.Errorf("the KEM %v is not implemented", kem)
	}
	key, err := id.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	enc, sender, err := hpke.NewSender(key, kdf, aead, info)
	if err != nil {
		return nil, err
	}
	return &Sender{Enc: enc, sender: sender}, nil
}

// newDHSender makes the ephemeral key itself, by package kex. crypto/hpke takes a key
// exchange of others for the receiver only; the context of both sides is the same.
func newDHSender(curve ecdh.Curve, group wire.NamedGroup, kem wire.HPKEKEM, public []byte, kdf hpke.KDF, aead hpke.AEAD, info []byte) (*Sender, error) {
	receiver, err := curve.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	ephemeral, err := kex.Generate(group)
	if err != nil {
		return nil, err
	}
	enc := ephemeral.Share()
	x := &exchanged{kem: kem, public: receiver, enc: enc, exchange: func(*ecdh.PublicKey) ([]byte, error) { return ephemeral.Finish(public) }}
	key, err := hpke.NewDHKEMPrivateKey(x)
	if err != nil {
		return nil, err
	}
	context, err := hpke.NewRecipient(enc, key, kdf, aead, info)
	if err != nil {
		return nil, err
	}
	return &Sender{enc, asSender(context), x}, nil
}

// Seal encrypts plaintext, and binds aad to it. Each call uses the next nonce.
func (s *Sender) Seal(aad, plaintext []byte) ([]byte, error) { return s.sender.Seal(aad, plaintext) }

// SharedSecret is what the KEM has given both sides; nil where it is not known.
func (s *Sender) SharedSecret() []byte { return s.key.sharedSecret() }

// Wipe forgets what SharedSecret is made of. s may be nil.
func (s *Sender) Wipe() {
	if s != nil {
		s.key.wipe()
	}
}

// PrivateKey is a receiver's key.
type PrivateKey struct {
	kem wire.HPKEKEM
	key hpke.PrivateKey
	dh  *ecdh.PrivateKey // nil for a KEM of another kind
}

// NewPrivateKey reads a private key as RFC 9180 §7.1.2 writes it.
func NewPrivateKey(kem wire.HPKEKEM, private []byte) (*PrivateKey, error) {
	if c, ok := curves[kem]; ok {
		key, err := c.curve.NewPrivateKey(private)
		if err != nil {
			return nil, err
		}
		return &PrivateKey{kem: kem, dh: key}, nil
	}
	id, err := hpke.NewKEM(uint16(kem))
	if err != nil {
		return nil, fmt.Errorf("the KEM %v is not implemented", kem)
	}
	key, err := id.NewPrivateKey(private)
	if err != nil {
		return nil, err
	}
	return &PrivateKey{kem: kem, key: key}, nil
}

// Public is the public key, as an ECHConfig has it.
func (k *PrivateKey) Public() []byte {
	if k.dh != nil {
		return k.dh.PublicKey().Bytes()
	}
	return k.key.PublicKey().Bytes()
}

// Receiver opens what one Sender has sealed, in its order.
type Receiver struct {
	receiver *hpke.Recipient
	key      *exchanged
}

// NewReceiver decapsulates enc.
func (k *PrivateKey) NewReceiver(enc []byte, s wire.HPKESuite, info []byte) (*Receiver, error) {
	kdf, aead, err := functions(s)
	if err != nil {
		return nil, err
	}
	key := k.key
	var x *exchanged
	if k.dh != nil {
		x = &exchanged{kem: k.kem, public: k.dh.PublicKey(), enc: bytes.Clone(enc), exchange: k.dh.ECDH}
		if key, err = hpke.NewDHKEMPrivateKey(x); err != nil {
			return nil, err
		}
	}
	receiver, err := hpke.NewRecipient(enc, key, kdf, aead, info)
	if err != nil {
		return nil, err
	}
	return &Receiver{receiver, x}, nil
}

var errSealed = errors.New("what was sealed does not open")

// Open decrypts. One that fails does not use a nonce up.
func (r *Receiver) Open(aad, sealed []byte) ([]byte, error) {
	plain, err := r.receiver.Open(aad, sealed)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}

// SharedSecret is what the KEM has given both sides; nil where it is not known.
func (r *Receiver) SharedSecret() []byte { return r.key.sharedSecret() }

// Wipe forgets what SharedSecret is made of. r may be nil.
func (r *Receiver) Wipe() {
	if r != nil {
		r.key.wipe()
	}
}
