package record

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"hash"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// blockMode is CBC that is used again with a new IV. Both modes of crypto/cipher
// have SetIV.
type blockMode interface {
	cipher.BlockMode
	SetIV([]byte)
}

// newCBC builds h's cipher in a direction, cipher.NewCBCEncrypter or the other.
func newCBC(h *Half, direction func(cipher.Block, []byte) cipher.BlockMode) (blockMode, error) {
	c := h.suite.Cipher
	block, err := c.Block(h.key[:c.KeyLen])
	if err != nil {
		return nil, errBuild(err)
	}
	mode, ok := direction(block, make([]byte, c.BlockLen)).(blockMode)
	if !ok {
		return nil, errBuild(errors.New("CBC takes no new IV"))
	}
	return mode, nil
}

func newHMAC(h *Half) hash.Hash { return hmac.New(h.suite.MAC.Hash.New, h.mac[:h.suite.MAC.Len]) }

// overheadCBC is an IV, a MAC, and a block of padding.
func overheadCBC(s *suite.Suite) int { return 2*s.Cipher.BlockLen + s.MAC.Len }

// appendIV appends a fresh random IV. It must not be guessable before the
// content is chosen (BEAST): RFC 5246 §6.2.3.2.
func appendIV(dst []byte, n int) []byte {
	dst = append(dst, make([]byte, n)...)
	rand.Read(dst[len(dst)-n:])
	return dst
}

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

// cbcSealer is MAC, then pad, then encrypt. RFC 5246 §6.2.3.2.
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
	mode   blockMode
	mac    hash.Hash
	header [pseudoHeaderLen]byte
}

func sealCBC(h *Half) (sealer, error) {
	mode, err := newCBC(h, cipher.NewCBCEncrypter)
	return &cbcSealer{mode: mode, mac: newHMAC(h)}, err
}

func (c *cbcSealer) seal(dst []byte, hdr Header, seq uint64, content []byte, _ int) ([]byte, error) {
	putPseudoHeader(&c.header, seq, hdr, len(content))
	c.mac.Reset()
	c.mac.Write(c.header[:])
	c.mac.Write(content)

	blockLen := c.mode.BlockSize()
	padding := paddingLen(len(content)+c.mac.Size(), blockLen)
	hdr.Length = blockLen + len(content) + c.mac.Size() + padding
	dst = appendIV(AppendHeader(dst, hdr), blockLen)
	start := len(dst)
	dst = appendPadding(c.mac.Sum(append(dst, content...)), padding)
	c.mode.SetIV(dst[start-blockLen : start])
	c.mode.CryptBlocks(dst[start:], dst[start:])
	return dst, nil
}

// cbcOpener opens what cbcSealer made. The padding is not authenticated, so all
// from its length on is secret until the MAC is right; see secret.go.
type cbcOpener struct {
	mode   blockMode
	mac    *hmacCT
	theirs []byte // the record's MAC
	header [pseudoHeaderLen]byte
}

func openCBC(h *Half) (opener, error) {
	mode, err := newCBC(h, cipher.NewCBCDecrypter)
	if err != nil {
		return nil, err
	}
	macLen := h.suite.MAC.Len
	mac, err := newHMACCT(h.suite.MAC.Hash, h.mac[:macLen])
	return &cbcOpener{mode: mode, mac: mac, theirs: make([]byte, macLen)}, err
}

func (c *cbcOpener) open(_, rec []byte, seq uint64) (opened, error) {
	hdr, fragment := ParseHeader(rec), rec[HeaderLen:]
	blockLen, macLen := c.mode.BlockSize(), len(c.theirs)
	if len(fragment)%blockLen != 0 || len(fragment) < blockLen+macLen+1 {
		return opened{}, errBadMAC
	}
	plain := fragment[blockLen:]
	c.mode.SetIV(fragment[:blockLen])
	c.mode.CryptBlocks(plain, plain)

	unpadded, ok := unpad(plain, macLen)
	n := unpadded - macLen
	copyAt(c.theirs, plain[:len(plain)-1], n)
	putPseudoHeader(&c.header, seq, hdr, n)
	ours := c.mac.mac(&c.header, plain[:len(plain)-1-macLen], n)
	if subtle.ConstantTimeCompare(ours, c.theirs)&int(ok) != 1 {
		return opened{}, errBadMAC
	}
	return opened{typ: hdr.Type, content: plain[:n]}, nil
}
