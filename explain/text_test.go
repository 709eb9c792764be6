package explain

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Nothing, and the beginning of something, are no reason to fall over.
func TestFragments(t *testing.T) {
	var empty Collector
	render(t, empty.Connection(About{}), look{})
	whole, _ := replay(t, "testdata/rfc8448-simple.json")
	for n := range whole.events {
		part := Collector{events: whole.events[:n]}
		c := part.Connection(About{})
		render(t, c, look{})
		for _, f := range c.Checks.Failures {
			t.Errorf("after %d events: %s", n, f)
		}
	}
}

// Garbage in every event is shown as such.
func TestGarbage(t *testing.T) {
	for _, name := range []string{"tls12-cbc", "tls10-rsa-rc4", "ssl30", "tls12-ecdhe-psk", "tls12-deflate", "tls13-late-client-auth", "ssl2-hello"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, _ := replay(t, "testdata/live-"+name+".json")
			for n := range whole.events {
				for _, cut := range []func([]byte) []byte{func([]byte) []byte { return nil }, func(b []byte) []byte { return b[:len(b)/2] }, flipAll} {
					part := Collector{events: spoil(whole.events, n, cut)}
					render(t, part.Connection(About{}), look{})
				}
			}
		})
	}
}

// spoil changes the bytes of one event.
func spoil(events []collected, n int, cut func([]byte) []byte) []collected {
	events = append([]collected(nil), events...)
	switch e := events[n].what.(type) {
	case trace.Record:
		e.Wire, e.Plain = cut(e.Wire), cut(e.Plain)
		events[n].what = e
	case trace.Message:
		e.Raw = cut(e.Raw)
		events[n].what = e
	case trace.Secret:
		e.Value, e.Input = cut(e.Value), cut(e.Input)
		events[n].what = e
	case trace.Keys:
		e.Key, e.IV, e.MAC = cut(e.Key), cut(e.IV), cut(e.MAC)
		events[n].what = e
	}
	return events
}

func flipAll(b []byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		b[i] ^= 0xff
	}
	return b
}

// Seen from the server, it is the same ladder.
func TestServerSide(t *testing.T) {
	client, _ := replay(t, "testdata/rfc8448-simple.json")
	events := append([]collected(nil), client.events...)
	turn := func(d trace.Direction) trace.Direction { return trace.Sent + trace.Received - d }
	for i := range events {
		switch e := events[i].what.(type) {
		case trace.Record:
			e.Dir = turn(e.Dir)
			events[i].what = e
		case trace.Message:
			e.Dir = turn(e.Dir)
			events[i].what = e
		case trace.Keys:
			e.Dir = turn(e.Dir)
			events[i].what = e
		case trace.Alert:
			e.Dir = turn(e.Dir)
			events[i].what = e
		}
	}
	server := Collector{events: events}
	about := About{Trust: "the certificate was verified"}
	a, b := client.Connection(about), server.Connection(about)
	if b.Side != "server" || !b.Checks.OK() {
		t.Errorf("side %q, failures %q", b.Side, b.Checks.Failures)
	}
	if render(t, a, look{Summary: true}) != render(t, b, look{Summary: true}) {
		t.Error("the ladders differ")
	}
}

// Any bytes can be a message, of any version and key exchange.
func FuzzMessage(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		c, _ := replay(f, file)
		for _, e := range c.events {
			if m, ok := e.what.(trace.Message); ok {
				f.Add(m.Raw, m.Dir == trace.Sent, m.SSL2, m.PostHandshake, uint8(len(m.Raw)%10))
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, sent, ssl2, post bool, exchange uint8) {
		dir := trace.Received
		if sent {
			dir = trace.Sent
		}
		ctx := wire.Context{KeyExchange: wire.KeyExchange(exchange % 10)}
		for _, ctx.Version = range append([]wire.Version{0}, everyVersion...) {
			var c Collector
			h := c.Hooks()
			h.Message(trace.Message{Dir: dir, Raw: raw, Context: ctx, SSL2: ssl2, PostHandshake: post})
			h.Record(trace.Record{Dir: dir, Type: wire.ContentHandshake, Plain: raw, Wire: raw})
			mustWrite(t, c.Connection(About{}))
		}
	})
}

func mustWrite(t *testing.T, account *Connection) {
	t.Helper()
	render(t, account, look{})
	if err := account.JSON(io.Discard); err != nil {
		t.Fatal(err)
	}
}

// Any event of any connection can have any bytes, and some can be missing.
func FuzzEvent(f *testing.F) {
	files, _ := filepath.Glob("testdata/live-*.json")
	var all [][]collected
	for i, file := range files {
		c, _ := replay(f, file)
		all = append(all, c.events)
		f.Add(uint8(i), uint16(7), uint16(3), []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, which uint8, changed, missing uint16, raw []byte) {
		events := all[int(which)%len(all)]
		events = spoil(events, int(changed)%len(events), func([]byte) []byte { return raw })
		lost := int(missing) % len(events)
		part := Collector{events: append(events[:lost:lost], events[lost+1:]...)}
		mustWrite(t, part.Connection(About{}))
	})
}
