package root

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

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
