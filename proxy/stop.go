package proxy

import (
	"context"
	"sync"
)

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
	var servers sync.WaitGroup
	for _, n := range p.live.list() {
		servers.Go(func() { n.shutdownHTTP(ctx) })
	}
	servers.Wait()
	err := p.links.wait(ctx)
	if err != nil {
		p.links.cut(errStopped)
		_ = p.links.wait(context.WithoutCancel(ctx))
	}
	last.retire()
	return err
}
