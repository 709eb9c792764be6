package terminal

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable returns s as it is where it can do no harm to a terminal or a log,
// and quoted where it holds anything else.
func Printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(s)
	}
	return s
}
