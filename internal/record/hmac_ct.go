package record

import (
	"crypto"
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

// hmacCT is HMAC, or SSL 3.0's MAC, over data whose length is a secret, in time
// that depends only on public lengths. With MAC-then-encrypt the content's length
// depends on padding that is not authenticated yet; a time that follows it reveals
// plaintext (Lucky Thirteen, https://www.isg.rhul.ac.uk/tls/Lucky13.html).
//
// Both are H(outer pad, H(inner pad, data)). Only the inner hash sees the secret
// length. It ends in one of the few last blocks: all of those are built with masks
// and hashed, the state after each is looked at, and the right one is kept with a
// mask. The sequence of hash and memory operations is the same for every secret.
//
// The state is read through encoding.BinaryAppender, which crypto/md5, sha1, sha256
// and sha512 implement: four bytes that name the hash, then its state, whose
// first words are the digest. Were that to change, no record would open.
type hmacCT struct {
	running  statefulHash
	size     int
	blockLen int
	order    binary.ByteOrder // of the digest's words and of the length

	inner, outer []byte // states after the pads, whole blocks of the inner one
	innerLen     int    // length of those blocks
	head         []byte // what of the inner pad is no whole block, and the header

	tail   [tailLen]byte
	state  [stateLen]byte
	length [8]byte
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

// littleEndian are the hashes that write numbers so; a marshalled state has all of
// them big-endian. RFC 1321 §3.2.
var littleEndian = map[crypto.Hash]bool{crypto.MD5: true}

// newHMACCT errs if h cannot give and take its state; nothing later does.
func newHMACCT(rule *macRule, h *suite.Hash, key []byte) (*hmacCT, error) {
	running, ok := h.New().(statefulHash)
	if !ok {
		return nil, errBuild(errors.New(h.Name + " does not give its state"))
	}
	m := &hmacCT{running: running, size: h.Size, blockLen: h.BlockSize, order: binary.BigEndian}
	if littleEndian[h.Crypto] {
		m.order = binary.LittleEndian
	}
	inner, outer := rule.pads(h, key)
	m.innerLen = len(inner) / m.blockLen * m.blockLen
	rest := inner[m.innerLen:]
	m.head = append(make([]byte, 0, len(rest)+pseudoHeaderLen), rest...)
	var err error
	if m.inner, err = m.after(inner[:m.innerLen]); err != nil {
		return nil, errBuild(err)
	}
	if m.outer, err = m.after(outer); err != nil {
		return nil, errBuild(err)
	}
	if err := m.running.UnmarshalBinary(m.inner); err != nil {
		return nil, errBuild(err)
	}
	return m, nil
}

// after is the state of the hash after pad.
func (m *hmacCT) after(pad []byte) ([]byte, error) {
	m.running.Reset()
	m.running.Write(pad)
	return m.running.AppendBinary(nil)
}

// mac is the MAC of header + data[:n]. n is secret, and lies between
// len(data)-maxSecretBytes and len(data). The result is valid until the next call.
func (m *hmacCT) mac(header, data []byte, n int) []byte {
	m.running.UnmarshalBinary(m.inner)
	head := append(m.head, header...)
	certain, tail := m.writeCertain(head, data)
	m.finish(tail, len(head)+n-certain, m.innerLen+len(head)+n)

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
func (m *hmacCT) writeCertain(head, data []byte) (certain int, tail []byte) {
	total := len(head) + len(data)
	certain = max(0, total-maxSecretBytes) / m.blockLen * m.blockLen
	blocks := (total+m.lengthLen())/m.blockLen + 1 - certain/m.blockLen
	tail = m.tail[:blocks*m.blockLen]

	ofHead := min(certain, len(head))
	m.running.Write(head[:ofHead])
	m.running.Write(data[:certain-ofHead])
	k := copy(tail, head[ofHead:])
	copy(tail[k:], data[certain-ofHead:])
	return certain, tail
}

// finish hashes tail and leaves in m.digest the digest after the block in which
// an input that ends at the secret index end of tail has its padding. inputLen is
// the secret length of the whole input in bytes.
func (m *hmacCT) finish(tail []byte, end, inputLen int) {
	for i, v := range tail {
		tail[i] = v&less(i, end) | 0x80&equal(i, end)
	}
	m.order.PutUint64(m.length[:], uint64(inputLen)*8)
	last := (end + m.lengthLen()) >> m.shift()
	clear(m.digest[:])
	for b := range len(tail) / m.blockLen {
		block := tail[b*m.blockLen:][:m.blockLen]
		isLast := equal(b, last)
		for i, v := range m.length {
			block[m.blockLen-len(m.length)+i] |= v & isLast
		}
		m.running.Write(block)
		m.running.AppendBinary(m.state[:0])
		for i, v := range m.state[stateOffset:][:m.size] {
			m.digest[i] |= v & isLast
		}
	}
	for i := 0; i < m.size; i += 4 {
		word := m.digest[i:][:4]
		m.order.PutUint32(word, binary.BigEndian.Uint32(word))
	}
}
