package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// The jobs serve and drive make handshakes of a crew of servers in one process
// with a crew of clients in another. Over the TCP connection between the two
// goes, from either side in turn, a message:
//
//	uint32 verb, count; count times { uint32 length; opaque bytes[length]; }
//
// in which each item is what one member has written. The verb of the client's
// side says what the servers do with it; a finish, of no items, ends the job.
const (
	verbBegin  = 1 // new connections
	verbStep   = 2 // the same ones go on
	verbFinish = 3
)

// warmBatches are not counted: in the first there is no session to resume, and
// the second checks that there is one.
const warmBatches = 2

// exchange is one process's end of the TCP connection.
type exchange struct {
	r   *bufio.Reader
	w   io.Writer
	out []byte
}

func newExchange(c net.Conn) *exchange { return &exchange{r: bufio.NewReaderSize(c, 1<<18), w: c} }

// send tells the other side what the members have written.
func (x *exchange) send(verb uint32, members []*member) error {
	x.out = binary.BigEndian.AppendUint32(x.out[:0], verb)
	x.out = binary.BigEndian.AppendUint32(x.out, uint32(len(members)))
	for _, m := range members {
		x.out = binary.BigEndian.AppendUint32(x.out, uint32(len(m.out)))
		x.out = append(x.out, m.out...)
		m.out = m.out[:0]
	}
	_, err := x.w.Write(x.out)
	return err
}

// receive hands the members what the other side's have written.
func (x *exchange) receive(members []*member) (verb uint32, err error) {
	verb, err = x.number()
	if err != nil {
		return 0, fmt.Errorf("the other process is gone: %w", err)
	}
	count, err := x.number()
	if err == nil && int(count) != len(members) && verb != verbFinish {
		err = fmt.Errorf("%d connections on one side, %d on the other", len(members), count)
	}
	for i := 0; i < int(count) && err == nil; i++ {
		var length uint32
		if length, err = x.number(); err != nil || length == 0 {
			continue
		}
		_, err = io.ReadFull(x.r, members[i].feed(int(length)))
	}
	return verb, err
}

func (x *exchange) number() (uint32, error) {
	b, err := x.r.Peek(4)
	if err != nil {
		return 0, err
	}
	x.r.Discard(4)
	return binary.BigEndian.Uint32(b), nil
}

// serve is the servers' side, and what is measured: all that this process does
// from the third batch on. A handshake is that, one byte to the client, and Close.
func serve(e ends, tcp net.Conn, j job) (figures, error) {
	hello := []byte{'!'}
	w := newCrew(j.number("batch"), func(_ int, c net.Conn) error {
		s := e.server(c)
		err := s.Handshake()
		if err == nil {
			_, err = s.Write(hello)
		}
		if err == nil {
			err = s.Close()
		}
		return err
	})
	w.inTurn = j.flag("inturn")
	defer w.close()
	x := newExchange(tcp)
	var m *meter
	for batches := 0; ; {
		verb, err := x.receive(w.members)
		done, failure := w.done()
		if verb != verbStep && !done {
			err = errors.Join(err, errors.New("not all handshakes have ended"))
		}
		if err = errors.Join(failure, err); err != nil {
			return nil, err
		}
		switch verb {
		case verbStep:
			if err := w.step(); err != nil {
				return nil, err
			}
		case verbBegin:
			if batches == warmBatches {
				m = startMeter()
			}
			batches++
			w.begin()
		case verbFinish:
			if m == nil {
				return nil, errors.New("too few handshakes to count any")
			}
			f := m.stop()
			f["n"] = float64((batches - warmBatches) * len(w.members))
			return f, nil
		}
		if err := x.send(verb, w.members); err != nil {
			return nil, err
		}
	}
}

// drive is the clients' side, which sets the pace for the job's ms milliseconds. Where it is
// what is measured, that is all that this process does from the third batch on. Each client
// keeps its own sessions, and checks what the row asks for in the batches that do not count,
// and in the last.
func drive(clients []func(net.Conn) conn, p params, tcp net.Conn, j job) (figures, error) {
	last := make([]conn, len(clients))
	w := newCrew(len(clients), func(i int, c net.Conn) error {
		var byte [1]byte
		last[i] = clients[i](c)
		err := last[i].Handshake()
		if err == nil {
			_, err = io.ReadFull(last[i], byte[:])
		}
		if err == nil {
			err = last[i].Close()
		}
		return err
	})
	defer w.close()
	x := newExchange(tcp)
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	var m *meter
	for batches := 1; ; batches++ {
		if err := w.batch(x); err != nil {
			return nil, err
		}
		finish := batches > warmBatches && time.Now().After(end)
		var f figures
		if finish {
			f = m.stop()
			f["n"] = float64((batches - warmBatches) * len(w.members))
		}
		if finish || batches <= warmBatches {
			for _, c := range last {
				if err := p.check(c, p.resumes() && batches > 1); err != nil {
					return nil, err
				}
			}
		}
		if finish {
			return f, x.send(verbFinish, nil)
		}
		if batches == warmBatches {
			m = startMeter()
		}
	}
}

// batch is one handshake of each client.
func (w *crew) batch(x *exchange) error {
	w.begin()
	for verb := uint32(verbBegin); ; verb = verbStep {
		if err := x.send(verb, w.members); err != nil {
			return err
		}
		if _, err := x.receive(w.members); err != nil {
			return err
		}
		stuck := w.step()
		if done, err := w.done(); done || err != nil || stuck != nil {
			return errors.Join(err, stuck)
		}
	}
}
