package capture

import "slices"

// Bounds of what one direction of a connection keeps, in bytes; those of all connections
// together are in budget.go.
const (
	maxWaiting = 4 << 20
	maxPieces  = 4096
)

// A direction waits this long for what the other side has acknowledged and the capture
// does not have: in packets of the connection, and in nanoseconds. Captures may have the
// packets of the two directions in another order than they were sent in.
const (
	patience     = 64
	patienceTime = 2e9
)

// half is one direction of a connection: it puts what was captured into order.
type half struct {
	first   uint32 // the sequence number of the first byte
	next    uint32 // that of the next byte to hand on
	finAt   uint32 // that of FIN
	acked   uint32 // the highest acknowledgement of the other side
	skew    uint32 // how many numbers before next are not those of a byte, but of FIN
	open    bool   // next is known
	begun   bool   // its beginning was seen: SYN, or the acknowledgement of it
	hasAck  bool
	fin     bool
	ended   bool // FIN is handed on
	lost    bool // something was missing
	late    uint16
	lateAt  int64 // when late began to count
	handed  int64 // bytes, gaps included
	waiting []piece
	kept    int // bytes that waiting takes
	history history
}

// piece is what came before its time: behind something that is missing, or before what it
// answers.
type piece struct {
	seq, ack uint32
	hasAck   bool
	at       int64
	data     []byte
	cut      int
}

// cost is what keeping the piece takes, in bytes.
func (p *piece) cost() int { return len(p.data) + 96 }

func (p *piece) end() uint32 { return p.seq + uint32(len(p.data)+p.cut) }

// after is by how much a is behind b in a stream whose numbers wrap around.
func after(a, b uint32) int { return int(int32(a - b)) }

func (h *half) start(seq uint32) { h.open, h.first, h.next = true, seq, seq }

// acknowledge takes in that the other side has everything up to ack.
func (h *half) acknowledge(ack uint32) {
	if !h.hasAck || after(ack, h.acked) > 0 {
		h.acked, h.hasAck = ack, true
	}
}

// lacks reports whether something was acknowledged that was not seen.
func (h *half) lacks() bool { return h.open && h.hasAck && after(h.acked, h.next) > 0 }

// ready reports whether what acknowledges ack may be handed on: whether other has been
// handed on up to there.
func (p *piece) ready(other *half) bool {
	return !p.hasAck || !other.open || after(p.ack, other.next) <= 0
}

// wait keeps what p has beyond the pieces that wait already, and reports whether
// something in it differs from them.
func (h *half) wait(p piece) (conflict bool) {
	if n := len(h.waiting); n == 0 || after(p.seq, h.waiting[n-1].end()) >= 0 {
		h.insert(n, p)
		return false
	}
	for i := 0; i < len(h.waiting) && (len(p.data) > 0 || p.cut > 0); i++ {
		w := &h.waiting[i]
		if after(p.seq, w.end()) >= 0 {
			continue
		}
		if before := after(w.seq, p.seq); before > 0 {
			if before >= len(p.data)+p.cut {
				break
			}
			head := p
			if before < len(p.data) {
				head.data, head.cut = p.data[:before], 0
			} else {
				head.cut = before - len(p.data)
			}
			h.insert(i, head)
			i++
			p.drop(before)
		}
		w = &h.waiting[i]
		conflict = conflict || differ(w, &p)
		p.drop(after(w.end(), p.seq))
	}
	if len(p.data) > 0 || p.cut > 0 {
		i, _ := slices.BinarySearchFunc(h.waiting, p.seq, func(w piece, seq uint32) int { return after(w.seq, seq) })
		h.insert(i, p)
	}
	return conflict
}

func (h *half) insert(i int, p piece) {
	p.data = slices.Clone(p.data)
	h.kept += p.cost()
	h.waiting = slices.Insert(h.waiting, i, p)
}

// drop removes the first n bytes, or all.
func (p *piece) drop(n int) {
	p.seq += uint32(n)
	m := min(n, len(p.data))
	p.data = p.data[m:]
	p.cut = max(0, p.cut-(n-m))
}

// differ reports whether two pieces have other content where they overlap, of which p
// begins within w.
func differ(w, p *piece) bool {
	from := after(p.seq, w.seq)
	n := min(len(w.data)-from, len(p.data))
	return n > 0 && string(w.data[from:from+n]) != string(p.data[:n])
}

// history is the last bytes that a direction handed on, by which a later copy of them is
// checked. It is a ring whose size is a power of two.
type history struct {
	ring []byte
	held int // bytes that are in it
}

// Sizes of a history.
const (
	firstHistory = 2 << 10
	maxHistory   = 64 << 10
)

// add keeps b, which ends at offset end of the stream.
func (y *history) add(end int64, b []byte) {
	size := len(y.ring)
	if size == 0 {
		return
	}
	b = b[max(0, len(b)-size):]
	at := int(end-int64(len(b))) & (size - 1)
	n := copy(y.ring[at:], b)
	copy(y.ring, b[n:])
	y.held = min(y.held+len(b), size)
}

// grow makes room for size bytes.
func (y *history) grow(end int64, size int) {
	old := *y
	y.ring, y.held = make([]byte, size), 0
	for part := range old.last(end, old.held) {
		y.add(end-int64(old.held)+int64(y.held+len(part)), part)
	}
}

// last gives the last n bytes before end, in up to two parts.
func (y *history) last(end int64, n int) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		if n == 0 {
			return
		}
		at := int(end-int64(n)) & (len(y.ring) - 1)
		first := min(n, len(y.ring)-at)
		if yield(y.ring[at:at+first]) && first < n {
			yield(y.ring[:n-first])
		}
	}
}

// differs reports whether b, which lies back bytes before end, has other content than what
// was kept. What is not kept any more counts as the same.
func (y *history) differs(end int64, back int, b []byte) bool {
	if skip := back - y.held; skip > 0 {
		if skip >= len(b) {
			return false
		}
		back, b = y.held, b[skip:]
	}
	if back <= 0 {
		return false
	}
	b = b[:min(len(b), back)]
	for part := range y.last(end, back) {
		n := min(len(part), len(b))
		if string(part[:n]) != string(b[:n]) {
			return true
		}
		if b = b[n:]; len(b) == 0 {
			break
		}
	}
	return false
}
