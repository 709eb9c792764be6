package explain

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// A Collector keeps a copy of every event of a connection, up to a budget. The
// zero value is ready, and safe for use by both directions of the connection at
// once. Where its Hooks are used for more than one connection, it keeps the first
// 8 apart, each up to the budget.
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
	begun   int          // connections
	further []*Collector // for those after the first
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

// maxConnections is how many connections a Collector keeps.
const maxConnections = 8

// Hooks returns the hooks to set as Config.Trace of package tls. What plays events
// back calls the funcs for single events, with those of one connection only.
func (c *Collector) Hooks() *trace.Hooks {
	hooks := c.hooks()
	hooks.Connection = c.begin
	return hooks
}

// begin returns the hooks for one more connection.
func (c *Collector) begin() *trace.Hooks {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.begun++; {
	case c.begun == 1:
		return c.hooks()
	case c.begun > maxConnections:
		return nil
	}
	one := &Collector{Budget: c.Budget, Now: c.Now}
	c.further = append(c.further, one)
	return one.hooks()
}

func (c *Collector) hooks() *trace.Hooks {
	return &trace.Hooks{
		Record:  func(e trace.Record) { c.add(e) },
		Message: func(e trace.Message) { c.add(e) },
		Inner:   func(e trace.Inner) { c.add(e) },
		Secret:  func(e trace.Secret) { c.add(e) },
		Keys:    func(e trace.Keys) { c.add(e) },
		Choice:  func(e trace.Choice) { c.add(e) },
		Alert:   func(e trace.Alert) { c.add(e) },
		Gap:     func(e trace.Gap) { c.add(e) },
		End:     func(e trace.End) { c.add(e) },
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
	case trace.Inner:
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
// called while the connection runs, and again later. Of several connections it is
// the first's, and says so.
func (c *Collector) Connection(about About) *Connection {
	c.mu.Lock()
	begun := c.begun
	c.mu.Unlock()
	if begun > 1 {
		about.Warnings = append(slices.Clone(about.Warnings), fmt.Sprintf("the Collector was used for %d connections, and this is the first; Collector.Connections returns each", begun))
	}
	return c.account(about)
}

// Connections returns an account of each connection, in the order in which they
// began; at most 8. about is for all of them.
func (c *Collector) Connections(about About) []*Connection {
	c.mu.Lock()
	further := slices.Clone(c.further)
	c.mu.Unlock()
	all := []*Connection{c.account(about)}
	for _, one := range further {
		all = append(all, one.account(about))
	}
	return all
}

func (c *Collector) account(about About) *Connection {
	c.mu.Lock()
	events, dropped, start := slices.Clone(c.events), c.lost, c.start
	c.mu.Unlock()
	account := build(events, dropped, about)
	account.start = start
	return account
}
