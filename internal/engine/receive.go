package engine

import (
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// Lend returns room for at least min bytes to receive into; Filled tells how
// many came. The room is valid until then.
func (e *Engine) Lend(min int) []byte {
	in := e.in.wake()
	in.rewind()
	if len(in.buf)-in.w < min {
		in.move(in.w - in.r + min)
	}
	in.lending = true
	return in.buf[in.w:]
}

// LendUpTo is Lend for a socket that is known to have something: it lends what a buffer
// of size bytes has free, and in any case what the next record needs.
func (e *Engine) LendUpTo(size int) []byte {
	in := e.in.wake()
	in.rewind()
	have := in.w - in.r
	size = max(size, have+e.Want())
	if len(in.buf) != fits(size) || len(in.buf)-in.w < size-have {
		in.move(size)
	}
	in.lending = true
	return in.buf[in.w:]
}

// rewind starts anew at the front of a buffer of which nothing is needed.
func (in *in) rewind() {
	if in.w == in.r && len(in.hand) == 0 && len(in.plain) == 0 {
		in.r, in.w = 0, 0
	}
}

// move brings what was received to the start of a buffer of at least size, and of the
// next class at most.
func (in *in) move(size int) {
	if len(in.buf) != fits(size) {
		in.rehouse(size)
		return
	}
	in.keep()
	in.w = copy(in.buf, in.buf[in.r:in.w])
	in.r = 0
}

// rehouse moves what is needed to another buffer, of at least size bytes: what is opened
// and not delivered, and behind it what is not opened.
func (in *in) rehouse(size int) {
	in.keep()
	plain, rest, old := in.plain, in.buf[in.r:in.w], in.lent
	in.lent = borrow(size)
	in.buf = in.lent.bytes
	in.r = copy(in.buf, plain)
	in.w = in.r + copy(in.buf[in.r:], rest)
	if len(plain) > 0 {
		in.plain = in.buf[:in.r:in.r]
	}
	giveBack(old)
}

// keep saves what aliases the buffer. Undelivered data never needs it: Read
// takes it all before more is received.
func (in *in) keep() {
	if len(in.hand) > 0 && !in.owned() {
		in.own = append(in.own[:0], in.hand...)
		in.hand = in.own
	}
}

func (in *in) owned() bool {
	return len(in.own) > 0 && len(in.hand) > 0 && len(in.hand) <= len(in.own) && &in.own[len(in.own)-1] == &in.hand[len(in.hand)-1]
}

// Filled says that n bytes were received into what Lend returned.
func (e *Engine) Filled(n int) {
	e.in.wake().w += n
	e.in.lending = false
}

// Want is how many more bytes the next record needs at least.
func (e *Engine) Want() int {
	in := e.in.wake()
	have := in.w - in.r
	if have < record.HeaderLen {
		return record.HeaderLen - have
	}
	return max(1, record.HeaderLen+record.ParseHeader(in.buf[in.r:]).Length-have)
}

// hungUp is what the end of the stream in a handshake may mean, by our role.
var hungUp = map[wire.Role]string{
	wire.Client: "it may want another name (ServerName) or version (MaxVersion), or not speak TLS on this port",
	wire.Server: "many clients do that when they do not trust the certificate",
}

// gaveUp is the same for a close_notify, which comes from a peer that speaks TLS.
var gaveUp = map[wire.Role]string{
	wire.Client: "it does not say why: it may want another name (ServerName) or version (MaxVersion)",
	wire.Server: "many clients do that when they do not trust the certificate",
}

// EOF says that the peer's stream has ended; err is io.EOF or why it broke.
func (e *Engine) EOF(err error) {
	if e.in.err != nil {
		return
	}
	if errors.Is(err, io.EOF) {
		switch {
		case e.in.done && e.options.UnannouncedEnd && e.betweenRecords():
			err = io.EOF
		case e.in.done:
			err = ErrTruncated
		default:
			err = &handshake.Error{Received: true, Rule: "the peer closed the connection during the handshake", Err: io.ErrUnexpectedEOF,
				Hint: hungUp[e.in.role]}
		}
	}
	e.end(err)
}

// betweenRecords: nothing of a record or of a message waits for its rest.
func (e *Engine) betweenRecords() bool {
	return e.in.wake().r == e.in.w && len(e.in.hand) == 0 && e.hs == nil
}

// Unlend gives back what Lend returned where nothing came. Part of a record may
// be left over, and the peer may never send the rest: that must not hold a
// large buffer.
func (e *Engine) Unlend() {
	e.in.lending = false
	e.settle()
	e.in.fit()
}

// fit moves what is left to a buffer that just holds it.
func (in *in) fit() {
	size, held := len(in.plain)+in.w-in.r, len(in.buf)
	if len(in.plain) > 0 {
		held += cap(in.swollen) // it may lie there
	}
	if fits(size) < held {
		in.rehouse(size)
	}
}

// settle gives the buffer back once nothing in it is needed.
func (e *Engine) settle() {
	in := e.in.wake()
	if len(in.plain) == 0 {
		in.plain = nil // an empty slice would keep the buffer alive
	}
	if in.r == in.w && in.plain == nil && (len(in.hand) == 0 || in.owned()) {
		giveBack(in.lent)
		in.buf, in.lent, in.r, in.w = nil, nil, 0, 0
	}
	if len(in.hand) == 0 {
		in.hand, in.own = nil, nil
	}
}

// drop gives up all that was received. A buffer that somebody may still be
// receiving into is not given to the next.
func (in *in) drop() {
	if in.inbox == nil {
		return
	}
	if !in.lending {
		giveBack(in.lent)
	}
	in.buf, in.lent, in.r, in.w, in.plain, in.hand, in.own = nil, nil, 0, 0, nil, nil, nil
}
