package record

import (
	"math"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// noLimit is for what has no bound of its own: the sequence numbers end first.
const noLimit = math.MaxUint64

// limit13 is the number of records after which TLS 1.3 updates a key. AES-GCM is
// good for 2^24.5 of them (RFC 8446 §5.5), AES-CCM for 2^23 (RFC 9147 §4.5.3).
const limit13 = 1 << 23

// limit64 is for ciphers with blocks of 64 bits, 3DES and DES: 2^16 records, at
// most 1 GiB or 2^27 blocks. Two equal blocks of ciphertext give away the XOR of
// two blocks of plaintext; among 2^27 there are such two with a chance of 2^-11.
// Sweet32 (CVE-2016-2183) found a cookie with them after 785 GB.
//
// NIST SP 800-67 asks for 2^20 blocks, 8 MB. That would end most downloads, and no
// peer keeps to it.
const limit64 = 1 << 16

// reserve64 is how many records may follow limit64: enough to renegotiate, or to
// say goodbye.
const reserve64 = 64

// bounds are the numbers of records after which s's cipher wants a new key, and
// after which it gets nothing more to do.
func bounds(s *suite.Suite) (due, end uint64) {
	if s != nil && s.Cipher != nil && s.Cipher.BlockLen == 8 {
		return limit64, limit64 + reserve64
	}
	return noLimit, noLimit
}

// Limit reports that the epoch has protected as many records as its cipher is
// known to be safe for: the keys are due for an update, by KeyUpdate (RFC 8446
// §5.5) or, before TLS 1.3, by renegotiation; and where neither can be, the
// connection for a close.
func (h *Half) Limit() bool {
	due, _ := bounds(h.suite)
	return h.seq >= min(h.protection().records, due)
}

// Spent reports that Seal and Open refuse every further record of this epoch:
// its sequence numbers are used up (RFC 8446 §5.3, RFC 5246 §6.1), or its cipher
// has 64-bit blocks and Limit was passed over for 64 records.
func (h *Half) Spent() bool {
	_, end := bounds(h.suite)
	return h.seq >= end
}
