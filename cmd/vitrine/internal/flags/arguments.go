package flags

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Arguments returns a validator for a verb's arguments: at most most, at least
// least, and example says how it is done.
func Arguments(least, most int, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return report.Usagef("an argument is missing, as in: %s", example)
		case len(args) > most:
			return report.Usagef("%q is one argument too many; usage: %s", args[most], example)
		}
		return nil
	}
}
