package scan

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// judge looks at all that was found.
func (x *audit) judge(ctx context.Context) {
	x.settle()
	x.judgeVersions()
	x.judgeSuites()
	x.judgeGroups()
	x.judgeChains(ctx)
	if a := x.classic; a != nil && a.Version > wire.SSL30 {
		yes := func(has bool) string {
			if has {
				return "yes"
			}
			return "no"
		}
		ems := a.Has(wire.ExtExtendedMasterSecret)
		x.r.Features = append(x.r.Features, Feature{"extended master secret", yes(ems)})
		if !ems {
			x.r.found("no-ems", a, "asked for extended_master_secret, its ServerHello has none")
		}
		if !x.onlyAEAD() {
			x.r.Features = append(x.r.Features, Feature{"encrypt-then-MAC", yes(x.encryptsFirst)})
		}
	}
	stapled := slices.ContainsFunc(x.chains, func(c *shownChain) bool { return len(c.staple) > 0 })
	x.r.Features = append(x.r.Features, Feature{"stapled OCSP response", map[bool]string{true: "yes", false: "no"}[stapled]})
	slices.SortFunc(x.r.Features, func(a, b Feature) int { return strings.Compare(a.Name, b.Name) })
}

func (x *audit) onlyAEAD() bool {
	v := x.best12()
	return len(x.with(v, func(name string) bool { return strings.Contains(name, "_CBC_") })) == 0
}

func (x *audit) judgeVersions() {
	for v, id := range map[wire.Version]string{wire.SSL30: "ssl3", wire.TLS10: "tls10", wire.TLS11: "tls11"} {
		if x.speaks(v) {
			a, bytes := x.picked(v.String())
			x.r.found(id, a, append([]string{"it takes " + v.String() + " with " + SuiteName(x.suites[v][0])}, bytes...)...)
		}
	}
	switch {
	case len(x.spoken) == 0:
	case x.spoken[0] < wire.TLS12:
		if !x.silentAt(wire.TLS12) && !x.silentAt(wire.TLS13) {
			x.newest("no-tls12")
		}
	case x.spoken[0] < wire.TLS13 && !x.silentAt(wire.TLS13):
		x.newest("no-tls13")
	}
	if x.speaks(wire.TLS10) && len(x.with(wire.TLS10, func(name string) bool { return strings.Contains(name, "_CBC_") })) > 0 {
		a, bytes := x.picked(wire.TLS10.String() + " with CBC")
		x.r.found("beast", a, append([]string{"it takes TLS 1.0 with CBC"}, bytes...)...)
	}
}

// newest finds that no newer version is taken: the first hello offers those of today, and shows it where
// the server answered it.
func (x *audit) newest(id string) {
	a, bytes := x.picked(x.spoken[0].String())
	if x.first != nil && x.first.Server != nil {
		a, bytes = x.first, helloOf(x.first)
	}
	x.r.found(id, a, append([]string{"the newest version that it takes is " + x.spoken[0].String()}, bytes...)...)
}

// silentAt reports that nothing is known of a version, because its hello got no answer. The first hello is an
// answer too where it offered the version, and the server picked an older one.
func (x *audit) silentAt(v wire.Version) bool {
	if a := x.first; a != nil && a.Server != nil && a.Version < v {
		return false
	}
	return slices.ContainsFunc(x.r.Versions, func(r VersionReport) bool {
		return r.Version == v.String() && (r.Answer == string(TimedOut) || r.Answer != "" && !Kind(r.Answer).Connected())
	})
}

// suiteFindings are what flaws of suites amount to.
var suiteFindings = []struct{ id, flaw string }{
	{"suites-null", "does not encrypt"}, {"suites-anon", "authenticates nobody"}, {"suites-export", "export: keys of 40 or 56 bits"},
	{"suites-des", "DES: keys of 56 bits"}, {"suites-rc4", "RC4: a biased key stream"}, {"suites-64bit", "blocks of 64 bits"},
	{"suites-no-forward-secrecy", "no forward secrecy"}, {"suites-cbc", "CBC with the MAC inside"},
}

func (x *audit) judgeSuites() {
	for _, f := range suiteFindings {
		var evidence []string
		for _, v := range x.spoken {
			for _, id := range x.suites[v] {
				name := SuiteName(id)
				if !slices.ContainsFunc(flawsOf(name), func(flaw string) bool { return strings.HasSuffix(flaw, f.flaw) }) || slices.Contains(evidence, name) {
					continue
				}
				evidence = append(evidence, name)
			}
		}
		if len(evidence) > 0 {
			a, bytes := x.picked(evidence...)
			x.r.found(f.id, a, append(evidence, bytes...)...)
		}
	}
	for _, v := range x.r.Versions {
		if v.Order == "client" && slices.ContainsFunc(v.Suites, func(s SuiteReport) bool { return !s.ForwardSecret || len(s.Flaws) > 0 }) {
			a, bytes := x.picked("the order of " + v.Version)
			x.r.found("suites-order", a, append([]string{"in " + v.Version + " it picks what the client names first"}, bytes...)...)
		}
	}
}

func (x *audit) judgeGroups() {
	hybrid := slices.ContainsFunc(x.groups, func(g wire.NamedGroup) bool {
		return g == wire.GroupX25519MLKEM768 || g == wire.GroupSecP256r1MLKEM768 || g == wire.GroupSecP384r1MLKEM1024
	})
	if x.speaks(wire.TLS13) && !hybrid && !x.groupsCut {
		a, bytes := x.picked("a group of TLS 1.3")
		x.r.found("no-hybrid", a, append([]string{"of all groups that it was offered it takes none with ML-KEM"}, bytes...)...)
	}
	for _, g := range x.r.Groups {
		for id, name := range groupNames {
			if name == g.Name && weakGroup(id) {
				a, bytes := x.picked(name)
				x.r.found("group-weak", a, append([]string{"it takes " + name}, bytes...)...)
			}
		}
	}
}

// settle puts what parts have found side by side into an order that does not depend on
// which was first. The order of groups is that of TLS 1.3, then that of the others.
func (x *audit) settle() {
	slices.Sort(x.r.Extensions)
	slices.SortFunc(x.r.DH, func(a, b DHReport) int { return cmp.Or(cmp.Compare(b.Bits, a.Bits), strings.Compare(a.P, b.P)) })
	place := func(g GroupReport) int {
		i := slices.IndexFunc(x.groups, func(id wire.NamedGroup) bool { return GroupName(id) == g.Name })
		if i < 0 {
			return len(x.groups)
		}
		return i
	}
	slices.SortStableFunc(x.r.Groups, func(a, b GroupReport) int { return cmp.Compare(place(a), place(b)) })
	for _, g := range x.r.Groups {
		slices.SortFunc(g.Versions, func(a, b string) int { return strings.Compare(b, a) })
	}
}
