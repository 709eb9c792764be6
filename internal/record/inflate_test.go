package record

import (
	"bytes"
	"compress/flate"
	"io"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// bitWriter writes DEFLATE's bits, the least significant first. RFC 1951 §3.1.1.
type bitWriter struct {
	bytes []byte
	used  int // bits of the last byte
}

func (w *bitWriter) bits(value, n int) *bitWriter {
	for ; n > 0; n-- {
		if w.used == 0 {
			w.bytes = append(w.bytes, 0)
		}
		w.bytes[len(w.bytes)-1] |= byte(value&1) << w.used
		value, w.used = value>>1, (w.used+1)%8
	}
	return w
}

// emptyDynamic is a dynamic block without content: the codes have one symbol, the
// end of the block. RFC 1951 §3.2.7.
func (w *bitWriter) emptyDynamic() *bitWriter {
	w.bits(0b100, 3).bits(0, 5).bits(0, 5).bits(14, 4)
	for _, n := range []int{2: 1, 17: 1} { // codes for 18 (many zeros) and 1
		w.bits(n, 3)
	}
	w.bits(1, 1).bits(127, 7).bits(1, 1).bits(107, 7) // 256 zeros
	return w.bits(0, 1).bits(0, 1).bits(0, 1)         // 1, 1, and the end
}

// dearDynamic is a dynamic block without content whose codes have every symbol.
func (w *bitWriter) dearDynamic() *bitWriter {
	w.bits(0b100, 3).bits(29, 5).bits(29, 5).bits(8, 4)
	for _, n := range []int{1, 0, 0, 0, 2, 0, 3, 0, 0, 4, 0, 4} { // codes for 16 (the last again), 8, 9, 5 and 4
		w.bits(n, 3)
	}
	again := func(six, rest int) {
		for range six {
			w.bits(0, 1).bits(3, 2)
		}
		w.bits(0, 1).bits(rest-3, 2)
	}
	w.bits(0b01, 2) // 226 symbols of 8 bits
	again(37, 3)
	w.bits(0b011, 3) // 60 of 9
	again(9, 5)
	w.bits(0b0111, 4).bits(0b0111, 4).bits(0b1111, 4) // 2 offsets of 4 bits, 28 of 5
	again(4, 3)
	return w.bits(int(bits.Reverse16(482)>>7), 9) // the end
}

// manyBlocks is a fragment of all the blocks that a record may have, each dear.
func manyBlocks() []byte {
	w := new(bitWriter).bits(0b010, 3).bits(int(bits.Reverse8(0x30)), 8) // a zero
	for range MaxPlaintext / 258 {
		w.bits(int(bits.Reverse8(0b11000101)), 8).bits(0, 5) // 258 of the same
	}
	w.bits(0, 7)
	for range maxBlocks - 2 {
		w.dearDynamic()
	}
	return w.sync()
}

// emptyFixed is a fixed block without content.
func (w *bitWriter) emptyFixed() *bitWriter { return w.bits(0b010, 3).bits(0, 7) }

// sync is an empty stored block, with which zlib's sync flush ends a record.
func (w *bitWriter) sync() []byte {
	w.bits(0, 3)
	w.used = 0
	return append(w.bytes, 0, 0, 0xff, 0xff)
}

// full is a fragment as long as may be, of blocks that one makes.
func full(one func(*bitWriter) *bitWriter) []byte {
	w := new(bitWriter)
	for len(w.bytes) < MaxCompressed-20 {
		one(w)
	}
	return w.sync()
}

// dynamic begins a dynamic block whose codes have the given lengths, each written
// out in a code of four bits. header's numbers are HLIT and HDIST as they are sent.
func (w *bitWriter) dynamic(symbols, offsets int, lengths ...uint8) *bitWriter {
	w.bits(0b100, 3).bits(symbols, 5).bits(offsets, 5).bits(19-4, 4)
	for i := range 19 {
		w.bits(min(max(0, i-2), 1)*4, 3) // 16, 17 and 18 have no code
	}
	for _, n := range lengths {
		w.bits(int(bits.Reverse8(n)>>4), 4)
	}
	return w
}

// lengthsOf are the lengths of n codes, of which only some are there.
func lengthsOf(n int, some map[int]uint8) []uint8 {
	all := make([]uint8, n)
	for i, length := range some {
		all[i] = length
	}
	return all
}

// flateInflate is the standard library's reading of a fragment, with history before
// it: each fragment is a stream of its own, which an empty block ends.
func flateInflate(r io.ReadCloser, history, fragment []byte) (content []byte, ok bool) {
	source := bytes.NewReader(append(bytes.Clone(fragment), 1, 0, 0, 0xff, 0xff))
	r.(flate.Resetter).Reset(source, history)
	content, err := io.ReadAll(r)
	return content, err == nil && source.Len() == 0 && len(content) <= MaxPlaintext
}

// ourInflate reads a fragment without a bound on its blocks, and counts them. whole
// is whether the last one ends with the fragment.
func ourInflate(history, fragment []byte) (content []byte, blocks int, ok, whole bool) {
	r := &blockReader{out: make([]byte, MaxPlaintext), history: history, bitReader: bitReader{in: fragment}}
	for ok = true; ok && r.left() >= shortestBlock; blocks++ {
		ok = r.block()
	}
	return r.out[:r.n], blocks, ok, r.left() == 0
}

// checkInflate fails unless we and the standard library read the same in a fragment.
func checkInflate(t *testing.T, history, fragment []byte) {
	t.Helper()
	theirs, theyTake := flateInflate(flate.NewReader(nil), history, fragment)
	ours, blocks, weTake, whole := ourInflate(history, fragment)
	if weTake && !whole { // they cannot leave off within a byte, but have read as much
		theyTake = len(theirs) <= MaxPlaintext
	}
	if theyTake != weTake || weTake && !bytes.HasPrefix(theirs, ours) || weTake && whole && len(theirs) != len(ours) {
		t.Fatalf("%x after %d bytes: we read %d bytes, %v; compress/flate %d, %v", fragment, len(history), len(ours), weTake, len(theirs), theyTake)
	}
	d := &Decompressor{limit: MaxPlaintext, begun: true}
	d.remember(history)
	got, err := d.Append(nil, fragment)
	if take := weTake && blocks <= maxBlocks; take != (err == nil) || take && !bytes.Equal(got, ours) {
		t.Fatalf("%d blocks, %v: %d bytes and %v", blocks, weTake, len(got), err)
	}
}

// What compress/flate makes, in every way it has, we read as it does; what is
// changed in it we refuse as it does.
func TestInflateAsFlate(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{1}))
	for i := range 240 {
		history, content := sample(random, random.IntN(historyLen+1)), sample(random, random.IntN(MaxPlaintext+100))
		var b bytes.Buffer
		w, _ := flate.NewWriterDict(&b, flate.HuffmanOnly+i%12, history)
		flushes := 0
		for ; len(content) > 0; flushes++ {
			n := min(len(content), 1+random.IntN(MaxPlaintext))
			w.Write(content[:n])
			w.Flush()
			content = content[n:]
		}
		fragment := b.Bytes()
		checkInflate(t, history, fragment)
		if _, blocks, _, _ := ourInflate(history, fragment); blocks > 2*flushes+3 {
			t.Fatalf("%d blocks with %d flushes: what is honest comes near to maxBlocks", blocks, flushes)
		}
		for range min(5, len(fragment)) {
			changed := bytes.Clone(fragment[:1+random.IntN(len(fragment))])
			changed[random.IntN(min(len(changed), 200))] ^= 1 << random.IntN(8)
			checkInflate(t, history, changed)
		}
	}
}

// sample is n bytes, of one of several kinds.
func sample(random *rand.Rand, n int) []byte {
	b, values, run := make([]byte, n), 1+random.IntN(256), 1+random.IntN(40)
	for i := range b {
		if b[i] = byte(random.IntN(values)); i > run && i%run > 3 {
			b[i] = b[i-run]
		}
	}
	return b
}

// FuzzInflate compares us with the standard library.
func FuzzInflate(f *testing.F) {
	c := NewCompressor()
	first, again := c.Append(nil, []byte("GET / HTTP/1.1")), c.Append(nil, []byte("GET / HTTP/1.1"))
	f.Add([]byte{}, first[2:])
	f.Add([]byte("GET / HTTP/1.1"), again)
	f.Add([]byte{}, bomb()[2:1000])
	f.Add([]byte{}, unhex("4a4c4a0608"))
	f.Add([]byte{}, new(bitWriter).emptyDynamic().dearDynamic().emptyFixed().sync())
	f.Fuzz(func(t *testing.T, history, fragment []byte) {
		checkInflate(t, history[max(0, len(history)-historyLen):], fragment[:min(len(fragment), MaxCompressed)])
	})
}

// Made with zlib 1.3 through Python's zlib.compressobj and Z_PARTIAL_FLUSH, with
// which records end within a byte and within a block.
func TestInflatePartialFlush(t *testing.T) {
	d := NewDecompressor()
	for _, v := range []struct{ fragment, content string }{
		{"789c4a4c4a0608", "abc"},
		{"204785b2cc92a2ccbc5485cc62854485f49cc4e26285e4c4e2543d058000", "A vitrine is a glass case. "},
		{"02", ""},
		{"08a794954279466209483433af383305a81420", "A vitrine is a glass case: what is inside. "},
		{"802a0002", "x"},
		{"a81220", "y"},
		{"80aa0002", "z"},
		{"28352f0520", "end"},
	} {
		if got, err := d.Append(nil, unhex(v.fragment)); err != nil || string(got) != v.content {
			t.Errorf("%s: %q, %v", v.fragment, got, err)
		}
	}
}

func TestInflateMalformed(t *testing.T) {
	const end = endOfBlock
	one := func(symbols map[int]uint8, offsets ...uint8) []byte {
		return new(bitWriter).dynamic(286-257, len(offsets)-1, append(lengthsOf(286, symbols), offsets...)...).bits(0, 1).sync()
	}
	for name, v := range map[string]struct {
		fragment []byte
		taken    bool
	}{
		"one symbol, which ends the block":   {one(map[int]uint8{end: 1}, 0), true},
		"a code of which half is not there":  {one(map[int]uint8{end: 2, 'a': 2}, 0), false},
		"a code of more than all":            {one(map[int]uint8{end: 1, 'a': 1, 'b': 1}, 0), false},
		"no end of the block":                {one(map[int]uint8{'a': 1, 'b': 1}, 0), false},
		"one symbol of two bits":             {one(map[int]uint8{end: 2}, 0), false},
		"one offset":                         {one(map[int]uint8{end: 1}, 1), true},
		"offsets of which half is not there": {one(map[int]uint8{end: 1}, 2), false},
		"offsets of more than all":           {one(map[int]uint8{end: 1}, 1, 1, 1), false},
		"31 offsets":                         {new(bitWriter).dynamic(0, 30, append(lengthsOf(257, map[int]uint8{end: 1}), make([]uint8, 31)...)...).bits(0, 1).sync(), false},
		"287 symbols":                        {new(bitWriter).dynamic(30, 0, append(lengthsOf(287, map[int]uint8{end: 1}), 0)...).bits(0, 1).sync(), false},
		"a code that is none":                {new(bitWriter).dynamic(0, 0, append(lengthsOf(257, map[int]uint8{end: 1}), 0)...).bits(1, 1).sync(), false},
		"a length without a code of offsets": {new(bitWriter).dynamic(1, 0, append(lengthsOf(258, map[int]uint8{end: 1, 257: 1}), 0)...).bits(1, 1).bits(0, 1).sync(), false},
		"the last length before the first":   {new(bitWriter).bits(0b100, 3).bits(0, 10).bits(0, 4).bits(1, 3).bits(0, 9).bits(0, 3).sync(), false},
		"more lengths than there are":        {new(bitWriter).bits(0b100, 3).bits(0, 10).bits(0, 4).bits(0, 6).bits(1, 3).bits(0, 3).bits(0, 1).bits(127, 7).bits(0, 1).bits(127, 7).sync(), false},
		"symbol 286 of the fixed code":       {new(bitWriter).bits(0b010, 3).bits(int(bits.Reverse8(0xc6)), 8).bits(0, 7).sync(), false},
		"offset 30 of the fixed code":        {new(bitWriter).bits(0b010, 3).bits(int(bits.Reverse8(0x30)), 8).bits(int(bits.Reverse8(1)>>1), 7).bits(0b01111, 5).bits(0, 7).sync(), false},
		"before the beginning":               {new(bitWriter).bits(0b010, 3).bits(int(bits.Reverse8(0x30)), 8).bits(int(bits.Reverse8(1)>>1), 7).bits(0b10000, 5).bits(0, 7).sync(), false},
		"the byte before":                    {new(bitWriter).bits(0b010, 3).bits(int(bits.Reverse8(0x30)), 8).bits(int(bits.Reverse8(1)>>1), 7).bits(0, 5).bits(0, 7).sync(), true},
		"a block of the third type":          {new(bitWriter).bits(0b110, 3).sync(), false},
		"the last block":                     {new(bitWriter).bits(0b011, 3).bits(0, 7).sync(), false},
		"as many blocks as may be":           {emptyBlocks(maxBlocks), true},
		"one block more":                     {emptyBlocks(maxBlocks + 1), false},
		"less of a block than the shortest":  {[]byte{2}, true},
	} {
		d := &Decompressor{limit: MaxPlaintext, begun: true}
		got, err := d.Append([]byte("before"), v.fragment)
		if v.taken != (err == nil) || !v.taken && string(got) != "before" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if err != nil {
			wantAlert(t, err, wire.AlertDecompressionFailure)
		}
		if name != "one block more" {
			checkInflate(t, nil, v.fragment)
		}
	}
}

// emptyBlocks is a fragment of n blocks without content.
func emptyBlocks(n int) []byte {
	w := new(bitWriter)
	for i := range n - 1 {
		[]func(*bitWriter) *bitWriter{(*bitWriter).emptyDynamic, (*bitWriter).emptyFixed, (*bitWriter).dearDynamic}[i%3](w)
	}
	return w.sync()
}

// The work of a record is bounded: of one that is full of blocks without content
// only maxBlocks are read.
func TestInflateBoundsBlocks(t *testing.T) {
	for name, one := range map[string]func(*bitWriter) *bitWriter{
		"dynamic": (*bitWriter).emptyDynamic, "dear": (*bitWriter).dearDynamic, "fixed": (*bitWriter).emptyFixed,
	} {
		w := one(new(bitWriter))
		each := len(w.bytes) + 1
		d := &Decompressor{limit: MaxPlaintext, begun: true}
		_, err := d.Append(nil, full(one))
		wantAlert(t, err, wire.AlertDecompressionFailure)
		if d.blocks.pos > (maxBlocks+1)*each {
			t.Errorf("%s: %d bytes were read", name, d.blocks.pos)
		}
	}
}

func TestInflateAllocatesNothing(t *testing.T) {
	d, fragment, dst := NewDecompressor(), NewCompressor().Append(nil, sample(rand.New(rand.NewPCG(1, 2)), MaxPlaintext))[2:], make([]byte, 0, MaxPlaintext)
	d.begun = true
	if n := testing.AllocsPerRun(20, func() {
		if _, err := d.Append(dst, fragment); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
