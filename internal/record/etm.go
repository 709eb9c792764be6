package record

import (
	"crypto/cipher"
	"crypto/hmac"
	"hash"
)

// etm is pad, encrypt, then MAC the ciphertext: a damaged record is refused
// before anything is decrypted. RFC 7366 §3.
//
//	struct {
//	    opaque IV[SecurityParameters.record_iv_length];
//	    block-ciphered struct { opaque content; uint8 padding; uint8 padding_length; };
//	    opaque MAC[SecurityParameters.mac_length];
//	} GenericBlockCipher;
type etm struct {
	mode   blockMode
	mac    hash.Hash
	header [pseudoHeaderLen]byte
	sum    [maxMAC]byte
}

func newEtM(h *Half, direction func(cipher.Block, []byte) cipher.BlockMode) (*etm, error) {
	mode, err := newCBC(h, direction)
	return &etm{mode: mode, mac: newHMAC(h)}, err
}

func sealEtM(h *Half) (sealer, error) { return newEtM(h, cipher.NewCBCEncrypter) }
func openEtM(h *Half) (opener, error) { return newEtM(h, cipher.NewCBCDecrypter) }

// appendMAC appends the MAC over sealed, which is IV and ciphertext. The length
// in the pseudo-header is that of sealed. RFC 7366 §3.
func (e *etm) appendMAC(dst []byte, seq uint64, hdr Header, sealed []byte) []byte {
	putPseudoHeader(&e.header, seq, hdr, len(sealed))
	e.mac.Reset()
	e.mac.Write(e.header[:])
	e.mac.Write(sealed)
	return e.mac.Sum(dst)
}

func (e *etm) seal(dst []byte, hdr Header, seq uint64, content []byte, _ int) ([]byte, error) {
	blockLen := e.mode.BlockSize()
	padding := paddingLen(len(content), blockLen)
	hdr.Length = blockLen + len(content) + padding + e.mac.Size()
	dst = AppendHeader(dst, hdr)
	start := len(dst)
	dst = appendPadding(append(appendIV(dst, blockLen), content...), padding)
	iv, plain := dst[start:start+blockLen], dst[start+blockLen:]
	e.mode.SetIV(iv)
	e.mode.CryptBlocks(plain, plain)
	return e.appendMAC(dst, seq, hdr, dst[start:]), nil
}

func (e *etm) open(_, rec []byte, seq uint64) (opened, error) {
	hdr, fragment := ParseHeader(rec), rec[HeaderLen:]
	blockLen := e.mode.BlockSize()
	end := len(fragment) - e.mac.Size()
	if end < 2*blockLen || end%blockLen != 0 {
		return opened{}, errBadMAC
	}
	sealed, theirs := fragment[:end], fragment[end:]
	if !hmac.Equal(e.appendMAC(e.sum[:0], seq, hdr, sealed), theirs) {
		return opened{}, errBadMAC
	}
	plain := sealed[blockLen:]
	e.mode.SetIV(sealed[:blockLen])
	e.mode.CryptBlocks(plain, plain)
	n, ok := unpad(plain, 0)
	if ok == 0 {
		return opened{}, errBadMAC
	}
	return opened{typ: hdr.Type, content: plain[:n]}, nil
}
