package serve

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/witness"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/tracefile/folder"
	"github.com/vitrine-tls/vitrine/wire"
)

// failures keep an account of each handshake that fails, as a trace without secrets.
type failures struct {
	log     *slog.Logger
	folder  *folder.Folder
	running sync.Map // *trace.Hooks of a handshake: its *explain.Collector
	waiting *witness.Queue[failure]
	lost    atomic.Int64 // that found no room in waiting
}

// failure is a handshake that failed.
type failure struct {
	collector *explain.Collector
	about     explain.About
	at        time.Time
	peer      string
	err       error
}

// cause is why the handshake failed, and how sure that is.
func (f *failure) cause() string {
	v := diagnose.Account(f.collector.Connection(f.about), diagnose.Also{Err: f.err})
	return v.Cause + ", " + string(v.Confidence)
}

// keepFailures lets the server leave an account of each failed handshake in folder. stop
// waits until all are written.
func keepFailures(in *folder.Folder, log *slog.Logger, srv *httptls.Server) (stop func()) {
	f := &failures{log: log, folder: in}
	f.waiting = witness.NewQueue(f.write)
	srv.TLS.Trace = f.hooks()
	then := srv.OnHandshake
	srv.OnHandshake = func(h httptls.Handshake) {
		f.ended(h)
		then(h)
	}
	return func() { <-f.waiting.Stop() }
}

// hooks are those of the server: each connection has a collector of its own.
func (f *failures) hooks() *trace.Hooks {
	return &trace.Hooks{Connection: func() *trace.Hooks {
		collector, hooks := witness.Listen()
		f.running.Store(hooks, collector)
		return hooks
	}}
}

// ended takes note of a handshake that has ended. A good one costs nothing from now on.
// Nothing is written here.
func (f *failures) ended(h httptls.Handshake) {
	hooks := h.Conn.Hooks()
	found, ok := f.running.LoadAndDelete(hooks)
	if !ok {
		return
	}
	if h.Err == nil {
		*hooks = trace.Hooks{}
		return
	}
	d := report.Describe(h.Err, wire.Server, nil)
	peer := h.Conn.RemoteAddr().String()
	about := explain.About{Target: peer, Err: errors.New(d.Text), Advice: d.Advice}
	if !f.waiting.Put(failure{found.(*explain.Collector), about, time.Now(), peer, h.Err}) {
		f.lost.Add(1)
	}
}

func (f *failures) write(one failure) {
	name, err := add(f.folder, one)
	peer := slog.String("peer", one.peer)
	switch {
	case err != nil:
		f.log.Warn("no account of a failed handshake", peer, slog.String("failure", err.Error()))
	case name != "":
		f.log.Info("account of a failed handshake", peer, slog.String("file", name), slog.String("cause", one.cause()))
	}
	if n := f.lost.Swap(0); n > 0 {
		f.log.Warn("accounts of failed handshakes were not kept: too many came at once", slog.Int64("count", n))
	}
}

// add writes a failure, and returns the name of its file; empty where nothing was said in
// the connection.
func add(to *folder.Folder, f failure) (string, error) {
	var out bytes.Buffer
	if err := f.collector.Save(tracefile.NewWriter(&out, false), f.about); err != nil {
		return "", err
	}
	if bytes.Count(out.Bytes(), []byte("\n")) < 2 { // the header alone
		return "", nil
	}
	return to.Add(f.at, f.peer, out.Bytes())
}
