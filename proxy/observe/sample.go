package observe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/internal/witness"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/tracefile/folder"
	"github.com/vitrine-tls/vitrine/tracefile/redact"
)

// mostRunning is how many handshakes are listened to at once; others are not traced.
const mostRunning = 256

// A sampler keeps traces of some handshakes, without secrets, and with stand-ins for what a
// peer could be known by.
type sampler struct {
	share    atomic.Uint64 // of handshakes that are kept, of 1<<32
	failures atomic.Bool   // keep those that fail

	running sync.Map // *trace.Hooks of a handshake: its *sample
	count   atomic.Int64
	seed    maphash.Seed // of what stands for a network in the names of files

	in         *folder.Folder // of write alone
	waiting    *witness.Queue[*sample]
	done       func() <-chan struct{} // stops waiting
	kept, lost prometheus.Counter
	journal    *journal
}

// sample is a handshake that is listened to.
type sample struct {
	collector *explain.Collector
	chosen    bool // to be kept, failed or not
	at        time.Time
	id        uint64
	network   string
	err       error
}

func newSampler(c config.Traces, m *metrics, j *journal) (*sampler, error) {
	in, err := folder.Open(c.Folder, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("traces.folder: %w", err)
	}
	s := &sampler{
		in: in, kept: m.tracesKept, lost: m.tracesLost, journal: j, seed: maphash.MakeSeed(),
	}
	s.configured(c)
	s.waiting = witness.NewQueue(s.write)
	s.done = sync.OnceValue(s.waiting.Stop)
	return s, nil
}

func (s *sampler) configured(c config.Traces) {
	s.share.Store(uint64(min(1, max(0, c.Sample)) * (1 << 32)))
	s.failures.Store(c.Failures)
}

// Trace lets handshakes with own be traced where Traces asks for it. Call it before own is
// used. Connections with own must be told to Hooks.Handshaken.
func (o *Observer) Trace(own *tls.Config) {
	if o.sampler != nil {
		own.Trace = &trace.Hooks{Connection: o.sampler.begin}
	}
}

// begin decides whether a handshake is listened to, and listens.
func (s *sampler) begin() *trace.Hooks {
	chosen := uint64(mathrand.Uint32()) < s.share.Load()
	if !chosen && !s.failures.Load() {
		return nil
	}
	if s.count.Add(1) > mostRunning {
		s.count.Add(-1)
		s.lost.Inc()
		return nil
	}
	collector, hooks := witness.Listen()
	one := &sample{collector: collector, chosen: chosen, at: time.Now()}
	s.running.Store(hooks, one)
	return hooks
}

// ended takes note of a handshake that has ended. From now on the connection costs nothing
// more. Nothing is written here.
func (s *sampler) ended(c *event.Connection, h event.Handshake) {
	if h.Conn == nil {
		return
	}
	hooks := h.Conn.Hooks()
	if hooks == nil {
		return
	}
	found, ok := s.running.LoadAndDelete(hooks)
	if !ok {
		return
	}
	s.count.Add(-1)
	one := found.(*sample)
	if h.Err == nil {
		*hooks = trace.Hooks{}
		if !one.chosen {
			return
		}
	}
	one.id, one.network, one.err = c.ID, networkOf(c.Peer), h.Err
	if !s.waiting.Put(one) {
		s.lost.Inc()
	}
}

func (s *sampler) write(one *sample) {
	text, err := one.text()
	if err == nil && text == nil {
		return // nothing was said in the connection
	}
	var name string
	if err == nil {
		// A name would give the peer's address away: what stands for its network is of this
		// process alone.
		name, err = s.in.Add(one.at, fmt.Sprintf("%016x:%d", maphash.String(s.seed, one.network), one.id), text)
	}
	if err != nil {
		s.lost.Inc()
		if s.journal.again.first(s.journal.now(), "a trace cannot be kept", "") {
			s.journal.log.Warn("a trace cannot be kept", slog.String("failure", plain(err)))
		}
		return
	}
	s.kept.Inc()
	about := []any{slog.Uint64("connection", one.id), slog.String("file", name)}
	if one.err != nil {
		v := diagnose.Account(one.collector.Connection(explain.About{Err: one.err}), diagnose.Also{Err: one.err})
		about = append(about, slog.String("cause", v.Cause), slog.String("confidence", string(v.Confidence)))
	}
	s.journal.log.Info("trace of a handshake", about...)
}

// text is the trace with stand-ins; nil where nothing was said.
func (one *sample) text() ([]byte, error) {
	about := explain.About{}
	if one.err != nil {
		w := wordsFor(one.err)
		about.Err, about.Advice = errors.New(w.failure), w.advice
	}
	var plain, shown bytes.Buffer
	if err := one.collector.Save(tracefile.NewWriter(&plain, false), about); err != nil {
		return nil, err
	}
	if bytes.Count(plain.Bytes(), []byte("\n")) < 2 { // the header alone
		return nil, nil
	}
	if err := redact.New().Copy(&shown, &plain); err != nil {
		return nil, err
	}
	return shown.Bytes(), nil
}

func (s *sampler) close(ctx context.Context) error {
	return waitFor(ctx, s.done(), "the folder of traces")
}
