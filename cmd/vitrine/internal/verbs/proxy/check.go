package proxy

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Checked is what vitrine proxy check --json writes.
type Checked struct {
	File string `json:"file"`
	// Good says that a proxy would start with it; there may be warnings.
	Good     bool      `json:"good"`
	Problems []Problem `json:"problems"`
}

// A Problem is one thing that is wrong with a configuration.
type Problem struct {
	// Line and Column count from 1; 0 where the place is not known.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is the value, as in listeners[0].target; empty for the whole file.
	Path   string `json:"path"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
	// Warning marks what works, but is likely not meant.
	Warning bool `json:"warning"`
}

// newCheck makes the subcommand check.
func newCheck() *cobra.Command {
	var asJSON, noFiles bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a configuration, and what to do",
		Long: `Say what is wrong with the configuration in FILE (- is standard input): each
problem with its line, the reason and the remedy. The files that it names are
read too, but nothing is opened to others, and no name is looked up.

The exit code is 1 if a proxy would not start with it, and 0 if there are
warnings alone.`,
		Example: `  vitrine proxy check proxy.yaml
  vitrine proxy check --no-files proxy.yaml   # written for another machine`,
		Args: flags.Arguments(1, 1, "vitrine proxy check proxy.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			checked, err := check(cmd, args[0], noFiles)
			if err != nil {
				return err
			}
			if asJSON {
				err = report.JSON(cmd.OutOrStdout(), checked)
			} else {
				err = checked.write(cmd.OutOrStdout())
			}
			if err == nil && !checked.Good {
				return report.Reported(errors.New("the configuration is wrong"))
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&noFiles, "no-files", false, "do not read the files that the configuration names")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the problems as JSON")
	return cmd
}

func check(cmd *cobra.Command, file string, noFiles bool) (*Checked, error) {
	data, err := content(cmd, file)
	if err != nil {
		return nil, err
	}
	options := []config.Option{config.Rules(access.CheckRule)}
	if !noFiles {
		options = append(options, config.Files(), config.Rights())
	}
	c, err := config.Parse(data, file)
	problems, wrong := errors.AsType[config.Problems](err)
	switch {
	case wrong:
	case err != nil:
		return nil, err
	default:
		problems = config.Check(c, options...)
	}
	checked := &Checked{File: file, Good: problems.Err() == nil, Problems: []Problem{}}
	for _, p := range problems {
		checked.Problems = append(checked.Problems, Problem{p.Line, p.Column, p.Path, p.What, p.Remedy, p.Warning})
	}
	return checked, nil
}

// write has a line for each problem, as compilers write them, so that editors find the place.
func (c *Checked) write(w io.Writer) (err error) {
	for _, p := range c.Problems {
		if _, err = fmt.Fprintln(w, config.Problem{File: c.File, Line: p.Line, Column: p.Column, Path: p.Path, What: p.What, Remedy: p.Remedy, Warning: p.Warning}); err != nil {
			return err
		}
	}
	if c.Good {
		_, err = fmt.Fprintf(w, "%s is good\n", c.File)
	}
	return err
}
