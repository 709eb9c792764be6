package record

import (
	"encoding"
	"encoding/binary"
	"errors"
	"hash"
	"math/bits"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// maxSecretBytes is by how many bytes the end of the content can vary: the
// padding_length byte says 0 to 255.
const maxSecretBytes = 255

// hmacCT is HMAC over data whose length is a secret, in time that depends only on
// public lengths. With MAC-then-encrypt the content's length depends on padding
// that is not authenticated yet; a time that follows it reveals plaintext (Lucky
// Thirteen, https://www.isg.rhul.ac.uk/tls/Lucky13.html).
//
// HMAC is H(outer pad, H(inner pad, data)). Only the inner hash sees the secret
// length. It ends in one of the few last blocks: all of those are built with masks
// and hashed, the state after each is looked at, and the right one is kept with a
// mask. The sequence of hash and memory operations is the same for every secret.
//
// The state is read through encoding.BinaryAppender, which crypto/sha1, sha256
// and sha512 implement: four bytes that name the hash, then its state, whose
// first bytes are the digest. Were that to change, no record would open.
type hmacCT struct {
	running      statefulHash
	size         int
	blockLen     int
	inner, outer []byte // states after the key's block

	tail   [tailLen]byte
	state  [stateLen]byte
	digest [maxMAC]byte
	sum    [maxMAC]byte
}

type statefulHash interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

const (
	// tailLen is room for every block that may be the last: 255 uncertain bytes, up
	// to two blocks of 128 bytes in which they begin and end, the mark and the length.
	tailLen = 512
	// stateLen is room for the longest marshalled state, SHA-512's 204 bytes.
	stateLen = 256
	// stateOffset is where a marshalled state has the digest.
	stateOffset = 4
)

// newHMACCT errs if h cannot give and take its state; nothing later does.
func newHMACCT(h *suite.Hash, key []byte) (*hmacCT, error) {
	running, ok := h.New().(statefulHash)
	if !ok {
		return nil, errBuild(errors.New(h.Name + " does not give its state"))
	}
	m := &hmacCT{running: running, size: h.Size, blockLen: h.BlockSize}
	var err error
	if m.inner, err = m.keyed(key, 0x36); err != nil {
		return nil, errBuild(err)
	}
	if m.outer, err = m.keyed(key, 0x5c); err != nil {
		return nil, errBuild(err)
	}
	if err := m.running.UnmarshalBinary(m.inner); err != nil {
		return nil, errBuild(err)
	}
	return m, nil
}

// keyed is the state of the hash after key, which is not longer than a block,
// padded with pad. RFC 2104 §2.
func (m *hmacCT) keyed(key []byte, pad byte) ([]byte, error) {
	block := make([]byte, m.blockLen)
	copy(block, key)
	for i := range block {
		block[i] ^= pad
	}
	m.running.Reset()
	m.running.Write(block)
	return m.running.AppendBinary(nil)
}

// mac is HMAC(header + data[:n]). n is secret, and lies between
// len(data)-maxSecretBytes and len(data). The result is valid until the next call.
func (m *hmacCT) mac(header *[pseudoHeaderLen]byte, data []byte, n int) []byte {
	m.running.UnmarshalBinary(m.inner)
	certain, tail := m.writeCertain(header, data)
	m.finish(tail, pseudoHeaderLen+n-certain, m.blockLen+pseudoHeaderLen+n)

	m.running.UnmarshalBinary(m.outer)
	m.running.Write(m.digest[:m.size])
	return m.running.Sum(m.sum[:0])
}

// lengthLen is the length of the length that ends a hash's input. FIPS 180-4 §5.1.
func (m *hmacCT) lengthLen() int { return m.blockLen / 8 }

// shift is for dividing by blockLen: a division may take a time that depends on
// its operands.
func (m *hmacCT) shift() int { return bits.TrailingZeros(uint(m.blockLen)) }

// writeCertain hashes the whole blocks that are content for every n, and returns
// their length and the rest: every block that may be the last. What stands in it
// after data is of an earlier record; finish masks it.
func (m *hmacCT) writeCertain(header *[pseudoHeaderLen]byte, data []byte) (certain int, tail []byte) {
	total := pseudoHeaderLen + len(data)
	certain = max(0, total-maxSecretBytes) / m.blockLen * m.blockLen
	blocks := (total+m.lengthLen())/m.blockLen + 1 - certain/m.blockLen
	tail = m.tail[:blocks*m.blockLen]
	if certain == 0 {
		copy(tail, header[:])
		copy(tail[pseudoHeaderLen:], data)
	} else {
		m.running.Write(header[:])
		m.running.Write(data[:certain-pseudoHeaderLen])
		copy(tail, data[certain-pseudoHeaderLen:])
	}
	return certain, tail
}

// finish hashes tail and leaves in m.digest the state after the block in which
// an input that ends at the secret index end of tail has its padding. inputLen is
// the secret length of the whole input in bytes.
func (m *hmacCT) finish(tail []byte, end, inputLen int) {
	for i, v := range tail {
		tail[i] = v&less(i, end) | 0x80&equal(i, end)
	}
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(inputLen)*8)
	last := (end + m.lengthLen()) >> m.shift()
	clear(m.digest[:])
	for b := range len(tail) / m.blockLen {
		block := tail[b*m.blockLen:][:m.blockLen]
		isLast := equal(b, last)
		for i, v := range length {
			block[m.blockLen-len(length)+i] |= v & isLast
		}
		m.running.Write(block)
		m.running.AppendBinary(m.state[:0])
		for i, v := range m.state[stateOffset:][:m.size] {
			m.digest[i] |= v & isLast
		}
	}
}
