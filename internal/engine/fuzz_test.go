package engine

import (
	"bytes"
	stdtls "crypto/tls"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
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

// fuzzSide feeds bytes to a side that takes whatever there is; config chooses its
// versions, its certificate, and whether clients show one. Its peer holds no keys,
// so it must never be done, never panic and never work for ever.
func fuzzSide(f *testing.F, role wire.Role) {
	for i, flow := range flows {
		client, server := flightsOf(f, flow)
		if role == wire.Client {
			client = server
		}
		f.Add(client, uint8(0), uint8(i))
		f.Add(client[:len(client)/2], uint8(1), uint8(i))
	}
	f.Add(ssl2Hello(wire.TLS12, make([]byte, 32), 0x010080, wire.SSL2CipherSpec(wire.TLS_RSA_WITH_AES_128_CBC_SHA)), uint8(0), uint8(1))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), uint8(0), uint8(0))
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n"), uint8(1), uint8(0))
	f.Add(clearRecord(wire.ContentAlert, 2, 40), uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, b []byte, piece, config uint8) {
		h := liberal(role, config)
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
		if n := len(s.fatal()); n > 1 {
			t.Fatalf("%d alerts", n)
		}
	})
}

// liberal is a host with everything switched on.
func liberal(role wire.Role, config uint8) *host {
	h := newClientHost()
	if role == wire.Server {
		h = newServerHost()
		h.config.Store, h.config.SSL2Hello, h.config.PSKHint = true, true, "hint"
		h.config.ClientAuth = []stdtls.ClientAuthType{stdtls.NoClientCert, stdtls.RequestClientCert, stdtls.RequireAndVerifyClientCert}[config>>3%3]
	}
	all := []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30}
	h.config.Versions = all[config%5:]
	h.certificate = certificate([]string{"ecdsa", "rsa", "ed25519", "dsa"}[config>>5%4])
	h.config.Suites, h.config.Compression, h.config.UnsafeRenegotiation = suite.All(), true, true
	h.config.Groups = append(h.config.Groups, wire.GroupFFDHE2048)
	h.config.Schemes = append(h.config.Schemes, wire.RSAPKCS1SHA1, wire.ECDSASHA1, wire.DSASHA256)
	h.config.SizeLimit, h.config.MaxFragmentLength, h.config.PostHandshakeAuth = 500, 2, true
	h.config.Tickets, h.config.Rand = true, zeros{}
	return h
}

// fatal are the alerts sent that end a connection.
func (s *side) fatal() (out []wire.Alert) {
	for _, a := range s.sent {
		if a.Level == wire.LevelFatal {
			out = append(out, a)
		}
	}
	return out
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
	all := slices.Concat(flows, furtherFlows)
	for i := range all {
		f.Add(uint8(i), []byte{})
		for what := range uint8(8) {
			f.Add(uint8(i), []byte{0, what, what, 6, 1, 3, what, 9})
			f.Add(uint8(i), []byte{2, 1, what, 40})
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		c, s := all[int(which)%len(all)].hosts(t)
		m := &mutator{script: script}
		l := connect(c, s)
		if c.then == nil {
			l = &link{client: newSide(wire.Client, c, m.message), server: newSide(wire.Server, s, m.message), tamper: m.record}
			l.run()
		} else { // the one that is changed is the further handshake
			l.run().done(t).tamper = m.record
			l.client.edits, l.server.edits = []edit{m.message}, []edit{m.message}
			l.again(t)
		}
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
	if wire.HandshakeType(before[0]) == wire.TypeCertificateRequest && (*Engine)(r).in.done && (*Engine)(r).profile.Updates && len(list) > 1 {
		list = list[:1] // a client answers each: these would be two handshakes, of which the first is complete
	}
	sent := bytes.Join(list, nil)
	late := false // what follows the last Finished, or is appended to it
	switch wire.HandshakeType(before[0]) {
	case wire.TypeHelloRequest: // is in no Finished
		late = true
	case wire.TypeNewSessionTicket:
		late = (*Engine)(r).profile.Updates
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
	if m.changed {
		return [][]byte{rec} // what was changed must not be changed back
	}
	return m.play(1, m.records-1, bytes.Clone(rec))
}

// FuzzFurther has a peer that holds the keys send whatever it likes, before, in and
// after a further handshake, by a script of commands of one byte, whose low three
// bits say what happens:
//
//	0  one of the peer's records is delivered     4  all pass what they have
//	1  the peer seals a record: type, length,     5  the side writes data
//	   content follow                             6  the peer writes data
//	2  the further handshake begins               7  the side takes a request back
//	3  the peer's next record is dropped
func FuzzFurther(f *testing.F) {
	for i := range furtherFlows {
		for _, script := range [][]byte{
			{2, 4, 5, 6, 4}, {5, 2, 6, 0, 5, 0, 6, 0, 4, 5}, {2, 4, 2, 4, 2, 7, 4},
			{2, 1, 22, 4, 0, 0, 0, 0, 4}, {2, 0, 1, 20, 1, 1, 4}, {1, 21, 2, 1, 100, 2, 4}, {2, 1, 21, 2, 1, 0, 0, 4, 5},
			{2, 1, 22, 5, 24, 0, 0, 1, 1, 4}, {1, 22, 4, 255, 0, 0, 0, 4}, {2, 0, 3, 4}, {1, 21, 2, 1, 41, 4, 2, 4},
		} {
			f.Add(uint8(i), uint8(0), script)
			f.Add(uint8(i), uint8(1), script)
		}
	}
	f.Fuzz(func(t *testing.T, which, role uint8, script []byte) {
		script = script[:min(len(script), 400)]
		l := connect(furtherFlows[int(which)%len(furtherFlows)].hosts(t)).run().done(t)
		peer, s := l.client, l.server
		if role%2 == 1 {
			peer, s = s, peer
		}
		var queue [][]byte
		deliver := func() {
			if len(queue) > 0 {
				s.feed(queue[0], nil)
				queue = queue[1:]
			}
		}
		for len(script) > 0 {
			op := script[0] & 7
			script = script[1:]
			switch op {
			case 0:
				deliver()
			case 1:
				if len(script) < 2 || len(script) < 2+int(script[1]) {
					return
				}
				peer.inject(t, wire.ContentType(script[0]), script[2:2+script[1]]...)
				script = script[2+script[1]:]
			case 2:
				_ = l.client.host.then(l)
			case 3:
				queue = queue[min(1, len(queue)):]
			case 4:
				for len(queue) > 0 {
					deliver()
				}
			case 5:
				s.Write([]byte("data"))
			case 6:
				peer.Write([]byte("data"))
			case 7:
				s.Cancel()
			}
			peer.feed(s.take(), nil)
			queue = append(queue, split(peer.take())...)
			if n := s.control.add(); n > maxItems {
				t.Fatalf("%d items wait", n)
			}
			if s.hs != nil && !s.FurtherUnderWay() || s.err != nil && (s.hs != nil || s.FurtherUnderWay() || s.err != s.Engine.Err()) {
				t.Fatalf("a handshake is left over: %v", s.err)
			}
		}
		if n := len(s.fatal()); n > 1 {
			t.Fatalf("%d alerts", n)
		}
	})
}
