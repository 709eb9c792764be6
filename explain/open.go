package explain

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// keySet are the keys of one direction.
type keySet struct {
	key, iv, mac []byte
}

// keys checks the keys of one direction against the secret they come from.
func (d *deriver) keys(k *Keys) {
	s := suite.ByID(k.raw.Suite)
	parent := d.latest[k.Secret]
	switch {
	case s == nil:
		k.Check = differ("cannot be re-derived: cipher suite %v is not known here", k.raw.Suite)
		return
	case parent == nil:
		k.Check = differ("%q, which they are made from, was not reported", k.Secret)
		return
	case k.raw.Version >= wire.TLS13:
		k.derived = trafficKeys(s, parent.Value)
		k.Ref = "RFC 8446 §7.3"
		k.Formula = fmt.Sprintf(`key = HKDF-Expand-Label(%s, "key", "", %d); iv = HKDF-Expand-Label(%[1]s, "iv", "", %d)`,
			k.Secret, s.Cipher.KeyLen, s.Cipher.FixedIVLen)
	default:
		block, err := d.keyBlock(s)
		if err != nil {
			k.Check = differ("cannot be re-derived: %v", err)
			return
		}
		k.derived = cutKeyBlock(s, block, k.from)
		k.Ref = "RFC 5246 §6.3"
		k.Formula = "cut from key_block, as " + cutOrder(s, k.from)
	}
	same := bytes.Equal(k.derived.key, k.Key) && bytes.Equal(k.derived.iv, k.IV) && bytes.Equal(k.derived.mac, k.MAC)
	if !same {
		k.Check = differ("re-derived, they are key %s iv %s mac %s", Hex(k.derived.key), Hex(k.derived.iv), Hex(k.derived.mac))
		return
	}
	k.Check = agree("re-derived: the same keys")
}

func trafficKeys(s *suite.Suite, secret []byte) keySet {
	return keySet{
		key: expandLabel(s.Hash, secret, "key", nil, s.Cipher.KeyLen),
		iv:  expandLabel(s.Hash, secret, "iv", nil, s.Cipher.FixedIVLen),
	}
}

// keyBlock computes the key block again, from the master secret.
func (d *deriver) keyBlock(s *suite.Suite) ([]byte, error) {
	master := d.latest["master_secret"]
	if master == nil {
		return nil, errors.New("master_secret was not reported")
	}
	seed := append(bytes.Clone(d.serverRandom), d.clientRandom...)
	return prf12(s.Hash, master.Value, "key expansion", seed, 2*(macLen(s)+s.Cipher.KeyLen+s.Cipher.FixedIVLen)), nil
}

func macLen(s *suite.Suite) int {
	if s.MAC == nil {
		return 0
	}
	return s.MAC.Len
}

// cutKeyBlock takes the keys of one side out of the block: client before
// server, MAC keys before keys before IVs. RFC 5246 §6.3.
func cutKeyBlock(s *suite.Suite, block []byte, side wire.Role) keySet {
	take := func(n int) (part []byte) {
		client, server := block[:n:n], block[n:2*n:2*n]
		block = block[2*n:]
		if side == wire.Client {
			return client
		}
		return server
	}
	mac := take(macLen(s))
	key := take(s.Cipher.KeyLen)
	return keySet{key, take(s.Cipher.FixedIVLen), mac}
}

func cutOrder(s *suite.Suite, side wire.Role) string {
	text := ""
	if n := macLen(s); n > 0 {
		text = fmt.Sprintf("%v_write_MAC_key[%d], ", side, n)
	}
	text += fmt.Sprintf("%v_write_key[%d]", side, s.Cipher.KeyLen)
	if n := s.Cipher.FixedIVLen; n > 0 {
		text += fmt.Sprintf(", %v_write_IV[%d]", side, n)
	}
	return text
}

// opened is what was found in a protected record.
type opened struct {
	typ     wire.ContentType
	content []byte
	padding int
	// nonce is the nonce or IV, and nonceIs how it is made.
	nonce   []byte
	nonceIs string
}

var (
	errShort  = errors.New("it is too short")
	errSealed = errors.New("the tag does not match")
	errMAC    = errors.New("the MAC does not match")
	errPad    = errors.New("the padding is wrong")
)

// open opens the bytes of one record with re-derived keys.
func open(k *Keys, rec []byte, seq uint64) (opened, error) {
	s := suite.ByID(k.raw.Suite)
	if s == nil || len(k.derived.key) != s.Cipher.KeyLen {
		return opened{}, errors.New("its keys could not be re-derived")
	}
	if len(rec) < wire.RecordHeaderLen {
		return opened{}, errShort
	}
	if s.Cipher.AEAD != nil {
		return openAEAD(k, s, rec, seq)
	}
	return openCBC(k, s, rec, seq)
}

func openAEAD(k *Keys, s *suite.Suite, rec []byte, seq uint64) (o opened, err error) {
	a, err := s.Cipher.AEAD(k.derived.key)
	if err != nil {
		return o, err
	}
	header, sealed := rec[:wire.RecordHeaderLen], rec[wire.RecordHeaderLen:]
	if len(sealed) < s.Cipher.ExplicitNonceLen+a.Overhead() {
		return o, errShort
	}
	if n := s.Cipher.ExplicitNonceLen; n > 0 { // RFC 5288 §3
		o.nonce, o.nonceIs = append(bytes.Clone(k.derived.iv), sealed[:n]...), fmt.Sprintf("iv + the record's first %d bytes", n)
		sealed = sealed[n:]
	} else { // RFC 8446 §5.3, RFC 7905 §2
		o.nonce, o.nonceIs = bytes.Clone(k.derived.iv), fmt.Sprintf("iv XOR sequence number %d", seq)
		tail := o.nonce[len(o.nonce)-8:]
		binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
	}
	o.typ = wire.ContentType(header[0])
	data := header
	if k.raw.Version < wire.TLS13 {
		data = pseudoHeader(seq, header, len(sealed)-a.Overhead())
	}
	if o.content, err = a.Open(nil, o.nonce, sealed, data); err != nil {
		return o, errSealed
	}
	if k.raw.Version < wire.TLS13 {
		return o, nil
	}
	inner := bytes.TrimRight(o.content, "\x00") // RFC 8446 §5.4
	if len(inner) == 0 {
		return o, errPad
	}
	o.padding = len(o.content) - len(inner)
	o.typ, o.content = wire.ContentType(inner[len(inner)-1]), inner[:len(inner)-1]
	return o, nil
}

// openCBC opens a record of a CBC suite with an explicit IV. Nothing depends on
// its time here, so it is not in constant time. RFC 5246 §6.2.3.2, RFC 7366 §3.
func openCBC(k *Keys, s *suite.Suite, rec []byte, seq uint64) (o opened, err error) {
	block, err := s.Cipher.Block(k.derived.key)
	if err != nil {
		return o, err
	}
	header, body := rec[:wire.RecordHeaderLen], rec[wire.RecordHeaderLen:]
	if k.EncryptThenMAC {
		if len(body) < s.MAC.Len {
			return o, errShort
		}
		var tag []byte
		body, tag = body[:len(body)-s.MAC.Len], body[len(body)-s.MAC.Len:]
		if !bytes.Equal(tag, hmacOf(s.MAC.Hash, k.derived.mac, pseudoHeader(seq, header, len(body)), body)) {
			return o, errMAC
		}
	}
	n := block.BlockSize()
	if len(body) < 2*n || len(body)%n != 0 {
		return o, errShort
	}
	o.typ, o.nonce, o.nonceIs = wire.ContentType(header[0]), body[:n], fmt.Sprintf("the record's first %d bytes", n)
	plain := make([]byte, len(body)-n)
	cipher.NewCBCDecrypter(block, o.nonce).CryptBlocks(plain, body[n:])
	pad := int(plain[len(plain)-1]) + 1
	if pad > len(plain) || !bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad - 1)}, pad)) {
		return o, errPad
	}
	o.content = plain[:len(plain)-pad]
	if k.EncryptThenMAC {
		return o, nil
	}
	if len(o.content) < s.MAC.Len {
		return o, errShort
	}
	var tag []byte
	o.content, tag = o.content[:len(o.content)-s.MAC.Len], o.content[len(o.content)-s.MAC.Len:]
	if !bytes.Equal(tag, hmacOf(s.MAC.Hash, k.derived.mac, pseudoHeader(seq, header, len(o.content)), o.content)) {
		return o, errMAC
	}
	return o, nil
}

// pseudoHeader is what protection covers besides n bytes of content.
// RFC 5246 §6.2.3.1, §6.2.3.3.
func pseudoHeader(seq uint64, header []byte, n int) []byte {
	b := binary.BigEndian.AppendUint64(nil, seq)
	return binary.BigEndian.AppendUint16(append(b, header[:3]...), uint16(n))
}

// record opens a record again and compares; a record in the clear must be its
// content itself.
func (r *Record) reopen(k *Keys, expectSeq uint64) {
	switch {
	case r.Refused != "":
		r.reopenRefused(k)
	case r.Epoch == 0 && !bytes.HasSuffix(r.Wire, r.Plain):
		r.Check = differ("its content is not what was on the wire")
	case r.Epoch == 0:
		r.Check = Check{Given, "in the clear"}
	case k == nil:
		r.Check = differ("no keys were reported for epoch %d of the %s", r.Epoch, r.From)
	default:
		r.Protection = protectionName(k)
		o, err := open(k, r.Wire, r.Seq)
		r.Nonce, r.NonceIs = o.nonce, o.nonceIs
		switch {
		case err != nil:
			r.Check = differ("with the re-derived keys it does not open: %v", err)
		case o.typ != r.typ || !bytes.Equal(o.content, r.Plain) || o.padding != r.Padding:
			r.Check = differ("opened again, it holds %d bytes of %v with %d of padding, not what was reported", len(o.content), o.typ, o.padding)
		case r.Seq != expectSeq:
			r.Check = differ("its sequence number is %d, and %d was due", r.Seq, expectSeq)
		default:
			r.Check = agree("opened again with the re-derived keys: the same %d bytes", len(o.content))
		}
	}
}

func protectionName(k *Keys) string {
	s := suite.ByID(k.raw.Suite)
	switch {
	case s == nil:
		return k.CipherSuite
	case s.MAC == nil:
		return s.Cipher.Name
	case k.EncryptThenMAC:
		return s.Cipher.Name + " then " + s.MAC.Name
	}
	return s.MAC.Name + " then " + s.Cipher.Name
}
