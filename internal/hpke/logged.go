package hpke

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/vitrine-tls/vitrine/wire"
)

// Logged opens what a Sender has sealed, by the shared secret that a key log has. crypto/hpke
// begins with a private key, so the key schedule stands here. RFC 9180 §5.1, §5.2.
type Logged struct {
	aead  cipher.AEAD
	nonce []byte
}

var hashes = map[wire.HPKEKDF]func() hash.Hash{wire.KDFSHA256: sha256.New, wire.KDFSHA384: sha512.New384, wire.KDFSHA512: sha512.New}

var ciphers = map[wire.HPKEAEAD]struct {
	keyLen int
	make   func(key []byte) (cipher.AEAD, error)
}{
	wire.AEADAES128: {16, newGCM}, wire.AEADAES256: {32, newGCM}, wire.AEADChaCha20: {32, chacha20poly1305.New},
}

func newGCM(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// FromSecret makes it. info is what NewSender was given.
func FromSecret(shared []byte, kem wire.HPKEKEM, s wire.HPKESuite, info []byte) (*Logged, error) {
	h, known := hashes[s.KDF]
	c, has := ciphers[s.AEAD]
	if !known || !has {
		return nil, fmt.Errorf("what is sealed by %v is not opened from a key log", s)
	}
	id := wire.AppendU16(wire.AppendU16(wire.AppendU16([]byte("HPKE"), kem), s.KDF), s.AEAD)
	extract := func(salt []byte, label string, input []byte) ([]byte, error) {
		return hkdf.Extract(h, append(append([]byte("HPKE-v1"+string(id)), label...), input...), salt)
	}
	// In the mode without a pre-shared key both that and its name are empty.
	name, err := extract(nil, "psk_id_hash", nil)
	if err != nil {
		return nil, err
	}
	bound, err := extract(nil, "info_hash", info)
	if err != nil {
		return nil, err
	}
	secret, err := extract(shared, "secret", nil)
	if err != nil {
		return nil, err
	}
	context := append(append([]byte{0}, name...), bound...)
	expand := func(label string, length int) ([]byte, error) {
		labeled := append(binary.BigEndian.AppendUint16(nil, uint16(length)), "HPKE-v1"+string(id)+label+string(context)...)
		return hkdf.Expand(h, secret, string(labeled), length)
	}
	key, err := expand("key", c.keyLen)
	if err != nil {
		return nil, err
	}
	l := new(Logged)
	if l.aead, err = c.make(key); err != nil {
		return nil, err
	}
	l.nonce, err = expand("base_nonce", l.aead.NonceSize())
	return l, err
}

// Open opens the n-th that was sealed, from 0.
func (l *Logged) Open(n uint64, aad, sealed []byte) ([]byte, error) {
	nonce := append([]byte(nil), l.nonce...)
	for i := range 8 {
		nonce[len(nonce)-1-i] ^= byte(n >> (8 * i))
	}
	plain, err := l.aead.Open(nil, nonce, sealed, aad)
	if err != nil {
		return nil, errSealed
	}
	return plain, nil
}
