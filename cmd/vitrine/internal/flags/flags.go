// Package flags holds the groups of flags that several verbs have, and turns them
// into a tls.Config.
package flags

import (
	"strings"

	"github.com/spf13/cobra"
)

// CompleteFrom lets the shell complete a flag's value.
func CompleteFrom(cmd *cobra.Command, flag string, values []string) {
	complete(cmd, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// CompleteList does the same for a flag that is a list, behind its last comma or
// colon.
func CompleteList(cmd *cobra.Command, flag string, values []string) {
	complete(cmd, flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		before := begun[:strings.LastIndexAny(begun, ",:")+1]
		var list []string
		for _, v := range values {
			list = append(list, before+v)
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	})
}

// SplitNames divides names that stand in one list, as A:B, A,B or with blanks.
func SplitNames(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, strings.FieldsFunc(name, func(r rune) bool { return r == ':' || r == ',' || r == ' ' })...)
	}
	return list
}

func complete(cmd *cobra.Command, flag string, how cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, how); err != nil {
		panic(err) // the flag does not exist
	}
}
