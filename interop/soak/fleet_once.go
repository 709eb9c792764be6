package main

import (
	"context"
	"fmt"
	"sync"
)

// pinned is a cache that keeps the first session for good, and gives it to all that ask, as somebody with a copied
// ticket does.
type pinned[S any] struct {
	mu   sync.Mutex
	kept *S
}

func (p *pinned[S]) Get(string) (*S, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept, p.kept != nil
}

func (p *pinned[S]) Put(_ string, s *S) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil {
		p.kept = s
	}
}

// twice uses each ticket at two members at once: one of them takes it at most.
func (f *fleet) twice(ctx context.Context) error {
	pairs := 400
	if f.campaign.brief {
		pairs = 40
	}
	var both, one int
	for n := range pairs {
		kind := f.custom.visitors[n%len(f.custom.visitors)]
		if kind.stored { // an ID is for more than once
			continue
		}
		connect := kind.begin(f.crowd.roots, true)
		if _, err := visit(ctx, f.members[n%3].address, connect); err != nil {
			return err
		}
		var resumed [2]bool
		var errs [2]error
		var done sync.WaitGroup
		for i := range resumed {
			done.Go(func() { resumed[i], errs[i] = visit(ctx, f.members[(n+1+i)%3].address, connect) })
		}
		done.Wait()
		for _, err := range errs {
			if err != nil {
				return fmt.Errorf("a ticket is used twice: %w", err)
			}
		}
		switch {
		case resumed[0] && resumed[1]:
			both++
		case resumed[0] || resumed[1]:
			one++
		}
	}
	f.Figure(f.named("tickets used at two members at once, and taken by both"), "%d; %d were taken by one", both, one).Want(both == 0 && one > 0, "none")
	return nil
}
