package httptls

import (
	"cmp"
	"context"
	"slices"
	"sync"
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
	spares []*clientConn // dialled, but not of the protocol that was guessed
}

// guess returns the protocol to try. The first request to a server that is not
// known gets a channel too, and finds out; it must call found. Others wait for
// that, so that they neither dial for nothing nor escape the limit on connections.
// If it found nothing they no longer wait for each other.
func (h *host) guess(ctx context.Context) (proto string, probe chan struct{}, err error) {
	h.mu.Lock()
	if h.speaks == "" && h.probe != nil {
		wait := h.probe
		h.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return "", nil, context.Cause(ctx)
		}
		h.mu.Lock()
	} else if h.speaks == "" {
		probe = make(chan struct{})
		h.probe = probe
	}
	defer h.mu.Unlock()
	return cmp.Or(h.speaks, protoHTTP1), probe, nil
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
