// Package version is the verb version.
package version

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
)

// options are the flags of vitrine version.
type options struct{ json, licenses bool }

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version, or the licences of all that is in this program",
		Args:  flags.Arguments(0, 0, "vitrine version"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	set := cmd.Flags()
	set.BoolVar(&o.json, "json", false, "write version, commit and Go's version as JSON; with --licenses these too")
	set.BoolVar(&o.licenses, "licenses", false, "print the licences of the software in this program")
	return cmd
}

func (o *options) run(cmd *cobra.Command) error {
	out := cmd.OutOrStdout()
	about := build.This()
	switch {
	case o.json && o.licenses:
		about.Licenses = build.Licenses
		return report.JSON(out, about)
	case o.json:
		return report.JSON(out, about)
	case o.licenses:
		return terminal.Page(cmd.InOrStdin(), out, []byte(build.Licenses))
	}
	_, err := fmt.Fprintln(out, "vitrine", about)
	return err
}
