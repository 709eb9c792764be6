package lab

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/rogue"
	"github.com/vitrine-tls/vitrine/wire"
)

// An item is what is touched: a record as it is on the wire or, inside, a handshake
// message or the content of another record.
type item struct {
	typ   wire.ContentType
	bytes []byte
	clear bool
}

// An editor says what becomes of the n-th item of a side, from 0; end, that nothing comes
// after it. came is set where it did something.
type editor func(from wire.Role, n int, x item, came *bool) (out []item, end bool)

// A tamper is who is in the middle; the zero value is nobody.
type tamper struct {
	edit         editor
	inside, mend bool
}

// tamper is that of a deviation, or what is wrong with it.
func (d *Deviation) tamper() (by tamper, err error) {
	if err := d.check(); err != nil || d == nil {
		return by, err
	}
	by.inside, by.mend = d.Inside, d.Mend
	if k, _ := KindOf(d.Kind); k.make != nil {
		by.edit, err = k.make(d)
	}
	return by, err
}

// place sets it between the sides of relay, and has came tell whether it came up.
func (by tamper) place(relay *rogue.Relay, came *bool) {
	switch {
	case by.edit == nil:
	case by.inside:
		relay.Mend = by.mend
		relay.Inside = func(from wire.Role, n int, u rogue.Unit) (out []rogue.Unit) {
			items, _ := by.edit(from, n, item{u.Type, u.Body, u.Clear}, came)
			for _, x := range items {
				out = append(out, rogue.Unit{Type: x.typ, Body: x.bytes, Clear: x.clear})
			}
			return out
		}
	default:
		relay.Wire = func(from wire.Role, n int, rec []byte) (out [][]byte, end bool) {
			items, end := by.edit(from, n, item{typ: wire.ContentType(rec[0]), bytes: rec}, came)
			for _, x := range items {
				out = append(out, x.bytes)
			}
			return out, end
		}
	}
}

// at has f act on the one item that d names.
func (d *Deviation) at(f func(x item) (out []item, end bool)) editor {
	return func(from wire.Role, n int, x item, came *bool) ([]item, bool) {
		if from.String() != d.From || n != d.At-1 {
			return []item{x}, false
		}
		*came = true
		return f(x)
	}
}

// atByte is at for the one byte that d names, where the item has it.
func (d *Deviation) atByte(f func(x item) (out []item, end bool)) editor {
	whole := d.at(f)
	return func(from wire.Role, n int, x item, came *bool) ([]item, bool) {
		if d.Byte >= len(x.bytes) {
			return []item{x}, false
		}
		x.bytes = slices.Clone(x.bytes)
		return whole(from, n, x, came)
	}
}

func flip(d *Deviation) (editor, error) {
	return d.atByte(func(x item) ([]item, bool) {
		x.bytes[d.Byte] ^= 0x80 >> d.Bit
		return []item{x}, false
	}), nil
}

func drop(d *Deviation) (editor, error) {
	return d.at(func(item) ([]item, bool) { return nil, false }), nil
}

func duplicate(d *Deviation) (editor, error) {
	return d.at(func(x item) ([]item, bool) { return []item{x, x}, false }), nil
}

// replay sends the item again after the next of its side.
func replay(d *Deviation) (editor, error) { return d.later(true), nil }

// reorder sends it after the next, and only then.
func reorder(d *Deviation) (editor, error) { return d.later(false), nil }

func (d *Deviation) later(twice bool) editor {
	var held *item
	return func(from wire.Role, n int, x item, came *bool) ([]item, bool) {
		switch {
		case from.String() != d.From:
		case n == d.At-1:
			held = &x
			if !twice {
				return nil, false
			}
		case held != nil:
			out := []item{x, *held}
			held, *came = nil, true
			return out, false
		}
		return []item{x}, false
	}
}

// stray is a record with eight bytes that nobody has asked for.
const stray = "1703030008 5669747269 6e6521"

func inject(d *Deviation) (editor, error) {
	text, typ := d.Text, wire.ContentHandshake
	if text == "" && d.Inside {
		text = "00000000" // a HelloRequest
	} else if text == "" {
		text = stray
	}
	b, err := digits(text)
	if err != nil {
		return nil, err
	}
	return d.at(func(x item) ([]item, bool) { return []item{{typ: typ, bytes: b}, x}, false }), nil
}

func replace(d *Deviation) (editor, error) {
	b, err := digits(d.Text)
	return d.atByte(func(x item) ([]item, bool) {
		copy(x.bytes[d.Byte:], b)
		return []item{x}, false
	}), err
}

// copyBlock puts the block of a CBC record that begins at a byte over the record's last.
func copyBlock(d *Deviation) (editor, error) {
	size := 16
	if d.Text != "" {
		if _, err := fmt.Sscan(d.Text, &size); err != nil || size != 8 && size != 16 {
			return nil, fmt.Errorf("%q is not a size of a block; choose 8 or 16", d.Text)
		}
	}
	return d.atByte(func(x item) ([]item, bool) {
		if last := len(x.bytes) - size; d.Byte < last {
			copy(x.bytes[last:], x.bytes[d.Byte:])
		}
		return []item{x}, false
	}), nil
}

func truncate(d *Deviation) (editor, error) {
	return d.atByte(func(x item) ([]item, bool) {
		x.bytes = x.bytes[:d.Byte]
		return []item{x}, true
	}), nil
}

func endBefore(d *Deviation) (editor, error) {
	return d.at(func(item) ([]item, bool) { return nil, true }), nil
}
