package record

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// The longest of each kind of secret over all suites.
const (
	maxKey = 32 // AES-256, ChaCha20
	maxIV  = 16 // CBC; an AEAD's is 12
	maxMAC = 48 // HMAC-SHA384
)

// Half protects or opens the records of one direction of one connection. The
// zero Half is in the clear, epoch 0. It is not safe for concurrent use.
//
// A Half at rest is small. The cipher objects, which are not, are built when the
// first record needs them and dropped by Idle; what one record leaves for the next
// is not in them, but here. Each Half either seals or opens. One in use must not be
// copied.
type Half struct {
	seq   uint64
	row   *protection // nil: in the clear
	suite *suite.Suite
	epoch uint32
	limit uint16 // of a record's plaintext on receipt; 0 is for what the version allows

	compressed bool  // content is
	kept       uint8 // length of Params.Secret in mac

	key [maxKey]byte
	iv  [maxIV]byte  // where IVs are chained, that of the next record
	mac [maxMAC]byte // its key; with an AEAD, which has none, Params.Secret

	ciphers ciphers // nil: not built
}

// Params are the secrets of one epoch of one direction.
type Params struct {
	// Version whose record protection applies.
	Version wire.Version
	Suite   *suite.Suite
	// Key, IV and MAC have the lengths the suite names; IV is the fixed part of
	// the nonce, and for CBC in SSL 3.0 and TLS 1.0 a block; MAC is empty for an
	// AEAD suite.
	Key, IV, MAC []byte
	// Secret is that from which the caller makes the keys after these: with an AEAD
	// only, at most 48 bytes. The Half keeps it for the caller.
	Secret []byte
	// EncryptThenMAC was negotiated (RFC 7366). Only a block cipher heeds it.
	EncryptThenMAC bool
	// Compression is that of the content which Seal gets and Open returns: unless
	// it is null, that may have up to MaxCompressed bytes. To compress and
	// decompress is the caller's part.
	Compression wire.CompressionMethod
}

// SetKeys begins a new epoch: p's secrets are copied over the old ones and the
// sequence number is 0 again. Params that no protection fits make every later
// Seal and Open fail with internal_error. The limit of SetLimit stays.
func (h *Half) SetKeys(p Params) {
	mac, kept := p.MAC, 0
	if len(mac) == 0 {
		mac, kept = p.Secret, min(len(p.Secret), maxMAC)
	}
	next := Half{epoch: h.epoch + 1, row: protectionFor(p), suite: p.Suite, limit: h.limit, compressed: p.Compression != wire.CompressionNull, kept: uint8(kept)}
	copy(next.key[:], p.Key)
	copy(next.iv[:], p.IV)
	copy(next.mac[:], mac)
	h.forget()
	*h = next // only now: the new secret may have been made where the old one was
}

// Secret returns Params.Secret. It is h's own.
func (h *Half) Secret() []byte { return h.mac[:h.kept] }

// Wipe clears the secrets. Every later Seal and Open fails with internal_error.
func (h *Half) Wipe() {
	h.forget()
	*h = Half{seq: h.seq, epoch: h.epoch + 1, row: &unknownRow}
}

// Clear goes back to records in the clear, which a client does whose early data the server
// answers with another question. The next keys begin an epoch of their own.
func (h *Half) Clear() {
	h.forget()
	*h = Half{epoch: h.epoch}
}

// Epoch counts the calls to SetKeys; 0 is in the clear.
func (h *Half) Epoch() int {
	if h.row == nil {
		return 0
	}
	return int(h.epoch)
}

// Seq is the sequence number of the next record.
func (h *Half) Seq() uint64 { return h.seq }

// MaxFragment is the most bytes that may follow a record's header. A longer one
// is refused by Open, and can be refused as soon as the header is there.
func (h *Half) MaxFragment() int { return h.protection().maxFragment }

// Overhead is the most bytes by which a sealed record is longer than its
// content, header included and TLS 1.3 padding left out.
func (h *Half) Overhead() int { return HeaderLen + h.protection().overhead(h.suite) }

// First is how many of n bytes of application data the next record should hold,
// so that its IV cannot be used against the rest: 1 of more than one byte where
// IVs are chained, and n elsewhere. A caller that sends such data cuts it into fragments,
// and each fragment into a record of First bytes and one with what is left.
//
// A chained IV is known before its record is. An attacker that may choose the plaintext (a page
// in a browser) can have a guess encrypted as a secret block was, and see whether
// it is right: BEAST, CVE-2011-3389. The record of one byte ends in a MAC that
// nobody can foretell, and it is that from which the next IV comes.
func (h *Half) First(n int) int {
	row := h.protection()
	if n > 1 && row.chained && h.suite.Cipher.BlockLen > 0 {
		return 1
	}
	return n
}

// SetLimit makes Open refuse, with record_overflow, a protected record of more
// than n bytes of plaintext; n <= 0 is for what the version allows. In TLS 1.3 they
// are content, type and padding, before it content alone (RFC 8449 §4, RFC 6066
// §4). It holds from the next record on, for all epochs but that in the clear. Of
// content that is compressed it sees nothing: see Decompressor.SetLimit.
func (h *Half) SetLimit(n int) { h.limit = uint16(max(0, min(n, MaxPlaintext+1))) }

// most is the most content and padding that Open returns.
func (h *Half) most() int {
	if h.limit == 0 || h.row == nil || h.compressed {
		return h.room()
	}
	return min(int(h.limit)-h.protection().inner, MaxPlaintext)
}

// room is the most content of a record.
func (h *Half) room() int {
	if h.compressed {
		return MaxCompressed
	}
	return MaxPlaintext
}

// Seal appends one record holding content to dst and returns the longer slice.
// Nothing is allocated when dst has room for len(content) + padding + Overhead.
//
// content is at most MaxPlaintext bytes (MaxCompressed, where it is compressed), may
// be empty, and must not overlap dst's free room. recordVersion is what the header says. padding is the number
// of zero bytes that hide the content's length; it is cut to what the record can
// hold, and has no meaning before TLS 1.3 (RFC 8446 §5.4).
func (h *Half) Seal(dst []byte, typ wire.ContentType, recordVersion wire.Version, content []byte, padding int) ([]byte, error) {
	if len(content) > h.room() {
		return dst, errTooLong
	}
	if h.Spent() {
		return dst, errSpent
	}
	if h.ciphers == nil {
		c, err := h.protection().newSealer(h)
		if err != nil {
			return dst, err
		}
		h.ciphers = c
	}
	padding = max(0, min(padding, MaxPlaintext-len(content)))
	dst = slices.Grow(dst, len(content)+padding+h.Overhead())
	dst, err := h.ciphers.seal(dst, Header{Type: typ, Version: recordVersion}, h.seq, content, padding)
	if err == nil {
		h.seq++
	}
	return dst, err
}

// Open opens rec, one whole record with its header, in place: content aliases
// rec. padding is the number of zero bytes of TLS 1.3 padding that were there.
// An error is an *Error; after it rec's bytes are spent and the sequence number
// has not moved. Only with a stream cipher nothing opens any more after it.
func (h *Half) Open(rec []byte) (typ wire.ContentType, content []byte, padding int, err error) {
	typ, content, padding, _, err = h.OpenInto(nil, rec)
	return typ, content, padding, err
}

// OpenInto is Open, but opens straight into the start of dst where the cipher
// can do that and dst has room; into reports that content is there, and not in
// rec. For TLS 1.3 the room needed is that of the content, its type (one byte)
// and its padding. dst and rec must not overlap; bytes of dst past the content
// may be overwritten, also on an error.
func (h *Half) OpenInto(dst, rec []byte) (typ wire.ContentType, content []byte, padding int, into bool, err error) {
	if err := h.check(rec); err != nil {
		return 0, nil, 0, false, err
	}
	if h.ciphers == nil {
		c, err := h.protection().newOpener(h)
		if err != nil {
			return 0, nil, 0, false, err
		}
		h.ciphers = c
	}
	o, err := h.ciphers.open(dst, rec, h.seq)
	if err == nil && len(o.content)+o.padding > h.most() {
		err = errInnerOverflow
	}
	if err != nil {
		return 0, nil, 0, false, err
	}
	h.seq++
	return o.typ, o.content, o.padding, o.into, nil
}

// check judges what is public about a record, before any key is used.
func (h *Half) check(rec []byte) error {
	switch {
	case len(rec) < HeaderLen || len(rec)-HeaderLen != ParseHeader(rec).Length:
		return errNotWhole
	case len(rec)-HeaderLen > h.MaxFragment():
		return errOverflow
	case h.Spent():
		return errSpent
	}
	return nil
}

// Idle drops the cipher objects. The next record builds them again. A stream cipher's
// are kept: to build them again, all that was ever sealed would have to be counted off.
func (h *Half) Idle() {
	if _, runs := h.ciphers.(*streamed); !runs {
		h.forget()
	}
}

// forget drops the cipher objects, cleared where they can be.
func (h *Half) forget() {
	c, ok := h.ciphers.(wiper)
	h.ciphers = nil
	if ok {
		c.wipe()
	}
}

func (h *Half) protection() *protection {
	if h.row == nil {
		return &clearRow
	}
	return h.row
}
