package scan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// MinFleet and MaxFleet bound Options.Fleet.
const (
	MinFleet = 6
	MaxFleet = 1000
)

// A FleetReport says how the servers behind a name or a balancer go together.
type FleetReport struct {
	// Addresses are those that were asked, in turn. One alone may be a balancer.
	Addresses []string `json:"addresses"`
	// Resumption has a row for each kind of session that is handed out.
	Resumption []FleetResumption `json:"resumption"`
	// Answers are what the servers answer to the same questions.
	Answers []FleetAnswers `json:"answers"`
}

// A FleetResumption says how one kind of session is taken again.
type FleetResumption struct {
	// Kind is "tickets of TLS 1.3", "tickets of TLS 1.2" or "session IDs".
	Kind string `json:"kind"`
	// Fresh are sessions that were offered once each, on a connection of their own.
	Fresh FleetCount `json:"fresh"`
	// Repeated is one session that was offered on one connection after another.
	Repeated FleetCount `json:"repeated"`
	// SingleUse is set where it was taken the first time alone, and the fresh ones always.
	SingleUse bool `json:"single_use"`
	// Keys are the names of the keys that tickets are sealed under, in hexadecimal, where tickets
	// begin with one. Several may be a change of keys.
	Keys []string `json:"keys,omitempty"`
	// Addresses are the fresh ones, by where they were offered.
	Addresses []FleetAddress `json:"addresses"`
}

// A FleetCount is of connections that were answered.
type FleetCount struct {
	Offered int `json:"offered"`
	Taken   int `json:"taken"`
	// Unanswered are further connections, of which nothing is known.
	Unanswered int `json:"unanswered,omitempty"`
}

// A FleetAddress is what one address took.
type FleetAddress struct {
	Address string `json:"address"`
	FleetCount
}

// FleetAnswers are the different answers to one question.
type FleetAnswers struct {
	// What is "certificate", "HSTS", or a version.
	What    string        `json:"what"`
	Answers []FleetAnswer `json:"answers"`
	// Unanswered are further connections, of which nothing is known.
	Unanswered int `json:"unanswered,omitempty"`
}

// A FleetAnswer is one of them, and how often and where it came.
type FleetAnswer struct {
	Value     string   `json:"value"`
	Times     int      `json:"times"`
	Addresses []string `json:"addresses"`
}

// fleet looks at whether sessions of one connection are taken on the others, at each address,
// and whether all of them answer alike.
func (x *audit) fleet(ctx context.Context) {
	if x.o.Fleet == 0 {
		return
	}
	addresses := []string{x.at.Address}
	if x.o.Addresses != nil {
		if all := x.o.Addresses(ctx); len(all) > 0 {
			addresses = all[:min(len(all), maxFleetAddresses)]
		}
	}
	r := &FleetReport{Addresses: addresses, Resumption: []FleetResumption{}, Answers: []FleetAnswers{}}
	for _, kind := range x.fleetKinds() {
		if one, ok := x.fleetResumption(ctx, addresses, kind); ok {
			r.Resumption = append(r.Resumption, one)
		}
	}
	x.fleetAnswers(ctx, r)
	for address, c := range x.members {
		switch {
		case c.Unanswered == 0:
		case c.Offered == 0: // which an earlier scan that lost one connection did not see
			x.lacks("all of the fleet at " + address)
		default:
			x.lacks("the fleet at " + address)
		}
	}
	x.mu.Lock()
	x.r.Fleet = r
	x.mu.Unlock()
}

// maxFleetAddresses bounds what a name may lead to.
const maxFleetAddresses = 64

// fleetKind is a kind of session.
type fleetKind struct {
	name    string
	version wire.Version
	hello   Hello
	tickets bool
}

func (x *audit) fleetKinds() (kinds []fleetKind) {
	for _, v := range []wire.Version{wire.TLS13, x.best12()} {
		suites := x.completable(v)
		if len(suites) == 0 {
			continue
		}
		if v >= wire.TLS13 {
			kinds = append(kinds, fleetKind{"tickets of " + v.String(), v, x.offer13(suites), true})
			continue
		}
		h := x.offer(v, suites...)
		if v > wire.SSL30 {
			kinds = append(kinds, fleetKind{"tickets of " + v.String(), v, h, true})
		}
		h.Without = append(slices.Clone(h.Without), wire.ExtSessionTicket)
		kinds = append(kinds, fleetKind{"session IDs", v, h, false})
	}
	return kinds
}

// elsewhere carries a probe out at another address of the target. nil is for no answer.
func (x *audit) elsewhere(ctx context.Context, address string, probe Probe) *Answer {
	there := &audit{p: x.p, at: x.at, o: x.o, r: &Report{}, suites: x.suites, spoken: x.spoken}
	there.o.Progress = nil // which knows of our count alone
	there.at.Address, there.at.Name = address, x.at.ServerName()
	a := there.do(ctx, probe)
	x.tally(nil)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.members == nil {
		x.members = map[string]*FleetCount{}
	}
	if x.members[address] == nil {
		x.members[address] = &FleetCount{}
	}
	if a == nil || len(there.mutes) > 0 { // an answer that stops midway tells little
		x.members[address].Unanswered++
	}
	if a == nil || unanswered(a) {
		return nil
	}
	x.members[address].Offered++
	return a
}

// fresh gets a session of a kind at an address; nil where there is none.
func (x *audit) fresh(ctx context.Context, address string, kind fleetKind) (a *Answer, s *Session) {
	then := x.untilTicket(kind.version)
	if a = x.elsewhere(ctx, address, Probe{Name: "a session of the fleet", Hello: kind.hello, Until: Complete, Then: then}); a == nil {
		return nil, nil
	}
	if s = handle(a); s != nil && (len(s.Ticket) > 0) != kind.tickets {
		s = nil
	}
	return a, s
}

// offered offers a session at an address.
func (x *audit) offered(ctx context.Context, address string, kind fleetKind, s *Session) *Answer {
	h := kind.hello
	h.Resume = s
	until := Flight
	if kind.version < wire.TLS13 {
		until = Complete
	}
	a := x.elsewhere(ctx, address, Probe{Name: "a session of the fleet, again", Hello: h, Until: until})
	if a == nil || a.Server == nil {
		return nil
	}
	return a
}

func (c *FleetCount) add(a *Answer) {
	switch {
	case a == nil:
		c.Unanswered++
	case a.Resumed:
		c.Offered++
		c.Taken++
	default:
		c.Offered++
	}
}

func (c FleetCount) lost() int { return c.Offered - c.Taken }

// fleetResumption tries one kind; false where none is handed out.
func (x *audit) fleetResumption(ctx context.Context, addresses []string, kind fleetKind) (r FleetResumption, ok bool) {
	r.Kind = kind.name
	first, s := x.fresh(ctx, addresses[0], kind)
	if s == nil || ctx.Err() != nil {
		return r, false
	}
	own := x.own(ctx, addresses[0], kind)
	for i := range x.o.Fleet {
		r.Repeated.add(x.offered(ctx, addresses[(i+1)%len(addresses)], kind, s))
	}
	for _, address := range addresses {
		r.Addresses = append(r.Addresses, FleetAddress{Address: address})
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	var names [][]byte
	var refused *Answer
	for i := range x.o.Fleet {
		wait.Go(func() {
			from, to := i%len(addresses), (i+1+i/len(addresses))%len(addresses)
			_, s := x.fresh(ctx, addresses[from], kind)
			if s == nil {
				return
			}
			a := x.offered(ctx, addresses[to], kind, s)
			mu.Lock()
			defer mu.Unlock()
			r.Fresh.add(a)
			r.Addresses[to].add(a)
			if len(s.Ticket) >= 3*keyNameLen {
				names = append(names, s.Ticket[:keyNameLen])
			}
			if a != nil && !a.Resumed {
				refused = a
			}
		})
	}
	wait.Wait()
	r.Keys = keyNames(names)
	r.SingleUse = r.Repeated.Taken == 1 && r.Repeated.lost() > 1 && r.Fresh.Offered > 1 && r.Fresh.lost() == 0
	if refused == nil {
		refused = first
	}
	x.judgeResumption(r, kind, own, refused)
	return r, ctx.Err() == nil
}

// own reports that an address takes a session of its own again. With many addresses no other connection may ever
// bring a server a session that it made.
func (x *audit) own(ctx context.Context, address string, kind fleetKind) bool {
	_, s := x.fresh(ctx, address, kind)
	if s == nil {
		return false
	}
	a := x.offered(ctx, address, kind, s)
	return a != nil && a.Resumed
}

// keyNames are those that several tickets begin with: what differs each time names no key.
func keyNames(begins [][]byte) (names []string) {
	for _, b := range begins {
		if name := fmt.Sprintf("%x", b); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == len(begins) && len(begins) > 1 {
		return nil
	}
	slices.Sort(names)
	return names
}

// judgeResumption finds sessions that are taken here and not there. Where none is ever taken, not even where it was
// made, it is not for want of sharing.
func (x *audit) judgeResumption(r FleetResumption, kind fleetKind, own bool, refused *Answer) {
	if !own && r.Fresh.Taken+r.Repeated.Taken == 0 || r.Fresh.lost() == 0 && (r.Repeated.lost() == 0 || r.SingleUse) {
		return
	}
	id := "ticket-not-shared"
	if !kind.tickets {
		id = "session-not-shared"
	}
	evidence := []string{fmt.Sprintf("%s: %d of %d are taken on another connection, and one of them %d times of %d", r.Kind, r.Fresh.Taken, r.Fresh.Offered, r.Repeated.Taken, r.Repeated.Offered)}
	if own {
		evidence = append(evidence, "the address that made one took it again")
	}
	if len(r.Keys) > 1 {
		evidence = append(evidence, fmt.Sprintf("tickets are sealed under %d keys: %s", len(r.Keys), strings.Join(r.Keys[:min(len(r.Keys), 4)], ", ")))
	}
	x.found(id, refused, evidence...)
}
