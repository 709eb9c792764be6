// Package root is the command itself: what stands above the verbs.
package root

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/wire"
)

const exitCodesHelp = `Exit codes:
  0  it worked
  1  findings, or another error
  2  usage: a flag or an argument is wrong, or a file that it names
  3  network: no connection, or it broke
  4  handshake: no agreement with the peer, or one side broke a rule
  5  certificate: a chain, name or date is wrong, on either side

Environment:
  SSLKEYLOGFILE  the file to which each connection's secrets are appended, for
                 Wireshark; with it, anyone can read the connections
  NO_COLOR       no colours, if not empty`

// New makes the command from the functions that make its verbs, in the order in
// which help shows them.
func New(verbs []func() *cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:           "vitrine",
		Short:         "Serve, connect to and explain TLS",
		Long:          "Serve, connect to and explain TLS.\n\n" + exitCodesHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
		// Without a verb, and with one that does not exist.
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return noVerb(cmd, args[0])
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.ErrOrStderr())
			if err := cmd.Help(); err != nil {
				return err
			}
			return report.Usagef("say which verb to run, as in: vitrine connect example.com")
		},
	}
	root.Version = build.This().String()
	root.SetVersionTemplate("vitrine {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SuggestionsMinimumDistance = 2
	cobra.EnableCommandSorting = false
	for _, verb := range verbs {
		root.AddCommand(verb())
	}
	addCompletion(root)
	root.SetHelpCommand(newHelp())
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(),
		".LocalFlags.FlagUsages", fmt.Sprintf("(.LocalFlags.FlagUsagesWrapped %d)", terminal.Columns)))
	return root
}

// Run runs the command line and returns the exit code. Errors are written here,
// where their verb has not done so: on standard error or, with --json, as JSON on
// standard output.
func Run(root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := withoutValue(root, args)
	if err == nil {
		cmd, err = root.ExecuteC()
	}
	switch {
	case err == nil || report.IsReported(err):
	case cmd.Flags().Lookup("json") != nil && wantsJSON(args):
		err = report.JSONError(cmd.OutOrStdout(), "", report.Describe(err, wire.Client, nil), err)
	default:
		fmt.Fprintln(cmd.ErrOrStderr(), "vitrine: "+terminal.Wrap(report.Plain(err), len("vitrine: "), 2))
	}
	return report.ExitCode(err)
}

// wantsJSON looks at the words themselves: what is wrong with one flag must not
// hide another.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "--":
			return false
		case arg == "--json", arg == "--json=true", arg == "--format=json", arg == "--format" && i+1 < len(args) && args[i+1] == "json":
			return true
		}
	}
	return false
}
