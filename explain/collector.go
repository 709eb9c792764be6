package explain

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// A Collector keeps a copy of every event of one connection. The zero value is
// ready, and safe for use by both directions of the connection at once.
//
// What it keeps are the connection's secrets: guard it like a key.
type Collector struct {
	mu     sync.Mutex
	start  time.Time
	events []collected
	now    func() time.Time // nil: time.Now; tests set it
}

// collected is one event as it was reported.
type collected struct {
	at   time.Duration // since the first event
	what any           // trace.Record, trace.Message, ...
}

// Hooks returns the hooks to set as Config.Trace of package tls, for one
// connection: the events of two would mix.
func (c *Collector) Hooks() *trace.Hooks {
	return &trace.Hooks{
		Record: func(e trace.Record) {
			e.Wire, e.Plain = bytes.Clone(e.Wire), bytes.Clone(e.Plain)
			c.add(e)
		},
		Message: func(e trace.Message) {
			e.Raw = bytes.Clone(e.Raw)
			c.add(e)
		},
		Secret: func(e trace.Secret) {
			e.Input, e.Value = bytes.Clone(e.Input), bytes.Clone(e.Value)
			c.add(e)
		},
		Keys: func(e trace.Keys) {
			e.Key, e.IV, e.MAC = bytes.Clone(e.Key), bytes.Clone(e.IV), bytes.Clone(e.MAC)
			c.add(e)
		},
		Choice: func(e trace.Choice) {
			e.Ours, e.Theirs = slices.Clone(e.Ours), slices.Clone(e.Theirs)
			c.add(e)
		},
		Alert: func(e trace.Alert) { c.add(e) },
	}
}

func (c *Collector) add(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now
	if now == nil {
		now = time.Now
	}
	t := now()
	if c.events == nil {
		c.start = t
	}
	c.events = append(c.events, collected{t.Sub(c.start), event})
}

// Connection returns the account of what was collected until now. It may be
// called while the connection runs, and again later.
func (c *Collector) Connection(about About) *Connection {
	c.mu.Lock()
	events := slices.Clone(c.events)
	c.mu.Unlock()
	return build(events, about)
}
