package capture

import (
	"net/netip"
	"time"

	"github.com/vitrine-tls/vitrine/internal/passive"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// unknown is the length of a gap of which nobody knows how long it is.
const unknown = -1

// sharing is what the connections of a capture share.
type sharing struct {
	keys     *passive.Keys
	sessions *passive.Sessions
}

func (s *sharing) init(o *Options) {
	s.sessions = &passive.Sessions{}
	s.keys = &o.Keys.known
}

// conversation is what is said in TLS on a flow.
type conversation struct {
	c         Connection
	client    int // the end that it is
	listener  *passive.Listener
	now       time.Time
	joined    [2]bool // whose beginning, or a place to go on from, was found
	answering bool    // the server answers something else first
	answer    []byte
	lost      int64
	holes     int
	reset     int // 1 more than the end that has sent it
	crowded   bool
}

// converse begins TLS on a flow.
func (t *tracker) converse(f *flow, client int, at int64, how string) {
	if t.talking.length == maxTLS {
		t.crowded(t.talking.last, at)
	}
	t.totals.TLS++
	ends := [2]netip.AddrPort{
		netip.AddrPortFrom(netip.AddrFrom16(f.key.low).Unmap(), f.key.lowPort),
		netip.AddrPortFrom(netip.AddrFrom16(f.key.high).Unmap(), f.key.highPort),
	}
	c := &conversation{client: client, joined: [2]bool{true, true}}
	c.c = Connection{Number: t.totals.TLS, Start: instant(f.began), Client: ends[client], Server: ends[1-client], Began: how}
	c.at(at)
	var hooks *trace.Hooks
	if t.o.Trace != nil {
		hooks = t.o.Trace(&c.c, func() time.Time { return c.now })
	}
	if hooks == nil && t.o.Decrypt {
		hooks = &trace.Hooks{}
	}
	c.listener = passive.New(hooks, t.keys, t.sessions)
	f.state, f.tls = isTLS, c
	t.talking.add(f)
}

func instant(at int64) time.Time { return time.Unix(0, at).UTC() }

func (c *conversation) at(at int64) { c.now = instant(at) }

func (c *conversation) role(from int) wire.Role {
	if from == c.client {
		return wire.Client
	}
	return wire.Server
}

// midway says that the beginning of both directions is missing.
func (c *conversation) midway() {
	c.c.Midway = true
	c.joined = [2]bool{}
	for from := range c.joined {
		c.listener.Gap(c.role(from), c.now, unknown)
	}
}

// data takes in the next bytes of an end.
func (c *conversation) data(from int, at int64, b []byte) {
	c.at(at)
	if !c.joined[from] {
		if !inMidst(b) {
			c.lost += int64(len(b))
			return
		}
		c.joined[from] = true
	}
	if c.answering && from != c.client {
		if b = c.answered(b); b == nil {
			return
		}
	}
	c.listener.Data(c.role(from), c.now, b)
}

// answered passes over the server's answer in another protocol, and returns what is TLS.
func (c *conversation) answered(b []byte) []byte {
	start := len(c.answer)
	c.answer = append(c.answer, b...)
	for i := start; i < len(c.answer); i++ {
		if (i == start || c.answer[i-1] == '\n' || i == 1) && inMidst(c.answer[i:]) {
			rest := c.answer[i:]
			c.answering, c.answer = false, nil
			return rest
		}
	}
	if len(c.answer) > maxPrelude { // it is no TLS: let the listener say so
		all := c.answer
		c.answering, c.answer = false, nil
		return all
	}
	return nil
}

func (c *conversation) gap(from int, at int64, n int64) {
	c.at(at)
	c.holes++
	c.lost += max(n, 0)
	c.listener.Gap(c.role(from), c.now, n)
}

func (c *conversation) end(from int, at int64) {
	c.at(at)
	c.listener.End(c.role(from), c.now)
}

// comment keeps comments of the file on packets of the connection.
func (c *conversation) comment(all []string) {
	for _, text := range all {
		if len(c.c.Comments) < maxComments {
			c.c.Comments = append(c.c.Comments, text)
		}
	}
}

// report completes the connection, and hands it to the caller.
func (t *tracker) report(f *flow, c *conversation) {
	if t.err != nil {
		return
	}
	c.listener.Stop(c.now) // a record of which only the start was captured
	c.complete(f, c.listener.Summary())
	if t.o.Found != nil {
		t.err = t.o.Found(&c.c)
	}
}
