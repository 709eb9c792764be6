package rogue

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"iter"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A Campaign plays many deviations in many flows, on all processors.
type Campaign struct {
	Flows []*Flow
	Kinds []Kind
	// Most is how many of one kind are played in one flow, spread evenly over all
	// there are; 0 for all.
	Most int
	// Patience is how long one run may take; a longer one counts as hanging and
	// ends the campaign.
	Patience time.Duration
}

// perProcessor is more than one, because some runs wait.
const perProcessor = 4

// A Violation is a run that broke a law.
type Violation struct {
	Flow      *Flow
	Deviation Deviation
	Err       error
}

func (v Violation) String() string { return fmt.Sprintf("%v: %v: %v", v.Flow, v.Deviation, v.Err) }

// A Report is what a campaign has found.
type Report struct {
	Played     map[string]int // by the kind's name
	Violations []Violation
	Slowest    time.Duration
	Elapsed    time.Duration
}

// Total is how many runs there were.
func (r *Report) Total() (n int) {
	for _, k := range r.Played {
		n += k
	}
	return n
}

// worker is one goroutine of a campaign.
type worker struct {
	mu      sync.Mutex
	flow    *Flow
	playing Deviation
	since   time.Time // zero: at rest
}

type job struct {
	flow *Flow
	kind Kind
}

// Run plays all, until ctx ends. An error is that the campaign could not be played;
// what went wrong in it stands in the Report.
func (c Campaign) Run(ctx context.Context) (*Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin := time.Now()
	report := &Report{Played: map[string]int{}}
	jobs := make(chan job)
	var mu sync.Mutex // of report
	var running sync.WaitGroup
	workers := make([]*worker, perProcessor*runtime.GOMAXPROCS(0))
	for i := range workers {
		w := new(worker)
		workers[i] = w
		running.Go(func() {
			for j := range jobs {
				if err := c.play(ctx, w, j, report, &mu); err != nil {
					cancel(err)
				}
			}
		})
	}
	hang := make(chan Violation, 1)
	stop := make(chan struct{})
	go c.watch(workers, stop, func(v Violation) {
		hang <- v
		cancel(nil)
	})
	defer close(stop)
	go func() {
		defer close(jobs)
		for _, j := range c.jobs() {
			select {
			case jobs <- j:
			case <-ctx.Done():
				return
			}
		}
	}()
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	select {
	case <-done:
	case v := <-hang: // its goroutines cannot be stopped
		mu.Lock()
		defer mu.Unlock()
		report.Violations = append(report.Violations, v)
	}
	report.Elapsed = time.Since(begin)
	if err := context.Cause(ctx); err != nil && err != context.Canceled {
		return report, err
	}
	return report, nil
}

// jobs are all there are. Those whose runs wait most come first, so that at the end
// nobody waits for them.
func (c Campaign) jobs() (all []job) {
	for _, k := range c.Kinds {
		for _, f := range c.Flows {
			all = append(all, job{f, k})
		}
	}
	slices.SortStableFunc(all, func(a, b job) int { return cmp.Compare(b.flow.further, a.flow.further) })
	return all
}

// watch calls found with a run that takes too long.
func (c Campaign) watch(workers []*worker, stop <-chan struct{}, found func(Violation)) {
	tick := time.NewTicker(max(c.Patience/8, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for _, w := range workers {
			w.mu.Lock()
			flow, d, since := w.flow, w.playing, w.since
			w.mu.Unlock()
			if !since.IsZero() && time.Since(since) > c.Patience {
				found(Violation{flow, d, fmt.Errorf("it takes more than %v", c.Patience)})
				return
			}
		}
	}
}

// play plays all of one kind in one flow.
func (c Campaign) play(ctx context.Context, w *worker, j job, report *Report, mu *sync.Mutex) error {
	s, err := NewStage(j.flow)
	if err != nil {
		return err
	}
	all, err := s.Deviations(j.kind)
	if err != nil {
		return err
	}
	played, slowest := 0, time.Duration(0)
	var violations []Violation
	for d := range sample(all, c.Most, j) {
		if ctx.Err() != nil {
			break
		}
		begin := time.Now()
		w.set(j.flow, d, begin)
		err := s.Play(d)
		w.set(j.flow, d, time.Time{})
		slowest = max(slowest, time.Since(begin))
		played++
		if err != nil {
			violations = append(violations, Violation{j.flow, d, err})
		}
	}
	mu.Lock()
	defer mu.Unlock()
	report.Played[j.kind.Name] += played
	report.Violations = append(report.Violations, violations...)
	report.Slowest = max(report.Slowest, slowest)
	return nil
}

func (w *worker) set(f *Flow, d Deviation, since time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flow, w.playing, w.since = f, d, since
}

// sample yields at most most of all, at even distances; where it begins depends on
// the job, so that flows which are alike do not have all the same.
func sample(all iter.Seq[Deviation], most int, j job) iter.Seq[Deviation] {
	total := 0
	for range all {
		total++
	}
	if most == 0 || total <= most {
		return all
	}
	h := fnv.New32a()
	fmt.Fprint(h, j.flow, j.kind.Name)
	distance := total / most
	phase := int(h.Sum32() % uint32(distance))
	return func(yield func(Deviation) bool) {
		n := -1
		for d := range all {
			if n++; n%distance == phase && !yield(d) {
				return
			}
		}
	}
}
