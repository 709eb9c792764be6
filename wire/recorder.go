package wire

// A Span is one field of a parsed structure.
type Span struct {
	Name string
	// Offset and Length are in bytes, from the start of what was parsed.
	Offset, Length int
	// Depth is the nesting, 0 for the outermost fields.
	Depth int
	// Group is set for a structure or vector; its parts follow with a greater
	// Depth. Spans that are not groups are leaves, and tile the input.
	Group bool
	// Value is the leaf's meaning in words, hex for what has none.
	Value string
	// Ref is the RFC section that defines the field, where it has its own.
	Ref string
}

// A Recorder keeps the spans that a Reader visits. The zero value is ready.
type Recorder struct {
	Spans []Span
	// Base is added to every offset.
	Base  int
	depth int
	stack []int // indices of the open groups
}

func (c *Recorder) leaf(name string, off, n int, value string) {
	c.Spans = append(c.Spans, Span{Name: name, Offset: c.Base + off, Length: n, Depth: c.depth, Value: value})
}

func (c *Recorder) open(name string, off int) {
	c.stack = append(c.stack, len(c.Spans))
	c.Spans = append(c.Spans, Span{Name: name, Offset: c.Base + off, Depth: c.depth, Group: true})
	c.depth++
}

func (c *Recorder) close(off int) {
	last := len(c.stack) - 1
	s := &c.Spans[c.stack[last]]
	s.Length = c.Base + off - s.Offset
	c.stack = c.stack[:last]
	c.depth--
}

// ref gives the innermost open group its RFC section and, if any, a value.
func (c *Recorder) ref(section string) {
	if len(c.stack) > 0 {
		c.Spans[c.stack[len(c.stack)-1]].Ref = section
	}
}

// finish closes what an error left open and makes the rest one opaque leaf.
func (c *Recorder) finish(size, off int) {
	for len(c.stack) > 0 {
		c.close(off)
	}
	if off < size {
		c.leaf("undecoded", off, size-off, "not understood")
	}
}
