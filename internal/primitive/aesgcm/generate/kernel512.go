package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The registers of 512 bits, four blocks each. Z17 to Z31 have the rounds' keys.
var (
	state512 = []VecPhysical{Z0, Z1, Z2, Z3}
	text512  = Z4
	sum512   = ghash{lo: Z8, mi: Z9, hi: Z10, t: Z11, fold: xor3, add: "VPXORD"}
	spare512 = Z12
	mask512  = Z13 // what the tag is masked with, in its first block
	swap512  = Z14
	count512 = Z15
	hash512  = Z16
	keys512  = []VecPhysical{Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31}
)

const width512 = 64

var by512 = width{width512, state512, text512, sum512, spare512, hash512, count512,
	swap512, fourAt, "VMOVDQU64", rounds512, lanes512}

// kernel512 emits seal or open with registers of 512 bits.
func kernel512(c cipher, d direction) {
	TEXT(fmt.Sprintf("%s%dx512", d, c.bits), attr.NOSPLIT, signatures[d])
	Pragma("noescape")
	arguments()
	for i, k := range keys512[:c.rounds+1] {
		vec("VBROADCASTI32X4", keyOf(i), k)
	}
	vec("VMOVDQU64", constant(swapAt), swap512)
	begin512(c)
	data512()
	by512.loop(c, d, "tail")
	Label("tail")
	lastSource(d)
	tail512(c, d)
	by512.finish(low(mask512))
	for _, r := range append(keys512[:c.rounds+1:c.rounds+1], hash512) {
		vec("VPXORD", r, r, r) // other code of a Go program would hardly ever overwrite these
	}
	VZEROUPPER()
	RET()
}

// begin512 makes the first counters and what the tag is masked with, the zeroth
// one encrypted. NIST SP 800-38D §7.1.
func begin512(c cipher) {
	MOVL(I32(1<<12-1), scratch.As32())
	KMOVD(scratch.As32(), K1)
	zeroing("VMOVDQU8", Mem{Base: nonce}, K1, low(count512))
	vec("VPSHUFB", low(swap512), low(count512), low(count512))
	m := low(mask512)
	vec("VPADDD", constant(oneAt), low(count512), m)
	vec("VPSHUFB", low(swap512), m, m)
	for _, s := range rounds512(c, []VecPhysical{m}) {
		s()
	}
	vec("VSHUFI64X2", U8(0), count512, count512, count512)
	vec("VPADDD", constant(firstAt), count512, count512)
	Load(Param("tag"), tag)
}

// rounds512 encrypts blocks, one step for each round.
func rounds512(c cipher, blocks []VecPhysical) []step {
	var steps []step
	for r := range c.rounds + 1 {
		name := "VAESENC"
		switch r {
		case 0:
			name = "VPXORD"
		case c.rounds:
			name = "VAESENCLAST"
		}
		steps = append(steps, func() {
			for _, b := range blocks {
				k := keys512[r]
				if b.Size() == 16 {
					k = low(k)
				}
				vec(name, k, b, b)
			}
		})
	}
	return steps
}

// data512 hashes the additional data, a block at a time.
func data512() {
	x, g := low(hash512), sum512.asX()
	vec("VPXORD", hash512, hash512, hash512)
	TESTQ(dataLen, dataLen)
	JE(LabelRef("hashed"))
	Label("data")
	MOVQ(I32(-1), scratch)
	BZHIQ(dataLen, scratch, scratch) // looks at 8 bits of the length
	CMPQ(dataLen, I32(blockSize))
	JBE(LabelRef("last"))
	MOVL(U32(1<<blockSize-1), scratch.As32())
	Label("last")
	KMOVW(scratch.As32(), K1)
	zeroing("VMOVDQU8", Mem{Base: data}, K1, low(spare512))
	vec("VPSHUFB", low(swap512), low(spare512), low(spare512))
	vec("VPXORD", low(spare512), x, x)
	vec("VMOVDQU64", powerOf(1), low(spare512))
	run(g.multiply(x, low(spare512), true), g.reduce())
	vec("VMOVDQA64", g.hi, x)
	ADDQ(I32(blockSize), data)
	SUBQ(I32(blockSize), dataLen)
	JA(LabelRef("data"))
	Label("hashed")
}

// lanes512 sets the hash to the sum of the four blocks of the reduced sum.
func lanes512() {
	hi, a, b := sum512.hi, sum512.t, spare512
	vec("VEXTRACTI64X4", U8(1), hi, a.AsY())
	vec("VPXORD", hi.AsY(), a.AsY(), a.AsY())
	vec("VEXTRACTI32X4", U8(1), a.AsY(), low(b))
	vec("VPXORD", low(a), low(b), low(hash512))
}

// tail512 does what is left, up to 15 whole blocks and a part of one.
func tail512(c cipher, d direction) {
	s, x := state512[0], text512
	by512.tail()
	TESTQ(left, left)
	JE(LabelRef("lengths"))
	Label("part")
	MOVQ(I32(-1), scratch)
	BZHIQ(left, scratch, scratch) // all ones from 64 bytes on
	KMOVQ(scratch, K1)
	zeroing("VMOVDQU8", Mem{Base: src}, K1, x)
	run(by512.encrypt(c, width512))
	vec("VPXORD", x, s, s)
	vec("VMOVDQU8", s, K1, Mem{Base: dst})
	if d == seal {
		zeroing("VMOVDQU8", s, K1, x)
	}
	by512.hashText()
	ADDQ(I32(width512), power)
	stepOver(width512)
	JA(LabelRef("part"))
	Label("lengths")
}

// run emits steps one after the other.
func run(several ...[]step) {
	for _, steps := range several {
		for _, s := range steps {
			s()
		}
	}
}

func (g ghash) asX() ghash {
	return ghash{low(g.lo), low(g.mi), low(g.hi), low(g.t), g.fold, g.add}
}
