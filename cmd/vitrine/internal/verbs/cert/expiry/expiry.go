// Package expiry is the verb cert expiry.
package expiry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/wire"
)

// atOnce is how many targets are asked at the same time.
const atOnce = 16

// options are the flags of vitrine cert expiry.
type options struct {
	reader certs.Reader
	within period
	json   bool
}

// Watch is what vitrine cert expiry says.
type Watch struct {
	// WithinDays is how soon is too soon.
	WithinDays int `json:"within_days"`
	// Due is how many expire within that, or have expired; Unknown how many could not
	// be asked.
	Due     int `json:"due"`
	Unknown int `json:"unknown"`
	// Expiries are of each target, the soonest first.
	Expiries []Expiry `json:"expiries"`
}

// Expiry is the certificate of a target that ends first: its own, or that of an
// authority beside it.
type Expiry struct {
	Target    string    `json:"target"`
	Subject   string    `json:"subject,omitempty"`
	Authority bool      `json:"authority,omitempty"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	DaysLeft  int       `json:"days_left"`
	// State is good, due, expired or unknown.
	State string `json:"state"`
	// Failure is why nothing is known.
	Failure string `json:"failure,omitempty"`
	err     error
}

// What an Expiry may be.
const good, due, expired, unknown = "good", "due", "expired", "unknown"

// New makes the verb.
func New() *cobra.Command {
	o := &options{within: period{30 * 24 * time.Hour}}
	cmd := &cobra.Command{
		Use:   "expiry FILE|HOST[:PORT]...",
		Short: "Say when certificates expire, of many servers and files at once",
		Long: `Say of each target when the first of its certificates expires, the soonest
first: a server's own, or that of an authority it sends. If one is due within
--within, or has expired, the exit code is 1; else if one could not be asked,
that of the failure. Nothing else is verified: see vitrine cert verify.`,
		Example: `  vitrine cert expiry example.com mail.example.com:993
  vitrine cert expiry --within 2w /etc/ssl/private/*.pem
  xargs vitrine cert expiry --json < hosts.txt`,
		Args: flags.Arguments(1, 10_000, "vitrine cert expiry example.com"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.Var(&o.within, "within", "what expires this soon is due, like 30d, 2w or 12h")
	set.BoolVar(&o.json, "json", false, "write the list as JSON to standard output")
	o.reader.Register(cmd)
	return cmd
}

func (o *options) run(cmd *cobra.Command, targets []string) error {
	o.reader.Stdin = cmd.InOrStdin()
	watch := o.ask(cmd.Context(), targets, terminal.NewProgress(cmd.ErrOrStderr(), len(targets), "asked"))
	var err error
	if o.json {
		err = report.JSON(cmd.OutOrStdout(), watch)
	} else {
		err = watch.write(cmd.OutOrStdout(), o.within.String())
	}
	switch {
	case err != nil:
		return err
	case watch.Due > 0:
		return report.Reported(errors.New("a certificate is due"))
	}
	for _, e := range watch.Expiries {
		if e.err != nil {
			return report.Reported(e.err)
		}
	}
	return nil
}

// ask asks all targets, some at a time.
func (o *options) ask(ctx context.Context, targets []string, progress *terminal.Progress) *Watch {
	defer progress.End()
	now := time.Now()
	watch := &Watch{WithinDays: int(o.within.Hours() / 24), Expiries: make([]Expiry, len(targets))}
	var all sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i, target := range targets {
		slots <- struct{}{}
		all.Go(func() {
			watch.Expiries[i] = o.expiryOf(ctx, target, now)
			progress.Step()
			<-slots
		})
	}
	all.Wait()
	slices.SortStableFunc(watch.Expiries, func(a, b Expiry) int { return a.NotAfter.Compare(b.NotAfter) })
	for _, e := range watch.Expiries {
		switch e.State {
		case due, expired:
			watch.Due++
		case unknown:
			watch.Unknown++
		}
	}
	return watch
}

func (o *options) expiryOf(ctx context.Context, target string, now time.Time) Expiry {
	source, err := o.reader.Open(ctx, target, "")
	if err == nil && len(source.Describe(now)) == 0 {
		err = report.Usagef("%s holds no certificate", target)
	}
	if err != nil {
		f := report.Describe(err, wire.Client, nil)
		return Expiry{Target: target, State: unknown, Failure: strings.TrimPrefix(f.Text, target+": "), err: err}
	}
	first := slices.MinFunc(source.Describe(now), func(a, b certs.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
	e := Expiry{
		Target: source.Target, Subject: first.Subject, Authority: first.Authority, NotAfter: first.NotAfter,
		DaysLeft: first.DaysLeft, State: good,
	}
	switch {
	case now.After(first.NotAfter):
		e.State = expired
	case first.NotAfter.Sub(now) <= o.within.Duration:
		e.State = due
	}
	return e
}

// write writes a line for each target, and one below for what they are together.
func (w *Watch) write(out io.Writer, within string) error {
	p := terminal.PaletteFor(out)
	var b strings.Builder
	widest := 0
	for _, e := range w.Expiries {
		widest = max(widest, min(40, len([]rune(terminal.Printable(e.Target)))))
	}
	for _, e := range w.Expiries {
		target := fmt.Sprintf("%-*s", widest, terminal.Printable(e.Target))
		if e.err != nil {
			fmt.Fprintf(&b, "%s  %s  %s\n", p.Bad(unknown), target, terminal.Wrap(e.Failure, 11+len(target), 11))
			continue
		}
		line := fmt.Sprintf("%s  %s  %s, %q", target, e.NotAfter.UTC().Format(time.DateOnly), inDays(e.DaysLeft), certs.Common(e.Subject))
		if e.Authority {
			line += ", an authority"
		}
		paint := p.Bad
		if e.State == good {
			paint = p.Good
		}
		fmt.Fprintf(&b, "%s  %s\n", paint(fmt.Sprintf("%-7s", e.State)), terminal.Wrap(line, 9, 11))
	}
	sentence := fmt.Sprintf("%d of %d due within %s", w.Due, len(w.Expiries), within)
	if w.Unknown > 0 {
		sentence += fmt.Sprintf(", %d unknown", w.Unknown)
	}
	fmt.Fprintln(&b, p.Bold(sentence))
	_, err := io.WriteString(out, b.String())
	return err
}

func inDays(n int) string {
	switch {
	case n < 0:
		return certs.Ago(n)
	case n == 0:
		return "within a day"
	}
	return fmt.Sprintf("in %s", cmp.Or(map[int]string{1: "1 day"}[n], fmt.Sprintf("%d days", n)))
}
