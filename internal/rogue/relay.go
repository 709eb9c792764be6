package rogue

import (
	"bytes"
	"crypto"
	"net"
	"os"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Relay joins one client and one server that the caller makes, and changes what
// passes between them: on the wire, as anybody on the path can, or inside, as one that
// knows the keys can. Set its fields, give each side what Watch and Conn return, and
// run both. A Relay is for one connection.
type Relay struct {
	// Wire is shown each record as it is on the wire, the n-th of its sender from 0, and
	// returns what goes on in its place. With end the receiver gets nothing after that.
	// It is called with the Relay locked. nil passes all.
	Wire func(from wire.Role, n int, rec []byte) (out [][]byte, end bool)
	// Inside is shown each unit, the n-th of its sender from 0, and returns what goes on
	// in its place, correctly protected for its receiver. Where it is set, Wire is not
	// called, and each handshake message has a record of its own.
	Inside func(from wire.Role, n int, u Unit) []Unit
	// Mend makes each Finished and CertificateVerify anew over what its receiver has
	// seen, with the keys in Keys, for Inside.
	Mend bool
	Keys map[wire.Role]crypto.Signer
	// Version is the one that the two are expected to agree on, for the headers of the
	// first records.
	Version wire.Version
	// Patience is for how many milliseconds both sides may wait before that is the end,
	// where goroutines beside theirs send.
	Patience int

	net     *network
	sides   sides[*side]
	flows   sides[Flow] // what each side knows of what was agreed
	queues  sides[[]piece]
	partial sides[[]byte]
	units   sides[int]
	raw     sides[[]byte] // of a record, of which the rest is not written yet
	records sides[int]
	streams sides[[]byte] // what each role has yet to read
	over    sides[bool]
}

// start makes what the zero value lacks.
func (r *Relay) start() {
	if r.net != nil {
		return
	}
	r.net = newNetwork(r, func() {})
	r.net.patience, r.net.silent = r.Patience, os.ErrDeadlineExceeded
	for _, role := range roles {
		r.sides[role] = &side{role: role, version: r.Version}
		r.flows[role] = Flow{Version: r.Version}
	}
}

// Conn is the connection of a side with the other.
func (r *Relay) Conn(role wire.Role) net.Conn {
	r.start()
	return r.net.ends[role]
}

// Waited reports that both sides waited for the other until the Relay ended that:
// their reads have failed with os.ErrDeadlineExceeded.
func (r *Relay) Waited() bool {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	return r.net.stuck
}

// End ends the connection as if both had waited too long.
func (r *Relay) End() {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	r.net.end()
}

// Watch returns the hooks for a side's Config.Trace, which call those of also first.
func (r *Relay) Watch(role wire.Role, also *trace.Hooks) *trace.Hooks {
	r.start()
	x := r.sides[role]
	return &trace.Hooks{
		Record: watch(r, also.Record, func(e trace.Record) {
			if e.Dir == trace.Sent && r.Inside != nil {
				r.sealed(role, e)
			}
		}),
		Message: watch(r, also.Message, func(e trace.Message) {
			r.learn(role, e.Raw)
			x.message(e)
		}),
		Secret: watch(r, also.Secret, x.secret),
		Keys:   watch(r, also.Keys, x.keys),
		Choice: also.Choice,
		Alert:  also.Alert,
	}
}

// watch is a hook that calls first, and then with the network locked.
func watch[E any](r *Relay, first, then func(E)) func(E) {
	return func(e E) {
		if first != nil {
			first(e)
		}
		r.net.mu.Lock()
		defer r.net.mu.Unlock()
		then(e)
	}
}

// learn notes what a side knows of the version and the suite.
func (r *Relay) learn(role wire.Role, raw []byte) {
	m, err := wire.DecodeMessage(raw, wire.Context{From: wire.Server}, nil)
	hello, ok := m.(*wire.ServerHello)
	if err != nil || !ok {
		return
	}
	v := hello.LegacyVersion
	_, _ = hello.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { v = wire.U16[wire.Version](r, "selected_version") })
	r.sides[role].version, r.flows[role] = v, Flow{Version: v, Suite: hello.CipherSuite}
}

// sealed takes what a side has put into a record.
func (r *Relay) sealed(from wire.Role, e trace.Record) {
	if e.Type != wire.ContentHandshake {
		r.unit(from, Unit{Type: e.Type, Body: bytes.Clone(e.Plain), Clear: e.Type == wire.ContentChangeCipherSpec && r.sides[from].version == wire.TLS13})
		return
	}
	b := append(r.partial[from], e.Plain...)
	for n := wire.MessageLen(b); n > 0 && n <= len(b); n = wire.MessageLen(b) {
		r.unit(from, Unit{Type: e.Type, Body: bytes.Clone(b[:n])})
		b = b[n:]
	}
	r.partial[from] = b
}

func (r *Relay) unit(from wire.Role, u Unit) {
	to := from.Peer()
	n := r.units[from]
	r.units[from]++
	same := true
	for _, out := range r.Inside(from, n, u) {
		p := out.piece()
		p.odd = !same || !bytes.Equal(out.Body, u.Body) || out.Type != u.Type
		r.queues[to], same = append(r.queues[to], p), false
	}
	r.net.wake(to)
}

// sent is part of the courier.
func (r *Relay) sent(from wire.Role, b []byte) {
	to := from.Peer()
	if r.Inside != nil || r.over[to] {
		return
	}
	r.raw[from] = append(r.raw[from], b...)
	for rest := r.raw[from]; len(rest) >= record.HeaderLen; rest = r.raw[from] {
		size := record.HeaderLen + record.ParseHeader(rest).Length
		if size > len(rest) {
			return
		}
		rec := bytes.Clone(rest[:size])
		r.raw[from] = rest[size:]
		n := r.records[from]
		r.records[from]++
		if r.Wire == nil {
			r.streams[to] = append(r.streams[to], rec...)
			continue
		}
		out, end := r.Wire(from, n, rec)
		r.streams[to] = append(r.streams[to], bytes.Join(out, nil)...)
		if end {
			r.over[to] = true
			return
		}
	}
}

// next is part of the courier.
func (r *Relay) next(to wire.Role) (b []byte, over bool) {
	if r.Inside == nil {
		b, r.streams[to] = r.streams[to], nil
		return b, r.over[to] && len(b) == 0
	}
	for len(r.queues[to]) > 0 {
		p := r.queues[to][0]
		r.queues[to] = r.queues[to][1:]
		if b := r.seal(to, p); len(b) > 0 {
			return b, false
		}
	}
	return nil, false
}

// seal makes the records of a piece.
func (r *Relay) seal(to wire.Role, p piece) (records []byte) {
	x, body := r.sides[to], p.body
	if r.Mend && p.typ == wire.ContentHandshake && !p.odd {
		body = x.mend(&r.flows[to], r.Keys[to.Peer()], body)
	}
	for {
		n := min(len(body), maxContent)
		records = append(records, x.seal(p.typ, body[:n], p.open)...)
		if body = body[n:]; len(body) == 0 {
			return records
		}
	}
}
