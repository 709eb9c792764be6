package explain

import (
	"bytes"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// build makes the account: first what was said, then what that amounts to,
// then the checks, then the ladder, which shows their outcome.
func build(events []collected, dropped [classes]lost, about About) *Connection {
	c := &Connection{
		Format: Format, Target: about.Target, TargetIs: about.TargetIs, Trust: about.Trust, Verdict: about.Verdict, Sent: about.Sent, Before: about.Before, Advice: about.Advice, Warnings: about.Warnings,
		Flights: []Flight{}, Handshakes: []*Handshake{}, Events: []Event{}, previous: about.Previous, side: sideOf(events), Captured: about.Captured, Redacted: about.Redacted,
	}
	if c.Captured {
		c.side = wire.Client
	}
	c.Side = c.side.String()
	c.Checks.Failures = []string{}
	if about.Err != nil {
		c.Failure = about.Err.Error()
	}
	c.drop(dropped)
	var gone missed
	for _, e := range events {
		if x, ok := e.what.(trace.Inner); ok {
			c.hides(x)
			continue
		}
		ev := c.convert(e)
		if x, ok := e.what.(trace.Record); ok {
			ev.Record.place(x.Dir, e.missed, &gone)
		}
		c.Events = append(c.Events, ev)
	}
	c.noteGaps()
	c.noteInner()
	c.split()
	carry(c)
	for _, e := range c.Events {
		if m := e.Message; m != nil {
			m.decode(e.hs.context())
			if m.Inner != nil {
				m.nameInner()
			}
		}
		if e.Alert != nil {
			e.Alert.Ref = alertRef(e.hs.version)
		}
	}
	for _, hs := range c.handshakes {
		hs.read()
	}
	c.check()
	c.summarise()
	c.costs()
	for _, e := range c.Events {
		if m := e.Message; m != nil {
			m.Words = wordsOf(m)
			if m.Inner != nil {
				m.Inner.Words = wordsOf(m.Inner)
			}
		}
	}
	c.notOpened()
	c.applied()
	c.Flights = flights(c)
	return c
}

// notOpened takes back the praise of our last Finished where the peer could not
// read it: it is right by our keys, which are not the peer's.
func (c *Connection) notOpened() {
	var last *Message
	for _, e := range c.Events {
		if m := e.Message; m != nil && m.typ == wire.TypeFinished {
			last = m
		}
		if a := e.Alert; a != nil && last != nil && last.from == c.side && a.from != c.side && a.Code == wire.AlertBadRecordMAC.String() {
			last.Words = "as computed by the " + c.Side
		}
	}
}

// sideOf is the side that was traced: the one that sends a ClientHello.
func sideOf(events []collected) wire.Role {
	for _, e := range events {
		if m, ok := e.what.(trace.Message); ok && len(m.Raw) > 0 && m.Raw[0] == byte(wire.TypeClientHello) {
			if m.Dir == trace.Received {
				return wire.Server
			}
			return wire.Client
		}
	}
	return wire.Client
}

func (c *Connection) from(d trace.Direction) wire.Role {
	if d == trace.Sent {
		return c.side
	}
	return c.side.Peer()
}

func (c *Connection) convert(e collected) Event {
	ev := Event{AtUS: e.at.Microseconds()}
	switch x := e.what.(type) {
	case trace.Record:
		ev.Record = c.record(x)
	case trace.Message:
		from := c.from(x.Dir)
		ev.Message = &Message{From: from.String(), PostHandshake: x.PostHandshake, SSL2: x.SSL2, Raw: x.Raw,
			from: from, ctx: x.Context, Pieces: []Piece{}, Fields: []Field{}}
		if len(x.Raw) > 0 {
			ev.Message.typ = wire.HandshakeType(x.Raw[0])
		}
	case trace.Secret:
		ev.Secret = &Secret{lack: c.lacks(x.Value), Name: x.Name, How: x.How, From: x.From, Salt: x.Salt, Label: x.Label, Input: x.Input,
			InputIs: x.InputIs, Hash: x.Hash, Ref: x.Ref, Value: x.Value}
	case trace.Keys:
		from := c.from(x.Dir)
		ev.Keys = &Keys{lack: c.lacks(x.Key, x.IV, x.MAC), From: from.String(), Epoch: x.Epoch, Version: x.Version.String(), CipherSuite: x.Suite.String(),
			Secret: x.Secret, Label: x.Label, Key: x.Key, IV: x.IV, MAC: x.MAC, EncryptThenMAC: x.EncryptThenMAC,
			from: from, dir: x.Dir, raw: x}
	case trace.Choice:
		ev.Choice = &Choice{What: x.What, By: x.By.String(), Ours: x.Ours, Theirs: x.Theirs, Picked: x.Picked, Why: x.Why, Ref: x.Ref}
	case trace.Alert:
		from := c.from(x.Dir)
		ev.Alert = &Alert{From: from.String(), Level: x.Level.String(), Code: x.Code.String(), Meaning: alertMeanings[x.Code], from: from}
		if x.Err != nil {
			ev.Alert.Reason = reason(x.Err)
		}
	case trace.Gap:
		ev.Gap = &Gap{From: c.from(x.Dir).String(), Bytes: x.Bytes, Skipped: x.Skipped, from: c.from(x.Dir)}
	case trace.End:
		ev.End = &End{From: c.from(x.Dir).String(), from: c.from(x.Dir)}
	}
	return ev
}

func reason(err error) string { return strings.TrimPrefix(err.Error(), "tls: ") }

func (c *Connection) record(x trace.Record) *Record {
	from := c.from(x.Dir)
	r := &Record{From: from.String(), Epoch: x.Epoch, Seq: x.Seq, Type: x.Type.String(), Padding: x.Padding,
		Wire: x.Wire, Plain: x.Plain, Unopened: x.Unopened, from: from, typ: x.Type}
	c.records++
	r.Number = c.records
	if x.Err != nil {
		r.Refused = reason(x.Err)
		if !isRecord(x.Wire) {
			r.typ, r.Type, r.Header = 0, "", []Field{}
			return r
		}
	}
	if r.ssl2() {
		r.Header = ssl2Header(x.Wire)
		return r
	}
	var rec wire.Recorder
	_, _, _, _ = wire.DecodeRecordHeader(x.Wire, &rec) // what it could not read is a field of its own
	r.Header = fields(rec.Spans, x.Wire, "record")
	if r.typ == wire.ContentAlert && r.Refused == "" && r.Unopened == "" {
		r.Body = alertFields(r)
	}
	return r
}

// alertFields are those of the alert that a record holds.
func alertFields(r *Record) []Field {
	content := []byte(r.Plain)
	if r.Epoch == 0 {
		content = r.Wire[min(len(r.Wire), wire.RecordHeaderLen):]
	}
	var rec wire.Recorder
	_, _ = wire.DecodeAlert(content, &rec) // what it could not read is a field of its own
	return fields(rec.Spans, content, "alert")
}

// carry finds, for each message, the parts of records that carried it. The
// handshake content of one direction's records is one stream of messages.
// RFC 8446 §5.1.
func carry(c *Connection) {
	for _, from := range []wire.Role{wire.Client, wire.Server} {
		s := stream{}
		var msgs []*Message
		for _, e := range c.Events {
			if r := e.Record; r != nil && r.from == from && r.typ == wire.ContentHandshake && r.Unopened == "" {
				s.records = append(s.records, r)
			}
			if m := e.Message; m != nil && m.from == from {
				msgs = append(msgs, m)
			}
		}
		for len(msgs) > 0 {
			// A message of a further handshake waits for the writing side, and one
			// that was made later may go first.
			const ahead = 8
			next := max(0, slices.IndexFunc(msgs[:min(ahead, len(msgs))], s.startsWith))
			s.carry(msgs[next])
			msgs = slices.Delete(msgs, next, next+1)
		}
	}
}

// stream is what the handshake records of one direction hold.
type stream struct {
	records []*Record // those that are left
	offset  int       // in the first
}

// startsWith reports that the next record goes on like m.
func (s *stream) startsWith(m *Message) bool {
	if len(s.records) == 0 {
		return true
	}
	rest := s.records[0].Plain[s.offset:]
	n := min(len(m.Raw), len(rest))
	return bytes.Equal(m.Raw[:n], rest[:n])
}

// carry takes m off the stream.
func (s *stream) carry(m *Message) {
	same := true
	for left := []byte(m.Raw); len(left) > 0 && len(s.records) > 0; {
		r := s.records[0]
		n := min(len(left), len(r.Plain)-s.offset)
		if same && !bytes.Equal(left[:n], r.Plain[s.offset:s.offset+n]) {
			m.Checks = append(m.Checks, differ("bytes: record %d carries other ones", r.Number))
			same = false
		}
		m.Pieces = append(m.Pieces, Piece{r.Number, s.offset, n})
		r.Carries = append(r.Carries, m.typ.String())
		if left, s.offset = left[n:], s.offset+n; s.offset == len(r.Plain) {
			s.records, s.offset = s.records[1:], 0
		}
	}
}

// decode reads the message's fields. What the engine did not know yet, or did
// not say, is known now from what was agreed.
func (m *Message) decode(agreed wire.Context) {
	ctx := m.ctx
	if ctx.Version == 0 {
		ctx.Version = agreed.Version
	}
	if ctx.KeyExchange == wire.KeyExchangeNone {
		ctx.KeyExchange = agreed.KeyExchange
	}
	ctx.From = m.from
	var rec wire.Recorder
	var parsed wire.Message
	var err error
	if m.SSL2 {
		parsed = new(wire.SSL2ClientHello)
		err = wire.Decode(parsed, m.Raw, ctx, &rec)
	} else {
		parsed, err = wire.DecodeMessage(m.Raw, ctx, &rec)
	}
	if err != nil {
		m.Malformed = err.Error()
	}
	m.ctx, m.parsed, m.Name, m.Ref = ctx, parsed, m.typ.String(), refIn(ctx.Version, m.typ.Ref(ctx.Version))
	if m.SSL2 {
		m.Ref = "RFC 5246 §E.2"
	}
	if isRetry(m) {
		m.Name, m.Ref = "HelloRetryRequest", "RFC 8446 §4.1.4"
	}
	scopes := m.scopes()
	for _, scope := range slices.Backward(scopes) {
		if meaning, ok := messageMeanings[scope]; ok {
			m.Meaning = meaning
		}
	}
	m.Fields = fields(rec.Spans, m.Raw, scopes...)
	for i := range m.Fields {
		m.Fields[i].Ref = refIn(ctx.Version, m.Fields[i].Ref)
	}
	m.note()
}

func helloVersion(sh *wire.ServerHello) wire.Version {
	v := sh.LegacyVersion
	_, _ = sh.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { v = wire.U16[wire.Version](r, "selected_version") })
	return v
}
