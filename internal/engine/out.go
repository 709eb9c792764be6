package engine

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Batch is how many sealed bytes are gathered for one write to the socket at most:
// 16 records of the full size.
const Batch = 16 * (record.MaxPlaintext + 5 + 32)

// out is the half that writes.
type out struct {
	half record.Half // it keeps the traffic secret, TLS 1.3
	*outbox
	updates int32
	limit   int32 // most content of a record that the peer takes; 0 for any
	closed  bool  // a close_notify or fatal alert is out
	owed    bool  // messages of a further handshake are in flight or buf
	// held: a renegotiation has begun and is not complete, and so application data
	// must wait: at the latest from our new keys on, RFC 5246 §7.4.9.
	held bool
}

// install puts new keys into use.
func (o *out) install(k handshake.Keys) {
	o.half.SetKeys(k.Params)
	if o.wake().deflate = nil; k.Compression == wire.CompressionDeflate {
		o.deflate = record.NewCompressor()
	}
}

// Output returns the sealed bytes to send; Sent tells how many went.
func (e *Engine) Output() []byte {
	if e.out.outbox == nil {
		return nil
	}
	return e.out.buf
}

// Sent says that the first n bytes of Output are on their way.
func (e *Engine) Sent(n int) {
	o := e.out.wake()
	o.buf = o.buf[n:]
	if len(o.buf) > 0 {
		return
	}
	o.owed = false
	if o.lent != nil && len(o.lent.bytes) == small { // for the next message; IdleOut gives it back
		o.buf = o.lent.bytes[:0]
		return
	}
	giveBack(o.lent)
	o.buf, o.lent = nil, nil
}

// Stalled says that no more of Output goes for now. What is left moves to a buffer
// that fits: a peer that does not read must not hold a large one.
func (e *Engine) Stalled() {
	if o := e.out.wake(); o.lent != nil && fits(len(o.buf)) < len(o.lent.bytes) {
		o.rehouse(len(o.buf))
	}
}

// Owes reports that Output has messages of a further handshake, for which the peer
// waits.
func (e *Engine) Owes() bool { return e.out.owed }

// reserve makes room for n more sealed bytes.
func (o *out) reserve(n int) {
	if cap(o.buf)-len(o.buf) < n {
		o.rehouse(len(o.buf) + n)
	}
}

// rehouse moves the output to another buffer, of at least size bytes.
func (o *out) rehouse(size int) {
	old := o.lent
	o.lent = borrow(size)
	o.buf = append(o.lent.bytes[:0], o.buf...)
	giveBack(old)
}

// seal adds one record to the output.
func (e *Engine) seal(typ wire.ContentType, content []byte) error {
	o := e.out.wake()
	padding := 0
	if e.options.Padding != nil && o.half.Epoch() > 0 && (e.profile == nil || e.profile.PlainCCS) { // before TLS 1.3 there is none
		padding = max(0, min(e.options.Padding(len(content)), e.out.most()-len(content)))
	}
	sent := content
	if o.deflate != nil {
		o.squeezed = o.deflate.Append(o.squeezed[:0], content)
		sent = o.squeezed
	}
	o.reserve(len(sent) + padding + o.half.Overhead())
	start, epoch, seq := len(o.buf), o.half.Epoch(), o.half.Seq()
	b, err := o.half.Seal(o.buf, typ, e.recordVersion(), sent, padding)
	if err != nil {
		return err
	}
	o.buf = b
	if h := e.options.Hooks; h != nil && h.Record != nil {
		h.Record(trace.Record{Dir: trace.Sent, Epoch: epoch, Seq: seq, Type: typ, Wire: b[start:], Plain: content, Padding: padding})
	}
	return nil
}

// recordVersion is what our headers say.
func (e *Engine) recordVersion() wire.Version {
	switch {
	case e.profile != nil:
		return e.profile.RecordVersion
	case e.out.half.Epoch() > 0: // early data
		return wire.TLS12
	case e.hs != nil:
		return e.hs.HelloVersion()
	}
	return wire.TLS10
}

// fragment is the most content that we put into a record.
func (e *Engine) fragment() int {
	if n := e.options.MaxFragment; n > 0 {
		return min(int(n), e.out.most())
	}
	return e.out.most()
}

// most is the most plaintext that the peer takes in a record.
func (o *out) most() int {
	if o.limit > 0 {
		return int(o.limit)
	}
	return record.MaxPlaintext
}

// flushFlight seals the handshake messages gathered so far. Several messages
// share a record.
func (e *Engine) flushFlight() error {
	o := e.out.wake()
	for rest := o.flight; len(rest) > 0; {
		n := min(len(rest), e.fragment())
		if err := e.seal(wire.ContentHandshake, rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	o.flight = o.flight[:0]
	if e.in.done {
		o.flight = nil
	}
	return nil
}

// sendCCS sends a change_cipher_spec record, in the clear where the version
// never protects it.
func (e *Engine) sendCCS() error {
	o := e.out.wake()
	content := []byte{wire.ChangeCipherSpecContent}
	if e.profile != nil && !e.profile.PlainCCS { // without a version it goes before early data
		return e.seal(wire.ContentChangeCipherSpec, content)
	}
	o.reserve(record.HeaderLen + len(content))
	start := len(o.buf)
	o.buf = record.AppendHeader(o.buf, record.Header{Type: wire.ContentChangeCipherSpec, Version: e.recordVersion(), Length: len(content)})
	o.buf = append(o.buf, content...)
	if h := e.options.Hooks; h != nil && h.Record != nil {
		h.Record(trace.Record{Dir: trace.Sent, Type: wire.ContentChangeCipherSpec, Wire: o.buf[start:], Plain: content})
	}
	return nil
}

// Write seals as much of p as a batch of most bytes of output holds, Batch bytes if
// that is less, and a record in any case. It returns how much that was; the rest is for
// after Output has been sent. What the In half asked for goes first.
func (e *Engine) Write(p []byte, most int) (n int, err error) {
	o := e.out.wake()
	if err := e.Flush(); err != nil {
		return 0, err
	}
	if o.closed {
		return 0, ErrClosed
	}
	if o.held {
		return 0, ErrHeld
	}
	most = min(most, Batch)
	full := e.fragment() + o.half.Overhead()
	o.reserve(min(max(1, most/full)*full, len(p)+(len(p)/e.fragment()+1)*o.half.Overhead()))
	for n < len(p) && (n == 0 || len(o.buf)+e.fragment()+2*o.half.Overhead() <= most) {
		if o.half.Limit() {
			if e.profile == nil || !e.profile.Updates {
				return n, errWorn
			}
			if err := e.KeyUpdate(false); err != nil {
				return n, err
			}
		}
		size := min(len(p)-n, e.fragment())
		if first := o.half.First(size); first < size { // BEAST, see record.First
			if err := e.seal(wire.ContentApplicationData, p[n:n+first]); err != nil {
				return n, err
			}
			n, size = n+first, size-first
		}
		if err := e.seal(wire.ContentApplicationData, p[n:n+size]); err != nil {
			return n, err
		}
		n += size
	}
	return n, nil
}

// ErrHeld says that data cannot be sent before a further handshake is complete.
var ErrHeld = errors.New("engine: a further handshake must be completed first")

// errWorn comes early enough for a renegotiation, and for a close_notify.
var errWorn error = &handshake.Error{Rule: "the keys have protected as much as is safe for a cipher with blocks of 64 bits (Sweet32)",
	Hint: "renegotiate, connect anew, or use another cipher"}

// ErrClosed says that nothing more can be sent: we have ended that, or the peer has
// ended the connection.
var ErrClosed error = &handshake.Error{Rule: "the connection is closed for writing"}

// Pending reports that Flush has something to do.
func (e *Engine) Pending() bool { return e.control.pending() }

// Flush turns what the In half has asked for into output.
func (e *Engine) Flush() error {
	if !e.control.pending() { // mostly
		if e.out.closed {
			return nil
		}
		return e.flushFlight()
	}
	todo, closed := e.control.take()
	e.out.closed = e.out.closed || closed
	if !e.out.closed {
		for i := range todo.items {
			if err := e.follow(&todo.items[i]); err != nil {
				return err
			}
		}
		if err := e.flushFlight(); err != nil {
			return err
		}
	}
	if todo.reply && !e.out.closed {
		if err := e.KeyUpdate(false); err != nil {
			return err
		}
	}
	for _, a := range todo.alerts {
		if err := e.sendAlert(a, todo.why); err != nil {
			return err
		}
	}
	return nil
}

// follow does what a further handshake asks for.
func (e *Engine) follow(i *item) error {
	o := e.out.wake()
	o.owed = o.owed || !i.release
	switch {
	case i.message != nil:
		o.flight = append(o.flight, i.message...)
		o.held = o.held || i.hold
	case i.late != nil:
		o.flight = append(o.flight, i.late(o.half.Secret())...)
	case i.ccs:
		if err := e.flushFlight(); err != nil {
			return err
		}
		return e.sendCCS()
	case i.warning != 0:
		return e.sendAlert(wire.Alert{Level: wire.LevelWarning, Code: i.warning}, nil)
	case i.keys != nil:
		if err := e.flushFlight(); err != nil {
			return err
		}
		o.install(*i.keys)
		o.limit, o.held = i.sendLimit, true
		e.reportKeys(trace.Sent, o.half.Epoch(), *i.keys)
		i.wipe()
	case i.release: // what a peer sends next must not stand in the record of its Finished
		o.held = false
		return e.flushFlight()
	}
	return nil
}

// Alert sends an alert; a fatal one or a close_notify is the last record.
func (e *Engine) sendAlert(a wire.Alert, why error) error {
	o := e.out.wake()
	if o.closed {
		return nil
	}
	if err := e.flushFlight(); err != nil {
		return err
	}
	if h := e.options.Hooks; h != nil && h.Alert != nil {
		h.Alert(trace.Alert{Dir: trace.Sent, Level: a.Level, Code: a.Code, Err: why})
	}
	if !e.in.done && e.hs != nil && o.half.Epoch() > 0 && e.hs.OwesCCS() { // later the handshake is the In half's
		if err := e.sendCCS(); err != nil {
			return err
		}
	}
	if err := e.seal(wire.ContentAlert, a.Append(nil)); err != nil {
		return err
	}
	o.closed = a.Level == wire.LevelFatal || a.Code == wire.AlertCloseNotify
	if o.closed {
		e.control.state.Or(ended)
	}
	if a.Level == wire.LevelFatal {
		e.control.state.Or(endedFatally)
	}
	return nil
}

// CloseNotify says that we will write no more. RFC 8446 §6.1.
func (e *Engine) CloseNotify() error {
	return e.sendAlert(wire.Alert{Level: wire.LevelWarning, Code: wire.AlertCloseNotify}, nil)
}

// KeyUpdate moves our writing to the next traffic secret and, if asked to, has
// the peer do the same. RFC 8446 §4.6.3.
func (e *Engine) KeyUpdate(requestPeer bool) error {
	o := e.out.wake()
	if o.closed {
		return ErrClosed
	}
	if e.profile == nil || !e.profile.Updates || !e.in.done {
		return &handshake.Error{Rule: fmt.Sprintf("keys cannot be updated in %s", e.Result().Version), Ref: "RFC 8446 §4.6.3"}
	}
	m := &wire.KeyUpdate{}
	if requestPeer {
		m.Request = wire.UpdateRequested
		e.control.asked.Add(1)
	}
	c := wire.Context{Version: e.Result().Version, From: e.in.role}
	raw := wire.AppendMessage(nil, m, c)
	if h := e.options.Hooks; h != nil && h.Message != nil {
		h.Message(trace.Message{Dir: trace.Sent, Raw: raw, Context: c, PostHandshake: true})
	}
	if err := e.seal(wire.ContentHandshake, raw); err != nil {
		return err
	}
	o.updates++
	k := handshake.NextKeys(e.Result().Suite, o.half.Secret(), e.in.role, int(o.updates), e.options.Hooks)
	o.install(k)
	e.reportKeys(trace.Sent, o.half.Epoch(), k)
	return nil
}
