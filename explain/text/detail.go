package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// aeadNonce is how long the nonce of every AEAD is, in bytes.
const aeadNonce = 12

// tagCol is the column where text starts beside the kind of event.
const tagCol = 9

// nameOfRow is how many columns the name of a row has.
const nameOfRow = 8

// detail writes every event in order, under a heading for each flight.
func (p *printer) detail(c *explain.Connection) {
	flight, shown := 0, 0
	for i := range c.Events {
		e := &c.Events[i]
		if e.Flight != flight && 0 < e.Flight && e.Flight <= len(c.Flights) {
			flight = e.Flight
			p.heading(c.Flights[flight-1])
		}
		p.dropped(c.DroppedAt(i))
		switch {
		case e.Record != nil:
			p.record(e.Record, &shown)
		case e.Message != nil:
			p.message(e.Message)
		case e.Choice != nil:
			p.choice(e.Choice)
		case e.Secret != nil:
			p.secret(e.Secret)
		case e.Keys != nil:
			p.keys(e.Keys)
		case e.Alert != nil:
			p.alert(e.Alert)
		case e.Gap != nil:
			p.event("gap", caution, "", text(caution, "%s", e.Gap.Sentence()))
		case e.End != nil:
			p.event("end", normal, "", text(normal, "the %s closed the TCP connection", e.End.From))
		}
	}
	p.dropped(c.DroppedAt(len(c.Events)))
}

func (p *printer) dropped(all []explain.Dropped) {
	for _, d := range all {
		p.event(words.NotKept, caution, "", part{normal, " "})
		p.para(tagCol, caution, "%s%s", words.FromHere, d.Sentence())
	}
}

func (p *printer) heading(f explain.Flight) {
	to := server
	if f.From == server {
		to = client
	}
	l := line{text(faint, "━━ "), text(strong, "flight %d", f.Number), text(faint, " ━━ "),
		text(sideStyle(f.From).bold(), "%s", f.From), text(normal, " ► "), text(sideStyle(to).bold(), "%s", to), part{normal, " "}}
	tail := " " + ms(f.StartUS, 2) + " ms ━━"
	p.put()
	p.put(append(l, text(faint, "%s%s", strings.Repeat("━", max(1, p.width-l.width()-cells(tail))), tail))...)
}

// event starts an event: its kind, its name, and its RFC section at the right.
func (p *printer) event(kind string, s style, ref string, name ...part) {
	p.put()
	p.put2(append(line{text(s, "%-*s", tagCol, kind)}, name...), part{faint, ref})
}

func (p *printer) row(name string, s style, format string, args ...any) {
	p.lead(line{space(tagCol), text(faint, "%-*s", nameOfRow, name)}, s, format, args...)
}

func (p *printer) choice(c *explain.Choice) {
	p.event("choice", normal, c.Ref, text(strong, "%s", c.What), text(faint, "  by the %s", c.By))
	if c.Picked == "" {
		p.row("picked", wrong, "✗ nothing")
	} else {
		p.row("picked", strong, "%s", c.Picked)
	}
	for _, side := range []struct {
		name string
		list []string
	}{{"ours", c.Ours}, {"theirs", c.Theirs}} {
		if len(side.list) > 0 {
			p.row(side.name, normal, "%s", strings.Join(side.list, ", "))
		}
	}
	if c.Why != "" {
		p.row("why", normal, "%s", c.Why)
	}
}

func (p *printer) alert(a *explain.Alert) {
	s := wrong
	if a.Code == wire.AlertCloseNotify.String() {
		s = sideStyle(a.From).bold()
	}
	p.event("alert", s, a.Ref, text(s, "%s", a.Code), text(faint, "  %s, from the %s", a.Level, a.From))
	p.para(tagCol, faint, "%s", a.Meaning)
	if a.Reason != "" {
		p.row("reason", wrong, "%s", a.Reason)
	}
}

func (p *printer) secret(s *explain.Secret) {
	p.event("secret", secret, s.Ref, text(secret.bold(), "%s", s.Name))
	if s.Meaning != "" {
		p.para(tagCol, faint, "%s", s.Meaning)
	}
	p.lead(line{space(tagCol), text(faint, "= ")}, normal, "%s", s.Formula)
	if strings.Contains(s.Formula, "H(Client") {
		p.hex(line{space(tagCol), text(faint, "H ")}, normal, s.Input)
	}
	p.hex(line{space(tagCol + 2)}, secret, s.Value)
	p.check(s.Check)
}

// hex writes a value without gaps, so that it can be copied: 32 bytes a line
// where they fit.
func (p *printer) hex(first line, s style, b explain.Hex) {
	indent := first.width()
	per := 32
	if indent+2*per > p.width {
		per = 16
	}
	for i := 0; i < len(b); i += per {
		p.put(append(append(line{}, first...), part{s, b[i:min(i+per, len(b))].String()})...)
		first = line{space(indent)}
	}
}

func (p *printer) check(c explain.Check) {
	mark := text(faint, "· ")
	s := faint
	switch c.Result {
	case explain.Agrees:
		mark, s = text(good, "✓ "), normal
	case explain.Differs:
		mark, s = text(wrong, "✗ "), wrong
	}
	p.lead(line{space(tagCol), mark}, s, "%s", c.What)
}

func (p *printer) keys(k *explain.Keys) {
	p.event("keys", secret, k.Ref, text(sideStyle(k.From).bold(), "%s", k.From),
		text(normal, " sends under new keys: epoch %d", k.Epoch), text(faint, "  %s", k.Label))
	for _, formula := range strings.Split(k.Formula, "; ") {
		p.para(tagCol, normal, "%s", formula)
	}
	for _, x := range []struct {
		name  string
		value explain.Hex
	}{{"MAC key", k.MAC}, {"key", k.Key}, {"iv", k.IV}} {
		if len(x.value) > 0 {
			p.hex(line{space(tagCol), text(faint, "%-8s", x.name)}, secret, x.value)
		}
	}
	p.check(k.Check)
}

// holds says in a few words what a record holds.
func holds(r *explain.Record) (what string, s style) {
	what, s = r.Type, normal
	if a, err := wire.DecodeAlert(r.Plain, nil); r.Type == wire.ContentAlert.String() && err == nil {
		what += ": " + a.Code.String()
	}
	if len(r.Carries) > 0 {
		what = strings.Join(r.Carries, ", ")
	}
	if r.Says != "" {
		what += ": " + r.Says
	}
	if r.Refused != "" {
		what, s = "✗ refused: "+r.Refusal, wrong
	}
	if r.Unopened != "" {
		if what = "not opened: protected " + r.Type; r.Epoch == 0 && r.Type != wire.ContentApplicationData.String() {
			what = "not read: " + r.Type
		}
	}
	return what, s
}

// record writes a record's header and what became of its content; shown counts
// the bytes of application data dumped so far.
func (p *printer) record(r *explain.Record, shown *int) {
	what, whatStyle := holds(r)
	p.put()
	p.lead(line{text(sideStyle(r.From), "%-*s", tagCol, "record"), text(strong, "%d  ", r.Number)}, whatStyle, "%s", what)
	place := fmt.Sprintf("from the %s, %s, in the clear", r.From, words.Size(len(r.Wire)))
	switch {
	case r.Unopened != "":
		place = fmt.Sprintf("from the %s, %s, epoch %d", r.From, words.Size(len(r.Wire)), r.Epoch)
	case r.Epoch > 0:
		place = fmt.Sprintf("from the %s, %s, epoch %d, sequence number %d", r.From, words.Size(len(r.Wire)), r.Epoch, r.Seq)
	}
	p.para(tagCol, faint, "%s", place)
	if r.Refused+r.Unopened != "" {
		p.refused(r)
		return
	}
	for _, n := range tree(r.Header) {
		p.node(n, 0)
	}
	body := r.Wire[min(len(r.Wire), wire.RecordHeaderLen):]
	if r.Epoch == 0 {
		p.content(r, wire.RecordHeaderLen, body, shown)
		return
	}
	p.cell(cell{at: wire.RecordHeaderLen, bytes: body, name: "sealed", value: r.Protection})
	if name := "nonce"; len(r.Nonce) > 0 {
		if len(r.Nonce) != aeadNonce { // of CBC
			name = "iv"
		}
		p.row(name, normal, "%s = %s", groupedHex(r.Nonce), r.NonceIs)
	}
	inner := r.Type
	if r.Padding > 0 {
		inner += fmt.Sprintf(", and %s of padding", words.Size(r.Padding))
	}
	if r.Compressed > 0 {
		inner += fmt.Sprintf(", decompressed from %s", words.Size(r.Compressed))
	}
	p.row("opened", sealed, "%s of %s", words.Size(len(r.Plain)), inner)
	if r.Note != "" {
		p.para(tagCol, faint, "%s", r.Note)
	}
	p.content(r, 0, r.Plain, shown)
	p.check(r.Check)
}

// content shows what a record carried, unless it is a message, which is shown
// by its fields. Application data is dumped, to a bound.
func (p *printer) content(r *explain.Record, offset int, b []byte, shown *int) {
	const each, all = 512, 8192
	switch r.Type {
	case wire.ContentHandshake.String():
		return
	case wire.ContentApplicationData.String():
		if slices.ContainsFunc(r.Body, func(f explain.Field) bool { return f.Group }) { // frames
			for _, n := range tree(r.Body) {
				p.node(n, 0)
			}
			return
		}
		n := max(0, min(len(b), each, all-*shown))
		*shown += n
		p.dump(b[:n])
		if n < len(b) {
			p.para(tagCol, faint, "… %s more", words.Size(len(b)-n))
		}
	case wire.ContentAlert.String():
		for _, n := range tree(r.Body) {
			n.Offset += offset
			p.node(n, 0)
		}
	default:
		p.cell(cell{at: offset, bytes: b, name: "content"})
	}
}

// dump writes bytes as hex and as text.
func (p *printer) dump(b []byte) {
	const per = 16
	for i := 0; i < len(b); i += per {
		row := b[i:min(i+per, len(b))]
		readable := strings.Map(func(r rune) rune {
			if r < ' ' || r > '~' {
				return '.'
			}
			return r
		}, latin1(row))
		p.put(text(faint, "%*d  ", tagCol-2, i), text(normal, "%-*s", 2*per+per/4+1, groupedHex(row)), part{normal, readable})
	}
}

// latin1 makes one character of each byte.
func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

// groupedHex is hex in groups of four bytes.
func groupedHex(b []byte) string {
	h := explain.Hex(b).String()
	var s strings.Builder
	for i := 0; i < len(h); i += 8 {
		if i > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(h[i:min(i+8, len(h))])
	}
	return s.String()
}

// refused writes a record that was refused, or that could not be opened: its header if
// it has one, its bytes to a bound, and why.
func (p *printer) refused(r *explain.Record) {
	const most = 512
	for _, n := range tree(r.Header) {
		p.node(n, 0)
	}
	p.dump(r.Wire[:min(len(r.Wire), most)])
	if len(r.Wire) > most {
		p.para(tagCol, faint, "… %s more", words.Size(len(r.Wire)-most))
	}
	if r.Protection != "" {
		p.row("sealed", normal, "%s", r.Protection)
	}
	if r.Unopened != "" {
		p.row("reason", caution, "%s", r.Unopened)
		return
	}
	p.row("reason", wrong, "%s", r.Refused)
	p.check(r.Check)
}
