package engine

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// flightsOf plays a flow and returns all that each side sent.
func flightsOf(t testing.TB, f flow) (client, server []byte) {
	c, s := f.hosts(t)
	l := connect(c, s)
	l.tamper = func(from wire.Role, rec []byte) [][]byte {
		if from == wire.Client {
			client = append(client, rec...)
		} else {
			server = append(server, rec...)
		}
		return [][]byte{rec}
	}
	l.run()
	return client, server
}

// fuzzSide feeds bytes to a side of every version. Its peer holds no keys, so
// it must never be done, never panic and never work for ever.
func fuzzSide(f *testing.F, role wire.Role) {
	for _, flow := range flows {
		client, server := flightsOf(f, flow)
		if role == wire.Client {
			client = server
		}
		f.Add(client, uint8(0))
		f.Add(client[:len(client)/2], uint8(1))
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(0))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n"), uint8(1))
	f.Add(clearRecord(wire.ContentAlert, 2, 40), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		h := newClientHost()
		if role == wire.Server {
			h = newServerHost()
			clientAuth(newClientHost(), h)
			ids(newClientHost(), h)
		}
		h.config.Tickets, h.config.Rand = true, zeros{}
		s := newSide(role, h)
		s.step()
		s.feed(b, func(left int) int {
			if piece == 0 {
				return left
			}
			return int(piece)
		})
		if s.Done() {
			t.Fatal("the handshake is complete with a peer that has no keys")
		}
		if s.steps > len(b)+3 {
			t.Fatalf("%d steps for %d bytes", s.steps, len(b))
		}
		ended := s.err
		s.end()
		if s.err == nil || ended != nil && s.err != ended {
			t.Fatalf("ended with %v, then with %v", ended, s.err)
		}
		if n := len(s.sent); n > 1 {
			t.Fatalf("%d alerts", n)
		}
	})
}

func FuzzClientEngine(f *testing.F) { fuzzSide(f, wire.Client) }
func FuzzServerEngine(f *testing.F) { fuzzSide(f, wire.Server) }

// FuzzBothTampered runs a flow while someone changes messages before they are
// sealed, or records on their way, by a script of four-byte commands:
//
//	where (even: message, odd: record), which one, what is done, a value
//
// However that goes, two sides that are both done agree on everything.
func FuzzBothTampered(f *testing.F) {
	for i := range flows {
		f.Add(uint8(i), []byte{})
		for what := range uint8(8) {
			f.Add(uint8(i), []byte{0, what, what, 6, 1, 3, what, 9})
			f.Add(uint8(i), []byte{2, 1, what, 40})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		c, s := flows[int(which)%len(flows)].hosts(t)
		m := &mutator{script: script}
		l := &link{tamper: m.record}
		l.client, l.server = newSide(wire.Client, c, m.message), newSide(wire.Server, s, m.message)
		l.run()
		if !l.client.Done() || !l.server.Done() {
			return
		}
		if why := l.disagree(); why != "" {
			t.Fatal(why)
		}
		if m.changed {
			t.Fatal("a handshake with a changed message is complete on both sides")
		}
	})
}

// mutator plays the script of FuzzBothTampered.
type mutator struct {
	script            []byte
	messages, records uint8
	changed           bool // a message that the Finished covers
}

// play applies the commands for the n-th item of a kind; nil leaves it out.
func (m *mutator) play(kind, n uint8, b []byte) [][]byte {
	list := [][]byte{b}
	for s := m.script; len(s) >= 4; s = s[4:] {
		if s[0]&1 != kind || s[1] != n || len(list) == 0 || len(list[0]) == 0 {
			continue
		}
		b, v := list[0], s[3]
		at := int(v) * len(b) / 256
		switch s[2] % 8 {
		case 0:
			b[at] ^= 1 << (s[2] >> 3 & 7)
		case 1:
			b[at] = v
		case 2:
			list[0] = b[:at]
		case 3:
			list = nil
		case 4:
			list = append(list, bytes.Clone(b))
		case 5:
			list[0] = append(b, v)
		case 6:
			b[0] = v
		case 7:
			list = append([][]byte{{v, 0, 0, 1, 0}}, list...)
		}
	}
	return list
}

func (m *mutator) message(r *records, raw []byte) [][]byte {
	if wire.HandshakeType(raw[0]) == ccs {
		return [][]byte{raw}
	}
	before := bytes.Clone(raw)
	m.messages++
	list := m.play(0, m.messages-1, raw)
	sent := bytes.Join(list, nil)
	late := false // what follows the last Finished, or is appended to it
	switch wire.HandshakeType(before[0]) {
	case wire.TypeNewSessionTicket:
		late = (*Engine)(r).hs.Profile().Updates
	case wire.TypeFinished:
		late = bytes.HasPrefix(sent, before)
	}
	if !bytes.Equal(sent, before) && !late {
		m.changed = true
	}
	return list
}

func (m *mutator) record(_ wire.Role, rec []byte) [][]byte {
	m.records++
	return m.play(1, m.records-1, bytes.Clone(rec))
}
