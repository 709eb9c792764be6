package engine

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A record that is refused is in the trace once, as it came, with the reason
// that the connection ends with.
func TestRefusedRecordIsReported(t *testing.T) {
	page := []byte("HTTP/1.1 400 Bad Request\r\n\r\n")
	zeros := []byte{'N', 'o', '.', 0, 0, 'a', 'n', 'd', ' ', 'm', 'o', 'r', 'e'}
	for _, c := range []struct {
		name string
		// came stands in the place of the server's first record, or of the one after the handshake.
		after bool
		came  func(rec []byte) []byte
		typ   wire.ContentType
		epoch int
		cut   int // how many of the bytes that came are not of the record
	}{
		{"no TLS", false, func([]byte) []byte { return page }, 'H', 0, 0},
		{"no TLS, and no length either", false, func([]byte) []byte { return zeros }, 'N', 0, 0},
		{"too long, of which little came", false, func([]byte) []byte { return []byte{22, 3, 3, 0xff, 0xff, 2} }, wire.ContentHandshake, 0, 0},
		{"unknown type, and what follows it", true, func(rec []byte) []byte { return append([]byte{25, 3, 3, 0, 1, 9}, rec...) }, 25, 2, 26},
		{"one bit", true, func(rec []byte) []byte { rec[7] ^= 1; return rec }, wire.ContentApplicationData, 2, 0},
		{"another outer type", true, func(rec []byte) []byte { rec[0] = 22; return rec }, wire.ContentHandshake, 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, server := only(wire.TLS13)(t)
			var came []byte
			replace := func(from wire.Role, rec []byte) [][]byte {
				switch {
				case from == wire.Client:
					return [][]byte{rec}
				case came != nil:
					return nil
				}
				came = c.came(slices.Clone(rec))
				return [][]byte{came}
			}
			l := connect(client, server)
			var got []trace.Record
			l.client.hooks.Record = func(r trace.Record) {
				if r.Err != nil {
					r.Wire = bytes.Clone(r.Wire)
					got = append(got, r)
				}
			}
			if !c.after {
				l.tamper = replace
			}
			l.run()
			if c.after {
				l.done(t).tamper = replace
				if _, err := l.server.Write([]byte("data")); err != nil {
					t.Fatal(err)
				}
				l.run()
			}
			if len(got) != 1 {
				t.Fatalf("%d records are reported as refused; the client ends with %v", len(got), l.client.err)
			}
			r := got[0]
			if r.Dir != trace.Received || r.Type != c.typ || r.Epoch != c.epoch || r.Seq != 0 || r.Plain != nil || r.Padding != 0 {
				t.Errorf("it is %+v", r)
			}
			if want := came[:len(came)-c.cut]; !bytes.Equal(r.Wire, want) {
				t.Errorf("its bytes are %x, not %x", r.Wire, want)
			}
			if l.client.err == nil || r.Err.Error() != l.client.err.Error() {
				t.Errorf("it was refused because of %v, the connection ends with %v", r.Err, l.client.err)
			}
			var not *NotTLSError
			var fault *handshake.Error
			if !errors.As(r.Err, &not) && !errors.As(r.Err, &fault) {
				t.Errorf("the reason is a %T", r.Err)
			}
		})
	}
}

// What opens and yet may not be there is refused too, without its content.
func TestProtectedChangeCipherSpecIsReported(t *testing.T) {
	l := connect(only(wire.TLS13)(t)).run().done(t)
	var got []trace.Record
	l.client.hooks.Record = func(r trace.Record) { got = append(got, r) }
	l.server.inject(t, wire.ContentChangeCipherSpec, 1)
	l.run()
	if len(got) == 0 || got[0].Err == nil || got[0].Plain != nil || got[0].Type != wire.ContentApplicationData {
		t.Errorf("reported are %+v", got)
	}
}

// A ticket is of the handshake in TLS 1.2 and follows it in TLS 1.3, for the
// side that sends it as for the one that takes it.
func TestTicketsInTheTrace(t *testing.T) {
	for version, after := range map[wire.Version]bool{wire.TLS12: false, wire.TLS13: true} {
		client, server := only(version, tickets)(t)
		l := connect(client, server)
		seen := 0
		for _, side := range []*side{l.client, l.server} {
			side.hooks.Message = func(m trace.Message) {
				ticket := wire.HandshakeType(m.Raw[0]) == wire.TypeNewSessionTicket
				if m.PostHandshake != (ticket && after) {
					t.Errorf("%v, %v: %v %v, after the handshake: %v", version, side.Role(), wire.HandshakeType(m.Raw[0]), m.Dir, m.PostHandshake)
				}
				if ticket {
					seen++
				}
			}
		}
		if l.run().done(t); seen != 2 {
			t.Errorf("%v: %d tickets are in the traces of both sides", version, seen)
		}
	}
}
