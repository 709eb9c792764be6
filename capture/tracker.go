package capture

import (
	"maps"
	"slices"
)

// tracker follows the TCP connections of a capture.
type tracker struct {
	o       *Options
	layers  layers
	flows   map[flowKey]*flow
	recent  ring // all flows, by their last packet
	talking ring // those with TLS, by their last packet
	waiters ring // those that have something waiting, by when that began
	left    budget
	totals  Totals
	passed  map[linkType]int // packets of link types that are not read
	err     error            // of Options.Found
	sharing                  // what the connections share
}

func newTracker(o *Options) *tracker {
	t := &tracker{
		o: o, flows: map[flowKey]*flow{}, left: budget{maxAllWaiting, maxAllHistory, maxAllPrelude}, passed: map[linkType]int{},
		recent: ring{which: 0}, talking: ring{which: 1}, waiters: ring{which: 2},
	}
	t.sharing.init(o)
	return t
}

// packet takes in a packet.
func (t *tracker) packet(p *packet) {
	t.totals.Packets++
	if !t.layers.decode(p) {
		if !p.link.known() {
			t.passed[p.link]++
		}
		return
	}
	t.totals.Segments++
	s := &t.layers.segment
	key, from := s.key()
	f := t.flows[key]
	if f != nil && f.reused(from, s) {
		t.drop(f, p.at)
		f = nil
	}
	if f == nil {
		if s.flags&flagRST != 0 || len(s.payload)+s.cut == 0 && s.flags&flagSYN == 0 {
			return // nothing begins so
		}
		f = t.begin(key, p.at)
	}
	t.recent.touch(f)
	if f.tls != nil {
		t.talking.touch(f)
		f.tls.comment(p.comments)
	}
	t.segment(f, from, s, p.at)
}

// begin makes room for another connection, and begins it.
func (t *tracker) begin(key flowKey, at int64) *flow {
	if t.recent.length == maxFlows {
		t.crowded(t.recent.last, at)
	}
	f := &flow{key: key, began: at, caller: -1}
	t.flows[key] = f
	t.recent.add(f)
	t.totals.Connections++
	return f
}

// crowded ends what there is no room for.
func (t *tracker) crowded(f *flow, at int64) {
	if f.tls != nil {
		f.tls.crowded = true
		t.totals.Crowded++
	}
	t.drop(f, at)
}

// drop forgets a connection, after it was finished.
func (t *tracker) drop(f *flow, at int64) {
	t.finish(f, at)
	t.recent.remove(f)
	delete(t.flows, f.key)
}

// finish hands on what waits, and reports the connection. What comes later is passed
// over, but for a SYN.
func (t *tracker) finish(f *flow, at int64) {
	if f.done {
		return
	}
	t.flush(f, at)
	f.done = true
	c := f.tls
	t.other(f)
	if c != nil {
		t.talking.remove(f)
		t.report(f, c)
	}
}

// other passes over the rest of a connection.
func (t *tracker) other(f *flow) {
	f.state, f.tls = isOther, nil
	t.forget(f)
	for i := range f.halves {
		h := &f.halves[i]
		t.left.history += len(h.history.ring)
		t.left.waiting += h.kept
		h.history, h.waiting, h.kept = history{}, nil, 0
	}
	t.waiters.remove(f)
}

// end finishes all connections, in the order in which they began.
func (t *tracker) end() {
	all := slices.SortedFunc(maps.Values(t.flows), func(a, b *flow) int { return a.number() - b.number() })
	for _, f := range all {
		if t.err == nil {
			t.finish(f, t.totals.last)
		}
	}
}

func (f *flow) number() int {
	if f.tls == nil {
		return 0
	}
	return f.tls.c.Number
}
