// Package scan asks servers what they speak, with hellos that it builds by hand.
//
// A Probe is a value: which hello is sent, how far the handshake goes, and what follows
// then. A Prober carries probes out, many at once, and is gentle with each server: it
// bounds the connections at once and in a second, and waits where a server refuses. An
// Answer is what came back: every record, alert and message, what the server picked, its
// certificates, and how it ended.
//
//	p := &scan.Prober{}
//	answer, err := p.Do(ctx, scan.Target{Address: "example.com:443"}, scan.Probe{
//		Hello: scan.Offer(wire.TLS12, suites...),
//		Until: scan.Flight,
//	})
//
// A probe may offer what no sound client does: SSL 2.0, export suites, records of the
// wrong shape. It verifies nothing: what a server proves with its certificate is for
// package certcheck to judge. So never send a secret by a Prober. The engine of package
// tls is not used, and no switch of it is loosened.
//
// Nothing but the target is contacted. What a server sends makes a probe use a bounded
// amount of memory (Prober.MaxBytes) and of time (Prober.Timeout).
package scan
