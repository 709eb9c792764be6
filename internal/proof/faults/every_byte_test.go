package faults

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// expected is what a fault does to the flow that it strikes.
type expected struct {
	kind kind
	name string
	// victim says whether the error of the victim is right: of the receiver of the
	// byte or, where a Write fails, of its sender. nil: the flow goes on as if nothing
	// had happened, but a handshake that is struck by a timeout fails by it.
	victim  func(error) bool
	sender  bool // the victim
	passing bool // a timeout, which all but handshakes survive
}

func isReset(err error) bool { return isOp(err) && errors.Is(err, syscall.ECONNRESET) }

func isOp(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// isCut: the stream has ended where it may not.
func isCut(err error) bool {
	var e *tls.HandshakeError
	return errors.As(err, &e) && errors.Is(err, io.ErrUnexpectedEOF)
}

func isFailedWrite(err error) bool { return isOp(err) && errors.Is(err, errWrite) }
func isShort(err error) bool       { return errors.Is(err, io.ErrShortWrite) }
func isTimeout(err error) bool     { return timedOut(err) }

var everything = []expected{
	{kind: reset, name: "RST", victim: isReset},
	{kind: cut, name: "FIN", victim: isCut},
	{kind: stall, name: "stall", victim: isTimeout},
	{kind: pause, name: "pause"},
	{kind: writeError, name: "write error", victim: isFailedWrite, sender: true},
	{kind: shortWrite, name: "short write", victim: isShort, sender: true},
	{kind: writeTimeout, name: "write timeout", victim: isTimeout, sender: true, passing: true},
	{kind: readTimeout, name: "read timeout", victim: isTimeout, passing: true},
}

// connections is how many were made with a fault.
var connections atomic.Int64

// Every fault at every byte of every flow, in both directions. Under -race and -short
// it is every so many bytes, as stride says. The three bounds of a stall take turns.
func TestEveryByte(t *testing.T) {
	if len(flows) < 12 {
		t.Fatalf("only %d flows", len(flows))
	}
	every := stride()
	for _, f := range flows {
		f.prepare(t)
	}
	t.Run("all", func(t *testing.T) {
		for _, f := range flows {
			for _, x := range everything {
				t.Run(f.name+"/"+x.name, func(t *testing.T) {
					t.Parallel()
					f.strikeEverywhere(t, x, every)
				})
			}
		}
	})
	total := 0
	for _, f := range flows {
		total += f.count[0] + f.count[1]
	}
	n := int(connections.Load())
	t.Logf("%d flows of %d bytes in all: %d connections, a fault at every byte (or every %d.)", len(flows), total, n, every)
	if least := total * len(everything) / every; n < least {
		t.Errorf("only %d connections; %d bytes and %d faults need %d", n, total, len(everything), least)
	}
}

// strikeEverywhere runs the flow once for each byte, or every so many.
func (f *flow) strikeEverywhere(t *testing.T, x expected, every int) {
	missed := 0
	for i, from := range []wire.Role{wire.Client, wire.Server} {
		for at := 0; at < f.count[i] && !t.Failed(); at += every {
			if !f.strike(t, x, fault{x.kind, from, at}, bound(at)%bounds) {
				missed++
			}
		}
	}
	if missed > 8 { // a DH value with zeros in front makes a flow shorter
		t.Errorf("%d faults struck nothing", missed)
	}
}

// strike runs the flow with one fault, and reports whether it struck.
func (f *flow) strike(t *testing.T, x expected, what fault, b bound) bool {
	var (
		l     = newLink(what)
		c, s  *side
		wrong []string
	)
	connections.Add(1)
	func() {
		defer func() { // a goroutine that is left, or one that panics
			if p := recover(); p != nil {
				wrong = append(wrong, fmt.Sprint(p))
			}
		}()
		synctest.Test(t, func(*testing.T) { c, s = f.connect(l, b) })
		wrong = append(f.common(c, s), f.judge(x, l, c, s)...)
	}()
	if len(wrong) > 0 {
		t.Errorf("byte %d of the %v, %v:\n%s", what.at, what.from, b, strings.Join(wrong, "\n"))
		if c != nil && s != nil {
			t.Logf("client: step %d: %v\nserver: step %d: %v", c.done, c.err, s.done, s.err)
		}
	}
	return l.struck
}

// judge says what the sides make of the fault, if it is not right.
func (f *flow) judge(x expected, l *link, c, s *side) (wrong []string) {
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	sides := map[wire.Role]*side{wire.Client: c, wire.Server: s}
	victim, other := sides[l.fault.from.Peer()], sides[l.fault.from]
	if x.sender {
		victim, other = other, victim
	}
	if !l.struck || x.victim == nil {
		if c.err != nil || s.err != nil {
			add("client: %v, server: %v; nothing may fail", c.err, s.err)
		}
		return wrong
	}
	if x.passing {
		if survives(victim, c, s) {
			return wrong
		}
	}
	if !x.victim(victim.err) {
		add("the victim's error is %T %v", victim.err, victim.err)
	}
	if other.err == nil && other.done < len(other.steps) {
		add("the other side has no error")
	}
	for _, x := range []*side{victim, other} {
		if took := x.over.Sub(l.at); x.err != nil && took > slack {
			add("the error came after %v", took)
		}
	}
	return wrong
}

// survives: a timeout once is survived by all but handshakes.
func survives(victim, c, s *side) bool {
	return victim.done > 0 && c.err == nil && s.err == nil
}
