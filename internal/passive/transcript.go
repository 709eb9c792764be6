package passive

import (
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// transcript is the running hash of a handshake's messages. Until the hash is known it
// keeps the bytes, which are those of one ClientHello.
type transcript struct {
	hash hash.Hash
	raw  []byte
}

func (t *transcript) use(kind *suite.Hash) {
	if t.hash == nil {
		t.hash = kind.New()
		t.hash.Write(t.raw)
		t.raw = nil
	}
}

func (t *transcript) add(msg []byte) {
	if t.hash != nil {
		t.hash.Write(msg)
	} else if len(t.raw)+len(msg) <= 2*maxHello {
		t.raw = append(t.raw, msg...)
	}
}

// sum is the hash of all messages so far; nil while the hash is not known.
func (t *transcript) sum() []byte {
	if t.hash == nil {
		return nil
	}
	return t.hash.Sum(nil)
}

// retry replaces the first ClientHello by its hash. RFC 8446 §4.4.1.
func (t *transcript) retry(kind *suite.Hash) {
	t.use(kind)
	digest := t.sum()
	t.hash.Reset()
	t.hash.Write([]byte{byte(wire.TypeMessageHash), 0, 0, byte(len(digest))})
	t.hash.Write(digest)
}

// clone is a transcript that goes on from here, on its own; nil where the hash is not known.
func (t *transcript) clone() *transcript {
	c, ok := t.hash.(hash.Cloner)
	if !ok {
		return nil
	}
	h, err := c.Clone()
	if err != nil {
		return nil
	}
	return &transcript{hash: h}
}
