package tls

import (
	"context"
	"errors"
	"testing"
	"time"
)

// The context of a handshake is made where somebody needs it. Whenever that is, it tells
// what has happened by then, and what happens later.
func TestTheContextOfAHandshake(t *testing.T) {
	mine := errors.New("mine")
	for _, made := range []string{"at first", "after the end"} {
		for _, end := range []struct {
			name       string
			ends       func(c *Conn, s *shaking, parent context.CancelCauseFunc)
			err, cause error
			why        error // unbounded's
		}{
			{"well", func(*Conn, *shaking, context.CancelCauseFunc) {}, context.Canceled, context.Canceled, nil},
			{"cut", func(_ *Conn, s *shaking, _ context.CancelCauseFunc) { s.interrupt.cut(mine) }, context.Canceled, mine, mine},
			{"cut by two", func(_ *Conn, s *shaking, _ context.CancelCauseFunc) {
				s.interrupt.cut(mine)
				s.interrupt.cut(errTooLong)
			}, context.Canceled, mine, mine},
			{"with the caller's", func(_ *Conn, _ *shaking, parent context.CancelCauseFunc) { parent(mine) }, context.Canceled, mine, context.Canceled},
		} {
			below, _ := memoryPipe()
			c := Client(below, &Config{HandshakeTimeout: -1})
			parent, cancel := context.WithCancelCause(context.WithValue(t.Context(), valueKey{}, "a value"))
			s := c.shaking.Load()
			ctx := c.bounded(parent, s)
			if ctx.Err() != nil {
				t.Errorf("%s: it begins with %v", end.name, ctx.Err())
			}
			if made == "at first" {
				child, stop := context.WithTimeout(ctx, time.Minute)
				defer stop()
				if ctx.Value(valueKey{}) != "a value" || child.Err() != nil {
					t.Errorf("%s: the value is %v, the error %v", end.name, ctx.Value(valueKey{}), child.Err())
				}
				ctx = child // what follows from it, too
			}
			end.ends(c, s, cancel)
			if (ctx.Err() != nil) != (end.why != nil) {
				t.Errorf("%s, %s: still under way, it says %v", end.name, made, ctx.Err())
			}
			if why := c.unbounded(s); why != end.why || c.unbounded(s) != end.why {
				t.Errorf("%s: interrupted by %v, want %v", end.name, why, end.why)
			}
			if !errors.Is(ctx.Err(), end.err) || context.Cause(ctx) != end.cause || ctx.Value(valueKey{}) != "a value" {
				t.Errorf("%s, %s: it ends with %v because of %v; want %v because of %v", end.name, made, ctx.Err(), context.Cause(ctx), end.err, end.cause)
			}
			select {
			case <-ctx.Done():
			default:
				t.Errorf("%s, %s: it is not done", end.name, made)
			}
			if s.interrupt.cut(mine) {
				t.Errorf("%s: it can be interrupted after its end", end.name)
			}
			cancel(nil)
		}
	}
}

// A handshake that nobody looks at makes no context, and one timer bounds it and then sees
// that the connection is idle.
func TestAHandshakeMakesLittle(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	a, b := memoryPipe()
	c, s := Client(a, client), Server(b, server)
	defer c.Close()
	defer s.Close()
	shaking := c.shaking.Load()
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	if shaking.interrupt.made != nil {
		t.Error("there is a context that nobody asked for")
	}
	if timer := c.idler.Load(); timer == nil || !timer.Stop() {
		t.Error("the timer is not set")
	}
	below, peer := memoryPipe()
	failed := Client(below, client)
	peer.Close()
	if err := failed.Handshake(); err == nil {
		t.Error("a handshake with nobody succeeds")
	}
	if timer := failed.idler.Load(); timer == nil || timer.Stop() {
		t.Error("the timer of a handshake that has failed goes on")
	}
}
