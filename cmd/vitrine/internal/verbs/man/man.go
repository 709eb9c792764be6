// Package man is the verb man.
package man

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// New makes the verb.
func New() *cobra.Command {
	inJSON := false
	cmd := &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages into a folder",
		Long:  "Write the manual pages, one for each verb, into DIR, which is made if it does not exist.",
		Args:  flags.Arguments(1, 1, "vitrine man ~/.local/share/man/man1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "vitrine " + build.This().String(), Manual: "vitrine"}
			root := cmd.Root()
			root.DisableAutoGenTag = true // no date: the same pages from the same source
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return err
			}
			if inJSON {
				return report.JSON(cmd.OutOrStdout(), Pages{args[0]})
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "the manual pages are in %s; try: man %s/vitrine.1\n", args[0], args[0])
			return err
		},
	}
	cmd.Flags().BoolVar(&inJSON, "json", false, "say as JSON where the pages are")
	return cmd
}

// Pages is where the manual pages are, as JSON.
type Pages struct {
	Folder string `json:"folder"`
}
