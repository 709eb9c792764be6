package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// body is that of a request. It ends when its client brings nothing for too long, or too little, and ends the
// request when the service takes nothing for too long.
type body struct {
	io.ReadCloser
	in       *http.Request
	control  *http.ResponseController
	idle     time.Duration
	trailer  http.Header // of the request that is sent on
	patience time.Duration
	cancel   context.CancelFunc // of the request

	mu       sync.Mutex
	err      error
	over     bool // the handler has returned: the connection may serve another request
	through  bool // it was read up to its end
	answered bool // the service has begun its answer
	pace     pace
	timer    *time.Timer // runs while the client is waited for, and while the service has something to take
	due      time.Time   // when the service has taken nothing for too long
}

// errClientBody is in the chain of an error of the client's.
var errClientBody = errors.New("the client's body cannot be read")

// errStalled is why a request ends that its service does not take.
var errStalled = fmt.Errorf("the service takes nothing of the request: %w", os.ErrDeadlineExceeded)

func newBody(r *http.Request, control *http.ResponseController, idle, patience time.Duration, pace pace, cancel context.CancelFunc) *body {
	b := &body{ReadCloser: r.Body, in: r, control: control, idle: idle, patience: patience, pace: pace, cancel: cancel}
	b.timer = time.AfterFunc(patience, b.look)
	b.timer.Stop()
	return b
}

// look sees whom the request has waited for, and whether that was too long.
func (b *body) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	switch {
	case b.over || b.through && b.answered:
	case !b.pace.since.IsZero():
		b.hurry(now)
	case now.Before(b.due): // it was set anew while this began
		b.timer.Reset(b.due.Sub(now))
	default:
		b.stall()
	}
}

// hurry ends the read of a client that is too slow. Once the service has begun its answer the two may talk with
// pauses: then it is for the service to judge.
func (b *body) hurry(now time.Time) {
	is, again := b.pace.tooSlow(now)
	if !is || b.answered {
		b.timer.Reset(max(again, lookAgain))
		return
	}
	if b.err == nil {
		b.err = errSlow
	}
	b.control.SetReadDeadline(time.Unix(1, 0))
}

// stall ends the request. Neither the client's leaving nor a limit of the transport would: both
// look only once the request is sent.
func (b *body) stall() {
	if b.err == nil {
		b.err = errStalled
	}
	b.cancel()
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.await(); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return n, err
	}
	now := time.Now()
	b.pace.came(n, now)
	if b.err == errSlow && (err == nil || err == io.EOF) { // it came just in time
		b.err = nil
	}
	switch {
	case err == nil:
		b.waitForService(now, b.patience)
	case err == io.EOF: // from here on net/http reads ahead, which has no limit
		b.control.SetReadDeadline(time.Time{})
		for name := range b.trailer {
			b.trailer[name] = b.in.Trailer[name]
		}
		if b.through = true; !b.answered {
			b.waitForService(now, 2*b.patience) // to take the last of it, and to begin an answer
		}
	case !errors.Is(err, http.ErrBodyReadAfterClose):
		b.timer.Stop()
		err = errors.Join(errClientBody, err)
		if b.err == nil {
			b.err = err
		}
		if errors.Is(b.err, errSlow) {
			err = b.err
		}
	}
	return n, err
}

func (b *body) waitForService(now time.Time, time time.Duration) {
	b.due = now.Add(time)
	b.timer.Reset(time)
}

// await begins the wait for the client.
func (b *body) await() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return http.ErrBodyReadAfterClose
	}
	now := time.Now()
	b.pace.wait(now)
	b.timer.Reset(b.pace.credit)
	b.control.SetReadDeadline(now.Add(b.idle)) // where the connection has none, it has no limit either
	return nil
}

// answer notes that the service has begun its answer, which may take as long as it likes.
func (b *body) answer() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answered = true; b.through {
		b.timer.Stop()
	}
}

// end says that the handler has returned. A transport may read on for a moment: it must not
// touch the deadline of the connection, which may serve the next request.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.timer.Stop()
}

func (b *body) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
