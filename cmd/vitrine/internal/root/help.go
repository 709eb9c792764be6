package root

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// newHelp takes the place of cobra's, which answers what is no verb with help,
// and with success.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB]",
		Short: "Show the help of a verb",
		Long:  "Show the help of a verb, or without one what there is.",
		RunE: func(cmd *cobra.Command, args []string) error {
			verb, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return report.Usagef("there is no verb %q; vitrine help lists them", args[len(args)-max(1, len(rest))])
			}
			return verb.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, verb := range cmd.Root().Commands() {
				if verb.IsAvailableCommand() && len(args) == 0 {
					names = append(names, verb.Name())
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}
