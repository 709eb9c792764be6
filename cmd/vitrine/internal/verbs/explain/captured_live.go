package explain

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

// liveBudget is what is kept of each connection of a stream, and mostLive how many
// connections are there at a time; others are not explained.
const (
	liveBudget = 2 << 20
	mostLive   = 64
)

// live explains the connections of a stream, each as it ends.
type live struct {
	*captured
	out   *sink
	open  map[int]*explain.Collector
	lost  int
	shown int
	wrong error // the first finding
}

// explainLive shows every connection that the filter picks as it ends, of a capture that
// can be read only once, like one that is being made.
func (c *captured) explainLive() error {
	l := &live{captured: c, out: &sink{options: c.options, cmd: c.cmd}, open: map[int]*explain.Collector{}}
	err := c.read(capture.Options{Decrypt: true, Trace: l.trace, Found: l.found})
	if err = cmp.Or(errors.Join(err, l.out.end()), c.data.failure()); err != nil {
		return err
	}
	if l.lost > 0 {
		fmt.Fprintf(c.cmd.ErrOrStderr(), "vitrine: %s left out: there were more than %d at a time\n", counted(l.lost, "connection"), mostLive)
	}
	switch {
	case l.wrong != nil:
		return l.wrong
	case c.totals.TLS == 0:
		return c.none()
	case l.shown == 0:
		return c.noMatch()
	}
	return nil
}

// trace begins an account.
func (l *live) trace(k *capture.Connection, now func() time.Time) *trace.Hooks {
	if len(l.open) >= mostLive {
		l.lost++
		return nil
	}
	collector := &explain.Collector{Now: now, Budget: liveBudget}
	l.open[k.Number] = collector
	return l.data.with(collector.Hooks(), k.Number)
}

// found shows an account.
func (l *live) found(k *capture.Connection) error {
	collector := l.open[k.Number]
	delete(l.open, k.Number)
	if collector == nil || !l.filter.Match(k) {
		return nil
	}
	s := subjectOf(collector, l.about(k))
	if err := l.out.add(s); err != nil {
		return err
	}
	l.shown++
	l.remark(k)
	l.wrong = cmp.Or(l.wrong, findings(s.account))
	return nil
}

// endsWithInput leaves the first interrupt to the program that writes the capture, whose end
// is that of the input: what came until then is shown. The second one counts. The func that
// it returns undoes that.
func endsWithInput() (undo func()) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	done := make(chan struct{})
	go func() {
		select {
		case <-interrupts:
			signal.Stop(interrupts)
		case <-done:
		}
	}()
	return func() { signal.Stop(interrupts); close(done) }
}
