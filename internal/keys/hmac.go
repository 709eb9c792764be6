// Package keys holds the key schedules, one file each, on an HMAC of its own.
//
// A handshake runs dozens of HMACs, and crypto/hmac and crypto/hkdf allocate
// several objects for each. Here the hash states are pooled, wiped after use,
// and a key that serves several HMACs is absorbed once. No argument escapes, so
// callers may pass arrays from their stack.
//
// Functions that return a value of the hash's own length append it to dst, in
// the manner of append: nil allocates, spare capacity does not. Functions whose
// caller chooses the length fill out.
package keys

import (
	"encoding"
	"encoding/binary"
	"hash"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

const (
	maxBlock = 128 // SHA-384
	maxSize  = 48  // SHA-384
)

// digest is what every hash of the standard library is: a hash whose state can
// be saved and put back without allocating.
type digest interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

// engine is what is known of one hash before any key is.
type engine struct {
	size  int
	block int
	fresh []byte        // the state before any input
	empty func() []byte // the hash of no input
	pool  sync.Pool
}

var engines = func() map[*suite.Hash]*engine {
	all := make(map[*suite.Hash]*engine, len(suite.Hashes))
	for _, h := range suite.Hashes {
		d := h.New().(digest)
		fresh, err := d.AppendBinary(nil)
		if err != nil {
			panic("keys: " + h.Name + ": " + err.Error()) // at start-up, and only for a hash that is not the standard library's
		}
		e := &engine{size: h.Size, block: h.BlockSize, fresh: fresh}
		e.empty = sync.OnceValue(func() []byte { return h.New().Sum(nil) }) // SHA-1 refuses to in FIPS 140-only mode
		e.pool.New = func() any { return &mac{engine: e, hash: h.New().(digest)} }
		all[h] = e
	}
	return all
}()

// EmptyHash returns Hash(""). The slice is shared: do not write to it.
func EmptyHash(h *suite.Hash) []byte { return engines[h].empty() }

// mac computes HMACs under one key at a time. RFC 2104 §2.
type mac struct {
	*engine
	hash digest
	// inner and outer are the hash's states after the padded key, kept from the
	// second HMAC under the same key on; most keys serve one HMAC only, and
	// then saving the state would cost more than it brings.
	inner, outer []byte
	saved        [2][256]byte
	used         bool

	// pad is the key, padded with zeros to a block.
	pad [maxBlock]byte
	// buf gathers input: fewer calls through the interface, and nothing that
	// the caller passes escapes to the heap.
	buf [256]byte
	n   int
	sum [maxSize]byte
}

// newMAC takes a mac from the pool, keys it and starts an HMAC. Release it after
// use.
func newMAC(h *suite.Hash, key []byte) *mac {
	m := keyMAC(h, key)
	m.start()
	return m
}

// keyMAC is newMAC without the start.
func keyMAC(h *suite.Hash, key []byte) *mac {
	m := newHash(h)
	if len(key) > m.block {
		m.write(key)
		copy(m.pad[:], m.sumUp())
	} else {
		copy(m.pad[:], key)
	}
	return m
}

// newHash takes a mac from the pool as a plain hash, without a key: write, then
// sumUp. Release it after use.
func newHash(h *suite.Hash) *mac { return engines[h].pool.Get().(*mac) }

// sumUp ends a plain hash and begins another. The result is valid until the
// next one or release.
func (m *mac) sumUp() []byte {
	m.flush()
	sum := m.hash.Sum(m.sum[:0])
	m.reset(m.fresh)
	return sum
}

// release wipes every trace of the key and of what was computed with it.
// Loading the fresh state also overwrites the hash's input block, which Reset
// leaves as it is.
func (m *mac) release() {
	m.reset(m.fresh)
	clear(m.pad[:])
	clear(m.buf[:])
	clear(m.sum[:])
	if m.inner != nil {
		clear(m.inner)
		clear(m.outer)
		m.inner, m.outer = nil, nil
	}
	m.used, m.n = false, 0
	m.pool.Put(m)
}

// reset puts the hash into a saved state, which cannot fail for a state that
// the same hash saved.
func (m *mac) reset(state []byte) {
	if err := m.hash.UnmarshalBinary(state); err != nil {
		panic("keys: " + err.Error())
	}
}

// absorb starts the hash with the padded key, each byte XORed with x.
func (m *mac) absorb(x byte) {
	m.reset(m.fresh)
	eight := uint64(x) * 0x0101010101010101
	for i := 0; i < m.block; i += 8 {
		binary.NativeEndian.PutUint64(m.buf[i:], binary.NativeEndian.Uint64(m.pad[i:])^eight)
	}
	m.hash.Write(m.buf[:m.block])
}

const (
	ipad = 0x36
	opad = 0x5c
)

// start begins an HMAC under the key.
func (m *mac) start() {
	switch {
	case m.inner != nil:
		m.reset(m.inner)
	case m.used:
		m.absorb(opad)
		m.outer, _ = m.hash.AppendBinary(m.saved[1][:0])
		m.absorb(ipad)
		m.inner, _ = m.hash.AppendBinary(m.saved[0][:0])
	default:
		m.absorb(ipad)
	}
	m.used = true
}

// write adds p to the HMAC's input.
func (m *mac) write(p []byte) {
	for len(p) > len(m.buf)-m.n {
		c := copy(m.buf[m.n:], p)
		m.n, p = m.n+c, p[c:]
		m.flush()
	}
	m.n += copy(m.buf[m.n:], p)
}

func (m *mac) writeString(s string) {
	for len(s) > len(m.buf)-m.n {
		c := copy(m.buf[m.n:], s)
		m.n, s = m.n+c, s[c:]
		m.flush()
	}
	m.n += copy(m.buf[m.n:], s)
}

func (m *mac) writeByte(b byte) {
	if m.n == len(m.buf) {
		m.flush()
	}
	m.buf[m.n] = b
	m.n++
}

func (m *mac) flush() {
	m.hash.Write(m.buf[:m.n])
	m.n = 0
}

// finish ends the HMAC. The result is valid until the next finish or release;
// call start for another HMAC under the same key.
func (m *mac) finish() []byte {
	m.flush()
	inner := m.hash.Sum(m.sum[:0])
	if m.outer != nil {
		m.reset(m.outer)
	} else {
		m.absorb(opad)
	}
	m.hash.Write(inner)
	return m.hash.Sum(m.sum[:0])
}

// HMAC appends to dst the HMAC of data's concatenation under key. RFC 2104 §2.
// dst may share memory with key or data.
func HMAC(h *suite.Hash, dst, key []byte, data ...[]byte) []byte {
	m := newMAC(h, key)
	for _, d := range data {
		m.write(d)
	}
	dst = append(dst, m.finish()...)
	m.release()
	return dst
}

// hashOf appends the hash of p to dst.
func hashOf(h *suite.Hash, dst, p []byte) []byte {
	m := newHash(h)
	m.write(p)
	dst = append(dst, m.sumUp()...)
	m.release()
	return dst
}
