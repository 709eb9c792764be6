package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The registers of 256 bits, two blocks each, all of which AVX2 has.
var (
	state256 = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7} // counters that become key stream, and then output
	text256  = Y7                                            // of the tail
	sum256   = ghash{lo: Y8, mi: Y9, hi: Y10, t: Y11, fold: xor2, add: "VPXOR"}
	spare256 = Y12 // in the loop: ciphertext, swapped, for GHASH
	key256   = Y13 // of the round
	hash256  = Y14 // GHASH so far, in its first block; the other is zero
	count256 = Y15 // the next two counters, swapped
)

const (
	width256 = 32
	chunk256 = 8 * width256 // bytes of one turn of the loop
	half256  = 4 * width256 // bytes of what is done once behind the loop, if so much is left
)

// kernel256 emits seal or open with registers of 256 bits. On the stack are what
// the tag is masked with, and the last bytes of a message.
func kernel256(c cipher, d direction) {
	TEXT(fmt.Sprintf("%s%dx256", d, c.bits), attr.NOSPLIT, signatures[d])
	Pragma("noescape")
	local := AllocLocal(width256 + blockSize)
	arguments()
	begin256(c, local.Offset(width256))
	data256(local)
	CMPQ(left, I32(chunk256))
	JB(LabelRef("half"))
	if d == seal {
		sealLoop256(c)
	} else {
		Label("loop")
		openChunk256(c, chunk256)
		CMPQ(left, I32(chunk256))
		JAE(LabelRef("loop"))
	}
	Label("half")
	CMPQ(left, I32(half256))
	JB(LabelRef("tail"))
	if d == seal {
		run(encrypt256(c, half256), output256(half256), hashing256(dst, -half256, half256))
	} else {
		openChunk256(c, half256)
	}
	Label("tail")
	lastSource(d)
	tail256(c, d, local)
	finish256(local)
	VZEROUPPER()
	RET()
}

// begin256 makes the first counters and, at mask, what the tag is masked with: the
// zeroth one encrypted. NIST SP 800-38D §7.1.
func begin256(c cipher, mask Mem) {
	x, m := low(count256), low(state256[0])
	vec("VMOVQ", Mem{Base: nonce}, x)
	vec("VPINSRD", U8(2), Mem{Base: nonce, Disp: 8}, x, x)
	vec("VPSHUFB", constant(swapAt), x, x)
	vec("VPADDD", constant(oneAt), x, m)
	vec("VPSHUFB", constant(swapAt), m, m)
	run(rounds256(c, []VecPhysical{m}))
	vec("VMOVDQU", m, mask)
	vec("VINSERTI128", U8(1), x, count256, count256)
	vec("VPADDD", constant(firstAt), count256, count256)
	Load(Param("tag"), tag)
}

// rounds256 encrypts blocks, one step for each round.
func rounds256(c cipher, blocks []VecPhysical) []step {
	var steps []step
	for r := range c.rounds + 1 {
		name := "VAESENC"
		switch r {
		case 0:
			name = "VPXOR"
		case c.rounds:
			name = "VAESENCLAST"
		}
		steps = append(steps, func() {
			k := key256
			if blocks[0].Size() == 16 {
				k = low(k)
				vec("VMOVDQU", keyOf(r), k)
			} else {
				vec("VBROADCASTI128", keyOf(r), k)
			}
			for _, b := range blocks {
				vec(name, k, b, b)
			}
		})
	}
	return steps
}

// encrypt256 sets as many states as n bytes have to the next key stream, one step for each
// round. The counters are made before the first.
func encrypt256(c cipher, n int) []step {
	states := state256[:n/width256]
	steps := rounds256(c, states)
	first := steps[0]
	steps[0] = func() {
		for _, s := range states {
			vec("VPSHUFB", constant(swapAt), count256, s)
			vec("VPADDD", constant(twoAt), count256, count256)
		}
		first()
	}
	return steps
}

// data256 hashes the additional data, a block at a time.
func data256(local Mem) {
	x, y, g := low(hash256), low(spare256), sum256.asX()
	vec("VPXOR", hash256, hash256, hash256)
	Label("data")
	CMPQ(dataLen, I32(blockSize))
	JB(LabelRef("last"))
	vec("VMOVDQU", Mem{Base: data}, y)
	hashBlock := func() {
		vec("VPSHUFB", constant(swapAt), y, y)
		vec("VPXOR", y, x, x)
		vec("VMOVDQU", powerOf(1), y)
		run(g.multiply(x, y, true), g.reduce())
		vec("VMOVDQA", g.hi, x)
	}
	hashBlock()
	ADDQ(I32(blockSize), data)
	SUBQ(I32(blockSize), dataLen)
	JMP(LabelRef("data"))
	Label("last")
	TESTQ(dataLen, dataLen)
	JE(LabelRef("hashed"))
	vec("VPXOR", y, y, y)
	vec("VMOVDQU", y, local)
	LEAQ(local, buffer)
	copyBytes("data", buffer, data, dataLen, 8)
	vec("VMOVDQU", local, y)
	hashBlock()
	Label("hashed")
}

// hashing256 hashes n bytes of ciphertext at a distance from what base points to, behind
// the hash so far.
func hashing256(base Register, distance, n int) []step {
	var steps []step
	for i := 0; i < n; i += width256 {
		x, begin := spare256, i == 0
		steps = append(steps, func() {
			vec("VMOVDQU", Mem{Base: base, Disp: distance + i}, x)
			vec("VPSHUFB", constant(swapAt), x, x)
			if begin {
				vec("VPXOR", hash256, x, x)
			}
		})
		steps = append(steps, sum256.multiply(x, powerOf((n-i)/blockSize), begin)...)
	}
	return append(append(steps, sum256.reduce()...), lanes256)
}

// lanes256 sets the hash to the sum of the two blocks of the reduced sum.
func lanes256() {
	vec("VEXTRACTI128", U8(1), sum256.hi, low(spare256))
	vec("VPXOR", low(sum256.hi), low(spare256), low(hash256))
}

// output256 adds the key stream in the states to n bytes of text, stores them and steps
// over them.
func output256(n int) []step {
	return []step{func() {
		for i, s := range state256[:n/width256] {
			vec("VPXOR", Mem{Base: src, Disp: i * width256}, s, s)
			vec("VMOVDQU", s, Mem{Base: dst, Disp: i * width256})
		}
		ADDQ(I32(n), src)
		ADDQ(I32(n), dst)
		SUBQ(I32(n), left)
	}}
}

// sealLoop256 encrypts a chunk while it hashes the one before.
func sealLoop256(c cipher) {
	run(encrypt256(c, chunk256), output256(chunk256))
	CMPQ(left, I32(chunk256))
	JB(LabelRef("behind"))
	Label("loop")
	between(encrypt256(c, chunk256), hashing256(dst, -chunk256, chunk256))
	run(output256(chunk256))
	CMPQ(left, I32(chunk256))
	JAE(LabelRef("loop"))
	Label("behind")
	run(hashing256(dst, -chunk256, chunk256))
}

// openChunk256 decrypts n bytes while it hashes them.
func openChunk256(c cipher, n int) {
	between(encrypt256(c, n), hashing256(src, 0, n))
	run(output256(n))
}

// tail256 does what is left, up to 7 whole blocks and a part of one, and adds the
// block with the lengths. All of it is reduced at once, in finish256.
func tail256(c cipher, d direction, local Mem) {
	g := sum256
	s, x := state256[0], text256
	for _, r := range []Op{g.lo, g.mi, g.hi} {
		vec("VPXOR", r, r, r)
	}
	tailPowers()
	Label("pair")
	CMPQ(left, I32(width256))
	JB(LabelRef("part"))
	vec("VMOVDQU", Mem{Base: src}, x)
	encryptPair256(c)
	vec("VMOVDQU", s, Mem{Base: dst})
	if d == seal {
		vec("VMOVDQA", s, x)
	}
	hashPair256()
	ADDQ(I32(width256), power)
	ADDQ(I32(width256), src)
	ADDQ(I32(width256), dst)
	SUBQ(I32(width256), left)
	JMP(LabelRef("pair"))

	Label("part")
	TESTQ(left, left)
	JE(LabelRef("lengths"))
	part256(c, d, local)
	Label("lengths")
	lengths(low(x))
	vec("VPXOR", low(hash256), low(x), low(x))
	vec("VMOVDQU", powerOf(1), low(spare256)) // and zeros behind it
	run(g.multiply(x, spare256, false))
}

// part256 does the last 1 to 31 bytes, by way of the stack.
func part256(c cipher, d direction, local Mem) {
	s, x := state256[0], text256
	vec("VPXOR", x, x, x)
	vec("VMOVDQU", x, local)
	LEAQ(local, buffer)
	copyBytes("in", buffer, src, left, 16)
	vec("VMOVDQU", local, x)
	encryptPair256(c)
	vec("VMOVDQU", s, local)
	copyBytes("out", dst, buffer, left, 16)
	if d == seal {
		MOVQ(I32(width256), scratch)
		SUBQ(left, scratch)
		LEAQ(constant(maskAt), at)
		vec("VPAND", Mem{Base: at, Index: scratch, Scale: 1}, s, x)
	}
	hashPair256()
}

// encryptPair256 sets the first state to the next key stream and the first text.
func encryptPair256(c cipher) {
	run(encrypt256(c, width256))
	vec("VPXOR", text256, state256[0], state256[0])
}

// hashPair256 adds the first text's products, with the hash so far in it, to the sum.
func hashPair256() {
	x := text256
	vec("VPSHUFB", constant(swapAt), x, x)
	vec("VPXOR", hash256, x, x)
	vec("VPXOR", hash256, hash256, hash256)
	vec("VMOVDQU", Mem{Base: power}, spare256)
	run(sum256.multiply(x, spare256, false))
}

// copyBytes copies n bytes, fewer than twice most, a power of two up to 16.
func copyBytes(label string, to, from, n Register, most int) {
	XORL(at.As32(), at.As32())
	src, dst := Mem{Base: from, Index: at, Scale: 1}, Mem{Base: to, Index: at, Scale: 1}
	for size := most; size > 0; size /= 2 {
		skip := fmt.Sprintf("%s%d", label, size)
		TESTQ(I32(size), n)
		JE(LabelRef(skip))
		switch size {
		case 16:
			vec("VMOVDQU", src, low(spare256))
			vec("VMOVDQU", low(spare256), dst)
		case 8:
			MOVQ(src, through)
			MOVQ(through, dst)
		case 4:
			MOVL(src, through.As32())
			MOVL(through.As32(), dst)
		case 2:
			MOVW(src, through.As16())
			MOVW(through.As16(), dst)
		case 1:
			MOVB(src, through.As8())
			MOVB(through.As8(), dst)
		}
		if size > 1 {
			ADDQ(I32(size), at)
		}
		Label(skip)
	}
}

// finish256 reduces the sum, stores the tag and clears the stack.
func finish256(local Mem) {
	run(sum256.reduce())
	lanes256()
	x := low(hash256)
	vec("VPSHUFB", constant(swapAt), x, x)
	vec("VPXOR", local.Offset(width256), x, x)
	vec("VMOVDQU", x, Mem{Base: tag})
	vec("VPXOR", spare256, spare256, spare256)
	vec("VMOVDQU", spare256, local)
	vec("VMOVDQU", low(spare256), local.Offset(width256))
}
