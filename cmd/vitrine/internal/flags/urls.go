package flags

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/starttls"
)

// A scheme is what a URL says of the port, and of how TLS begins there.
type scheme struct{ port, startTLS string }

// schemes are those of URLs beside those of package starttls: with TLS from the first byte.
var schemes = map[string]scheme{
	"https": {"443", none}, "wss": {"443", none}, "smtps": {"465", none}, "submissions": {"465", none}, "imaps": {"993", none},
	"pop3s": {"995", none}, "ftps": {"990", none}, "nntps": {"563", none}, "ldaps": {"636", none}, "ircs": {"6697", none},
	"submission": {"587", "smtp"}, "postgresql": {"5432", "postgres"}, "mariadb": {"3306", "mysql"},
}

// none says that TLS begins with the first byte.
const none = "none"

// schemeOf finds what a scheme says.
func schemeOf(name string) (scheme, bool) {
	if port := starttls.PortOf(name); port != 0 {
		return scheme{strconv.Itoa(port), name}, true
	}
	s, ok := schemes[name]
	return s, ok
}

// withoutURL leaves host and port of a URL, and of what lacks nothing but the scheme to
// be one, and says what the scheme does.
func withoutURL(s string) (at string, of scheme, err error) {
	name, _, ok := strings.Cut(s, "://")
	if !ok {
		at, _, _ := strings.Cut(s, "/")
		return at, scheme{port: "443"}, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", scheme{}, report.Usagef("%q is not a URL; give HOST:PORT, like example.com:443", s)
	}
	of, known := schemeOf(u.Scheme)
	if !known && u.Port() == "" {
		return "", scheme{}, report.Usagef("%s:// does not say which port speaks TLS; give HOST:PORT, like %s:443", name, u.Hostname())
	}
	return u.Host, of, nil
}

// startTLSNames are the values of --starttls.
func startTLSNames() []string { return slices.Concat(starttls.Protocols(), []string{none}) }
