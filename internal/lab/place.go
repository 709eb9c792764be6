package lab

import (
	"cmp"
	"slices"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/wire"
)

// Selection is a place in an account, as the page of the account tells it.
type Selection struct {
	// Record is its number in the account.
	Record int `json:"record"`
	// Layer is "wire" for bytes of the record, "inside" or "plain" for what was opened, and
	// Offset is the place in that layer.
	Layer  string `json:"layer"`
	Offset int    `json:"offset"`
	// Message is the name of the message that the place is part of, empty for none, and
	// MessageOffset the place in it.
	Message       string `json:"message"`
	MessageOffset int    `json:"message_offset"`
	// Whole is set where a whole record is selected, and no byte of it.
	Whole bool `json:"whole"`
}

// A Touch is something that can be done at a place.
type Touch struct {
	Title string `json:"title"`
	What  string `json:"what"`
	// Asks is what Deviation.Text is for, where the kind needs it, and Options are values to
	// choose from, the likely one first; none where any text may stand.
	Asks      string    `json:"asks,omitempty"`
	Options   []string  `json:"options,omitempty"`
	Deviation Deviation `json:"deviation"`
}

// a place is where a selection is among what its sender sends.
type place struct {
	from         string
	at           int // of the record, from 1
	byte         int // on the wire; -1 where no one byte of it is meant
	unit         int // of the message or content, from 1
	unitByte     int // -1 where no one byte is meant
	clear, whole bool
}

// Touches are what can be done at a place of an account; none where it has no such record.
func Touches(c *explain.Connection, s Selection) (all []Touch) {
	p, ok := locate(c, s)
	if !ok {
		return nil
	}
	for _, k := range Kinds {
		if !p.suits(&k, s.Message) {
			continue
		}
		for _, inside := range []bool{false, true} {
			if t, ok := p.touch(c, &k, inside); ok {
				all = append(all, t)
			}
		}
	}
	return all
}

// suits reports that a kind acts on what is selected.
func (p *place) suits(k *Kind, message string) bool {
	switch k.On {
	case OnByte:
		return !p.whole
	case OnClient, OnServer, OnChain:
		return message == string(k.On)
	}
	return true
}

// touch is what a kind does at the place, on the wire or inside.
func (p *place) touch(c *explain.Connection, k *Kind, inside bool) (t Touch, ok bool) {
	d := Deviation{Kind: k.Name, Inside: inside}
	switch {
	case inside && !k.Inside, inside && p.unit == 0:
		return t, false
	case k.On == OnChain && inside == p.clear: // in the clear it is changed on the wire
		return t, false
	case k.On == OnByte && (inside && p.unitByte < 0 || !inside && p.byte < 0):
		return t, false
	case k.Name == "copy-block" && p.clear:
		return t, false
	}
	if k.placed() {
		d.From, d.At = p.from, p.at
		if inside {
			d.At = p.unit
		}
	}
	if k.On == OnByte {
		if d.Byte = p.byte; inside {
			d.Byte = p.unitByte
		}
	}
	t = Touch{Title: k.Title, What: k.What, Asks: k.Text, Deviation: d}
	t.Options = options(c, k.Name)
	return t, true
}

// locate counts what the sender of a place sends up to it.
func locate(c *explain.Connection, s Selection) (p place, ok bool) {
	rec := recordNumber(c, s.Record)
	if rec == nil {
		return p, false
	}
	p = place{from: rec.From, byte: -1, unitByte: -1, clear: rec.Epoch == 0, whole: s.Whole}
	inside := s.Offset
	switch {
	case s.Whole:
		inside = 0
	case s.Layer == "inside", s.Layer == "plain":
		if p.clear {
			p.byte = s.Offset + wire.RecordHeaderLen
		}
	case s.Offset < 0 || s.Offset >= len(rec.Wire):
		return p, false
	default:
		p.byte, inside = s.Offset, s.Offset-wire.RecordHeaderLen
	}
	var partial []byte
	begun := 0 // where the unit under way began, from the beginning of the record
	for _, r := range recordsOf(c, rec.From) {
		p.at++
		if r == rec {
			p.unit, p.unitByte = unitAt(p.unit, begun, partial, r, max(inside, 0))
			if s.Whole || inside < 0 || p.byte >= 0 && !p.clear {
				p.unitByte = -1
			}
			return p, true
		}
		if r.Type != wire.ContentHandshake.String() {
			p.unit++
			continue
		}
		partial = append(partial, r.Plain...)
		for n := wire.MessageLen(partial); n > 0 && n <= len(partial); n = wire.MessageLen(partial) {
			p.unit++
			partial = partial[n:]
		}
		begun = -len(partial)
	}
	return p, false
}

// unitAt finds the unit that holds a byte of a record's content; units are those before
// it, and partial what an earlier record has of the first.
func unitAt(units, begun int, partial []byte, r *explain.Record, at int) (unit, inUnit int) {
	if r.Type != wire.ContentHandshake.String() {
		return units + 1, at
	}
	rest := slices.Concat(partial, r.Plain)
	for {
		units++
		n := wire.MessageLen(rest)
		if n == 0 || n > len(rest) || at < begun+n {
			return units, at - begun
		}
		rest, begun = rest[n:], begun+n
	}
}

func recordNumber(c *explain.Connection, n int) *explain.Record {
	for _, e := range c.Events {
		if e.Record != nil && e.Record.Number == n && e.Record.Refused == "" {
			return e.Record
		}
	}
	return nil
}

// options are the values that the text of a kind can have in a connection.
func options(c *explain.Connection, kind string) (all []string) {
	m := messageOf(c, wire.Client.String(), "ClientHello")
	if m == nil {
		return nil
	}
	msg, err := wire.DecodeMessage(m.Raw, wire.Context{From: wire.Client}, nil)
	hello, ok := msg.(*wire.ClientHello)
	if err != nil || !ok {
		return nil
	}
	switch kind {
	case "strip-suite":
		all = append(all, c.Summary.CipherSuite)
		for _, id := range hello.CipherSuites {
			all = append(all, id.String())
		}
	case "strip-extension":
		for _, e := range hello.Extensions {
			all = append(all, e.Type.String())
		}
	case "lower-version":
		for _, v := range slices.Backward(Versions) {
			if name := v.String(); cmp.Compare(v, versionOf(c)) < 0 {
				all = append(all, name)
			}
		}
	case "offer-suites":
		return []string{"0003 0006"}
	case "answer-suite":
		return []string{"0003"}
	case "replace":
		return []string{"00 00"}
	default:
		return nil
	}
	return unique(all)
}

func unique(all []string) (out []string) {
	for _, s := range all {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// versionOf is the version that was agreed on; the highest where none was.
func versionOf(c *explain.Connection) wire.Version {
	if v, err := version(c.Summary.Version); err == nil {
		return v
	}
	return wire.TLS13
}
