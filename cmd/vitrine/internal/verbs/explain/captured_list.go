package explain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

// survey lists the connections that the filter picks, or explains the one that there is.
func (c *captured) survey() error {
	live := c.file == nil && c.form.name == "text" // lines appear as connections end
	l := &listing{captured: c, hold: !c.capturing.list && !live}
	first := &explain.Collector{} // of what can be read only once
	follow := c.file == nil && !c.capturing.list && c.filter == nil
	says := c.data != nil && c.file == nil // a file is read once more for that, when it is known what is picked
	for again := true; again; again = l.wantsAnother() {
		err := c.read(capture.Options{
			Decrypt: follow || says,
			Trace: func(k *capture.Connection, now func() time.Time) *trace.Hooks {
				var hooks *trace.Hooks
				if follow && k.Number == 1 {
					first.Now = now
					hooks = first.Hooks()
				}
				if says {
					hooks = c.data.with(hooks, k.Number)
				}
				return hooks
			},
			Found: l.found,
		})
		if err = cmp.Or(err, c.data.failure()); err != nil {
			return err
		}
	}
	if err := c.none(); err != nil && l.rows == 0 {
		return err
	}
	switch {
	case l.rows == 0 && len(l.held) == 0:
		return c.noMatch()
	case l.rows == 0 && l.hold && len(l.held) == 1 && c.file != nil:
		return c.explainNumber(l.held[0].Number)
	case l.rows == 0 && l.hold && len(l.held) == 1 && follow && l.held[0].Number == 1:
		return c.account(l.held[0], first)
	}
	only := l.last
	if err := cmp.Or(l.end(), l.writeData()); err != nil || !live || !follow || l.rows != 1 || only.Number != 1 || !c.toStdout() {
		return err
	}
	if _, err := io.WriteString(c.cmd.OutOrStdout(), "\n"); err != nil {
		return err
	}
	return c.account(only, first)
}

// writeData writes what the connections of a file said.
func (l *listing) writeData() error {
	if l.data == nil || l.captured.file == nil {
		return nil
	}
	slices.Sort(l.picked)
	err := l.read(capture.Options{Decrypt: true, Trace: func(k *capture.Connection, _ func() time.Time) *trace.Hooks {
		if _, picked := slices.BinarySearch(l.picked, k.Number); !picked {
			return nil
		}
		return l.data.with(nil, k.Number)
	}})
	return cmp.Or(err, l.data.failure())
}

// wantsAnother reports whether the file is to be read once more, because it has secrets that
// may stand behind what they open.
func (l *listing) wantsAnother() bool {
	locked := func(k *capture.Connection) bool { return !k.Readable && k.Missing != "" }
	if l.again || l.captured.file == nil || l.rows > 0 || l.totals.Secrets == 0 || !slices.ContainsFunc(l.held, locked) {
		return false
	}
	l.again, l.held, l.picked = true, nil, nil
	return true
}

// listing writes a list of connections.
type listing struct {
	*captured
	hold    bool // the first row, as long as it is the only one
	held    []*capture.Connection
	last    *capture.Connection
	rows    int   // written
	again   bool  // the file was read once more
	picked  []int // whose data is to be written
	opened  int   // of them, those that keys open, or need none
	missing map[string]int
	widths  []int
	out     io.Writer
	file    *os.File
	color   terminal.Palette
}

// maxHeld is how many rows of a file are kept to be put into order.
const maxHeld = 10_000

// found takes in a connection. A file's are put into order; what can be read only once is
// listed while it comes.
func (l *listing) found(k *capture.Connection) error {
	if !l.filter.Match(k) {
		return nil
	}
	l.held, l.last = append(l.held, k), k
	if l.data != nil {
		l.picked = append(l.picked, k.Number)
	}
	switch {
	case l.captured.file == nil && (len(l.held) > 1 || !l.hold || l.rows > 0), len(l.held) == maxHeld:
		return l.flush()
	}
	return nil
}

// flush writes the rows that are held.
func (l *listing) flush() error {
	slices.SortFunc(l.held, func(a, b *capture.Connection) int { return a.Number - b.Number })
	if l.rows == 0 {
		if err := l.begin(); err != nil {
			return err
		}
	}
	for _, k := range l.held {
		if err := l.row(k); err != nil {
			return err
		}
		l.count(k)
	}
	l.held = l.held[:0]
	return nil
}

func (l *listing) count(k *capture.Connection) {
	l.rows++
	if k.Missing == "" || k.Readable {
		l.opened++
		return
	}
	if l.missing == nil {
		l.missing = map[string]int{}
	}
	if _, known := l.missing[k.Missing]; known || len(l.missing) < 8 {
		l.missing[k.Missing]++
	}
}

func (l *listing) json() bool { return l.form.name == "json" }

// begin opens the output, and writes what stands above the rows.
func (l *listing) begin() (err error) {
	switch {
	case l.form.name != "text" && !l.json():
		return report.Usagef("%s holds several connections, and a list is text or JSON; pick one with --conn N, or write all with --all -o DIR", l.s.name)
	case l.toStdout():
		l.out = l.cmd.OutOrStdout()
	default:
		if l.file, err = create(l.output); err != nil {
			return err
		}
		l.out = l.file
	}
	if l.json() {
		_, err = fmt.Fprintf(l.out, "{\n  \"format\": %q,\n  \"source\": %s,\n  \"connections\": [", listFormat, quoted(l.s.name))
		return err
	}
	l.color = terminal.PaletteFor(l.out)
	l.widths = widths(l.held, terminal.Width(l.out), l.captured.file == nil)
	return l.line(func(c column) string { return c.title }, func(_ int, s string) string { return l.color.Bold(s) })
}

func quoted(s string) string {
	b, _ := json.Marshal(s) // a string does not fail
	return string(b)
}

// line writes the cells of a row, each as wide as its column.
func (l *listing) line(text func(column) string, paint func(i int, s string) string) error {
	var b strings.Builder
	space := ""
	for i, c := range columns {
		if l.widths[i] == 0 {
			continue
		}
		cell, room := fit(text(c), l.widths[i])
		b.WriteString(space)
		b.WriteString(paint(i, cell))
		space = strings.Repeat(" ", room+2)
	}
	_, err := io.WriteString(l.out, b.String()+"\n")
	return err
}

func (l *listing) row(k *capture.Connection) error {
	if l.json() {
		b, err := json.MarshalIndent(listed(k), "    ", "  ")
		if err != nil {
			return err
		}
		comma := ","
		if l.rows == 0 {
			comma = ""
		}
		_, err = fmt.Fprintf(l.out, "%s\n    %s", comma, b)
		return err
	}
	return l.line(func(c column) string { return c.of(k) }, func(i int, s string) string {
		if columns[i].title == "outcome" && k.Failed {
			return l.color.Bad(s)
		}
		return s
	})
}

// end writes what stands below the rows.
func (l *listing) end() error {
	if err := l.flush(); err != nil {
		return err
	}
	if l.json() {
		t := totalsOf(l.totals)
		b, err := json.MarshalIndent(t, "  ", "  ")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(l.out, "\n  ],\n  \"totals\": %s\n}\n", b); err != nil {
			return err
		}
	} else if err := l.footer(); err != nil {
		return err
	}
	if l.file != nil {
		if err := l.file.Close(); err != nil {
			return err
		}
	}
	if l.opened == 0 && len(l.given) > 0 {
		for _, missing := range slices.Sorted(keysOf(l.missing)) {
			return l.wrongKeys(missing)
		}
	}
	return nil
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// footer says what the list does not.
func (l *listing) footer() error {
	t := l.totals
	var b strings.Builder
	add := func(format string, args ...any) {
		fmt.Fprintln(&b, terminal.Wrap(fmt.Sprintf(format, args...), 0, 2))
	}
	b.WriteByte('\n')
	add("%s with TLS, of %d of TCP, in %s.", counted(t.TLS, "connection"), t.Connections, counted(t.Packets, "packet"))
	if l.filter != nil {
		add("--filter picks %d of them.", l.rows)
	}
	for _, why := range slices.Sorted(keysOf(l.missing)) {
		add("%d cannot be decrypted: %s.", l.missing[why], terminal.Printable(why))
	}
	if t.Crowded > 0 {
		add("%d were left before their end: there are too many at a time.", t.Crowded)
	}
	for _, note := range t.Notes {
		add("%s.", terminal.Printable(note))
	}
	add("--conn N explains a connection; --json has all that is known of each.")
	_, err := io.WriteString(l.out, b.String())
	return err
}
