// Package man is the verb man.
package man

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

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
		Long:  "Write the manual pages, one for each verb, into DIR, which is made\nif it is not there.",
		Args:  flags.Arguments(1, 1, "vitrine man ~/.local/share/man/man1"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return err
			}
			header := &doc.GenManHeader{Section: "1", Source: "vitrine " + build.This().String(), Manual: "vitrine"}
			root := cmd.Root()
			root.DisableAutoGenTag = true // no date: the same pages from the same source
			if err := write(root, header, args[0]); err != nil {
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

// write writes the page of cmd and those of the verbs below it.
func write(cmd *cobra.Command, header *doc.GenManHeader, dir string) error {
	for _, sub := range cmd.Commands() {
		if !sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := write(sub, header, dir); err != nil {
			return err
		}
	}
	var page bytes.Buffer
	own := *header // GenMan writes the title into it
	if err := doc.GenMan(cmd, &own, &page); err != nil {
		return err
	}
	// A flag that is a switch needs no value, whatever its default is.
	text := bytes.ReplaceAll(page.Bytes(), []byte("[=false]"), nil)
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + "." + header.Section
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
		return report.Unwritable("DIR", err)
	}
	return nil
}

// Pages is where the manual pages are, as JSON.
type Pages struct {
	Folder string `json:"folder"`
}
