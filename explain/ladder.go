package explain

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// flights cuts the records into runs of one direction, tells every event its
// flight, and makes the lines of the ladder.
func flights(c *Connection) []Flight {
	l := ladder{flights: []Flight{}, records: map[int]int{}, ends: map[int][]*Message{}}
	for _, e := range c.Events {
		if m := e.Message; m != nil && len(m.Pieces) > 0 {
			last := m.Pieces[len(m.Pieces)-1].Record
			l.ends[last] = append(l.ends[last], m)
		}
	}
	for i := range c.Events {
		l.drop(c.DroppedAt(i))
		l.event(&c.Events[i])
	}
	l.drop(c.DroppedAt(len(c.Events)))
	number := 1
	for i := range c.Events {
		e := &c.Events[i]
		switch {
		case e.Record != nil:
			number = max(number, l.records[e.Record.Number])
		case e.Message != nil && len(e.Message.Pieces) > 0:
			number = max(number, l.records[e.Message.Pieces[0].Record])
		case e.Alert != nil && e.Alert.from == c.side && i+1 < len(c.Events) && c.Events[i+1].Record != nil:
			number = max(number, l.records[c.Events[i+1].Record.Number]) // reported before the record that it is in
		}
		e.Flight = number
	}
	return l.flights
}

type ladder struct {
	flights []Flight
	early   []Rung             // notes before the first flight
	records map[int]int        // the flight of each record, by number
	ends    map[int][]*Message // the messages that end in each record
}

// drop says in the last flight what is missing from there on.
func (l *ladder) drop(all []Dropped) {
	if len(l.flights) == 0 {
		return
	}
	f := &l.flights[len(l.flights)-1]
	for _, d := range all {
		f.Rungs = append(f.Rungs, Rung{AtUS: d.AtUS, Name: words.NotKept, Words: words.FromHere + d.Sentence(), Mood: Warning, Note: true})
	}
}

// event puts a record, or what a listener has to say, into the ladder.
func (l *ladder) event(e *Event) {
	switch {
	case e.Record != nil:
		l.record(e)
	case e.Gap != nil:
		l.note(Rung{AtUS: e.AtUS, Name: words.NotCaptured, Words: e.Gap.Sentence(), Mood: Warning, Note: true})
	case e.End != nil:
		l.note(Rung{AtUS: e.AtUS, Name: "end", Words: "the " + e.End.From + " closed the TCP connection", Mood: Quiet, Note: true})
	}
}

// note adds a line of which nothing went over the wire to the flight under way; those
// before the first flight go with that.
func (l *ladder) note(r Rung) {
	if n := len(l.flights); n > 0 {
		l.flights[n-1].Rungs = append(l.flights[n-1].Rungs, r)
		return
	}
	l.early = append(l.early, r)
}

func (l *ladder) record(e *Event) {
	r := e.Record
	if n := len(l.flights); n == 0 || l.flights[n-1].From != r.From || r.resumes {
		l.flights = append(l.flights, Flight{Number: n + 1, From: r.From, StartUS: e.AtUS, Rungs: append([]Rung{}, l.early...), AfterGap: r.resumes})
		l.early = nil
	}
	f := &l.flights[len(l.flights)-1]
	l.records[r.Number] = f.Number
	f.EndUS = e.AtUS
	f.Bytes += len(r.Wire)
	if r.Type != "" { // it is a record
		f.Records++
	}
	rung := Rung{AtUS: e.AtUS, Sealed: r.Epoch > 0 && !r.bare}
	if r.Refused != "" {
		rung.Name, rung.Words, rung.Mood = "✗ refused", r.Refusal, Bad
		f.Rungs = append(f.Rungs, rung)
		return
	}
	if r.Unopened != "" {
		f.unopened(rung, r, e.hs)
		return
	}
	switch r.typ {
	case wire.ContentHandshake:
		for _, m := range l.ends[r.Number] {
			rung.Name, rung.Words, rung.Mood = m.Name, m.Words, Plain
			if m.Malformed != "" || m.failed() {
				rung.Mood = Bad
			}
			f.Rungs = append(f.Rungs, rung)
		}
	case wire.ContentChangeCipherSpec:
		rung.Name, rung.Words, rung.Mood = "change_cipher_spec", changeWords(e.hs, r), Quiet
		f.Rungs = append(f.Rungs, rung)
	case wire.ContentAlert:
		f.Rungs = append(f.Rungs, alertRung(rung, r))
	case wire.ContentApplicationData:
		f.data(rung, r)
	default:
		rung.Name, rung.Words, rung.Mood = r.Type, words.Size(len(r.Plain)), Warning
		f.Rungs = append(f.Rungs, rung)
	}
}

// changeWords say what a change_cipher_spec record brings about.
func changeWords(hs *handshake, r *Record) string {
	switch {
	case hs.version >= wire.TLS13:
		return "no meaning: it is there for old middleboxes"
	case hs.suite != nil && hs.suite.Cipher.KeyLen == 0:
		return "everything after it has a MAC, and is not encrypted"
	case r.Epoch > 0:
		return "everything after it uses new keys"
	}
	return "everything after it is encrypted"
}

func (m *Message) failed() bool {
	for _, c := range m.Checks {
		if c.Result == Differs {
			return true
		}
	}
	return false
}

func alertRung(rung Rung, r *Record) Rung {
	a, err := wire.DecodeAlert(r.Plain, nil)
	if err != nil {
		rung.Name, rung.Words, rung.Mood = "alert", "✗ malformed", Bad
		return rung
	}
	rung.Name, rung.Words, rung.Mood = a.Code.String(), alertMeanings[a.Code], Bad
	switch {
	case a.Code == wire.AlertCloseNotify:
		rung.Words, rung.Mood = "nothing more from the "+r.From, Quiet
	case a.Level == wire.LevelWarning:
		rung.Mood = Warning
	}
	return rung
}

// data adds application data, which takes one line however many records it has.
func (f *Flight) data(rung Rung, r *Record) {
	name := "application data"
	if r.early {
		name = "early data"
	}
	if n := len(f.Rungs); n > 0 && f.Rungs[n-1].Name == name {
		last := &f.Rungs[n-1]
		last.bytes, last.records = last.bytes+len(r.Plain), last.records+1
		if last.split != nil {
			last.first = firstLine(append(last.split, r.Plain...))
			last.split = nil
		}
		if last.says != nil || last.first == "" && r.Says != "" {
			last.says = append(last.says, r.Says)
			last.first = few(slices.DeleteFunc(slices.Clone(last.says), func(s string) bool { return s == "" }))
		}
		last.Words = words.Join(last.first, words.Size(last.bytes), words.Count(last.records, "record"))
		return
	}
	rung.Name, rung.bytes, rung.records = name, len(r.Plain), 1
	if rung.first = firstLine(r.Plain); rung.first == "" && r.Says != "" || strings.HasPrefix(r.Says, "HTTP/2") {
		rung.first, rung.says = r.Says, []string{r.Says}
	}
	if r.split {
		rung.split = bytes.Clone(r.Plain)
	}
	rung.Words = words.Join(rung.first, words.Size(rung.bytes))
	f.Rungs = append(f.Rungs, rung)
}

// firstLine is the first line of what reads like text, quoted and short.
func firstLine(b []byte) string {
	const most = 28
	line, _, _ := bytes.Cut(b, []byte("\n"))
	line = bytes.TrimRight(line, "\r")
	short := ""
	if len(line) > most {
		line, short = line[:most], "…"
	}
	for _, c := range line {
		if c < ' ' || c > '~' {
			return ""
		}
	}
	if len(line) == 0 {
		return ""
	}
	return fmt.Sprint(strconv.Quote(string(line)), short)
}
