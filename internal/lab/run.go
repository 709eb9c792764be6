package lab

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/rogue"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Result is what came of a run.
type Result struct {
	Setup     Setup      `json:"setup"`
	Deviation *Deviation `json:"deviation,omitempty"`
	// Words say what the one in the middle did.
	Words string `json:"words"`
	// Client and Server are the accounts of both sides. Of a run that replays a session
	// the client's is of the session that was recorded.
	Client *explain.Connection `json:"client"`
	Server *explain.Connection `json:"server"`
	// ClientGot and ServerGot are the application data that each side was given.
	ClientGot explain.Hex `json:"client_got"`
	ServerGot explain.Hex `json:"server_got"`
	Finding   Finding     `json:"finding"`

	setup   *Setup
	sides   [2]*party // client, server
	applied bool      // the deviation came up
	waited  bool      // both waited for the other
}

// limits of one run.
const (
	maxTime  = 10 * time.Second
	patience = 100 // looks, a millisecond apart, where goroutines beside the two send
	// accountBudget is what is kept of each side, in bytes.
	accountBudget = 1 << 21
)

// Run makes the connection of a setup, with d between the two sides; nil for nobody. It
// makes one before it where a session is resumed or replayed. An error is a setup or a
// deviation that makes no sense; a connection that fails is a Result.
func Run(ctx context.Context, s Setup, d *Deviation) (*Result, error) {
	p, err := s.configs()
	if err != nil {
		return nil, err
	}
	by, err := d.tamper()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	var before *explain.Connection
	if s.Resume != "" {
		first := play(ctx, &s, p, tamper{})
		if !first.sides[0].complete || !first.sides[1].complete {
			return nil, fmt.Errorf("the connection that would be resumed failed: %w", errors.Join(first.sides[0].err, first.sides[1].err))
		}
		before = first.account(first.sides[0], nil)
	}
	var r *Result
	if d != nil && d.Kind == replaySession {
		r, err = again(ctx, &s, p)
	} else {
		r = play(ctx, &s, p, by)
	}
	if err != nil {
		return nil, err
	}
	r.Deviation = d
	r.sum(before)
	if len(r.Client.Events)+len(r.Server.Events) == 0 {
		return nil, fmt.Errorf("no connection can be made with this setup: %w", errors.Join(r.sides[0].err, r.sides[1].err))
	}
	return r, nil
}

// play runs one connection, with somebody in the middle.
func play(ctx context.Context, s *Setup, p *pair, by tamper) *Result {
	relay := &rogue.Relay{Version: min(p.version, wire.TLS12), Keys: map[wire.Role]crypto.Signer{}}
	if s.Renegotiate != "" || s.ClientCertificate == "later" {
		if relay.Patience = patience; by.edit != nil { // where to wait is no surprise
			relay.Patience = patience / 4
		}
	}
	r := &Result{setup: s, Setup: *s}
	by.place(relay, &r.applied)
	var running sync.WaitGroup
	for i, x := range []struct {
		role   wire.Role
		config *tls.Config
		make   func(c *tls.Config) *tls.Conn
	}{
		{wire.Client, p.client, func(c *tls.Config) *tls.Conn { return tls.Client(relay.Conn(wire.Client), c) }},
		{wire.Server, p.server, func(c *tls.Config) *tls.Conn { return tls.Server(relay.Conn(wire.Server), c) }},
	} {
		relay.Keys[x.role] = signer(x.config.Certificates)
		side := &party{role: x.role, collector: &explain.Collector{Budget: accountBudget}}
		was := x.config.Trace
		x.config.Trace = relay.Watch(x.role, side.hooks())
		side.conn = x.make(x.config)
		defer func() { x.config.Trace = was }()
		r.sides[i] = side
	}
	stop := context.AfterFunc(ctx, relay.End)
	defer stop()
	for _, side := range r.sides {
		running.Go(func() { side.err = side.talk(s) })
	}
	running.Wait()
	r.waited = relay.Waited()
	return r
}

// sum makes the accounts of a run and finds out what they come to.
func (r *Result) sum(before *explain.Connection) {
	r.Client, r.Server = r.account(r.sides[0], before), r.account(r.sides[1], nil)
	r.ClientGot, r.ServerGot = r.sides[0].got, r.sides[1].got
	r.Words = r.Deviation.words()
	r.Finding = r.find()
}

// account is that of one side.
func (r *Result) account(x *party, before *explain.Connection) *explain.Connection {
	about := explain.About{Target: serverName, TargetIs: "the lab's own server", Previous: before}
	if x.err != nil {
		about.Err = errors.New(strings.TrimPrefix(x.err.Error(), "tls: "))
	}
	if x.role == wire.Server {
		about.Target, about.TargetIs = "the client", "as the server sees it"
	}
	if before != nil {
		about.Before = fmt.Sprintf("a full handshake over %s", before.Summary.Version)
	}
	if x.err == nil && x.role == wire.Client && x.complete {
		if state := x.conn.ConnectionState(); len(state.VerifiedChains) > 0 {
			about.Trust = "certificate verified for " + serverName + ", with the lab's authority"
		}
	}
	return x.collector.Connection(about)
}
