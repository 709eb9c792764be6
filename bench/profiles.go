package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// profiles are the files that a worker writes; empty names are none.
type profiles struct {
	cpu        string // of all its jobs
	heap       string // of its idle connections
	contention string // who waited for which lock, in all its jobs
}

// named are the profiles of one row and contender: cpu.prof becomes cpu.ROW.CONTENDER.prof.
func (p profiles) named(row, contender string) profiles {
	return profiles{profileName(p.cpu, row, contender), profileName(p.heap, row, contender), profileName(p.contention, row, contender)}
}

// start begins those that count from now on; stop writes them.
func (p profiles) start() (stop func() error, err error) {
	stops := []func() error{}
	stop = func() (err error) {
		for _, s := range stops {
			err = errors.Join(err, s())
		}
		return err
	}
	if p.cpu != "" {
		f, err := os.Create(p.cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, err
		}
		stops = append(stops, func() error { pprof.StopCPUProfile(); return f.Close() })
	}
	if p.contention != "" {
		f, err := os.Create(p.contention)
		if err != nil {
			return nil, err
		}
		runtime.SetMutexProfileFraction(1)
		stops = append(stops, func() error { return errors.Join(pprof.Lookup("mutex").WriteTo(f, 0), f.Close()) })
	}
	return stop, nil
}
