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
	mu     sync.Mutex
	filled atomic.Bool  // so that looking costs no lock
	asked  atomic.Int32 // KeyUpdates that the peer owes us, at most
	items  []item       // of a further handshake, in order
	reply  bool         // our KeyUpdate is due
	alerts []wire.Alert
	why    error       // of the last fatal alert
	closed bool        // the peer has ended the connection: nothing more is sent
	ended  atomic.Bool // we have: a close_notify or fatal alert is out
	fatal  atomic.Bool // it is a fatal alert
}

// item is one thing that a further handshake has the Out half do.
type item struct {
	message   []byte                     // to be sent
	hold      bool                       // with it, application data must wait
	late      func(secret []byte) []byte // makes it when it goes out
	ccs       bool
	warning   wire.AlertCode // 0 for none
	keys      *handshake.Keys
	sendLimit int  // of records under the keys
	release   bool // application data may go again
}

// maxItems is how many items may wait for a peer that does not read: a handshake
// makes a dozen.
const maxItems = 64

// add appends items and returns how many wait now.
func (c *control) add(items ...item) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(items) > 0 {
		c.items = append(c.items, items...)
		c.filled.Store(true)
	}
	return len(c.items)
}

func (c *control) alert(a wire.Alert, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.Level == wire.LevelWarning && slices.Contains(c.alerts, a) {
		return // it is already to be sent; a peer must not make the queue grow
	}
	c.alerts, c.why = append(c.alerts, a), why
	c.filled.Store(true)
}

// keyUpdate: our own is due, at the latest before our next data. It is sent as soon as
// nobody else writes, since the peer keeps its old keys until then; one answers all
// requests that have come by then. RFC 8446 §4.6.3.
func (c *control) keyUpdate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reply = true
	c.filled.Store(true)
}

// shut has the Out half stop: a fatal alert has come. RFC 8446 §6.2.
func (c *control) shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
}

// orders are what the Out half is to do, in this order.
type orders struct {
	items  []item
	reply  bool
	alerts []wire.Alert
	why    error
	closed bool
}

// take empties the queue; closed stays.
func (c *control) take() orders {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := orders{c.items, c.reply, c.alerts, c.why, c.closed}
	c.items, c.reply, c.alerts, c.why = nil, false, nil, nil
	c.filled.Store(false)
	return o
}

func (c *control) pending() bool { return c.filled.Load() }
