package proxy

import (
	"errors"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/event"
)

// The pauses after an error of Accept that may pass, such as too few file descriptors. Each is
// twice the one before.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = time.Second
)

// start accepts connections, on goroutines of its own.
func (s *socket) start() {
	if s.started {
		return
	}
	s.started = true
	for _, l := range s.listeners {
		s.accepting.Go(func() { s.accept(l) })
	}
}

func (s *socket) accept(l net.Listener) {
	pause := shortestPause
	for {
		conn, err := l.Accept()
		if err == nil {
			pause = shortestPause
			s.p.welcome(s, conn)
			continue
		}
		if s.closed.Load() || errors.Is(err, net.ErrClosed) {
			return
		}
		// The socket stays: an error of one connection, or one that passes.
		if s.p.hooks.AcceptFailed != nil {
			s.p.hooks.AcceptFailed(s.name, err)
		}
		s.p.sleep(pause)
		pause = min(2*pause, longestPause)
	}
}

// sleep ends early when p stops.
func (p *Proxy) sleep(pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.stop:
	}
}

// welcome takes a connection, unless a limit turns it away.
func (p *Proxy) welcome(s *socket, conn net.Conn) {
	if why := p.limits.enter(); why != "" {
		p.refuse(s.name, conn.RemoteAddr(), why, nil)
		reset(conn)
		return
	}
	d := s.door.Load()
	for !d.plan.enter() { // a reload has just put another in its place
		next := s.door.Load()
		if next == d { // or nothing: the socket is given up, and so is what came by it last
			p.limits.leave()
			reset(conn)
			return
		}
		d = next
	}
	l := &link{p: p, socket: s, door: d, client: early(conn), local: conn.LocalAddr()}
	l.About = event.Connection{Listener: s.name, Peer: conn.RemoteAddr(), At: time.Now(), ID: p.ids.Add(1)}
	p.links.add(l)
	if d.http != nil {
		p.arriving.Add(1)
		l.arriving.Store(true)
	}
	go l.serve()
}

func (p *Proxy) refuse(listener string, peer net.Addr, why event.Reason, err error) {
	if p.hooks.Refused != nil {
		p.hooks.Refused(listener, peer, why, err)
	}
}
