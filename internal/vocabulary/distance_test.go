package vocabulary

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, x := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"listen", "listen", 0}, {"listn", "listen", 1}, {"lisetn", "listen", 2}, {"", "abc", 3}, {"abc", "xyz", 3},
		{strings.Repeat("a", 65), "a", 64},
	} {
		if got, back := Distance(x.a, x.b), Distance(x.b, x.a); got != x.want || back != x.want {
			t.Errorf("%q and %q: %d and %d, want %d", x.a, x.b, got, back, x.want)
		}
	}
}
