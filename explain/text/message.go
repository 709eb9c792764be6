package text

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
)

// The columns of a field: where it is, how long, its bytes, and at fieldCol
// its name, indented by its depth, with what it means below.
const (
	hexCol   = 13
	fieldCol = hexCol + 19
	hexRow   = 8 // bytes a line
)

// message writes a message's fields with their bytes and meanings.
func (p *printer) message(m *explain.Message) {
	p.event("message", sideStyle(m.From), m.Ref, text(sideStyle(m.From).bold(), "%s", m.Name),
		text(normal, "  from the %s, %s", m.From, words.Size(len(m.Raw))))
	p.para(tagCol, faint, "%s", strings.TrimSpace(m.Meaning+" "+carriers(m)))
	p.put(text(faint, "%5s %5s  %-*s %s", "at", "len", fieldCol-hexCol-1, "bytes", "field"))
	p.body(tree(m.Fields))
	for _, c := range m.Checks {
		p.check(c)
	}
	if m.Malformed != "" {
		p.check(explain.Check{Result: explain.Differs, What: m.Malformed})
	}
	if in := m.Inner; in != nil {
		p.event("inside", sideStyle(m.From), in.Ref, text(sideStyle(m.From).bold(), "%s", in.Name),
			text(normal, "  %s", insideWords(m)))
		p.para(tagCol, faint, "%s", in.Meaning)
		p.put(text(faint, "%5s %5s  %-*s %s", "at", "len", fieldCol-hexCol-1, "bytes", "field"))
		p.body(tree(in.Fields))
	}
}

// insideWords say how the message inside another one was there.
func insideWords(m *explain.Message) string {
	size := words.Size(len(m.Inner.Raw))
	if m.Inner.Name == "Certificate" {
		return "compressed in the message above, " + size
	}
	return "encrypted in the message above, " + size + " as rebuilt"
}

// carriers says which records carried the message.
func carriers(m *explain.Message) string {
	switch n := len(m.Pieces); n {
	case 0:
		return "It was in no record."
	case 1:
		x := m.Pieces[0]
		if x.Offset == 0 {
			return fmt.Sprintf("In record %d.", x.Record)
		}
		return fmt.Sprintf("In record %d, from byte %s of its content.", x.Record, words.Thousands(x.Offset))
	default:
		return fmt.Sprintf("In records %d to %d.", m.Pieces[0].Record, m.Pieces[n-1].Record)
	}
}

// node is a field with its parts.
type node struct {
	explain.Field
	kids []*node
}

// tree nests fields by their depth.
func tree(fs []explain.Field) (top []*node) {
	var open []*node
	for _, f := range fs {
		n := &node{Field: f}
		open = open[:min(max(f.Depth, 0), len(open))]
		if len(open) == 0 {
			top = append(top, n)
		} else {
			last := open[len(open)-1]
			last.kids = append(last.kids, n)
		}
		open = append(open, n)
	}
	return top
}

// cell is what one field takes on the page.
type cell struct {
	at, depth   int
	bytes       []byte
	name, value string
	size        string // of a vector's content
	ref         string
	notes       []string
	details     []explain.Detail
}

// node writes a field. What introduces a group, its length or an extension's
// type, shares the group's line.
func (p *printer) node(n *node, depth int) {
	if !n.Group {
		p.cell(leafCell(n, n.Name, depth))
		return
	}
	c := cell{at: n.Offset, depth: depth, name: n.Name, ref: n.Ref, notes: notes(n.Meaning), details: n.Details}
	kids := n.kids
	if len(kids) == 2 && kids[0].Name == "extension_type" && kids[1].Group {
		c.bytes, c.ref = kids[0].Bytes, kids[1].Ref
		n, kids = kids[1], kids[1].kids
	}
	if len(kids) > 0 && kids[0].Name == "length" && !kids[0].Group {
		prefix := kids[0].Bytes
		c.bytes = append(c.bytes[:len(c.bytes):len(c.bytes)], prefix...)
		kids = kids[1:]
		if c.size = words.Size(n.Length - len(prefix)); n.Length == len(prefix) {
			c.size, kids = "empty", nil
		}
	}
	p.cell(c)
	list := isList(kids)
	for _, k := range kids {
		if list || !k.Group && (k.Name == n.Name || k.Name == c.name || k.Name == "opaque") {
			p.cell(leafCell(k, "", depth+1))
			continue
		}
		p.node(k, depth+1)
	}
}

// body writes the fields of a whole message: its type and length stand on the
// same level as what follows.
func (p *printer) body(top []*node) {
	for _, n := range top {
		if !n.Group || len(n.kids) == 0 || n.kids[0].Name != "length" {
			p.node(n, 0)
			continue
		}
		for _, k := range n.kids {
			p.node(k, 0)
		}
	}
}

// isList reports that kids are items of one kind, which need no names.
func isList(kids []*node) bool {
	for _, k := range kids {
		if k.Group || k.Name != kids[0].Name {
			return false
		}
	}
	return len(kids) > 0
}

// leafCell is a leaf without parts. Bytes that mean nothing by themselves are
// shown as bytes only.
func leafCell(n *node, name string, depth int) cell {
	c := cell{at: n.Offset, depth: depth, bytes: n.Bytes, name: name, value: n.Value, ref: n.Ref, notes: notes(n.Meaning)}
	hex := explain.Hex(n.Bytes).String()
	if short, cut := strings.CutSuffix(n.Value, "…"); n.Value == hex || cut && strings.HasPrefix(hex, short) {
		c.value = ""
		if n.Length > hexRow && name != "" {
			c.size = words.Size(n.Length)
		}
	}
	c.details = n.Details
	return c
}

func notes(meaning string) []string {
	if meaning == "" {
		return nil
	}
	return []string{meaning}
}

// cell writes the bytes of a field on the left, and on the right what they
// mean.
func (p *printer) cell(c cell) {
	const mostRows = 4
	left, right := hexRows(c.bytes, mostRows), p.explanation(c)
	indent := 2 * min(c.depth, 8)
	for i := range max(len(left), len(right), 1) {
		out := line{space(hexCol)}
		switch {
		case i == 0 && len(c.bytes) > 0:
			out = line{text(faint, "%5d %5d  ", c.at, len(c.bytes))}
		case i == 0:
			out = line{text(faint, "%5d        ", c.at)}
		}
		hex := ""
		if i < len(left) {
			hex = left[i]
		}
		out = append(out, text(normal, "%-*s", fieldCol-hexCol+indent, hex))
		if i < len(right) {
			out = append(out, right[i]...)
		}
		if i == 0 && c.ref != "" {
			p.put2(out, part{faint, c.ref})
			continue
		}
		p.put(out...)
	}
}

// explanation is the right side of a cell: name and value, and notes below.
func (p *printer) explanation(c cell) (right []line) {
	room := p.width - fieldCol - 2*min(c.depth, 8)
	label := c.name
	switch ref := cells(c.ref) + 1; {
	case c.value != "" && label != "":
		label += ": "
	case c.size != "" && cells(label)+2+cells(c.size)+ref <= room:
		label += ": " + c.size
	}
	if c.value == "" {
		right = []line{{part{normal, label}}}
	}
	for i, l := range wrap(c.value, max(room-cells(label), 8)) {
		if c.value == "" {
			break
		}
		if i > 0 {
			label = strings.Repeat(" ", cells(label))
		}
		right = append(right, line{part{normal, label}, part{strong, l}})
	}
	note := func(name, text string) {
		for _, l := range wrap(text, room-cells(name)) {
			right = append(right, line{part{faint, name + l}})
			name = strings.Repeat(" ", cells(name))
		}
	}
	for _, n := range c.notes {
		note(" ", n)
	}
	for _, d := range c.details {
		note(fmt.Sprintf("%-8s ", d.Name), d.Text)
	}
	return right
}

// hexRows is b as hex in rows of eight bytes, at most so many rows.
func hexRows(b []byte, most int) (rows []string) {
	for i := 0; i < len(b); i += hexRow {
		if len(rows) == most-1 && len(b)-i > hexRow {
			return append(rows, fmt.Sprintf("… %s more", words.Thousands(len(b)-i)))
		}
		rows = append(rows, groupedHex(b[i:min(i+hexRow, len(b))]))
	}
	return rows
}
