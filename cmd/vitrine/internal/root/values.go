package root

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// withoutValue finds a flag whose value was forgotten, so that the next flag would be taken for
// it. It finds a value behind a flag that takes one only with =, too: that would be an argument.
func withoutValue(root *cobra.Command, args []string) (*cobra.Command, error) {
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.DisableFlagParsing {
		return cmd, nil // ExecuteC says what is wrong
	}
	for i := 0; i+1 < len(rest) && rest[i] != "--"; i++ {
		f := flagOf(cmd, rest[i])
		if f == nil {
			continue
		}
		next := rest[i+1]
		_, notANumber := strconv.Atoi(next)
		switch {
		case f.NoOptDefVal == "" && flagOf(cmd, next) != nil:
			value, _ := pflag.UnquoteUsage(f)
			return cmd, report.Usagef("%s takes a value, and the flag %s stands in its place; write %s %s, or %s=%s if that is the value",
				rest[i], next, rest[i], strings.ToUpper(value), rest[i], next)
		case f.NoOptDefVal == "":
			i++ // its value
		case f.Value.Type() == "int" && notANumber == nil:
			return cmd, report.Usagef("%s takes its value with =; write %s=%s", rest[i], rest[i], next)
		}
	}
	return cmd, nil
}

// flagOf is the flag of cmd that an argument names, without a value in it; nil for none.
func flagOf(cmd *cobra.Command, arg string) *pflag.Flag {
	switch name, long := strings.CutPrefix(arg, "--"); {
	case long && name != "":
		return cmd.Flag(name)
	case len(arg) == 2 && arg[0] == '-' && arg[1] != '-':
		if f := cmd.Flags().ShorthandLookup(arg[1:]); f != nil {
			return f
		}
		return cmd.InheritedFlags().ShorthandLookup(arg[1:])
	}
	return nil
}
