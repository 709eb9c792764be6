package explain

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
)

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
