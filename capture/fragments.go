package capture

import "slices"

// Bounds of what fragments may keep. What does not fit displaces the oldest.
const (
	maxDatagrams    = 128
	maxDatagram     = 1<<16 - 1
	maxFragmentRuns = 64 // parts of a datagram that do not touch
)

// fragmentKey tells the datagrams apart whose fragments come.
type fragmentKey struct {
	src, dst address
	id       uint32
	proto    uint8
	six      bool // IPv6, of which the proto is in the fragment header
}

// fragments puts datagrams together: those of IPv4 (RFC 791), and of IPv6 (RFC 8200 §4.5).
// Where fragments overlap, what was seen first holds.
type fragments struct {
	pending []*datagram // the oldest first
	free    *datagram   // one to be used again
}

type datagram struct {
	key   fragmentKey
	bytes []byte
	head  []byte // IPv6's fragment header, as it is in the first fragment
	runs  []run  // what has come, in order and without overlap
	size  int    // of the whole; 0 while the last fragment is missing
}

// run is a part of a datagram: from start up to end.
type run struct{ start, end int }

// add takes a fragment of a datagram at offset, and returns the datagram once it is
// whole, valid until the next call. With IPv6, b and what is returned begin with the
// fragment header of 8 bytes, which offset does not count.
func (f *fragments) add(key fragmentKey, offset int, more bool, b []byte) []byte {
	var head []byte
	if key.six {
		head, b = b[:8], b[8:]
	}
	if end := offset + len(b); end > maxDatagram || len(b) == 0 || more && len(b)%8 != 0 {
		return nil
	}
	i := slices.IndexFunc(f.pending, func(d *datagram) bool { return d.key == key })
	if i < 0 {
		f.begin(key)
		i = len(f.pending) - 1
	}
	d := f.pending[i]
	if offset == 0 {
		d.head = append(d.head[:0], head...)
	}
	if !more && d.size == 0 {
		d.size = offset + len(b)
	}
	d.put(offset, b)
	if len(d.runs) > maxFragmentRuns {
		f.end(i)
		return nil
	}
	if d.size == 0 || len(d.runs) != 1 || d.runs[0].start != 0 || d.runs[0].end < d.size {
		return nil
	}
	f.end(i)
	whole := d.bytes[:d.size]
	if key.six {
		whole = append(slices.Clone(d.head), whole...)
	}
	return whole
}

func (f *fragments) begin(key fragmentKey) {
	if len(f.pending) == maxDatagrams {
		f.end(0)
	}
	d := f.free
	if f.free = nil; d == nil {
		d = &datagram{}
	}
	*d = datagram{key: key, bytes: d.bytes[:0], head: d.head[:0], runs: d.runs[:0]}
	f.pending = append(f.pending, d)
}

func (f *fragments) end(i int) {
	f.free = f.pending[i]
	f.pending = slices.Delete(f.pending, i, i+1)
}

// put copies what of b has not come yet to offset.
func (d *datagram) put(offset int, b []byte) {
	end := offset + len(b)
	if end > len(d.bytes) {
		d.bytes = slices.Grow(d.bytes, end-len(d.bytes))[:end]
	}
	at := offset
	for _, r := range d.runs {
		if r.end <= at {
			continue
		}
		if r.start >= end {
			break
		}
		if at < r.start {
			copy(d.bytes[at:r.start], b[at-offset:])
		}
		at = r.end
	}
	if at < end {
		copy(d.bytes[at:end], b[at-offset:])
	}
	d.runs = append(d.runs, run{offset, end})
	slices.SortFunc(d.runs, func(a, b run) int { return a.start - b.start })
	joined := d.runs[:1]
	for _, r := range d.runs[1:] {
		if last := &joined[len(joined)-1]; r.start <= last.end {
			last.end = max(last.end, r.end)
		} else {
			joined = append(joined, r)
		}
	}
	d.runs = joined
}
