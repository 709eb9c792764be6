package flags

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Target is where to connect to.
type Target struct {
	Host string // a name in ASCII or an IP address, without brackets
	Port string // a number
	// StartTLS is the protocol by which the server turns to TLS, where a URL says so;
	// "none" where TLS begins at once.
	StartTLS string
	// Path is that of a unix socket, which has no port; Host is then localhost.
	Path string
}

func (t Target) String() string {
	if t.Path != "" {
		return socketPrefix + t.Path
	}
	return net.JoinHostPort(t.Host, t.Port)
}

// socketPrefix begins a target that is a unix socket, and maxPath is the longest path of one
// that every system takes, in bytes.
const (
	socketPrefix = "unix:"
	maxPath      = 103
)

// parseSocket reads what follows unix: in a target.
func parseSocket(path string) (Target, error) {
	path = strings.TrimPrefix(path, "//") // as in a URL
	if path == "" || len(path) > maxPath || strings.ContainsRune(path, 0) {
		return Target{}, report.Usagef("unix:%.110s is not a unix socket; give a path of at most %d bytes, like unix:/run/server.sock", path, maxPath)
	}
	return Target{Host: "localhost", Path: path}, nil
}

// ParseTarget reads HOST[:PORT]; the port is 443 if it is missing, and may be the
// name of a service. unix:PATH is a unix socket. An IPv6 address may stand alone, and in brackets before a
// port. Of a URL it takes host and port, and how TLS begins. A name beyond ASCII becomes
// what DNS knows (RFC 5891).
func ParseTarget(s string) (Target, error) {
	if path, ok := strings.CutPrefix(s, socketPrefix); ok {
		return parseSocket(path)
	}
	at, of, err := withoutURL(s)
	if err != nil {
		return Target{}, err
	}
	t := Target{Host: at, Port: of.port, StartTLS: of.startTLS}
	if err := ambiguous(at); err != nil {
		return Target{}, err
	}
	if bare := withoutBrackets(at); isAddress(bare) {
		t.Host = bare
	} else if host, port, err := net.SplitHostPort(at); err == nil {
		t.Host, t.Port = host, port
	} else if strings.Contains(at, ":") {
		return Target{}, report.Usagef("%q is not HOST:PORT, like example.com:443 or [2001:db8::1]:443", s)
	}
	if t.Host == "" || strings.ContainsAny(t.Host, " /[]") {
		return Target{}, report.Usagef("%q is not a host; give HOST:PORT, like example.com:443", s)
	}
	port, ok := parsePort(t.Port)
	if !ok || port == 0 {
		return Target{}, report.Usagef("the port of %q is not a number from 1 to 65535, nor the name of a service", s)
	}
	t.Port = strconv.Itoa(port)
	t.Host, err = ALabels(t.Host)
	return t, err
}

// isAddress reports an IP address, with or without a zone.
func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

// withoutBrackets takes a pair of brackets off: one alone belongs to nothing.
func withoutBrackets(s string) string {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && strings.Contains(inner, ":") {
			return inner
		}
	}
	return s
}

// ambiguous refuses an IPv6 address without brackets whose last part may as well be
// a port: ::1:9001.
func ambiguous(at string) error {
	i := strings.LastIndexByte(at, ':')
	if i < 0 || !isAddress(at) || !isAddress(at[:i]) {
		return nil
	}
	if _, err := strconv.ParseUint(at[i+1:], 10, 16); err != nil {
		return nil
	}
	return report.Usagef("%s may be an address, or an address and a port; write [%[1]s] for the one, [%s]:%s for the other", at, at[:i], at[i+1:])
}

// parsePort reads a number from 0 to 65535, or the name of a service.
func parsePort(s string) (port int, ok bool) {
	if s == "" {
		return 0, false
	}
	port, err := net.LookupPort("tcp", s)
	return port, err == nil
}

// ALabels returns a name as DNS and certificates have it: "bücher.example" is
// xn--bcher-kva.example. What is ASCII stays as it is.
func ALabels(name string) (string, error) {
	if len(name) > 255 {
		return "", report.Usagef("the name %.20q… has %d bytes; 255 are possible", name, len(name))
	}
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return name, nil
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil {
		return "", report.Usagef("%q is not a name that DNS can have: %v", name, err)
	}
	return ascii, nil
}

// ParseListen reads the address of a server: ADDRESS:PORT, :PORT for every
// address, or a port alone, which is on the loopback interface. Port 0 is any
// free one.
func ParseListen(s string) (string, error) {
	at := s
	if _, ok := parsePort(s); ok {
		at = net.JoinHostPort("127.0.0.1", s)
	}
	host, port, err := net.SplitHostPort(at)
	n, ok := parsePort(port)
	if err != nil || !ok {
		return "", report.Usagef("--listen %q is not an address and a port, like 127.0.0.1:8443, :8443 or 8443", s)
	}
	return net.JoinHostPort(host, strconv.Itoa(n)), nil
}
