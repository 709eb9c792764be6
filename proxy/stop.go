package proxy

import (
	"context"
	"sync"
	"time"
)

// afterCut bounds the wait for connections that were cut off: they end at once, unless a fault
// holds one. A process that was replaced must not stay for it.
const afterCut = 10 * time.Second

// Shutdown stops p: nothing more is accepted, requests and connections under way may go on
// until ctx ends, and are cut off then. It returns ctx's error if any were. A second call
// waits for the first.
func (p *Proxy) Shutdown(ctx context.Context) error {
	if p.stopping.Swap(true) {
		select {
		case <-p.stopped:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer close(p.stopped)
	close(p.stop)
	p.mutex.Lock()
	sockets, last := p.sockets, p.plan
	p.handover.close()
	p.mutex.Unlock()
	closeSockets(sockets)
	waitForAccepts(sockets) // what they have accepted is among the links then
	p.waitForArrivals(ctx)  // net/http drops requests that it reads later
	var servers sync.WaitGroup
	for _, n := range p.live.list() {
		servers.Go(func() { n.shutdownHTTP(ctx) })
	}
	servers.Wait()
	err := p.links.wait(ctx)
	if err != nil {
		p.links.cut(errStopped)
		short, enough := context.WithTimeout(context.WithoutCancel(ctx), afterCut)
		_ = p.links.wait(short)
		enough()
	}
	p.lot.close()
	last.retire()
	return err
}

// waitForArrivals returns once the first request of each connection of HTTP mode that was
// accepted is being answered, or when ctx ends. It waits for no client that stays silent.
func (p *Proxy) waitForArrivals(ctx context.Context) {
	for _, l := range p.links.all() {
		if l.arriving.Load() && l.delivered.Load() {
			l.arriveSoon()
		}
	}
	done := make(chan struct{})
	go func() {
		p.arriving.Wait() // at the latest, a stop cuts off what it waits for
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
