package recompute

import (
	"bytes"
	"crypto/cipher"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Opened is what was found in a protected record.
type Opened struct {
	Type    wire.ContentType
	Content []byte
	Padding int
	// Nonce is the nonce or IV; NonceIs says how it is made.
	Nonce   []byte
	NonceIs Nonce
	// Compressed is the length of the content before it was decompressed, and Packed
	// what that was; 0 and nil without compression.
	Compressed int
	Packed     []byte
	// Additional is what the protection covers besides the content: the additional data of an
	// AEAD, and what a MAC covers before the content.
	Additional []byte
	// Sealed are the parts of the record after its header. They are known of a record
	// that does not open too, if it is long enough.
	Sealed []Part
	// Added is what followed the content inside, and Inside the parts of both.
	Added  []byte
	Inside []Part
}

// A Part is a run of bytes with a name: of a record, or of what is inside it.
type Part struct {
	Name   string
	Length int
}

// The names of parts.
const (
	PartContent    = "content"
	PartNonce      = "explicit_nonce"
	PartIV         = "IV"
	PartCiphertext = "ciphertext"
	PartTag        = "tag"
	PartMAC        = "MAC"
	PartType       = "content_type"
	PartZeros      = "zeros"
	PartPadding    = "padding"
	PartPadLength  = "padding_length"
)

// parts leaves out those of no bytes, but for the content.
func parts(all ...Part) []Part {
	return slices.DeleteFunc(all, func(p Part) bool { return p.Length == 0 && p.Name != PartContent })
}

// Nonce is how the nonce or IV of a record is made.
type Nonce uint8

const (
	NoNonce       Nonce = iota
	IVAndRecord         // the iv, then the start of the record: RFC 5288 §3, RFC 6655 §3
	IVXorSequence       // the iv XOR the sequence number: RFC 8446 §5.3, RFC 7905 §2
	RecordStart         // the start of the record: RFC 5246 §6.2.3.2
	KeyBlockIV          // the iv of the key block, for the first record: RFC 2246 §6.2.3.2
	RecordBefore        // the last block of the record before: RFC 2246 §6.2.3.2
)

var (
	errKeys    = errors.New("its keys could not be re-derived")
	errShort   = errors.New("it is too short")
	errSealed  = errors.New("the tag does not match")
	errMAC     = errors.New("the MAC does not match")
	errPad     = errors.New("the padding is wrong")
	errInflate = errors.New("what is inside does not decompress")
)

// Params are what the records of one direction are protected with.
type Params struct {
	Version        wire.Version
	Suite          *suite.Suite
	Keys           Keys
	EncryptThenMAC bool
	Deflate        bool
}

// ready reports that the keys are as long as the suite wants them.
func (p *Params) ready() bool {
	s, k := p.Suite, p.Keys
	return s != nil && len(k.Key) == s.Cipher.KeyLen && len(k.MAC) == MACLen(s) && len(k.IV) == IVLen(p.Version, s)
}

// An Opener opens the records of one direction under one set of keys, in their
// order: of some ciphers, and of compression, each record carries on where the
// one before it has ended. Nothing here is in constant time, as nothing depends
// on it.
type Opener struct {
	Params
	// stream is RC4's, as far as it was used; chain is the last block of the
	// record before, which SSL 3.0 and TLS 1.0 take for the IV of the next.
	stream  *rc4.Cipher
	chain   []byte
	inflate *inflater // nil without compression
	lost    bool
}

// NewOpener returns an Opener at the first record. Without a suite, or with keys
// that do not fit it, nothing opens.
func NewOpener(p Params) *Opener {
	o := &Opener{Params: p}
	if chains(p.Version) {
		o.chain = p.Keys.IV
	}
	if p.Deflate {
		o.inflate = new(inflater)
	}
	return o
}

// Skip goes on after records that are missing. Those that carry on from one
// another cannot be opened from here on.
func (o *Opener) Skip() {
	if o.Suite != nil {
		o.lost = o.lost || o.inflate != nil || o.Suite.Cipher.Stream != nil || o.Chained()
	}
}

// Pass goes on after a record that nobody has opened: what carries on from its bytes
// alone can be opened again.
func (o *Opener) Pass(rec []byte) {
	if o.Skip(); !o.Chained() || o.inflate != nil {
		return
	}
	end, block := len(rec), o.Suite.Cipher.BlockLen
	if o.EncryptThenMAC {
		end -= MACLen(o.Suite)
	}
	if end >= wire.RecordHeaderLen+block {
		o.chain, o.lost = bytes.Clone(rec[end-block:end]), false
	}
}

// Lost reports that what the next record carries on from is missing.
func (o *Opener) Lost() bool { return o.lost }

// Chained reports that the IV of each record is the end of the one before, so
// that it can be foreseen.
func (o *Opener) Chained() bool {
	return o.chain != nil && o.Suite != nil && o.Suite.Cipher.Block != nil
}

// Open opens the bytes of one record, header included. What it finds wrong
// leaves the Opener as it was.
func (o *Opener) Open(rec []byte, seq uint64) (Opened, error) {
	if !o.ready() {
		return Opened{}, errKeys
	}
	if len(rec) < wire.RecordHeaderLen {
		return Opened{}, errShort
	}
	var x Opened
	var err error
	next := *o
	switch c := o.Suite.Cipher; {
	case c.AEAD != nil:
		x, err = next.openAEAD(rec, seq)
	case c.Block != nil:
		x, err = next.openCBC(rec, seq)
	default:
		x, err = next.openStream(rec, seq)
	}
	if err != nil {
		return x, err
	}
	if o.inflate != nil {
		x.Compressed, x.Packed = len(x.Content), x.Content
		if next.inflate, x.Content, err = o.inflate.record(x.Content); err != nil {
			return x, err
		}
	}
	*o = next
	return x, nil
}

func (o *Opener) openAEAD(rec []byte, seq uint64) (x Opened, err error) {
	c := o.Suite.Cipher
	a, err := newAEAD(c, o.Keys.Key)
	if err != nil {
		return x, err
	}
	header, sealed := rec[:wire.RecordHeaderLen], rec[wire.RecordHeaderLen:]
	inside := len(sealed) - c.ExplicitNonceLen - a.Overhead()
	if inside < 0 {
		return x, errShort
	}
	x.Sealed = parts(Part{PartNonce, c.ExplicitNonceLen}, Part{PartCiphertext, inside}, Part{PartTag, a.Overhead()})
	if n := c.ExplicitNonceLen; n > 0 {
		x.Nonce, x.NonceIs = append(bytes.Clone(o.Keys.IV), sealed[:n]...), IVAndRecord
		sealed = sealed[n:]
	} else {
		x.Nonce, x.NonceIs = bytes.Clone(o.Keys.IV), IVXorSequence
		tail := x.Nonce[len(x.Nonce)-8:]
		binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
	}
	x.Type = wire.ContentType(header[0])
	x.Additional = header
	if o.Version < wire.TLS13 {
		x.Additional = pseudoHeader(seq, header, inside)
	}
	if x.Content, err = a.Open(nil, x.Nonce, sealed, x.Additional); err != nil {
		return x, errSealed
	}
	if o.Version < wire.TLS13 {
		x.Inside = parts(Part{PartContent, len(x.Content)})
		return x, nil
	}
	inner := bytes.TrimRight(x.Content, "\x00") // RFC 8446 §5.4
	if len(inner) == 0 {
		return x, errPad
	}
	x.Padding = len(x.Content) - len(inner)
	n := len(inner) - 1
	x.Added = x.Content[n:]
	x.Type, x.Content = wire.ContentType(inner[n]), inner[:n]
	x.Inside = parts(Part{PartContent, n}, Part{PartType, 1}, Part{PartZeros, x.Padding})
	return x, nil
}

// openStream opens a record of RC4, or of a NULL suite, which has a MAC only.
// RFC 5246 §6.2.3.1.
func (o *Opener) openStream(rec []byte, seq uint64) (x Opened, err error) {
	header, plain := rec[:wire.RecordHeaderLen], bytes.Clone(rec[wire.RecordHeaderLen:])
	x.Type = wire.ContentType(header[0])
	if o.Suite.Cipher.Stream != nil {
		var stream rc4.Cipher
		if o.stream != nil {
			stream = *o.stream
		} else if first, err := rc4.NewCipher(o.Keys.Key); err == nil {
			stream = *first
		} else {
			return x, err
		}
		stream.XORKeyStream(plain, plain)
		o.stream = &stream
		x.Sealed = parts(Part{PartCiphertext, len(plain)})
	}
	x.Content, err = o.authentic(&x, seq, header, plain)
	if err != nil {
		return x, err
	}
	x.Added = plain[len(x.Content):]
	x.Inside = parts(Part{PartContent, len(x.Content)}, Part{PartMAC, o.Suite.MAC.Len})
	if o.Suite.Cipher.Stream == nil {
		x.Sealed = x.Inside
	}
	return x, nil
}

// openCBC opens a record of a CBC suite. RFC 5246 §6.2.3.2, RFC 7366 §3.
func (o *Opener) openCBC(rec []byte, seq uint64) (x Opened, err error) {
	block, err := o.Suite.Cipher.Block(o.Keys.Key)
	if err != nil {
		return x, err
	}
	header, body := rec[:wire.RecordHeaderLen], rec[wire.RecordHeaderLen:]
	x.Type = wire.ContentType(header[0])
	n, macAfter := block.BlockSize(), 0
	if o.EncryptThenMAC {
		macAfter = o.Suite.MAC.Len
		if body, err = o.authentic(&x, seq, header, body); err != nil {
			return x, err
		}
	}
	switch {
	case o.chain == nil && len(body) >= n:
		x.Nonce, x.NonceIs, body = body[:n], RecordStart, body[n:]
	case seq == 0:
		x.Nonce, x.NonceIs = o.chain, KeyBlockIV
	default:
		x.Nonce, x.NonceIs = o.chain, RecordBefore
	}
	if len(x.Nonce) != n || len(body) < n || len(body)%n != 0 {
		return x, errShort
	}
	x.Sealed = parts(Part{PartIV, len(rec) - len(header) - len(body) - macAfter}, Part{PartCiphertext, len(body)}, Part{PartMAC, macAfter})
	plain := make([]byte, len(body))
	cipher.NewCBCDecrypter(block, x.Nonce).CryptBlocks(plain, body)
	if o.chain != nil {
		o.chain = bytes.Clone(body[len(body)-n:])
	}
	x.Content, err = o.unpad(plain, n)
	padded := len(plain) - len(x.Content)
	if err == nil && !o.EncryptThenMAC {
		x.Content, err = o.authentic(&x, seq, header, x.Content)
	}
	if err != nil {
		return x, err
	}
	x.Added = plain[len(x.Content):]
	x.Inside = parts(Part{PartContent, len(x.Content)}, Part{PartMAC, len(x.Added) - padded}, Part{PartPadding, padded - 1}, Part{PartPadLength, 1})
	return x, nil
}

// unpad takes the padding off, each byte of which says how many there are before
// it. SSL 3.0 has that of the last alone, and less than a block: the rest may be
// anything, which is what POODLE lives on. RFC 5246 §6.2.3.2, RFC 6101 §5.2.3.2.
func (o *Opener) unpad(plain []byte, blockLen int) ([]byte, error) {
	n := int(plain[len(plain)-1]) + 1
	rest := len(plain) - n
	if rest < 0 {
		return nil, errPad
	}
	if o.Version == wire.SSL30 {
		if n > blockLen {
			return nil, errPad
		}
	} else if !bytes.Equal(plain[rest:], bytes.Repeat([]byte{byte(n - 1)}, n)) {
		return nil, errPad
	}
	return plain[:rest], nil
}

// authentic checks and takes off the MAC at the end of b, and notes in x what it
// covers besides. RFC 5246 §6.2.3.1.
func (o *Opener) authentic(x *Opened, seq uint64, header, b []byte) ([]byte, error) {
	mac := o.Suite.MAC
	if mac == nil || len(b) < mac.Len {
		return nil, errShort
	}
	n := len(b) - mac.Len
	covered := pseudoHeader(seq, header, n)
	want := []byte(nil)
	if o.Version == wire.SSL30 {
		covered = withoutVersion(covered)
		want = nested30(mac.Hash, o.Keys.MAC, slices.Concat(covered, b[:n]))
	} else {
		want = hmacOf(mac.Hash, o.Keys.MAC, covered, b[:n])
	}
	x.Additional = covered
	if !bytes.Equal(b[n:], want) {
		return nil, errMAC
	}
	return b[:n], nil
}

// pseudoHeader is what protection covers besides n bytes of content.
// RFC 5246 §6.2.3.1, §6.2.3.3.
func pseudoHeader(seq uint64, header []byte, n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, seq)
	return binary.BigEndian.AppendUint16(append(b, header[:3]...), uint16(n))
}

// withoutVersion is what the MAC of SSL 3.0 covers, which leaves the version out.
// RFC 6101 §5.2.3.1.
func withoutVersion(covered []byte) []byte {
	const typeEnd, versionEnd = 9, 11
	return slices.Concat(covered[:typeEnd], covered[versionEnd:])
}
