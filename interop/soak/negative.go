package main

import (
	"context"
	"runtime"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/proof/negative"
)

// runNegative breaks the library on purpose, one rule at a time, and sees
// whether the tests that guard the rule fail.
func runNegative(ctx context.Context, r *report) error {
	root, err := negative.Root(ctx)
	if err != nil {
		return err
	}
	defects, err := negative.Defects()
	if err != nil {
		return err
	}
	r.Logf("the tests must pass without a defect")
	if err := negative.Pass(ctx, root, defects, runtime.NumCPU()); err != nil {
		return err
	}
	var mutex sync.Mutex
	caught := 0
	negative.Each(defects, runtime.NumCPU(), func(d *negative.Defect) {
		err := d.Caught(ctx, root)
		mutex.Lock()
		defer mutex.Unlock()
		if err != nil {
			r.Logf("NOT CAUGHT: %s: %v", d.Name, err)
			return
		}
		caught++
		r.Logf("caught by %s: %s", d.CaughtBy(), d.Name)
	})
	r.Figure("deliberate defects that the tests catch", "%d of %d", caught, len(defects)).Want(caught == len(defects), "all")
	return nil
}
