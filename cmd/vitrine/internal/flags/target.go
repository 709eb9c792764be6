package flags

import (
	"net"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Target is where to connect to.
type Target struct {
	Host string // a name or an IP address, without brackets
	Port string
}

func (t Target) String() string { return net.JoinHostPort(t.Host, t.Port) }

// ParseTarget reads HOST[:PORT]; the port is 443 if it is missing. An IPv6
// address may stand alone, and in brackets before a port.
func ParseTarget(s string) (Target, error) {
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		rest, _, _ = strings.Cut(rest, "/")
		return Target{}, report.Usagef("%q is a URL; give %q without %s:// and path", s, rest, scheme)
	}
	t := Target{Host: s, Port: "443"}
	if bare := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"); net.ParseIP(bare) != nil {
		t.Host = bare
	} else if host, port, err := net.SplitHostPort(s); err == nil {
		t = Target{host, port}
	} else if strings.Contains(s, ":") {
		return Target{}, report.Usagef("%q is not HOST:PORT, like example.com:443 or [2001:db8::1]:443", s)
	}
	if t.Host == "" || strings.ContainsAny(t.Host, " /[]") {
		return Target{}, report.Usagef("%q has no host; give HOST:PORT, like example.com:443", s)
	}
	if n, err := strconv.Atoi(t.Port); err != nil || n < 1 || n > 65535 {
		return Target{}, report.Usagef("the port of %q is not a number from 1 to 65535", s)
	}
	return t, nil
}
