package root

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// addCompletion adds cobra's verb for the shells' scripts. By itself it would
// answer a shell that it does not know with help, and with success.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Short = "Write the script by which a shell completes flags and verbs"
		cmd.Long = "Write the script by which a shell completes the verbs of vitrine, their flags and\nthe flags' values. The help of each shell says where to put it."
		cmd.Args = flags.Arguments(0, 1, "vitrine completion bash")
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return report.Usagef("say for which shell, as in: vitrine completion bash")
			}
			return report.Usagef("there is no completion for %q; choose bash, zsh, fish or powershell", args[0])
		}
		for _, shell := range cmd.Commands() {
			shell.Short = "Write the script for " + shell.Name()
			shell.Args = flags.Arguments(0, 0, shell.CommandPath())
		}
	}
}
