package diff

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
)

// Text writes the difference for people, in lines of about width columns. The error is
// that of w.
func (d *Difference) Text(w io.Writer, width int) error {
	p := &printer{bufio.NewWriter(w), max(width, 60)}
	fmt.Fprintf(p.w, "A  %s\nB  %s\n", printable(d.A.words()), printable(d.B.words()))
	if d.Same {
		fmt.Fprint(p.w, "\nNothing differs but times, and what is new in every connection.\n")
	}
	where := ""
	for _, e := range d.Entries {
		if e.Where != where {
			where = e.Where
			fmt.Fprintf(p.w, "\n%s\n", where)
		}
		p.entry(e)
	}
	fmt.Fprint(p.w, "\ntimes and sizes, which do not count\n")
	for _, t := range d.Timing {
		p.row(t.What, "A", t.words(t.A))
		p.row("", "B", t.words(t.B))
	}
	return p.w.Flush()
}

func (s Side) words() string {
	return words.Join(s.Target, s.Version, "seen from the "+s.Side)
}

func (t Time) words(n int64) string {
	if t.Unit == "us" {
		return fmt.Sprintf("%.2f ms", float64(n)/1000)
	}
	return words.Size(int(n))
}

type printer struct {
	w     *bufio.Writer
	width int
}

// The columns: what differs, and on which side.
const (
	whatCol = 28
	sideCol = 8
)

// entry writes what differs: of lists, what only one has, and whether the order differs.
func (p *printer) entry(e Entry) {
	both := len(e.A) > 0 && len(e.B) > 0
	switch {
	case e.List && both:
		what := e.What
		for _, only := range []struct {
			side string
			list []string
		}{{"only A", e.OnlyA}, {"only B", e.OnlyB}} {
			if len(only.list) > 0 {
				p.row(what, only.side, strings.Join(only.list, ", "))
				what = ""
			}
		}
		if e.Order {
			p.row(what, "order A", strings.Join(e.A, ", "))
			p.row("", "order B", strings.Join(e.B, ", "))
		}
	default:
		p.row(e.What, "A", orNone(e.A))
		p.row("", "B", orNone(e.B))
	}
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "-"
	}
	return strings.Join(list, ", ")
}

// row writes a value, wrapped at spaces.
func (p *printer) row(what, side, value string) {
	indent := 2 + whatCol + sideCol
	if len(what) >= whatCol {
		fmt.Fprintf(p.w, "  %s\n", what)
		what = ""
	}
	line := fmt.Sprintf("  %-*s%-*s", whatCol, what, sideCol, side)
	used := indent
	for i, word := range strings.Fields(printable(value)) {
		switch {
		case i > 0 && used+1+len(word) > p.width:
			fmt.Fprintln(p.w, strings.TrimRight(line, " "))
			line, used = strings.Repeat(" ", indent)+word, indent+len(word)
		case i > 0:
			line, used = line+" "+word, used+1+len(word)
		default:
			line, used = line+word, used+len(word)
		}
	}
	fmt.Fprintln(p.w, strings.TrimRight(line, " "))
}

// printable is a text without what a terminal would obey: a peer may have chosen it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
