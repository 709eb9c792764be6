package record

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/subtle"
	"errors"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// blockMode is CBC that is used again with a new IV. Both modes of crypto/cipher
// have SetIV.
type blockMode interface {
	cipher.BlockMode
	SetIV([]byte)
}

// blocks is a cipher in CBC mode with its IVs, in one direction.
//
// An IV in the record must not be guessable before the content is chosen (BEAST):
// it is random, RFC 5246 §6.2.3.2. A chained one always is guessable; see First.
type blocks struct {
	blockMode
	explicit int         // bytes of IV in each record: a block, or none
	iv       []byte      // the next record's where it is chained: the Half's, it outlives us
	last     [maxIV]byte // the last block of the ciphertext that is being opened
}

// newBlocks builds h's cipher, with cipher.NewCBCEncrypter or the other.
func newBlocks(h *Half, direction func(cipher.Block, []byte) cipher.BlockMode) (*blocks, error) {
	c := h.suite.Cipher
	block, err := c.Block(h.key[:c.KeyLen])
	if err != nil {
		return nil, errBuild(err)
	}
	b := &blocks{iv: h.iv[:c.BlockLen], explicit: c.BlockLen - h.row.ivLen(c)}
	mode, ok := direction(block, b.iv).(blockMode)
	if !ok {
		return nil, errBuild(errors.New("CBC takes no new IV"))
	}
	b.blockMode = mode
	return b, nil
}

// appendIV appends the IV of a new record, as far as the record carries it.
func (b *blocks) appendIV(dst []byte) []byte {
	dst = append(dst, make([]byte, b.explicit)...)
	iv := dst[len(dst)-b.explicit:]
	rand.Read(iv)
	copy(b.iv, iv)
	return dst
}

// encrypt encrypts plain in place, after appendIV.
func (b *blocks) encrypt(plain []byte) {
	b.SetIV(b.iv)
	b.CryptBlocks(plain, plain)
	copy(b.iv, plain[len(plain)-len(b.iv):])
}

// fits reports that a fragment of n bytes can be an IV and whole blocks that hold
// least bytes, which is more than none.
func (b *blocks) fits(n, least int) bool { return n%len(b.iv) == 0 && n >= b.explicit+least }

// decrypt decrypts a fragment that fits in place, and returns the plaintext. If it
// is accepted, accept makes the chain go on from it.
func (b *blocks) decrypt(fragment []byte) []byte {
	copy(b.iv, fragment[:b.explicit])
	plain := fragment[b.explicit:]
	copy(b.last[:], plain[len(plain)-len(b.iv):])
	b.SetIV(b.iv)
	b.CryptBlocks(plain, plain)
	return plain
}

func (b *blocks) accept() { copy(b.iv, b.last[:]) }

// overheadCBC is at most an IV, a MAC, and a block of padding.
func overheadCBC(s *suite.Suite) int { return 2*s.Cipher.BlockLen + s.MAC.Len }

// paddingLen is how many bytes fill n bytes up to a block: the fewest, at least
// the byte that counts the others.
func paddingLen(n, blockLen int) int { return blockLen - n%blockLen }

// appendPadding appends n bytes of padding. RFC 5246 §6.2.3.2.
func appendPadding(dst []byte, n int) []byte {
	for range n {
		dst = append(dst, byte(n-1))
	}
	return dst
}

// cbcSealer is MAC, then pad, then encrypt. RFC 6101 §5.2.3.2, RFC 5246 §6.2.3.2.
//
//	struct {
//	    opaque IV[SecurityParameters.record_iv_length];
//	    block-ciphered struct {
//	        opaque content[TLSCompressed.length];
//	        opaque MAC[SecurityParameters.mac_length];
//	        uint8 padding[GenericBlockCipher.padding_length];
//	        uint8 padding_length;
//	    };
//	} GenericBlockCipher;
type cbcSealer struct {
	sealsOnly
	*blocks
	mac *recordMAC
}

func sealCBC(h *Half) (ciphers, error) {
	b, err := newBlocks(h, cipher.NewCBCEncrypter)
	return &cbcSealer{blocks: b, mac: newMAC(h)}, err
}

func (c *cbcSealer) seal(dst []byte, hdr Header, seq uint64, content []byte, _ int) ([]byte, error) {
	padding := paddingLen(len(content)+c.mac.Size(), c.BlockSize())
	hdr.Length = c.explicit + len(content) + c.mac.Size() + padding
	dst = c.appendIV(AppendHeader(dst, hdr))
	start := len(dst)
	dst = appendPadding(c.mac.append(append(dst, content...), seq, hdr, content), padding)
	c.encrypt(dst[start:])
	return dst, nil
}

// cbcOpener opens what cbcSealer made. The padding is not authenticated, so all
// from its length on is secret until the MAC is right; see secret.go.
type cbcOpener struct {
	opensOnly
	*blocks
	rules
	ours   *hmacCT
	theirs []byte // the record's MAC
	header [pseudoHeaderLen]byte
}

func openCBC(h *Half) (ciphers, error) {
	b, err := newBlocks(h, cipher.NewCBCDecrypter)
	if err != nil {
		return nil, err
	}
	m := h.suite.MAC
	ours, err := newHMACCT(h.row.mac, m.Hash, h.mac[:m.Len])
	return &cbcOpener{blocks: b, rules: h.row.rules, ours: ours, theirs: make([]byte, m.Len)}, err
}

func (c *cbcOpener) open(_, rec []byte, seq uint64) (opened, error) {
	hdr, fragment := ParseHeader(rec), rec[HeaderLen:]
	macLen := len(c.theirs)
	if !c.fits(len(fragment), macLen+1) {
		return opened{}, errBadMAC
	}
	plain := c.decrypt(fragment)
	unpadded, ok := c.unpad(plain, macLen, c.BlockSize())
	n := unpadded - macLen
	copyAt(c.theirs, plain[:len(plain)-1], n)
	header := c.mac.header(&c.header, seq, hdr, n)
	ours := c.ours.mac(header, plain[:len(plain)-1-macLen], n)
	if subtle.ConstantTimeCompare(ours, c.theirs)&int(ok) != 1 {
		return opened{}, errBadMAC
	}
	c.accept()
	return opened{typ: hdr.Type, content: plain[:n]}, nil
}
