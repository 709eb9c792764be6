package main

import (
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// crew is a number of connections of one side that take their steps together:
// each is given what its peer has written, and works until it waits for more.
// So one process does the work of one side alone, hundreds of handshakes go by
// for each exchange with the process of the other side, and what that exchange
// costs hardly counts.
type crew struct {
	members []*member
	waiting sync.WaitGroup // on members at work
	inTurn  bool           // one works at a time, and none finds another at the same key
}

// member is one connection of a crew, and the net.Conn below it. Its goroutine
// and the crew's owner touch its bytes by turns.
type member struct {
	pipeAddr
	busy    *sync.WaitGroup
	more    chan struct{}
	in, out []byte
	room    []byte // behind in
	running bool   // between begin and its end
	err     error
}

// newCrew starts n members, which do handshake with each new connection.
func newCrew(n int, handshake func(i int, c net.Conn) error) *crew {
	w := &crew{members: make([]*member, n)}
	for i := range w.members {
		m := &member{busy: &w.waiting, more: make(chan struct{})}
		w.members[i] = m
		go func() {
			for range m.more {
				m.err = handshake(i, m)
				m.running = false
				m.busy.Done()
			}
		}()
	}
	return w
}

// begin has every member start a connection. Servers are given the clients'
// first bytes before, by feed.
func (w *crew) begin() {
	for _, m := range w.members {
		m.running = true
		w.wake(m)
	}
	w.waiting.Wait()
}

// step has those go on that were fed and are not done; if there are none, the
// two sides wait for each other.
func (w *crew) step() error {
	err := errors.New("both sides wait for the other")
	for _, m := range w.members {
		if m.running && len(m.in) > 0 {
			w.wake(m)
			err = nil
		}
	}
	w.waiting.Wait()
	return err
}

func (w *crew) wake(m *member) {
	m.out = m.out[:0]
	w.waiting.Add(1)
	m.more <- struct{}{}
	if w.inTurn {
		w.waiting.Wait()
	}
}

// done reports that no member is at work, and the first error of one.
func (w *crew) done() (done bool, err error) {
	done = true
	for _, m := range w.members {
		if m.running {
			done = false
		} else if err == nil {
			err = m.err
		}
	}
	return done, err
}

// close ends the goroutines; a connection under way fails.
func (w *crew) close() {
	for _, m := range w.members {
		close(m.more)
	}
}

func (m *member) Read(b []byte) (int, error) {
	for len(m.in) == 0 {
		m.busy.Done()
		if _, open := <-m.more; !open {
			m.busy.Add(1) // for the end of the handshake that fails now
			return 0, io.ErrUnexpectedEOF
		}
	}
	n := copy(b, m.in)
	m.in = m.in[n:]
	return n, nil
}

// feed gives the member n bytes to read, for the caller to fill in. What it was
// given before has been read.
func (m *member) feed(n int) []byte {
	m.room = slices.Grow(m.room[:0], n)[:n]
	m.in = m.room
	return m.in
}

func (m *member) Write(b []byte) (int, error) {
	m.out = append(m.out, b...)
	return len(b), nil
}

func (m *member) Close() error                     { return nil }
func (m *member) LocalAddr() net.Addr              { return m.pipeAddr }
func (m *member) RemoteAddr() net.Addr             { return m.pipeAddr }
func (m *member) SetDeadline(time.Time) error      { return nil }
func (m *member) SetReadDeadline(time.Time) error  { return nil }
func (m *member) SetWriteDeadline(time.Time) error { return nil }
