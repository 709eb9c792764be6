package main

import (
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"
)

// handshakes runs handshakes for the job's ms milliseconds, both ends in this
// process, one after the other in each of the job's lanes. One handshake is
// both Handshake calls, then one byte from server to client, which makes the
// client read the tickets that the server has sent, and both Close calls.
func handshakes(e ends, p params, j job) (figures, error) {
	n := 1
	if j.text("lanes") == "all" {
		n = runtime.NumCPU()
	}
	lanes, err := openLanes(e, p, n)
	defer lanes.close()
	if err != nil {
		return nil, err
	}
	f, err := lanes.run(j)
	if err != nil {
		return nil, err
	}
	return f, lanes[0].check(p, p.resumes())
}

// scaling runs handshakes on one processor and then on two, and answers how many
// times as many there were by the clock, and how many times as much processor time
// each of them took, in millionths.
func scaling(e ends, p params, j job) (figures, error) {
	if runtime.NumCPU() < 2 {
		return nil, unsupported("this machine has one processor")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	lanes, err := openLanes(e, p, 2)
	defer lanes.close()
	if err != nil {
		return nil, err
	}
	one, err := lanes[:1].run(j)
	if err != nil {
		return nil, err
	}
	runtime.GOMAXPROCS(2)
	two, err := lanes.run(j)
	if err != nil {
		return nil, err
	}
	return figures{
		"gain": 1e6 * (two["n"] / two["wall_ns"]) / (one["n"] / one["wall_ns"]),
		"cost": 1e6 * (two["cpu_ns"] / two["n"]) / (one["cpu_ns"] / one["n"]),
		"one":  1,
	}, lanes[0].check(p, p.resumes())
}

type laneList []*lane

// openLanes warms each of n lanes up: where sessions are kept, the first handshake has none
// to resume.
func openLanes(e ends, p params, n int) (laneList, error) {
	var lanes laneList
	for range n {
		l := newLane(e)
		lanes = append(lanes, l)
		if err := l.handshake(); err != nil {
			return lanes, err
		}
	}
	return lanes, lanes[0].check(p, p.resumes())
}

// run makes handshakes in all lanes for the job's ms milliseconds.
func (lanes laneList) run(j job) (figures, error) {
	counts, errs := make([]int, len(lanes)), make([]error, len(lanes))
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	m := startMeter()
	var running sync.WaitGroup
	for i, l := range lanes {
		running.Go(func() {
			for errs[i] == nil && (counts[i] == 0 || time.Now().Before(end)) {
				errs[i] = l.handshake()
				counts[i]++
			}
		})
	}
	running.Wait()
	f := m.stop()
	for i, err := range errs {
		if err != nil {
			return nil, err
		}
		f["n"] += float64(counts[i])
	}
	return f, nil
}

func (lanes laneList) close() {
	for _, l := range lanes {
		l.close()
	}
}

// lane is one client and one server that meet again and again over one pipe.
type lane struct {
	ends           ends
	client, server *pipeEnd
	begin          chan struct{}
	served         chan error
	last           conn // the client's most recent connection
	byte           [1]byte
}

func newLane(e ends) *lane {
	l := &lane{ends: e, begin: make(chan struct{}), served: make(chan error)}
	l.client, l.server = memoryPipe()
	go l.serve()
	return l
}

func (l *lane) serve() {
	hello := []byte{'!'}
	for range l.begin {
		c := l.ends.server(l.server)
		err := c.Handshake()
		if err == nil {
			_, err = c.Write(hello)
		}
		if err != nil {
			l.server.abort()
		} else {
			err = c.Close()
		}
		l.served <- err
	}
}

func (l *lane) handshake() error {
	l.client.reset()
	l.begin <- struct{}{}
	l.last = l.ends.client(l.client)
	err := l.last.Handshake()
	if err == nil {
		_, err = io.ReadFull(l.last, l.byte[:])
	}
	if err != nil {
		l.client.abort()
	} else {
		err = l.last.Close()
	}
	if served := <-l.served; served != nil {
		return fmt.Errorf("server: %v; client: %v", served, err)
	}
	return err
}

// check makes one more handshake and looks at what was agreed; it is kept out
// of the count because ConnectionState allocates.
func (l *lane) check(p params, resume bool) error {
	if err := l.handshake(); err != nil {
		return err
	}
	return p.check(l.last, resume)
}

func (l *lane) close() { close(l.begin) }
