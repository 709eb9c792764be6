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

// body is that of a request. It ends when its client brings nothing for too long, and ends the
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
	over     bool        // the handler has returned: the connection may serve another request
	through  bool        // it was read up to its end
	answered bool        // the service has begun its answer
	stalled  *time.Timer // runs while the service has something to take
}

// errClientBody is in the chain of an error of the client's.
var errClientBody = errors.New("the client's body cannot be read")

// errStalled is why a request ends that its service does not take.
var errStalled = fmt.Errorf("the service takes nothing of the request: %w", os.ErrDeadlineExceeded)

func newBody(r *http.Request, control *http.ResponseController, idle, patience time.Duration, cancel context.CancelFunc) *body {
	b := &body{ReadCloser: r.Body, in: r, control: control, idle: idle, patience: patience, cancel: cancel}
	b.stalled = time.AfterFunc(patience, b.stall)
	b.stalled.Stop()
	return b
}

// stall ends the request. Neither the client's leaving nor a limit of the transport would: both
// look only once the request is sent.
func (b *body) stall() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.through && b.answered {
		return
	}
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
	switch {
	case err == nil:
		b.stalled.Reset(b.patience)
	case err == io.EOF: // from here on net/http reads ahead, which has no limit
		b.control.SetReadDeadline(time.Time{})
		for name := range b.trailer {
			b.trailer[name] = b.in.Trailer[name]
		}
		if b.through = true; !b.answered {
			b.stalled.Reset(2 * b.patience) // to take the last of it, and to begin an answer
		}
	case !errors.Is(err, http.ErrBodyReadAfterClose):
		err = errors.Join(errClientBody, err)
		if b.err == nil {
			b.err = err
		}
	}
	return n, err
}

// await begins the wait for the client.
func (b *body) await() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return http.ErrBodyReadAfterClose
	}
	b.stalled.Stop()
	b.control.SetReadDeadline(time.Now().Add(b.idle)) // where the connection has none, it has no limit either
	return nil
}

// answer notes that the service has begun its answer, which may take as long as it likes.
func (b *body) answer() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answered = true; b.through {
		b.stalled.Stop()
	}
}

// end says that the handler has returned. A transport may read on for a moment: it must not
// touch the deadline of the connection, which may serve the next request.
func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.stalled.Stop()
}

func (b *body) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
