package record

import "encoding/binary"

// maxBlocks is how many blocks a record may hold. Each may have tables to build,
// and need not have content.
//
// What honest peers send is below. zlib's blocks have 16,383 symbols by default,
// each a byte or more, and compress/flate's 16,384: a whole record is two blocks or
// three, with the empty one of the flush (two in old versions of zlib). The number
// leaves room for zlib with little memory: memLevel 3 has 511 symbols in a block.
const maxBlocks = 40

// shortestBlock is the length, in bits, of a fixed block without content. What is
// shorter at the end of a record is the beginning of a block that the next record
// goes on with: zlib's partial flush leaves off there, and its sync flush at 0.
const shortestBlock = 3 + 7

// blockReader reads the blocks of DEFLATE, of which a record holds whole ones.
// RFC 1951.
type blockReader struct {
	bitReader
	out     []byte // what the record decompresses to, in the caller's memory
	n       int    // bytes of out so far
	history []byte // before out
	symbols prefixCode
	offsets prefixCode
	lengths [maxSymbols + maxOffsets]uint8
}

// read decompresses fragment into out, with history before it, and returns the
// number of bytes. It keeps none of the three. ok is false for what is no DEFLATE,
// is longer than out, has too many blocks, or ends the stream, which in TLS goes on.
func (r *blockReader) read(out, history, fragment []byte) (n int, ok bool) {
	r.out, r.n, r.history, r.in, r.pos = out, 0, history, fragment, 0
	ok = true
	for blocks := 0; ok && r.left() >= shortestBlock; blocks++ {
		ok = blocks < maxBlocks && r.block()
	}
	r.fill()
	r.out, r.history, r.in = nil, nil, nil
	if !ok {
		r.next, r.have = 0, 0
	}
	return r.n, ok
}

// block reads one block. RFC 1951 §3.2.3.
func (r *blockReader) block() bool {
	const stored, fixed, dynamic = 0 << 1, 1 << 1, 2 << 1 // and 1 for the last
	switch r.bits(3) {
	case stored:
		return r.stored()
	case fixed:
		return r.content(&fixedSymbols, &fixedOffsets)
	case dynamic:
		return r.codes() && r.content(&r.symbols, &r.offsets)
	}
	return false
}

// stored reads the rest of a block that is not compressed. RFC 1951 §3.2.4.
func (r *blockReader) stored() bool {
	r.align()
	n, inverse := int(r.bits(16)), int(r.bits(16))
	from := r.bytes()
	if n^inverse != 0xffff || n > len(from) || n > len(r.out)-r.n {
		return false
	}
	r.n += copy(r.out[r.n:], from[:n])
	r.pos += n
	return true
}

// A symbol above endOfBlock is a length: base, and as many bits more as extra
// says. RFC 1951 §3.2.5.
const (
	endOfBlock = 256
	maxSymbols = 286
	maxOffsets = 30
)

type span struct {
	base  uint16
	extra uint8
}

var lengthSpans = [maxSymbols - endOfBlock - 1]span{
	{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2},
	{31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
}

var offsetSpans = [maxOffsets]span{
	{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4}, {65, 5}, {97, 5}, {129, 6},
	{193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9}, {2049, 10}, {3073, 10}, {4097, 11}, {6145, 11},
	{8193, 12}, {12289, 12}, {16385, 13}, {24577, 13},
}

// content reads the compressed data of a block, to its end. One fill is enough
// for a symbol and an offset: they have 48 bits at most.
func (r *blockReader) content(symbols, offsets *prefixCode) bool {
	for {
		if r.have < 48 {
			r.fill()
		}
		s := symbols.next(&r.bitReader)
		if s == notFast {
			s = symbols.long(&r.bitReader)
		}
		switch {
		case s >= maxSymbols || r.have < 0:
			return false
		case s == endOfBlock:
			return true
		case s > endOfBlock:
			length := r.value(lengthSpans[s-endOfBlock-1])
			o := offsets.next(&r.bitReader)
			if o == notFast {
				o = offsets.long(&r.bitReader)
			}
			if o >= maxOffsets || !r.repeat(length, r.value(offsetSpans[o])) {
				return false
			}
		case r.n == len(r.out):
			return false
		default:
			r.out[r.n] = byte(s)
			r.n++
		}
	}
}

func (r *blockReader) value(s span) int { return int(s.base) + int(r.take(uint(s.extra))) }

// repeat appends length bytes from offset bytes before. What it appends may be
// part of what it repeats.
func (r *blockReader) repeat(length, offset int) bool {
	if r.have < 0 || length > len(r.out)-r.n || offset > r.n+len(r.history) {
		return false
	}
	if before := offset - r.n; before > 0 {
		n := copy(r.out[r.n:r.n+length], r.history[len(r.history)-before:])
		r.n, length = r.n+n, length-n
	}
	for from := r.n - offset; length > 0; {
		n := copy(r.out[r.n:r.n+length], r.out[from:r.n])
		r.n, length = r.n+n, length-n
	}
	return true
}

// lengthOrder is the order in which a dynamic block has the lengths of the code
// for lengths; repeats are that code's symbols from repeatLast on. RFC 1951 §3.2.7.
var (
	lengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	repeats     = [...]span{{3, 2}, {3, 3}, {11, 7}}
)

const repeatLast = 16

// codes reads the two codes of a dynamic block. RFC 1951 §3.2.7.
func (r *blockReader) codes() bool {
	symbols, offsets, n := int(r.bits(5))+257, int(r.bits(5))+1, int(r.bits(4))+4
	if symbols > maxSymbols || offsets > maxOffsets {
		return false
	}
	var lengths [len(lengthOrder)]uint8
	for _, i := range lengthOrder[:n] {
		lengths[i] = uint8(r.bits(3))
	}
	all := r.lengths[:symbols+offsets]
	return r.symbols.build(lengths[:]) && r.readLengths(all) && all[endOfBlock] != 0 &&
		r.symbols.build(all[:symbols]) && r.offsets.build(all[symbols:])
}

// readLengths fills all with the lengths of the codes of a dynamic block. They come
// in the code that r.symbols is for the time being.
func (r *blockReader) readLengths(all []uint8) bool {
	for i := 0; i < len(all); {
		r.fill()
		s := r.symbols.next(&r.bitReader)
		if s == notFast || r.have < 0 {
			return false
		}
		if s < repeatLast {
			all[i] = uint8(s)
			i++
			continue
		}
		last, n := uint8(0), r.value(repeats[s-repeatLast])
		if s == repeatLast && i > 0 {
			last = all[i-1]
		}
		if s == repeatLast && i == 0 || n > len(all)-i {
			return false
		}
		for range n {
			all[i] = last
			i++
		}
	}
	return true
}

// bitReader reads the bits of in, the least significant first. RFC 1951 §3.1.1.
type bitReader struct {
	in   []byte
	pos  int
	next uint64 // what comes next
	have int    // bits of next; below 0 when more were taken than there are
}

// left is how many bits there are.
func (r *bitReader) left() int { return r.have + 8*(len(r.in)-r.pos) }

// fill makes have 56 or more, or all that there are.
func (r *bitReader) fill() {
	if r.have >= 0 && r.have < 64 && len(r.in)-r.pos >= 8 {
		r.next |= binary.LittleEndian.Uint64(r.in[r.pos:]) << r.have
		r.pos += (63 - r.have) >> 3
		r.have |= 56
		return
	}
	for ; r.have < 56 && r.pos < len(r.in); r.pos++ {
		r.next |= uint64(r.in[r.pos]) << r.have
		r.have += 8
	}
}

// take takes n bits that were filled.
func (r *bitReader) take(n uint) uint32 {
	b := uint32(r.next) & (1<<n - 1)
	r.next >>= n
	r.have -= int(n)
	return b
}

// bits takes n bits.
func (r *bitReader) bits(n uint) uint32 {
	r.fill()
	return r.take(n)
}

// align goes on to the next whole byte.
func (r *bitReader) align() { r.take(uint(r.have) & 7) }

// bytes gives back the whole bytes that were filled, and returns all that follow.
func (r *bitReader) bytes() []byte {
	if r.have < 0 {
		return nil
	}
	r.pos -= r.have / 8
	r.next, r.have = 0, 0
	return r.in[r.pos:]
}
