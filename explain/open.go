package explain

import (
	"bytes"
	"crypto/cipher"
	"crypto/rc4"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// opened is what was found in a protected record.
type opened struct {
	typ     wire.ContentType
	content []byte
	padding int
	// nonce is the nonce or IV, and nonceIs how it is made.
	nonce   []byte
	nonceIs string
	// compressed is the length of the content before it was decompressed.
	compressed int
}

var (
	errKeys    = errors.New("its keys could not be re-derived")
	errShort   = errors.New("it is too short")
	errSealed  = errors.New("the tag does not match")
	errMAC     = errors.New("the MAC does not match")
	errPad     = errors.New("the padding is wrong")
	errInflate = errors.New("what is inside does not decompress")
)

// opener opens the records of one epoch of one direction, in their order: of
// some ciphers, and of compression, each record carries on where the one before
// it has ended. Nothing here is in constant time, as nothing depends on it.
type opener struct {
	keys  *Keys
	suite *suite.Suite
	// stream is RC4's, as far as it was used; chain is the last block of the
	// record before, which SSL 3.0 and TLS 1.0 take for the IV of the next.
	stream  *rc4.Cipher
	chain   []byte
	inflate *inflater // nil without compression
	limit   limit
	// lost: what a record carries on from is missing.
	lost bool
}

// newOpener returns the opener for the keys that hs has agreed on.
func newOpener(k *Keys, hs *handshake) *opener {
	o := &opener{keys: k, suite: suite.ByID(k.raw.Suite), limit: hs.limits[k.from]}
	if k.derived != nil && chains(k.raw.Version) {
		o.chain = k.derived.iv
	}
	if hs.compressed() {
		o.inflate = new(inflater)
	}
	return o
}

// chains: until TLS 1.0 the IV of a record is the end of the one before.
// RFC 2246 §6.2.3.2.
func chains(v wire.Version) bool { return v < wire.TLS11 }

// skip goes on after records that were not kept. Those that carry on from one
// another cannot be opened from here on.
func (o *opener) skip() {
	if o != nil && o.suite != nil {
		o.lost = o.lost || o.inflate != nil || o.suite.Cipher.Stream != nil || o.chain != nil && o.suite.Cipher.Block != nil
	}
}

// ready reports that the keys are as long as the suite wants them.
func (o *opener) ready() bool {
	d := o.keys.derived
	return o.suite != nil && d != nil && len(d.key) == o.suite.Cipher.KeyLen && len(d.mac) == macLen(o.suite) && len(d.iv) == ivLen(o.suite, o.keys.raw.Version)
}

// open opens the bytes of one record. What it finds wrong leaves the opener as
// it was.
func (o *opener) open(rec []byte, seq uint64) (opened, error) {
	if !o.ready() {
		return opened{}, errKeys
	}
	if len(rec) < wire.RecordHeaderLen {
		return opened{}, errShort
	}
	var x opened
	var err error
	next := *o
	switch c := o.suite.Cipher; {
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
		x.compressed = len(x.content)
		if next.inflate, x.content, err = o.inflate.record(x.content); err != nil {
			return x, err
		}
	}
	*o = next
	return x, nil
}

func (o *opener) openAEAD(rec []byte, seq uint64) (x opened, err error) {
	c, iv, version := o.suite.Cipher, o.keys.derived.iv, o.keys.raw.Version
	a, err := c.AEAD(o.keys.derived.key)
	if err != nil {
		return x, err
	}
	header, sealed := rec[:wire.RecordHeaderLen], rec[wire.RecordHeaderLen:]
	if len(sealed) < c.ExplicitNonceLen+a.Overhead() {
		return x, errShort
	}
	if n := c.ExplicitNonceLen; n > 0 { // RFC 5288 §3, RFC 6655 §3
		x.nonce, x.nonceIs = append(bytes.Clone(iv), sealed[:n]...), fmt.Sprintf("iv + the record's first %d bytes", n)
		sealed = sealed[n:]
	} else { // RFC 8446 §5.3, RFC 7905 §2
		x.nonce, x.nonceIs = bytes.Clone(iv), fmt.Sprintf("iv XOR sequence number %d", seq)
		tail := x.nonce[len(x.nonce)-8:]
		binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
	}
	x.typ = wire.ContentType(header[0])
	data := header
	if version < wire.TLS13 {
		data = pseudoHeader(seq, header, len(sealed)-a.Overhead())
	}
	if x.content, err = a.Open(nil, x.nonce, sealed, data); err != nil {
		return x, errSealed
	}
	if version < wire.TLS13 {
		return x, nil
	}
	inner := bytes.TrimRight(x.content, "\x00") // RFC 8446 §5.4
	if len(inner) == 0 {
		return x, errPad
	}
	x.padding = len(x.content) - len(inner)
	x.typ, x.content = wire.ContentType(inner[len(inner)-1]), inner[:len(inner)-1]
	return x, nil
}

// openStream opens a record of RC4, or of a NULL suite, which has a MAC only.
// RFC 5246 §6.2.3.1.
func (o *opener) openStream(rec []byte, seq uint64) (x opened, err error) {
	header, plain := rec[:wire.RecordHeaderLen], bytes.Clone(rec[wire.RecordHeaderLen:])
	x.typ = wire.ContentType(header[0])
	if o.suite.Cipher.Stream != nil {
		var stream rc4.Cipher
		if o.stream != nil {
			stream = *o.stream
		} else if first, err := rc4.NewCipher(o.keys.derived.key); err == nil {
			stream = *first
		} else {
			return x, err
		}
		stream.XORKeyStream(plain, plain)
		o.stream = &stream
	}
	x.content, err = o.authentic(seq, header, plain)
	return x, err
}

// openCBC opens a record of a CBC suite. RFC 5246 §6.2.3.2, RFC 7366 §3.
func (o *opener) openCBC(rec []byte, seq uint64) (x opened, err error) {
	block, err := o.suite.Cipher.Block(o.keys.derived.key)
	if err != nil {
		return x, err
	}
	header, body := rec[:wire.RecordHeaderLen], rec[wire.RecordHeaderLen:]
	x.typ = wire.ContentType(header[0])
	if o.keys.EncryptThenMAC {
		if body, err = o.authentic(seq, header, body); err != nil {
			return x, err
		}
	}
	n := block.BlockSize()
	switch {
	case o.chain == nil && len(body) >= n:
		x.nonce, x.nonceIs, body = body[:n], fmt.Sprintf("the record's first %d bytes", n), body[n:]
	case seq == 0:
		x.nonce, x.nonceIs = o.chain, "the iv of the key block"
	default:
		x.nonce, x.nonceIs = o.chain, "the last block of the record before"
	}
	if len(x.nonce) != n || len(body) < n || len(body)%n != 0 {
		return x, errShort
	}
	plain := make([]byte, len(body))
	cipher.NewCBCDecrypter(block, x.nonce).CryptBlocks(plain, body)
	if o.chain != nil {
		o.chain = bytes.Clone(body[len(body)-n:])
	}
	x.content, err = o.unpad(plain, n)
	if err == nil && !o.keys.EncryptThenMAC {
		x.content, err = o.authentic(seq, header, x.content)
	}
	return x, err
}

// unpad takes the padding off, each byte of which says how many there are before
// it. SSL 3.0 has that of the last alone, and less than a block: the rest may be
// anything, which is what POODLE lives on. RFC 5246 §6.2.3.2, RFC 6101 §5.2.3.2.
func (o *opener) unpad(plain []byte, blockLen int) ([]byte, error) {
	n := int(plain[len(plain)-1]) + 1
	rest := len(plain) - n
	if rest < 0 {
		return nil, errPad
	}
	if o.keys.raw.Version == wire.SSL30 {
		if n > blockLen {
			return nil, errPad
		}
	} else if !bytes.Equal(plain[rest:], bytes.Repeat([]byte{byte(n - 1)}, n)) {
		return nil, errPad
	}
	return plain[:rest], nil
}

// authentic checks and takes off the MAC at the end of b. RFC 5246 §6.2.3.1.
func (o *opener) authentic(seq uint64, header, b []byte) ([]byte, error) {
	mac := o.suite.MAC
	if mac == nil || len(b) < mac.Len {
		return nil, errShort
	}
	n := len(b) - mac.Len
	covered := pseudoHeader(seq, header, n)
	want := []byte(nil)
	if o.keys.raw.Version == wire.SSL30 {
		want = mac30(mac.Hash, o.keys.derived.mac, covered, b[:n])
	} else {
		want = hmacOf(mac.Hash, o.keys.derived.mac, covered, b[:n])
	}
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

// mac30 is the MAC of SSL 3.0, which leaves the version out of what it covers.
// RFC 6101 §5.2.3.1.
func mac30(h *suite.Hash, key, covered, content []byte) []byte {
	const typeEnd, versionEnd = 9, 11
	covered = append(bytes.Clone(covered[:typeEnd]), covered[versionEnd:]...)
	return nested30(h, key, append(covered, content...))
}

// reopen opens a record again and compares; a record in the clear must be its
// content itself.
// partial: there may have been keys that were not kept.
func (r *Record) reopen(o *opener, expectSeq uint64, partial bool) {
	switch {
	case r.Epoch > 0 && o == nil && partial:
		r.Check = Check{Given, "not opened again: its keys were not kept"}
	case r.Epoch > 0 && o != nil && o.lost:
		r.Protection = protectionName(o.keys)
		r.Check = Check{Given, "not opened again: it carries on from records that were not kept"}
	case r.Refused != "":
		r.reopenRefused(o)
	case r.Epoch == 0 && !bytes.HasSuffix(r.Wire, r.Plain):
		r.Check = differ("its content is not what was on the wire")
	case r.Epoch == 0:
		r.Check = Check{Given, "in the clear"}
	case o == nil:
		r.Check = differ("no keys were reported for epoch %d of the %s", r.Epoch, r.From)
	default:
		r.Protection = protectionName(o.keys)
		r.bare = o.suite != nil && o.suite.Cipher.KeyLen == 0
		x, err := o.open(r.Wire, r.Seq)
		r.Nonce, r.NonceIs, r.Compressed = x.nonce, x.nonceIs, x.compressed
		switch {
		case err != nil:
			r.Check = differ("with the re-derived keys it does not open: %v", err)
		case x.typ != r.typ || !bytes.Equal(x.content, r.Plain) || x.padding != r.Padding:
			r.Check = differ("opened again, it holds %d bytes of %v with %d of padding, not what was reported", len(x.content), x.typ, x.padding)
		case o.limit.broken(x):
			r.Check = differ("it holds %s, and the receiver takes no more than %s (%s)", size(len(x.content)), thousands(o.limit.bytes), o.limit.by)
		case r.Seq != expectSeq:
			r.Check = differ("its sequence number is %d, and %d was due", r.Seq, expectSeq)
		default:
			r.Check = agree("opened again with the re-derived keys: the same %d bytes", len(x.content))
		}
	}
}

// protectionName names the cipher and the MAC, in the order of their use.
func protectionName(k *Keys) string {
	s := suite.ByID(k.raw.Suite)
	switch {
	case s == nil:
		return k.CipherSuite
	case s.MAC == nil:
		return s.Cipher.Name
	}
	mac := s.MAC.Name
	if k.raw.Version == wire.SSL30 {
		mac = "SSL 3.0's MAC with " + s.MAC.Hash.Name
	}
	switch {
	case s.Cipher.KeyLen == 0:
		return mac + " alone: nothing is encrypted"
	case k.EncryptThenMAC:
		return s.Cipher.Name + " then " + mac
	}
	return mac + " then " + s.Cipher.Name
}
