package session

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"reflect"
	"sync/atomic"
)

// xaes is XAES-256-GCM (C2SP): AES-256-GCM with nonces of 24 bytes. The first 12, the salt, and the key make
// a subkey; the other 12 are the nonce under it. AES-GCM's own nonces would be used up after 2³²
// tickets of all servers together (NIST SP 800-38D §8.3), which no server can count alone.
//
// C2SP has a salt for each message. Here a server that seals keeps its salt, and so the subkey at hand, for as
// many messages as it may see: those it can count. Two servers have the same salt with a chance of 2⁻⁹⁶.
type xaes struct {
	block cipher.Block
	mask  [aes.BlockSize]byte // the subkey K1 of AES-CMAC, RFC 4493 §2.3
	own   subkey              // seals
}

type subkey struct {
	salt  [saltSize]byte
	aead  cipher.AEAD
	seals *atomic.Uint64
}

const (
	saltSize    = 12
	messageSize = saltSize + nonceSize + tagSize // beside the plaintext
	// maxSeals is how many random 96-bit nonces one subkey may see.
	maxSeals = 1 << 32
)

// newXAES does not keep key, which has 32 bytes.
func newXAES(key []byte) *xaes {
	x := &xaes{block: newAES(key)}
	x.block.Encrypt(x.mask[:], x.mask[:])
	var carry byte
	for i := len(x.mask) - 1; i >= 0; i-- {
		x.mask[i], carry = x.mask[i]<<1|carry, x.mask[i]>>7
	}
	x.mask[len(x.mask)-1] ^= carry * 0x87
	x.refresh()
	return x
}

// refresh gives x another subkey to seal with.
func (x *xaes) refresh() {
	wipe(x.own.aead)
	x.own.seals = new(atomic.Uint64)
	rand.Read(x.own.salt[:])
	x.own.aead = x.derive(x.own.salt[:])
}

// newAES is for keys of 32 bytes, which no cipher refuses.
func newAES(key []byte) cipher.Block { return must(aes.NewCipher(key)) }

// must is for calls that fail by a mistake of ours alone.
func must[T any](value T, err error) T {
	if err != nil {
		panic("session: " + err.Error())
	}
	return value
}

// derive returns the AEAD of a salt, which takes care of the rest of the nonce. It is to be wiped.
func (x *xaes) derive(salt []byte) cipher.AEAD {
	var key [32]byte
	defer clear(key[:])
	for i := range 2 {
		half := key[16*i : 16*i+16]
		copy(half, []byte{0, byte(i + 1), 'X', 0})
		copy(half[4:], salt)
		for j := range half {
			half[j] ^= x.mask[j]
		}
		x.block.Encrypt(half, half)
	}
	block := newAES(key[:])
	aead := must(cipher.NewGCMWithRandomNonce(block))
	wipe(block) // the AEAD has a copy
	return aead
}

// seal appends nonce, ciphertext and tag to dst, and says false where x is to be refreshed first.
func (x *xaes) seal(dst, plaintext, aad []byte) ([]byte, bool) {
	if x.own.seals.Add(1) > maxSeals {
		return dst, false
	}
	return x.own.aead.Seal(append(dst, x.own.salt[:]...), nil, plaintext, aad), true
}

// worn reports that the subkey has sealed all that it may.
func (x *xaes) worn() bool { return x.own.seals.Load() >= maxSeals }

// open appends the plaintext of a message of messageSize bytes at least to dst.
func (x *xaes) open(dst, message, aad []byte) ([]byte, error) {
	salt, rest := message[:saltSize], message[saltSize:]
	if bytes.Equal(salt, x.own.salt[:]) {
		return x.own.aead.Open(dst, nil, rest, aad)
	}
	aead := x.derive(salt)
	defer wipe(aead)
	return aead.Open(dst, nil, rest, aad)
}

func (x *xaes) wipe() {
	wipe(x.block)
	wipe(x.own.aead)
	clear(x.mask[:])
}

// wipe clears the value that a cipher of the standard library points to: the
// expanded key. These types offer no way to do so, and their memory would wait
// for the garbage collector with the key in it.
func wipe(cipher any) {
	v := reflect.ValueOf(cipher)
	if v.Kind() == reflect.Struct { // NewGCMWithRandomNonce's, around the pointer
		v = v.Field(0)
	}
	if v.Kind() == reflect.Pointer && v.Elem().CanSet() {
		v.Elem().SetZero()
	}
}
