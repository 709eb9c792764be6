package flags

import (
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// DiagnoseAgain is the command line that finds out why a connection fails which the verb of cmd
// made to at: with each flag that was given, and that vitrine explain has in the same sense. The
// flags in but have another one there, or do nothing beside --diagnose. It is one line, for a
// shell. A secret that was on the command line has a word in its place, since what a program
// writes is kept in logs.
func DiagnoseAgain(cmd *cobra.Command, at Target, but ...string) string {
	words := []string{"vitrine", "explain", "--diagnose", shellWord(at.String())}
	if at.StartTLS != "" && !cmd.Flags().Changed("starttls") { // a URL said so
		words = append(words, "--starttls", at.StartTLS)
	}
	if verb, _, err := cmd.Root().Find([]string{"explain"}); err == nil {
		cmd.Flags().Visit(func(f *pflag.Flag) {
			if verb.Flags().Lookup(f.Name) != nil && !slices.Contains(but, f.Name) {
				words = append(words, given(f)...)
			}
		})
	}
	return strings.Join(words, " ")
}

// given is a flag as it can be typed again.
func given(f *pflag.Flag) (words []string) {
	name := "--" + f.Name
	if f.Shorthand != "" {
		name = "-" + f.Shorthand
	}
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
		if f.Value.Type() == "stringSlice" {
			values = []string{strings.Join(values, ",")}
		}
	}
	for _, value := range values {
		switch {
		case f.NoOptDefVal != "" && f.NoOptDefVal == value: // -4
			words = append(words, name)
		case f.NoOptDefVal != "" || strings.HasPrefix(value, "-"):
			words = append(words, "--"+f.Name+"="+shellWord(value))
		default:
			words = append(words, name, shellWord(withoutSecret(f.Name, value)))
		}
	}
	return words
}

// withoutSecret puts a word in the place of a key or a password.
func withoutSecret(flag, value string) string {
	switch flag {
	case "psk":
		if i := strings.LastIndexByte(value, ':'); i >= 0 {
			return value[:i] + ":KEY"
		}
	case "proxy":
		u, err := url.Parse(value)
		if err != nil || u.User == nil {
			break
		}
		if _, has := u.User.Password(); has {
			u.User = url.UserPassword(u.User.Username(), "PASSWORD")
		}
		return u.String()
	}
	return value
}
