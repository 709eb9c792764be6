package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"

	"github.com/vitrine-tls/vitrine/wire"
)

// transcriptOf runs a whole connection of the flow: handshake, data, updates of
// keys, and the close. Bytes are fed in pieces as size says.
func transcriptOf(t *testing.T, f flow, size func(int) int) (client, server *side, sent []byte) {
	cryptotest.SetGlobalRandom(t, 7)
	c, s := f.hosts(t)
	l := connect(c, s)
	l.size = size
	l.tamper = func(from wire.Role, rec []byte) [][]byte {
		sent = append(append(sent, byte(from)), rec...)
		return [][]byte{rec}
	}
	l.run().done(t).talk(t)
	if c.then != nil {
		for _, side := range []*side{l.client, l.server} {
			if _, err := side.Write([]byte("under way")); err != nil {
				t.Fatal(err)
			}
		}
		l.again(t).done(t).talk(t)
	}
	big := bytes.Repeat([]byte("0123456789"), 2000)
	for rest := big; len(rest) > 0; {
		n, err := l.server.Write(rest)
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if l.client.profile.Updates {
		for _, side := range []*side{l.client, l.server} {
			if err := side.KeyUpdate(true); err != nil {
				t.Fatal(err)
			}
			l.run()
		}
	}
	l.talk(t)
	l.server.CloseNotify()
	l.run()
	return l.client, l.server, sent
}

// The same bytes, fed whole, one at a time or in random pieces, give the same
// events, secrets, data and output.
func TestSplitLaw(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) { splitLaw(t, f) })
	}
}

func splitLaw(t *testing.T, f flow) {
	client, server, sent := transcriptOf(t, f, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for name, size := range map[string]func(int) int{
		"one byte": func(int) int { return 1 },
		"random":   func(left int) int { return 1 + random.IntN(min(left, 600)) },
		"headers":  func(left int) int { return []int{5, 1, 300, 4}[left%4] },
	} {
		c, s, sent2 := transcriptOf(t, f, size)
		if !bytes.Equal(sent, sent2) {
			t.Errorf("%s: other bytes were sent", name)
		}
		for _, pair := range [][2]*side{{client, c}, {server, s}} {
			// A record may arrive before or after what another one caused.
			if a, b := receivedLast(pair[0].log), receivedLast(pair[1].log); !slices.Equal(a, b) {
				t.Errorf("%s: the %v's events differ: %s", name, pair[0].Role(), firstOther(a, b))
			}
			if !slices.Equal(pair[0].secrets, pair[1].secrets) {
				t.Errorf("%s: the %v's secrets differ", name, pair[0].Role())
			}
			if !bytes.Equal(pair[0].received, pair[1].received) || pair[0].err != pair[1].err {
				t.Errorf("%s: the %v received other data, or ended with %v", name, pair[0].Role(), pair[1].err)
			}
		}
	}
}

// receivedLast puts the received records behind all other events.
func receivedLast(log []string) []string {
	log = slices.Clone(log)
	slices.SortStableFunc(log, func(a, b string) int { return isReceived(a) - isReceived(b) })
	return log
}

func isReceived(line string) int {
	if strings.HasPrefix(line, "record received") {
		return 1
	}
	return 0
}

// firstOther shows where two logs part.
func firstOther(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("event %d is %.80q, not %.80q", i, b[i], a[i])
		}
	}
	return fmt.Sprintf("%d events instead of %d", len(b), len(a))
}

// The same holds for records: a handshake message may run over any number of
// them, or share one with others of its epoch. What is agreed stays the same.
func TestMessagesAcrossRecords(t *testing.T) {
	for _, f := range slices.Concat(flows, furtherFlows) {
		for _, fragment := range []int{1, 7, 100} {
			c, s := f.hosts(t)
			l := connect(c, s)
			l.client.options.MaxFragment, l.server.options.MaxFragment = int32(fragment), int32(fragment)
			if l.run().done(t).talk(t); c.then != nil {
				l.again(t).done(t).talk(t)
			}
		}
	}
}

// A buffer that the engine has given back is another connection's: nothing of it
// may be used any more.
func TestBuffersAreNotUsedOnceGivenBack(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789"), 3000)
	for _, f := range slices.Concat(flows, furtherFlows) {
		for name, size := range map[string]func(int) int{"whole": nil, "pieces": func(left int) int { return 1 + left*2/3 }} {
			c, s := f.hosts(t)
			l := connect(c, s)
			l.size = size
			for _, side := range []*side{l.client, l.server} {
				side.poisoned, side.room, side.options.MaxFragment = true, 700, 1500
			}
			if l.run().done(t).talk(t); c.then != nil {
				l.again(t).done(t).talk(t)
			}
			l.client.received = nil
			for rest := big; len(rest) > 0; {
				n, err := l.server.Write(rest)
				if err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if l.run(); !bytes.Equal(l.client.received, big) || l.client.err != nil {
				t.Fatalf("%s, %s: %d bytes received, %v", f.name, name, len(l.client.received), l.client.err)
			}
		}
	}
}

// A message that has come in part survives that its buffer becomes too small.
func TestPartOfAMessageOutlivesItsBuffer(t *testing.T) {
	s := alone(wire.Server, newServerHost())
	s.poisoned = true
	hello := wire.AppendMessage(nil, plainHello(), wire.Context{})
	s.feed(clearRecord(wire.ContentHandshake, hello[:40]...), nil)
	rest := clearRecord(wire.ContentHandshake, hello[40:]...)
	for _, part := range [][]byte{rest[:7], rest[7:]} {
		n := copy(s.Lend(Whole), part) // more room than the first buffer has
		s.poison()
		s.Filled(n)
		s.step()
	}
	if s.err == nil && len(s.take()) > 0 {
		return
	}
	t.Errorf("the hello was not understood: %v", s.err)
}

// A post-handshake message may run over several records too, of which the first
// was opened into the reader's own buffer.
func TestPostHandshakeMessageAcrossRecords(t *testing.T) {
	c, s := only(wire.TLS13, tickets)(t)
	s.config.Tickets = false
	l := connect(c, s).run().done(t)
	m := wire.AppendMessage(nil, &wire.NewSessionTicket{Lifetime: 60, Nonce: []byte{1}, Ticket: bytes.Repeat([]byte("t"), 300)}, wire.Context{Version: wire.TLS13})
	l.server.inject(t, wire.ContentHandshake, m[:3]...)
	l.server.inject(t, wire.ContentHandshake, m[3:100]...)
	l.server.inject(t, wire.ContentHandshake, m[100:]...)
	l.run().talk(t)
	if c.saved == nil || !bytes.Equal(c.saved.Ticket, bytes.Repeat([]byte("t"), 300)) {
		t.Fatalf("saved %v", c.saved)
	}
}
