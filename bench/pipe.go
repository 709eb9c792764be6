package main

import (
	"io"
	"net"
	"sync"
	"time"
)

// memoryPipe returns the two ends of an in-memory connection with room for
// whatever is written, so that a write never waits for the other end. It costs
// next to nothing beside a handshake, and the same for every stack.
func memoryPipe() (client, server *pipeEnd) {
	up, down := newStream(), newStream()
	return &pipeEnd{in: down, out: up}, &pipeEnd{in: up, out: down}
}

// stream is one direction of a memory pipe.
type stream struct {
	mu     sync.Mutex
	more   sync.Cond
	data   []byte
	read   int // how much of data has been taken
	closed bool
}

func newStream() *stream {
	s := &stream{}
	s.more.L = &s.mu
	return s
}

// reset forgets what was not read, so that one pipe serves many handshakes
// and its own memory does not count as theirs.
func (s *stream) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data, s.read = s.data[:0], 0
}

type pipeEnd struct{ in, out *stream }

func (p *pipeEnd) reset() { p.in.reset(); p.out.reset() }

func (p *pipeEnd) Read(b []byte) (int, error) {
	s := p.in
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.read == len(s.data) {
		if s.closed {
			return 0, io.EOF
		}
		s.more.Wait()
	}
	n := copy(b, s.data[s.read:])
	s.read += n
	if s.read == len(s.data) {
		s.data, s.read = s.data[:0], 0
	}
	return n, nil
}

func (p *pipeEnd) Write(b []byte) (int, error) {
	s := p.out
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, io.ErrClosedPipe
	}
	s.data = append(s.data, b...)
	s.more.Signal()
	return len(b), nil
}

// Close does nothing: the pipe serves the next connection too.
func (p *pipeEnd) Close() error { return nil }

// abort ends both directions, so that no end waits for one that has failed.
func (p *pipeEnd) abort() {
	for _, s := range []*stream{p.in, p.out} {
		s.mu.Lock()
		s.closed = true
		s.more.Broadcast()
		s.mu.Unlock()
	}
}

type pipeAddr struct{}

func (pipeAddr) Network() string { return "memory" }
func (pipeAddr) String() string  { return "memory" }

func (p *pipeEnd) LocalAddr() net.Addr              { return pipeAddr{} }
func (p *pipeEnd) RemoteAddr() net.Addr             { return pipeAddr{} }
func (p *pipeEnd) SetDeadline(time.Time) error      { return nil }
func (p *pipeEnd) SetReadDeadline(time.Time) error  { return nil }
func (p *pipeEnd) SetWriteDeadline(time.Time) error { return nil }
