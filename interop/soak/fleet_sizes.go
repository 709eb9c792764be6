package main

import "context"

// sizes measures what sessions take in the store: all clients come as if for the first time.
func (f *fleet) sizes(ctx context.Context) error {
	if err := f.engine.wipe(); err != nil {
		return err
	}
	countBefore, bytesBefore, err := f.engine.sizes()
	if err != nil {
		return err
	}
	f.crowd.forgetful.Store(true)
	defer f.crowd.forgetful.Store(false)
	if !sleep(ctx, f.campaign.over) {
		return ctx.Err()
	}
	count, bytes, err := f.engine.sizes()
	if err != nil {
		return err
	}
	if count -= countBefore; count > 0 {
		f.Figure(f.named("memory of the store for a session"), "%d bytes, over %d sessions", (bytes-bytesBefore)/count, count)
	}
	return nil
}
