package certs

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/wire"
)

// Fail reports why a target could not be read, as JSON or for people.
func Fail(cmd *cobra.Command, target string, asJSON bool, err error) error {
	switch f := report.Describe(err, wire.Client, nil); {
	case asJSON:
		return report.JSONError(cmd.OutOrStdout(), target, f, err)
	case report.ExitCode(err) == report.ExitUsage:
		return err // it names the file
	default:
		f.Write(cmd.ErrOrStderr(), "vitrine: "+target+": ")
		return report.Reported(err)
	}
}
