package scan

import (
	"context"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// groups13 finds the groups of TLS 1.3: offered no share, the server asks for the one that
// it likes best.
func (x *audit) groups13(ctx context.Context) {
	if !x.speaks(wire.TLS13) {
		return
	}
	left := everyGroup(true)
	retried := false
	line := x.line()
	defer line.end()
	for len(left) > 0 {
		h := Offer(wire.TLS13, x.suites[wire.TLS13]...)
		h.Groups, h.Shares = left, nil
		a := line.do(ctx, Probe{Name: "a group of TLS 1.3", Hello: h})
		if a == nil || a.End != Reached || a.Version != wire.TLS13 || !slices.Contains(left, a.Group) {
			x.mu.Lock()
			x.groupsCut = a == nil || mute(a)
			x.mu.Unlock()
			break
		}
		retried = retried || a.Retry != nil
		x.mu.Lock()
		x.groups = append(x.groups, a.Group)
		x.mu.Unlock()
		x.pick(a, GroupName(a.Group), "a group of TLS 1.3")
		x.group(a.Group, wire.TLS13)
		left = slices.DeleteFunc(slices.Clone(left), func(g wire.NamedGroup) bool { return g == a.Group })
	}
	if retried {
		x.set("HelloRetryRequest", "yes: it asks for a group that it likes")
	} else {
		x.set("HelloRetryRequest", "no answer to a hello without key share")
	}
}

// groups12 finds the curves of ECDHE up to TLS 1.2.
func (x *audit) groups12(ctx context.Context) {
	v := x.best12()
	suites := x.with(v, func(name string) bool { return strings.HasPrefix(name, "TLS_ECDH") })
	left := everyGroup(false)
	line := x.line()
	defer line.end()
	for len(suites) > 0 && len(left) > 0 {
		h := Offer(v, suites...)
		h.Groups = left
		a := line.do(ctx, Probe{Name: "a curve of ECDHE", Hello: h, Until: Flight})
		if a == nil || a.End != Reached || a.KeyExchange == nil || !slices.Contains(left, a.Group) {
			return
		}
		x.pick(a, GroupName(a.Group))
		x.group(a.Group, v)
		left = slices.DeleteFunc(slices.Clone(left), func(g wire.NamedGroup) bool { return g == a.Group })
	}
}

// group notes a group.
func (x *audit) group(id wire.NamedGroup, v wire.Version) {
	x.mu.Lock()
	defer x.mu.Unlock()
	name := GroupName(id)
	i := slices.IndexFunc(x.r.Groups, func(g GroupReport) bool { return g.Name == name })
	if i < 0 {
		i = len(x.r.Groups)
		x.r.Groups = append(x.r.Groups, GroupReport{ID: number(wire.CipherSuite(id)), Name: name})
	}
	if !slices.Contains(x.r.Groups[i].Versions, v.String()) {
		x.r.Groups[i].Versions = append(x.r.Groups[i].Versions, v.String())
	}
}
