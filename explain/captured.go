package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// What an account says of a connection that somebody only listened to: what is missing,
// what could not be opened, and how it ended as far as that can be seen.

// tears reports that messages of a handshake may be missing from here on.
func (e *Event) tears() bool {
	return e.Gap != nil || e.Record != nil && e.Record.Unopened != ""
}

// noteGaps marks the records whose sequence number does not follow from those before.
func (c *Connection) noteGaps() {
	unsure, after := map[wire.Role]bool{}, map[wire.Role]bool{}
	for _, e := range c.Events {
		switch {
		case e.Gap != nil:
			unsure[e.Gap.from], after[e.Gap.from] = true, true
		case e.Record != nil && e.Record.Unopened != "":
			unsure[e.Record.from] = true
		case e.Record != nil:
			e.Record.unsure = unsure[e.Record.from]
			unsure[e.Record.from] = false
		}
		if r := e.Record; r != nil {
			r.gap, after[r.from] = r.gap || after[r.from], false
		}
	}
}

// unsigned reports that something which the signature of m covers is missing.
func (hs *handshake) unsigned(m *Message) bool {
	if !hs.account.Captured {
		return false
	}
	if m.typ == wire.TypeServerKeyExchange {
		return hs.hello == nil || hs.answer == nil
	}
	return hs.torn || hs.version == wire.SSL30 && hs.value("master_secret") == nil
}

// Sentence says in words what is missing.
func (g *Gap) Sentence() string {
	var parts []string
	switch {
	case g.Bytes < 0:
		parts = append(parts, "bytes of the "+g.From+" are missing, and how many is not known")
	case g.Bytes == 1:
		parts = append(parts, "1 byte of the "+g.From+" is missing")
	case g.Bytes > 0:
		parts = append(parts, fmt.Sprintf("%s of the %s are missing", words.Size(g.Bytes), g.From))
	}
	if g.Skipped > 0 {
		parts = append(parts, words.Size(g.Skipped)+" after that are of a record whose start is missing")
	}
	return strings.Join(parts, "; ")
}

// unopened adds a record that a listener could not open; those of a kind take one line.
func (f *Flight) unopened(rung Rung, r *Record, hs *handshake) {
	rung.Name, rung.Mood, rung.bytes, rung.records = unopenedName(r, hs), Quiet, max(0, len(r.Wire)-wire.RecordHeaderLen), 1
	rung.Sealed = rung.Sealed || r.typ == wire.ContentApplicationData
	if n := len(f.Rungs); n > 0 && f.Rungs[n-1].Name == rung.Name {
		last := &f.Rungs[n-1]
		last.bytes, last.records = last.bytes+rung.bytes, last.records+1
		last.Words = words.Join(words.Size(last.bytes), words.Count(last.records, "record"))
		return
	}
	rung.Words = words.Size(rung.bytes)
	f.Rungs = append(f.Rungs, rung)
}

// unopenedName says what is known of the record: up to TLS 1.2 its type, in TLS 1.3
// only that it is protected.
func unopenedName(r *Record, hs *handshake) string {
	switch {
	case r.typ != wire.ContentApplicationData && r.Epoch == 0:
		return "unread " + r.Type
	case r.typ != wire.ContentApplicationData:
		return "encrypted " + r.Type
	case hs.answer != nil && hs.version < wire.TLS13:
		return "encrypted data"
	}
	return "encrypted"
}

// overheard is what else must be known of a connection that was captured.
func (c *Connection) overheard() (all []Remark) {
	if !c.Captured {
		return nil
	}
	add := func(mood Mood, when bool, format string, args ...any) {
		if when {
			all = append(all, Remark{mood, fmt.Sprintf(format, args...)})
		}
	}
	o := c.overhear()
	client, server := o.sealed[wire.Client.String()], o.sealed[wire.Server.String()]
	seen := len(c.Handshakes) > 0 && len(c.Handshakes[0].Messages) > 0
	add(Plain, !seen && (client || server), "the capture begins in mid-connection, after the handshake")
	add(Plain, !c.Summary.Complete && seen && client && server,
		"both sides went on encrypted; whether the handshake completed cannot be read")
	add(Bad, !c.Summary.Complete && !(client && server) && c.Failure == "" && o.fatal == nil && !o.gap,
		"the handshake did not complete in what was captured")
	for _, what := range o.gaps {
		add(Warning, true, "%s", what)
	}
	for _, why := range o.reasons {
		n := o.unopened[why]
		did := "was"
		if n > 1 {
			did = "were"
		}
		add(Warning, true, "%s %s not opened: %s", words.Count(n, "record"), did, why)
	}
	add(Warning, o.more > 0, "%s more were not opened, for other reasons", words.Count(o.more, "record"))
	if a := o.fatal; a != nil {
		add(Bad, c.Failure == "", "the %s ended it with the alert %s: %s", a.From, a.Code, a.Meaning)
	}
	for _, what := range o.ending(c.Summary) {
		add(Quiet, true, "%s", what)
	}
	return all
}

// overheardTotals are what the events amount to.
type overheardTotals struct {
	sealed   map[string]bool // it sent records that could not be opened
	gap      bool
	gaps     []string
	unopened map[string]int
	reasons  []string // in the order of their first record
	more     int      // records with yet other reasons
	fatal    *Alert
	unread   map[string]bool // its last record is an alert that could not be read
	ended    []string        // the sides that closed below TLS
}

// sides are both, as an account names them.
var sides = []string{wire.Client.String(), wire.Server.String()}

// maxReasons is how many different reasons, and how many gaps, the outcome names.
const maxReasons = 4

func (c *Connection) overhear() (o overheardTotals) {
	o.sealed, o.unopened, o.unread = map[string]bool{}, map[string]int{}, map[string]bool{}
	missing := map[string]*Gap{}
	for _, e := range c.Events {
		switch {
		case e.Gap != nil:
			o.gap = true
			sum := missing[e.Gap.From]
			if sum == nil {
				sum = &Gap{From: e.Gap.From}
				missing[e.Gap.From] = sum
			}
			if sum.Skipped += e.Gap.Skipped; e.Gap.Bytes < 0 || sum.Bytes < 0 {
				sum.Bytes = -1
			} else {
				sum.Bytes += e.Gap.Bytes
			}
		case e.End != nil:
			o.ended = append(o.ended, e.End.From)
		case e.Alert != nil && e.Alert.Level == wire.LevelFatal.String() && e.Alert.Code != wire.AlertCloseNotify.String():
			o.fatal = e.Alert
		case e.Record != nil:
			o.record(e.Record)
		}
	}
	for _, side := range sides {
		if g := missing[side]; g != nil {
			o.gaps = append(o.gaps, g.Sentence())
		}
	}
	return o
}

func (o *overheardTotals) record(r *Record) {
	o.unread[r.From] = r.Unopened != "" && r.Type == wire.ContentAlert.String()
	if r.Unopened == "" {
		return
	}
	o.sealed[r.From] = true
	if o.unopened[r.Unopened] == 0 {
		if len(o.reasons) == maxReasons {
			o.more++
			return
		}
		o.reasons = append(o.reasons, r.Unopened)
	}
	o.unopened[r.Unopened]++
}

// ending says how the connection ended, as far as it was captured.
func (o *overheardTotals) ending(s Summary) (parts []string) {
	switch {
	case s.ClosedByClient && s.ClosedByServer:
		parts = append(parts, "both sides said close_notify")
	case s.ClosedByClient:
		parts = append(parts, "the client said close_notify")
	case s.ClosedByServer:
		parts = append(parts, "the server said close_notify")
	}
	for _, side := range sides {
		if o.unread[side] {
			parts = append(parts, fmt.Sprintf("the last record of the %s is an alert that could not be read", side))
		}
	}
	client, server := slices.Contains(o.ended, wire.Client.String()), slices.Contains(o.ended, wire.Server.String())
	switch {
	case client && server:
		parts = append(parts, "the "+o.ended[0]+" closed the TCP connection first")
	case client || server:
		parts = append(parts, "the "+o.ended[0]+" closed the TCP connection, and the capture ends before the other side did")
	default:
		parts = append(parts, "the capture ends before the connection does")
	}
	return parts
}
