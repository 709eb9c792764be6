package main

import "context"

// sizesLeast is how many sessions tell what one takes.
const sizesLeast = 1000

// sizes measures what sessions take in the store: all clients come as if for the first time.
func (f *fleet) sizes(ctx context.Context) error {
	f.engine.kill() // memcached counts what was wiped for a while longer
	if err := f.engine.start(); err != nil {
		return err
	}
	countBefore, bytesBefore, err := f.engine.sizes()
	if err != nil {
		return err
	}
	f.crowd.forgetful.Store(true)
	defer f.crowd.forgetful.Store(false)
	var count, bytes int
	for range 10 { // a few sessions say little: stores take memory in steps
		if !sleep(ctx, f.campaign.over) {
			return ctx.Err()
		}
		if count, bytes, err = f.engine.sizes(); err != nil {
			return err
		}
		if count -= countBefore; count >= sizesLeast {
			break
		}
	}
	f.Figure(f.named("memory of the store for a session"), "%d bytes, over %d sessions", (bytes-bytesBefore)/max(1, count), count).
		Want(count >= sizesLeast, "%d sessions or more", sizesLeast)
	return nil
}
