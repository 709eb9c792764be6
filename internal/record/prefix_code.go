package record

import "math/bits"

const (
	maxCode  = 15        // bits of a code. RFC 1951 §3.2.7
	fastCode = 9         // bits that one look finds
	notFast  = 1<<12 - 1 // no symbol
)

// prefixCode is a canonical Huffman code. RFC 1951 §3.2.2.
type prefixCode struct {
	count  [maxCode + 1]uint16   // codes of each length
	sorted [288]uint16           // symbols in the order of their codes
	fast   [1 << fastCode]uint16 // by the next bits: symbol<<4 | length, or notFast<<4
}

// The codes of fixed blocks. RFC 1951 §3.2.6.
var fixedSymbols, fixedOffsets = fixedCodes()

func fixedCodes() (symbols, offsets prefixCode) {
	var lengths [288]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	symbols.build(lengths[:])
	for i := range 32 {
		lengths[i] = 5
	}
	offsets.build(lengths[:32])
	return symbols, offsets
}

// build makes c the code of which symbol i has lengths[i] bits, or none. It is
// false for what is no complete code, except for one code of one bit and for none
// at all, which blocks without repetitions have.
func (c *prefixCode) build(lengths []uint8) bool {
	c.count = [maxCode + 1]uint16{}
	for _, n := range lengths {
		c.count[n]++
	}
	c.count[0] = 0
	if !c.complete() {
		return false
	}
	var at [maxCode + 2]uint16
	for n, count := range c.count {
		at[n+1] = at[n] + count
	}
	for symbol, n := range lengths {
		if n > 0 {
			c.sorted[at[n]] = uint16(symbol)
			at[n]++
		}
	}
	c.fill()
	return true
}

func (c *prefixCode) complete() bool {
	free, used := 1, 0
	for _, count := range c.count[1:] {
		if free = 2*free - int(count); free < 0 {
			return false
		}
		used += int(count)
	}
	return free == 0 || used == 0 || used == 1 && c.count[1] == 1
}

// fill makes fast: for each length, what the lengths below it have stands there
// twice, and the codes of the length go between.
func (c *prefixCode) fill() {
	code, sorted := uint16(0), c.sorted[:]
	c.fast[0] = notFast << 4
	for n := 1; n <= fastCode; n++ {
		half := 1 << (n - 1)
		copy(c.fast[half:2*half], c.fast[:half])
		code <<= 1
		for range c.count[n] {
			c.fast[bits.Reverse16(code)>>(16-n)] = sorted[0]<<4 | uint16(n)
			sorted = sorted[1:]
			code++
		}
	}
}

// next takes one symbol, of bits that were filled. It takes none, and returns
// notFast, for a code that is longer than fastCode or not there: ask long.
func (c *prefixCode) next(r *bitReader) int {
	e := c.fast[r.next&(1<<fastCode-1)]
	r.next >>= e & 15
	r.have -= int(e & 15)
	return int(e >> 4)
}

// long is next for a code of any length, and returns notFast for what is none. Of
// the codes of each length, first is the lowest, and their symbols begin at
// sorted[before].
func (c *prefixCode) long(r *bitReader) int {
	code, first, before := 0, 0, 0
	for _, n := range c.count[1:] {
		code |= int(r.take(1))
		if code < first+int(n) {
			return int(c.sorted[before+code-first])
		}
		before += int(n)
		code, first = code<<1, (first+int(n))<<1
	}
	return notFast
}
