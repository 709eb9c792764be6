package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Bounds of the operators' listener, so that somebody that is slow there holds nothing up.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 10 * time.Second
	answerTimeout  = 90 * time.Second // of a profile, which takes 60 s at most
	mostHeader     = 16 << 10
	mostOperators  = 64 // connections
	mostScrapes    = 4  // at once
)

// ListenAt has Serve use taken, which another process listened on at Admin.Listen; where it is
// nil, it is Listen. It returns what is listened on; nil for nothing.
func (o *Observer) ListenAt(taken net.Listener) (net.Listener, error) {
	if taken == nil {
		if err := o.Listen(); err != nil || o.admin.Listen == "" {
			return nil, err
		}
	} else {
		o.socket.Store(&taken)
	}
	return *o.socket.Load(), nil
}

// Listen opens the socket that Admin.Listen names, which Serve then uses. Without it Serve
// opens it. A program that gives up rights calls it before.
func (o *Observer) Listen() error {
	if o.admin.Listen == "" {
		return nil
	}
	l, err := listen(o.admin.Listen)
	if err != nil {
		return fmt.Errorf("admin.listen: %w", err)
	}
	o.socket.Store(&l)
	return nil
}

// Addr is where Serve answers; nil before Listen and Serve, and where it does not.
func (o *Observer) Addr() net.Addr {
	if l := o.socket.Load(); l != nil {
		return (*l).Addr()
	}
	return nil
}

// listen opens HOST:PORT or unix:PATH. A unix socket is for the process's user and group; one
// that a dead process has left is taken over.
func listen(where string) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(where, "unix:")
	if !isUnix {
		return net.Listen("tcp", where)
	}
	l, err := net.Listen("unix", path)
	if err != nil && stale(path) {
		if err = os.Remove(path); err == nil {
			l, err = net.Listen("unix", path)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// stale reports that path is a socket at which nobody listens.
func stale(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED) // not where its queue is full, or its mode keeps us out
}

// Serve answers operators until ctx ends. It returns nil then, and at once where there is no
// Admin.Listen; else why it cannot answer.
func (o *Observer) Serve(ctx context.Context) error {
	if o.admin.Listen == "" {
		return nil
	}
	if o.socket.Load() == nil {
		if err := o.Listen(); err != nil {
			return err
		}
	}
	l := *o.socket.Load()
	srv := &http.Server{
		Handler:           o.Handler(),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: answerTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: mostHeader,
		ErrorLog:       log.New(quiet{}, "", 0),
		BaseContext:    func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		srv.Close() // answers are short; a scrape that is cut is made again
	})
	err := srv.Serve(netutil.LimitListener(l, mostOperators))
	if !stop() {
		<-ended
		return nil
	}
	return fmt.Errorf("admin.listen: %w", errors.Join(err, srv.Close()))
}

// quiet is where the server's complaints about its clients go: an operator's browser that
// leaves is no news.
type quiet struct{}

func (quiet) Write(p []byte) (int, error) { return len(p), nil }

// Handler returns what Serve answers with: /metrics, /healthz, /readyz, and /debug/pprof/ if
// Admin.PProf asks for it. It is not for the public.
func (o *Observer) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "alive\n") })
	mux.HandleFunc("GET /readyz", o.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(prometheus.Gatherer(o.metrics.registry), promhttp.HandlerOpts{
		MaxRequestsInFlight: mostScrapes, Timeout: requestTimeout, ErrorHandling: promhttp.ContinueOnError,
	}))
	if o.admin.PProf {
		mux.HandleFunc("GET /debug/pprof/{profile...}", profile)
	}
	return mux
}

func (o *Observer) readyz(w http.ResponseWriter, _ *http.Request) {
	missing := o.health.missing()
	if len(missing) == 0 {
		say(w, http.StatusOK, "ready\n")
		return
	}
	say(w, http.StatusServiceUnavailable, "not ready:\n- "+strings.Join(missing, "\n- ")+"\n")
}

func say(w http.ResponseWriter, code int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text)) // the operator has left
}
