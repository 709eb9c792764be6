package main

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// verbs are the commands, in the order in which help shows them. A verb is one
// file (or a few of one prefix) with a function that makes its command.
var verbs = []func() *cobra.Command{
	newExplain,
	newConnect,
	newServe,
	newSuites,
	newMan,
	newVersion,
}

const exitCodesHelp = `Exit codes:
  0  it worked
  1  findings, or an error that is none of the following
  2  usage: a flag, an argument or a file that it names is wrong
  3  network: no connection, or it broke
  4  handshake: no agreement with the peer, or one of us broke a rule
  5  certificate: a chain, name or date is wrong, on either side

Environment:
  SSLKEYLOGFILE  the file to which each connection's secrets are appended, for
                 Wireshark; whoever reads it can read the connections
  NO_COLOR       no colours, if not empty`

func newRoot() *cobra.Command {
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
			return usagef("there is no verb %q%s; vitrine help lists them", args[0], didYouMean(cmd.SuggestionsFor(args[0])))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			cmd.SetOut(cmd.ErrOrStderr())
			if err := cmd.Help(); err != nil {
				return err
			}
			return usagef("say which verb to run, as in: vitrine connect example.com")
		},
	}
	root.Version = version()
	root.SetVersionTemplate("vitrine {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; %s --help shows the flags", err, cmd.CommandPath())
	})
	root.SuggestionsMinimumDistance = 2
	cobra.EnableCommandSorting = false
	for _, verb := range verbs {
		root.AddCommand(verb())
	}
	addCompletion(root)
	root.SetHelpCommand(newHelp())
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(),
		".LocalFlags.FlagUsages", fmt.Sprintf("(.LocalFlags.FlagUsagesWrapped %d)", columns)))
	return root
}

func didYouMean(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", did you mean " + strings.Join(names, " or ") + "?"
}

// run runs the command line and returns the exit code. Errors are written here
// and nowhere else.
func run(root *cobra.Command, args []string) int {
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	if err != nil && !isReported(err) {
		fmt.Fprintln(cmd.ErrOrStderr(), "vitrine: "+wrap(err.Error(), len("vitrine: "), 2))
	}
	return exitCode(err)
}

// argument returns a validator for a verb's arguments: at most most, at least
// least, and example says how it is done.
func argument(least, most int, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usagef("an argument is missing, as in: %s", example)
		case len(args) > most:
			return usagef("%q is one argument too many; it goes like this: %s", args[most], example)
		}
		return nil
	}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  argument(0, 0, "vitrine version"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "vitrine", version())
			return err
		},
	}
}

// version returns the module's version, the commit if it was built from a
// checkout, and Go's version.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	parts := []string{info.Main.Version}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			parts = append(parts, s.Value[:min(12, len(s.Value))])
		}
	}
	return strings.Join(append(parts, info.GoVersion), " ")
}
