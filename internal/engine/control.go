package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// control is the traffic from the In half to the Out half: alerts to send and
// KeyUpdates to answer.
type control struct {
	mu    sync.Mutex
	todo  *orders       // nil for nothing
	asked atomic.Int32  // KeyUpdates that the peer owes us, at most
	state atomic.Uint32 // of these:
}

const (
	filled       uint32 = 1 << iota // there is something for take: looking costs no lock
	shut                            // the peer has ended the connection: nothing more is sent
	ended                           // we have: a close_notify or fatal alert is out
	endedFatally                    // it is a fatal alert
)

func (c *control) has(one uint32) bool { return c.state.Load()&one != 0 }

// item is one thing that a further handshake has the Out half do.
type item struct {
	message   []byte                     // to be sent
	hold      bool                       // with it, application data must wait
	late      func(secret []byte) []byte // makes it when it goes out
	ccs       bool
	warning   wire.AlertCode // 0 for none
	keys      *handshake.Keys
	sendLimit int32 // of records under the keys
	release   bool  // application data may go again
}

// maxItems is how many items may wait for a peer that does not read: a handshake
// makes a dozen.
const maxItems = 64

// add appends items and returns how many wait now.
func (c *control) add(items ...item) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(items) > 0 {
		o := c.fill()
		o.items = append(o.items, items...)
	}
	if c.todo == nil {
		return 0
	}
	return len(c.todo.items)
}

func (c *control) alert(a wire.Alert, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.fill()
	if a.Level == wire.LevelWarning && slices.Contains(o.alerts, a) {
		return // it is already to be sent; a peer must not make the queue grow
	}
	o.alerts, o.why = append(o.alerts, a), why
}

// keyUpdate: our own is due, at the latest before our next data. It is sent as soon as
// nobody else writes, since the peer keeps its old keys until then; one answers all
// requests that have come by then. RFC 8446 §4.6.3.
func (c *control) keyUpdate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fill().reply = true
}

// shut has the Out half stop: a fatal alert has come. RFC 8446 §6.2.
func (c *control) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fill()
	c.state.Or(shut)
}

// orders are what the Out half is to do, in this order.
type orders struct {
	items  []item // of a further handshake, in order
	reply  bool   // our KeyUpdate is due
	alerts []wire.Alert
	why    error // of the last fatal alert
}

// fill returns the orders to add to. mu is held.
func (c *control) fill() *orders {
	if c.todo == nil {
		c.todo = new(orders)
	}
	c.state.Or(filled)
	return c.todo
}

// take empties the queue. closed says that the peer has ended the connection: it stays.
func (c *control) take() (o orders, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.todo != nil {
		o = *c.todo
	}
	c.todo = nil
	c.state.And(^filled)
	return o, c.has(shut)
}

func (c *control) pending() bool { return c.has(filled) }
