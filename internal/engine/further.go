package engine

import (
	"bytes"
	"context"
	"crypto/rand"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A further handshake runs inside the connection: a renegotiation, or TLS 1.3's
// authentication of a client. The In half runs it, while data that is under way
// still arrives under the keys there are. Once our first message of a renegotiation
// is out we send none until it is complete: OpenSSL, GnuTLS and Node take none.
// What it sends it leaves in the control
// queue, and the Out half seals that, and changes its keys, between two writes:
// so neither half waits for the other. RFC 5246 §7.4.1.1, RFC 8446 §4.6.2.

// Further is asked about handshakes after the first, by the In half.
type Further interface {
	// Config is what a handshake runs with that the peer asks for, and the context that
	// callbacks are shown; nil refuses it.
	Config() (context.Context, *handshake.Config)
	// SaveSession keeps a session of TLS 1.3; see Options.Saves.
	handshake.SessionSaver
	// Spent reports that the peer has asked for as many as it may.
	Spent() bool
	// Ended tells how a further handshake ended; err is nil if well.
	Ended(err error)
}

// further is the handshake under way, or the wish for one.
type further struct {
	config *handshake.Config // that it runs with, or will
	ctx    context.Context   // that callbacks are shown
	next   *handshake.Result // what it has agreed on so far
	// asked: a HelloRequest is out, and the client has not answered.
	asked bool
	// changed: the peer's new keys are in use, and its Finished is due.
	changed bool
	// todo is for the Out half, which gets it in one piece: between a
	// change_cipher_spec and its keys, or a Certificate and its proof, no data may go.
	todo []item
}

// ErrNoRenegotiation says that the peer goes on without a renegotiation.
var ErrNoRenegotiation error = &handshake.Error{
	Alert: wire.AlertNoRenegotiation, Received: true, Rule: "the peer does not want to renegotiate; the connection goes on as it was", Ref: "RFC 5246 §7.2.2",
}

// FurtherUnderWay reports whether a further handshake has begun and not ended.
func (e *Engine) FurtherUnderWay() bool { return e.further != nil }

// Renegotiate begins a renegotiation: the client's ClientHello, or the server's
// HelloRequest, waits for Flush. Callbacks are shown ctx.
func (e *Engine) Renegotiate(ctx context.Context, c *handshake.Config) error {
	switch {
	case e.in.err != nil:
		return *e.in.err
	case !e.profile.Renegotiates:
		return &handshake.Error{Rule: e.Result().Version.String() + " has no renegotiation", Ref: "RFC 8446 §4.1.2"}
	case e.FurtherUnderWay():
		return &handshake.Error{Rule: "a further handshake is already under way"}
	case !e.Result().SecureRenegotiation && !c.UnsafeRenegotiation:
		return &handshake.Error{Rule: "the peer does not know RFC 5746, without which a renegotiation can be spliced in by somebody else", Ref: "RFC 5746 §4",
			Hint: "upgrade the peer; if you must, set Legacy.UnsafeRenegotiation"}
	}
	e.in.wake() // the handshake looks for what has come
	e.further = &further{config: c, ctx: ctx}
	if e.in.role == wire.Client {
		e.startRenegotiation()
		return e.run()
	}
	e.further.asked = true
	context := wire.Context{Version: e.Result().Version, From: e.in.role}
	raw := wire.AppendMessage(nil, &wire.HelloRequest{}, context)
	if h := e.options.Hooks; h != nil && h.Message != nil {
		h.Message(trace.Message{Dir: trace.Sent, Raw: raw, Context: context, PostHandshake: true})
	}
	e.control.add(item{message: raw})
	return nil
}

// Authenticate asks a client of TLS 1.3 for its certificate. Callbacks are shown ctx.
func (e *Engine) Authenticate(ctx context.Context, c *handshake.Config) error {
	switch {
	case e.in.err != nil:
		return *e.in.err
	case e.FurtherUnderWay():
		return &handshake.Error{Rule: "a further handshake is already under way"}
	case !e.Result().PostHandshakeAuth:
		return &handshake.Error{Rule: "the client does not offer to be asked for a certificate after the handshake", Ref: "RFC 8446 §4.2.6"}
	}
	if err := handshake.MayAuthenticate(c, e.Result()); err != nil {
		return err
	}
	context := make([]byte, 16)
	rand.Read(context)
	e.in.wake() // the handshake looks for what has come
	e.further = &further{config: c, ctx: ctx}
	e.startAuthentication(context)
	return e.run()
}

// Cancel takes back a HelloRequest that the client has not answered. It reports
// whether there was one.
func (e *Engine) Cancel() bool {
	asked := e.FurtherUnderWay() && e.further.asked
	if asked {
		e.further = nil
	}
	return asked
}

func (e *Engine) startRenegotiation() {
	e.further.asked = false
	e.further.next = new(handshake.Result)
	e.hs = handshake.Renegotiate(e.in.role, e.further.config, e.options.Hooks, (*inside)(e), e.further.next, e.Result())
}

func (e *Engine) startAuthentication(context []byte) {
	next := *e.Result()
	e.further.next = &next
	e.hs = handshake.Authenticate(e.in.role, e.further.config, e.options.Hooks, (*inside)(e), &next, e.Result(), context)
}

// begin handles a message with which a further handshake can begin. It reports
// whether one does.
func (e *Engine) begin(step *handshake.PostStep) bool {
	r := e.Result()
	if e.further == nil {
		if e.options.Further == nil || e.control.has(ended) { // where we cannot answer, nothing begins
			return false
		}
		if e.profile.Renegotiates && !r.SecureRenegotiation && !(e.options.UnsafeRenegotiation && e.in.role == wire.Client) {
			// A client without RFC 5746 is never renegotiated with at its own wish.
			return false
		}
		ctx, config := e.options.Further.Config()
		if config == nil {
			return false
		}
		e.further = &further{config: config, ctx: ctx}
	}
	if e.profile.Renegotiates {
		e.startRenegotiation()
	} else {
		e.startAuthentication(nil)
	}
	return true
}

// run takes the further handshake as far as what has arrived allows.
func (e *Engine) run() error {
	f := e.further
	err := e.hs.Run(f.ctx)
	done := err == nil && e.hs.Done()
	if done {
		e.hs.Settle()
		e.result.Store(f.next)
		f.do(item{release: true})
	}
	waiting := e.control.add(f.todo...)
	f.todo = nil
	if err == nil && waiting > maxItems {
		err = fault(wire.AlertUnexpectedMessage, "the peer begins one handshake after the other and does not take our answers", "")
	}
	if err != nil {
		return e.fail(err)
	}
	if done {
		e.endFurther(nil)
	}
	return nil
}

func (f *further) do(i item) { f.todo = append(f.todo, i) }

// endFurther is the end of a further handshake, or of the wish for one.
func (e *Engine) endFurther(err error) {
	if !e.FurtherUnderWay() {
		return
	}
	if err != nil {
		e.control.add(item{release: true})
	}
	e.further = nil
	e.Abandon()
	if e.options.Further != nil {
		e.options.Further.Ended(err)
	}
}

// declined takes the peer's no_renegotiation for what we have asked. It reports
// whether that was open.
func (e *Engine) declined() bool {
	switch {
	case e.further != nil && e.further.asked:
	case e.hs != nil && e.in.done && e.in.role == wire.Client && e.profile.Renegotiates && !e.hs.Heard():
	default:
		return false
	}
	e.endFurther(ErrNoRenegotiation)
	return true
}

// inside is the engine as a further handshake sees it.
type inside Engine

func (i *inside) Peek() (msg []byte, kind wire.HandshakeType, ok bool, err error) {
	e := (*Engine)(i)
	if kind := e.in.pseudo; kind != 0 {
		return nil, kind, true, nil
	}
	size, err := e.messageLen()
	if err != nil || size == 0 {
		return nil, 0, false, err
	}
	kind = wire.HandshakeType(e.in.hand[0])
	if step, _ := e.profile.After(e.Result(), e.in.role.Peer(), kind); !e.belongs(step) {
		return nil, 0, false, nil // postHandshake takes it
	}
	return e.in.hand[:size], kind, true, nil
}

func (i *inside) Consume()           { (*records)(i).Consume() }
func (i *inside) Idle() bool         { return (*records)(i).Idle() }
func (i *inside) ReadSecret() []byte { return (*records)(i).ReadSecret() }
func (i *inside) SkipEarlyData(int)  {}

func (i *inside) Send(msg []byte) error {
	i.further.do(item{message: bytes.Clone(msg), hold: i.profile.Renegotiates})
	return nil
}

func (i *inside) SendLate(message func(secret []byte) []byte) { i.further.do(item{late: message}) }

func (i *inside) SendChangeCipherSpec() error {
	i.further.do(item{ccs: true})
	return nil
}

func (i *inside) SendWarning(code wire.AlertCode) error {
	i.further.do(item{warning: code})
	return nil
}

func (i *inside) InstallIn(k handshake.Keys) {
	(*records)(i).InstallIn(k)
	i.further.changed = true
}

// InstallOut copies the keys: they are the handshake's, which may be over
// before they are used.
func (i *inside) InstallOut(k handshake.Keys) {
	k.Key, k.IV, k.MAC = bytes.Clone(k.Key), bytes.Clone(k.IV), bytes.Clone(k.MAC)
	i.further.do(item{keys: &k, sendLimit: i.hs.Limits().SendLimit})
}
