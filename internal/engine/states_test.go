package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// What may come in a state, and what may not: every state of every flow, for
// both roles. A state is known by the message that is due in it.

// at applies f to the n-th thing that a side sends, counted from 0.
func at(n int, f edit) edit {
	return func(r *records, raw []byte) [][]byte {
		if n--; n == -1 {
			return f(r, raw)
		}
		return [][]byte{raw}
	}
}

// dueOf returns the types of the messages that role sends in a flow.
func dueOf(t testing.TB, f flow, role wire.Role) (types []wire.HandshakeType) {
	f.run(t, role, func(_ *records, raw []byte) [][]byte {
		types = append(types, wire.HandshakeType(raw[0]))
		return [][]byte{raw}
	})
	return types
}

// run plays the flow with role as the rogue and returns the other side, of which
// only the alerts are kept.
func (f flow) run(t testing.TB, role wire.Role, e edit) (victim *side) {
	return f.logged(t, role, e, func(s *side) { s.hooks = trace.Hooks{Alert: s.hooks.Alert} })
}

// logged is run with the hooks that set leaves. Where a further handshake follows,
// the rogue is in that.
func (f flow) logged(t testing.TB, role wire.Role, e edit, set func(*side)) (victim *side) {
	t.Helper()
	c, s := f.hosts(t)
	first := map[wire.Role][]edit{}
	if c.then == nil {
		first[role] = []edit{e}
	}
	l := &link{client: newSide(wire.Client, c, first[wire.Client]...), server: newSide(wire.Server, s, first[wire.Server]...)}
	set(l.client)
	set(l.server)
	if l.run(); c.then != nil {
		l.done(t).of(role).edits = []edit{e}
		l.again(t)
	}
	return l.of(role.Peer())
}

// states calls check for every state of every flow, as seen by the victim.
func states(t *testing.T, check func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType)) {
	seen := map[string]bool{}
	for _, f := range flows {
		shape := f.shape(t)
		if seen[shape] {
			continue // its states are those of another flow
		}
		seen[shape] = true
		for _, role := range []wire.Role{wire.Client, wire.Server} {
			for n, typ := range dueOf(t, f, role) {
				if typ == wire.TypeNewSessionTicket && f.is13(t) {
					continue // after the handshake
				}
				name := typ.String()
				if typ == ccs {
					name = "change_cipher_spec"
					if f.is13(t) {
						continue // means nothing, see below
					}
				}
				t.Run(fmt.Sprintf("%s/%v/%d %s due", f.name, role.Peer(), n, name), func(t *testing.T) {
					t.Parallel()
					check(t, f, role, n, typ)
				})
			}
		}
	}
}

// shape is all that a flow's states depend on.
func (f flow) shape(t testing.TB) string {
	c, _ := f.hosts(t)
	kx := f.keyExchange(t)
	return fmt.Sprint(dueOf(t, f, wire.Client), dueOf(t, f, wire.Server), f.is13(t), kx.PSK(), kx.Certificate(), c.config.Versions[0] == wire.SSL30)
}

func (f flow) is13(t testing.TB) bool {
	c, _ := f.hosts(t)
	return c.config.Versions[0] == wire.TLS13
}

// wants fails the test unless s has ended with this alert sent.
func (s *side) wants(t testing.TB, want wire.AlertCode) {
	t.Helper()
	got, sent := s.alertOf()
	var fault *handshake.Error
	if !sent || got != want || !errors.As(s.err, &fault) || fault.Alert != want || fault.Received {
		t.Errorf("sent %v (%v) for %v; want %v", got, sent, s.err, want)
	}
}

// anyType are the types that are tried everywhere: all that exist, and others.
var anyType = []wire.HandshakeType{
	wire.TypeHelloRequest, wire.TypeClientHello, wire.TypeServerHello, 3, wire.TypeNewSessionTicket, wire.TypeEndOfEarlyData, 6,
	wire.TypeEncryptedExtensions, wire.TypeCertificate, wire.TypeServerKeyExchange, wire.TypeCertificateRequest, wire.TypeServerHelloDone,
	wire.TypeCertificateVerify, wire.TypeClientKeyExchange, wire.TypeFinished, wire.TypeCertificateStatus, wire.TypeKeyUpdate, 25, 99,
	handshake.SSL2Hello, handshake.NoCertificate, handshake.ChangeCipherSpec, // on the wire they are nothing; 254 is message_hash

}

// A message that is not due is refused by its type: its body, which parses as
// nothing, is not looked at.
func TestOnlyWhatIsDueIsTaken(t *testing.T) {
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
		asked := due != wire.TypeCertificateRequest && slices.Contains(dueOf(t, f, rogue)[:n], wire.TypeCertificateRequest)
		for _, typ := range anyType {
			if typ == due && due != ccs {
				continue
			}
			victim := f.run(t, rogue, at(n, func(r *records, _ []byte) [][]byte {
				bad := []byte{byte(typ), 0, 0, 1, 0xff}
				if due == ccs {
					r.Send(bad)
					return nil
				}
				return [][]byte{bad}
			}))
			want := wire.AlertUnexpectedMessage
			if rogue == wire.Server && f.mayCome(t, typ, due) && !asked {
				want = wire.AlertDecodeError // taken, and then looked at
				if kx := f.keyExchange(t); typ == wire.TypeServerKeyExchange && kx.Share() == wire.ShareEC && !kx.PSK() {
					want = wire.AlertIllegalParameter // for its curve_type
				}
			}
			if got, _ := victim.alertOf(); got != want || victim.Done() {
				t.Errorf("%v in its place: done %v, sent %v for %v; want %v", typ, victim.Done(), got, victim.err, want)
			}
		}
	})
}

// mayCome reports whether typ may come where due does: a CertificateRequest may
// be there or not, and stands before these; a CertificateStatus that was announced
// may be missing, and so may the hint for a pre-shared key.
func (f flow) mayCome(t testing.TB, typ, due wire.HandshakeType) bool {
	kx := f.keyExchange(t)
	next, asks := wire.TypeServerHelloDone, kx.Certificate() && !kx.PSK()
	if f.is13(t) {
		next, asks = wire.TypeCertificate, true
	}
	switch {
	case typ == wire.TypeCertificateRequest && due == next:
		return asks
	case typ == next && due == wire.TypeCertificateRequest, typ == wire.TypeServerKeyExchange && due == wire.TypeCertificateStatus:
		return true
	case typ == wire.TypeServerKeyExchange && due == next:
		return kx.PSK() && kx.Share() == wire.ShareNone && !strings.HasSuffix(f.name, "hint")
	case typ == next && due == wire.TypeServerKeyExchange:
		return kx.PSK() && kx.Share() == wire.ShareNone
	}
	return false
}

var keyExchanges sync.Map // by flow's name

func (f flow) keyExchange(t testing.TB) wire.KeyExchange {
	kx, ok := keyExchanges.Load(f.name)
	if !ok {
		kx = connect(f.hosts(t)).run().done(t).client.Result().Suite.KeyExchange
		keyExchanges.Store(f.name, kx)
	}
	return kx.(wire.KeyExchange)
}

// A step left out, or taken twice, is noticed at once.
func TestNoStepIsSkippedOrRepeated(t *testing.T) {
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
		for name, e := range map[string]edit{
			"left out": func(*records, []byte) [][]byte { return nil },
			"twice": func(r *records, raw []byte) [][]byte {
				if due == ccs {
					(*Engine)(r).flushFlight()
					r.SendChangeCipherSpec()
				}
				return [][]byte{raw, raw}
			},
		} {
			victim := f.run(t, rogue, at(n, e))
			if name == "left out" && (due == wire.TypeCertificateRequest || due == wire.TypeCertificateStatus ||
				due == wire.TypeServerKeyExchange && f.mayCome(t, wire.TypeServerHelloDone, due)) {
				continue // it is optional: the Finished finds out
			}
			if victim.Done() && name == "twice" && due == wire.TypeFinished {
				if victim.err == nil {
					t.Errorf("%s: no error", name)
				}
				continue // the repetition is a message after the handshake
			}
			if victim.Done() {
				t.Errorf("%s: the handshake is complete", name)
			}
			if name == "left out" && victim.err == nil {
				continue // it waits
			}
			switch got, _ := victim.alertOf(); got {
			case wire.AlertUnexpectedMessage, wire.AlertBadRecordMAC:
			case wire.AlertProtocolVersion, wire.AlertIllegalParameter, wire.AlertDecodeError:
				// without a change_cipher_spec what is sealed is read as if in the
				// clear, and a first ClientHello is a bad second one
				if due != ccs && due != wire.TypeClientHello {
					t.Errorf("%s: sent %v for %v", name, got, victim.err)
				}
			default:
				t.Errorf("%s: sent %v for %v", name, got, victim.err)
			}
		}
	})
}

// before seals a record in front of what a side sends.
func before(typ wire.ContentType, content ...byte) edit {
	return func(r *records, raw []byte) [][]byte {
		e := (*Engine)(r)
		e.flushFlight()
		e.seal(typ, content)
		return [][]byte{raw}
	}
}

func TestApplicationDataBeforeTheFinished(t *testing.T) {
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
		victim := f.run(t, rogue, at(n, before(wire.ContentApplicationData, 'x')))
		if due == wire.TypeEndOfEarlyData { // it is early data, and comes as that alone
			if len(victim.received) > 0 || !bytes.HasSuffix(victim.early, []byte{'x'}) {
				t.Errorf("%q was delivered, and %q as early data", victim.received, victim.early)
			}
			return
		}
		if victim.wants(t, wire.AlertUnexpectedMessage); len(victim.received) > 0 {
			t.Error("the data was delivered")
		}
	})
}

// An alert ends the connection in every state, whatever level it claims in
// TLS 1.3, and nothing after it is looked at. One whose level is wrong is answered.
func TestAlertsAreTerminalEverywhere(t *testing.T) {
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, _ wire.HandshakeType) {
		for _, a := range []wire.Alert{
			{Level: wire.LevelFatal, Code: wire.AlertHandshakeFailure},
			{Level: wire.LevelWarning, Code: wire.AlertCloseNotify},
			{Level: wire.LevelFatal, Code: 200},
			{Level: wire.LevelWarning, Code: wire.AlertUnrecognizedName},
			{Level: 7, Code: wire.AlertInternalError},
		} {
			victim := f.run(t, rogue, at(n, before(wire.ContentAlert, byte(a.Level), byte(a.Code))))
			if harmless := a.Level == wire.LevelWarning && a.Code != wire.AlertCloseNotify && !f.is13(t); harmless {
				if !victim.Done() || victim.err != nil {
					t.Errorf("%v ended a handshake in which it is a warning: %v", a, victim.err)
				}
				continue
			}
			if a.Level == 7 {
				victim.wants(t, wire.AlertIllegalParameter)
				continue
			}
			var fault *handshake.Error
			if victim.Done() || !errors.As(victim.err, &fault) || !fault.Received || fault.Alert != a.Code || victim.err == io.EOF {
				t.Errorf("%v: done %v, error %v", a, victim.Done(), victim.err)
			}
			noCertificate := wire.Alert{Level: wire.LevelWarning, Code: wire.AlertNoCertificate}
			if slices.ContainsFunc(victim.sent, func(a wire.Alert) bool { return a != noCertificate }) {
				t.Errorf("%v was answered with %v", a, victim.sent)
			}
		}
	})
}

// A client that cannot use our flight may have no keys yet: its alert comes in the
// clear, and is heard as what it is although we expect protected records, whatever its
// level. RFC 8446 §6.2.
func TestAnAlertInTheClearIsHeard(t *testing.T) {
	for name, hosts := range map[string]func(testing.TB) (c, s *host){
		"TLS 1.3": hosts13, "a PSK": hostsPSK, "a retry": hostsRetry, "a certificate of the client": hostsAuth13, "both versions": both(),
	} {
		for _, level := range []wire.AlertLevel{wire.LevelFatal, wire.LevelWarning} {
			for _, ccsFirst := range []bool{false, true} {
				c, s := hosts(t)
				l := connect(c, s)
				l.tamper = func(from wire.Role, rec []byte) [][]byte {
					answers := from == wire.Client && l.server.in.half.Epoch() > 0
					switch {
					case answers && wire.ContentType(rec[0]) == wire.ContentChangeCipherSpec && ccsFirst:
						return [][]byte{rec}
					case answers:
						return [][]byte{clearRecord(wire.ContentAlert, byte(level), byte(wire.AlertBadCertificate))}
					}
					return [][]byte{rec}
				}
				l.run()
				var fault *handshake.Error
				if !errors.As(l.server.err, &fault) || !fault.Received || fault.Alert != wire.AlertBadCertificate || len(l.server.sent) > 0 {
					t.Errorf("%s, %v, change_cipher_spec first %v: the server ended with %v", name, level, ccsFirst, l.server.err)
				}
			}
		}
	}
}

func TestTheEndOfTheStreamIsTerminalEverywhere(t *testing.T) {
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, _ wire.HandshakeType) {
		stopped := false
		victim := f.run(t, rogue, func(r *records, raw []byte) [][]byte {
			if n--; n < 0 {
				stopped = true
			}
			if stopped {
				return nil
			}
			return [][]byte{raw}
		})
		if victim.err != nil && victim.Done() {
			t.Fatal(victim.err)
		}
		if victim.err == nil {
			victim.end()
		}
		if !isFault(victim.err) && !strings.Contains(victim.err.Error(), "during the handshake") {
			t.Errorf("the end is not told apart from one after the handshake: %v", victim.err)
		}
		if !errors.Is(victim.err, io.ErrUnexpectedEOF) && !isFault(victim.err) || victim.err == io.EOF || victim.Done() {
			t.Errorf("done %v, error %v", victim.Done(), victim.err)
		}
	})
}

func isFault(err error) bool {
	var fault *handshake.Error
	return errors.As(err, &fault) && fault.Alert != 0
}

// CVE-2014-0224: a change_cipher_spec that is not due changes nothing and ends
// the handshake. In TLS 1.3 it means nothing, and only a plain one is tolerated.
func TestChangeCipherSpecWhereItIsNotDue(t *testing.T) {
	plain := func(r *records, raw []byte) [][]byte {
		e := (*Engine)(r)
		e.flushFlight()
		rec := clearRecord(wire.ContentChangeCipherSpec, 1)
		copy(rec[1:], wire.AppendU16(nil, e.recordVersion()))
		e.out.buf = append(e.out.buf, rec...)
		return [][]byte{raw}
	}
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
		if due == ccs {
			return
		}
		victim := f.run(t, rogue, at(n, plain))
		if f.is13(t) && n > 0 {
			if !victim.Done() || victim.err != nil {
				t.Errorf("a plain one was not dropped: %v", victim.err)
			}
			victim = f.run(t, rogue, at(n, before(wire.ContentChangeCipherSpec, 2)))
			victim.wants(t, wire.AlertUnexpectedMessage)
			victim = f.run(t, rogue, at(n, before(wire.ContentChangeCipherSpec, 1)))
			if victim.err != nil {
				victim.wants(t, wire.AlertUnexpectedMessage)
			} else if n > 1 && !strings.HasSuffix(f.name, "retry") {
				t.Error("a protected one was dropped")
			}
			return
		}
		if got, _ := victim.alertOf(); victim.Done() || got != wire.AlertUnexpectedMessage && got != wire.AlertBadRecordMAC {
			t.Errorf("done %v, sent %v for %v", victim.Done(), got, victim.err)
		}
	})
}

// Nothing may come between two records of one message. RFC 8446 §5.1.
func TestInterleavedRecords(t *testing.T) {
	for name, rec := range map[string][]byte{
		"alert":              {byte(wire.ContentAlert), 1, 90},
		"application_data":   {byte(wire.ContentApplicationData), 'x'},
		"change_cipher_spec": {byte(wire.ContentChangeCipherSpec), 1},
	} {
		states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
			if due == ccs || name == "alert" && !f.is13(t) {
				return
			}
			victim := f.run(t, rogue, at(n, func(r *records, raw []byte) [][]byte {
				e := (*Engine)(r)
				e.flushFlight()
				e.seal(wire.ContentHandshake, raw[:2])
				e.seal(wire.ContentType(rec[0]), rec[1:])
				return [][]byte{raw[2:]}
			}))
			if victim.wants(t, wire.AlertUnexpectedMessage); victim.Done() {
				t.Error(name, "was taken")
			}
		})
	}
}

// After the handshake each version takes a few messages, and no others.
func TestAfterTheHandshake(t *testing.T) {
	allowed := map[wire.Version]map[wire.Role][]wire.HandshakeType{
		wire.TLS12: {wire.Client: {wire.TypeClientHello}, wire.Server: {wire.TypeHelloRequest}},
		wire.TLS13: {wire.Client: {wire.TypeKeyUpdate}, wire.Server: {wire.TypeKeyUpdate, wire.TypeNewSessionTicket}},
	}
	for version, byRole := range allowed {
		for role, good := range byRole {
			for _, typ := range anyType {
				l := connect(only(version)(t)).run().done(t)
				from, to := l.client, l.server
				if role == wire.Server {
					from, to = to, from
				}
				from.inject(t, wire.ContentHandshake, byte(typ), 0, 0, 2, 0xff, 0xff)
				l.run()
				want := wire.AlertUnexpectedMessage
				if slices.Contains(good, typ) {
					want = wire.AlertDecodeError
				}
				if to.wants(t, want); t.Failed() {
					t.Fatalf("%v, %v from the %v", version, typ, role)
				}
			}
			for _, typ := range []wire.ContentType{wire.ContentChangeCipherSpec, 24, 0, 99} {
				l := connect(only(version)(t)).run().done(t)
				from, to := l.client, l.server
				if role == wire.Server {
					from, to = to, from
				}
				from.inject(t, typ, 1)
				l.run()
				if to.wants(t, wire.AlertUnexpectedMessage); t.Failed() {
					t.Fatalf("%v, a record of type %d from the %v", version, typ, role)
				}
			}
		}
	}
}

// After the handshake too nothing may come inside a message.
func TestInterleavedAfterTheHandshake(t *testing.T) {
	for _, rec := range [][]byte{{byte(wire.ContentApplicationData), 'x'}, {byte(wire.ContentAlert), 1, 0}, {byte(wire.ContentApplicationData)}} {
		l := connect(hosts13(t)).run().done(t)
		l.server.inject(t, wire.ContentHandshake, 24, 0)
		l.server.inject(t, wire.ContentType(rec[0]), rec[1:]...)
		l.run()
		if l.client.wants(t, wire.AlertUnexpectedMessage); len(l.client.received) > 0 {
			t.Error("the data was delivered")
		}
	}
}
