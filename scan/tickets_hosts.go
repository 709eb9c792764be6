package scan

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/wire"
)

// A virtual host is what a server is for one name.
type virtualHost struct {
	name    string // empty for a hello without a name
	leaf    []byte // its certificate
	demands bool   // asks clients for a certificate
	session *Session
}

func (h virtualHost) String() string {
	if h.name == "" {
		return "the host without a name"
	}
	return h.name
}

func (h virtualHost) hello(x *audit, v wire.Version) Hello {
	hello := x.offer(v, x.completable(v)...)
	if v >= wire.TLS13 {
		hello = x.offer13(x.completable(v))
	}
	hello.Name, hello.NoName = h.name, h.name == ""
	return hello
}

// maxHosts is how many names of a server are tried.
const maxHosts = 5

// acrossHosts offers the ticket of one virtual host to another, which has another
// certificate or asks clients for one. CVE-2025-23419.
func (x *audit) acrossHosts(ctx context.Context) (found bool, unknown string) {
	for _, v := range []wire.Version{wire.TLS13, x.best12()} {
		if len(x.completable(v)) == 0 {
			continue
		}
		var hosts []virtualHost
		for _, name := range x.hostNames() {
			if h, ok := x.virtualHost(ctx, v, name); ok {
				hosts = append(hosts, h)
			}
		}
		for _, from := range hosts {
			for _, to := range hosts {
				differ := !bytes.Equal(from.leaf, to.leaf) || to.demands && !from.demands
				if from.session != nil && differ && x.crosses(ctx, v, from, to) {
					found = true
				}
			}
		}
	}
	return found, ""
}

// hostNames are the target's name, none, and those of its certificates.
func (x *audit) hostNames() []string {
	names := []string{""}
	if name := x.at.ServerName(); name != "" {
		names = []string{name, ""}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, shown := range x.chains {
		certs, err := certcheck.Parse(shown.raw)
		if err != nil {
			continue
		}
		for _, name := range certs[0].DNSNames {
			if len(names) < maxHosts && !strings.Contains(name, "*") && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// virtualHost looks at a host, and takes a ticket of it.
func (x *audit) virtualHost(ctx context.Context, v wire.Version, name string) (virtualHost, bool) {
	h := virtualHost{name: name}
	a := x.do(ctx, Probe{Name: "a virtual host", Hello: h.hello(x, v), Until: Complete, Then: x.untilTicket(v)})
	if a == nil || len(a.Certificates) == 0 {
		return h, false
	}
	h.leaf, h.demands = a.Certificates[0], a.Request != nil
	if s := handle(a); s != nil && len(s.Ticket) > 0 {
		h.session = s
	}
	return h, true
}

// crosses offers a ticket of one host to another.
func (x *audit) crosses(ctx context.Context, v wire.Version, from, to virtualHost) bool {
	h := to.hello(x, v)
	h.Resume = from.session
	a := x.do(ctx, Probe{Name: "a ticket of another virtual host", Hello: h, Until: Flight})
	if a == nil || !a.Resumed {
		return false
	}
	if to.demands && !from.demands {
		x.found("ticket-past-client-auth", a, fmt.Sprintf("%s, which asks clients for a certificate, goes on in %v with a ticket of %s, which does not ask", to, v, from))
		return true
	}
	x.found("ticket-across-hosts", a, fmt.Sprintf("%s goes on in %v with a ticket of %s, which has another certificate", to, v, from))
	return false
}

// maxAddresses is how many addresses of a name get a ticket of the first.
const maxAddresses = 4

// amongAddresses is the name of the feature.
const amongAddresses = "tickets among addresses"

// acrossAddresses offers tickets of the target to the other addresses of its name, so far as
// the caller names them. Servers that do not share their keys resume only now and then.
func (x *audit) acrossAddresses(ctx context.Context) {
	if x.o.Addresses == nil {
		return
	}
	all := x.o.Addresses(ctx)
	v := wire.TLS13
	if !x.speaks(v) {
		v = x.best12()
	}
	if len(all) < 2 || len(x.completable(v)) == 0 {
		return
	}
	switch a, offered := x.carried(ctx, v, all[0], all[0]); {
	case !offered || a == nil:
		return
	case !a.Resumed: // what it does not take itself says nothing of the others
		x.set(amongAddresses, "not known: "+all[0]+" does not take its own again")
		return
	}
	tried, silent := 1, 0
	var refused []string
	for _, address := range all[1:min(len(all), maxAddresses)] {
		a, offered := x.carried(ctx, v, all[0], address)
		switch {
		case ctx.Err() != nil:
			return
		case !offered || a == nil || a.Server == nil:
			silent++
		case a.Resumed:
			tried++
		default:
			refused = append(refused, address)
			x.found("ticket-not-shared", a, fmt.Sprintf("%s does not take a ticket of %s, which takes it itself", address, all[0]))
		}
	}
	value := fmt.Sprintf("taken at all of the %d tried", tried)
	switch {
	case len(refused) > 0:
		value = "those of " + all[0] + " are not taken at " + strings.Join(refused, ", ")
	case tried == 1:
		value = "not known: no other address answers"
	case silent > 0:
		value += fmt.Sprintf("; %d more did not answer", silent)
	}
	x.set(amongAddresses, value)
}

// carried takes a ticket at one address and offers it at another; some are good for once
// alone. offered is false where there was none.
func (x *audit) carried(ctx context.Context, v wire.Version, from, to string) (a *Answer, offered bool) {
	there := &audit{p: x.p, at: x.at, o: x.o, r: &Report{}, suites: x.suites, spoken: x.spoken}
	there.o.Progress = nil // which knows of our count alone
	there.at.Address, there.at.Name = from, x.at.ServerName()
	host, ok := there.virtualHost(ctx, v, x.at.ServerName())
	x.tally(nil)
	if len(there.mutes) > 0 {
		x.lacks("tickets at " + from)
	}
	if !ok || host.session == nil {
		return nil, false
	}
	h := host.hello(x, v)
	h.Resume = host.session
	there.at.Address, there.mutes = to, nil
	a = there.do(ctx, Probe{Name: "a ticket at another address", Hello: h, Until: Flight})
	x.tally(nil)
	if len(there.mutes) > 0 {
		x.lacks("tickets at " + to)
	}
	return a, true
}
