package aesgcm

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"errors"
	"slices"
	"unsafe"
)

const (
	nonceSize = 12
	tagSize   = 16
	// maxPlaintext is the most that one nonce may encrypt. NIST SP 800-38D §5.2.1.1.
	maxPlaintext = (1<<32 - 2) * aes.BlockSize
)

// errOpen is for a ciphertext, additional data, nonce or key that is not the one.
var errOpen = errors.New("aesgcm: message authentication failed")

// New returns AES-GCM with key, of 16, 24 or 32 bytes, which is copied. Seal and Open
// may be called at the same time. The error is an aes.KeySizeError.
//
// Where it is not crypto/cipher's, it has a method Wipe, which clears the key (Seal and
// Open panic afterwards), Rekey, which gives it another, and SealWith, for a plaintext in
// two pieces.
func New(key []byte) (cipher.AEAD, error) {
	if p := pathFor(len(key)); p != portable {
		g := &gcm{path: p}
		p.expand(&g.schedule, key)
		return g, nil
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// A schedule is what a key becomes. The generator relies on this layout.
type schedule struct {
	powers [20][aes.BlockSize]byte // H^20 to H^1: bytes swapped, multiplied by x
	keys   [15][aes.BlockSize]byte // of the rounds; 11 with 128 bits
}

// gcm is the cipher.AEAD of a path that is not portable.
type gcm struct {
	schedule
	path path // portable once it is wiped
}

func (g *gcm) NonceSize() int { return nonceSize }
func (g *gcm) Overhead() int  { return tagSize }

// Wipe clears the key, and all that was computed from it.
func (g *gcm) Wipe() { *g = gcm{} }

// Rekey gives g another key in place of the one it has, or had before Wipe. It reports
// whether that can be: not with a key of a length that crypto/cipher is to have. Nothing may
// use g at the same time.
func (g *gcm) Rekey(key []byte) bool {
	g.Wipe()
	if p := pathFor(len(key)); p != portable {
		g.path = p
		p.expand(&g.schedule, key)
	}
	return g.path != portable
}

// Seal is cipher.AEAD's. It panics where crypto/cipher does: if the nonce is not 12
// bytes long, if plaintext is longer than 2^36 - 32 bytes, and if what it appends would
// overlap plaintext other than exactly, or data at all.
func (g *gcm) Seal(dst, nonce, plaintext, data []byte) []byte {
	n := len(plaintext)
	dst, out := grow(dst, n+tagSize)
	g.check(nonce, uint64(n) <= maxPlaintext, out, plaintext, data)
	g.path.seal(&g.schedule, out, plaintext, nil, nonce, data)
	return dst
}

// SealWith is Seal of plaintext with suffix behind it, without a copy of all of it:
// TLS 1.3 has the type of a record there. suffix must not overlap what is appended.
func (g *gcm) SealWith(dst, nonce, plaintext, suffix, data []byte) []byte {
	n := len(plaintext) + len(suffix)
	dst, out := grow(dst, n+tagSize)
	g.check(nonce, uint64(n) <= maxPlaintext, out, plaintext, data)
	g.check(nonce, true, out, nil, suffix)
	whole := n &^ (g.path.chunk() - 1)
	if whole > len(plaintext) { // the last whole chunk has a part of suffix
		whole = 0
	}
	copy(out[whole:], plaintext[whole:])
	copy(out[len(plaintext):n], suffix)
	last := &out[whole]
	if whole == 0 {
		plaintext, last = out, nil // all is there
	}
	g.path.seal(&g.schedule, out, plaintext, last, nonce, data)
	return dst
}

// Open is cipher.AEAD's, and panics as Seal does. If it fails, what it would have
// appended is zero: no plaintext is left that the tag does not vouch for.
func (g *gcm) Open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	n := len(ciphertext) - tagSize
	if n < 0 || uint64(n) > maxPlaintext {
		g.check(nonce, true, nil, nil, nil)
		return nil, errOpen
	}
	dst, out := grow(dst, n)
	g.check(nonce, true, out, ciphertext, data)
	var tag [tagSize]byte
	g.path.open(&g.schedule, out, ciphertext[:n], nonce, data, &tag)
	if subtle.ConstantTimeCompare(tag[:], ciphertext[n:]) != 1 {
		clear(out)
		return nil, errOpen
	}
	return dst, nil
}

// grow appends n bytes to dst, whose values do not matter, and returns these too.
func grow(dst []byte, n int) (whole, added []byte) {
	whole = slices.Grow(dst, n)[:len(dst)+n]
	return whole, whole[len(dst):]
}

// check panics on what only a mistake of the caller can cause, as crypto/cipher does.
func (g *gcm) check(nonce []byte, fits bool, out, in, data []byte) {
	switch {
	case g.path == portable:
		panic("aesgcm: used after Wipe")
	case len(nonce) != nonceSize:
		panic("aesgcm: the nonce is not 12 bytes long")
	case !fits:
		panic("aesgcm: the plaintext is too long for one nonce")
	case overlap(out, in) && &out[0] != &in[0]:
		panic("aesgcm: output and input overlap, and do not begin at the same byte")
	case overlap(out, data):
		panic("aesgcm: output and additional data overlap")
	}
}

// overlap reports whether a and b have a byte in common.
func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	first, second := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	return first < second+uintptr(len(b)) && second < first+uintptr(len(a))
}
