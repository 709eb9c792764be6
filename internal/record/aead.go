package record

import (
	"crypto/cipher"
	"encoding/binary"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// nonceLen is the length of every AEAD's nonce in TLS. RFC 5116 §5, RFC 7905 §2.
const nonceLen = 12

// aeadKey is an AEAD with what every record of its epoch needs. The scratch is
// here because what is passed to an interface would be allocated for each record.
type aeadKey struct {
	cipher.AEAD
	pieces sealerOfPieces // the AEAD, if it is one, else nil
	of     *suite.Cipher  // what built the AEAD

	iv    [nonceLen]byte
	nonce [nonceLen]byte
	// data is additional data: in TLS 1.2 the 13 bytes of RFC 5246 §6.2.3.3.
	data [pseudoHeaderLen]byte
}

// sealerOfPieces is an AEAD that seals a plaintext in two pieces, as those of
// internal/primitive do: the first is not copied before it is encrypted.
type sealerOfPieces interface {
	SealWith(dst, nonce, plaintext, suffix, data []byte) []byte
}

// rekeyed is an AEAD that takes one key after the other, as those of internal/primitive do:
// its memory can serve another connection.
type rekeyed interface {
	Wipe()
	Rekey(key []byte) bool
}

// wipedAEAD12 and wipedAEAD13 hold ciphers that have served, without their keys. They have
// left their Half, so that nobody else has them.
var wipedAEAD12, wipedAEAD13 sync.Pool

// set gives k the keys of h.
func (k *aeadKey) set(h *Half) error {
	c := h.suite.Cipher
	key := h.key[:c.KeyLen]
	k.iv = [nonceLen]byte(h.iv[:])
	if a, ok := k.AEAD.(rekeyed); ok && k.of == c && a.Rekey(key) {
		return nil
	}
	a, err := c.AEAD(key)
	if err != nil {
		return errBuild(err)
	}
	k.AEAD, k.of = a, c
	k.pieces, _ = a.(sealerOfPieces)
	return nil
}

// wipe clears the key where the AEAD offers that, as those of internal/primitive do
// and those of the standard library do not. It reports whether k can be set again.
func (k *aeadKey) wipe() (again bool) {
	if a, ok := k.AEAD.(interface{ Wipe() }); ok {
		a.Wipe()
	}
	kept := aeadKey{AEAD: k.AEAD, pieces: k.pieces, of: k.of}
	*k = aeadKey{}
	if _, again = kept.AEAD.(rekeyed); again {
		*k = kept
	}
	return again
}

// xorNonce is the IV with the sequence number added into its last eight bytes.
// RFC 8446 §5.3, RFC 7905 §2.
func (k *aeadKey) xorNonce(seq uint64) []byte {
	k.nonce = k.iv
	tail := k.nonce[nonceLen-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
	return k.nonce[:]
}

// destination is where n opened bytes go: dst if it has the room, or the place
// of the ciphertext.
func destination(dst, ciphertext []byte, n int) (room []byte, into bool) {
	if len(dst) >= n && n > 0 {
		return dst[:0], true
	}
	return ciphertext[:0], false
}

// aead12 is the AEAD protection of TLS 1.2: the content type is in the clear,
// and the nonce may be partly in the record. RFC 5246 §6.2.3.3.
type aead12 struct {
	aeadKey
	explicit int // bytes of nonce in each record, 8 or 0
}

func newAEAD12(h *Half) (*aead12, error) {
	a, _ := wipedAEAD12.Get().(*aead12)
	if a == nil {
		a = new(aead12)
	}
	a.explicit = h.suite.Cipher.ExplicitNonceLen
	return a, a.set(h)
}

func (a *aead12) wipe() {
	if a.aeadKey.wipe() {
		wipedAEAD12.Put(a)
	}
}

func sealAEAD12(h *Half) (ciphers, error) { return newAEAD12(h) }
func openAEAD12(h *Half) (ciphers, error) { return newAEAD12(h) }

func overheadAEAD12(s *suite.Suite) int { return s.Cipher.ExplicitNonceLen + s.Cipher.TagLen }

// nonceFor is the nonce of record seq: the fixed IV and the record's explicit
// part (RFC 5288 §3), or the IV and seq where there is none (RFC 7905 §2).
func (a *aead12) nonceFor(explicit []byte, seq uint64) []byte {
	if a.explicit == 0 {
		return a.xorNonce(seq)
	}
	a.nonce = a.iv
	copy(a.nonce[nonceLen-a.explicit:], explicit)
	return a.nonce[:]
}

// The explicit nonce is the sequence number: unique without being drawn.
func (a *aead12) seal(dst []byte, hdr Header, seq uint64, content []byte, _ int) ([]byte, error) {
	putPseudoHeader(&a.data, seq, hdr, len(content))
	hdr.Length = a.explicit + len(content) + a.Overhead()
	dst = AppendHeader(dst, hdr)
	if a.explicit > 0 {
		dst = binary.BigEndian.AppendUint64(dst, seq)
	}
	return a.Seal(dst, a.nonceFor(dst[len(dst)-a.explicit:], seq), content, a.data[:]), nil
}

func (a *aead12) open(dst, rec []byte, seq uint64) (opened, error) {
	hdr, fragment := ParseHeader(rec), rec[HeaderLen:]
	n := len(fragment) - a.explicit - a.Overhead()
	if n < 0 {
		return opened{}, errBadMAC
	}
	explicit, sealed := fragment[:a.explicit], fragment[a.explicit:]
	putPseudoHeader(&a.data, seq, hdr, n)
	room, into := destination(dst, sealed, n)
	content, err := a.Open(room, a.nonceFor(explicit, seq), sealed, a.data[:])
	if err != nil {
		return opened{}, errBadMAC
	}
	return opened{typ: hdr.Type, content: content, into: into}, nil
}

// aead13 is the protection of TLS 1.3: the content type and zero padding are
// sealed too, and the header is the additional data. RFC 8446 §5.2.
//
//	struct {
//	    opaque content[TLSPlaintext.length];
//	    ContentType type;
//	    uint8 zeros[length_of_padding];
//	} TLSInnerPlaintext;
type aead13 struct{ aeadKey }

func newAEAD13(h *Half) (*aead13, error) {
	a, _ := wipedAEAD13.Get().(*aead13)
	if a == nil {
		a = new(aead13)
	}
	return a, a.set(h)
}

func (a *aead13) wipe() {
	if a.aeadKey.wipe() {
		wipedAEAD13.Put(a)
	}
}

func sealAEAD13(h *Half) (ciphers, error) { return newAEAD13(h) }
func openAEAD13(h *Half) (ciphers, error) { return newAEAD13(h) }

func overheadAEAD13(s *suite.Suite) int { return 1 + s.Cipher.TagLen }

// The inner plaintext is put together in dst and sealed in place, but where the AEAD
// takes it in pieces.
func (a *aead13) seal(dst []byte, hdr Header, seq uint64, content []byte, padding int) ([]byte, error) {
	start := len(dst)
	dst = AppendHeader(dst, Header{wire.ContentApplicationData, hdr.Version, len(content) + 1 + padding + a.Overhead()})
	inner := len(dst)
	if a.pieces != nil && padding == 0 {
		a.data[0] = byte(hdr.Type) // there is room: the additional data is the header
		return a.pieces.SealWith(dst, a.xorNonce(seq), content, a.data[:1], dst[start:]), nil
	}
	dst = append(append(dst, content...), byte(hdr.Type))
	zeros := len(dst)
	dst = dst[:zeros+padding]
	clear(dst[zeros:])
	return a.Seal(dst[:inner], a.xorNonce(seq), dst[inner:], dst[start:inner]), nil
}

func (a *aead13) open(dst, rec []byte, seq uint64) (opened, error) {
	header, sealed := rec[:HeaderLen], rec[HeaderLen:]
	if ParseHeader(header).Type != wire.ContentApplicationData {
		return opened{}, errOuterType
	}
	room, into := destination(dst, sealed, len(sealed)-a.Overhead())
	inner, err := a.Open(room, a.xorNonce(seq), sealed, header)
	if err != nil {
		return opened{}, errBadMAC
	}
	if len(inner) > MaxPlaintext+1 {
		return opened{}, errInnerOverflow
	}
	end := len(inner)
	for end > 0 && inner[end-1] == 0 {
		end--
	}
	if end == 0 {
		return opened{}, errNoInnerType
	}
	return opened{wire.ContentType(inner[end-1]), inner[:end-1], len(inner) - end, into}, nil
}
