package record

// What stands here handles values that must not show in the time a record takes:
// no branch, no index, no length and no division depends on them.

// less and equal are 0xff where true and 0 where not. Both numbers are between 0
// and 2^31.
func less(a, b int) byte { return byte(uint64(int64(a)-int64(b)) >> 56) }

func equal(a, b int) byte { return ^(less(a, b) | less(b, a)) }

// wide makes a mask of less or equal as wide as an int.
func wide(mask byte) int { return int(int8(mask)) }

// An unpadding returns the secret length of plain, which is not empty, without its
// padding, if at least keep bytes are left. ok is 0xff if the padding is right;
// else it is 0, and n as if there were one byte of padding.
type unpadding func(plain []byte, keep, blockLen int) (n int, ok byte)

// unpadTLS wants every byte of the padding to say its length, which may be more
// than a block. RFC 5246 §6.2.3.2, "padding_length".
func unpadTLS(plain []byte, keep, _ int) (n int, ok byte) {
	end := len(plain) - 1
	padding := int(plain[end])
	ok = ^less(end-keep, padding)
	for i := range min(len(plain), maxSecretBytes+1) {
		inPadding := ^less(padding, i)
		ok &= equal(int(plain[end-i]), padding) | ^inPadding
	}
	return end - padding&wide(ok), ok
}

// unpadSSL30 wants less than a block, and does not know what else the padding may
// hold. That is what makes SSL 3.0 unsafe (POODLE, CVE-2014-3566). RFC 6101 §5.2.3.2.
func unpadSSL30(plain []byte, keep, blockLen int) (n int, ok byte) {
	end := len(plain) - 1
	padding := int(plain[end])
	ok = less(padding, blockLen) &^ less(end-keep, padding)
	return end - padding&wide(ok), ok
}

// copyAt copies len(dst) bytes of src from the secret index at, which lies
// between len(src)-len(dst)-maxSecretBytes and len(src)-len(dst).
//
// The bytes are gathered in a ring in the order of their public indices, then the
// ring is turned: at each step by a power of two, or not, with a mask.
func copyAt(dst, src []byte, at int) {
	first := max(0, len(src)-len(dst)-maxSecretBytes)
	clear(dst)
	turn, slot := 0, 0
	for i := first; i < len(src); i++ {
		dst[slot] |= src[i] &^ less(i, at) & less(i, at+len(dst))
		turn |= slot & wide(equal(i, at))
		if slot++; slot == len(dst) {
			slot = 0
		}
	}
	var turned [maxMAC]byte
	for bit := 1; bit < len(dst); bit <<= 1 {
		take := ^equal(turn&bit, 0)
		for i := range dst {
			turned[i] = dst[i]&^take | dst[(i+bit)%len(dst)]&take
		}
		copy(dst, turned[:])
	}
}
