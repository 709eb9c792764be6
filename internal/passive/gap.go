package passive

import (
	"bytes"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

const (
	// maxSlack is how many records are taken to be missing at most.
	maxSlack = 1 << 14
	// maxScan is how many bytes are kept while the start of a record is looked for: two
	// records of any length.
	maxScan = 2 * (record.HeaderLen + maxFragment)
)

// Gap says that n bytes of a direction are missing here; -1 if nobody knows how many. A
// connection that is seen from its middle on begins with one. What comes after it is
// read on from the next record: where the gap ends within the record that it began in,
// that is known, and elsewhere the start of a record is looked for.
func (l *Listener) Gap(from wire.Role, at time.Time, n int64) {
	d := &l.dirs[from]
	l.saw(at)
	if d.ended || n == 0 {
		return
	}
	l.sum.side(from).Missing = true
	l.tellGap(d, trace.Gap{Bytes: max(n, -1)})
	d.gapped, d.hand = true, nil
	l.tear(d)
	if left, within := d.withinRecord(); within && n > 0 && n <= left {
		if d.pass > 0 {
			d.pass -= n
			return
		}
		l.broken(d, fmt.Sprintf("%d of its %d bytes were not captured", n, int64(len(d.buf))+left))
		d.pass = left - n
		return
	}
	missing := n
	if left, within := d.withinRecord(); within || len(d.buf) > 0 {
		missing -= left
		l.broken(d, "its end was not captured")
	}
	d.pass, d.lost, d.last = 0, true, d.last[:0]
	d.mayHaveMissed(missing, n < 0)
}

func (l *Listener) tellGap(d *direction, g trace.Gap) {
	if l.hooks != nil && l.hooks.Gap != nil {
		g.Dir = dirOf(d.from)
		l.hooks.Gap(g)
	}
}

// withinRecord says how many bytes are left of the record that is being read.
func (d *direction) withinRecord() (left int64, within bool) {
	switch {
	case d.pass > 0:
		return d.pass, true
	case len(d.buf) >= record.HeaderLen && !d.lost:
		return int64(record.HeaderLen + record.ParseHeader(d.buf).Length - len(d.buf)), true
	}
	return 0, false
}

// broken reports the start of a record of which the rest is missing.
func (l *Listener) broken(d *direction, why string) {
	rec := d.buf
	if d.buf = d.buf[:0]; len(rec) == 0 {
		return
	}
	l.sum.side(d.from).Records++
	x := trace.Record{Epoch: d.epoch, Seq: d.seq, Wire: rec, Unopened: why}
	if len(rec) >= record.HeaderLen {
		x.Type = record.ParseHeader(rec).Type
	}
	if d.last = d.last[:0]; d.epoch > 0 {
		d.seq++
	} else {
		x.Seq = d.clear
		d.clear++
	}
	l.sum.unopened(why)
	l.report(d, x)
	l.beginning(d, rec)
}

// beginning takes the random, by which keys are found, of a ClientHello that was not
// captured whole, and the session ID if it is there.
func (l *Listener) beginning(d *direction, rec []byte) {
	const random = record.HeaderLen + wire.HeaderLen + 2 // after the version
	if d.from != wire.Client || d.epoch > 0 || l.hs != nil || len(rec) < random+randomLen ||
		rec[0] != byte(wire.ContentHandshake) || rec[record.HeaderLen] != byte(wire.TypeClientHello) {
		return
	}
	rec = bytes.Clone(rec)
	hs := l.newHandshake()
	hs.torn = true
	hs.hello = &wire.ClientHello{LegacyVersion: wire.Version(rec[random-2])<<8 | wire.Version(rec[random-1]), Random: rec[random : random+randomLen]}
	if id := rec[random+randomLen:]; len(id) > 0 && len(id) > int(id[0]) {
		hs.hello.SessionID = id[1 : 1+id[0]]
	}
}

// mayHaveMissed notes how many records there may be in n bytes.
func (d *direction) mayHaveMissed(n int64, unknown bool) {
	least := int64(record.HeaderLen + 1)
	if o := d.opener; o != nil {
		if s := o.params.Suite; s.MAC == nil {
			least = int64(o.half.Overhead())
		} else {
			least += int64(s.MAC.Len)
		}
	}
	if unknown {
		d.slack = maxSlack
	}
	d.slack = int(min(maxSlack, int64(d.slack)+max(0, n)/least+1))
}

// resync looks for the start of a record in what comes, and goes on from there.
func (l *Listener) resync(d *direction, b []byte) (rest []byte) {
	n := min(len(b), maxScan-len(d.buf))
	d.buf, rest = append(d.buf, b[:n]...), b[n:]
	full := len(d.buf) == maxScan
	start, found := d.findStart(d.buf, full)
	d.skipped += int64(start)
	have := bytes.Clone(d.buf[start:])
	if d.buf = nil; !found {
		d.buf = have
		return rest
	}
	l.tellSkipped(d)
	d.lost = false
	for len(have) > 0 && !d.ended {
		have = l.take(d, have)
	}
	return rest
}

func (l *Listener) tellSkipped(d *direction) {
	if d.skipped > 0 {
		l.tellGap(d, trace.Gap{Skipped: d.skipped})
		d.mayHaveMissed(d.skipped, false)
	}
	d.skipped = 0
}

// findStart finds where a record starts in b: where a header is right, and the record's
// end is that of b or another right header stands there. Where none is found, start is
// from where on it is still possible. full: nothing more can be waited for.
func (d *direction) findStart(b []byte, full bool) (start int, found bool) {
	for start = 0; start+record.HeaderLen <= len(b); start++ {
		h := record.ParseHeader(b[start:])
		if !d.plausible(h) {
			continue
		}
		end := start + record.HeaderLen + h.Length
		switch {
		case end == len(b):
			return start, true
		case end+record.HeaderLen <= len(b):
			if d.plausible(record.ParseHeader(b[end:])) {
				return start, true
			}
		case !full:
			return start, false
		}
	}
	return start, false
}

// plausible reports that a header is as those before it in its direction. It is about one
// in sixteen million that other bytes look so.
func (d *direction) plausible(h record.Header) bool {
	if h.Type < wire.ContentChangeCipherSpec || h.Type > wire.ContentApplicationData || h.Length == 0 || h.Length > maxFragment {
		return false
	}
	if d.version != 0 && d.stage == inClear && d.epoch > 0 {
		return h.Version == d.version
	}
	return h.Version>>8 == 3 && h.Version <= wire.TLS12
}

// missedChange: after a gap in the clear, what comes may be protected already: the
// change of keys is missing. Application data always is; of a handshake record it is so
// if it opens with the keys that were agreed on.
func (l *Listener) missedChange(d *direction, h record.Header, rec []byte) bool {
	hs := l.hs
	if !d.gapped || d.epoch > 0 || d.stage != inClear || hs == nil || hs.answer == nil || hs.is13() ||
		h.Type != wire.ContentHandshake && h.Type != wire.ContentApplicationData {
		return false
	}
	slack := max(1, d.slack)
	if h.Type == wire.ContentHandshake {
		o := l.opener12(hs, d.from)
		if o == nil || o.runsOn() {
			return false
		}
		if _, ok := l.search(d, o, rec, 0, slack); !ok {
			return false
		}
	}
	d.begin(1)
	d.of, d.slack = hs, slack
	l.adopt(d, l.opener12(hs, d.from))
	return true
}

// readable reports that content begins with a handshake message, as far as can be told
// after a gap.
func readable(content []byte) bool {
	for len(content) >= wire.HeaderLen {
		t := wire.HandshakeType(content[0])
		size := wire.HeaderLen + int(content[1])<<16 + int(content[2])<<8 + int(content[3])
		if !t.Known() || size > budget(t) {
			return false
		}
		content = content[min(size, len(content)):]
	}
	return true
}

// End says that a direction was closed.
func (l *Listener) End(from wire.Role, at time.Time) {
	d := &l.dirs[from]
	l.saw(at)
	if l.sum.side(from).Closed {
		return
	}
	l.sum.side(from).Closed = true
	l.leave(d, "the connection ends in the middle of it")
	if l.hooks != nil && l.hooks.End != nil {
		l.hooks.End(trace.End{Dir: dirOf(from)})
	}
}

// Stop says that nothing more was captured, of either direction that has not ended.
func (l *Listener) Stop(at time.Time) {
	l.saw(at)
	for _, from := range []wire.Role{wire.Client, wire.Server} {
		l.leave(&l.dirs[from], "the capture ends in the middle of it")
	}
}

// leave reports what is left of a direction of which nothing more comes.
func (l *Listener) leave(d *direction, why string) {
	if d.ended {
		return
	}
	if d.lost {
		d.skipped, d.buf = d.skipped+int64(len(d.buf)), nil
		l.tellSkipped(d)
	}
	l.broken(d, why)
	l.stop(d)
}
