package engine

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A ClientHello as long as its fields can be is taken: 65,534 bytes of cipher suites and
// 65,535 of extensions. So is a second one.
func TestTheLongestClientHello(t *testing.T) {
	for _, retry := range []bool{false, true} {
		h := newServerHost()
		if retry {
			h.config.Groups = []wire.NamedGroup{wire.GroupP384}
		}
		c := newHandmade(t, newSide(wire.Server, h), wire.GroupP256)
		c.fill()
		c.sendLong(&c.hello)
		hello := c.serverHello()
		if retry {
			c.share(wire.GroupP384)
			c.fill()
			c.sendLong(&c.hello)
			hello = c.serverHello()
		}
		c.finish(hello)
		c.data("hello")
		if !c.server.Done() || string(c.server.received) != "hello" {
			t.Errorf("retry %v: done %v, %v", retry, c.server.Done(), c.server.err)
		}
	}
}

// fill makes the hello as long as one can be.
func (c *handmade) fill() {
	for n := len(c.hello.CipherSuites); n < 0xfffe/2; n++ {
		c.hello.CipherSuites = append(c.hello.CipherSuites, wire.CipherSuite(0x4000+n))
	}
	set(&c.hello.Extensions, wire.ExtPadding)
	rest := 0xffff
	for _, x := range c.hello.Extensions {
		rest -= 4 + len(x.Data)
	}
	set(&c.hello.Extensions, wire.ExtPadding, make([]byte, rest)...)
}

// sendLong sends a message in as many records as it needs.
func (c *handmade) sendLong(m wire.Message) {
	raw := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS13, From: wire.Client})
	c.transcript = append(c.transcript, raw...)
	for len(raw) > 0 {
		n := min(len(raw), 1<<14)
		c.server.feed(clearRecord(wire.ContentHandshake, raw[:n]...), nil)
		raw = raw[n:]
	}
}

// It may be longer than other messages only where one is due, or may begin a
// renegotiation.
func TestClientHelloLengths(t *testing.T) {
	try := func(t *testing.T, f flow, e func([]byte) edit, most int) {
		t.Helper()
		if victim := f.run(t, wire.Client, e(announced(wire.TypeClientHello, most))); victim.err != nil && strings.Contains(victim.err.Error(), "announces") {
			t.Errorf("%d bytes: %v", most, victim.err)
		}
		victim := f.run(t, wire.Client, e(announced(wire.TypeClientHello, most+1)))
		if victim.wants(t, wire.AlertIllegalParameter); !strings.Contains(fmt.Sprint(victim.err), fmt.Sprint("announces a ClientHello of ", most+1, " bytes; the most we take is ", most)) {
			t.Errorf("%d bytes: %v", most+1, victim.err)
		}
	}
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
		if rogue == wire.Server || due == ccs {
			return // a message in its place is refused by what it is
		}
		most := maxMessage
		if due == wire.TypeClientHello {
			most = MaxHello
		}
		try(t, f, func(raw []byte) edit { return at(n, func(*records, []byte) [][]byte { return [][]byte{raw} }) }, most)
	})
	t.Run("in a renegotiation", func(t *testing.T) {
		f := flow{name: "in a renegotiation", hosts: renegotiated(wire.Client, hosts12)}
		try(t, f, func(raw []byte) edit { return instead(wire.TypeClientHello, raw...) }, MaxHello)
	})
}
