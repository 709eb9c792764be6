package scan

import (
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/starttls"
)

// A Prober carries probes out. The zero value is ready, with gentle limits. It is safe
// for use by several goroutines at once; its fields are set before the first use.
type Prober struct {
	// Dial connects to a target and has it turn to TLS; nil dials Target.Address and
	// uses package starttls. The context ends when it returns.
	Dial func(ctx context.Context, t Target) (net.Conn, error)
	// Connections is how many connections a host gets at once, all of its ports together; 0
	// for 8. On the loopback interface it has no meaning, unless Strict is set: a server
	// there gets more and more, as long as it answers quickly.
	Connections int
	// Rate is how many connections a host gets in a second, all of its ports together; 0 for 50. On the loopback
	// interface it has no meaning, unless Strict is set.
	Rate float64
	// Strict keeps the limits on the loopback interface too.
	Strict bool
	// Timeout is how long one probe may take, its wait for its turn excepted; 0 for 5
	// seconds.
	Timeout time.Duration
	// MaxBytes is how much one probe reads; 0 for 512 KiB.
	MaxBytes int

	mu    sync.Mutex
	hosts map[string]*pace
}

// The defaults of a Prober's limits.
const (
	DefaultConnections = 8
	DefaultRate        = 50
	DefaultTimeout     = 5 * time.Second
	DefaultMaxBytes    = 512 << 10
)

// Do carries one probe out. What the server does, or fails to do, is in the Answer; an
// error is ours: the context ended, or the probe cannot be sent.
func (p *Prober) Do(ctx context.Context, t Target, probe Probe) (*Answer, error) {
	return p.do(ctx, t, probe, nil)
}

// do carries a probe out, at first on a connection that is there already, unless that is nil.
// It closes the connection.
func (p *Prober) do(ctx context.Context, t Target, probe Probe, ready *opened) (*Answer, error) {
	hello := probe.replay
	if hello == nil {
		var err error
		if hello, err = probe.Hello.build(t, nil, nil); err != nil {
			ready.close()
			return nil, err
		}
	}
	pace := p.paceOf(t)
	for try := 0; ; try++ {
		c := ready
		if ready = nil; c == nil {
			c = p.open(ctx, t)
		}
		if c.late {
			return nil, c.err
		}
		a := p.once(ctx, t, probe, hello, c)
		again := pace.judge(t.Address, a.End, try)
		if !probe.idle && len(probe.Then) == 0 {
			pace.gate.answered(a.Took)
		}
		c.close()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case !again:
			return a, nil
		}
	}
}

// opened is a connection that holds a place among those that a server gets at once.
type opened struct {
	conn  net.Conn
	err   error // why there is none
	late  bool  // the context had ended before it could begin
	began time.Time
	done  func()        // gives the place back
	said  []string      // by the server before TLS, the first lines
	took  time.Duration // to connect
}

// close closes it. A nil one is none.
func (c *opened) close() {
	if c == nil {
		return
	}
	if c.conn != nil {
		c.conn.Close()
	}
	if c.done != nil {
		c.done()
	}
}

// open waits for its turn, and connects.
func (p *Prober) open(ctx context.Context, t Target) *opened {
	done, err := p.paceOf(t).turn(ctx)
	if err != nil {
		return &opened{err: err, late: true}
	}
	c := &opened{began: time.Now(), done: done}
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	ctx = starttls.Hearing(ctx, func(l starttls.Line) {
		if l.FromServer && len(c.said) < maxSaid {
			c.said = append(c.said, l.Text)
		}
	})
	connect := p.Dial
	if connect == nil {
		connect = dial
	}
	c.conn, c.err = connect(ctx, t)
	c.took = time.Since(c.began)
	return c
}

func (p *Prober) timeout() time.Duration { return cmp.Or(p.Timeout, DefaultTimeout) }

// once speaks on one connection.
func (p *Prober) once(ctx context.Context, t Target, probe Probe, hello *built, on *opened) *Answer {
	a := &Answer{Target: t, Probe: probe, Began: on.began, said: on.said}
	if on.err != nil {
		a.End, a.Err = kindOfDial(on.err), on.err
		a.Took = time.Since(a.Began)
		return a
	}
	conn := on.conn
	ctx, cancel := context.WithDeadline(ctx, on.began.Add(p.timeout()))
	defer cancel()
	// At the end of the context every call on the connection returns.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c := &conversation{conn: conn, a: a, built: hello, left: cmp.Or(p.MaxBytes, DefaultMaxBytes), ctx: ctx, away: min(on.took, farthest)}
	a.End, a.Err = c.run()
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && a.End != Reached {
		a.End = TimedOut
	}
	a.Took = time.Since(a.Began)
	return a
}

// paceOf finds the limits of a host.
func (p *Prober) paceOf(t Target) *pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	host, free := t.machine(), loopback(t.host()) && !p.Strict
	if free {
		host = t.Address // each server by itself: there is nothing before it, and nothing to be shared
	}
	if s := p.hosts[host]; s != nil {
		return s
	}
	if p.hosts == nil || len(p.hosts) >= maxPaces {
		p.hosts = map[string]*pace{}
	}
	s := newPace(cmp.Or(p.Connections, DefaultConnections), cmp.Or(p.Rate, DefaultRate))
	if free {
		s = freePace()
	}
	p.hosts[host] = s
	return s
}

// maxPaces is how many hosts are remembered; a scan of more forgets the pace of all, which
// begins anew.
const maxPaces = 1 << 14
