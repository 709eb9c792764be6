package observe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
)

// patience is how long Close waits for a log, a disk or a collector.
const patience = 2 * time.Second

// An Observer is told what happens in one proxy, and shows it. Its methods may be called by
// several goroutines at once.
type Observer struct {
	admin  config.Admin
	traces config.Traces
	format string // of the log

	metrics *metrics
	health  health
	journal *journal
	spans   *spans   // nil without a collector
	sampler *sampler // nil where nothing is traced

	socket  atomic.Pointer[net.Listener] // of Serve
	closing sync.Once
}

// New returns the Observer that these settings ask for; it logs to w. The error says which of
// them is wrong. Close ends what it began.
func New(admin config.Admin, log config.Log, traces config.Traces, w io.Writer) (*Observer, error) {
	o := &Observer{admin: admin, traces: traces, format: log.Format, metrics: newMetrics()}
	var err error
	if o.journal, err = newJournal(log, w, o.metrics); err != nil {
		return nil, err
	}
	if admin.OTLP != "" {
		if o.spans, err = newSpans(admin.OTLP, o.metrics, o.journal); err != nil {
			return nil, errors.Join(err, o.Close())
		}
	}
	if traces.Folder != "" && (traces.Sample > 0 || traces.Failures) {
		if o.sampler, err = newSampler(traces, o.metrics, o.journal); err != nil {
			return nil, errors.Join(err, o.Close())
		}
	}
	return o, nil
}

// Log is where the rest of the proxy writes what its hooks do not tell. Lines are dropped
// where the log's reader is slower than they come.
func (o *Observer) Log() *slog.Logger { return o.journal.log }

// SetReady says whether the listeners are open. A proxy that is not ready after it was is
// stopping.
func (o *Observer) SetReady(ready bool) { o.health.setReady(ready) }

// Configured tells which configuration is in force from now on, at the start and after each
// reload. What it no longer has is not shown any more, and what of Admin, Log and Traces can
// change while the proxy runs does: Log.Level, Log.Connections, Traces.Sample and
// Traces.Failures. It returns the settings that a restart is needed for.
func (o *Observer) Configured(c *config.Config) (later []string) {
	o.metrics.configured(c)
	o.health.configured(c)
	if err := o.journal.configured(c.Log); err != nil {
		later = append(later, "log.level")
	}
	if o.sampler != nil {
		o.sampler.configured(c.Traces)
	}
	for _, s := range []struct {
		name    string
		changed bool
	}{
		{"admin", c.Admin != o.admin},
		{"log.format", c.Log.Format != o.format},
		{"traces", c.Traces.Folder != o.traces.Folder || o.sampler == nil && c.Traces.Folder != "" && (c.Traces.Sample > 0 || c.Traces.Failures)},
	} {
		if s.changed {
			later = append(later, s.name)
		}
	}
	return later
}

// Hooks returns what to tell.
func (o *Observer) Hooks() event.Hooks {
	return event.Hooks{
		Accepted: o.accepted, Refused: o.refused, AcceptFailed: o.journal.acceptFailed, Handshaken: o.handshaken, Connected: o.connected, Closed: o.closed,
		RequestFailed: o.requestFailed,
		Health:        o.healthOf, Reloaded: o.reloaded, Certificate: o.certificate, Store: o.store,
	}
}

// note is what an Observer keeps of a connection, where its options ask for it.
type note struct {
	journal accepted   // what the line of the connection says
	spans   connection // what its span says
}

func (o *Observer) accepted(c *event.Connection) {
	o.metrics.accepted(c)
	if o.spans != nil || o.journal.connections.Load() {
		c.Note = new(note)
	}
}

func (o *Observer) refused(listener string, peer net.Addr, why event.Reason, err error) {
	o.metrics.refused(listener, why)
	o.journal.refused(listener, peer, why, err)
}

func (o *Observer) handshaken(c *event.Connection, h event.Handshake) {
	why := outcomeOf(h.Err)
	o.metrics.handshaken(h, why)
	if h.Err != nil {
		o.journal.failed(c, h, why)
	}
	if n, ok := c.Note.(*note); ok {
		n.journal.handshaken(h)
		n.spans.handshaken(h, why)
	}
	if o.sampler != nil {
		o.sampler.ended(c, h)
	}
}

func (o *Observer) requestFailed(c *event.Connection, r event.Request) {
	o.metrics.requestFailed(c.Listener, r.Status)
	o.journal.requestFailed(c, r)
}

func (o *Observer) connected(c *event.Connection, t event.Target) {
	o.metrics.connected(t)
	if t.Err != nil {
		o.journal.unreached(t)
	}
	if n, ok := c.Note.(*note); ok {
		n.spans.connected(t)
	}
}

func (o *Observer) closed(c *event.Connection, r event.Result) {
	o.metrics.closed(c, r)
	n, ok := c.Note.(*note)
	if !ok {
		return
	}
	c.Note = nil
	if o.journal.connections.Load() {
		o.journal.closed(c, r, &n.journal)
	}
	if o.spans != nil {
		o.spans.closed(c, r, &n.spans)
	}
}

func (o *Observer) healthOf(target, address string, up bool, why error) {
	o.metrics.health(target, address, up)
	if o.health.check(target, address, up) {
		o.journal.health(target, address, up, why)
	}
}

func (o *Observer) reloaded(err error) {
	o.metrics.reloaded(err)
	o.journal.reloaded(err)
}

func (o *Observer) certificate(c event.Certificate) {
	o.metrics.certificate(c)
	o.journal.certificate(c)
}

func (o *Observer) store(operation string, took time.Duration, err error) {
	o.metrics.stored(operation, took, err)
	if err != nil {
		o.journal.storeFailed(operation, err)
	}
}

// Close writes what waits to be written, and ends. It waits a few seconds at most, for a disk
// or a collector may hang.
func (o *Observer) Close() (err error) {
	o.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if o.sampler != nil {
			err = errors.Join(err, o.sampler.close(ctx))
		}
		if o.spans != nil {
			err = errors.Join(err, o.spans.close(ctx))
		}
		if l := o.socket.Load(); l != nil {
			(*l).Close() // where nobody served
		}
		err = errors.Join(err, o.journal.close(ctx))
	})
	return err
}

// waitFor waits for done, but no longer than ctx allows.
func waitFor(ctx context.Context, done <-chan struct{}, what string) error {
	select {
	case <-done:
		return nil
	default:
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s does not take what is written to it; some of it is lost", what)
	}
}
