package engine

import (
	"bytes"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// A peer that sends part of a record and then nothing holds a small buffer, not
// the large one it was received into: on a socket that is read, and on one that
// becomes idle.
func TestPartOfARecordHoldsASmallBuffer(t *testing.T) {
	for name, wait := range map[string]func(*Engine){
		"blocked": func(e *Engine) { e.LendUpTo(Bulk); e.Unlend() },
		"idle":    (*Engine).IdleIn,
	} {
		l := connect(newClientHost(), newServerHost()).run().done(t)
		e := l.server.Engine
		part := clearRecord(wire.ContentApplicationData, make([]byte, 100)...)[:50]
		n := copy(e.LendUpTo(Bulk), part)
		e.Filled(n)
		if _, err := e.Read(make([]byte, 10)); err != ErrWantInput {
			t.Fatal(name, err)
		}
		wait(e)
		if len(e.in.buf) != small || string(e.in.buf[e.in.r:e.in.w]) != string(part) {
			t.Errorf("%s: %d bytes of buffer for %x", name, len(e.in.buf), e.in.buf[e.in.r:e.in.w])
		}
	}
}

// Output that does not go moves to a buffer that fits, and goes as it was.
func TestStalledOutputHoldsASmallBuffer(t *testing.T) {
	l := connect(newClientHost(), newServerHost()).run().done(t)
	e, data := l.client.Engine, bytes.Repeat([]byte("0123456789abcdef"), 14<<10)
	if n, err := l.client.Write(data); n != len(data) || err != nil || len(e.out.lent.bytes) != Bulk {
		t.Fatal(n, err, len(e.out.lent.bytes))
	}
	want := bytes.Clone(e.Output())
	for _, size := range []int{136 << 10, 70 << 10, 36 << 10, Whole, 6 << 10, small} {
		rest := size - 100
		e.Sent(len(e.Output()) - rest)
		e.Stalled()
		if len(e.out.lent.bytes) != size || !bytes.Equal(e.Output(), want[len(want)-rest:]) {
			t.Errorf("%d bytes, the right ones, are in a buffer of %d", rest, len(e.out.lent.bytes))
		}
	}
	e.Sent(len(e.Output()))
	if e.Stalled(); len(e.out.lent.bytes) != small || len(e.Output()) != 0 {
		t.Error("there is no small buffer for the next message")
	}
	if e.IdleOut(); e.out.outbox != nil {
		t.Error("a buffer is held for nothing")
	}
}

// What an application has not read, because it is busy, lies in a buffer that fits,
// opened, inflated or not, and is read as it was.
func TestUndeliveredDataHoldsASmallBuffer(t *testing.T) {
	for name, hosts := range map[string]func(testing.TB) (c, s *host){
		"TLS 1.3": hosts13, "TLS 1.2": hosts12, "compressed": only(wire.TLS12, compression),
	} {
		l := connect(hosts(t)).run().done(t)
		data := make([]byte, 12*record.MaxPlaintext)
		for i := range data {
			data[i] = byte(i*i) ^ byte(i>>8)
		}
		if n, err := l.server.Write(data); n != len(data) || err != nil {
			t.Fatal(name, n, err)
		}
		e, sealed := l.client.Engine, l.server.take()
		e.Filled(copy(e.LendUpTo(Bulk), sealed))
		var got []byte
		all := bytes.Repeat(poison, Bulk/len(poison))
		for _, step := range []int{100, 4 << 10, 12 << 10, 1, 32 << 10, 70 << 10, 50 << 10} {
			p := make([]byte, step)
			n, err := e.Read(p)
			got = append(got, p[:n]...)
			if err != nil {
				t.Fatal(name, err)
			}
			e.IdleIn()
			poisonPools(all)
			if rest := len(e.in.plain) + e.in.w - e.in.r; len(e.in.buf) != fits(rest) || e.in.swollen != nil {
				t.Errorf("%s: %d bytes are in a buffer of %d, and %d beside it", name, rest, len(e.in.buf), cap(e.in.swollen))
			}
		}
		p := make([]byte, len(data))
		n, _ := e.Read(p)
		if got = append(got, p[:n]...); !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes were read, not those that were written", name, len(got))
		}
		if e.in.buf != nil {
			t.Errorf("%s: a buffer is held for nothing", name)
		}
	}
}

// An application that was quick and is slow now is lent a small buffer again.
func TestLentBuffersShrink(t *testing.T) {
	l := connect(newClientHost(), newServerHost()).run().done(t)
	e := l.client.Engine
	part := []byte{byte(wire.ContentApplicationData), 3, 3, 0, 100, 1, 2, 3}
	e.Filled(copy(e.LendUpTo(Bulk), part))
	for _, size := range []int{Bulk, Whole, 36 << 10, small} {
		room := e.LendUpTo(size)
		if e.Filled(0); len(room) != size-len(part) || !bytes.Equal(e.in.buf[e.in.r:e.in.w], part) {
			t.Errorf("%d bytes of room in a buffer of %d, behind %x", len(room), size, e.in.buf[e.in.r:e.in.w])
		}
	}
	if room := e.LendUpTo(1); len(room) < e.Want() {
		t.Errorf("%d bytes of room; the record needs %d", len(room), e.Want())
	}
}

// While someone receives into the buffer, being idle must not take it away.
func TestIdleLeavesALentBuffer(t *testing.T) {
	l := connect(newClientHost(), newServerHost()).run().done(t)
	e := l.server.Engine
	lent := e.Lend(1)
	e.IdleIn()
	if e.in.lent == nil || &e.in.lent.bytes[0] != &lent[0] {
		t.Error("the buffer was given back while it was lent")
	}
}

// A message that may not come after the handshake is refused by its first
// byte, not gathered until it is whole.
func TestRefusedByTheFirstByteAfterTheHandshake(t *testing.T) {
	l := connect(newClientHost(), newServerHost()).run().done(t)
	l.client.inject(t, wire.ContentHandshake, byte(wire.TypeCertificate))
	e := l.server.Engine
	e.Filled(copy(e.Lend(100), l.client.take()))
	_, err := e.Read(make([]byte, 1))
	var fault *handshake.Error
	if !errors.As(err, &fault) || fault.Alert != wire.AlertUnexpectedMessage {
		t.Errorf("%v; want unexpected_message", err)
	}
}

// A warning waits once, however often a peer that does not read provokes it.
func TestWarningsDoNotQueueUp(t *testing.T) {
	var c control
	for range 1000 {
		c.alert(wire.Alert{Level: wire.LevelWarning, Code: wire.AlertNoRenegotiation}, nil)
	}
	if len(c.todo.alerts) != 1 {
		t.Errorf("%d alerts are queued", len(c.todo.alerts))
	}
}
