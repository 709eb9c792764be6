package scan

import (
	"context"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/wire"
)

// What no server has: a protocol that is not registered, and a name that cannot be (RFC 6761
// §6.4).
const (
	noProtocol = "vitrine-none"
	noName     = "vitrine-none.invalid"
)

// alpaca looks whether a server turns down what is meant for another one: a client that
// speaks an unknown protocol, or asks for an unknown name. CVE-2021-3618.
func (x *audit) alpaca(ctx context.Context) (bool, string) {
	if len(x.spoken) == 0 || x.spoken[0] == wire.SSL30 {
		return false, ""
	}
	h := x.modern()
	h.ALPN = []string{noProtocol}
	protocol := x.do(ctx, Probe{Name: "a protocol that nobody speaks", Hello: h, Until: Flight})
	h = x.modern()
	h.Name = noName
	name := x.do(ctx, Probe{Name: "a name that nobody has", Hello: h, Until: Flight})
	if protocol == nil || name == nil {
		return false, "the probe ended early"
	}
	x.set("unknown protocols (ALPN)", taken(protocol))
	x.set("unknown names (SNI)", taken(name))
	if unanswered(protocol) || unanswered(name) {
		return false, "no answer came"
	}
	if protocol.End != Reached || name.End != Reached {
		return false, ""
	}
	names := x.sharedNames()
	if names == "" {
		return false, ""
	}
	x.found("alpaca", name, "it serves a client with the protocol "+noProtocol+", and one that asks for "+noName+"; its certificate is for "+names)
	return true, ""
}

func taken(a *Answer) string {
	switch {
	case a.End == Reached:
		return "served"
	case unanswered(a):
		return notAnswered
	}
	return "refused: " + answerOf(a)
}

// sharedNames are those of a certificate that other servers may have too: several, or one
// with a star; empty for a certificate of one name.
func (x *audit) sharedNames() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, shown := range x.chains {
		certs, err := certcheck.Parse(shown.raw)
		if err != nil {
			continue
		}
		if names := strings.Join(certs[0].DNSNames, ", "); len(certs[0].DNSNames) > 1 || strings.Contains(names, "*") {
			return short(names)
		}
	}
	return ""
}
