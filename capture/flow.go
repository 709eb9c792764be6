package capture

// flowKey is the two ends of a connection, the lower one first.
type flowKey struct {
	low, high         address
	lowPort, highPort uint16
}

// key returns the segment's connection, and which end has sent it: 0 the lower one, 1 the
// other.
func (s *segment) key() (k flowKey, from int) {
	if string(s.src[:]) < string(s.dst[:]) || s.src == s.dst && s.srcPort <= s.dstPort {
		return flowKey{s.src, s.dst, s.srcPort, s.dstPort}, 0
	}
	return flowKey{s.dst, s.src, s.dstPort, s.srcPort}, 1
}

// flow is a TCP connection: its two directions, put into order.
type flow struct {
	key       flowKey
	halves    [2]half
	links     [3]link // in the lists of the tracker
	began     int64
	caller    int8 // the end that has sent SYN; -1 if that was not seen
	done      bool // nothing more is expected, but late copies
	state     state
	conflicts int
	prelude   *prelude
	tls       *conversation
}

// state says what is known of a flow's content.
type state uint8

const (
	undecided state = iota
	isTLS
	isOther
)

// reused reports whether a segment begins another connection between the same ends.
func (f *flow) reused(from int, s *segment) bool {
	h := &f.halves[from]
	switch {
	case s.flags&flagSYN == 0:
		return false
	case s.flags&flagACK != 0 && !f.done: // the answer to a SYN that began the flow
		return false
	}
	return f.done && !h.open || h.open && s.seq+1 != h.first
}

// segment takes in a segment of the connection.
func (t *tracker) segment(f *flow, from int, s *segment, at int64) {
	h, other := &f.halves[from], &f.halves[1-from]
	if s.flags&flagSYN != 0 {
		f.syn(from, s)
		s.seq++
	}
	if s.flags&flagACK != 0 {
		if !other.open && s.flags&flagRST == 0 {
			other.start(s.ack)
			other.begun = f.caller >= 0
		}
		other.acknowledge(s.ack)
	}
	if s.flags&flagRST != 0 {
		t.reset(f, from, s, at)
		return
	}
	n := uint32(len(s.payload) + s.cut)
	if s.flags&flagFIN != 0 && !h.fin {
		h.fin, h.finAt = true, s.seq+n
	}
	if n > 0 {
		if !h.open {
			h.start(s.seq)
		}
		t.data(f, from, s, at)
	}
	t.settle(f, at)
}

// syn takes in the beginning of a direction.
func (f *flow) syn(from int, s *segment) {
	if f.caller < 0 {
		f.caller = int8(from)
		if s.flags&flagACK != 0 {
			f.caller = int8(1 - from)
		}
	}
	if h := &f.halves[from]; !h.open {
		h.start(s.seq + 1)
		h.begun = true
	}
}

// data takes in the payload of a segment.
func (t *tracker) data(f *flow, from int, s *segment, at int64) {
	h, other := &f.halves[from], &f.halves[1-from]
	p := piece{seq: s.seq, ack: s.ack, hasAck: s.flags&flagACK != 0, at: at, data: s.payload, cut: s.cut}
	if back := after(h.next, p.seq); back > 0 {
		probe := back == 1 && len(p.data)+p.cut == 1 // a keep-alive, whose byte means nothing
		if !probe && h.history.differs(h.handed, back-int(h.skew), p.data) {
			f.conflicts++
		}
		if back >= len(p.data)+p.cut {
			return
		}
		p.drop(back)
	}
	if h.ended {
		return // nothing comes behind FIN
	}
	if p.seq == h.next && len(h.waiting) == 0 && p.ready(other) || f.state == isOther {
		t.hand(f, from, &p)
		return
	}
	before := h.kept
	if h.wait(p) {
		f.conflicts++
	}
	t.left.waiting -= h.kept - before
	t.waiters.add(f)
}

// hand hands on what comes next.
func (t *tracker) hand(f *flow, from int, p *piece) {
	h := &f.halves[from]
	n := len(p.data)
	h.next, h.handed = p.seq+uint32(n), h.handed+int64(n)
	if f.state == isOther {
		h.next += uint32(p.cut)
		return
	}
	if n > 0 {
		t.remember(h, p.data)
		t.bytes(f, from, p.at, p.data)
	}
	if p.cut > 0 {
		t.gap(f, from, p.at, p.cut)
	}
}

// remember keeps what is handed on, for the comparison with later copies.
func (t *tracker) remember(h *half, b []byte) {
	y := &h.history
	if size := len(y.ring); y.held == size && size < maxHistory {
		want := firstHistory
		for want < size+len(b) && want < maxHistory {
			want *= 2
		}
		if want = max(want, 2*size); t.left.history >= want-size {
			t.left.history -= want - size
			y.grow(h.handed-int64(len(b)), want)
		}
	}
	y.add(h.handed, b)
}

// gap passes over n bytes that were not captured.
func (t *tracker) gap(f *flow, from int, at int64, n int) {
	h := &f.halves[from]
	h.next, h.handed = h.next+uint32(n), h.handed+int64(n)
	h.history.held, h.lost = 0, true
	if f.tls != nil {
		f.tls.gap(from, at, int64(n))
	}
}

// settle hands on what has become ready, and gives up what is missing for too long.
func (t *tracker) settle(f *flow, at int64) {
	for t.drain(f, 0, at) || t.drain(f, 1, at) || t.impatient(f, 0, at) || t.impatient(f, 1, at) {
	}
	for t.left.waiting < 0 && t.waiters.last != nil {
		t.flush(t.waiters.last, at)
	}
	if f.halves[0].ended && f.halves[1].ended {
		t.finish(f, at)
	}
}

// drain hands on one piece, or the end, of a direction, and reports whether there was one.
func (t *tracker) drain(f *flow, from int, at int64) bool {
	h := &f.halves[from]
	if len(h.waiting) > 0 {
		p := &h.waiting[0]
		if p.seq != h.next || !p.ready(&f.halves[1-from]) {
			return false
		}
		t.handFirst(f, from)
		return true
	}
	if h.open && h.fin && !h.ended && after(h.next, h.finAt) >= 0 {
		h.ended = true
		if h.next == h.finAt { // else data came from beyond the end
			h.next, h.skew = h.next+1, h.skew+1
		}
		if f.tls != nil {
			f.tls.end(from, at)
		}
		return true
	}
	return false
}

// handFirst hands on the first of the pieces that wait.
func (t *tracker) handFirst(f *flow, from int) {
	h := &f.halves[from]
	p := h.waiting[0]
	h.waiting[0] = piece{}
	if h.waiting = h.waiting[1:]; len(h.waiting) == 0 {
		h.waiting = nil
		if len(f.halves[1-from].waiting) == 0 {
			t.waiters.remove(f)
		}
	}
	h.kept -= p.cost()
	t.left.waiting += p.cost()
	t.hand(f, from, &p)
}

// impatient gives up what is missing if that was waited for long enough, and reports it.
func (t *tracker) impatient(f *flow, from int, at int64) bool {
	h := &f.halves[from]
	lacks := h.lacks()
	if !lacks && len(h.waiting) == 0 || f.state == isOther {
		h.late = 0
		return false
	}
	if h.late++; h.late == 1 {
		h.lateAt = at
	}
	if lacks && (h.late > patience || at-h.lateAt > patienceTime) || h.kept > maxWaiting || len(h.waiting) > maxPieces {
		h.late = 0
		return t.giveUp(f, from, at)
	}
	return false
}

// giveUp passes over what is missing, and reports whether something was.
func (t *tracker) giveUp(f *flow, from int, at int64) bool {
	h := &f.halves[from]
	to := h.next
	if len(h.waiting) > 0 {
		to = h.waiting[0].seq
	}
	if h.lacks() && (len(h.waiting) == 0 || after(h.acked, to) < 0) {
		to = h.acked
	}
	n := after(to, h.next)
	switch {
	case n <= 0:
		return false
	case n == 1 && len(h.waiting) == 0: // a FIN counts as a byte, and was not captured
		h.next, h.skew = h.next+1, h.skew+1
	default:
		t.gap(f, from, at, n)
	}
	return true
}

// flush hands on all that waits, with what is missing passed over.
func (t *tracker) flush(f *flow, at int64) {
	for {
		if t.drain(f, 0, at) || t.drain(f, 1, at) {
			continue
		}
		from := -1
		for i := range f.halves {
			if w := f.halves[i].waiting; len(w) > 0 && (from < 0 || w[0].at < f.halves[from].waiting[0].at) {
				from = i
			}
		}
		if from < 0 {
			t.waiters.remove(f)
			return
		}
		h := &f.halves[from]
		if n := after(h.waiting[0].seq, h.next); n > 0 {
			t.gap(f, from, at, n)
		}
		t.handFirst(f, from)
	}
}

// maxResetOff is how far a reset's number may be from what is expected, so that a made-up
// one does not end a connection.
const maxResetOff = 1 << 20

func (t *tracker) reset(f *flow, from int, s *segment, at int64) {
	h := &f.halves[from]
	if off := after(s.seq, h.next); h.open && (off > maxResetOff || off < -maxResetOff) {
		return
	}
	if f.tls != nil {
		f.tls.reset = from + 1
	}
	t.finish(f, at)
}
