package handshake

import (
	"encoding"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// transcript is the running hash of the handshake's messages, as they were on
// the wire. Until the suite, and so the hash, is known it keeps the bytes.
// RFC 8446 §4.4.1, RFC 5246 §7.4.9.
type transcript struct {
	hashes map[*suite.Hash]hash.Hash // reused from one handshake to the next
	aside  map[*suite.Hash]hash.Hash // what with uses: likewise
	state  []byte                    // of a hash, on its way from the one to the other
	hash   hash.Hash
	kind   *suite.Hash
	raw    []byte
	// keep is set while the bytes are needed beyond the hash: TLS 1.2 signs
	// them with a hash of its own (RFC 5246 §7.4.8).
	keep bool
}

// use fixes the hash.
func (t *transcript) use(kind *suite.Hash) {
	if t.kind == kind {
		return
	}
	t.kind, t.hash = kind, reused(&t.hashes, kind)
	t.hash.Write(t.raw)
	t.drop()
}

// reused is the hash of that kind, which is made once, with nothing in it.
func reused(from *map[*suite.Hash]hash.Hash, kind *suite.Hash) hash.Hash {
	if *from == nil {
		*from = map[*suite.Hash]hash.Hash{}
	}
	h := (*from)[kind]
	if h == nil {
		h = kind.New()
		(*from)[kind] = h
	}
	h.Reset()
	return h
}

func (t *transcript) add(msg []byte) {
	if t.hash != nil {
		t.hash.Write(msg)
	}
	if t.hash == nil || t.keep {
		t.raw = append(t.raw, msg...)
	}
}

// drop forgets the bytes unless they are still to be signed.
func (t *transcript) drop() {
	if !t.keep {
		t.raw = t.raw[:0]
	}
}

// sum appends the hash of all messages so far.
func (t *transcript) sum(dst []byte) []byte { return t.hash.Sum(dst) }

// retry replaces the first ClientHello by its hash. RFC 8446 §4.4.1.
func (t *transcript) retry(scratch []byte) {
	digest := t.sum(scratch[:0])
	t.hash.Reset()
	t.hash.Write([]byte{byte(wire.TypeMessageHash), 0, 0, byte(len(digest))})
	t.hash.Write(digest)
}

func (t *transcript) reset() {
	t.hash, t.kind, t.keep = nil, nil, false
	clear(t.raw[:cap(t.raw)]) // which may have a hello that was encrypted
	t.raw = t.raw[:0]
}

// with appends the hash of all messages so far and more, by the hash kind, and
// leaves the transcript as it is.
func (t *transcript) with(kind *suite.Hash, more, dst []byte) []byte {
	h := reused(&t.aside, kind)
	if t.hash == nil {
		h.Write(t.raw)
	} else { // a binder is TLS 1.3's, of which no hash errs
		t.state, _ = t.hash.(encoding.BinaryAppender).AppendBinary(t.state[:0])
		_ = h.(encoding.BinaryUnmarshaler).UnmarshalBinary(t.state)
	}
	h.Write(more)
	return h.Sum(dst)
}
