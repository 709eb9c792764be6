package main

import "github.com/spf13/cobra"

// addCompletion adds cobra's verb for the shells' scripts. By itself it would
// answer a shell that it does not know with help, and with success.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Args = argument(0, 1, "vitrine completion bash")
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("say for which shell, as in: vitrine completion bash")
			}
			return usagef("there is no completion for %q; choose bash, zsh, fish or powershell", args[0])
		}
		for _, shell := range cmd.Commands() {
			shell.Args = argument(0, 0, shell.CommandPath())
		}
	}
}
