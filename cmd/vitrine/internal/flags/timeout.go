package flags

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// maxTimeout is a year: more is a mistake, and far from an overflow.
const maxTimeout = 365 * 24 * time.Hour

// Timeout is the flag --timeout: a time like 10s or 1m30s, or a number of
// seconds.
type Timeout struct{ time.Duration }

// Register adds the flag to a verb, with a default.
func (t *Timeout) Register(cmd *cobra.Command, usual time.Duration, usage string) {
	t.Duration = usual
	cmd.Flags().Var(t, "timeout", usage)
}

// Check refuses a limit that is over before it begins.
func (t *Timeout) Check() error {
	if t.Duration <= 0 {
		return report.Usagef("--timeout %v leaves no time; give something like 10s", t.Duration)
	}
	return nil
}

// Set is pflag's.
func (t *Timeout) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil {
		d, err = time.ParseDuration(s + "s")
	}
	if err != nil || d > maxTimeout {
		return errors.New("give a time like 10s or 1m30s, or a number of seconds")
	}
	t.Duration = d
	return nil
}

// Type is pflag's.
func (t *Timeout) Type() string { return "time" }
