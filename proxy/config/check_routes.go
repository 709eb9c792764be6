package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

func (k *checker) routes(path string, l *Listener) {
	through := 0
	for i := range l.Routes {
		if l.Routes[i].Passthrough {
			through++
		}
		k.route(fmt.Sprintf("%s.routes[%d]", path, i), l, &l.Routes[i])
	}
	if through > 0 && through < len(l.Routes) && l.TLS == nil {
		k.wrong(path+".routes", "some routes pass TLS on unopened and others need it ended here, where there is no certificate; add tls, or passthrough: true to each route")
	}
	k.reach(path, l)
}

func (k *checker) route(path string, l *Listener, r *Route) {
	for i, name := range r.Names {
		if why := wrongName(name); why != "" {
			k.wrong(fmt.Sprintf("%s.names[%d]", path, i), "%q is not a name for a route: %s", name, why)
		}
	}
	clear := l.TLS == nil && !r.Passthrough
	switch {
	case clear && len(r.ALPN) > 0:
		k.wrong(path+".alpn", "in the clear no client offers protocols; add tls to the listener, or leave alpn out")
	case clear && len(r.Names) > 0 && l.Mode != ModeHTTP:
		k.wrong(path+".names", "in the clear no client says which name it means; add tls to the listener, or passthrough: true to the route")
	}
	k.protocols(path+".alpn", r.ALPN)
	if !r.Passthrough && l.TLS != nil && l.Mode != ModeHTTP {
		for i, protocol := range r.ALPN {
			if !slices.Contains(l.TLS.ALPN, protocol) {
				k.wrong(fmt.Sprintf("%s.alpn[%d]", path, i), "the listener does not agree to %q, so no client would speak it; add it to alpn of tls", protocol)
			}
		}
	}
	switch {
	case r.Passthrough && l.Mode == ModeHTTP:
		k.wrong(path+".passthrough", "requests inside TLS cannot be read unopened; leave passthrough out, or mode: http")
	case r.Passthrough && len(r.Allow) > 0:
		k.wrong(path+".allow", "what is passed through unopened does not show who the client is; leave allow out, or passthrough")
	default:
		k.allow(path+".allow", l, r.Allow)
	}
	if r.Passthrough && len(l.Allow) > 0 && len(r.Allow) == 0 {
		k.wrong(path+".passthrough", "the listener's allow cannot be applied to what is passed through unopened; put allow into the other routes, or leave passthrough out")
	}
	if r.Target == "" {
		k.wrong(path+".target", "the route goes nowhere; name a target")
	}
	k.target(path+".target", l, r.Target, r.Passthrough)
}

// reach finds routes that never decide.
func (k *checker) reach(path string, l *Listener) {
	seen := map[string]int{}
	for i, r := range l.Routes {
		at := fmt.Sprintf("%s.routes[%d]", path, i)
		if all := slices.IndexFunc(l.Routes[:i], func(r Route) bool { return len(r.Names) == 0 && len(r.ALPN) == 0 }); all >= 0 {
			k.wrong(at, "no connection reaches this route, as routes[%d] fits all; move that one to the end", all)
			continue
		}
		for j, name := range r.Names {
			name = strings.ToLower(name)
			before, twice := seen[name]
			_, parent, _ := strings.Cut(name, ".")
			wild, covered := seen["*."+parent]
			switch at := fmt.Sprintf("%s.names[%d]", at, j); {
			case twice:
				k.wrong(at, "%q is in routes[%d] already, which decides; leave it out here or there", name, before)
			case covered:
				k.wrong(at, "%q is covered by the wildcard of routes[%d], which decides; move this route before it", name, wild)
			case len(r.ALPN) == 0:
				seen[name] = i
			}
		}
	}
	if n := len(l.Routes); n > 0 && l.Target != "" && len(l.Routes[n-1].Names) == 0 && len(l.Routes[n-1].ALPN) == 0 {
		k.wrong(path+".target", "no connection reaches the listener's target, as the last route fits all; leave out one of the two")
	}
}

var label = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)

// wrongName says why a name is none for a route, and what to do; empty for a good one.
func wrongName(name string) string {
	host := strings.TrimPrefix(name, "*.")
	_, err := netip.ParseAddr(host)
	switch {
	case strings.Contains(host, "*"):
		return "a star stands for one whole label in front; write it like *.example.com"
	case host != name && !strings.Contains(host, "."):
		return "a star before a name of one label would cover a whole domain of others; name them one by one"
	case err == nil:
		return "clients send no name for an address; leave it out, or use a route without names"
	case strings.HasSuffix(name, "."):
		return "clients send names without a dot at the end; leave it out"
	case strings.ContainsAny(name, ":/"):
		return "it has a port or is a URL; give the host alone"
	case len(host) > 253 || slices.ContainsFunc(strings.Split(host, "."), func(s string) bool { return !label.MatchString(s) }):
		return "it has characters that names of hosts have not, or is too long; write it in letters, digits, dots and hyphens, others in punycode (xn--)"
	}
	return ""
}

// protocols looks at a list for ALPN. RFC 7301 §3.1.
func (k *checker) protocols(path string, list []string) {
	for i, name := range list {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case name == "":
			k.wrong(at, "the name is empty; leave it out")
		case len(name) > 255:
			k.wrong(at, "the name has %d bytes; give one of at most 255", len(name))
		case slices.Contains(list[:i], name):
			k.wrong(at, "%q is in the list twice; leave one out", name)
		}
	}
}
