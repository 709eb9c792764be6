package capture

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// twisted says how a capture is twisted, and what is found nonetheless.
type twisted struct {
	name  string
	twist func(all []seg) []seg
	ends  func(*ends)
	want  func(t *testing.T, c *found)
}

const longText = 20000

// whole wants everything, and nothing strange.
func whole(t *testing.T, c *found) {
	t.Helper()
	c.wants(t, strings.Repeat("x", longText))
	if c.Gaps != 0 || c.Conflicts != 0 || c.Lost != 0 || c.Outcome != "complete" {
		t.Errorf("%d gaps, %d conflicts, %d lost, %s", c.Gaps, c.Conflicts, c.Lost, c.Outcome)
	}
}

// data are the places of segments of a side that have data.
func data(all []seg, from wire.Role) (at []int) {
	for i, s := range all {
		if s.from == from && len(s.b) > 0 {
			at = append(at, i)
		}
	}
	return at
}

var twists = []twisted{
	{name: "nothing", want: whole, twist: func(all []seg) []seg { return all }},
	{name: "each segment twice", want: whole, twist: func(all []seg) (out []seg) {
		for _, s := range all {
			out = append(out, s, s)
		}
		return out
	}},
	{name: "neighbours swapped", want: whole, twist: func(all []seg) []seg {
		for i := 3; i+1 < len(all); i += 2 {
			all[i], all[i+1] = all[i+1], all[i]
		}
		return all
	}},
	{name: "shuffled within eight", want: whole, twist: func(all []seg) []seg {
		r := rand.New(rand.NewPCG(1, 2))
		for part := range slices.Chunk(all[3:len(all)-2], 8) {
			r.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		}
		return all
	}},
	{name: "overlapping", want: whole, twist: func(all []seg) (out []seg) {
		for i, s := range all {
			if n := len(s.b); n > 100 && i > 0 {
				out = append(out, seg{from: s.from, seq: s.seq + 50, ack: s.ack, b: s.b[50:]}, // out of order
					seg{from: s.from, seq: s.seq, ack: s.ack, b: s.b[:90]}, seg{from: s.from, seq: s.seq + 10, ack: s.ack, b: s.b[10:40]})
			}
			out = append(out, s)
		}
		return out
	}},
	{name: "numbers that wrap around", want: whole, twist: func(all []seg) []seg { return all },
		ends: func(e *ends) { e.isn = [3]uint32{0, ^uint32(0) - 3000, ^uint32(0) - 5} }},
	{name: "a keep-alive", want: whole, twist: func(all []seg) []seg {
		at := data(all, wire.Client)[2]
		s := all[at]
		return slices.Insert(all, at+1, seg{from: s.from, seq: s.seq + uint32(len(s.b)) - 1, ack: s.ack, b: []byte{0}})
	}},
	{name: "no SYN of the server", want: whole, twist: func(all []seg) []seg { return slices.Delete(all, 1, 2) }},
	{name: "no FIN", twist: func(all []seg) []seg { return all[:len(all)-2] }, want: func(t *testing.T, c *found) {
		whole(t, c)
		if !c.Open {
			t.Error("it is not said to be open")
		}
	}},
	{name: "the client's FIN is missing", want: func(t *testing.T, c *found) {
		whole(t, c)
		if !c.Open {
			t.Error("it is not said to be open")
		}
	}, twist: func(all []seg) []seg {
		last := all[len(all)-1]
		for range 2 * patience {
			all = append(all, seg{from: last.from, seq: last.seq + 1, ack: last.ack})
		}
		return slices.Delete(all, len(all)-2*patience-2, len(all)-2*patience-1)
	}},
	{name: "reset", twist: func(all []seg) []seg {
		last := all[len(all)-2]
		return append(all[:len(all)-2], seg{from: last.from, seq: last.seq, ack: last.ack, rst: true})
	}, want: func(t *testing.T, c *found) {
		c.wants(t, strings.Repeat("x", longText))
		if c.Outcome != "complete, then reset by the client" || c.Failed {
			t.Error(c.Outcome)
		}
	}},
	{name: "a made-up reset", want: whole, twist: func(all []seg) []seg {
		return slices.Insert(all, 8, seg{from: wire.Client, seq: 1 << 28, rst: true})
	}},
	{name: "other content again", twist: func(all []seg) []seg {
		at := data(all, wire.Server)
		s := all[at[len(at)-3]]
		s.b = bytes.Clone(s.b)
		s.b[len(s.b)/2] ^= 1
		return slices.Insert(all, at[len(at)-3]+1, s)
	}, want: func(t *testing.T, c *found) {
		c.wants(t, strings.Repeat("x", longText))
		if c.Conflicts != 1 {
			t.Errorf("%d conflicts", c.Conflicts)
		}
	}},
	{name: "other content before its time", twist: func(all []seg) []seg {
		at := data(all, wire.Server)
		i := at[len(at)-3]
		early, other := all[i], all[i]
		other.b = bytes.Clone(other.b)
		other.b[len(other.b)/2] ^= 1
		early.noAck, other.noAck = true, true
		return slices.Insert(all, at[len(at)-4], early, other)
	}, want: func(t *testing.T, c *found) {
		c.wants(t, strings.Repeat("x", longText))
		if c.Conflicts != 1 {
			t.Errorf("%d conflicts", c.Conflicts)
		}
	}},
	{name: "a loss", twist: func(all []seg) []seg {
		at := data(all, wire.Server)
		return slices.Delete(all, at[len(at)-6], at[len(at)-6]+1)
	}, want: func(t *testing.T, c *found) {
		if c.Gaps != 1 || c.Lost != maxSeg || string(c.data[wire.Client]) != strings.Repeat("x", longText) {
			t.Errorf("%d gaps, %d lost, %d bytes of the client", c.Gaps, c.Lost, len(c.data[wire.Client]))
		}
	}},
	{name: "a short snap length", twist: func(all []seg) []seg {
		at := data(all, wire.Server)
		all[at[len(at)-6]].snap = 100
		return all
	}, want: func(t *testing.T, c *found) {
		if c.Gaps != 1 || c.Lost != maxSeg-100 {
			t.Errorf("%d gaps, %d lost", c.Gaps, c.Lost)
		}
	}},
	{name: "the server alone", twist: func(all []seg) []seg {
		return slices.DeleteFunc(all, func(s seg) bool { return s.from == wire.Client })
	}, want: func(t *testing.T, c *found) {
		if c.Version != wire.TLS13 || c.Server.Port() != 443 || c.ServerSent.Bytes < longText || c.Gaps == 0 {
			t.Errorf("version %v, server %v, %d bytes, %d gaps", c.Version, c.Server, c.ServerSent.Bytes, c.Gaps)
		}
	}},
	{name: "the client alone", twist: func(all []seg) []seg {
		return slices.DeleteFunc(all, func(s seg) bool { return s.from == wire.Server })
	}, want: func(t *testing.T, c *found) {
		if c.Name != "localhost" || c.Client.Port() != 49152 || c.ClientSent.Bytes < longText {
			t.Errorf("name %q, client %v, %d bytes", c.Name, c.Client, c.ClientSent.Bytes)
		}
	}},
	{name: "a beginning in the midst", twist: func(all []seg) []seg { return all[data(all, wire.Server)[4]:] }, want: func(t *testing.T, c *found) {
		if !c.Midway || c.Client.Port() != 49152 || c.Failed || c.Outcome != "begun before the capture" {
			t.Errorf("midway %t, client %v, %s", c.Midway, c.Client, c.Outcome)
		}
	}},
}

func TestTwistedStreams(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, strings.Repeat("x", longText), nil)
	for _, tw := range twists {
		t.Run(tw.name, func(t *testing.T) {
			e := testEnds()
			if tw.ends != nil {
				tw.ends(&e)
			}
			tw.want(t, one(t, pcapOf(t, linkRaw, e.frames(t, tw.twist(segments(s.said)))...), s.log))
		})
	}
}

func TestPortReuse(t *testing.T) {
	first := speak(t, tls.VersionTLS13, devca.ECDSA, "first", nil)
	second := speak(t, tls.VersionTLS12, devca.ECDSA, "second", nil)
	e := testEnds()
	again := e
	again.isn = [3]uint32{0, 5_000_000, 9_000_000}
	for name, of := range map[string][]seg{
		"after the end":  segments(first.said),
		"without an end": segments(first.said)[:len(segments(first.said))-2],
	} {
		all := append(e.frames(t, of), again.frames(t, segments(second.said))...)
		got, totals, err := readAll(t, pcapOf(t, linkRaw, all...), append(slices.Clone(first.log), second.log...))
		if err != nil || len(got) != 2 || totals.Connections != 2 {
			t.Fatalf("%s: %d connections, %v", name, len(got), err)
		}
		got[0].wants(t, "first")
		got[1].wants(t, "second")
	}
}

// Late copies do not begin a connection of their own.
func TestLateCopies(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	all := segments(s.said)
	late := all[data(all, wire.Server)[2]:]
	one(t, pcapOf(t, linkRaw, testEnds().frames(t, append(slices.Clone(all), late...))...), s.log).wants(t, "hello")
}

// A gap is declared while the connection goes on, and not before the packets of a while have
// come.
func TestPatience(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, strings.Repeat("x", longText), nil)
	for _, slow := range []bool{false, true} {
		all := segments(s.said)
		all = all[:len(all)-2]
		missing := data(all, wire.Client)[3]
		all = slices.Delete(all, missing, missing+1)
		last := all[len(all)-1]
		for range patience {
			all = append(all, seg{from: last.from, seq: last.seq, ack: last.ack})
		}
		var tr *tracker
		o := &Options{Keys: &Keys{}}
		tr = newTracker(o)
		declared := -1
		for i, f := range testEnds().frames(t, all) {
			at := f.at.UnixNano()
			if slow {
				at += int64(i) * 1e9
			}
			tr.packet(&packet{data: f.b, length: f.length, link: linkRaw, at: at})
			if c := tr.talking.first; c != nil && c.tls.holes > 0 && declared < 0 {
				declared = i - missing
			}
		}
		if !slow && (declared < patience/2 || declared > 2*patience) || slow && (declared < 2 || declared > 20) {
			t.Errorf("slow %t: the gap is declared %d packets later", slow, declared)
		}
	}
}

// Packets of which no connection begins do not make one.
func TestStrayPackets(t *testing.T) {
	stray := []seg{{from: wire.Client, seq: 5, rst: true}, {from: wire.Server, seq: 9, ack: 2}, {from: wire.Client, fin: true}}
	if _, totals, err := readAll(t, pcapOf(t, linkRaw, testEnds().frames(t, stray)...), nil); err != nil || totals.Segments != 3 || totals.Connections != 0 {
		t.Errorf("%+v, %v", totals, err)
	}
}

// A direction that is joined in the midst goes on from where a record begins.
func TestJoining(t *testing.T) {
	record := []byte("\x17\x03\x03\x00\x03abc")
	c := one(t, pcapOf(t, linkRaw, testEnds().frames(t, []seg{
		{from: wire.Server, b: record}, {from: wire.Client, b: []byte("garbage"), ack: 8}, {from: wire.Client, seq: 7, ack: 8, b: record},
	})...), nil)
	if c.ClientSent.Bytes != 8 || c.ServerSent.Bytes != 8 || c.Lost != 7 || !c.Midway {
		t.Errorf("%+v", c.Connection)
	}
}
