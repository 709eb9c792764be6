package explain

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
)

// source is a file to explain, or standard input.
type source struct {
	name string // for people
	in   *bufio.Reader
	io.Closer
}

// openSource opens the source that arg names; nil where it names none, and is a host.
func openSource(cmd *cobra.Command, arg string) (*source, error) {
	if arg == "-" {
		in := io.NopCloser(cmd.InOrStdin())
		return &source{"standard input", bufio.NewReader(in), in}, nil
	}
	if isFile, err := flags.NamesFile(arg); !isFile {
		return nil, err
	}
	file, err := os.Open(arg)
	if err != nil {
		return nil, report.Usagef("%v", err)
	}
	return &source{arg, bufio.NewReader(file), file}, nil
}

// kind is a kind of source. It is recognised by how it begins, whatever it is called.
type kind struct {
	is     string // "a trace"
	begins []string
	flags  []string // that mean something for it
	// explain reads the source and shows what it holds. It is nil for what people may take
	// for a source, and is none.
	explain func(o *options, cmd *cobra.Command, s *source) error
	// account reads connection n, from 1, or the only one or the last for 0, to compare it. It
	// is nil for what holds none.
	account func(o *options, cmd *cobra.Command, s *source, n int) (*explain.Connection, error)
}

// kinds are tried in this order.
var kinds = []kind{
	{is: "a capture", flags: forCaptures, explain: (*options).explainCapture, account: (*options).accountInCapture, begins: []string{
		"\x0a\x0d\x0d\x0a",                                                             // pcapng
		"\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d", // pcap
		"\x1f\x8b", // either, compressed by gzip
	}},
	{is: "compressed; unpack it first: gzip alone is read", begins: []string{"\x28\xb5\x2f\xfd", "\xfd7zXZ", "BZh", "\x04\x22\x4d\x18", "PK\x03\x04"}},
	{is: "PEM, which vitrine cert show reads", begins: []string{"-----BEGIN "}},
	{is: "a key log", begins: []string{"CLIENT_RANDOM "}},
	{is: "an account as JSON; save a trace in its place, with -o FILE.ndjson", begins: []string{"{\n  \"format\": \"" + explain.Format}, account: accountInJSON},
	{is: "a page; save a trace in its place, with -o FILE.ndjson", begins: []string{"<!doctype html>"}, account: accountInPage},
	{is: "a trace", begins: []string{"{"}, flags: forTraces, explain: (*options).explainTrace, account: accountInTrace},
}

// longest is how many bytes kinds are recognised by, and space before a trace.
const longest = 64

// explainSource finds out what s is, and explains it.
func (o *options) explainSource(cmd *cobra.Command, s *source) error {
	defer s.Close()
	k, err := recognise(s)
	switch {
	case err != nil:
		return err
	case k.explain == nil:
		return k.refused(s)
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(k.flags, f.Name) {
			err = cmp.Or(err, report.Usagef("--%s is for a connection that vitrine makes; leave it out with %s", f.Name, k.is))
		}
	})
	if err != nil {
		return err
	}
	return k.explain(o, cmd, s)
}

// recognise tells what s is by its first bytes, and refuses what is nothing that is known.
func recognise(s *source) (kind, error) {
	begin, err := s.in.Peek(longest)
	if err != nil && err != io.EOF {
		return kind{}, err
	}
	if len(begin) == 0 {
		return kind{}, report.Usagef("%s is empty; a trace is what vitrine explain HOST -o FILE.ndjson saves", s.name)
	}
	for _, k := range kinds {
		if k.matches(begin) {
			return k, nil
		}
	}
	return kind{}, report.Usagef("%s is not a trace; a trace is what vitrine explain HOST -o FILE.ndjson saves (for a host of that name, write %s:443)", s.name, s.name)
}

// refused says what s is, which holds no connection to explain.
func (k *kind) refused(s *source) error {
	return report.Usagef("%s is %s; vitrine explain reads traces, which vitrine explain HOST -o FILE.ndjson saves", s.name, k.is)
}

// matches reports that what begins so is of the kind.
func (k *kind) matches(begin []byte) bool {
	return slices.ContainsFunc(k.begins, func(with string) bool {
		return bytes.HasPrefix(begin, []byte(with)) || with == "{" && bytes.HasPrefix(bytes.TrimSpace(begin), []byte(with))
	})
}
