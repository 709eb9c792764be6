package record

import (
	"crypto"
	"crypto/hmac"
	"encoding/binary"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// macRule is how a version makes a MAC with a hash. Both ways are nested:
//
//	hash(outer + hash(inner + header + content))
type macRule struct {
	// pads are inner and outer, which depend on the key alone.
	pads func(h *suite.Hash, key []byte) (inner, outer []byte)
	// build makes the MAC for content whose length is public.
	build func(h *suite.Hash, key []byte) hash.Hash
	// header writes into b what is authenticated before n bytes of content, and
	// returns the part it has used.
	header func(b *[pseudoHeaderLen]byte, seq uint64, hdr Header, n int) []byte
}

// macTLS is HMAC. RFC 2246 §6.2.3.1, RFC 5246 §6.2.3.1.
var macTLS = &macRule{
	pads:  padsTLS,
	build: func(h *suite.Hash, key []byte) hash.Hash { return hmac.New(h.New, key) },
	header: func(b *[pseudoHeaderLen]byte, seq uint64, hdr Header, n int) []byte {
		putPseudoHeader(b, seq, hdr, n)
		return b[:]
	},
}

// padsTLS fills key, which is not longer than a block, up to a block. RFC 2104 §2.
func padsTLS(h *suite.Hash, key []byte) (inner, outer []byte) {
	inner, outer = make([]byte, h.BlockSize), make([]byte, h.BlockSize)
	for i := range inner {
		var k byte
		if i < len(key) {
			k = key[i]
		}
		inner[i], outer[i] = k^0x36, k^0x5c
	}
	return inner, outer
}

// macSSL30 is what HMAC came from. Its header has no version. RFC 6101 §5.2.3.1.
//
//	hash(MAC_write_secret + pad_2 + hash(MAC_write_secret + pad_1 +
//	    seq_num + SSLCompressed.type + SSLCompressed.length + SSLCompressed.fragment))
var macSSL30 = &macRule{
	pads:  padsSSL30,
	build: newMACSSL30,
	header: func(b *[pseudoHeaderLen]byte, seq uint64, hdr Header, n int) []byte {
		binary.BigEndian.PutUint64(b[:], seq)
		b[8] = byte(hdr.Type)
		binary.BigEndian.PutUint16(b[9:], uint16(n))
		return b[:11]
	},
}

// padLen is the length of SSL 3.0's pads. They and the key fill a block of MD5,
// and four bytes less of SHA-1's. RFC 6101 §5.2.3.1.
var padLen = map[crypto.Hash]int{crypto.MD5: 48, crypto.SHA1: 40}

func padsSSL30(h *suite.Hash, key []byte) (inner, outer []byte) {
	inner, outer = append(inner, key...), append(outer, key...)
	for range padLen[h.Crypto] {
		inner, outer = append(inner, 0x36), append(outer, 0x5c)
	}
	return inner, outer
}

// keyedSSL30 is the MAC of SSL 3.0 as a hash. After Sum it wants a Reset.
type keyedSSL30 struct {
	hash.Hash
	inner, outer []byte
	digest       [maxMAC]byte
}

func newMACSSL30(h *suite.Hash, key []byte) hash.Hash {
	k := &keyedSSL30{Hash: h.New()}
	k.inner, k.outer = padsSSL30(h, key)
	k.Reset()
	return k
}

func (k *keyedSSL30) Reset() {
	k.Hash.Reset()
	k.Hash.Write(k.inner)
}

func (k *keyedSSL30) Sum(dst []byte) []byte {
	digest := k.Hash.Sum(k.digest[:0])
	k.Hash.Reset()
	k.Hash.Write(k.outer)
	k.Hash.Write(digest)
	return k.Hash.Sum(dst)
}

// recordMAC makes the MAC of one record after the other, whose lengths are public.
type recordMAC struct {
	hash.Hash
	rule   *macRule
	header [pseudoHeaderLen]byte
}

func newMAC(h *Half) *recordMAC {
	m, rule := h.suite.MAC, h.row.mac
	return &recordMAC{Hash: rule.build(m.Hash, h.mac[:m.Len]), rule: rule}
}

// append appends the MAC over content, and what of hdr belongs to it, to dst.
func (m *recordMAC) append(dst []byte, seq uint64, hdr Header, content []byte) []byte {
	m.Reset()
	m.Write(m.rule.header(&m.header, seq, hdr, len(content)))
	m.Write(content)
	return m.Sum(dst)
}

// overheadMAC is a MAC and nothing else.
func overheadMAC(s *suite.Suite) int { return s.MAC.Len }
