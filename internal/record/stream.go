package record

import (
	"crypto/cipher"
	"crypto/hmac"
)

// streamed is MAC, then encrypt with a stream cipher, whose key stream runs on
// from record to record. RFC 6101 §5.2.3.1, RFC 5246 §6.2.3.1.
//
//	stream-ciphered struct {
//	    opaque content[TLSCompressed.length];
//	    opaque MAC[SecurityParameters.mac_length];
//	} GenericStreamCipher;
type streamed struct {
	cipher cipher.Stream
	mac    *recordMAC
	sum    [maxMAC]byte
}

func newStreamed(h *Half) (*streamed, error) {
	c := h.suite.Cipher
	s, err := c.Stream(h.key[:c.KeyLen])
	if err != nil {
		return nil, errBuild(err)
	}
	return &streamed{cipher: s, mac: newMAC(h)}, nil
}

func sealStream(h *Half) (ciphers, error) { return newStreamed(h) }
func openStream(h *Half) (ciphers, error) { return newStreamed(h) }

func (s *streamed) seal(dst []byte, hdr Header, seq uint64, content []byte, _ int) ([]byte, error) {
	hdr.Length = len(content) + s.mac.Size()
	dst = AppendHeader(dst, hdr)
	start := len(dst)
	dst = s.mac.append(append(dst, content...), seq, hdr, content)
	s.cipher.XORKeyStream(dst[start:], dst[start:])
	return dst, nil
}

// A record that does not open has moved the key stream, and nothing can move it
// back: the connection is over anyway.
func (s *streamed) open(_, rec []byte, seq uint64) (opened, error) {
	hdr, fragment := ParseHeader(rec), rec[HeaderLen:]
	n := len(fragment) - s.mac.Size()
	if n < 0 {
		return opened{}, errBadMAC
	}
	s.cipher.XORKeyStream(fragment, fragment)
	content, theirs := fragment[:n], fragment[n:]
	if !hmac.Equal(s.mac.append(s.sum[:0], seq, hdr, content), theirs) {
		return opened{}, errBadMAC
	}
	return opened{typ: hdr.Type, content: content}, nil
}
