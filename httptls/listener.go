package httptls

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

var errCrowdedOut = errors.New("the handshake was the oldest of too many at the same time")

// timeoutError is something that took longer than its limit. It is a
// net.Error, and a context.DeadlineExceeded to errors.Is.
type timeoutError struct {
	what  string
	limit time.Duration
}

func (e *timeoutError) Error() string {
	return fmt.Sprintf("httptls: %s took longer than %v", e.what, e.limit)
}
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true } // net.Error asks for it
func (e *timeoutError) Unwrap() error   { return context.DeadlineExceeded }

// listener does the TLS handshake of each connection before Accept returns it,
// each on a goroutine of its own.
type listener struct {
	net.Listener
	config  *tls.Config
	timeout time.Duration
	report  func(Handshake)
	changed func(net.Conn, http.ConnState) // ConnState; nil: there is none

	errorLog *log.Logger

	start  sync.Once
	ctx    context.Context // done when closed
	cancel context.CancelCauseFunc
	ready  chan accepted

	places *places // the Server's
}

type accepted struct {
	conn net.Conn
	err  error
}

func (s *Server) newListener(inner net.Listener) *listener {
	l := &listener{
		Listener: inner, config: s.config,
		timeout: s.HandshakeTimeout, report: s.OnHandshake, changed: s.HTTP.ConnState,
		ready: make(chan accepted), places: &s.places,
	}
	if l.timeout <= 0 {
		l.timeout = defaultHandshakeTimeout
	}
	if l.errorLog = s.HTTP.ErrorLog; l.errorLog == nil {
		l.errorLog = log.Default()
	}
	if l.report == nil {
		l.report = logFailures(l.errorLog)
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	return l
}

// logFailures is what an OnHandshake of nil does. An error may hold what the
// peer sent, so it is quoted.
func logFailures(to *log.Logger) func(Handshake) {
	return func(h Handshake) {
		if h.Err != nil && !errors.Is(h.Err, errClosedEarly) { // an answer may be all that was wanted
			to.Printf("httptls: TLS handshake with %s failed: %q", h.Conn.RemoteAddr(), h.Err.Error())
		}
	}
}

// Accept returns the next connection whose handshake has completed.
func (l *listener) Accept() (net.Conn, error) {
	l.start.Do(func() { go l.acceptAll() })
	select {
	case a := <-l.ready:
		return a.conn, a.err
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close closes the listener and the connections that are not accepted yet.
func (l *listener) Close() error {
	l.cancel(net.ErrClosed)
	return l.Listener.Close()
}

// acceptAll starts a handshake for each connection. It waits out an error that
// passes (no more file descriptors); Accept's caller would not take finished
// handshakes meanwhile. Another error goes to that caller.
func (l *listener) acceptAll() {
	pause := shortestPause
	for l.ctx.Err() == nil {
		raw, err := l.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			l.cancel(net.ErrClosed)
		case passes(err):
			l.errorLog.Printf("httptls: Accept error: %v; retrying in %v", err, pause)
			l.sleep(pause)
			pause = min(2*pause, longestPause)
		case err != nil:
			l.deliver(accepted{err: err})
		default:
			pause = shortestPause
			// Counted in here, so that the order is that of arrival.
			ctx, end := l.deadline()
			p := l.places.take(func() { end(errCrowdedOut) })
			go l.handshake(ctx, end, p, raw)
		}
	}
}

// The pauses after errors of Accept, each twice the one before, are net/http's.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

// passes reports whether an error of Accept is worth another try.
func passes(err error) bool {
	var passing net.Error
	//lint:ignore SA1019 nothing else says it, and net/http asks so too
	return errors.As(err, &passing) && passing.Temporary()
}

// sleep ends early when l is closed.
func (l *listener) sleep(pause time.Duration) {
	select {
	case <-time.After(pause):
	case <-l.ctx.Done():
	}
}

// deliver reports whether somebody accepted a.
func (l *listener) deliver(a accepted) bool {
	select {
	case l.ready <- a:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// handshake runs until ctx is done, which end brings about.
func (l *listener) handshake(ctx context.Context, end context.CancelCauseFunc, p *place, raw net.Conn) {
	conn := tls.Server(raw, l.config)
	passedOn := false
	defer func() { // also where a callback ends the goroutine, by runtime.Goexit
		end(nil)
		if !passedOn {
			raw.Close()
			p.leave()
			l.tellState(conn, http.StateClosed) // else net/http does
		}
	}()
	if !l.tellState(conn, http.StateNew) {
		return
	}
	begun := time.Now()
	early, err := negotiate(ctx, conn)
	end(nil)
	mayLinger := false
	var waiting *unconfirmed
	switch {
	case err != nil:
		mayLinger = p.refuse(func() { raw.Close() })
	case early != nil:
		waiting = l.wait(early, p, begun)
	default:
		p.leave()
	}
	closing := l.ctx.Err() != nil
	if waiting == nil && (err == nil || !closing) {
		outcome := Handshake{Conn: conn, Duration: time.Since(begun), Err: err}
		if !l.guarded("OnHandshake", conn, func() { l.report(outcome) }) {
			return
		}
	}
	if err != nil {
		if mayLinger {
			refuse(raw, err)
		}
		return
	}
	c := newServerConn(conn, waiting)
	// Where the agreed protocol is not HTTP the handshake was the purpose, as it
	// is with "acme-tls/1" (RFC 8737).
	passedOn = isHTTP(c.state.NegotiatedProtocol) && l.deliver(accepted{conn: c.forNetHTTP()})
	if !passedOn {
		c.Close()
	}
}

// tellState calls ConnState, for a state in which net/http does not know conn.
func (l *listener) tellState(conn *tls.Conn, state http.ConnState) (ok bool) {
	return l.changed == nil || l.guarded("ConnState", conn, func() { l.changed(conn, state) })
}

// guarded calls a hook. It reports false if that panicked, which costs the
// connection and not the process, as a panic in a handler does.
func (l *listener) guarded(name string, conn *tls.Conn, hook func()) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			l.errorLog.Printf("httptls: panic in %s for %v: %v\n%s", name, conn.RemoteAddr(), p, debug.Stack())
		}
	}()
	hook()
	return true
}

// negotiate completes the handshake, but where there is early data, to be read first.
func negotiate(ctx context.Context, conn *tls.Conn) (early *tls.EarlyConn, err error) {
	// The configuration's callbacks run here. net/http lets a panic of theirs
	// end the connection, not the process; so must we.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the handshake: %v\n%s", p, debug.Stack())
		}
	}()
	early, err = conn.AcceptEarly(ctx)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		return nil, err
	}
	if early != nil { // its suites all suit
		return early, nil
	}
	return nil, suitsHTTP2(conn)
}

// deadline returns the context of a handshake, and what ends it.
func (l *listener) deadline() (context.Context, context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(l.ctx)
	ctx, stopTimer := context.WithTimeoutCause(ctx, l.timeout,
		&timeoutError{"the TLS handshake with a client", l.timeout})
	return ctx, func(cause error) {
		end(cause)
		stopTimer()
	}
}
