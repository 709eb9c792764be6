package terminal

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Columns is how wide help and errors are: not every terminal is wider, and a
// file has no width.
const Columns = 80

// Wrap breaks the lines of s that are too long at their blanks. The first line
// begins in column used; the lines made by breaking are indented by indent. A
// word is never cut: a path or a URL has to stay whole to be copied.
func Wrap(s string, used, indent int) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if used+width(l) > Columns {
			lines[i] = wrapLine(l, used, indent)
		}
		used = 0
	}
	return strings.Join(lines, "\n")
}

var colour = regexp.MustCompile("\x1b\\[[0-9]*m")

// width is in columns: colours have none.
func width(s string) int { return utf8.RuneCountInString(colour.ReplaceAllString(s, "")) }

func wrapLine(s string, column, indent int) string {
	var b strings.Builder
	for i, word := range strings.Fields(s) {
		n := width(word)
		switch {
		case i == 0:
		case column+1+n > Columns:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}
