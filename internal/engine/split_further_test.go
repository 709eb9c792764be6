package engine

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// chatter writes data from both sides whenever it may be written, while a further
// handshake runs between them.
type chatter struct {
	*link
	wrote    map[*side][]byte
	messages int
	during   int // of them while the handshake was under way for either side
}

// chat has both sides write, n times at most.
func (c *chatter) chat(t *testing.T, n int) {
	for _, s := range []*side{c.client, c.server} {
		if c.messages >= n {
			return
		}
		c.messages++
		part := fmt.Appendf(nil, "%v's message %d; ", s.Role(), c.messages)
		switch n, err := s.Write(part); {
		case err == ErrHeld:
		case err != nil || n != len(part):
			t.Fatalf("%v: %d bytes written, %v", s.Role(), n, err)
		default:
			c.wrote[s] = append(c.wrote[s], part...)
			if c.client.FurtherUnderWay() || c.server.FurtherUnderWay() {
				c.during++
			}
			if c.client.profile.Renegotiates && s.hs != nil {
				t.Errorf("the %v wrote data after its first message of the renegotiation", s.Role())
			}
		}
	}
}

// Data of both sides that is under way during a renegotiation arrives, all of it
// and in order, wherever bytes are split: under the old keys what was written
// before the change_cipher_spec, under the new ones what is written once the
// handshake is complete, and nothing between.
func TestDataInFlight(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, f := range furtherFlows {
		for _, split := range []struct {
			name  string
			size  func(int) int
			every int // so many pieces something is written
		}{
			{"whole", func(left int) int { return left }, 1},
			{"one byte", func(int) int { return 1 }, 50},
			{"random", func(left int) int { return 1 + random.IntN(min(left, 600)) }, 1},
		} {
			t.Run(f.name+"/"+split.name, func(t *testing.T) {
				l := connect(f.hosts(t)).run().done(t)
				c := &chatter{link: l, wrote: map[*side][]byte{}}
				for _, s := range []*side{l.client, l.server} {
					epoch := s.out.half.Epoch()
					s.expected = 1
					s.hooks = trace.Hooks{Record: func(r trace.Record) {
						if r.Dir == trace.Sent && r.Type == wire.ContentApplicationData && r.Epoch > epoch && s.out.held {
							t.Errorf("the %v sent data under its new keys before the handshake was complete", s.Role())
						}
					}}
				}
				c.chat(t, 2)
				if err := l.client.host.then(l); err != nil {
					t.Fatal(err)
				}
				pieces := 0
				pass := func(from, to *side) int {
					b := from.take()
					for rest := b; len(rest) > 0; {
						n := split.size(len(rest))
						before, under := len(to.received), to.FurtherUnderWay()
						if to.feed(rest[:n], nil); under && to.FurtherUnderWay() {
							c.during += len(to.received) - before
						}
						rest = rest[n:]
						if pieces++; pieces%split.every == 0 {
							c.chat(t, 300)
						}
					}
					return len(b)
				}
				l.client.step()
				l.server.step()
				for range 500 {
					c.chat(t, 300)
					if pass(l.client, l.server)+pass(l.server, l.client) == 0 {
						break
					}
				}
				if l.done(t); c.during == 0 {
					t.Errorf("%d messages were written during the handshake", c.during)
				}
				for _, s := range []*side{l.client, l.server} {
					if want := c.wrote[l.of(s.Role().Peer())]; !bytes.Equal(s.received, want) {
						t.Errorf("the %v received %d bytes of %d: %.60q", s.Role(), len(s.received), len(want), s.received)
					}
					if epochs := s.out.half.Epoch(); l.client.profile.Renegotiates && epochs != 2 {
						t.Errorf("the %v is in epoch %d", s.Role(), epochs)
					}
				}
				l.talk(t)
			})
		}
	}
}

// The law holds for handshakes after the first as well.
func TestSplitLawOfFurtherHandshakes(t *testing.T) {
	for _, f := range furtherFlows {
		t.Run(f.name, func(t *testing.T) { splitLaw(t, f) })
	}
}
