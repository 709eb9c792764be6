package lab

import (
	"context"
	"io"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A party is one side of a run.
type party struct {
	role      wire.Role
	conn      *tls.Conn
	collector *explain.Collector
	got       []byte
	complete  bool // its handshake
	err       error
	refused   atomic.Int64 // when it refused something, among all that sides do; 0 for never
}

// refusals counts them, to know which of two came first.
var refusals atomic.Int64

// hooks are those of the one connection of a party.
func (x *party) hooks() *trace.Hooks {
	hooks := x.collector.Hooks().Connection()
	collect := hooks.Alert
	hooks.Alert = func(a trace.Alert) {
		if collect(a); a.Dir == trace.Sent && a.Err != nil {
			x.refused.CompareAndSwap(0, refusals.Add(1))
		}
	}
	return hooks
}

// talk is what an application does with its connection.
func (x *party) talk(s *Setup) error {
	defer x.conn.Close()
	if err := x.conn.Handshake(); err != nil {
		return err
	}
	x.complete = true
	steps := []func(*Setup) error{x.hear(len(s.request())), x.further(wire.Server), x.say(s.answer()), x.drain}
	if x.role == wire.Client {
		steps = []func(*Setup) error{x.further(wire.Client), x.say(s.request()), x.hear(len(s.answer())), x.close, x.drain}
	}
	for _, step := range steps {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

func (x *party) say(words string) func(*Setup) error {
	return func(*Setup) error {
		_, err := io.WriteString(x.conn, words)
		return err
	}
}

func (x *party) hear(n int) func(*Setup) error {
	return func(*Setup) error {
		buf := make([]byte, n)
		n, err := io.ReadFull(x.conn, buf)
		x.got = append(x.got, buf[:n]...)
		return err
	}
}

func (x *party) close(*Setup) error { return x.conn.CloseWrite() }

// drain reads to the end.
func (x *party) drain(*Setup) error {
	rest, err := io.ReadAll(io.LimitReader(x.conn, 2*maxData))
	x.got = append(x.got, rest...)
	return err
}

// further begins a handshake inside the connection, where the setup asks that of the side.
func (x *party) further(by wire.Role) func(*Setup) error {
	return func(s *Setup) error {
		switch {
		case s.ClientCertificate == "later" && by == wire.Server:
			return x.conn.RequestClientCertificate(context.Background())
		case s.Renegotiate == by.String():
			return x.conn.Renegotiate(context.Background())
		}
		return nil
	}
}
