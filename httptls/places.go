package httptls

import (
	"container/list"
	"sync"
)

// places bound the connections that a Server has and net/http has not: those whose
// handshake runs, and those that are refused and linger. Where one more comes than
// there are places, the oldest one that is refused goes, else the oldest handshake.
type places struct {
	max int

	mu               sync.Mutex
	running, refused list.List // of *place, oldest first
}

// place is a connection's.
type place struct {
	of   *places
	end  func() // ends what the place is held for
	in   *list.List
	self *list.Element // in in; nil: the place is lost or left
}

// take returns a place for a handshake, which end ends; it may be called at once,
// and from any goroutine.
func (p *places) take(end func()) *place {
	p.mu.Lock()
	me := &place{of: p}
	me.move(&p.running, end)
	var crowdedOut *place
	if p.running.Len()+p.refused.Len() > p.max {
		oldest := p.refused.Front()
		if oldest == nil {
			oldest = p.running.Front()
		}
		crowdedOut = oldest.Value.(*place)
		crowdedOut.remove()
	}
	p.mu.Unlock()
	if crowdedOut != nil {
		crowdedOut.end()
	}
	return me
}

// refuse goes on holding the place, for a connection that is refused and that end
// ends. It reports false if the place is lost.
func (me *place) refuse(end func()) bool {
	me.of.mu.Lock()
	defer me.of.mu.Unlock()
	if me.self == nil {
		return false
	}
	me.remove()
	me.move(&me.of.refused, end)
	return true
}

// keep goes on holding the place, which end ends from now on. It reports false if it is lost.
func (me *place) keep(end func()) bool {
	me.of.mu.Lock()
	defer me.of.mu.Unlock()
	if me.self == nil {
		return false
	}
	me.end = end
	return true
}

// leave gives the place back, if it is not lost.
func (me *place) leave() {
	me.of.mu.Lock()
	defer me.of.mu.Unlock()
	me.remove()
}

func (me *place) move(to *list.List, end func()) {
	me.in, me.end = to, end
	me.self = to.PushBack(me)
}

func (me *place) remove() {
	if me.self != nil {
		me.in.Remove(me.self)
		me.self = nil
	}
}
