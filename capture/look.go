package capture

import (
	"bytes"
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/wire"
)

// How many bytes may come before TLS: of a protocol that is known to go over to it, of any
// other, and of a connection whose beginning was not captured.
const (
	maxPrelude        = 64 << 10
	maxUnknownPrelude = 2 << 10
	maxMidway         = 1 << 20
)

// prelude is what was said before TLS.
type prelude struct {
	text  [2][]byte // by each end
	kept  int       // bytes
	maybe [2]int    // 1 more than where a hello may begin of which there is too little to tell
}

// bytes takes in the next bytes of a direction.
func (t *tracker) bytes(f *flow, from int, at int64, b []byte) {
	switch f.state {
	case isTLS:
		f.tls.data(from, at, b)
	case undecided:
		t.look(f, from, at, b)
	}
}

// look looks for the beginning of TLS.
func (t *tracker) look(f *flow, from int, at int64, b []byte) {
	h := &f.halves[from]
	if sender, whole := hello(b); whole { // no copy where TLS begins at once
		t.turn(f, from, sender, at, b)
		return
	}
	if (!h.begun || h.lost) && inMidst(b) {
		t.converse(f, f.likelyClient(from), at, "")
		f.tls.midway()
		f.tls.data(from, at, b)
		return
	}
	if f.prelude == nil {
		f.prelude = &prelude{}
	}
	p := f.prelude
	start := len(p.text[from])
	if start+len(b) <= maxPrelude {
		p.text[from] = append(p.text[from], b...)
		p.kept += len(b)
		t.left.preludes -= len(b)
		if rest := p.find(from, start); rest != nil {
			p.text[from] = p.text[from][:len(p.text[from])-len(rest)]
			sender, _ := hello(rest)
			t.turn(f, from, sender, at, rest)
			return
		}
	}
	if t.hopeless(f) {
		t.other(f)
	}
}

// find returns what a direction has said from a hello on, if there is one. It may stand
// where the segment at start begins, behind a line, and behind a PROXY header.
func (p *prelude) find(from, start int) []byte {
	text := p.text[from]
	places := []int{start, proxy2Len(text)}
	if p.maybe[from] > 0 {
		places = append(places, p.maybe[from]-1)
	}
	for i := start; ; {
		n := bytes.IndexByte(text[i:], '\n')
		if n < 0 {
			break
		}
		i += n + 1
		places = append(places, i)
	}
	p.maybe[from] = 0
	for _, i := range places {
		if i >= len(text) {
			continue
		}
		switch sender, whole := hello(text[i:]); {
		case whole:
			return text[i:]
		case sender != 0:
			p.maybe[from] = i + 1
		}
	}
	return nil
}

// hopeless reports whether TLS is not to be expected any more.
func (t *tracker) hopeless(f *flow) bool {
	p := f.prelude
	limit := maxUnknownPrelude
	switch {
	case upgrades(p.text[0]) || upgrades(p.text[1]):
		limit = maxPrelude
	case !f.halves[0].begun || !f.halves[1].begun || f.halves[0].lost || f.halves[1].lost:
		return f.halves[0].handed+f.halves[1].handed > maxMidway
	}
	if t.left.preludes < 0 {
		t.totals.Unread++
		return true
	}
	return f.halves[0].handed > int64(limit) || f.halves[1].handed > int64(limit)
}

// forget gives back what a prelude holds.
func (t *tracker) forget(f *flow) {
	if f.prelude != nil {
		t.left.preludes += f.prelude.kept
		f.prelude = nil
	}
}

// turn begins TLS with the hello that rest starts with.
func (t *tracker) turn(f *flow, from int, sender wire.Role, at int64, rest []byte) {
	client := from
	if sender == wire.Server {
		client = 1 - from
	}
	var said [2][]byte // by the client, and by the server
	if p := f.prelude; p != nil {
		said[0], said[1] = p.text[client], p.text[1-client]
	}
	how, answered := beginning(said[0], said[1])
	t.forget(f)
	t.converse(f, client, at, how)
	if sender == wire.Server {
		f.tls.gap(client, at, unknown)
	} else if !answered {
		f.tls.answering = true
	}
	f.tls.data(from, at, rest)
}

// likelyClient is the end that probably is the client: the one that has called, or that has
// the higher port.
func (f *flow) likelyClient(from int) int {
	switch {
	case f.caller >= 0:
		return int(f.caller)
	case f.key.lowPort > f.key.highPort:
		return 0
	case f.key.lowPort < f.key.highPort:
		return 1
	}
	return from
}

// maxRecord is the longest body of a record: 2^14 bytes, and what the loosest version adds.
const maxRecord = 1<<14 + 2048

// hello tells which side sends a hello that starts like b, 0 for none. whole is set where b is
// enough to tell.
func hello(b []byte) (sender wire.Role, whole bool) {
	if len(b) == 0 {
		return 0, false
	}
	if b[0]&0x80 != 0 {
		return ssl2Hello(b)
	}
	if b[0] != byte(wire.ContentHandshake) || len(b) > 1 && b[1] != 3 || len(b) > 2 && b[2] > 4 {
		return 0, false
	}
	if len(b) < 6 {
		return wire.Client, false
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	switch wire.HandshakeType(b[5]) {
	case wire.TypeClientHello:
		sender = wire.Client
	case wire.TypeServerHello:
		sender = wire.Server
	default:
		return 0, false
	}
	switch {
	case n == 0 || n > maxRecord:
		return 0, false
	case n < 6: // a record that holds no more than the beginning of the message
		return sender, true
	case len(b) > 6 && b[6] > 1 || len(b) > 9 && b[9] != 3 || len(b) > 10 && b[10] > 4:
		return 0, false
	}
	return sender, len(b) > 10
}

// ssl2Hello is hello for a ClientHello in the format of SSL 2.0. RFC 5246 App. E.2.
func ssl2Hello(b []byte) (sender wire.Role, whole bool) {
	if len(b) > 2 && b[2] != byte(wire.TypeClientHello) ||
		len(b) > 4 && (b[3] != 3 || b[4] > 4) && (b[3] != 0 || b[4] != 2) {
		return 0, false
	}
	const lengths = 11 // the message's type, version and lengths, behind the record's header
	if len(b) < lengths {
		return wire.Client, false
	}
	specs, id, challenge := int(binary.BigEndian.Uint16(b[5:])), int(binary.BigEndian.Uint16(b[7:])), int(binary.BigEndian.Uint16(b[9:]))
	if specs == 0 || specs%3 != 0 || id != 0 && id != 16 || challenge < 16 ||
		wire.SSL2HelloLen(b) != lengths+specs+id+challenge {
		return 0, false
	}
	return wire.Client, true
}

// inMidst reports whether b starts like a record of a connection that goes on already: with
// a header, and another one behind the record if that is all there.
func inMidst(b []byte) bool {
	for records := 0; ; records++ {
		if len(b) < wire.RecordHeaderLen {
			return records > 0
		}
		n := int(binary.BigEndian.Uint16(b[3:]))
		if b[0] < byte(wire.ContentChangeCipherSpec) || b[0] > byte(wire.ContentApplicationData) || b[1] != 3 || b[2] > 4 || n == 0 || n > maxRecord {
			return false
		}
		if b = b[wire.RecordHeaderLen:]; n >= len(b) {
			return true
		}
		b = b[n:]
	}
}
