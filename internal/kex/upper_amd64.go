//go:build !vitrine_std

package kex

import "github.com/cloudflare/circl/simd/keccakf1600"

// leaveAVX follows each use of circl's ML-KEM, whose Keccak for AVX2 leaves
// the upper halves of the vector registers in use: until they are
// cleared, every SSE instruction (SHA-256 above all) waits for them, and takes up to
// eighty times as long.
func leaveAVX() {
	if keccakf1600.IsEnabledX4() {
		zeroUpper()
	}
}

func zeroUpper()
