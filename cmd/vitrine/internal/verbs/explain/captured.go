package explain

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

// forCaptures are the flags that mean something for a capture.
var forCaptures = []string{"all", "conn", "data", "filter", "format", "json", "key", "keylog", "list", "open", "output", "psk", "redact", "secrets", "summary"}

// capturing are the flags that only captures have.
type capturing struct {
	all, list    bool
	filter, data string
	keyLogs      []string
}

func (f *capturing) register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringArrayVar(&f.keyLogs, "keylog", nil, "decrypt a capture with this key log, a `file` as browsers write to SSLKEYLOGFILE; it may still grow")
	set.StringVar(&f.filter, "filter", "", "only the connections of a capture that `conditions` pick, like \"sni=*.example.com and failed\"")
	set.BoolVar(&f.list, "list", false, "list the connections of a capture, also if there is only one")
	set.BoolVar(&f.all, "all", false, "explain every connection of a capture, each to a file in the directory of --output")
	set.StringVar(&f.data, "data", "", "write what each side of captured connections said to a file in this `directory`, decrypted")
}

// captured is a capture that is explained.
type captured struct {
	*options
	cmd    *cobra.Command
	s      *source
	file   *os.File // nil where the capture can be read only once
	filter *capture.Filter
	keys   *capture.Keys
	given  []string // the keys, for people
	data   *dataWriter
	totals capture.Totals
	damage error // of the file
}

// explainCapture lists the connections of a capture, or explains those that the flags pick.
func (o *options) explainCapture(cmd *cobra.Command, s *source) (err error) {
	c := &captured{options: o, cmd: cmd, s: s}
	if err := c.prepare(); err != nil {
		return err
	}
	if c.file == nil {
		defer endsWithInput()()
	}
	switch {
	case o.capturing.all && c.file == nil:
		err = c.explainLive()
	case o.capturing.all:
		err = c.explainAll()
	case o.conn > 0:
		err = c.explainNumber(o.conn)
	default:
		err = c.survey()
	}
	if err == nil && c.damage != nil {
		err = c.damage
	}
	return err
}

// prepare reads the flags.
func (c *captured) prepare() (err error) {
	if file, ok := c.s.Closer.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			c.file = file
		}
	}
	if text := c.capturing.filter; text != "" {
		if c.filter, err = capture.ParseFilter(text); err != nil {
			return filterFault(text, err)
		}
	}
	switch {
	case c.cmd.Flags().Changed("conn") && c.conn < 1:
		return report.Usagef("--conn counts from 1")
	case c.conn > 0 && (c.capturing.all || c.filter != nil || c.capturing.list):
		return report.Usagef("--conn picks one connection; leave --all, --filter and --list out")
	case c.capturing.all && c.capturing.list:
		return report.Usagef("--all and --list contradict each other; leave one out")
	case c.capturing.all && c.file == nil && !c.toStdout() && !c.hasEnding():
		return report.Usagef("--all of %s writes one after another, to the screen or one file; give that an ending, as in -o FILE.ndjson", c.s.name)
	case c.capturing.all && c.file != nil && (c.toStdout() || c.hasEnding()):
		return report.Usagef("--all writes a file for each connection; name a directory for them with -o DIR")
	}
	if c.capturing.data != "" {
		c.data = &dataWriter{dir: c.capturing.data}
		if err := os.MkdirAll(c.capturing.data, 0o700); err != nil {
			return report.Unwritable("--data", err)
		}
	}
	return c.loadKeys()
}

// filterFault points at what is wrong with a filter.
func filterFault(text string, err error) error {
	at := 0
	if e, ok := errors.AsType[*capture.FilterError](err); ok {
		at = e.Offset
	}
	return report.Usagef("--filter: %v\n  %s\n  %s^", err, terminal.Printable(text), strings.Repeat(" ", at))
}

// loadKeys gathers what is known besides the capture.
func (c *captured) loadKeys() error {
	c.keys = &capture.Keys{}
	c.keys.AddCompression(flags.Compressions()...)
	for _, name := range c.capturing.keyLogs {
		log, err := os.Open(name)
		if err != nil {
			return report.Usagef("--keylog: %v", err)
		}
		n, err := c.keys.Follow(log)
		if err != nil {
			return report.Usagef("--keylog: %v", err)
		}
		if n == 0 && c.file != nil {
			return report.Usagef("--keylog: %s holds no secrets; a key log is what browsers, curl and vitrine write to the file that SSLKEYLOGFILE names", name)
		}
		c.given = append(c.given, fmt.Sprintf("%s (%s)", name, counted(n, "secret")))
	}
	keys, err := c.identity.RSA()
	if err != nil {
		return err
	}
	for _, key := range keys {
		c.keys.AddRSA(key)
	}
	if len(keys) > 0 {
		c.given = append(c.given, "the RSA key of --key")
	}
	psks, err := c.tls.PresharedKeys()
	if err != nil {
		return err
	}
	for identity, key := range psks {
		c.keys.AddPSK(identity, key)
	}
	if len(psks) > 0 {
		c.given = append(c.given, "--psk")
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// read reads the capture once. A damaged one was read up to the damage, which is kept.
func (c *captured) read(o capture.Options) error {
	in := io.Reader(c.s.in)
	if c.file != nil {
		if _, err := c.file.Seek(0, io.SeekStart); err != nil {
			return err
		}
		in = c.file
		defer c.progress(&o)()
	}
	o.Keys = c.keys
	c.data.anew()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(readLimit))
	var err error
	c.totals, err = capture.Read(in, o)
	if _, ok := errors.AsType[*capture.DamagedError](err); ok {
		c.damage, err = fmt.Errorf("%s: %w; what came before it is shown", c.s.name, err), nil
	}
	if errors.Is(err, capture.ErrNoCapture) {
		return report.Usagef("%s: %v", c.s.name, err)
	}
	return err
}

// readLimit is how much memory may be in use while a capture is read before garbage is
// collected at once. What package capture keeps is less.
const readLimit = 192 << 20

// Files from this size on get a line that tells how far they were read.
const largeFile = 32 << 20

// progress shows how far the file was read; the func that it returns ends that.
func (c *captured) progress(o *capture.Options) (end func()) {
	info, err := c.file.Stat()
	if err != nil || info.Size() < largeFile {
		return func() {}
	}
	const megabyte = 1 << 20
	p := terminal.NewProgress(c.cmd.ErrOrStderr(), int(info.Size()/megabyte), "MB read")
	o.Progress = func(n int64) { p.Reach(int(min(n, info.Size()) / megabyte)) }
	return p.End
}

// explainNumber explains one connection. A file is read once more if it has secrets that stand
// behind what they open.
func (c *captured) explainNumber(n int) error {
	found, collector, err := c.collect(n)
	if err == nil && found != nil && found.Missing != "" && c.totals.Secrets > 0 && c.file != nil {
		found, collector, err = c.collect(n)
	}
	if err = cmp.Or(err, c.data.failure()); err != nil {
		return err
	}
	if found == nil {
		return cmp.Or(c.none(), report.Usagef("--conn %d: %s holds connections 1 to %d", n, c.s.name, c.totals.TLS))
	}
	return c.account(found, collector)
}

// collect gathers what happens on one connection.
func (c *captured) collect(n int) (found *capture.Connection, collector *explain.Collector, err error) {
	collector = &explain.Collector{}
	err = c.read(capture.Options{
		Decrypt: true,
		Trace: func(k *capture.Connection, now func() time.Time) *trace.Hooks {
			if k.Number != n {
				return nil
			}
			collector.Now = now
			return c.data.with(collector.Hooks(), k.Number)
		},
		Found: func(k *capture.Connection) error {
			if k.Number == n {
				found = k
			}
			return nil
		},
	})
	return found, collector, err
}

// account shows one connection.
func (c *captured) account(k *capture.Connection, collector *explain.Collector) error {
	s := subjectOf(collector, c.about(k))
	if err := c.show(c.cmd, []subject{s}); err != nil {
		return err
	}
	c.remark(k)
	if err := findings(s.account); err != nil {
		return err
	}
	return c.unopened([]*capture.Connection{k})
}

func (c *captured) about(k *capture.Connection) explain.About {
	is := fmt.Sprintf("connection %d of %s, from %s", k.Number, c.s.name, k.Client)
	if k.Began != "" {
		is += ", after " + k.Began
	}
	return explain.About{Target: k.Server.String(), TargetIs: terminal.Printable(is), Captured: true}
}

// remark says what is strange about a connection that an account does not say.
func (c *captured) remark(k *capture.Connection) {
	w := c.cmd.ErrOrStderr()
	if k.Conflicts > 0 {
		fmt.Fprintf(w, "vitrine: %s came again with other content: somebody may want to mislead those who read the capture; what came first is shown\n", counted(k.Conflicts, "segment"))
	}
	for _, comment := range k.Comments {
		fmt.Fprintf(w, "vitrine: the file has a comment: %s\n", terminal.Printable(comment))
	}
}

// none is the error for a capture without TLS; nil where there is some.
func (c *captured) none() error {
	switch {
	case c.totals.TLS > 0:
		return nil
	case c.damage != nil:
		return c.damage
	case c.totals.Packets == 0:
		return report.Usagef("%s is a capture without packets", c.s.name)
	}
	what := fmt.Sprintf("%s holds no TLS: %s, %s of TCP", c.s.name, counted(c.totals.Packets, "packet"), counted(c.totals.Connections, "connection"))
	return errors.New(strings.Join(append([]string{what}, c.totals.Notes...), "; "))
}

// unopened is the error for keys that open none of the connections; nil where there are
// no keys, or they open one.
func (c *captured) unopened(all []*capture.Connection) error {
	if len(c.given) == 0 || slices.ContainsFunc(all, func(k *capture.Connection) bool { return k.Readable || k.Missing == "" }) {
		return nil
	}
	return c.wrongKeys(all[0].Missing)
}

func (c *captured) wrongKeys(missing string) error {
	return fmt.Errorf("nothing opens with %s: %s. Keys must be those of the very connections: a key log that was written while they were made, or for RSA key exchange the key of the server's certificate",
		strings.Join(c.given, " and "), missing)
}

// explainAll explains every connection that the filter picks, each in a file of its own.
func (c *captured) explainAll() error {
	if err := os.MkdirAll(c.output, 0o700); err != nil {
		return report.Unwritable("-o", err)
	}
	picked, err := c.pick()
	if err != nil {
		return err
	}
	written := 0
	var wrong []error
	for left := picked; len(left) > 0; {
		batch := newBatch(c, left)
		if err := cmp.Or(batch.run(), c.data.failure()); err != nil {
			return err
		}
		written, left = written+batch.written, batch.later
		wrong = append(wrong, batch.wrong...)
	}
	fmt.Fprintf(c.cmd.ErrOrStderr(), "vitrine: %s written to %s\n", counted(written, "account"), c.output)
	if len(wrong) > 0 {
		return fmt.Errorf("%s: %w", counted(len(wrong), "account")+" with a finding", wrong[0])
	}
	return nil
}

// pick lists the numbers of the connections that the filter picks.
func (c *captured) pick() (numbers []int, err error) {
	err = c.read(capture.Options{Found: func(k *capture.Connection) error {
		if c.filter.Match(k) {
			numbers = append(numbers, k.Number)
		}
		return nil
	}})
	if err = cmp.Or(err, c.none()); err == nil && len(numbers) == 0 {
		err = c.noMatch()
	}
	slices.Sort(numbers)
	return numbers, err
}

func (c *captured) noMatch() error {
	return fmt.Errorf("--filter picks none of the %s in %s", counted(c.totals.TLS, "connection"), c.s.name)
}
