package record

import "encoding/binary"

// pseudoHeaderLen is the length of what is authenticated before the content.
const pseudoHeaderLen = 13

// putPseudoHeader writes what a MAC or an AEAD of TLS 1.0 to 1.2 covers besides
// the n bytes of content: they are not in the record, or not under its protection.
// RFC 5246 §6.2.3.1, §6.2.3.3.
//
//	seq_num + TLSCompressed.type + TLSCompressed.version + TLSCompressed.length
func putPseudoHeader(b *[pseudoHeaderLen]byte, seq uint64, hdr Header, n int) {
	binary.BigEndian.PutUint64(b[:], seq)
	hdr.Length = n
	AppendHeader(b[:8], hdr)
}
