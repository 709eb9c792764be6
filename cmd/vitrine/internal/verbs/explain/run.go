package explain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// explanation makes the connections to explain.
type explanation struct {
	options *options
	config  *tls.Config
	at      flags.Target
	name    string // of the target, for the title
	is      string // what the target is, where that is not a server of others
	server  *ownServer
	made    []subject
}

func (e *explanation) close() {
	if e.server != nil {
		e.server.close()
	}
}

// explain makes one connection, or two for a resumption, and returns the
// account of the last, and why it failed. The account is nil if nothing was sent.
func (e *explanation) explain(ctx context.Context) (*explain.Connection, error) {
	about := explain.About{Target: e.name, TargetIs: e.is}
	if e.options.tls.Resumes() {
		first, err := e.connect(ctx, explain.About{Target: e.name, TargetIs: e.is})
		if err != nil || first == nil {
			return first, err
		}
		about.Previous, about.Before = first, before(first)
	}
	return e.connect(ctx, about)
}

// before says in a line what the first connection was.
func before(c *explain.Connection) string {
	s := c.Summary
	return fmt.Sprintf("a full handshake over %s in %.2f ms, round trips: %d", s.Version, float64(s.HandshakeUS)/1000, s.RoundTrips)
}

// connect makes one connection, says something on it, and closes it.
func (e *explanation) connect(ctx context.Context, about explain.About) (*explain.Connection, error) {
	ctx, cancel := context.WithTimeout(ctx, e.options.timeout.Duration)
	defer cancel()
	raw, err := e.options.way.Dial(ctx, e.at)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	collector := new(explain.Collector)
	config := e.config.Clone()
	var shown certs.Shown
	config.Trace = watched(collector, &shown)
	conn := tls.Client(raw, config)
	again := about.Previous != nil
	left, err := e.shake(ctx, conn, again)
	if err != nil {
		err = report.WhileShakingHands(err)
	} else {
		m := e.toSay(conn.ConnectionState().NegotiatedProtocol)
		if again && e.options.hurry != nil {
			m = message{content: left, words: "sent: " + beginning(e.options.hurry), early: true}
		}
		about.Trust = e.trust(conn.State())
		about.Sent, err = e.talk(ctx, conn, m, &about.Warnings)
		about.Warnings = append(certs.Warnings(conn.State()), about.Warnings...)
	}
	raw.Close()
	servers := e.server.ended()
	if about.Verdict = shown.Judge(ctx, config); err == nil && about.Trust == "" && e.options.insecure.On {
		about.Warnings = append([]string{"the server's certificate was not verified: " + certs.WhyNot(about.Verdict)}, about.Warnings...)
	}
	if err != nil {
		err = report.ForClientCertificate(err, certificateChoice(collector.Connection(about)))
		f := report.Describe(err, wire.Client, nil)
		about.Err, about.Advice = errors.New(f.Text), f.Advice
		about.Warnings = append(about.Warnings, unsaid(servers)...)
	}
	if capped := e.options.tls.Capped(); capped != "" && e.server == nil {
		about.Warnings = append(about.Warnings, capped)
	}
	account := collector.Connection(about)
	if about.Previous != nil && account.Summary.Resumed != e.options.tls.Resume {
		about.Warnings = append(about.Warnings, e.options.tls.NotResumed(account.Summary.Resumed))
	}
	if why := e.notEarly(account); why != "" && again && e.options.hurry != nil {
		about.Warnings = append(about.Warnings, why)
	}
	made := subjectOf(collector, about)
	made.failure = err
	e.made = append(e.made, made)
	return e.made[len(e.made)-1].account, err
}

// watched are the hooks of a collector, which tell shown of the server's certificates too.
func watched(collector *explain.Collector, shown *certs.Shown) *trace.Hooks {
	hooks := collector.Hooks()
	begin := hooks.Connection
	hooks.Connection = func() *trace.Hooks {
		one := begin()
		if one == nil {
			return nil
		}
		keep := one.Message
		one.Message = func(m trace.Message) {
			shown.Message(m)
			keep(m)
		}
		return one
	}
	return hooks
}

// certificateChoice is what became of the client's certificate when it was last asked
// for; nil if it was not.
func certificateChoice(c *explain.Connection) *trace.Choice {
	for _, e := range slices.Backward(c.Events) {
		if e.Choice != nil && e.Choice.What == "client certificate" {
			return &trace.Choice{What: e.Choice.What, Picked: e.Choice.Picked, Why: e.Choice.Why}
		}
	}
	return nil
}

// most is how much of an answer is read: an account of more is of no use.
const most = 1 << 18

// talk renegotiates if the flags say so, sends what they say or a small HTTP request if
// the server may understand it, reads the answer, and closes both ways. It returns what
// was sent, in words. The error is an alert of the server's: in TLS 1.3 it refuses our
// certificate only now. Whatever else is not as it should be is a warning.
func (e *explanation) talk(ctx context.Context, conn *tls.Conn, m message, warnings *[]string) (sent string, err error) {
	deadline, _ := ctx.Deadline()
	for _, step := range []struct {
		failed string
		do     func() error
	}{
		{"there was no renegotiation", func() error { return e.renegotiate(ctx, conn) }},
		{"no answer came", func() error { return m.exchange(conn, e.options.timeout.Duration/2) }}, // the other half is for the close
		{"our direction could not be closed", func() error { return closeOurs(conn, deadline) }},
		{"the server did not close its direction", func() error { return drain(conn) }},
	} {
		switch err := step.do(); {
		case err == nil:
		case errors.Is(err, io.ErrUnexpectedEOF):
			*warnings = append(*warnings, "the server ended the connection without close_notify: data may be missing at its end")
			return m.words, nil
		case report.IsHandshakeError(err) && !errors.Is(err, tls.ErrNoRenegotiation):
			return m.words, err
		default:
			text := report.Describe(err, wire.Client, nil).Text
			if !strings.HasPrefix(text, step.failed) {
				text = step.failed + ": " + text
			}
			*warnings = append(*warnings, text)
		}
	}
	return m.words, nil
}

// renegotiate begins a handshake inside the connection, if that is the client's.
func (e *explanation) renegotiate(ctx context.Context, conn *tls.Conn) error {
	if e.options.tls.Renegotiate != "client" {
		return nil
	}
	return conn.Renegotiate(ctx)
}

// trust says what proves the identity of the server; empty for nothing.
func (e *explanation) trust(s tls.State) string {
	c := suite.ByID(s.CipherSuite)
	switch {
	case len(s.VerifiedChains) > 0 && e.server != nil:
		return fmt.Sprintf("certificate verified for %s, with the throw-away authority", e.config.ServerName)
	case len(s.VerifiedChains) > 0:
		trust := "certificate verified for " + e.config.ServerName
		if learnt := e.options.revoked.Words(s.Revocation); len(learnt) > 0 {
			trust += ", " + learnt[0]
		}
		return trust
	case c.Auth == suite.AuthPSK:
		return "the server proved that it has the same pre-shared key"
	}
	return ""
}

// closeOurs sends our close_notify. What came before may have used up the time
// for reading, not for this.
func closeOurs(conn *tls.Conn, deadline time.Time) error {
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	return conn.CloseWrite()
}

// drain reads until the server closes its direction.
func drain(conn *tls.Conn) error {
	n, err := io.Copy(io.Discard, io.LimitReader(conn, most))
	if n == most {
		return errors.New("there is a lot more to read, which was left")
	}
	return err
}
