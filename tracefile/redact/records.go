package redact

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/wire"
)

// messages replaces the handshake messages of a connection, and returns what stands for
// each, by its bytes.
func (s *Redactor) messages(events []tracefile.Event) map[string][]byte {
	var agreed wire.Context
	for _, e := range events {
		if m, ok := e.What.(trace.Message); ok {
			agreed.Version = max(agreed.Version, m.Context.Version)
			if m.Context.KeyExchange != wire.KeyExchangeNone {
				agreed.KeyExchange = m.Context.KeyExchange
			}
		}
	}
	all := map[string][]byte{}
	for i, e := range events {
		if x, ok := e.What.(trace.Inner); ok {
			x.Raw = s.message(x.Raw, agreed, false)
			events[i].What = x
		}
		m, ok := e.What.(trace.Message)
		if !ok {
			continue
		}
		c := m.Context
		if c.Version == 0 {
			c.Version = agreed.Version
		}
		if c.KeyExchange == wire.KeyExchangeNone {
			c.KeyExchange = agreed.KeyExchange
		}
		other, done := all[string(m.Raw)]
		if !done {
			other = s.message(m.Raw, c, m.SSL2)
			all[string(m.Raw)] = other
		}
		m.Raw = other
		events[i].What = m
	}
	return all
}

// records replaces what the records of a connection hold. Handshake records hold the
// messages that stand for those they held; what belongs to none that was seen is replaced
// as a whole.
func (s *Redactor) records(events []tracefile.Event, messages map[string][]byte) {
	for _, dir := range []trace.Direction{trace.Sent, trace.Received} {
		var at []int // the handshake records of this direction
		for i, e := range events {
			r, ok := e.What.(trace.Record)
			switch {
			case !ok || r.Dir != dir:
			case r.Type == wire.ContentHandshake && len(r.Plain) > 0:
				at = append(at, i)
			default:
				events[i].What = s.record(r, s.content(r), messages)
			}
		}
		var ends []int
		var stream []byte
		for _, i := range at {
			stream = append(stream, events[i].What.(trace.Record).Plain...)
			ends = append(ends, len(stream))
		}
		stream, begin := s.handshake(stream, ends, messages), 0
		for n, i := range at {
			r := events[i].What.(trace.Record)
			events[i].What = s.record(r, stream[begin:ends[n]], messages)
			begin = ends[n]
		}
	}
}

// handshake replaces the messages in a stream that is cut into records at ends.
func (s *Redactor) handshake(stream []byte, ends []int, messages map[string][]byte) (out []byte) {
	for len(out) < len(stream) {
		rest := stream[len(out):]
		if len(rest) >= wire.HeaderLen {
			n := wire.HeaderLen + int(rest[1])<<16 + int(rest[2])<<8 + int(rest[3])
			if other, ok := messages[string(rest[:min(n, len(rest))])]; ok {
				out = append(out, other...)
				continue
			}
		}
		for _, end := range ends {
			if end > len(out) {
				out = append(out, s.bytes(stream[len(out):end])...)
				break
			}
		}
	}
	return out
}

// content is what stands for the content of a record that is no handshake message.
func (s *Redactor) content(r trace.Record) []byte {
	switch {
	case r.Type == wire.ContentAlert && len(r.Plain) == 2, r.Type == wire.ContentChangeCipherSpec && len(r.Plain) == 1:
		return r.Plain
	case r.Type == wire.ContentApplicationData:
		return s.letters(r.Plain)
	}
	return s.bytes(r.Plain)
}

// record is r with another content. In the clear it stands on the wire too.
func (s *Redactor) record(r trace.Record, plain []byte, messages map[string][]byte) trace.Record {
	header := 0
	if len(r.Wire) >= wire.RecordHeaderLen && r.Wire[0] >= 20 && r.Wire[0] <= 24 && r.Wire[1] == 3 {
		header = wire.RecordHeaderLen
	}
	body := r.Wire[header:]
	ssl2, isHello := messages[string(r.Wire[min(2, len(r.Wire)):])]
	switch {
	case r.Epoch == 0 && header > 0 && len(body) > 0 && bytes.Equal(body, r.Plain):
		body = plain
	case header == 0 && isHello: // a ClientHello of SSL 2.0
		header, body = 2, ssl2
		plain = replaceSuffix(r.Plain, r.Wire[2:], ssl2, plain)
	default:
		body = s.bytes(body)
	}
	r.Wire = append(bytes.Clone(r.Wire[:header]), body...)
	if r.Plain != nil {
		r.Plain = plain
	}
	return r
}

// replaceSuffix is was with its end replaced, where it ends so; else otherwise.
func replaceSuffix(was, end, by, otherwise []byte) []byte {
	if rest, ok := bytes.CutSuffix(was, end); ok {
		return append(bytes.Clone(rest), by...)
	}
	return otherwise
}

// values replaces secrets and keys.
func (s *Redactor) values(events []tracefile.Event) {
	for i, e := range events {
		switch x := e.What.(type) {
		case trace.Secret:
			x.Input, x.Value = s.bytes(x.Input), s.bytes(x.Value)
			events[i].What = x
		case trace.Keys:
			x.Key, x.IV, x.MAC = s.bytes(x.Key), s.bytes(x.IV), s.bytes(x.MAC)
			events[i].What = x
		}
	}
}
