package scan

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

// Options say what a scan looks for, and against what it judges.
type Options struct {
	// Roots are the authorities trusted; nil for the system's.
	Roots *x509.CertPool
	// Now is the moment for which certificates are judged; zero for now.
	Now time.Time
	// ConfigurationOnly leaves the weaknesses out that need probes of their own.
	ConfigurationOnly bool
	// Software is an id of scan/fix: how the changes are written that findings ask for;
	// empty for what the server says it is.
	Software string
	// Addresses, unless nil, are those to which the target's name leads, HOST:PORT: a ticket
	// of the first is offered to some of the others. They are contacted, so they must be the
	// target's.
	Addresses func(ctx context.Context) []string
	// Plain, unless nil, connects to where the target speaks HTTP without TLS, port 80 mostly:
	// a server should lead from there to https://.
	Plain func(ctx context.Context) (net.Conn, error)
	// Revocation asks whether certificates are revoked; nil looks at stapled responses alone.
	// One with a Fetcher contacts the addresses that certificates name.
	Revocation *revocation.Checker
	// Issuers fetches the certificates of authorities that the server has not sent, from the
	// addresses that certificates name; nil fetches none.
	Issuers certcheck.IssuerFetcher
	// Timing is how often each of two premasters is sent, to measure how long the server takes
	// for it: from MinTiming to MaxTiming; 0 for not at all. That makes twice as many connections,
	// one after the other.
	Timing int
	// Fleet, from MinFleet to MaxFleet, is how many sessions of each kind are offered on other
	// connections and at all Addresses, to see whether the servers there go together; 0 for none. Each
	// takes two connections, and the same answers are asked of all.
	Fleet int
	// Progress, unless nil, is called as the scan goes on, with how many connections have
	// been made.
	Progress func(connections int)
}

// An audit is a scan while it runs.
type audit struct {
	p     *Prober
	at    Target
	o     Options
	count atomic.Int64
	// silent are the connections that got no answer, and unheard those of them that should have.
	silent, unheard atomic.Int64
	// cut are the connections that ended at once.
	cut atomic.Int64

	mu sync.Mutex
	r  *Report
	// mutes are the names of the probes, and of others who were asked, of which an answer was due and did not come.
	mutes map[string]bool
	// members are the connections to each address of a fleet: those answered, and those of which an answer was due
	// and did not come, or not to its end.
	members map[string]*FleetCount
	// What the later parts build upon: the versions that are spoken, newest first, the
	// suites of each, the groups of TLS 1.3, and the certificates, by how they were got.
	spoken []wire.Version
	suites map[wire.Version][]wire.CipherSuite
	groups []wire.NamedGroup
	// picks are the answers in which the server picked a version, a suite of it, or a group; see pick.
	picks map[string]*Answer
	// groupsCut is set where the last question for a group of TLS 1.3 got no answer: there may be more.
	groupsCut bool
	chains    []*shownChain
	first     *Answer // to a hello of today
	classic   *Answer // a whole handshake up to TLS 1.2
	// encryptsFirst is set where CBC goes with encrypt-then-MAC.
	encryptsFirst bool
}

// Scan asks one server for all that a Report has. An error is the context's; whatever is
// wrong with the server is in the Report.
func (p *Prober) Scan(ctx context.Context, at Target, o Options) (*Report, error) {
	r := &Report{Format: Format, Target: at.Address, Name: at.ServerName(), StartTLS: at.StartTLS, Began: time.Now().UTC(),
		Findings: []Finding{}, answers: map[string]*Answer{}}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	x := &audit{p: p, at: at, o: o, r: r, suites: map[wire.Version][]wire.CipherSuite{}}
	if x.reachable(ctx) {
		x.parallel(ctx, x.versions()...)
		if x.gatherVersions(); x.agreed(ctx) {
			x.rest(ctx)
		}
	}
	if r.Failure == "" && ctx.Err() == nil {
		x.doubt(ctx)
	}
	if r.Software == "" && x.first != nil {
		r.Software = greeterOf(at.StartTLS, x.first.said)
	}
	r.sort()
	r.fixed(o.Software)
	r.Connections = int(x.count.Load())
	r.Milliseconds = time.Since(r.Began).Milliseconds()
	return r, context.Cause(ctx)
}

// rest asks for all that builds upon the versions, and judges.
func (x *audit) rest(ctx context.Context) {
	parts := x.parts()
	if !x.o.ConfigurationOnly {
		parts = append(parts, x.clients)
	}
	x.parallel(ctx, parts...)
	if !x.o.ConfigurationOnly {
		x.weaknesses(ctx)
		x.acrossAddresses(ctx)
		x.timed(ctx)
	}
	x.fleet(ctx)
	x.judge(ctx)
	if !x.o.ConfigurationOnly {
		x.conclude()
	}
}

// agreed reports that the server took a hello of some version. One that took none was not
// looked at: nothing is known of it, and least of all that it is all right.
func (x *audit) agreed(ctx context.Context) bool {
	if slices.ContainsFunc(x.r.Versions, func(v VersionReport) bool { return v.Offered }) {
		return true
	}
	if code, alerted := x.first.Alert(); alerted && code == wire.AlertUnrecognizedName && ctx.Err() == nil {
		x.r.Versions, x.r.Failure = nil, fmt.Sprintf("the server has no site of the name %q (alert unrecognized_name)", x.at.ServerName())
		return false
	}
	if ctx.Err() == nil {
		x.r.Versions, x.r.Failure = nil, "the server takes no version of TLS that it was offered: "+turnedDown(x.first)
	}
	return false
}

// turnedDown says how the first hello was.
func turnedDown(a *Answer) string {
	switch a.End {
	case TimedOut:
		return "no answer came in time"
	case Closed:
		return "it closes the connection"
	case Reset:
		return "it resets the connection, or something on the way does"
	case Malformed, TooMuch, Unsupported:
		return "what it answers breaks the rules of TLS"
	}
	return answerOf(a)
}

// reachable finds out whether there is a server that speaks TLS at all.
func (x *audit) reachable(ctx context.Context) bool {
	a := x.do(ctx, Probe{Name: "a hello of today", Hello: Modern(), Until: Flight})
	x.first = a
	if a == nil {
		return false
	}
	if !a.End.Connected() || a.End == NotTLS {
		x.r.Err, x.r.Failure = a.Err, a.Err.Error()
		return false
	}
	return true
}

// do carries a probe out; nil once the context has ended.
func (x *audit) do(ctx context.Context, probe Probe) *Answer { return x.doOn(ctx, probe, nil) }

// doOn is do on a connection that is there already, unless that is nil.
func (x *audit) doOn(ctx context.Context, probe Probe, ready *opened) *Answer {
	a, err := x.p.do(ctx, x.at, probe, ready)
	x.tally(a)
	if err != nil {
		return nil
	}
	return a
}

// parallel runs parts side by side, as many at once as there are connections allowed.
func (x *audit) parallel(ctx context.Context, parts ...func(context.Context)) {
	var wait sync.WaitGroup
	for _, part := range parts {
		wait.Go(func() { part(ctx) })
	}
	wait.Wait()
}

// parts are what follows once the versions and suites are known.
func (x *audit) parts() []func(context.Context) {
	return []func(context.Context){
		x.groups13, x.groups12, x.certificates, x.otherName, x.finiteField, x.reuse12, x.reuse13, x.protocols, x.compression,
		x.encryptThenMAC, x.fallback, x.tolerance, x.encryptedHello, x.sessions12, x.sessions13, x.renegotiation, x.unsafeRenegotiation, x.http,
		x.keyUpdates, x.endings, x.plain,
	}
}

// set notes a feature.
func (x *audit) set(name, value string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.r.Features = append(x.r.Features, Feature{name, value})
}

// found notes a finding.
func (x *audit) found(id string, a *Answer, evidence ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.r.found(id, a, evidence...)
}

// pick keeps the answer in which the server picked something, by its name: the first for each.
func (x *audit) pick(a *Answer, names ...string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.picks == nil {
		x.picks = map[string]*Answer{}
	}
	for _, name := range names {
		if x.picks[name] == nil {
			x.picks[name] = a
		}
	}
}

// picked is the answer in which the first of some was picked, and its ServerHello as evidence; nil for none.
func (x *audit) picked(names ...string) (*Answer, []string) {
	for _, name := range names {
		if a := x.picks[name]; a != nil {
			return a, helloOf(a)
		}
	}
	return nil, nil
}

// helloOf is the ServerHello of an answer in hexadecimal; nothing where none came.
func helloOf(a *Answer) []string {
	for _, m := range a.Messages {
		if m.Type == wire.TypeServerHello {
			return []string{"its ServerHello: " + hexOf(m.Raw)}
		}
	}
	return nil
}

// best is the newest version from those up to TLS 1.2; 0 where there is none.
func (x *audit) best12() wire.Version {
	for _, v := range x.spoken {
		if v <= wire.TLS12 {
			return v
		}
	}
	return 0
}

func (x *audit) speaks(v wire.Version) bool { return len(x.suites[v]) > 0 }

// offer is Offer with every group: up to TLS 1.2 a server that has none of those that we
// can compute in shows all but the secrets.
func (x *audit) offer(v wire.Version, suites ...wire.CipherSuite) Hello {
	h := Offer(v, suites...)
	if v < wire.TLS13 && !h.Bare {
		h.Groups = everyGroup(false)
	}
	return h
}

// modern is a hello of today that this server can answer: with what it takes as well.
func (x *audit) modern() Hello {
	h := Modern()
	for _, v := range x.spoken {
		if v < wire.TLS12 {
			h.Versions = append(h.Versions, v)
		}
		if v < wire.TLS13 {
			h.Suites = appendNew(h.Suites, x.suites[v])
		}
	}
	h.Groups = appendNew(h.Groups, everyGroup(false))
	return h
}

// appendNew appends what is not there yet.
func appendNew[T comparable](list, more []T) []T {
	for _, v := range more {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}

// with are the suites of a version of which the name fits.
func (x *audit) with(v wire.Version, fits func(name string) bool) (ids []wire.CipherSuite) {
	for _, id := range x.suites[v] {
		if fits(SuiteName(id)) {
			ids = append(ids, id)
		}
	}
	return ids
}
