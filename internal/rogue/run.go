package rogue

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// run is one connection of a flow, with the rogue in its middle.
type run struct {
	stage     *Stage
	net       *network
	sides     sides[*side]
	deviation Deviation
	edit      func(n int, u Unit) []piece // this run's; nil where nothing is changed

	queues   sides[[]piece] // what each role has yet to read
	finished sides[int]     // how many each role has sent
	partial  sides[[]byte]  // of a message, of which the rest is not sent yet
	stream   sides[[]byte]  // where bytes are changed: what each role has yet to read
	got      sides[[]Unit]  // what each role has read while the handshake went on
	said     sides[[]byte]  // the application data that each role has to take
	applied  bool           // the deviation came before its victim was done
	honest   *Recording
}

// A piece is one record that the rogue sends.
type piece struct {
	typ  wire.ContentType
	body []byte
	mend bool // see side.mend
	open bool // in the clear, whatever keys there are
	odd  bool // is no part of an honest run
	lost bool // is not sent at all
	end  bool // is the end of the stream
}

func (u Unit) piece() piece { return piece{typ: u.Type, body: u.Body, open: u.Clear} }

// hooks have a run see all of a side. An answer may be sent by another goroutine than the
// one that receives, so they lock the network, as what looks at the side does.
func (r *run) hooks(side *side) *trace.Hooks {
	return &trace.Hooks{
		Message: locked(r, side.message),
		Secret:  locked(r, side.secret),
		Keys:    locked(r, side.keys),
		Record: func(x trace.Record) {
			if x.Dir == trace.Sent {
				r.record(side.role, x.Type, x.Plain)
			}
		},
		Alert: locked(r, func(a trace.Alert) {
			if a.Dir == trace.Received && a.Code == wire.AlertCloseNotify {
				side.closed = true
			}
		}),
	}
}

// locked is hook with the network locked.
func locked[E any](r *run, hook func(E)) func(E) {
	return func(e E) {
		r.net.mu.Lock()
		defer r.net.mu.Unlock()
		hook(e)
	}
}

// record takes what a side has sealed.
func (r *run) record(from wire.Role, typ wire.ContentType, content []byte) {
	r.net.mu.Lock()
	defer r.net.mu.Unlock()
	if typ != wire.ContentHandshake {
		r.unit(from, Unit{Type: typ, Body: bytes.Clone(content), Clear: typ == wire.ContentChangeCipherSpec && r.stage.Flow.Version == wire.TLS13})
		return
	}
	b := append(r.partial[from], content...)
	for {
		n := wire.MessageLen(b)
		if n == 0 || n > len(b) {
			break
		}
		r.unit(from, Unit{Type: typ, Body: bytes.Clone(b[:n])})
		b = b[n:]
	}
	r.partial[from] = b
}

// unit passes one on, changed or not.
func (r *run) unit(from wire.Role, u Unit) {
	to := from.Peer()
	defer r.net.wake(to)
	if !r.counts(from, u) {
		r.queues[to] = append(r.queues[to], u.piece())
		return
	}
	n := len(r.honest.Units[from])
	r.honest.Units[from] = append(r.honest.Units[from], u)
	if r.edit == nil || to != r.deviation.Victim {
		r.queues[to] = append(r.queues[to], u.piece())
		return
	}
	r.queues[to] = append(r.queues[to], r.edit(n, u)...)
}

// counts reports whether a unit is one of the handshake that matters: the last, until
// its sender's Finished.
func (r *run) counts(from wire.Role, u Unit) bool {
	before := r.finished[from]
	switch {
	case u.Type == wire.ContentApplicationData, u.Type == wire.ContentAlert && string(u.Body) == closeNotify:
		return false
	case r.stage.Flow.Version == wire.TLS13 && u.String() == newSessionTicket: // belongs to no handshake
		return false
	case u.String() == wire.TypeFinished.String():
		r.finished[from]++
	}
	return before == r.stage.handshakes()-1
}

const closeNotify = "\x01\x00"

// sent is part of the courier: of the bytes on the wire only their number counts,
// unless it is they that are changed.
func (r *run) sent(from wire.Role, b []byte) {
	at := r.honest.Bytes[from]
	r.honest.Bytes[from] += len(b)
	if r.deviation.wire == nil {
		return
	}
	b = bytes.Clone(b)
	if to := from.Peer(); to == r.deviation.Victim {
		b = r.deviation.wire(at, b)
	}
	r.stream[from.Peer()] = append(r.stream[from.Peer()], b...)
}

// next is part of the courier.
func (r *run) next(to wire.Role) (b []byte, over bool) {
	if r.deviation.wire != nil {
		b, r.stream[to] = r.stream[to], nil
		return b, false
	}
	for len(r.queues[to]) > 0 {
		p := r.queues[to][0]
		r.queues[to] = r.queues[to][1:]
		if r.note(to, p); p.end {
			return nil, true
		}
		if b := r.seal(to, p); len(b) > 0 {
			return b, false
		}
	}
	return nil, false
}

// note remembers what a role is sent.
func (r *run) note(to wire.Role, p piece) {
	u, done := Unit{p.typ, p.body, p.open || r.sides[to].in.Epoch() == 0}, r.sides[to].completed
	if p.typ == wire.ContentApplicationData && (done == r.stage.handshakes() || r.stage.Flow.further != 0) {
		r.said[to] = append(r.said[to], p.body...)
	}
	if done != r.stage.handshakes()-1 {
		return
	}
	r.applied = r.applied || p.odd
	if !p.lost && !p.end {
		r.got[to] = append(r.got[to], u)
	}
}

// seal makes the records of a piece.
func (r *run) seal(to wire.Role, p piece) (records []byte) {
	x, body := r.sides[to], p.body
	switch {
	case p.lost, r.deviation.Mend && r.gaveUp(p):
		return nil
	case p.typ == wire.ContentHandshake && (p.mend || r.deviation.Mend && !p.odd) && x.completed == r.stage.handshakes()-1:
		body = x.mend(r.stage.Flow, r.stage.keys[to.Peer()], body)
	}
	for {
		n := min(len(body), maxContent)
		records = append(records, x.seal(p.typ, body[:n], p.open)...)
		if body = body[n:]; len(body) == 0 {
			return records
		}
	}
}

const maxContent = 1 << 14

// gaveUp reports an alert by which the victim's peer ends the connection, because of
// what the victim answered. A rogue would not.
func (r *run) gaveUp(p piece) bool {
	return p.typ == wire.ContentAlert && !p.odd && len(p.body) == 2 && p.body[0] == byte(wire.LevelFatal)
}
