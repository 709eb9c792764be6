package explain

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diff"
	pages "github.com/vitrine-tls/vitrine/explain/page"
)

// notCompared are the flags that mean nothing with --diff.
var notCompared = []string{"all", "ca-dir", "client-auth", "conn", "count", "data", "fail", "filter", "lang", "list", "listen", "name", "open", "redact", "secrets", "summary"}

// errDiffers makes the exit code of connections that differ.
var errDiffers = errors.New("the connections differ")

// differences are the forms in which a difference is written.
var differences = map[string]func(io.Writer, *diff.Difference) error{
	"text": func(w io.Writer, d *diff.Difference) error { return d.Text(w, 80) },
	"json": func(w io.Writer, d *diff.Difference) error { return report.JSON(w, d) },
	"html": func(w io.Writer, d *diff.Difference) error { return d.HTML(w) },
}

// compare compares two connections.
func (o *options) compare(cmd *cobra.Command, args []string) error {
	if len(args) != 2 {
		return report.Usagef("--diff compares two connections: name both, as in vitrine explain --diff example.com saved.ndjson")
	}
	for _, flag := range notCompared {
		if cmd.Flags().Changed(flag) {
			return report.Usagef("--%s does nothing with --diff; leave it out", flag)
		}
	}
	write, ok := differences[o.form.name]
	if !ok {
		return report.Usagef("--diff writes text, JSON or a page; %s is for one connection", o.form.name)
	}
	var both [2]*explain.Connection
	for i, arg := range args {
		var err error
		if both[i], err = o.accountOf(cmd, arg); err != nil {
			return err
		}
	}
	d := diff.Of(both[0], both[1])
	err := o.writeTo(cmd, func(w io.Writer, _ bool) error { return write(w, d) })
	switch {
	case err != nil || d.Equal():
		return err
	case o.toStdout():
		return report.Reported(errDiffers)
	}
	return errDiffers
}

// accountOf reads the account of a connection, or makes one to a host.
func (o *options) accountOf(cmd *cobra.Command, arg string) (*explain.Connection, error) {
	name, n, err := numberOf(arg)
	if err != nil {
		return nil, err
	}
	s, err := openSource(cmd, name)
	if err != nil {
		return nil, err
	}
	if s == nil {
		e, account, failure, err := o.live(cmd, []string{arg})
		if err == nil && account == nil {
			err = o.report(cmd, e, failure, false)
		}
		return account, err
	}
	defer s.Close()
	k, err := recognise(s)
	if err != nil {
		return nil, err
	}
	if k.account == nil {
		return nil, k.refused(s)
	}
	return k.account(o, cmd, s, n)
}

// numberOf parts FILE#N, where no file is called so.
func numberOf(arg string) (name string, n int, err error) {
	name, number, ok := strings.Cut(arg, "#")
	if _, missing := os.Stat(arg); !ok || missing == nil {
		return arg, 0, nil
	}
	if n, err = strconv.Atoi(number); err != nil || n < 1 {
		return "", 0, report.Usagef("%s: behind # stands the number of a connection, from 1", arg)
	}
	return name, n, nil
}

// accountInTrace is connection n of a trace, or the last.
func accountInTrace(_ *options, _ *cobra.Command, s *source, n int) (*explain.Connection, error) {
	all, err := explain.Load(s.in, 0)
	return oneOf(s, all, n, err)
}

// accountInPage is connection n of a page, or the last.
func accountInPage(_ *options, _ *cobra.Command, s *source, n int) (*explain.Connection, error) {
	all, err := pages.Read(s.in)
	return oneOf(s, all, n, err)
}

// oneOf is the account with a number, or the last.
func oneOf(s *source, all []*explain.Connection, n int, err error) (*explain.Connection, error) {
	switch {
	case err != nil:
		return nil, report.Usagef("%s: %v", s.name, err)
	case n > len(all):
		return nil, report.Usagef("%s holds connections 1 to %d", s.name, len(all))
	case n == 0:
		n = len(all)
	}
	return all[n-1], nil
}

// accountInCapture is connection n of a capture, or the only one.
func (o *options) accountInCapture(cmd *cobra.Command, s *source, n int) (*explain.Connection, error) {
	c := &captured{options: o, cmd: cmd, s: s}
	if err := c.prepare(); err != nil {
		return nil, err
	}
	if n == 0 && c.file == nil {
		n = 1 // it can be read once
	}
	if n == 0 {
		numbers, err := c.pick()
		if err != nil {
			return nil, err
		}
		if len(numbers) != 1 {
			return nil, report.Usagef("%s holds %d connections; say which, as in %s#%d", s.name, len(numbers), s.name, slices.Min(numbers))
		}
		n = numbers[0]
	}
	k, collector, err := c.collect(n)
	if err != nil {
		return nil, err
	}
	return collector.Connection(c.about(k)), nil
}

// accountInJSON is an account as vitrine explain --json writes it.
func accountInJSON(_ *options, _ *cobra.Command, s *source, n int) (*explain.Connection, error) {
	if n > 1 {
		return nil, report.Usagef("%s holds one connection", s.name)
	}
	var c explain.Connection
	if err := json.NewDecoder(s.in).Decode(&c); err != nil {
		return nil, report.Usagef("%s: %v", s.name, err)
	}
	return &c, nil
}
