package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/scan/fix"
)

// notDiagnosed are the flags that mean nothing with --diagnose.
var notDiagnosed = []string{"data", "diff", "lang", "list", "open", "redact", "secrets", "summary"}

// errDiagnosed makes the exit code of a connection in which something is wrong.
var errDiagnosed = errors.New("something is wrong with the connection")

// checkDiagnose finds what is wrong with the flags where --diagnose is given.
func (o *options) checkDiagnose(cmd *cobra.Command) error {
	for _, flag := range notDiagnosed {
		if cmd.Flags().Changed(flag) {
			return report.Usagef("--%s does nothing with --diagnose; leave it out", flag)
		}
	}
	if o.trials < 0 || o.trials > diagnose.MostTrials {
		return report.Usagef("--trials %d is not possible; choose from 0 to %d", o.trials, diagnose.MostTrials)
	}
	for _, s := range o.software {
		if !slices.Contains(programs(), s) {
			return report.Usagef("--for %q is not known; choose from %s", s, flags.OneOf(programs()))
		}
	}
	if o.form.name != "text" && o.form.name != "json" {
		return report.Usagef("--diagnose writes text or JSON; %s is for the whole account", o.form.name)
	}
	return nil
}

// programs are the values of --for.
func programs() (ids []string) {
	for _, s := range fix.Programs() {
		ids = append(ids, s.ID)
	}
	return ids
}

// diagnosis says why the connection of a subject failed.
func (s *subject) diagnosis() *report.Diagnosis {
	if s.verdict == nil {
		s.verdict = diagnose.Account(s.account, diagnose.Also{Err: s.failure})
	}
	d := &report.Diagnosis{Verdict: *s.verdict}
	if s.account != nil {
		d.Target = s.account.Target
	}
	return d
}

// writeDiagnoses writes what is wrong with each connection, in place of its account.
func (o *options) writeDiagnoses(w io.Writer, all []subject, color bool) error {
	var err error
	for i := range all {
		d := all[i].diagnosis()
		d.FixFor(o.software)
		if o.form.name == "json" {
			err = errors.Join(err, report.JSON(w, d))
			continue
		}
		err = errors.Join(err, d.Write(w, terminal.Palette{On: color}))
	}
	return err
}

// diagnosed is the error for a connection in which something is wrong.
func (o *options) diagnosed(all ...subject) error {
	for i := range all {
		if !all[i].diagnosis().OK() {
			return report.Reported(errDiagnosed)
		}
	}
	return nil
}

// diagnoseLive makes a connection, and says what is wrong with it.
func (o *options) diagnoseLive(cmd *cobra.Command, args []string) error {
	status := terminal.NewStatus(cmd.ErrOrStderr())
	if o.form.name == "json" {
		status = &terminal.Status{}
	}
	if len(args) > 0 {
		status.Say("connecting to " + args[0])
	}
	e, _, failure, err := o.live(cmd, args)
	if err != nil {
		status.End()
		return err
	}
	if len(e.made) == 0 && report.ExitCode(failure) == report.ExitUsage { // the way cannot be gone as it was given
		status.End()
		return failure
	}
	if len(e.made) == 0 {
		e.made = []subject{{failure: failure}}
	}
	last := &e.made[len(e.made)-1]
	if e.server == nil {
		last.verdict = o.investigate(cmd, e, last, status)
	}
	status.End()
	if err := o.show(cmd, e.made[len(e.made)-1:]); err != nil {
		return err
	}
	return o.diagnosed(*last)
}

// investigate says why a connection failed, with the help of further ones.
func (o *options) investigate(cmd *cobra.Command, e *explanation, s *subject, status *terminal.Status) *diagnose.Verdict {
	way := diagnose.Way{
		Dial:   func(ctx context.Context, address string) (net.Conn, error) { return o.way.DialTo(ctx, e.at, address) },
		Config: e.config, Trials: o.trials, Patience: min(diagnose.DefaultPatience, o.timeout.Duration),
		HTTP: e.toSay("").http, Addresses: o.way.Addresses(cmd.Context(), e.at),
		Trying: func(n int, asks string) { status.Say(fmt.Sprintf("trial %d: %s", n, asks)) },
	}
	if o.trials == 0 {
		way.Trials = -1
	}
	if o.fetchIssuers {
		way.Issuers = &fetch.Client{}
	}
	return diagnose.Live(cmd.Context(), s.account, diagnose.Also{Err: s.failure}, way)
}

// diagnoseSource says what is wrong with a connection of a file.
func (o *options) diagnoseSource(cmd *cobra.Command, arg string) (done bool, err error) {
	name, n, err := numberOf(arg)
	if err != nil {
		return true, err
	}
	s, err := openSource(cmd, name)
	if s == nil || err != nil {
		return err != nil, err
	}
	defer s.Close()
	k, err := recognise(s)
	switch {
	case err != nil:
		return true, err
	case k.account == nil:
		return true, k.refused(s)
	case n == 0:
		n = o.conn
	}
	account, err := k.account(o, cmd, s, n)
	if err != nil {
		return true, err
	}
	one := subject{account: account}
	if err := o.show(cmd, []subject{one}); err != nil {
		return true, err
	}
	return true, o.diagnosed(one)
}
