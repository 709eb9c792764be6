package httptls

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxHosts bounds the hosts that a Transport remembers. To ask one anew costs a
// few requests some time, and no handshake.
const maxHosts = 1024

// hostKey names a host: the proxy's URL, and host and port as in the request's URL.
type hostKey struct{ proxy, addr string }

// host is what a Transport knows of a server.
type host struct {
	mu     sync.Mutex
	speaks string        // the protocol that it chose last; empty: not known
	probe  chan struct{} // not nil while a request finds out; then closed
	begun  time.Time     // when probe did
	spares []*clientConn // dialled, but not of the protocol that was guessed
}

// patience is how old a probe may be for others to wait for it: one whose dial hangs
// must not hold all requests to its host. A usual handshake takes less.
const patience = 300 * time.Millisecond

var errRequestCanceled = errors.New("httptls: the request was canceled")

// guess returns the protocol to try with r. The first request to a server that is not
// known gets a channel too, and finds out; it must call found. Others wait for
// that, so that they neither dial for nothing nor, where connections are limited,
// escape the limit; where they are not, only while the probe is younger than patience.
// If it found nothing they no longer wait for each other.
func (h *host) guess(r *http.Request, limited bool) (proto string, probe chan struct{}, err error) {
	h.mu.Lock()
	if h.probe != nil && h.speaks != protoHTTP1 { // that it is HTTP/2 is known before the connection can be shared
		wait, age := h.probe, time.Since(h.begun)
		h.mu.Unlock()
		if err := waitFor(r, wait, age, limited); err != nil {
			return "", nil, err
		}
		h.mu.Lock()
	} else if h.speaks == "" {
		probe = make(chan struct{})
		h.probe, h.begun = probe, time.Now()
	}
	defer h.mu.Unlock()
	return cmp.Or(h.speaks, protoHTTP1), probe, nil
}

// waitFor waits until r need not wait for a probe of this age any more. An error is
// that r ended first.
func waitFor(r *http.Request, probe <-chan struct{}, age time.Duration, limited bool) error {
	var late <-chan time.Time // nil: never
	if !limited {
		timer := time.NewTimer(patience - age)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-probe:
	case <-late:
	case <-r.Context().Done():
		return context.Cause(r.Context())
	case <-r.Cancel: //lint:ignore SA1019 net/http still heeds it
		return errRequestCanceled
	}
	return nil
}

// found ends the wait of the requests that wait for this probe; nil is none.
func (h *host) found(probe chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if probe != nil && h.probe == probe {
		h.probe = nil
		close(probe)
	}
}

func (h *host) learn(proto string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.speaks = proto
}

// speaksOther reports whether the host is known to speak another protocol.
func (h *host) speaksOther(proto string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.speaks != "" && h.speaks != proto
}

func (h *host) addSpare(c *clientConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.spares = append(h.spares, c)
}

// takeSpare returns a spare connection of this protocol; nil: there is none.
func (h *host) takeSpare(proto string) *clientConn {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.spares, func(c *clientConn) bool { return c.proto() == proto })
	if i < 0 {
		return nil
	}
	c := h.spares[i]
	h.spares = slices.Delete(h.spares, i, i+1)
	return c
}

// removeSpare reports whether c was still there.
func (h *host) removeSpare(c *clientConn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.spares, c)
	if i >= 0 {
		h.spares = slices.Delete(h.spares, i, i+1)
	}
	return i >= 0
}
