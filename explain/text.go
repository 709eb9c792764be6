package explain

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
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

// Text writes the account for people: first a screen with the outcome and the
// ladder of flights, then everything in the order in which it happened.
func (c *Connection) Text(w io.Writer, o Options) error {
	p := newPrinter(w, o)
	p.head(c)
	p.ladder(c)
	if !o.Summary {
		p.detail(c)
		p.put()
		p.checksLine(c)
	}
	p.failures(c)
	return p.w.Flush()
}

// head is what a reader must know first.
func (p *printer) head(c *Connection) {
	s := c.Summary
	if c.Target != "" {
		p.put(part{strong, c.Target})
	}
	if agreed := join(s.Version, s.CipherSuite, s.Group, s.SignatureScheme); agreed != "" {
		for _, l := range wrapWords(agreed, p.width-2) {
			p.put(space(2), part{strong, l})
		}
	}
	p.put()
	if c.Before != "" {
		p.lead(line{text(faint, "  · ")}, faint, "before: %s", c.Before)
	}
	switch {
	case c.Failure != "":
		p.lead(line{text(wrong, "  ✗ ")}, wrong, "%s", c.Failure)
		if c.Advice != "" {
			p.lead(line{text(strong, "  ► ")}, strong, "%s", c.Advice)
		}
	case !s.Complete && !c.misses(ofHandshake):
		p.lead(line{text(wrong, "  ✗ ")}, wrong, "the handshake did not come to its end")
	}
	if s.Complete {
		how := "full handshake"
		if s.Resumed != "" {
			how = "resumption by " + resumedWords[s.Resumed]
		}
		if c.handshakes[0].shows(wire.Client) {
			how += " with a client certificate"
		}
		p.lead(line{text(good, "  ✓ ")}, normal, "%s in %s, %s ms", how, count(s.RoundTrips, "round trip"), ms(s.HandshakeUS, 2))
	}
	p.later(c)
	if c.Trust != "" {
		p.lead(line{text(good, "  ✓ ")}, normal, "%s", c.Trust)
	}
	if c.Trust == "" && s.Complete && c.side == wire.Client && c.handshakes[0].shows(wire.Server) {
		p.lead(line{text(caution, "  ! ")}, caution, "nobody has said that the server's certificate was verified; with InsecureSkipVerify it was not")
	}
	for _, w := range c.Warnings {
		p.lead(line{text(caution, "  ! ")}, caution, "%s", w)
	}
	for _, d := range c.Dropped {
		p.lead(line{text(caution, "  ! ")}, caution, "from %s ms on the account is not whole, as the budget was used up; not kept: %s", ms(d.AtUS, 2), d.words())
	}
	p.checksLine(c)
	var last *Handshake
	for _, hs := range c.Handshakes {
		if c.Failure == "" || hs.Complete {
			p.lead(line{text(faint, "  · ")}, faint, "%s", hs.words(last))
		}
		last = hs
	}
	p.put()
}

// later is what came after the handshake, and what else was agreed.
func (p *printer) later(c *Connection) {
	s := c.Summary
	if s.Renegotiations > 0 {
		how := count(s.Renegotiations, "renegotiation")
		if c.misses(ofHandshake) {
			how = "at least " + how
		}
		if s.ClientAuth && !s.LateClientAuth {
			how += ", after which the client had shown a certificate"
		}
		p.lead(line{text(good, "  ✓ ")}, normal, "%s", how)
	}
	if s.LateClientAuth {
		how := "the client was asked for a certificate after the handshake, and showed one"
		if !s.ClientAuth {
			how = "the client was asked for a certificate after the handshake, and had none"
		}
		p.lead(line{text(good, "  ✓ ")}, normal, "%s", how)
	}
	identity := ""
	if s.PSKIdentity != "" {
		identity = "pre-shared key of " + strconv.Quote(s.PSKIdentity)
	}
	compression := ""
	if s.Compression != "" {
		compression = "compressed with " + s.Compression
	}
	if also := join(identity, compression, s.RecordLimits); also != "" {
		p.lead(line{text(faint, "  · ")}, normal, "%s", also)
	}
}

var resumedWords = map[string]string{"id": "session ID", "ticket": "ticket", "psk": "pre-shared key"}

func (p *printer) checksLine(c *Connection) {
	if c.Checks.none() {
		return
	}
	if c.Checks.OK() {
		p.lead(line{text(good, "  ✓ ")}, normal, "%s", c.Checks.Sentence())
		return
	}
	p.lead(line{text(wrong, "  ✗ ")}, wrong, "%s", c.Checks.Sentence())
}

// none reports that nothing came so far that it could be checked.
func (c Checks) none() bool { return c.Secrets+c.Keys+c.Records+c.Proofs+len(c.Failures) == 0 }

// Sentence sums the checks up for people.
func (c Checks) Sentence() string {
	all := fmt.Sprintf("%s re-derived, %s opened again, %s verified", count(c.Secrets, "secret"), count(c.Records, "record"), count(c.Proofs, "proof"))
	switch n := len(c.Failures); n {
	case 0:
		return all + ": all agree"
	case 1:
		return all + ", but 1 check disagrees"
	default:
		return fmt.Sprintf("%s, but %d checks disagree", all, n)
	}
}

// failures say what disagreed, last, where nobody overlooks it.
func (p *printer) failures(c *Connection) {
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
func (p *printer) ladder(c *Connection) {
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
			p.rung(f.from, r, at)
		}
	}
	p.put(space(timeCol+2), text(faint, "── in the clear   "), text(sealed, "══"), text(faint, " encrypted"))
}

func ms(us int64, digits int) string { return fmt.Sprintf("%.*f", digits, float64(us)/1000) }

// flightLine stands above a flight and says how much came, and how much later.
func (p *printer) flightLine(f Flight, wait int64, digits int) {
	words := fmt.Sprintf("flight %d%s%s in %s", f.Number, between, size(f.Bytes), count(f.Records, "record"))
	switch {
	case f.resumes:
		words += between + "after what was not kept"
	case f.Number > 1:
		words += fmt.Sprintf("%s%s ms later", between, ms(wait, digits))
	}
	l := line{text(faint, "%s", words)}
	if f.from == wire.Server {
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
func (p *printer) rung(from wire.Role, r Rung, clock string) {
	shaft, shaftStyle := "─", normal
	if r.Sealed {
		shaft, shaftStyle = "═", sealed
	}
	inner := p.width - timeCol - 4
	room := inner - arrowCol - max(nameCol, len(r.Name)) - 1
	for i, words := range wrapWords(r.Words, room) {
		name, at := r.Name, clock
		if i > 0 {
			name, at = "", ""
		}
		label := append(line{text(sideStyle(from).bold(), "%-*s", nameCol, name), space(1)}, ticked(r.mood.style(), words)...)
		fill := inner - label.width()
		switch {
		case r.note || i > 0 && from == wire.Client:
			p.between(at, label)
		case i > 0:
			p.between(at, append(line{space(arrowCol)}, label...))
		case from == wire.Client:
			if words == "" {
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
func ticked(s style, words string) line {
	if before, ok := strings.CutSuffix(words, "✓"); ok {
		return line{part{s, before}, part{good, "✓"}}
	}
	return line{part{s, words}}
}

func (m mood) style() style {
	switch m {
	case quiet:
		return faint
	case warning:
		return caution
	case bad:
		return wrong
	}
	return normal
}
