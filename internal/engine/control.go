package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/wire"
)

// control is the traffic from the In half to the Out half: alerts to send and
// KeyUpdates to answer.
type control struct {
	mu     sync.Mutex
	filled atomic.Bool // so that looking costs no lock
	reply  bool        // our KeyUpdate is due
	alerts []wire.Alert
	why    error // of the last fatal alert
	closed bool  // the peer has ended the connection: nothing more is sent
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

// take empties the queue; closed stays.
func (c *control) take() (reply bool, alerts []wire.Alert, why error, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	reply, alerts, why = c.reply, c.alerts, c.why
	c.reply, c.alerts, c.why = false, nil, nil
	c.filled.Store(false)
	return reply, alerts, why, c.closed
}

func (c *control) pending() bool { return c.filled.Load() }
