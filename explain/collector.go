package explain

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// A Collector keeps a copy of every event of one connection, up to a budget. The
// zero value is ready, and safe for use by both directions of the connection at
// once.
//
// Where the budget is used up, application data is dropped first, then what
// belongs to handshakes, and last how the connection ends. The account says what
// is missing (Connection.Dropped).
//
// What it keeps are the connection's secrets: guard it like a key.
type Collector struct {
	// Budget is how many bytes are kept at most; 0 or less means DefaultBudget.
	// Set it before the connection is made. An account, which has every byte and
	// what it means, takes a multiple of it.
	Budget int

	// Now is the clock; nil means time.Now. What plays a recorded connection back
	// sets it, to give each event the time at which it happened.
	Now func() time.Time

	mu      sync.Mutex
	started bool
	start   time.Time
	events  []collected
	used    int // of the budget
	lost    [classes]lost
	missed  missed
}

// collected is one event as it was reported.
type collected struct {
	at     time.Duration // since the first event
	what   any           // trace.Record, trace.Message, ...
	missed missed        // until then
}

// missed counts the records of each direction that were not kept.
type missed [trace.Received + 1]int

// Hooks returns the hooks to set as Config.Trace of package tls, for one
// connection: the events of two would mix.
func (c *Collector) Hooks() *trace.Hooks {
	return &trace.Hooks{
		Record:  func(e trace.Record) { c.add(e) },
		Message: func(e trace.Message) { c.add(e) },
		Secret:  func(e trace.Secret) { c.add(e) },
		Keys:    func(e trace.Keys) { c.add(e) },
		Choice:  func(e trace.Choice) { c.add(e) },
		Alert:   func(e trace.Alert) { c.add(e) },
	}
}

func (c *Collector) add(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Now
	if now == nil {
		now = time.Now
	}
	t := now()
	if !c.started {
		c.started, c.start = true, t
	}
	if at := t.Sub(c.start); c.admit(event, at) {
		c.events = append(c.events, collected{at, own(event), c.missed})
	}
}

// own is the event with copies of its slices, which are the engine's again after
// the call.
func own(event any) any {
	switch e := event.(type) {
	case trace.Record:
		e.Wire, e.Plain = bytes.Clone(e.Wire), bytes.Clone(e.Plain)
		return e
	case trace.Message:
		e.Raw = bytes.Clone(e.Raw)
		return e
	case trace.Secret:
		e.Input, e.Value = bytes.Clone(e.Input), bytes.Clone(e.Value)
		return e
	case trace.Keys:
		e.Key, e.IV, e.MAC = bytes.Clone(e.Key), bytes.Clone(e.IV), bytes.Clone(e.MAC)
		return e
	case trace.Choice:
		e.Ours, e.Theirs = slices.Clone(e.Ours), slices.Clone(e.Theirs)
		return e
	}
	return event
}

// Connection returns the account of what was collected up to now. It may be
// called while the connection runs, and again later.
func (c *Collector) Connection(about About) *Connection {
	c.mu.Lock()
	events, dropped := slices.Clone(c.events), c.lost
	c.mu.Unlock()
	return build(events, dropped, about)
}
