package root

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"suites", "suits", 1}, {"timeout", "tmieout", 2}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q and %q differ in %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// What other programs call a flag is worth a hint only where the verb has it.
func TestFlagsOfOthers(t *testing.T) {
	cmd := &cobra.Command{Use: "verb"}
	if got := flagsLike(cmd, "k"); got != nil {
		t.Errorf("a verb without --insecure suggests %q", got)
	}
	cmd.Flags().Bool("insecure", false, "")
	for typed, want := range map[string]string{"k": "--insecure", "insecure": "--insecure", "insecur": "--insecure", "x": "", "sni": ""} {
		if got := strings.Join(flagsLike(cmd, typed), " "); got != want {
			t.Errorf("for %q: %q, want %q", typed, got, want)
		}
	}
}
