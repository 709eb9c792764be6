package engine

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// What may come in a handshake after the first, and what may not: every state of
// every such flow, for both roles.

// furtherStates calls check for every state in which the victim is in a further
// handshake. before is what the rogue has sent by then.
func furtherStates(t *testing.T, check func(t *testing.T, f flow, rogue wire.Role, before []wire.HandshakeType, due wire.HandshakeType)) {
	for _, f := range furtherFlows[:ownStates] {
		for _, role := range []wire.Role{wire.Client, wire.Server} {
			all := dueOf(t, f, role)
			for n, typ := range all {
				if n == 0 && (typ == wire.TypeHelloRequest || typ == wire.TypeClientHello || typ == wire.TypeCertificateRequest) ||
					typ == wire.TypeClientHello {
					continue // it begins the handshake
				}
				t.Run(fmt.Sprintf("%s/%v/%d %s due", f.name, role.Peer(), n, typ), func(t *testing.T) {
					t.Parallel()
					check(t, f, role, all[:n], typ)
				})
			}
		}
	}
}

// inPlace sends something else where due is.
func inPlace(before []wire.HandshakeType, raw ...[]byte) edit {
	return at(len(before), func(*records, []byte) [][]byte { return raw })
}

func TestOnlyWhatIsDueIsTakenInAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, before []wire.HandshakeType, due wire.HandshakeType) {
		for _, typ := range anyType {
			if typ == due && due != ccs {
				continue
			}
			victim := f.run(t, rogue, inPlace(before, []byte{byte(typ), 0, 0, 1, 0xff}))
			want := wire.AlertUnexpectedMessage
			switch changed := slices.Contains(before, ccs); {
			case typ == wire.TypeHelloRequest && rogue == wire.Server && !changed:
				want = wire.AlertDecodeError // it would be ignored, if it were empty
			case typ == wire.TypeKeyUpdate && f.is13(t) && due == wire.TypeCertificate:
				want = wire.AlertIllegalParameter // it may still come
			case rogue == wire.Server && f.mayCome(t, typ, due) && !slices.Contains(before, wire.TypeCertificateRequest):
				want = wire.AlertDecodeError // taken, and then looked at
			}
			if got, _ := victim.alertOf(); got != want || victim.Done() {
				t.Errorf("%v in its place: done %v, sent %v for %v; want %v", typ, victim.Done(), got, victim.err, want)
			}
		}
	})
}

// No further handshake is complete with a step left out, taken twice or out of
// its order.
func TestTheOrderOfAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, before []wire.HandshakeType, due wire.HandshakeType) {
		var kept []byte
		n := len(before)
		for name, e := range map[string]edit{
			"left out": inPlace(before),
			"twice":    at(n, func(_ *records, raw []byte) [][]byte { return [][]byte{raw, raw} }),
			"swapped": func(_ *records, raw []byte) [][]byte {
				switch n--; n {
				case -1:
					kept = raw
					return nil
				case -2:
					return [][]byte{raw, kept}
				}
				return [][]byte{raw}
			},
		} {
			victim := f.run(t, rogue, e)
			optional := due == wire.TypeCertificateRequest || due == wire.TypeServerKeyExchange && f.mayCome(t, wire.TypeServerHelloDone, due)
			switch got, sent := victim.alertOf(); {
			case name == "twice" && due == wire.TypeFinished && victim.Done():
				victim.wants(t, wire.AlertUnexpectedMessage) // for the repetition
			case victim.Done():
				t.Errorf("%s: the handshake is complete", name)
			case victim.err == nil && (name == "twice" || name == "swapped" && due != wire.TypeFinished && due != wire.TypeServerHelloDone):
				t.Errorf("%s: it goes on", name) // without the last of a flight it waits
			case !sent || got == wire.AlertUnexpectedMessage || got == wire.AlertBadRecordMAC:
			case optional && got == wire.AlertDecryptError: // by the Finished
			default:
				t.Errorf("%s: sent %v for %v", name, got, victim.err)
			}
		}
	})
}

// Data may come until the peer changes its keys, and is delivered.
func TestApplicationDataInAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, sent []wire.HandshakeType, _ wire.HandshakeType) {
		victim := f.run(t, rogue, at(len(sent), before(wire.ContentApplicationData, 'x')))
		if !slices.Contains(sent, ccs) {
			if !victim.Done() || victim.err != nil || string(victim.received) != "x" {
				t.Errorf("done %v, %v, received %q", victim.Done(), victim.err, victim.received)
			}
			return
		}
		if victim.wants(t, wire.AlertUnexpectedMessage); len(victim.received) > 0 || victim.Done() {
			t.Error("the data was delivered")
		}
	})
}

// An alert ends the connection, and the handshake in it, once.
func TestAlertsInAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, sent []wire.HandshakeType, _ wire.HandshakeType) {
		for _, a := range []wire.Alert{
			{Level: wire.LevelFatal, Code: wire.AlertHandshakeFailure},
			{Level: wire.LevelFatal, Code: wire.AlertNoRenegotiation},
			{Level: wire.LevelWarning, Code: wire.AlertCloseNotify},
			{Level: wire.LevelWarning, Code: wire.AlertUnrecognizedName},
		} {
			victim := f.run(t, rogue, at(len(sent), before(wire.ContentAlert, byte(a.Level), byte(a.Code))))
			var fault *handshake.Error
			switch {
			case a.Code == wire.AlertUnrecognizedName && !f.is13(t):
				if !victim.Done() || victim.err != nil {
					t.Errorf("a warning has ended it: %v", victim.err)
				}
				continue
			case a.Code == wire.AlertCloseNotify:
				if victim.err != io.EOF {
					t.Errorf("%v: %v", a, victim.err)
				}
			case a.Code == wire.AlertUnrecognizedName:
				victim.wants(t, wire.AlertDecodeError)
			case !errors.As(victim.err, &fault) || !fault.Received || fault.Alert != a.Code:
				t.Errorf("%v: %v", a, victim.err)
			}
			if victim.Done() || len(victim.ended) != 1 || victim.ended[0] != victim.err || victim.hs != nil {
				t.Errorf("%v: the handshake ended with %v", a, victim.ended)
			}
			if _, answered := victim.alertOf(); answered && a.Code != wire.AlertUnrecognizedName {
				t.Errorf("%v was answered with %v", a, victim.sent)
			}
		}
	})
}

func TestTheEndOfTheStreamInAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, before []wire.HandshakeType, _ wire.HandshakeType) {
		n := len(before)
		victim := f.run(t, rogue, func(_ *records, raw []byte) [][]byte {
			if n--; n < 0 {
				return nil
			}
			return [][]byte{raw}
		})
		if victim.err != nil || victim.Done() {
			t.Fatalf("done %v, %v", victim.Done(), victim.err)
		}
		victim.end()
		if victim.err != ErrTruncated || len(victim.ended) != 1 || victim.ended[0] != ErrTruncated || victim.Done() {
			t.Errorf("done %v, %v, %v", victim.Done(), victim.err, victim.ended)
		}
	})
}

// CVE-2014-0224 once more: under the old keys as well a change_cipher_spec is
// taken in its one place only.
func TestChangeCipherSpecInAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, sent []wire.HandshakeType, due wire.HandshakeType) {
		if due == ccs {
			return
		}
		victim := f.run(t, rogue, at(len(sent), before(wire.ContentChangeCipherSpec, 1)))
		if victim.wants(t, wire.AlertUnexpectedMessage); victim.Done() {
			t.Error("the handshake is complete")
		}
		if epochs := victim.in.half.Epoch(); !f.is13(t) && epochs > 1 && !slices.Contains(sent, ccs) {
			t.Errorf("the keys were changed: epoch %d", epochs)
		}
	})
}

// Between two records of one message nothing may come in TLS 1.3, and up to TLS 1.2
// data alone: so keys change only where the buffer of messages is empty. RFC 8446 §5.1,
// RFC 5246 §6.2.1.
func TestInterleavedRecordsInAFurtherHandshake(t *testing.T) {
	furtherStates(t, func(t *testing.T, f flow, rogue wire.Role, before []wire.HandshakeType, due wire.HandshakeType) {
		for _, rec := range [][]byte{{byte(wire.ContentApplicationData), 'x'}, {byte(wire.ContentChangeCipherSpec), 1}} {
			if due == ccs {
				continue
			}
			victim := f.run(t, rogue, at(len(before), func(r *records, raw []byte) [][]byte {
				e := (*Engine)(r)
				e.flushFlight()
				e.seal(wire.ContentHandshake, raw[:2])
				e.seal(wire.ContentType(rec[0]), rec[1:])
				return [][]byte{raw[2:]}
			}))
			if wire.ContentType(rec[0]) == wire.ContentApplicationData && !f.is13(t) && !slices.Contains(before, ccs) {
				if !victim.Done() || victim.err != nil || string(victim.received) != "x" {
					t.Errorf("done %v, %v, received %q", victim.Done(), victim.err, victim.received)
				}
				continue
			}
			if victim.wants(t, wire.AlertUnexpectedMessage); victim.Done() || len(victim.received) > 0 {
				t.Errorf("%v was taken", wire.ContentType(rec[0]))
			}
		}
	})
}

// What has come of a message in front of a change_cipher_spec, or behind a message
// that the keys change after, is of neither epoch.
func TestNothingRunsAcrossAFurtherChangeOfKeys(t *testing.T) {
	for _, f := range furtherFlows {
		for _, role := range []wire.Role{wire.Client, wire.Server} {
			i := slices.Index(dueOf(t, f, role), ccs)
			if i < 0 {
				continue
			}
			for _, more := range [][]byte{{20}, {20, 0, 0, 12, 1, 2, 3}} {
				victim := f.run(t, role, at(i-1, func(_ *records, raw []byte) [][]byte { return [][]byte{append(raw, more...)} }))
				if victim.wants(t, wire.AlertUnexpectedMessage); victim.Done() {
					t.Errorf("%s: done", f.name)
				}
			}
		}
	}
}
