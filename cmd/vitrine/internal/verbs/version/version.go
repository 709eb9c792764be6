// Package version is the verb version.
package version

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
)

// New makes the verb.
func New() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  flags.Arguments(0, 0, "vitrine version"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "vitrine", build.Version())
			return err
		},
	}
}
