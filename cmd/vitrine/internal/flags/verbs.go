package flags

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Group lets a verb that has verbs below it say what to do: without one, as in example, and
// with a word that is none.
func Group(cmd *cobra.Command, example string) {
	cmd.SuggestionsMinimumDistance = 2
	cmd.Args = nil
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := cmd.CommandPath()
		if len(args) > 0 {
			return report.Usagef("%s has no %q%s; %s --help lists what it has", path, args[0], DidYouMean(cmd.SuggestionsFor(args[0])), path)
		}
		return report.Usagef("say what to do, as in: %s; %s --help lists all", example, path)
	}
}

// DidYouMean is ", did you mean this or that?"; empty without names.
func DidYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", did you mean " + strings.Join(names, " or ") + "?"
}
