package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

const (
	ccmNonceLen  = 12 // RFC 5116 §5.3, RFC 6655 §3
	ccmLengthLen = aes.BlockSize - 1 - ccmNonceLen
	ccmMaxLen    = 1<<(8*ccmLengthLen) - 1
	ccmMaxData   = 1<<16 - 1<<8 - 1 // more would have its length written otherwise
)

// ccm is AES in counter mode with CBC-MAC. RFC 3610; TLS uses it with a nonce of
// 12 bytes and a tag of 16 or 8. See docs/adr/0009-aes-ccm.md for why it is here.
//
// The blocks it works on are fields, because what is passed to an interface would
// be allocated for each record. So unlike other AEADs it is not safe for
// concurrent use.
type ccm struct {
	block   cipher.Block
	tagLen  int
	mac     [aes.BlockSize]byte // the CBC-MAC so far
	counter [aes.BlockSize]byte
	stream  [aes.BlockSize]byte // the key stream of counter
	tag     [aes.BlockSize]byte
}

// newCCM and newCCM8 build AES-CCM with a tag of 16 and of 8 bytes. RFC 6655 §3,
// §4; RFC 8446 §B.4.
func newCCM(key []byte) (cipher.AEAD, error)  { return newCCMTag(key, 16) }
func newCCM8(key []byte) (cipher.AEAD, error) { return newCCMTag(key, 8) }

func newCCMTag(key []byte, tagLen int) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &ccm{block: block, tagLen: tagLen}, nil
}

func (c *ccm) NonceSize() int { return ccmNonceLen }
func (c *ccm) Overhead() int  { return c.tagLen }

// Seal is that of cipher.AEAD. It panics, as those of the standard library do, on
// lengths that CCM cannot take: no record comes near them.
func (c *ccm) Seal(dst, nonce, plaintext, data []byte) []byte {
	c.begin(nonce, len(plaintext), data)
	c.absorb(plaintext)
	start := len(dst)
	dst = append(append(dst, plaintext...), c.tag[:c.tagLen]...)
	sealed := dst[start:]
	c.crypt(sealed[:len(plaintext)])
	subtle.XORBytes(sealed[len(plaintext):], c.mac[:c.tagLen], c.tag[:])
	return dst
}

var errCCM = errors.New("aes-ccm: message authentication failed")

// Open is that of cipher.AEAD. CCM has the plaintext before it can tell whether
// that is authentic; on an error it is wiped.
func (c *ccm) Open(dst, nonce, ciphertext, data []byte) ([]byte, error) {
	n := len(ciphertext) - c.tagLen
	if n < 0 || n > ccmMaxLen {
		return nil, errCCM
	}
	c.begin(nonce, n, data)
	start := len(dst)
	dst = append(dst, ciphertext[:n]...)
	plaintext := dst[start:]
	c.crypt(plaintext)
	c.absorb(plaintext)
	subtle.XORBytes(c.mac[:], c.mac[:], c.tag[:])
	if subtle.ConstantTimeCompare(c.mac[:c.tagLen], ciphertext[n:]) != 1 {
		clear(plaintext)
		return nil, errCCM
	}
	return dst, nil
}

// begin sets up counter and tag mask for nonce, and the CBC-MAC of all that comes
// before the n bytes of plaintext. RFC 3610 §2.2, §2.3.
func (c *ccm) begin(nonce []byte, n int, data []byte) {
	if len(nonce) != ccmNonceLen || n > ccmMaxLen || len(data) > ccmMaxData {
		panic("suite: AES-CCM was given lengths that it cannot take")
	}
	clear(c.counter[:])
	c.counter[0] = ccmLengthLen - 1
	copy(c.counter[1:], nonce)
	c.block.Encrypt(c.tag[:], c.counter[:])

	c.mac = c.counter
	c.mac[0] |= byte(c.tagLen-2) / 2 << 3
	c.mac[13], c.mac[14], c.mac[15] = byte(n>>16), byte(n>>8), byte(n)
	if len(data) == 0 {
		c.block.Encrypt(c.mac[:], c.mac[:])
		return
	}
	c.mac[0] |= 1 << 6
	c.block.Encrypt(c.mac[:], c.mac[:])
	// The length and the first bytes of data share a block.
	var first [aes.BlockSize]byte
	binary.BigEndian.PutUint16(first[:], uint16(len(data)))
	rest := data[copy(first[2:], data):]
	c.absorb(first[:])
	c.absorb(rest)
}

// absorb takes b, filled up with zeros to whole blocks, into the CBC-MAC.
func (c *ccm) absorb(b []byte) {
	for len(b) > 0 {
		b = b[subtle.XORBytes(c.mac[:], c.mac[:], b):]
		c.block.Encrypt(c.mac[:], c.mac[:])
	}
}

// crypt encrypts or decrypts b in place, with the key stream from counter 1 on.
func (c *ccm) crypt(b []byte) {
	for i := 1; len(b) > 0; i++ {
		c.counter[13], c.counter[14], c.counter[15] = byte(i>>16), byte(i>>8), byte(i)
		c.block.Encrypt(c.stream[:], c.counter[:])
		b = b[subtle.XORBytes(b, b, c.stream[:]):]
	}
}
