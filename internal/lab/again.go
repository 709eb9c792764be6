package lab

import (
	"context"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/rogue"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// again records all that a client sends in an honest run, and sends it to the server
// once more on a new connection.
func again(ctx context.Context, s *Setup, p *pair) (*Result, error) {
	first := play(ctx, s, p, tamper{})
	if !first.sides[0].complete {
		return nil, fmt.Errorf("the session that would be replayed failed: %w", first.sides[0].err)
	}
	recorded := first.sides[0]
	var sent []byte
	for _, e := range recorded.collector.Connection(explain.About{}).Events {
		if r := e.Record; r != nil && r.From == wire.Client.String() {
			sent = append(sent, r.Wire...)
		}
	}
	relay := &rogue.Relay{Version: min(p.version, wire.TLS12)}
	side := &party{role: wire.Server, collector: &explain.Collector{Budget: accountBudget}}
	was := p.server.Trace
	defer func() { p.server.Trace = was }()
	p.server.Trace = relay.Watch(wire.Server, side.hooks())
	side.conn = tls.Server(relay.Conn(wire.Server), p.server)
	defer context.AfterFunc(ctx, relay.End)()
	done := make(chan struct{})
	go func() {
		defer close(done)
		side.err = side.talk(s)
	}()
	attacker := relay.Conn(wire.Client)
	_, err := attacker.Write(sent)
	if err == nil {
		_, _ = io.Copy(io.Discard, attacker) // until the server is done with it; how it ends is the server's to tell
	}
	<-done
	r := &Result{setup: s, Setup: *s, sides: [2]*party{recorded, side}, applied: true, waited: relay.Waited()}
	return r, err
}
