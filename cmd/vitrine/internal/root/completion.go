package root

import (
	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// placed says where each shell looks for its script.
var placed = map[string]string{
	"bash": `It needs the package bash-completion. For this session:

  source <(vitrine completion bash)

For every session, on Linux:

  vitrine completion bash > /etc/bash_completion.d/vitrine

and on macOS:

  vitrine completion bash > $(brew --prefix)/etc/bash_completion.d/vitrine`,
	"zsh": `It needs compinit. For this session:

  source <(vitrine completion zsh)

For every session:

  vitrine completion zsh > "${fpath[1]}/_vitrine"`,
	"fish": `For this session:

  vitrine completion fish | source

For every session:

  vitrine completion fish > ~/.config/fish/completions/vitrine.fish`,
	"powershell": `For this session:

  vitrine completion powershell | Out-String | Invoke-Expression

For every session, put that line into your profile.`,
}

// addCompletion adds cobra's verb for the shells' scripts. By itself it would
// answer a shell that it does not know with help, and with success.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, cmd := range root.Commands() {
		if cmd.Name() != "completion" {
			continue
		}
		cmd.Short = "Write the script by which a shell completes flags and verbs"
		cmd.Long = "Write the script by which a shell completes the verbs of vitrine, their flags\nand the flags' values. The help of each shell says where to put it."
		cmd.Args = flags.Arguments(0, 1, "vitrine completion bash")
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return report.Usagef("say for which shell, as in: vitrine completion bash")
			}
			return report.Usagef("there is no completion for %q; choose bash, zsh, fish or powershell", args[0])
		}
		for _, shell := range cmd.Commands() {
			shell.Short = "Write the script for " + shell.Name()
			shell.Long = shell.Short + ".\n\n" + placed[shell.Name()]
			shell.Args = flags.Arguments(0, 0, shell.CommandPath())
		}
	}
}
