// Command generate writes the assembly of package aesgcm, and the Go declarations
// of its functions:
//
//	go run ./generate -out kernel_amd64.s -stubs kernel_amd64.go
//
// # The mathematics
//
// GHASH multiplies in a field of 2^128 elements whose bits stand in reverse order.
// A block whose bytes are swapped (VPSHUFB) is such an element with its bits
// reversed as a whole, and the carry-less product of two of these is the reversed
// product, one bit too low. So each power of H is kept multiplied by x, once, which
// puts the bit back.
//
// The sum of products hi·x^128 + mi·x^64 + lo is reduced only once for many blocks:
// block i of m is multiplied with H^(m-i). Two products with 0xc2·2^56, what the
// polynomial of GHASH leaves of its terms, fold lo into mi and mi into hi.
//
// # The layout
//
// A schedule (schedule.go of the package) holds the powers from H^20 down to H^1,
// so that the powers for m blocks are its last m, and then the keys of the rounds.
// Vectors may read past H^1 into these keys; the blocks there are zero, and so are
// the products.
//
// # The rules
//
// No branch and no address depends on data or keys. No general-purpose register
// ever holds any of them, but for one that copies the last bytes of a message.
// TestStructure of the package reads the assembly and holds this.
package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("amd64,!purego")
	constants()
	for _, c := range []cipher{{128, 10}, {256, 14}} {
		schedule(c)
		for _, d := range []direction{seal, open} {
			kernel512(c, d)
			kernel256(c, d)
		}
	}
	Generate()
}

// A cipher is AES with one length of key.
type cipher struct{ bits, rounds int }

// A direction is what a kernel does with the data.
type direction string

const (
	seal direction = "seal"
	open direction = "open"
)
