package proxy

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// ErrIdle is why a link ended on which nothing went either way for Limits.IdleTimeout.
var ErrIdle = errors.New("nothing went either way for the idle timeout")

// An idler ends a link on which nothing goes for the idle timeout. What the proxy itself reads
// and writes is noted when it happens. A slow peer can take hours for one write of ours, or
// for one record of its own: that is seen in what the system says of the sockets. It costs
// system calls, so it is asked twice in a silent time: soon after the last byte, and at the end.
type idler struct {
	link   *link
	limit  time.Duration
	active atomic.Int64 // when something went last, by sinceStart
	timer  *time.Timer
	web    bool   // HTTP mode
	asked  int64  // the active time that was valid when the system was asked last
	moved  uint64 // what it said
}

var start = time.Now()

// sinceStart is a time that does not jump when somebody sets the clock.
func sinceStart() int64 { return int64(time.Since(start)) }

// settling is the share of the timeout after which the system is asked for the first time.
const settling = 8

// watchIdle begins the idle timeout, where there is one.
func (l *link) watchIdle() {
	limit := l.door.idleTimeout
	if limit <= 0 {
		return
	}
	i := &idler{link: l, limit: limit, web: l.door.http != nil}
	i.active.Store(sinceStart())
	l.idler = i
	i.timer = time.AfterFunc(limit, i.look)
	i.timer.Reset(limit / settling) // and look sees i.timer
}

// activity is where to note the time of what goes; nil where nobody asks.
func (l *link) activity() *atomic.Int64 {
	if l.idler == nil {
		return nil
	}
	return &l.idler.active
}

// noteActivity says that something came or went just now.
func (l *link) noteActivity() {
	if l.idler != nil {
		l.idler.active.Store(sinceStart())
	}
}

func (i *idler) stop() {
	if i != nil {
		i.timer.Stop()
	}
}

func (i *idler) look() {
	active := i.active.Load()
	silent := time.Duration(sinceStart() - active)
	switch soon := i.limit / settling; {
	case silent < soon:
		i.timer.Reset(soon - silent)
	case i.asked != active:
		i.asked, i.moved = active, i.link.progress()
		i.timer.Reset(max(0, i.limit-silent))
	case silent < i.limit:
		i.timer.Reset(i.limit - silent)
	default:
		i.decide(active)
	}
}

// decide is the end of a time in which the proxy has moved nothing.
func (i *idler) decide(active int64) {
	now := sinceStart()
	if moved := i.link.progress(); moved != i.moved {
		i.moved = moved
		if i.active.CompareAndSwap(active, now) {
			i.asked = now
		}
		i.timer.Reset(i.limit)
		return
	}
	if i.web && i.link.betweenRequests() { // net/http ends that in good order
		i.timer.Reset(i.limit)
		return
	}
	if i.active.Load() != active { // it woke up this moment
		i.timer.Reset(i.limit / settling)
		return
	}
	i.link.abort(fmt.Errorf("%w, %v: %w", ErrIdle, i.limit, os.ErrDeadlineExceeded))
}

// progress changes whenever a peer takes or sends something, where the system tells.
func (l *link) progress() uint64 {
	l.mutex.Lock()
	ends := [...]net.Conn{l.client, l.server}
	l.mutex.Unlock()
	var sum uint64
	for _, conn := range ends {
		sum += moved(below(conn))
	}
	return sum
}
