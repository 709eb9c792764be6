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
	lanes := make([]*lane, 1)
	if j.text("lanes") == "all" {
		lanes = make([]*lane, runtime.NumCPU())
	}
	for i := range lanes {
		lanes[i] = newLane(e)
		defer lanes[i].close()
		// The first handshake warms up and, where sessions are kept, has none to resume.
		if err := lanes[i].handshake(); err != nil {
			return nil, err
		}
	}
	resume := p.resumes()
	if err := lanes[0].check(p, resume); err != nil {
		return nil, err
	}

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
	return f, lanes[0].check(p, resume)
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
