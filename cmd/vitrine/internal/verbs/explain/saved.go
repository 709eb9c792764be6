package explain

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// saved is a trace to explain: a file, or standard input.
type saved struct {
	name string
	in   io.ReadCloser
}

// openSaved opens the trace that arg names; nil where it names none, and is a host.
func openSaved(cmd *cobra.Command, arg string) (*saved, error) {
	if arg == "-" {
		return &saved{"standard input", io.NopCloser(cmd.InOrStdin())}, nil
	}
	info, err := os.Stat(arg)
	if err != nil || info.IsDir() {
		return nil, nil
	}
	file, err := os.Open(arg)
	return &saved{arg, file}, err
}

// forSaved are the flags that mean something for a saved trace.
var forSaved = []string{"conn", "format", "json", "output", "summary"}

// explainSaved explains a connection of a trace.
func (o *options) explainSaved(cmd *cobra.Command, s *saved) error {
	defer s.in.Close()
	var wrong error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !slices.Contains(forSaved, f.Name) {
			wrong = cmp.Or(wrong, report.Usagef("--%s is for a connection that vitrine makes; leave it out with a saved trace", f.Name))
		}
	})
	if wrong != nil {
		return wrong
	}
	in := bufio.NewReader(s.in)
	if err := recognise(s.name, in); err != nil {
		return err
	}
	if o.format == "ndjson" {
		return o.writeTo(cmd, func(w io.Writer, _ bool) error { return withoutSecrets(w, in, s.name) })
	}
	all, damage := explain.Load(in, 0)
	if damage != nil {
		damage = fmt.Errorf("%s: %w", s.name, damage)
	}
	if len(all) == 0 || damage != nil && len(all[len(all)-1].Events) == 0 {
		return damage
	}
	account, err := o.choose(cmd, s.name, all)
	if err != nil {
		return err
	}
	if err := o.writeTo(cmd, func(w io.Writer, color bool) error { return o.render(w, account, color) }); err != nil {
		return err
	}
	return cmp.Or(damage, findings(account))
}

// choose returns the connection that --conn says, or the last.
func (o *options) choose(cmd *cobra.Command, name string, all []*explain.Connection) (*explain.Connection, error) {
	if o.conn < 0 || o.conn > len(all) || o.conn == 0 && cmd.Flags().Changed("conn") {
		return nil, report.Usagef("--conn %d: %s holds connections 1 to %d", o.conn, name, len(all))
	}
	if o.conn == 0 && len(all) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "vitrine: %s holds %d connections, and this is the last; --conn says which\n", name, len(all))
	}
	return all[cmp.Or(o.conn, len(all))-1], nil
}

// others are files that people may take for a trace, by how they begin.
var others = []struct {
	begins []byte
	is     string
}{
	{[]byte{0x0a, 0x0d, 0x0d, 0x0a}, "a capture (pcapng)"},
	{[]byte{0xd4, 0xc3, 0xb2, 0xa1}, "a capture (pcap)"},
	{[]byte{0xa1, 0xb2, 0xc3, 0xd4}, "a capture (pcap)"},
	{[]byte{0x4d, 0x3c, 0xb2, 0xa1}, "a capture (pcap)"},
	{[]byte{0xa1, 0xb2, 0x3c, 0x4d}, "a capture (pcap)"},
	{[]byte("-----BEGIN "), "PEM, which vitrine cert show reads"},
	{[]byte("CLIENT_RANDOM "), "a key log"},
	{[]byte("{\n  \"format\": \"" + explain.Format), "an account as JSON; save a trace in its place, with -o FILE.ndjson"},
}

// recognise refuses what is no trace, by its first bytes.
func recognise(name string, in *bufio.Reader) error {
	begin, err := in.Peek(64)
	if err != nil && err != io.EOF {
		return err
	}
	if len(begin) == 0 {
		return report.Usagef("%s is empty; a trace is what vitrine explain HOST -o FILE.ndjson saves", name)
	}
	for _, o := range others {
		if bytes.HasPrefix(begin, o.begins) {
			return report.Usagef("%s is %s; vitrine explain reads traces, which vitrine explain HOST -o FILE.ndjson saves", name, o.is)
		}
	}
	if begin = bytes.TrimSpace(begin); len(begin) == 0 || begin[0] != '{' {
		return report.Usagef("%s is no trace; a trace is what vitrine explain HOST -o FILE.ndjson saves (for a host of that name, write %s:443)", name, name)
	}
	return nil
}

// withoutSecrets copies a trace, and leaves the values of secrets and keys out.
func withoutSecrets(w io.Writer, in io.Reader, name string) error {
	out := tracefile.NewWriter(w, false)
	for r := tracefile.NewReader(in); ; {
		h, e, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case h != nil:
			err = out.Begin(*h)
		default:
			err = out.Write(e)
		}
		if err != nil {
			return err
		}
	}
}

// traced is a connection that was made, as it can be saved.
type traced struct {
	collector *explain.Collector
	about     explain.About
}

// save writes every connection that was made.
func (e *explanation) save(w io.Writer, secrets bool) error {
	out := tracefile.NewWriter(w, secrets)
	var err error
	for _, t := range e.made {
		err = errors.Join(err, t.collector.Save(out, t.about))
	}
	return err
}
