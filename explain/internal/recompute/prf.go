package recompute

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"encoding/binary"
	"fmt"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// extract is HKDF-Extract. RFC 5869 §2.2.
func extract(h *suite.Hash, salt, ikm []byte) []byte {
	out, err := hkdf.Extract(h.New, ikm, salt)
	if err != nil { // only for short keys under FIPS 140-only rules
		return nil
	}
	return out
}

// expandLabel is HKDF-Expand-Label with n bytes of output. RFC 8446 §7.1.
//
//	struct {
//	    uint16 length;
//	    opaque label<7..255> = "tls13 " + Label;
//	    opaque context<0..255>;
//	} HkdfLabel;
func expandLabel(h *suite.Hash, secret []byte, label string, context []byte, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
	info = append(append(info, byte(len(context))), context...)
	out, err := hkdf.Expand(h.New, secret, string(info), n)
	if err != nil {
		return nil
	}
	return out
}

func hmacOf(h *suite.Hash, key []byte, data ...[]byte) []byte {
	m := hmac.New(h.New, key)
	for _, d := range data {
		m.Write(d)
	}
	return m.Sum(nil)
}

// prf12 is the PRF of TLS 1.2 with n bytes of output. RFC 5246 §5.
func prf12(h *suite.Hash, secret []byte, label string, seed []byte, n int) []byte {
	seed = append([]byte(label), seed...)
	var out []byte
	for a := seed; len(out) < n; {
		a = hmacOf(h, secret, a)
		out = append(out, hmacOf(h, secret, a, seed)...)
	}
	return out[:n]
}

// prf is that of version v, up to TLS 1.2; h is the suite's hash. SSL 3.0 has no
// labels.
func prf(v wire.Version, h *suite.Hash, secret []byte, label string, seed []byte, n int) []byte {
	switch {
	case v == wire.SSL30:
		return prf30(secret, seed, n)
	case v < wire.TLS12:
		return prf10(secret, label, seed, n)
	}
	return prf12(h, secret, label, seed, n)
}

// join16 writes each part after its length. RFC 4279 §2.
func join16(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(p))), p...)
	}
	return out
}

// prf10 is the PRF of TLS 1.0 and 1.1: that of MD5 with one half of the secret,
// and that of SHA-1 with the other. RFC 2246 §5.
func prf10(secret []byte, label string, seed []byte, n int) []byte {
	half := (len(secret) + 1) / 2
	out := prf12(suite.MD5, secret[:half], label, seed, n)
	for i, b := range prf12(suite.SHA1, secret[len(secret)-half:], label, seed, n) {
		out[i] ^= b
	}
	return out
}

// prf30 is what SSL 3.0 has for a PRF. RFC 6101 §6.1, §6.2.2.
//
//	MD5(secret + SHA("A" + secret + seed)) + MD5(secret + SHA("BB" + secret + seed)) + ...
func prf30(secret, seed []byte, n int) (out []byte) {
	for i := 1; len(out) < n; i++ {
		inner := hashOf(suite.SHA1, bytes.Repeat([]byte{'A' + byte(i-1)}, i), secret, seed)
		out = append(out, hashOf(suite.MD5, secret, inner)...)
	}
	return out[:n]
}

// nested30 is the keyed hash of SSL 3.0's records, from which HMAC came.
// RFC 6101 §5.2.3.1.
//
//	hash(key + pad_2 + hash(key + pad_1 + content))
func nested30(h *suite.Hash, key, content []byte) []byte {
	pad1, pad2 := pads30(h)
	return hashOf(h, key, pad2, hashOf(h, key, pad1, content))
}

// handshake30 is that of Finished and CertificateVerify, where the key follows
// what is hashed. RFC 6101 §5.6.8, §5.6.9.
//
//	hash(master + pad_2 + hash(messages + sender + master + pad_1))
func handshake30(h *suite.Hash, master, messages []byte, sender string) []byte {
	pad1, pad2 := pads30(h)
	return hashOf(h, master, pad2, hashOf(h, messages, []byte(sender), master, pad1))
}

// finished30 is both of them, as Finished and CertificateVerify have it.
func finished30(master, messages []byte, sender string) []byte {
	return append(handshake30(suite.MD5, master, messages, sender), handshake30(suite.SHA1, master, messages, sender)...)
}

func pads30(h *suite.Hash) (pad1, pad2 []byte) {
	n := 48
	if h == suite.SHA1 {
		n = 40
	}
	return bytes.Repeat([]byte{0x36}, n), bytes.Repeat([]byte{0x5c}, n)
}

func hashOf(h *suite.Hash, parts ...[]byte) []byte {
	d := h.New()
	for _, p := range parts {
		d.Write(p)
	}
	return d.Sum(nil)
}

// MD5SHA1 is MD5 and SHA-1 side by side, what the transcript is hashed with
// up to TLS 1.1. RFC 2246 §7.4.9.
var MD5SHA1 = &suite.Hash{Name: "MD5+SHA-1", Size: suite.MD5.Size + suite.SHA1.Size, BlockSize: suite.MD5.BlockSize,
	New: func() hash.Hash { return &twoHashes{suite.MD5.New(), suite.SHA1.New()} }}

type twoHashes struct{ md5, sha1 hash.Hash }

func (t *twoHashes) Write(b []byte) (int, error) { t.md5.Write(b); return t.sha1.Write(b) }
func (t *twoHashes) Sum(b []byte) []byte         { return t.sha1.Sum(t.md5.Sum(b)) }
func (t *twoHashes) Reset()                      { t.md5.Reset(); t.sha1.Reset() }
func (t *twoHashes) Size() int                   { return MD5SHA1.Size }
func (t *twoHashes) BlockSize() int              { return MD5SHA1.BlockSize }

// ScheduleHash is the hash of the key schedule and of the transcript, for a suite
// in a version. RFC 2246 §5, RFC 5246 §5, RFC 8446 §7.1.
func ScheduleHash(v wire.Version, s *suite.Suite) *suite.Hash {
	if v < wire.TLS12 {
		return MD5SHA1
	}
	return s.Hash
}

// HashNamed finds a hash by its name for people.
func HashNamed(name string) (*suite.Hash, error) {
	for _, h := range append(suite.Hashes, MD5SHA1) {
		if h.Name == name {
			return h, nil
		}
	}
	return nil, fmt.Errorf("no hash is called %q", name)
}
