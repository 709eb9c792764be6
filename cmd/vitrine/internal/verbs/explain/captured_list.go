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
	"unicode/utf8"

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

// column is a column of the list.
type column struct {
	title  string
	of     func(k *capture.Connection) string
	width  int // where the rows are not known yet
	least  int // to which it may be cut
	leaves int // the order in which columns are left out where there is no room; 0 for never
}

var columns = []column{
	{"#", func(k *capture.Connection) string { return fmt.Sprint(k.Number) }, 4, 1, 0},
	{"time", func(k *capture.Connection) string { return k.Start.Local().Format("15:04:05.000") }, 12, 12, 5},
	{"client", func(k *capture.Connection) string { return k.Client.String() }, 21, 15, 4},
	{"server", func(k *capture.Connection) string { return k.Server.String() }, 21, 15, 0},
	{"name", func(k *capture.Connection) string { return terminal.Printable(k.Name) }, 28, 10, 0},
	{"version", func(k *capture.Connection) string { return words(k.Version, k.Version.String()) }, 7, 7, 0},
	{"suite", func(k *capture.Connection) string { return words(k.Suite, k.Suite.String()) }, 32, 18, 3},
	{"resumed", func(k *capture.Connection) string { return k.Resumed }, 7, 6, 6},
	{"outcome", func(k *capture.Connection) string { return terminal.Printable(strange(k)) }, 30, 16, 0},
	{"opens", opens, 5, 3, 0},
	{"JA4", func(k *capture.Connection) string { return k.JA4 }, 36, 36, 2},
	{"JA3", func(k *capture.Connection) string { return k.JA3 }, 32, 32, 1},
}

// words is text, and nothing for a number that was not seen.
func words[T ~uint16](n T, text string) string {
	if n == 0 {
		return ""
	}
	return text
}

// opens says whether a connection can be decrypted.
func opens(k *capture.Connection) string {
	switch {
	case k.Readable:
		return "yes"
	case k.Missing != "":
		return "no"
	}
	return "-"
}

// strange is the outcome, and what else is to be said of a connection.
func strange(k *capture.Connection) string {
	s := k.Outcome
	if k.Gaps > 0 {
		s += ", " + counted(k.Gaps, "gap")
	}
	if k.Conflicts > 0 {
		s += ", " + counted(k.Conflicts, "conflict")
	}
	if k.Began != "" {
		s += "; after " + k.Began
	}
	return s
}

// widths gives each column its width, 0 for none, so that together they fit the terminal:
// columns are cut, then left out. Without a terminal there is room for all.
func widths(rows []*capture.Connection, terminal int, more bool) []int {
	w := make([]int, len(columns))
	for i, c := range columns {
		w[i] = utf8.RuneCountInString(c.title)
		if more {
			w[i] = max(w[i], c.width)
		}
		for _, k := range rows {
			w[i] = max(w[i], utf8.RuneCountInString(c.of(k)))
		}
		if len(rows) == 0 || columnIsEmpty(c, rows) && !more && c.leaves > 0 {
			w[i] = 0
		}
	}
	if terminal == 0 {
		return w
	}
	for leaves := 1; over(w, terminal) > 0; leaves++ {
		if cut(w, over(w, terminal), false); over(w, terminal) <= 0 || leaves > len(columns) {
			break
		}
		for i, c := range columns {
			if c.leaves == leaves {
				w[i] = 0
			}
		}
	}
	cut(w, over(w, terminal), true)
	return w
}

func columnIsEmpty(c column, rows []*capture.Connection) bool {
	return !slices.ContainsFunc(rows, func(k *capture.Connection) bool { return c.of(k) != "" })
}

// over is by how much the columns are wider than the terminal.
func over(w []int, terminal int) int {
	total := -2
	for _, n := range w {
		if n > 0 {
			total += n + 2
		}
	}
	return total - terminal
}

// cut narrows columns, the widest first, if that makes them fit; else only if it must.
func cut(w []int, by int, must bool) {
	slack := 0
	for i, c := range columns {
		slack += max(0, w[i]-c.least)
	}
	if by <= 0 || slack < by && !must {
		return
	}
	for ; by > 0; by-- {
		widest := -1
		for i, c := range columns {
			if w[i] > c.least && (widest < 0 || w[i]-c.least > w[widest]-columns[widest].least) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		w[widest]--
	}
}

// fit is s in n columns, cut if it must be, and how many of them stay empty.
func fit(s string, n int) (cell string, room int) {
	if l := utf8.RuneCountInString(s); l <= n {
		return s, n - l
	}
	return string([]rune(s)[:n-1]) + "…", 0
}

// listFormat is the version of the list's JSON.
const listFormat = "vitrine.captures/1"

// List is what is found in a capture.
type List struct {
	// Format is "vitrine.captures/1".
	Format string `json:"format"`
	// Source is the capture's name.
	Source      string   `json:"source"`
	Connections []Listed `json:"connections"`
	Totals      Totals   `json:"totals"`
}

// Listed is a connection of a capture.
type Listed struct {
	// Number is what --conn takes.
	Number int `json:"number"`
	// Start and DurationUS are of the first and the last packet, in microseconds.
	Start      time.Time `json:"start"`
	DurationUS int64     `json:"duration_us"`
	// Client and Server are addresses with ports.
	Client string `json:"client"`
	Server string `json:"server"`
	// Began is what came before TLS, like "SMTP's STARTTLS".
	Began string `json:"began,omitempty"`
	// Midway is set where the beginning was not captured.
	Midway      bool   `json:"midway,omitempty"`
	ServerName  string `json:"server_name,omitempty"`
	Version     string `json:"version,omitempty"`
	CipherSuite string `json:"cipher_suite,omitempty"`
	ALPN        string `json:"alpn,omitempty"`
	// Resumed is how: "id", "ticket" or "psk"; empty for a full handshake.
	Resumed string `json:"resumed,omitempty"`
	// Complete is set when both Finished messages were seen.
	Complete bool `json:"complete"`
	// Failed is set where the handshake failed, or the connection did after it.
	Failed  bool   `json:"failed"`
	Outcome string `json:"outcome"`
	// Decrypted is set where keys are known; MissingKey says what is missing where they are not.
	Decrypted  bool   `json:"decrypted"`
	MissingKey string `json:"missing_key,omitempty"`
	JA3        string `json:"ja3,omitempty"`
	JA4        string `json:"ja4,omitempty"`
	// ClientBytes and ServerBytes are what each side sent in records.
	ClientBytes int64 `json:"client_bytes"`
	ServerBytes int64 `json:"server_bytes"`
	// Gaps and LostBytes are what the capture misses.
	Gaps      int   `json:"gaps,omitempty"`
	LostBytes int64 `json:"lost_bytes,omitempty"`
	// Conflicts are segments that came again with other content.
	Conflicts int `json:"conflicts,omitempty"`
	// Open is set where the capture does not show the end.
	Open bool `json:"open,omitempty"`
	// Comments are those of the file.
	Comments []string `json:"comments,omitempty"`
}

// Totals is what a capture holds.
type Totals struct {
	Packets int `json:"packets"`
	// TCPConnections are those of any protocol, TLSConnections those that are listed without a filter.
	TCPConnections int `json:"tcp_connections"`
	TLSConnections int `json:"tls_connections"`
	// Secrets is how many the capture holds itself.
	Secrets int `json:"secrets,omitempty"`
	// Crowded connections were left before their end, since there were too many at a time.
	Crowded int `json:"crowded,omitempty"`
	// Notes are what was passed over.
	Notes []string `json:"notes,omitempty"`
}

func listed(k *capture.Connection) Listed {
	return Listed{
		Number: k.Number, Start: k.Start, DurationUS: k.Duration().Microseconds(), Client: k.Client.String(), Server: k.Server.String(),
		Began: k.Began, Midway: k.Midway, ServerName: k.Name, Version: words(k.Version, k.Version.String()),
		CipherSuite: words(k.Suite, k.Suite.String()), ALPN: k.ALPN, Resumed: k.Resumed, Complete: k.Complete, Failed: k.Failed,
		Outcome: strange(k), Decrypted: k.Readable, MissingKey: k.Missing, JA3: k.JA3, JA4: k.JA4,
		ClientBytes: k.ClientSent.Bytes, ServerBytes: k.ServerSent.Bytes, Gaps: k.Gaps, LostBytes: k.Lost, Conflicts: k.Conflicts,
		Open: k.Open, Comments: k.Comments,
	}
}

func totalsOf(t capture.Totals) Totals {
	return Totals{t.Packets, t.Connections, t.TLS, t.Secrets, t.Crowded, t.Notes}
}
