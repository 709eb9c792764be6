package record

import (
	"crypto/cipher"
	"crypto/hmac"
)

// etm is pad, encrypt, then MAC the ciphertext: a damaged record is refused
// before anything is decrypted. RFC 7366 §3.
//
//	struct {
//	    opaque IV[SecurityParameters.record_iv_length];
//	    block-ciphered struct { opaque content; uint8 padding; uint8 padding_length; };
//	    opaque MAC[SecurityParameters.mac_length];
//	} GenericBlockCipher;
//
// The MAC covers the IV where the record carries it, and its pseudo-header has the
// length of IV and ciphertext.
type etm struct {
	*blocks
	rules
	mac *recordMAC
	sum [maxMAC]byte
}

func newEtM(h *Half, direction func(cipher.Block, []byte) cipher.BlockMode) (*etm, error) {
	b, err := newBlocks(h, direction)
	return &etm{blocks: b, rules: h.row.rules, mac: newMAC(h)}, err
}

func sealEtM(h *Half) (ciphers, error) { return newEtM(h, cipher.NewCBCEncrypter) }
func openEtM(h *Half) (ciphers, error) { return newEtM(h, cipher.NewCBCDecrypter) }

func (e *etm) seal(dst []byte, hdr Header, seq uint64, content []byte, _ int) ([]byte, error) {
	padding := paddingLen(len(content), e.BlockSize())
	hdr.Length = e.explicit + len(content) + padding + e.mac.Size()
	dst = AppendHeader(dst, hdr)
	start := len(dst)
	dst = appendPadding(append(e.appendIV(dst), content...), padding)
	e.encrypt(dst[start+e.explicit:])
	return e.mac.append(dst, seq, hdr, dst[start:]), nil
}

func (e *etm) open(_, rec []byte, seq uint64) (opened, error) {
	hdr, fragment := ParseHeader(rec), rec[HeaderLen:]
	end := len(fragment) - e.mac.Size()
	if end < 0 || !e.fits(end, 1) {
		return opened{}, errBadMAC
	}
	sealed, theirs := fragment[:end], fragment[end:]
	if !hmac.Equal(e.mac.append(e.sum[:0], seq, hdr, sealed), theirs) {
		return opened{}, errBadMAC
	}
	plain := e.decrypt(sealed)
	n, ok := e.unpad(plain, 0, e.BlockSize())
	if ok == 0 {
		return opened{}, errBadMAC
	}
	e.accept()
	return opened{typ: hdr.Type, content: plain[:n]}, nil
}
