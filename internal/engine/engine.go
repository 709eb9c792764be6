package engine

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Options are the settings of the record layer and of the time after the
// handshake.
type Options struct {
	Hooks *trace.Hooks // may be nil
	// Padding returns how many zero bytes to add to a TLS 1.3 record with
	// content of the given length; nil adds none.
	Padding func(contentLen int) int
	// Further decides on further handshakes; nil refuses those the peer asks for.
	Further Further
	// MaxFragment is the most content bytes of a record sent; 0 for 2^14.
	MaxFragment int32
	// Saves: Further keeps TLS 1.3 sessions, too.
	Saves bool
	// RefuseFatally ends the connection of a peer whose renegotiation is refused.
	RefuseFatally bool
	// UnsafeRenegotiation has a client follow a server that does not know RFC 5746.
	UnsafeRenegotiation bool
	// UnannouncedEnd has the stream end between two records without a close_notify.
	UnannouncedEnd bool
}

// Engine is one connection.
type Engine struct {
	options *Options
	profile *handshake.Profile // nil until the version is known
	hs      *handshake.State   // nil while no handshake is under way
	further *further           // nil for none
	in      in
	out     out
	control control
	result  atomic.Pointer[handshake.Result] // of the last complete handshake, or the first
}

// ErrWantInput says that more bytes are needed from the peer.
var ErrWantInput = errors.New("engine: more input is needed")

// ErrTruncated is the end of the stream without a close_notify: someone may
// have cut it. It is not io.EOF. RFC 8446 §6.1.
var ErrTruncated error = &handshake.Error{
	Alert: wire.AlertCloseNotify, Received: true, Err: io.ErrUnexpectedEOF,
	Rule: "the peer's stream ended without a close_notify, so what was received may not be all", Ref: "RFC 8446 §6.1",
	Hint: "the peer should close in order; if what it sends tells its own end, Legacy.UnannouncedEnd takes this for it",
}

// New makes the engine of one side. It keeps o.
func New(role wire.Role, c *handshake.Config, o *Options) *Engine {
	e := &Engine{options: o}
	e.in.role = role
	e.in.wake()
	e.out.wake()
	result := new(handshake.Result)
	e.result.Store(result)
	e.hs = handshake.New(role, c, o.Hooks, (*records)(e), result)
	return e
}

// Result is what the handshake has agreed on. It grows while the first one runs;
// a further one replaces it when it is complete.
func (e *Engine) Result() *handshake.Result { return e.result.Load() }

// Done reports whether the handshake is complete.
func (e *Engine) Done() bool { return e.in.done }

// CanWait reports that the peer does not wait for Output: it holds the tickets
// that follow a handshake, which may go with the first data.
func (e *Engine) CanWait() bool {
	return e.in.done && e.in.role == wire.Server && e.profile.TicketsLast
}

// Err is why nothing more is received, nil while more may be.
func (e *Engine) Err() error { return e.in.failed() }

// Refused reports that we have ended the connection with a fatal alert, which is sealed.
// It may be called at any time.
func (e *Engine) Refused() bool { return e.control.has(endedFatally) }

// Role is the side that this is.
func (e *Engine) Role() wire.Role { return e.in.role }

// Handshake runs the handshake as far as the bytes received allow. Afterwards
// Output may have something to send, also where there is an error: the alert.
// It returns ErrWantInput while more is needed and nil once it is complete.
func (e *Engine) Handshake(ctx context.Context) error {
	if e.in.done {
		return nil
	}
	if e.in.err != nil {
		return *e.in.err
	}
	e.in.wake()
	e.out.wake()
	if err := e.hs.Run(ctx); err != nil {
		return e.fail(err)
	}
	if err := e.flushFlight(); err != nil {
		return e.fail(err)
	}
	if e.in.err != nil { // a flight could not be sealed
		return *e.in.err
	}
	if !e.hs.Done() {
		e.settle()
		return ErrWantInput
	}
	e.in.done = true
	e.out.flight = nil
	e.Abandon()
	e.in.moved()
	if e.profile.TicketsLast {
		e.takeTickets()
	}
	e.settle()
	return nil
}

// takeTickets handles what came along with the peer's last flight, so that a
// connection which is never read holds no buffer. An error waits for Read.
func (e *Engine) takeTickets() {
	for e.in.err == nil && e.in.plain == nil {
		if n := 0; e.pump(nil, &n) != nil {
			break
		}
	}
}

// Abandon gives the handshake's state back. The engine may no longer handshake.
func (e *Engine) Abandon() {
	if e.hs != nil {
		e.hs.Release()
		e.hs = nil
	}
}

// fail ends the connection with the one alert for err. This is the one place.
func (e *Engine) fail(err error) error {
	if e.in.err != nil {
		return *e.in.err
	}
	err = asFault(err)
	var fault *handshake.Error
	code := wire.AlertInternalError
	not := notTLSIn(err)
	switch {
	case errors.As(err, &fault):
		code = fault.Alert
	case not != nil:
		code = not.Alert
	}
	if (not == nil || not.Alert != 0) && (fault == nil || !fault.Received) { // before anybody learns of it, and closes
		e.control.alert(wire.Alert{Level: wire.LevelFatal, Code: code}, err)
	}
	e.end(err)
	return err
}

// end is where a connection stops to receive.
func (e *Engine) end(err error) {
	e.in.err = &err
	e.in.drop()
	e.endFurther(err)
}

// asFault gives an error of the record layer the form of all others.
func asFault(err error) error {
	var broken *record.Error
	if errors.As(err, &broken) {
		return &handshake.Error{Alert: broken.Alert, Rule: broken.Rule, Ref: broken.Ref, Err: broken.Err}
	}
	return err
}

// Fail ends the connection for a reason from outside: a callback, a deadline.
func (e *Engine) Fail(err error) { e.fail(err) }

// Break ends the In half as it stands, because a callback did not return: nobody is
// told, and what has been received is lost.
func (e *Engine) Break(err error) {
	if e.in.err == nil {
		e.in.err = &err
	}
	e.in.drop()
	e.in.wake().held = nil
	e.further = nil
	e.Abandon()
}

// records is the engine as the handshake's driver sees it.
type records Engine

func (r *records) Peek() (msg []byte, kind wire.HandshakeType, ok bool, err error) {
	e := (*Engine)(r)
	if err := e.learn(); err != nil {
		return nil, 0, false, err
	}
	return e.nextMessage()
}

// learn takes over the version once it is known. Only then is it clear whether an alert
// may have come between the records of the hello that it was picked by. RFC 8446 §5.1.
func (e *Engine) learn() error {
	if e.profile != nil {
		return nil
	}
	if e.profile = e.hs.Profile(); e.in.between && e.profile != nil && !e.profile.WarningAlerts {
		return interleaved(wire.ContentAlert)
	}
	return nil
}

func (r *records) Consume() {
	in := &r.in
	in.moved()
	if in.pseudo != 0 {
		in.pseudo, in.ssl2 = 0, nil
		return
	}
	in.hand = in.hand[wire.MessageLen(in.hand):]
}

func (r *records) Idle() bool { return len(r.in.hand) == 0 }

func (r *records) Send(msg []byte) error {
	e := (*Engine)(r)
	if err := e.learn(); err != nil {
		return err
	}
	r.out.flight = append(r.out.flight, msg...)
	r.out.limit = e.hs.Limits().SendLimit
	return nil
}

func (r *records) SendWarning(code wire.AlertCode) error {
	return (*Engine)(r).sendAlert(wire.Alert{Level: wire.LevelWarning, Code: code}, nil)
}

// Only a handshake after the first needs these two.
func (r *records) SendLate(func([]byte) []byte) {}
func (r *records) ReadSecret() []byte           { return r.in.half.Secret() }

func (r *records) SendChangeCipherSpec() error {
	e := (*Engine)(r)
	if err := e.flushFlight(); err != nil {
		return err
	}
	return e.sendCCS()
}

// SkipEarlyData leaves room for the headers and tags of records.
func (r *records) SkipEarlyData(allowed int) {
	r.in.skip = int32(max(maxSkipped, allowed+allowed/8+4<<10))
}

func (r *records) InstallIn(k handshake.Keys) {
	limit := int(r.hs.Limits().ReceiveLimit)
	if k.Early > 0 { // it was sealed before the client could know of a limit
		limit = 0
	}
	r.in.install(k, limit)
	r.in.expectEarly(k.Early)
	(*Engine)(r).reportKeys(trace.Received, r.in.half.Epoch(), k)
}

func (r *records) InstallOut(k handshake.Keys) {
	e := (*Engine)(r)
	if err := e.flushFlight(); err != nil {
		e.fail(err)
		return
	}
	if k.Suite == nil {
		e.out.half.Clear()
		return
	}
	e.out.install(k)
	e.reportKeys(trace.Sent, r.out.half.Epoch(), k)
}

func (e *Engine) reportKeys(dir trace.Direction, epoch int, k handshake.Keys) {
	if h := e.options.Hooks; h != nil && h.Keys != nil {
		h.Keys(trace.Keys{Dir: dir, Epoch: epoch, Version: k.Version, Suite: k.Suite.ID, Secret: k.SecretName, Label: k.Label,
			Key: k.Key, IV: k.IV, MAC: k.MAC, EncryptThenMAC: k.EncryptThenMAC})
	}
}

// IdleIn and IdleOut drop what can be built again: the cipher objects and, while
// nobody receives into it, a buffer that is larger than what is in it. That may be data
// for an application that is busy with something else.
func (e *Engine) IdleIn() {
	e.in.half.Idle()
	if e.in.inbox == nil {
		return
	}
	if !e.in.lending {
		e.Unlend()
	}
	e.in.swollen = nil
	e.in.sleep()
}

func (e *Engine) IdleOut() {
	e.out.half.Idle()
	e.out.sleep()
}
