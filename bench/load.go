package main

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// state is what else the machine has to do while a contender is measured. The zero
// state is idle: whatever it happens to do.
type state int

const (
	idle   state = iota
	loaded       // busy loops keep every processor at work
)

var stateNames = []string{"idle", "loaded"}

func (s state) String() string               { return stateNames[s] }
func (s state) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *state) UnmarshalText(b []byte) error {
	i := slices.Index(stateNames, string(b))
	if *s = state(i); i < 0 {
		return fmt.Errorf("unknown state %q", b)
	}
	return nil
}

// load is the child in which the busy loops run. The contenders' processor time is
// their own, so that of the loops counts nowhere.
type load struct {
	p   *process
	now state
}

func newLoad(dir string) (*load, error) {
	p, err := start(goWorker(vitrineName, dir, profiles{}))
	return &load{p: p}, err
}

// set has the loops run or rest. It returns when they do.
func (l *load) set(s state) error {
	if l == nil || l.now == s {
		return nil
	}
	if err := l.p.ask(map[state]string{idle: "spin", loaded: "spin on=1"}[s]); err != nil {
		return err
	}
	l.now = s
	_, err := l.p.answer()
	return err
}

func (l *load) stop() {
	if l != nil {
		l.p.stop()
	}
}

// states are those in which a row is measured. What is counted in bytes is the same in
// both, and the slow rows have none of the calls that a busy machine makes cheaper.
func (b *bench) states(r row) []state {
	if b.load == nil || r.slow || r.still || r.kind == "memory" || r.kind == "certificates" {
		return []state{idle}
	}
	return []state{idle, loaded}
}

// spinning are the busy loops of this process.
var spinning struct {
	on    atomic.Bool
	loops sync.WaitGroup
}

// spin is the job of the load's child: a busy loop for each processor, from one such
// job to the next.
func spin(_, _ string, j job) (figures, error) {
	spinning.on.Store(false)
	spinning.loops.Wait()
	if !j.flag("on") {
		return figures{}, nil
	}
	n := runtime.NumCPU()
	runtime.GOMAXPROCS(n + 1) // one more, for the next job to be read at once
	spinning.on.Store(true)
	var running sync.WaitGroup
	for range n {
		running.Add(1)
		spinning.loops.Go(func() {
			running.Done()
			for spinning.on.Load() {
			}
		})
	}
	running.Wait()
	return figures{}, nil
}
