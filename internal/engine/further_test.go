package engine

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// furtherFlows are all shapes of handshake after the first. The first ownStates
// have states that no other has.
var furtherFlows = []flow{
	{"renegotiation by the server", byServer},
	{"renegotiation for a certificate", renegotiated(wire.Client, hosts12, clientAuth)},
	{"renegotiation with tickets", renegotiated(wire.Client, only(wire.TLS12, tickets))},
	{"renegotiation in SSL 3.0", renegotiated(wire.Client, hostsOld(wire.SSL30), clientAuth)},
	{"authentication", authenticated(hosts13)},
	{"authentication without a certificate", authenticated(hosts13, optional)},

	{"renegotiation by the client", byClient},
	{"renegotiation with a certificate", renegotiated(wire.Client, hostsAuth12)},
	{"renegotiation of a resumed session", renegotiated(wire.Client, hostsTicket)},
	{"renegotiation in SSL 3.0 without a certificate", renegotiated(wire.Server, hostsOld(wire.SSL30), optional)},
	{"renegotiation in TLS 1.0", renegotiated(wire.Server, hostsOld(wire.TLS10))},
	{"renegotiation with compression", renegotiated(wire.Client, only(wire.TLS12, compression))},
	{"renegotiation with limits", renegotiated(wire.Client, only(wire.TLS12, limits(0, 300)))},
	{"renegotiation with a pre-shared key", renegotiated(wire.Server, exchange(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, hint))},
	{"renegotiation to another suite", renegotiated(wire.Client, hosts12, suites(wire.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256))},
	{"authentication of a resumed session", authenticated(hostsPSK)},
	{"authentication after a retry", authenticated(hostsRetry)},
	{"authentication with SHA-384", authenticated(only(wire.TLS13, suites(wire.TLS_AES_256_GCM_SHA384)))},
}

const ownStates = 6

func compression(c, s *host) { c.config.Compression, s.config.Compression = true, true }

func TestEveryFurtherFlow(t *testing.T) {
	for _, f := range furtherFlows {
		t.Run(f.name, func(t *testing.T) {
			l := connect(f.hosts(t)).run().done(t).talk(t)
			before := *l.client.Result()
			l.again(t).done(t).talk(t)
			after := l.client.Result()
			if renewed := before.Secrets.Master != after.Secrets.Master; renewed != l.client.profile.Renegotiates {
				t.Errorf("the secrets are new: %v", renewed)
			}
			asked, shown := l.server.host.config.ClientAuth != 0, l.client.host.certificate != nil
			if got := len(l.server.Result().Peer.Certificates) > 0; got != (asked && shown) {
				t.Errorf("the server has the client's certificate: %v", got)
			}
			l.again(t).done(t).talk(t)
		})
	}
}

// What one run of a further handshake sends is given to the Out half in one piece:
// a Write beside it can put nothing between its messages, nor between a
// change_cipher_spec and the keys that follow it.
func TestTheOutHalfGetsWholeFlights(t *testing.T) {
	for _, f := range furtherFlows {
		l := connect(f.hosts(t)).run().done(t)
		for _, s := range []*side{l.client, l.server} {
			var writing bool // in Flush, whose events are the Out half's
			s.hooks.Record = func(r trace.Record) { writing = r.Dir == trace.Sent }
			s.hooks.Message = func(m trace.Message) {
				if !writing && s.Pending() {
					t.Errorf("%s: the %v's Out half could send in front of %v", f.name, s.Role(), wire.HandshakeType(m.Raw[0]))
				}
			}
		}
		l.again(t).done(t)
	}
}

// A peer that declines changes nothing, and the other may be asked again.
func TestDeclined(t *testing.T) {
	for _, by := range []wire.Role{wire.Client, wire.Server} {
		l := connect(renegotiated(by, hosts12)(t)).run().done(t)
		initiator, peer := l.of(by), l.of(by.Peer())
		for range 3 {
			initiator.ended, peer.host.again = nil, false
			before := initiator.Result()
			l.again(t)
			if len(initiator.ended) != 1 || initiator.ended[0] != ErrNoRenegotiation || initiator.FurtherUnderWay() || initiator.hs != nil {
				t.Fatalf("%v: it ended with %v", by, initiator.ended)
			}
			if initiator.Result() != before {
				t.Error("what was agreed on has changed")
			}
			l.talk(t)
		}
		peer.host.again, initiator.ended, peer.ended = true, nil, nil
		l.client.expected, l.server.expected = 0, 0
		l.again(t).done(t).talk(t)
	}
}

// A request that is taken back leaves nothing behind.
func TestCancel(t *testing.T) {
	l := connect(byServer(t)).run().done(t)
	if l.server.Cancel() {
		t.Error("there was nothing to take back")
	}
	if err := l.server.Renegotiate(context.Background(), &l.server.host.config); err != nil {
		t.Fatal(err)
	}
	if !l.server.FurtherUnderWay() || !l.server.Cancel() || l.server.FurtherUnderWay() {
		t.Error("the request was not taken back")
	}
	l.run().talk(t) // the client answers all the same: the server takes it as its own wish
	if len(l.server.ended) != 1 || l.server.ended[0] != nil {
		t.Errorf("it ended with %v", l.server.ended)
	}
}

// Data that waits for the application is neither lost nor out of order, whether it
// was received by Read or for the handshake.
func TestHeldDataKeepsItsOrder(t *testing.T) {
	l := connect(byClient(t)).run().done(t)
	var want []byte
	for i := range 40 {
		part := bytes.Repeat([]byte{byte(i)}, 100+i)
		want = append(want, part...)
		if _, err := l.server.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	e := l.client.Engine
	in := l.server.take()
	e.Filled(copy(e.Lend(len(in)), in))
	var got []byte
	room := make([]byte, 30)
	for i := range 20 {
		n, err := e.Read(room[:1+i])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, room[:n]...)
		if err := e.Further(); err != nil {
			t.Fatal(err)
		}
		e.Lend(1 << 15)[0] = 0xee // more is about to come
		e.Filled(0)
		l.client.poisoned = true
		l.client.poison()
	}
	for len(got) < len(want) {
		n, err := e.Read(room)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, room[:n]...)
	}
	if !bytes.Equal(got, want) {
		t.Error("the data is not what was sent")
	}
}

// An application that does not read holds a further handshake up, not the memory.
func TestHeldDataIsBounded(t *testing.T) {
	l := connect(byClient(t)).run().done(t)
	if err := l.client.host.then(l); err != nil {
		t.Fatal(err)
	}
	part := bytes.Repeat([]byte("x"), 16000)
	sent, e := 0, l.client.Engine
	var err error
	for err == nil {
		if _, err := l.server.Write(part); err != nil {
			t.Fatal(err)
		}
		sent += len(part)
		in := l.server.take()
		e.Filled(copy(e.Lend(len(in)), in))
		if err = e.Further(); sent > 2*maxHeld {
			t.Fatal("there is no bound")
		}
	}
	if err != ErrFull || e.Err() != nil || len(e.in.held) > maxHeld+len(part) {
		t.Fatal(err, e.Err(), len(e.in.held))
	}
	l.client.expected, l.server.expected = 1, 1
	if l.run().done(t); len(l.client.received) != sent {
		t.Errorf("%d bytes were received of %d", len(l.client.received), sent)
	}
	l.talk(t)
}

// A HelloRequest is ignored while a handshake is under way, in whatever record it
// comes, but not between the change of keys and the Finished.
func TestHelloRequestDuringAHandshake(t *testing.T) {
	request := []byte{byte(wire.TypeHelloRequest), 0, 0, 0}
	for name, e := range map[string]edit{
		"in front of the ServerHello": on(wire.TypeServerHello, func(raw []byte) [][]byte { return [][]byte{request, raw} }),
		"with the ServerHello":        on(wire.TypeServerHello, func(raw []byte) [][]byte { return [][]byte{append(bytes.Clone(request), raw...)} }),
		"behind the ServerHello":      on(wire.TypeServerHello, func(raw []byte) [][]byte { return [][]byte{append(raw, request...)} }),
		"before the last":             on(wire.TypeServerHelloDone, func(raw []byte) [][]byte { return [][]byte{request, request, raw} }),
	} {
		for _, hosts := range []func(testing.TB) (c, s *host){byClient, byServer} {
			if victim := (flow{hosts: hosts}).run(t, wire.Server, e); !victim.Done() || victim.err != nil {
				t.Errorf("%s: %v", name, victim.err)
			}
		}
	}
	double := on(wire.TypeHelloRequest, func(raw []byte) [][]byte { return [][]byte{append(bytes.Clone(raw), raw...)} })
	if victim := (flow{hosts: byServer}).run(t, wire.Server, double); !victim.Done() || victim.err != nil {
		t.Errorf("two in one record: %v", victim.err)
	}
	late := onceChanged(func(_ *records, raw []byte) [][]byte { return [][]byte{request, raw} })
	(flow{hosts: byClient}).run(t, wire.Server, late).wants(t, wire.AlertUnexpectedMessage)
}

// A HelloRequest may follow the Finished of the first handshake at once, but not in
// its record, where it would have been written before the handshake was complete.
func TestHelloRequestRightAfterTheFinished(t *testing.T) {
	request := []byte{byte(wire.TypeHelloRequest), 0, 0, 0}
	for _, together := range []bool{false, true} {
		c, s := byClient(t)
		l := connect(c, s, on(wire.TypeFinished, func(raw []byte) [][]byte {
			if together {
				return [][]byte{append(raw, request...)}
			}
			return [][]byte{raw}
		}))
		l.client.expected, l.server.expected = 1, 1
		if together {
			l.run().client.wants(t, wire.AlertUnexpectedMessage)
			continue
		}
		l.server.expected, l.client.expected = 0, 0
		l.run().done(t)
		l.server.inject(t, wire.ContentHandshake, request...)
		l.client.expected, l.server.expected = 1, 1
		l.run().done(t).talk(t)
		if len(l.client.ended) != 1 {
			t.Errorf("%v", l.client.ended)
		}
	}
}

// insatiable is a server that asks for a second renegotiation as soon as it can.
type insatiable struct{ *side }

func (i *insatiable) Ended(err error) {
	if i.side.Ended(err); len(i.ended) == 1 && err == nil {
		_ = i.Renegotiate(context.Background(), &i.host.config)
	}
}

// Neither side puts the first message of a renegotiation into the record of the
// Finished of one before.
func TestNothingSharesTheRecordOfAFinished(t *testing.T) {
	l := connect(byClient(t)).run().done(t)
	l.client.expected, l.server.expected = 2, 2
	if err := l.client.host.then(l); err != nil {
		t.Fatal(err)
	}
	l.server.options.Further = &insatiable{l.server}
	l.run().done(t).talk(t)
	if len(l.client.ended) != 2 || len(l.server.ended) != 2 {
		t.Errorf("%v, %v", l.client.ended, l.server.ended)
	}
}

// Where our own direction is closed a HelloRequest is refused: we could not answer.
func TestHelloRequestAfterCloseNotify(t *testing.T) {
	for _, fatal := range []bool{false, true} {
		l := connect(byClient(t)).run().done(t)
		l.client.options.RefuseFatally = fatal
		l.client.CloseNotify()
		l.server.inject(t, wire.ContentHandshake, byte(wire.TypeHelloRequest), 0, 0, 0)
		l.client.feed(l.server.take(), nil)
		if l.client.FurtherUnderWay() || len(l.client.ended) > 0 {
			t.Error("a renegotiation has begun")
		}
		var fault *handshake.Error
		if refused := errors.As(l.client.err, &fault) && fault.Alert == wire.AlertNoRenegotiation; refused != fatal {
			t.Errorf("fatal %v: %v", fatal, l.client.err)
		}
	}
}

// Both sides may begin at once: that is one renegotiation.
func TestBothBeginAtOnce(t *testing.T) {
	for _, first := range []wire.Role{wire.Client, wire.Server} {
		l := connect(byClient(t)).run().done(t)
		for _, by := range []wire.Role{first, first.Peer()} {
			if err := l.of(by).Renegotiate(context.Background(), &l.of(by).host.config); err != nil {
				t.Fatal(err)
			}
		}
		l.client.expected, l.server.expected = 1, 1
		l.run().done(t).talk(t)
		if len(l.client.ended) != 1 || len(l.server.ended) != 1 {
			t.Errorf("%v, %v", l.client.ended, l.server.ended)
		}
	}
}

// The end of the connection is the end of a handshake in it, and is told.
func TestTheConnectionEndsInAFurtherHandshake(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*side)
		want func(error) bool
	}{
		"close_notify": {func(s *side) { s.CloseNotify() }, func(err error) bool { return err.Error() == "EOF" }},
		"a cut":        {func(*side) {}, func(err error) bool { return err == ErrTruncated }},
		"an alert":     {func(s *side) { s.Fail(fault(wire.AlertUserCanceled, "enough", "")); s.Flush() }, func(err error) bool { return strings.Contains(err.Error(), "user_canceled") }},
	} {
		for _, by := range []wire.Role{wire.Client, wire.Server} {
			l := connect(byClient(t)).run().done(t)
			if err := l.client.host.then(l); err != nil {
				t.Fatal(err)
			}
			victim, other := l.of(by), l.of(by.Peer())
			l.client.step()
			l.server.feed(l.client.take(), nil) // which has answered
			test.end(other)
			if victim.feed(other.take(), nil); name == "a cut" {
				victim.end()
			}
			if victim.err == nil || !test.want(victim.err) || len(victim.ended) != 1 || victim.ended[0] != victim.err || victim.hs != nil {
				t.Errorf("%s, %v: the connection ended with %v, the handshake with %v", name, by, victim.err, victim.ended)
			}
			if len(victim.sent) > 0 {
				t.Errorf("%s, %v: %v was sent", name, by, victim.sent)
			}
		}
	}
}

// Keys that a 64-bit block cipher has worn out seal no more data, but may still be
// renewed.
func TestWornKeys(t *testing.T) {
	l := connect(renegotiated(wire.Client, only(wire.TLS12, withRSA, suites(wire.TLS_RSA_WITH_3DES_EDE_CBC_SHA), everySuite))(t)).run().done(t)
	var err error
	for err == nil {
		_, err = l.client.Write([]byte("x"))
		l.server.feed(l.client.take(), nil)
	}
	if n := len(l.server.received); err != errWorn || n < 1<<15 || l.client.err != nil {
		t.Fatalf("after %d records: %v, %v", n, err, l.client.err)
	}
	l.again(t).done(t).talk(t)
}

// Without extended master secret two connections could export the same.
func TestExportNeedsExtendedMasterSecret(t *testing.T) {
	for _, hosts := range []func(testing.TB) (c, s *host){hostsOld(wire.SSL30), only(wire.TLS12, func(c, _ *host) { c.config.NoExtendedMasterSecret = true })} {
		l := connect(hosts(t)).run().done(t)
		var fault *handshake.Error
		if err := l.client.Result().Export(make([]byte, 9), "label", nil); !errors.As(err, &fault) || !strings.Contains(err.Error(), "without extended master secret") {
			t.Error(err)
		}
	}
}
