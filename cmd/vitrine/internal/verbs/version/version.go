// Package version is the verb version.
package version

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// New makes the verb.
func New() *cobra.Command {
	inJSON := false
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  flags.Arguments(0, 0, "vitrine version"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if inJSON {
				return report.JSON(cmd.OutOrStdout(), build.This())
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "vitrine", build.This())
			return err
		},
	}
	cmd.Flags().BoolVar(&inJSON, "json", false, "write version, commit and Go's version as JSON")
	return cmd
}
