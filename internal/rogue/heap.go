package rogue

import (
	"context"
	"runtime"
)

// Heap returns the most live memory, in bytes, that a run of one of the flows holds
// at the moment when both sides wait for more, of a sample of runs: that of both
// connections together. most is how many of each kind are played in each flow.
// Nothing else may run in the process.
func Heap(ctx context.Context, flows []*Flow, most int) (bytes int, err error) {
	for _, f := range flows {
		s, err := NewStage(f)
		if err != nil {
			return 0, err
		}
		for _, k := range Kinds {
			all, err := s.Deviations(k)
			if err != nil {
				return 0, err
			}
			for d := range sample(all, most, job{f, k}) {
				if ctx.Err() != nil {
					return 0, ctx.Err()
				}
				bytes = max(bytes, s.weigh(d))
			}
		}
	}
	return bytes, nil
}

// weigh plays d, whatever comes of it.
func (s *Stage) weigh(d Deviation) (bytes int) {
	before := live()
	s.atRest = func(r *run) {
		for _, x := range r.sides { // what the rogue has is not the connections'
			if x != nil {
				x.squeeze = nil
				x.in.Idle()
			}
		}
		bytes = live() - before
	}
	defer func() { s.atRest = nil }()
	s.play(d)
	return bytes
}

// Compresses reports whether the flow's records are compressed, which takes most of
// its memory.
func (f *Flow) Compresses() bool { return f.Name == "compression" }

func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
