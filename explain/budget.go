package explain

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// DefaultBudget is what a Collector keeps at most, in bytes, where its Budget
// says nothing.
const DefaultBudget = 16 << 20

// eventCost is what an event takes besides the bytes that it points to.
const eventCost = 256

// class is what the budget tells apart: what is worth less goes first, so that
// much data leaves room for handshakes, and these for how the connection ended.
type class uint8

const (
	ofData class = iota
	ofHandshake
	ofEnd
	classes
)

// shares says how much of the budget may be used up when one of a class is
// kept, in sixteenths.
var shares = [classes]struct {
	name  string
	share int
}{
	ofData:      {"application data", 8},
	ofHandshake: {"handshakes and keys", 14},
	ofEnd:       {"alerts and refused records", 16},
}

// lost is what was not kept of one class.
type lost struct {
	first   int // the place among the events where it would be
	at      time.Duration
	records int
	bytes   int64 // of these records on the wire
	others  int
}

func (l *lost) any() bool { return l.records+l.others > 0 }

// classOf is the class of an event, and what keeping it takes, in bytes.
func classOf(event any) (of class, cost int) {
	cost = eventCost
	switch e := event.(type) {
	case trace.Record:
		cost += len(e.Wire) + len(e.Plain)
		switch {
		case e.Err != nil || e.Type == wire.ContentAlert:
			return ofEnd, cost
		case e.Type == wire.ContentApplicationData:
			return ofData, cost
		}
	case trace.Message:
		cost += len(e.Raw)
	case trace.Inner:
		cost += len(e.Raw)
	case trace.Secret:
		cost += len(e.Input) + len(e.Value)
	case trace.Keys:
		cost += len(e.Key) + len(e.IV) + len(e.MAC)
	case trace.Choice:
		for _, s := range slices.Concat(e.Ours, e.Theirs) {
			cost += len(s) + 16 // a string's header
		}
	case trace.Alert, trace.Gap, trace.End:
		return ofEnd, cost
	}
	return ofHandshake, cost
}

// admit reports that there is room for event, and takes it. Once there was none,
// there is none for its class and those that are worth less: what is kept of
// each is all there was, up to one moment. c.mu is held.
func (c *Collector) admit(event any, at time.Duration) bool {
	budget := c.Budget
	if budget <= 0 {
		budget = DefaultBudget
	}
	of, cost := classOf(event)
	room := cost <= budget/16*shares[of].share-c.used
	for k := of; k < classes; k++ {
		room = room && !c.lost[k].any()
	}
	if room {
		c.used += cost
		return true
	}
	l := &c.lost[of]
	if !l.any() {
		l.first, l.at = len(c.events), at
	}
	if r, ok := event.(trace.Record); ok {
		l.records, l.bytes = l.records+1, l.bytes+int64(len(r.Wire))
		c.missed[r.Dir]++
	} else {
		l.others++
	}
	return false
}

// drop tells the account what was not kept, in order of time.
func (c *Connection) drop(all [classes]lost) {
	for of, l := range all {
		if l.any() {
			c.Dropped = append(c.Dropped, Dropped{What: shares[of].name, AtUS: l.at.Microseconds(), Records: l.records, Bytes: l.bytes, Others: l.others, Event: l.first})
		}
	}
	slices.SortStableFunc(c.Dropped, func(a, b Dropped) int { return cmp.Compare(a.AtUS, b.AtUS) })
}

// place numbers a record that was kept among all there were. seen is what was
// missing by the last record of each direction, and in sum at element 0.
func (r *Record) place(d trace.Direction, now missed, seen *missed) {
	sum := now[trace.Sent] + now[trace.Received]
	r.Number += sum
	r.gap, r.resumes = now[d] > seen[d], sum > seen[0]
	seen[d], seen[0] = now[d], sum
}

// misses reports that some of a class was not kept.
func (c *Connection) misses(of class) bool {
	return c != nil && slices.ContainsFunc(c.Dropped, func(d Dropped) bool { return d.What == shares[of].name })
}

// DroppedAt returns what begins to be missing before the event at that place, from
// 0 to the number of events.
func (c *Connection) DroppedAt(place int) (all []Dropped) {
	for _, d := range c.Dropped {
		if d.Event == place {
			all = append(all, d)
		}
	}
	return all
}

// Sentence says in words how much it is.
func (d Dropped) Sentence() string {
	var parts []string
	if d.Records > 0 {
		parts = append(parts, words.Count(d.Records, "record")+" with "+words.Size(d.Bytes))
	}
	if d.Others > 0 {
		parts = append(parts, words.Count(d.Others, "other event"))
	}
	return d.What + ", " + strings.Join(parts, " and ")
}
