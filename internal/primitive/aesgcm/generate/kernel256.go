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
	state256 = []VecPhysical{Y0, Y1, Y2, Y3, Y4, Y5, Y6, Y7}
	text256  = Y7
	sum256   = ghash{lo: Y8, mi: Y9, hi: Y10, t: Y11, fold: xor2, add: "VPXOR"}
	spare256 = Y12
	key256   = Y13 // of the round
	hash256  = Y14
	count256 = Y15
)

var by256 = width{width256, state256, text256, sum256, spare256, hash256, count256,
	constant(swapAt), twoAt, "VMOVDQU", rounds256, lanes256}

const (
	width256 = 32
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
	by256.loop(c, d, "half")
	Label("half")
	CMPQ(left, I32(half256))
	JB(LabelRef("tail"))
	if d == seal {
		run(by256.encrypt(c, half256), by256.output(half256), by256.hashing(dst, -half256, half256))
	} else {
		by256.openOnce(c, half256)
	}
	Label("tail")
	lastSource(d)
	tail256(c, d, local)
	by256.finish(local.Offset(width256))
	clear256(local)
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

// lanes256 sets the hash to the sum of the two blocks of the reduced sum.
func lanes256() {
	vec("VEXTRACTI128", U8(1), sum256.hi, low(spare256))
	vec("VPXOR", low(sum256.hi), low(spare256), low(hash256))
}

// tail256 does what is left, up to 7 whole blocks and a part of one.
func tail256(c cipher, d direction, local Mem) {
	s, x := state256[0], text256
	by256.tail()
	Label("pair")
	CMPQ(left, I32(width256))
	JB(LabelRef("part"))
	vec("VMOVDQU", Mem{Base: src}, x)
	encryptPair256(c)
	vec("VMOVDQU", s, Mem{Base: dst})
	if d == seal {
		vec("VMOVDQA", s, x)
	}
	by256.hashText()
	ADDQ(I32(width256), power)
	stepOver(width256)
	JMP(LabelRef("pair"))

	Label("part")
	TESTQ(left, left)
	JE(LabelRef("lengths"))
	part256(c, d, local)
	Label("lengths")
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
	by256.hashText()
}

// encryptPair256 sets the first state to the next key stream and the first text.
func encryptPair256(c cipher) {
	run(by256.encrypt(c, width256))
	vec("VPXOR", text256, state256[0], state256[0])
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

// clear256 clears the stack.
func clear256(local Mem) {
	vec("VPXOR", spare256, spare256, spare256)
	vec("VMOVDQU", spare256, local)
	vec("VMOVDQU", low(spare256), local.Offset(width256))
}
