package text

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// style is an ANSI colour, by its parameters. Each has one purpose.
type style string

const (
	normal   style = ""
	strong   style = "1"
	faint    style = "2"
	ofClient style = "36" // cyan
	ofServer style = "35" // magenta
	sealed   style = "32" // green: under protection
	secret   style = "33" // yellow: with it, anyone can read the connection
	good     style = "32"
	caution  style = "33"
	wrong    style = "1;31"
)

// The names of the sides.
var client, server = wire.Client.String(), wire.Server.String()

func sideStyle(side string) style {
	if side == client {
		return ofClient
	}
	return ofServer
}

func (s style) bold() style { return "1;" + s }

// A piece of a line has one style.
type part struct {
	style style
	text  string
}

// line is a line of text before it is known whether colours are wanted.
type line []part

func text(s style, format string, args ...any) part { return part{s, fmt.Sprintf(format, args...)} }

func space(n int) part { return part{normal, strings.Repeat(" ", max(n, 0))} }

func (l line) width() (n int) {
	for _, p := range l {
		n += utf8.RuneCountInString(p.text)
	}
	return n
}

// cells is how many columns a text takes.
func cells(s string) int { return utf8.RuneCountInString(s) }

// printer writes lines. The first error of its writer sticks in bufio.
type printer struct {
	w     *bufio.Writer
	width int
	color bool
}

func newPrinter(w io.Writer, o Options) *printer {
	return &printer{w: bufio.NewWriter(w), width: max(o.Width, minWidth), color: o.Color}
}

// put writes one line. What a peer sent may stand in any part, so control
// characters are made visible: a terminal must never act on them.
func (p *printer) put(parts ...part) {
	for len(parts) > 0 && strings.TrimSpace(parts[len(parts)-1].text) == "" {
		parts = parts[:len(parts)-1]
	}
	for i, x := range parts {
		t := visible(x.text)
		if i == len(parts)-1 {
			t = strings.TrimRight(t, " ")
		}
		if p.color && x.style != normal && strings.TrimSpace(t) != "" {
			t = "\x1b[" + string(x.style) + "m" + t + "\x1b[0m"
		}
		p.w.WriteString(t)
	}
	p.w.WriteByte('\n')
}

// visible replaces what a terminal would act on instead of showing it.
func visible(s string) string {
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if hidden(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// hidden are control characters, and those that turn the direction of text.
func hidden(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// put2 writes left and, at the right edge, right; where both do not fit, right
// goes first on a line of its own.
func (p *printer) put2(left line, right part) {
	gap := p.width - left.width() - cells(right.text)
	if gap < 1 {
		p.put(left...)
		p.put(space(p.width-cells(right.text)), right)
		return
	}
	p.put(append(append(line{}, left...), space(gap), right)...)
}

// para writes text in lines of at most the printer's width, each indented.
func (p *printer) para(indent int, s style, format string, args ...any) {
	for _, l := range wrap(fmt.Sprintf(format, args...), p.width-indent) {
		p.put(space(indent), part{s, l})
	}
}

// lead writes a first part, and text after it that is wrapped under itself.
func (p *printer) lead(first line, s style, format string, args ...any) {
	indent := first.width()
	for i, l := range wrap(fmt.Sprintf(format, args...), p.width-indent) {
		if i > 0 {
			first = line{space(indent)}
		}
		p.put(append(append(line{}, first...), part{s, l})...)
	}
}

// wrap breaks text at blanks into lines of at most width; a word that is
// longer is cut. A separator of the ladder's words stays at a line's end.
func wrap(s string, width int) (lines []string) {
	width = max(width, 8)
	current := ""
	for _, word := range strings.Fields(s) {
		for cells(word) > width {
			if current != "" {
				lines, current = append(lines, current), ""
			}
			cut := []rune(word)
			lines, word = append(lines, string(cut[:width])), string(cut[width:])
		}
		switch {
		case current == "":
			current = word
		case cells(current)+1+cells(word) <= width:
			current += " " + word
		default:
			lines, current = append(lines, current), word
		}
	}
	return append(lines, current)
}

// wrapWords wraps the words of a ladder's line, at their separators if they
// can be.
func wrapWords(s string, width int) (lines []string) {
	current := ""
	for _, w := range strings.Split(s, words.Between) {
		switch {
		case current == "":
			current = w
		case cells(current)+cells(words.Between)+cells(w) <= width:
			current += words.Between + w
		default:
			lines = append(lines, wrap(current, width)...)
			current = w
		}
	}
	return append(lines, wrap(current, width)...)
}
