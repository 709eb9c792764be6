package diagnose

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/starttls"
)

// ProxyError says that a way through a proxy failed at the proxy: the server was not asked. A
// dialler that goes through one returns it, or wraps it.
type ProxyError struct {
	// Proxy is its address, HOST:PORT.
	Proxy string
	// Reached is set where the proxy took the connection, and then refused or broke it off.
	Reached bool
	Err     error
}

func (e *ProxyError) Error() string {
	why := e.Err
	if op, ok := errors.AsType[*net.OpError](why); ok {
		why = op.Err // the rest are the addresses of its sockets
	}
	if e.Reached {
		return fmt.Sprintf("the proxy %s does not lead to the server: %v", e.Proxy, why)
	}
	return fmt.Sprintf("the proxy %s cannot be reached: %v", e.Proxy, why)
}

func (e *ProxyError) Unwrap() error { return e.Err }

// beforeRules are for what fails before a byte of TLS: the proxy, the address family, STARTTLS.
var beforeRules = []rule{
	{id: "proxy-closed", fault: Middle, mend: "check the proxy's address, and that it runs; or leave the proxy out",
		match: throughProxy(false, "the proxy", "cannot be reached")},
	{id: "proxy-refused", fault: Middle, mend: "check that the proxy may connect to this server, and what its log says; or leave the proxy out",
		match: throughProxy(true, "the proxy", "does not lead to the server")},
	{id: "no-such-family", fault: Client, mend: "leave out the choice of IPv4 or IPv6, or give a name that has such an address", match: func(f *facts) *found {
		e, ok := errors.AsType[*net.AddrError](f.also.Err)
		if !(ok && strings.HasPrefix(e.Err, "no suitable address")) && !(f.also.Err == nil && f.says("has no address of the kind that was asked for")) {
			return nil
		}
		return is(Certain, "the server has no address of the kind that was asked for, IPv4 or IPv6")
	}},
	{id: "starttls-injected", fault: Middle, source: "RFC 3207 §6", mend: "do not trust this way to the server: what came would have counted as said under TLS",
		match: early(starttls.Injected, starttls.ErrInjected.Error())},
	{id: "starttls-not-offered", fault: Server, mend: "switch TLS on at the server, or connect to the port of TLS; if the server does offer it, somebody on the way removes the offer", match: early(starttls.NotOffered, "the server does not offer", "the server has no TLS")},
	{id: "starttls-refused", fault: Server, mend: "look into the server's log: it does not turn to TLS", match: early(starttls.Refused, "the server refuses")},
}

// throughProxy matches a failure at the proxy, or by its words in a saved account.
func throughProxy(reached bool, words ...string) func(*facts) *found {
	return func(f *facts) *found {
		e, ok := errors.AsType[*ProxyError](f.also.Err)
		switch {
		case ok && e.Reached == reached && (!reached || f.end != endSilent):
			return is(Certain, e.Error())
		case f.also.Err == nil && !slices.ContainsFunc(words, func(w string) bool { return !f.says(w) }):
			return is(Certain, f.c.Failure)
		}
		return nil
	}
}

// early matches a connection that did not turn to TLS, or the words of that in a saved account.
func early(kind starttls.Kind, words ...string) func(*facts) *found {
	return func(f *facts) *found {
		e, ok := errors.AsType[*starttls.Error](f.also.Err)
		switch {
		case ok && e.Kind == kind:
			found := is(Certain, e.Error())
			found.mend = byReply(e)
			found.evidence = f.answerShows(e)
			return found
		case f.also.Err == nil && f.says("starttls ") && f.says(words...):
			return is(Certain, f.c.Failure)
		}
		return nil
	}
}

// answerShows is what the server said before TLS.
func (f *facts) answerShows(e *starttls.Error) []Evidence {
	if e.Answer == "" {
		return nil
	}
	return []Evidence{{Says: fmt.Sprintf("to %q the server said %.200q", e.Asked, e.Answer), Event: -1}}
}

// replies are what to do by how a server's answer begins that refuses. RFC 3207 §4, RFC 5321 §4.2.2,
// RFC 4217 §12, RFC 4642 §2.2.2.
var replies = []struct{ begin, mend string }{
	{"454", "look into the server's log: it has STARTTLS, and cannot serve it now, mostly because its certificate or key cannot be read"},
	{"431", "look into the server's log: it has TLS, and cannot serve it now, mostly because its certificate or key cannot be read"},
	{"580", "look into the server's log: it has TLS, and cannot serve it now"},
	{"421", "wait, and try again: the server takes no more connections now, or none from this address"},
	{"554", "ask the server's administrator: it takes no mail from this address"},
	{"530", "log in first, or use the port where TLS begins at once: the server wants something before it turns to TLS"},
	{"500", "switch TLS on at the server, or use the port where TLS begins at once: the server does not know the command"},
	{"501", "switch TLS on at the server, or use the port where TLS begins at once: the server does not take the command"},
	{"502", "switch TLS on at the server, or use the port where TLS begins at once: the server does not have the command"},
	{"503", "use a connection of its own for TLS: the server does not take the command at this point"},
	{"504", "switch TLS on at the server, or use the port where TLS begins at once: the server does not have the command"},
}

// byReply is what to do by a server's reply; empty for what the rule says.
func byReply(e *starttls.Error) string {
	if e.Protocol == "postgres" && strings.Contains(e.Why, "unix socket") {
		return "connect by TCP: over a unix socket PostgreSQL has no TLS, and needs none"
	}
	if e.Kind != starttls.Refused {
		return ""
	}
	for _, r := range replies {
		if strings.HasPrefix(e.Answer, r.begin) {
			return r.mend
		}
	}
	return ""
}
