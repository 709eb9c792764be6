package main

import (
	"context"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rogue"
)

const (
	wantMutations = 1_000_000
	mutationsTime = 10 * time.Minute
	mutationHangs = time.Second // longer than any run may take
	mostHeap      = 2 << 20     // of both ends
)

// runMutations plays all that the rogue can do to every flow.
func runMutations(ctx context.Context, r *report) error {
	c := rogue.Campaign{Flows: rogue.Flows, Kinds: rogue.Kinds, Patience: mutationHangs}
	result, err := c.Run(ctx)
	if err != nil {
		return err
	}
	for i, v := range result.Violations {
		if r.Logf("%v", v); i == 20 {
			r.Logf("and %d more", len(result.Violations)-i)
			break
		}
	}
	for _, k := range rogue.Kinds {
		r.Figure("runs: "+k.Name, "%d", result.Played[k.Name]).Want(result.Played[k.Name] > 0, "some")
	}
	n := result.Total()
	r.Figure("runs in all", "%d of %d flows", n, len(rogue.Flows)).Want(n >= wantMutations, "at least %d", wantMutations)
	r.Figure("time", "%v", result.Elapsed.Round(time.Second)).Want(result.Elapsed < mutationsTime, "under %v", mutationsTime)
	r.Figure("runs that broke a law", "%d", len(result.Violations)).Want(len(result.Violations) == 0, "none")
	r.Figure("slowest run", "%v", result.Slowest.Round(time.Millisecond)).Want(result.Slowest < mutationHangs, "under %v", mutationHangs)
	for _, compresses := range []bool{false, true} {
		what := map[bool]string{false: "two connections", true: "two connections that compress"}[compresses]
		flows := slices.DeleteFunc(slices.Clone(rogue.Flows), func(f *rogue.Flow) bool { return f.Compresses() != compresses })
		heap, err := rogue.Heap(ctx, flows, 10)
		if err != nil {
			return err
		}
		r.Figure("most live heap of "+what, "%d KiB", heap>>10).Want(heap <= mostHeap, "at most %d KiB", mostHeap>>10)
	}
	return nil
}
