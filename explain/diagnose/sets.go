package diagnose

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// Where two sets miss each other, the client's stands in its hello and the server's nowhere: what
// the server takes is asked for, one connection for each thing, as far as the trials reach.

// learned are the causes where that is worth the connections, with what is learned.
var learned = map[string]string{
	"no-common-version": aboutVersion, "no-common-suite": aboutSuite, "key-unfit": aboutSuite,
	"no-common-group": aboutGroup, "no-common-scheme": aboutScheme,
}

// learn finds out what the server takes of the thing that the two do not have in common.
func (t *trialist) learn(v *Verdict) {
	about := learned[v.Cause]
	if about == "" || t.hello == nil || len(v.Offers) != 1 || v.Offers[0].About != about || len(v.Offers[0].Server) > 1 {
		return
	}
	var server []string
	var last answer
	whole := false
	if about == aboutVersion {
		server, last, whole = t.learnVersions()
	} else if t.wide.got != nil && t.wide.got.Version != 0 {
		server, last, whole = t.learnSet(about, t.wide.got)
	}
	if len(server) == 0 {
		return
	}
	o := &v.Offers[0]
	o.Server, o.Partial = server, !whole
	o.Common = slices.DeleteFunc(slices.Clone(o.Client), func(name string) bool { return !slices.Contains(server, name) })
	if last.number > 0 {
		says := "the server takes " + few(server)
		if !whole {
			says += ", and perhaps more"
		}
		v.Evidence = append(v.Evidence, last.evidence(says))
	}
}

// learnVersions offers each version by itself, the newest first.
func (t *trialist) learnVersions() (names []string, last answer, whole bool) {
	for _, v := range []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30} {
		a, tried := t.versions[v]
		if !tried {
			if !t.may(1) {
				return names, last, false
			}
			a = t.offerVersion(v)
			last = a
		}
		if a.agreed {
			names = append(names, v.String())
		}
	}
	return names, last, true
}

// offerVersion sends a hello that offers one version.
func (t *trialist) offerVersion(v wire.Version) answer {
	offer := scan.Offer(v)
	offer.Suites = slices.DeleteFunc(slices.Clone(offer.Suites), preShared) // they say nothing of versions
	a := t.probe("a hello of "+v.String(), scan.Probe{Hello: offer}, "")
	if t.versions == nil {
		t.versions = map[wire.Version]answer{}
	}
	t.versions[v] = a
	return a
}

// learnSet offers all that there is of something, in the version that the server picks, but for what
// it has picked so far, until it takes none. first is the answer to a hello with everything in it.
func (t *trialist) learnSet(about string, first *scan.Answer) (names []string, last answer, whole bool) {
	c := &collected{about: about, version: first.Version}
	c.picks(first)
	for t.may(1) {
		h, some := c.next()
		if !some {
			return c.names, last, true
		}
		asks := "every " + about + " in " + c.version.String()
		if len(c.names) > 0 {
			asks += " but " + few(c.names)
		}
		a := t.probe(asks, scan.Probe{Hello: h, Until: c.until()}, "")
		if !a.agreed || !c.picks(a.got) {
			return c.names, last, a.end == scan.Alerted || a.end == scan.Closed
		}
		last = a
	}
	return c.names, last, false
}

// collected is what a server has picked so far.
type collected struct {
	about   string
	version wire.Version
	names   []string
	suites  []wire.CipherSuite
	groups  []wire.NamedGroup
	schemes []wire.SignatureScheme
}

// picks notes what an answer has, and reports that it is new.
func (c *collected) picks(a *scan.Answer) bool {
	had := len(c.names)
	switch {
	case a.Version != c.version:
	case c.about == aboutSuite:
		if add(&c.suites, a.Suite) {
			c.names = append(c.names, scan.SuiteName(a.Suite))
		}
	case c.about == aboutGroup:
		if add(&c.groups, a.Group) {
			c.names = append(c.names, scan.GroupName(a.Group))
		}
	default:
		if add(&c.schemes, a.Scheme) {
			c.names = append(c.names, a.Scheme.String())
		}
	}
	return len(c.names) > had
}

// add appends a value that is one, and not there yet.
func add[T wire.CipherSuite | wire.NamedGroup | wire.SignatureScheme](list *[]T, v T) bool {
	if v == 0 || slices.Contains(*list, v) {
		return false
	}
	*list = append(*list, v)
	return true
}

// next is a hello without what was picked; false where nothing is left to offer.
func (c *collected) next() (h scan.Hello, some bool) {
	suites := slices.DeleteFunc(scan.Suites(c.version), uncertified)
	if c.about != aboutSuite && c.version < wire.TLS13 { // the server signs, in a group, only what is ephemeral
		suites = slices.DeleteFunc(suites, func(id wire.CipherSuite) bool {
			s := suite.ByID(id)
			return s == nil || !(s.KeyExchange == wire.KeyExchangeECDHE || s.KeyExchange == wire.KeyExchangeDHE && c.about == aboutScheme)
		})
	}
	h = scan.Offer(c.version, suites...)
	switch c.about {
	case aboutSuite:
		h.Suites = slices.DeleteFunc(h.Suites, func(id wire.CipherSuite) bool { return slices.Contains(c.suites, id) })
		return h, len(h.Suites) > 0
	case aboutGroup:
		h.Groups = slices.DeleteFunc(scan.Groups(), func(g wire.NamedGroup) bool {
			return slices.Contains(c.groups, g) || c.version < wire.TLS13 && hybrid(g)
		})
		h.Shares = nil // a HelloRetryRequest says which group it takes
		return h, len(h.Groups) > 0
	}
	h.Schemes = slices.DeleteFunc(h.Schemes, func(s wire.SignatureScheme) bool { return slices.Contains(c.schemes, s) })
	return h, len(h.Schemes) > 0
}

// until is how far a handshake has to go for the server to say it.
func (c *collected) until() scan.Stage {
	if c.about == aboutScheme || c.about == aboutGroup && c.version < wire.TLS13 {
		return scan.Flight
	}
	return scan.Greeting
}
