package rogue

import (
	"context"
	"runtime"
)

// Heap returns the most live memory, in bytes, that any of a sample of runs holds at
// the moment when both sides wait for more: that of both connections and of what is
// under way between them. most is how many of each kind are played in each flow.
// Nothing else may run in the process.
func Heap(ctx context.Context, most int) (bytes int, err error) {
	for _, f := range Flows {
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
	s.atRest = func() { bytes = live() - before }
	defer func() { s.atRest = nil }()
	s.play(d)
	return bytes
}

func live() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
