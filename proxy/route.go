package proxy

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
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
	return r.isFor(name)
}

// isFor reports whether the route is for a server name.
func (r *route) isFor(name string) bool {
	if r.names == nil || r.names[name] {
		return true
	}
	_, parent, found := strings.Cut(name, ".")
	return found && r.names["*."+parent]
}

// named reports whether a route that is opened here is for a server name, by whatever protocol.
func (d *door) named(name string) bool {
	return d.fallback != nil || slices.ContainsFunc(d.routes, func(r *route) bool { return !r.passthrough && r.isFor(name) })
}

var errNoRoute = errors.New("there is no other target")

// knowing ends the handshake of a client that asks for a name which no route has. The challenges of
// an ACME authority want no route. RFC 6066 §3.
func (d *door) knowing(own *tls.Config) {
	if d.named("") { // for every name
		return
	}
	next, public := own.GetConfigForClient, publicNames(own)
	own.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		name := strings.ToLower(info.ServerName)
		if name != "" && !d.named(name) && !public[name] && !slices.ContainsFunc(info.SupportedProtos, onlyHandshake) {
			return nil, &tls.HandshakeError{
				Alert: wire.AlertUnrecognizedName, Rule: fmt.Sprintf("no route is for the server name %q", name), Ref: "RFC 6066 §3",
				Hint: "add a route for it, or a target for all names", Err: errNoRoute,
			}
		}
		if next == nil {
			return nil, nil
		}
		return next(info)
	}
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

// passthrough is the first route that fits, if it passes TLS on unopened; nil otherwise. What shows the public name of
// our keys is answered here: nobody else can tell its client of them. RFC 9849 §7.1.
func (d *door) passthrough(h *hello) *route {
	if h == nil || h.here {
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
