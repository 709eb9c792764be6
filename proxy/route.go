package proxy

import (
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// A route is where some connections of a listener go, and which clients may.
type route struct {
	names       map[string]bool // exact ones, and *.example.com as it stands; empty for all
	alpn        []string
	passthrough bool
	allow       *access.Policy // nil lets in all that the handshake has
	target      *target
}

func newRoute(c *config.Route, t *target, allow *access.Policy) *route {
	r := &route{alpn: c.ALPN, passthrough: c.Passthrough, allow: allow, target: t}
	if len(c.Names) > 0 {
		r.names = make(map[string]bool)
		for _, name := range c.Names {
			r.names[strings.ToLower(name)] = true
		}
	}
	return r
}

// fits reports whether the route is for a server name and for one of the protocols offered.
func (r *route) fits(name string, offered []string) bool {
	if len(r.alpn) > 0 && !slices.ContainsFunc(offered, func(p string) bool { return slices.Contains(r.alpn, p) }) {
		return false
	}
	if r.names == nil || r.names[name] {
		return true
	}
	_, parent, found := strings.Cut(name, ".")
	return found && r.names["*."+parent]
}

// admit returns what the client is known by, or why it may not come in.
func (r *route) admit(state tls.State, peer net.Addr) (identity string, err error) {
	if r.allow == nil {
		return "", nil
	}
	return r.allow.Allow(state, peer)
}

// route is the first that fits; nil for none.
func (d *door) route(name string, offered []string) *route {
	name = strings.ToLower(name)
	for _, r := range d.routes {
		if !r.passthrough && r.fits(name, offered) {
			return r
		}
	}
	return d.fallback
}

// passthrough is the first route that fits, if it passes TLS on unopened; nil otherwise.
func (d *door) passthrough(h *hello) *route {
	if h == nil {
		return nil
	}
	for _, r := range d.routes {
		if r.fits(h.name, h.alpn) {
			if r.passthrough {
				return r
			}
			return nil
		}
	}
	if d.tls == nil { // nothing is opened here
		return d.fallback
	}
	return nil
}
