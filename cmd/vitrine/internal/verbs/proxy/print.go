package proxy

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Converted is what vitrine proxy print and vitrine proxy import write with --json.
type Converted struct {
	// YAML is the text of a file, and Flags are the arguments of vitrine proxy: one of the two.
	YAML  string   `json:"yaml,omitempty"`
	Flags []string `json:"flags,omitempty"`
	// Notes name what could not be taken over, and what to do.
	Notes []string `json:"notes"`
}

// newPrint makes the subcommand print.
func newPrint() *cobra.Command {
	var f config.Flags
	var as string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "print [FILE]",
		Short: "Write a configuration as YAML or as flags",
		Long: `Convert a configuration: a YAML file to flags, or flags to YAML. - is standard
input. It names what flags cannot express, and the exit code is 1 then.

Targets get names of their own in flags. The meaning is not checked: see vitrine
proxy check.`,
		Example: `  vitrine proxy print proxy.yaml
  vitrine proxy print --listen :443 --target 127.0.0.1:8080 --cert chain.pem \
    > proxy.yaml
  vitrine proxy print proxy.yaml --as yaml   # in one order, without comments`,
		Args: flags.Arguments(0, 1, "vitrine proxy print proxy.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, form := "", "yaml"
			if len(args) > 0 {
				file, form = args[0], "flags"
			}
			if as != "" {
				form = as
			}
			c, err := load(cmd, file, &f)
			if err != nil {
				return err
			}
			return print(cmd, c, form, asJSON)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&as, "as", "", "output `format`: yaml or flags (default: the other one)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write it as JSON: the YAML as one text, the flags as a list")
	flags.CompleteFrom(cmd, "as", []string{"yaml", "flags"})
	register(cmd, &f)
	return cmd
}

func print(cmd *cobra.Command, c *config.Config, form string, asJSON bool) error {
	made := Converted{Notes: []string{}}
	switch form {
	case "yaml":
		data, err := config.Write(c)
		if err != nil {
			return err
		}
		made.YAML = string(data)
	case "flags":
		args, err := config.FlagsOf(c)
		if err != nil {
			return err
		}
		made.Flags = args
	default:
		return report.Usagef("--as %q is not a format; choose yaml or flags", form)
	}
	return made.write(cmd, asJSON)
}

func (m *Converted) write(cmd *cobra.Command, asJSON bool) (err error) {
	switch {
	case asJSON:
		return report.JSON(cmd.OutOrStdout(), m)
	case len(m.Flags) > 0:
		_, err = fmt.Fprint(cmd.OutOrStdout(), commandLine(m.Flags))
	default:
		_, err = fmt.Fprint(cmd.OutOrStdout(), m.YAML)
	}
	for _, note := range m.Notes {
		fmt.Fprintln(cmd.ErrOrStderr(), note)
	}
	return err
}

// commandLine is the command with its flags, for a POSIX shell, each flag on its line.
func commandLine(args []string) string {
	var b strings.Builder
	b.WriteString("vitrine proxy")
	for _, arg := range args {
		if strings.HasPrefix(arg, "--") {
			b.WriteString(" \\\n ")
		}
		b.WriteString(" " + authority.ShellQuote(arg))
	}
	return b.String() + "\n"
}
