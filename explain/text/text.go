package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
)

// minWidth is how many columns the text has at least.
const minWidth = 80

// Options say how the text shall look.
type Options struct {
	// Width is in columns; less than 80, also 0, counts as 80.
	Width int
	// Color allows ANSI colours.
	Color bool
	// Summary leaves it at the first screen: the ladder and the outcome.
	Summary bool
}

// Write writes the account for people: first a screen with the outcome and the
// ladder of flights, then everything in the order in which it happened. It returns
// the first error of w.
func Write(w io.Writer, c *explain.Connection, o Options) error {
	p := newPrinter(w, o)
	p.head(c)
	p.ladder(c)
	p.verdict(c.Verdict)
	if !o.Summary {
		p.detail(c)
		p.costs(c)
		p.put()
		for _, r := range c.Checks.Remarks() {
			p.remark(r)
		}
	}
	p.failures(c)
	return p.w.Flush()
}

// marks are what stands before a remark, by its mood.
var marks = map[explain.Mood]string{explain.Plain: "·", explain.Quiet: "·", explain.Good: "✓", explain.Advice: "►", explain.Warning: "!", explain.Bad: "✗"}

// head is what a reader must know first.
func (p *printer) head(c *explain.Connection) {
	if c.Target != "" {
		l := line{{strong, c.Target}}
		if c.TargetIs != "" {
			l = append(l, text(normal, ", %s", c.TargetIs))
		}
		p.put(l...)
	}
	s := c.Summary
	if agreed := words.Join(s.Version, s.CipherSuite, s.Group, s.SignatureScheme); agreed != "" {
		for _, l := range wrapWords(agreed, p.width-2) {
			p.put(space(2), part{strong, l})
		}
	}
	p.put()
	for _, r := range c.Outcome() {
		p.remark(r)
	}
	p.put()
}

func (p *printer) remark(r explain.Remark) {
	mark, body := moodStyle(r.Mood), moodStyle(r.Mood)
	switch r.Mood {
	case explain.Plain:
		mark = faint
	case explain.Good:
		body = normal
	}
	p.lead(line{text(mark, "  %s ", marks[r.Mood])}, body, "%s", r.Text)
}

// failures say what disagreed, last, where nobody overlooks it.
func (p *printer) failures(c *explain.Connection) {
	for _, f := range c.Checks.Failures {
		p.lead(line{text(wrong, "    ✗ ")}, normal, "%s", f)
	}
}

// The ladder's columns: the time, the client's lifeline, an arrow's least
// length, a name, and the few words.
const (
	timeCol  = 9
	arrowCol = 8
	nameCol  = 19
)

// ladder draws the flights between the two sides' lifelines.
func (p *printer) ladder(c *explain.Connection) {
	p.put(space(timeCol-3), text(faint, "ms "), text(ofClient.bold(), "CLIENT"),
		space(p.width-timeCol-2*len("CLIENT")), text(ofServer.bold(), "SERVER"))
	digits := 2
	if n := len(c.Flights); n > 0 && c.Flights[n-1].EndUS >= 1e8 { // the column ends at 99999.99
		digits = 0
	}
	end, clock := int64(0), ""
	for _, f := range c.Flights {
		p.flightLine(f, f.StartUS-end, digits)
		end = f.EndUS
		for _, r := range f.Rungs {
			at := ms(r.AtUS, digits)
			if at == clock {
				at = ""
			} else {
				clock = at
			}
			p.rung(f.From, r, at)
		}
	}
	p.put(space(timeCol+2), text(faint, "── in the clear   "), text(sealed, "══"), text(faint, " encrypted"))
}

func ms(us int64, digits int) string { return fmt.Sprintf("%.*f", digits, float64(us)/1000) }

// flightLine stands above a flight and says how much came, and how much later.
func (p *printer) flightLine(f explain.Flight, wait int64, digits int) {
	said := fmt.Sprintf("flight %d%s%s in %s", f.Number, words.Between, words.Size(f.Bytes), words.Count(f.Records, "record"))
	switch {
	case f.AfterGap:
		said += words.Between + "after what was not kept"
	case f.Number > 1:
		said += fmt.Sprintf("%s%s ms later", words.Between, ms(wait, digits))
	}
	l := line{text(faint, "%s", said)}
	if f.From == server {
		l = line{space(arrowCol), l[0]}
	}
	p.between("", l)
}

// between puts a line between the lifelines.
func (p *printer) between(clock string, l line) {
	room := p.width - timeCol - 4 - l.width()
	out := append(line{text(faint, "%*s ", timeCol-1, clock), text(ofClient, "│"), space(1)}, l...)
	p.put(append(out, space(room), space(1), text(ofServer, "│"))...)
}

// rung draws one message: its name and words on its sender's side, and an
// arrow, double where it was encrypted, to the other.
func (p *printer) rung(from string, r explain.Rung, clock string) {
	shaft, shaftStyle := "─", normal
	if r.Sealed {
		shaft, shaftStyle = "═", sealed
	}
	inner := p.width - timeCol - 4
	room := inner - arrowCol - max(nameCol, len(r.Name)) - 1
	for i, few := range wrapWords(r.Words, room) {
		name, at := r.Name, clock
		if i > 0 {
			name, at = "", ""
		}
		label := append(line{text(sideStyle(from).bold(), "%-*s", nameCol, name), space(1)}, ticked(moodStyle(r.Mood), few)...)
		fill := inner - label.width()
		switch {
		case r.Note || i > 0 && from == client:
			p.between(at, label)
		case i > 0:
			p.between(at, append(line{space(arrowCol)}, label...))
		case from == client:
			if few == "" {
				label = line{text(sideStyle(from).bold(), "%s", name)}
				fill = inner - label.width()
			}
			arrow := " " + strings.Repeat(shaft, max(fill-2, 1)) + "►"
			p.between(at, append(label, text(shaftStyle, "%s", arrow)))
		default:
			arrow := "◄" + strings.Repeat(shaft, arrowCol-2) + " "
			p.between(at, append(line{text(shaftStyle, "%s", arrow)}, label...))
		}
	}
}

// ticked gives a ✓ at the end of words its own colour.
func ticked(s style, few string) line {
	if before, ok := strings.CutSuffix(few, "✓"); ok {
		return line{part{s, before}, part{good, "✓"}}
	}
	return line{part{s, few}}
}

func moodStyle(m explain.Mood) style {
	switch m {
	case explain.Quiet:
		return faint
	case explain.Good:
		return good
	case explain.Advice:
		return strong
	case explain.Warning:
		return caution
	case explain.Bad:
		return wrong
	}
	return normal
}
