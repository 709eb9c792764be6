package main

import (
	"net"
	"strconv"
	"strings"
)

// target is where to connect to.
type target struct {
	host string // a name or an IP address, without brackets
	port string
}

func (t target) String() string { return net.JoinHostPort(t.host, t.port) }

// parseTarget reads HOST[:PORT]; the port is 443 if it is missing. An IPv6
// address may stand alone, and in brackets before a port.
func parseTarget(s string) (target, error) {
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		rest, _, _ = strings.Cut(rest, "/")
		return target{}, usagef("%q is a URL; give %q without %s:// and path", s, rest, scheme)
	}
	t := target{host: s, port: "443"}
	if bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"); net.ParseIP(bare) != nil {
		t.host = bare
	} else if host, port, err := net.SplitHostPort(s); err == nil {
		t = target{host, port}
	} else if strings.Contains(s, ":") {
		return target{}, usagef("%q is not HOST:PORT, like example.com:443 or [2001:db8::1]:443", s)
	}
	if t.host == "" || strings.ContainsAny(t.host, " /[]") {
		return target{}, usagef("%q has no host; give HOST:PORT, like example.com:443", s)
	}
	if n, err := strconv.Atoi(t.port); err != nil || n < 1 || n > 65535 {
		return target{}, usagef("the port of %q is not a number from 1 to 65535", s)
	}
	return t, nil
}
