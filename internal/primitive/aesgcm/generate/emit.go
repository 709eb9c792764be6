package main

import (
	"slices"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// vec emits a vector instruction by its name; the last operand is what it writes. avo
// knows VAES and VPCLMULQDQ for 128 bits alone, so none of them goes through its
// tables: the assembler checks them.
func vec(name string, operands ...Op) {
	last := len(operands) - 1
	Instruction(&ir.Instruction{Opcode: name, Operands: operands, Inputs: operands[:last], Outputs: operands[last:]})
}

// zeroing is vec with a mask: what the mask leaves out is zero.
func zeroing(name string, operands ...Op) {
	last := len(operands) - 1
	Instruction(&ir.Instruction{Opcode: name, Suffixes: []string{"Z"}, Operands: operands, Inputs: operands[:last], Outputs: operands[last:]})
}

// A step emits one or two instructions. Steps of one computation are put between
// those of another, so that both keep the processor busy.
type step func()

// between emits rounds, and steps evenly spread behind them.
func between(rounds, steps []step) {
	done := 0
	for i, round := range rounds {
		round()
		for upTo := (i + 1) * len(steps) / len(rounds); done < upTo; done++ {
			steps[done]()
		}
	}
}

// The general-purpose registers of the kernels. Each holds a pointer or a length
// that the caller gave, or what was computed from these.
var (
	table   = RAX // the schedule: powers of H
	dst     = RDI
	src     = RSI
	left    = RCX // bytes that are left of the message
	data    = RDX // additional data
	dataLen = R8
	power   = R9 // the power of H for the next block
	scratch = R10
	through = R11 // carries bytes of the message from memory to memory, and nothing else
	at      = R12 // where a copy is
	buffer  = R13 // the end of the message, on the stack
	nonce   = RBX
	tag     = RBX // once the nonce is read
)

const (
	blockSize  = 16
	powers     = 20                 // of H, in a schedule
	keysOffset = powers * blockSize // in a schedule
)

// powerOf is where a schedule has H^n.
func powerOf(n int) Mem { return Mem{Base: table, Disp: (powers - n) * blockSize} }

// keyOf is where a schedule has the key of a round.
func keyOf(round int) Mem { return Mem{Base: table, Disp: keysOffset + round*blockSize} }

// Offsets into the constants.
const (
	swapAt   = 0   // VPSHUFB's: the bytes of each block the other way round
	polyAt   = 64  // the polynomial, for each half of each block
	firstAt  = 128 // the first counters: 2, 3, 4, 5
	fourAt   = 192 // 4 in each counter
	twoAt    = 256 // 2 in each of two
	oneAt    = 288 // 1
	doubleAt = 304 // what x^127·x leaves
	maskAt   = 320 // 32 bytes of ones, then 32 of zeros
)

func constant(offset int) Mem { return NewDataAddr(NewStaticSymbol("constants"), offset) }

// constants writes the table, in the order of the offsets.
func constants() {
	const poly, ones = 0xc200000000000000, 1<<64 - 1
	swap := []uint64{0x08090a0b0c0d0e0f, 0x0001020304050607}
	GLOBL("constants", attr.RODATA|attr.NOPTR)
	for i, word := range slices.Concat(
		swap, swap, swap, swap,
		slices.Repeat([]uint64{poly}, 8),
		[]uint64{2, 0, 3, 0, 4, 0, 5, 0},
		[]uint64{4, 0, 4, 0, 4, 0, 4, 0},
		[]uint64{2, 0, 2, 0},
		[]uint64{1, 0},
		[]uint64{1, poly},
		slices.Repeat([]uint64{ones}, 4), slices.Repeat([]uint64{0}, 4),
	) {
		DATA(8*i, U64(word))
	}
}

// arguments loads what every kernel gets, except the tag.
func arguments() {
	for _, a := range []struct {
		name string
		to   Register
	}{{"s", table}, {"dst", dst}, {"src", src}, {"n", left}, {"nonce", nonce}, {"data", data}, {"dataLen", dataLen}} {
		Load(Param(a.name), a.to)
	}
}

// signatures have one argument more for sealing: where the bytes behind the last
// whole chunk are read from, or nil if they follow what src has.
var signatures = map[direction]string{
	seal: "func(s *byte, dst, src *byte, n int, nonce *byte, data *byte, dataLen int, tag *byte, last *byte)",
	open: "func(s *byte, dst, src *byte, n int, nonce *byte, data *byte, dataLen int, tag *byte)",
}

// lastSource turns src to the argument last.
func lastSource(d direction) {
	if d == open {
		return
	}
	Load(Param("last"), scratch)
	TESTQ(scratch, scratch)
	JE(LabelRef("follows"))
	MOVQ(scratch, src)
	Label("follows")
}

// tailPowers sets power to the power of H for the first of the blocks that are
// left, behind which comes the block with the lengths.
func tailPowers() {
	LEAQ(Mem{Base: left, Disp: blockSize - 1}, scratch)
	ANDQ(I32(-blockSize), scratch)
	LEAQ(powerOf(1), power)
	SUBQ(scratch, power)
}

// lengths puts the block with the lengths of data and message, swapped, into x.
func lengths(x Register) {
	Load(Param("n"), scratch)
	SHLQ(U8(3), scratch)
	vec("VMOVQ", scratch, x)
	Load(Param("dataLen"), scratch)
	SHLQ(U8(3), scratch)
	vec("VPINSRQ", U8(1), scratch, x, x)
}

// low is the lowest 128 bits of r.
func low(r VecPhysical) VecPhysical { return r.AsX().(VecPhysical) }
