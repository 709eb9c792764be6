package observe

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	// window is how often what repeats itself is said again.
	window = time.Minute
	// mostRemembered bounds the causes and networks that are told apart. What comes beyond is
	// counted by its cause alone.
	mostRemembered = 2048
	mostCauses     = 256 // of those
)

// A repeated thing is one cause that comes from one network.
type repeated struct{ cause, network string }

// repeats tells what is new from what was said a short time ago.
type repeats struct {
	mu     sync.Mutex
	seen   map[repeated]*times
	causes int           // of the entries without a network
	begun  chan struct{} // has one where something is remembered and nothing was; nil tells nobody
}

type times struct {
	since time.Time
	more  int
}

// more is how often something came again after it was said.
type more struct {
	repeated
	count int
}

// first reports that this is to be said now. If not, it is counted.
func (r *repeats) first(now time.Time, cause, network string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen = map[repeated]*times{}
	}
	key := repeated{cause, network}
	t := r.seen[key]
	if t == nil && len(r.seen)-r.causes >= mostRemembered {
		key.network = ""
		if t = r.seen[key]; t == nil && r.causes >= mostCauses {
			key.cause = ""
			t = r.seen[key]
		}
	}
	if t != nil {
		t.more++
		return false
	}
	if len(r.seen) == 0 {
		select {
		case r.begun <- struct{}{}:
		default: // it has one
		}
	}
	r.seen[key] = &times{since: now}
	if key.network == "" {
		r.causes++
	}
	return true
}

// none reports that nothing is remembered.
func (r *repeats) none() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.seen) == 0
}

// due returns what came again in the windows that have ended, and forgets what did not. all
// ends every window.
func (r *repeats) due(now time.Time, all bool) (found []more) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, t := range r.seen {
		switch {
		case !all && now.Sub(t.since) < window:
		case t.more > 0:
			found = append(found, more{key, t.more})
			t.since, t.more = now, 0
		default:
			delete(r.seen, key)
			if key.network == "" {
				r.causes--
			}
		}
	}
	return found
}

// networkOf is what counts as one peer, as the limits have it: an IPv4 address or an IPv6
// /64; the kind of network where the peer has no address.
func networkOf(peer net.Addr) string {
	if peer == nil {
		return "unknown"
	}
	var at netip.AddrPort
	if a, ok := peer.(*net.TCPAddr); ok {
		at = a.AddrPort()
	} else if at, _ = netip.ParseAddrPort(peer.String()); !at.IsValid() {
		return peer.Network()
	}
	ip := at.Addr().Unmap().WithZone("")
	if ip.Is6() {
		return netip.PrefixFrom(ip, 64).Masked().String()
	}
	return ip.String()
}
