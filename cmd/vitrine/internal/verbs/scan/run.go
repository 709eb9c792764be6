package scan

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
	"github.com/vitrine-tls/vitrine/wire"
)

// A job is what one run of the command has to do.
type job struct {
	*options
	targets  []flags.Target
	settings scan.Options
	compared yardsticks
	state    *state // nil without --resume
	progress *terminal.Progress
}

func (o *options) run(cmd *cobra.Command, args []string) error {
	if err := o.check(); err != nil {
		return err
	}
	j := &job{options: o, settings: scan.Options{ConfigurationOnly: o.quick, Timing: o.timing, Fleet: o.fleet, Software: o.software}}
	var err error
	if j.targets, err = o.targets(cmd, args); err != nil {
		return err
	}
	if j.compared, err = o.yardsticks(); err != nil {
		return err
	}
	o.elsewhere = cmd.Flags().Changed("connect-to")
	o.counts = cmd.Flags().Changed("fail-on") || o.policy == "" && o.baseline == ""
	if o.ca != "" {
		if j.settings.Roots, err = flags.Pool("ca", o.ca); err != nil {
			return err
		}
	}
	if j.settings.Revocation, err = o.revoked.Load(cmd); err != nil {
		return err
	}
	if j.settings.Revocation.Fetcher != nil {
		j.settings.Issuers = &fetch.Client{}
	}
	all, err := j.all(cmd)
	if err != nil {
		return err
	}
	all.again = func(i int) string {
		return flags.DiagnoseAgain(cmd, j.targets[i], "json", "output", "resume", "revocation", "crl")
	}
	return o.tell(cmd, all)
}

// all asks all targets, or those that an earlier run has left.
func (j *job) all(cmd *cobra.Command) (all *Scans, err error) {
	ctx := cmd.Context()
	if j.resume != "" {
		head, err := j.head(cmd)
		if err != nil {
			return nil, err
		}
		if j.state, err = openState(j.resume, head); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, j.state.close()) }()
		// A second signal ends the process, as signals do.
		signalled, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer restore()
		defer context.AfterFunc(signalled, restore)()
		ctx = signalled
	}
	j.progress = terminal.NewProgress(cmd.ErrOrStderr(), len(j.targets), "scanned")
	defer j.progress.End()
	all, err = j.scan(ctx)
	switch {
	case err == nil:
		j.judge(all)
	case ctx.Err() != nil && cmd.Context().Err() == nil:
		done := 0
		for _, r := range all.Reports {
			if r != nil {
				done++
			}
		}
		err = fmt.Errorf("interrupted: %d of %d targets are scanned; the same command goes on with the others", done, len(j.targets))
	}
	return all, err
}

// scan asks the targets, some at a time. An error is that of the context, or of the file of
// --resume; the reports that there are then are whole.
func (j *job) scan(ctx context.Context) (*Scans, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p := &scan.Prober{Rate: j.rate, Connections: j.atOnce, Timeout: j.timeout.Duration, Dial: j.dial}
	all := &Scans{Targets: len(j.targets), Reports: make([]*scan.Report, len(j.targets))}
	if j.compared.policy != nil {
		all.policy = j.compared.policy.Name
	}
	all.baseline, all.failOn, all.lenient = j.compared.baseline != nil, scan.Severity(j.failOn), !j.counts
	var wait sync.WaitGroup
	slots := make(chan struct{}, j.servers)
	for i, at := range j.targets {
		if all.Reports[i] = j.state.known(j.target(at)); all.Reports[i] != nil {
			j.progress.Step()
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-slots }()
			r, err := j.one(ctx, p, at)
			if err == nil {
				err = j.state.keep(r)
			}
			if err != nil {
				stop(err) // of no effect where it is the context's
				return
			}
			all.Reports[i] = r
			j.progress.Step()
		})
	}
	wait.Wait()
	return all, context.Cause(ctx)
}

// one asks one target. An error is the context's.
func (j *job) one(ctx context.Context, p *scan.Prober, at flags.Target) (*scan.Report, error) {
	settings := j.settings
	settings.Addresses = func(ctx context.Context) []string { return j.way.Addresses(ctx, at) }
	if at.Port == "443" && !j.elsewhere {
		settings.Plain = func(ctx context.Context) (net.Conn, error) {
			return j.way.Dial(ctx, flags.Target{Host: at.Host, Port: "80", StartTLS: "none"})
		}
	}
	r, err := p.Scan(ctx, j.target(at), settings)
	if r.Err != nil {
		r.Failure = report.Describe(r.Err, wire.Client, nil).Text
	}
	if j.explain == "" {
		r.Forget()
	}
	return r, err
}

// judge counts what is bad.
func (j *job) judge(all *Scans) {
	for _, r := range all.Reports {
		bad, partly := j.counts && j.fails(r), r.Unanswered > 0
		if j.compared.policy != nil || j.compared.baseline != nil {
			judged, worse := j.compared.judge(r)
			all.Judged, bad = append(all.Judged, judged), bad || worse
			partly = partly || slices.ContainsFunc(judged.Changes, func(c policy.Change) bool { return c.Unknown && !c.NotAsked })
		}
		switch {
		case bad:
			all.Failing++
		case r.Failure != "":
			all.Unreachable++
		}
		if partly {
			all.Partly++
		}
	}
}

// tell writes what was found, and returns what the exit code says.
func (o *options) tell(cmd *cobra.Command, all *Scans) (err error) {
	if o.out != "" {
		if err := o.save(all); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		err = report.JSON(cmd.OutOrStdout(), all)
	case o.explain != "":
		err = o.explainFinding(cmd.OutOrStdout(), all)
	default:
		err = all.write(cmd.OutOrStdout(), cmd.InOrStdin())
	}
	switch {
	case err != nil:
		return err
	case all.Failing > 0:
		return report.Reported(errors.New("there are findings"))
	case all.Unreachable > 0:
		return report.Reported(&net.OpError{Op: "dial", Err: errors.New("a target does not answer")})
	case all.Partly > 0:
		return report.Reported(&net.OpError{Op: "dial", Err: errors.New("a target leaves connections without an answer")})
	}
	return nil
}
