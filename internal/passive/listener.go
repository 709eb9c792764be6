package passive

import (
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Listener is one connection as somebody sees it that only listens. It is for one
// goroutine at a time.
type Listener struct {
	hooks    *trace.Hooks // nil: only list
	keys     *Keys
	sessions *Sessions

	dirs [wire.Server + 1]direction
	hs   *handshake // the one under way, or the last
	sum  Summary
	// tried counts the bytes that were opened in vain.
	tried int64
}

// direction is what one side sends.
type direction struct {
	from wire.Role
	// buf is a record that is not whole yet, and at most that.
	buf []byte
	// pass is how much of a record's body is still to be passed over.
	pass int64
	// lost: the start of a record is being looked for, and so many bytes were none.
	lost    bool
	skipped int64
	// gapped: bytes are missing before what comes; version is that of the last header.
	gapped  bool
	version wire.Version
	// ended: nothing more is read, because it is no TLS, or the connection is over.
	ended bool

	stage stage // in TLS 1.3
	epoch int
	seq   uint64 // of the next record in its epoch, or the least that it can be
	slack int    // how much more it can be, after bytes that are missing
	fails int    // records in a row that did not open
	clear uint64 // counts the records in the clear
	// opener opens the records of the epoch, of which are those of the handshake of; nil
	// while their keys are not known, which was asked for so many times.
	opener  *opener
	of      *handshake
	asked   int
	updates int // KeyUpdates
	// last is what the record before has left for the next, and lastSeq its number.
	last    []byte
	lastSeq uint64
	work    []byte // a record that is being opened
	hand    []byte // handshake content that is no whole message yet
}

// New returns a Listener for a connection that begins. hooks may be nil: then it only
// lists, and decrypts nothing. keys and sessions may be nil too. sessions is shared by
// the connections of a capture, in their order.
//
// The Listener calls the hooks during Data, Gap and End, with slices that are valid
// only during the call. It has no clock: what keeps the events' times is told by its
// caller, before each call here.
func New(hooks *trace.Hooks, keys *Keys, sessions *Sessions) *Listener {
	l := &Listener{hooks: hooks, keys: keys, sessions: sessions}
	l.dirs[wire.Client].from, l.dirs[wire.Server].from = wire.Client, wire.Server
	return l
}

// Data takes the next bytes of a direction, seen at that time. b is not kept, and not
// changed.
func (l *Listener) Data(from wire.Role, at time.Time, b []byte) {
	d := &l.dirs[from]
	l.saw(at)
	l.sum.side(from).Bytes += int64(len(b))
	for len(b) > 0 && !d.ended {
		b = l.take(d, b)
	}
}

func (l *Listener) saw(at time.Time) {
	if l.sum.Start.IsZero() {
		l.sum.Start = at
	}
	l.sum.End = at
}

// lists reports that nobody wants events.
func (l *Listener) lists() bool { return l.hooks == nil }

// take takes something off b, which has bytes, and returns the rest.
func (l *Listener) take(d *direction, b []byte) []byte {
	if d.pass > 0 {
		n := min(d.pass, int64(len(b)))
		d.pass -= n
		return b[n:]
	}
	if d.lost {
		return l.resync(d, b)
	}
	if len(d.buf) == 0 {
		if size := l.size(d, b); size > 0 && size <= len(b) {
			l.record(d, b[:size:size])
			return b[size:]
		}
	}
	return l.gather(d, b)
}

// size is that of the record that b starts with, 0 where b is too short to tell, or is
// no record.
func (l *Listener) size(d *direction, b []byte) int {
	if l.mayBeSSL2(d) {
		if len(b) <= wire.SSL2HeaderLen && b[0]&0x80 != 0 {
			return 0
		}
		if n := wire.SSL2HelloLen(b); n >= record.HeaderLen { // what is shorter has no room for a hello
			return n
		}
	}
	if len(b) < record.HeaderLen {
		return 0
	}
	h := record.ParseHeader(b)
	if l.refuse(d, h) != nil {
		return 0
	}
	return record.HeaderLen + h.Length
}

// gather adds to the record that is not whole, and takes it when it is.
func (l *Listener) gather(d *direction, b []byte) []byte {
	add := func(n int) {
		n = min(n, len(b))
		d.buf, b = append(d.buf, b[:n]...), b[n:]
	}
	if len(d.buf) < record.HeaderLen {
		add(record.HeaderLen - len(d.buf))
	}
	size := l.size(d, d.buf)
	switch {
	case size > 0:
	case len(d.buf) < record.HeaderLen:
		return b
	case d.gapped:
		d.lost = true // what was taken for a record's start was none
		return b
	default:
		l.refused(d, d.buf)
		return nil
	}
	if l.lists() && len(d.buf) >= record.HeaderLen && d.protects(record.ParseHeader(d.buf)) { // the hello of SSL 2.0 has a shorter header
		l.passOver(d, d.buf, size)
		return b
	}
	if room := size - len(d.buf); room > 0 {
		d.buf = grow(d.buf, room)
		add(room)
	}
	if len(d.buf) == size {
		rec := d.buf
		d.buf = d.buf[:0]
		l.record(d, rec)
		if l.lists() {
			d.buf = nil
		}
	}
	return b
}

// passOver counts a record of which only the header is wanted, and leaves out the rest
// of its body.
func (l *Listener) passOver(d *direction, have []byte, size int) {
	l.list(d, record.ParseHeader(have))
	d.pass = int64(size - len(have))
	d.buf = d.buf[:0]
}

// list takes a protected record that nobody wants to see.
func (l *Listener) list(d *direction, h record.Header) {
	l.sum.side(d.from).Records++
	l.sum.sealed(l, d, h)
	d.seq++
	if h.Type == wire.ContentChangeCipherSpec {
		l.changeCipherSpec(d)
	}
}

// record takes one whole record.
func (l *Listener) record(d *direction, rec []byte) {
	if l.mayBeSSL2(d) && wire.SSL2HelloLen(rec) > 0 {
		l.sum.side(d.from).Records++
		l.ssl2(d, rec)
		return
	}
	h := record.ParseHeader(rec)
	d.version = h.Version
	if l.missedChange(d, h, rec) || d.protects(h) {
		l.sealedRecord(d, h, rec)
		return
	}
	l.sum.side(d.from).Records++
	l.inTheClear(d, h, rec)
}

// sealedRecord takes one whole protected record.
func (l *Listener) sealedRecord(d *direction, h record.Header, rec []byte) {
	if l.lists() {
		l.list(d, h)
		return
	}
	l.sum.side(d.from).Records++
	l.sum.sealed(l, d, h)
	l.protected(d, h, rec)
}

// protects reports that a record with that header is protected.
func (d *direction) protects(h record.Header) bool {
	if d.epoch == 0 || d.stage != inClear {
		return h.Type == wire.ContentApplicationData
	}
	return true
}
