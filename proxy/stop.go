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
	p.waitForArrivals(ctx)  // and with net/http, which would turn away what comes later
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

// waitForArrivals returns once net/http has all connections of HTTP mode that were accepted, or
// when ctx ends. Their handshakes are bounded in time.
func (p *Proxy) waitForArrivals(ctx context.Context) {
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
