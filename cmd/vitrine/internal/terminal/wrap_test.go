package terminal

import (
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	path := strings.Repeat("/folder", 14)
	for _, c := range []struct {
		s            string
		used, indent int
		want         string
	}{
		{"short", 9, 2, "short"},
		{strings.Repeat("a", 71), 9, 2, strings.Repeat("a", 71)},
		{strings.Repeat("ä", 70) + " b", 9, 2, strings.Repeat("ä", 70) + "\n  b"},
		{"open " + path + " please", 0, 4, "open\n    " + path + "\n    please"},
		{"\x1b[31mNO\x1b[0m " + strings.Repeat("a", 68), 9, 2, "\x1b[31mNO\x1b[0m " + strings.Repeat("a", 68)},
		{"choose from:\n  one  two", 60, 2, "choose from:\n  one  two"},
	} {
		if got := Wrap(c.s, c.used, c.indent); got != c.want {
			t.Errorf("wrap(%q, %d, %d) = %q, want %q", c.s, c.used, c.indent, got, c.want)
		}
	}
}
