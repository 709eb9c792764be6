package proxy

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// maxFile is how much of a file is read, in bytes: one more than a configuration may have.
const maxFile = 1<<20 + 1

// register adds the flags that describe a proxy.
func register(cmd *cobra.Command, f *config.Flags) {
	set := cmd.Flags()
	for _, one := range f.All() {
		switch v := one.Value.(type) {
		case *[]string:
			set.StringArrayVar(v, one.Name, nil, one.Usage)
		case *config.List:
			set.Var(list{v}, one.Name, one.Usage)
		case *string:
			set.StringVar(v, one.Name, "", one.Usage)
		case *bool:
			set.BoolVar(v, one.Name, false, one.Usage)
		case *int:
			set.IntVar(v, one.Name, 0, one.Usage)
		case *float64:
			set.Float64Var(v, one.Name, 0, one.Usage)
		case *config.Duration:
			set.Var(text{v, "time"}, one.Name, one.Usage)
		case *config.Size:
			set.Var(text{v, "size"}, one.Name, one.Usage)
		}
	}
	for name, values := range map[string][]string{
		"mode": {config.ModeTCP, config.ModeHTTP}, "starttls": {"smtp", "imap", "pop3", "ftp", "ftps", "ldap", "postgres"},
		"min": vocabulary.VersionNames(), "max": vocabulary.VersionNames(), "client-auth": {"none", "request", "require"},
		"revocation": {"off", "soft", "hard"}, "balance": {config.RoundRobin, config.LeastConnections}, "proxy-protocol": {"v1", "v2", "v2-tls"},
		"log-format": {"text", "json"}, "log-level": {"debug", "info", "warn", "error"}, "sandbox": {"auto", "require", "off"},
		"keys": {"memory", "locked", "process"}, "acme-challenge": {"tls-alpn-01", "http-01"}, "client-cert-header": {"leaf", "chain"},
	} {
		flags.CompleteFrom(cmd, name, values)
	}
	for name, values := range map[string][]string{
		"suites": vocabulary.SuiteNames(), "groups": vocabulary.GroupNames(), "sigalgs": vocabulary.SchemeNames(), "legacy": vocabulary.AllLegacyWords(),
	} {
		flags.CompleteList(cmd, name, values)
	}
}

// list is a value with commas.
type list struct{ to *config.List }

func (l list) String() string { return "" }
func (l list) Type() string   { return "list" }
func (l list) Set(s string) error {
	*l.to = append(*l.to, strings.Split(s, ",")...)
	return nil
}

// text is a value that reads itself.
type text struct {
	to   encoding.TextUnmarshaler
	kind string
}

func (t text) String() string     { return "" }
func (t text) Type() string       { return t.kind }
func (t text) Set(s string) error { return t.to.UnmarshalText([]byte(inHours(s))) }

// given are the flags of f that stand on the command line.
func given(cmd *cobra.Command, f *config.Flags) (names []string) {
	ours := map[string]bool{}
	for _, one := range f.All() {
		ours[one.Name] = true
	}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if ours[flag.Name] {
			names = append(names, "--"+flag.Name)
		}
	})
	return names
}

// load reads a configuration: from file or, where that is empty, from the flags.
func load(cmd *cobra.Command, file string, f *config.Flags) (*config.Config, error) {
	names := given(cmd, f)
	switch {
	case file != "" && len(names) > 0:
		return nil, report.Usagef("%s is not for a configuration from a file; write it into %s, or leave the file out", names[0], file)
	case file != "":
		return parse(cmd, file)
	case len(names) == 0:
		return nil, report.Usagef("say what to do, as in: vitrine proxy --listen :443 --target 127.0.0.1:8080 --cert chain.pem --key key.pem; or give a file with --config")
	}
	asTyped(f)
	c, err := f.Config()
	if err != nil {
		return nil, report.Usagef("%v", err)
	}
	return c, nil
}

// parse reads a file; - is standard input.
func parse(cmd *cobra.Command, file string) (*config.Config, error) {
	data, err := content(cmd, file)
	if err != nil {
		return nil, err
	}
	c, err := config.Parse(data, file)
	if err != nil {
		return nil, report.Usagef("%v", err)
	}
	return c, nil
}

// content is a file's, up to maxFile; - is standard input.
func content(cmd *cobra.Command, file string) ([]byte, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if path, ok := errors.AsType[*os.PathError](err); ok {
			return nil, report.Usagef("%s cannot be read: %v; check the name", file, path.Err)
		} else if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxFile))
}

// examine checks all of a configuration, the files too, and returns what is wrong, in the
// words of the flags where it is made of them. Warnings are written to w.
func examine(w io.Writer, c *config.Config, more ...config.Option) error {
	problems := config.Check(c, append(more, config.Files(), config.Rules(access.CheckRule))...)
	for i := range problems {
		if problems[i].File == "" {
			problems[i].Path = c.FlagOf(problems[i].Path)
		}
		if problems[i].Warning {
			fmt.Fprintln(w, problems[i])
		}
	}
	if err := problems.Err(); err != nil {
		return report.Usagef("%v", err)
	}
	return nil
}
