package kex

import "encoding/binary"

// MaxPSK is how long a pre-shared key may be, in bytes: what its length in the
// premaster can say. RFC 4279 §5.3 demands 64. An empty key is no key; how long
// one must be to resist guessing depends on how it was made, which is for the
// application to know (§7.2).
const MaxPSK = 1<<16 - 1

// PSKPremaster appends the premaster secret of a PSK key exchange to dst. psk
// has 1 to MaxPSK bytes. other is what the rest of the exchange yields, up to
// 65,535 bytes: as many zeros as psk has bytes for PSK alone; the secret of
// DHPrivate.Finish or Private.Finish for DHE_PSK and ECDHE_PSK; the 48 bytes that
// the client encrypted for RSA_PSK. RFC 4279 §2 to §4, RFC 5489 §2.
func PSKPremaster(dst, other, psk []byte) []byte {
	for _, part := range [][]byte{other, psk} {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(part)))
		dst = append(dst, part...)
	}
	return dst
}
