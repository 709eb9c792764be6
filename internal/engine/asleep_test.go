package engine

import (
	"context"
	"errors"
	"io"
	"reflect"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// calls are all that can be called of an engine, and how.
var calls = map[string]func(*side){
	"Result": func(s *side) { s.Engine.Result() }, "Done": func(s *side) { s.Engine.Done() }, "CanWait": func(s *side) { s.CanWait() },
	"Err": func(s *side) { s.Err() }, "Refused": func(s *side) { s.Refused() }, "Role": func(s *side) { s.Role() },
	"Handshake": func(s *side) { s.Handshake(context.Background()) }, "Abandon": func(s *side) { s.Abandon() },
	"Fail": func(s *side) { s.Fail(errors.New("no")) }, "Break": func(s *side) { s.Break(errors.New("no")) },
	"IdleIn": func(s *side) { s.IdleIn() }, "IdleOut": func(s *side) { s.IdleOut() },
	"FurtherUnderWay": func(s *side) { s.FurtherUnderWay() }, "Cancel": func(s *side) { s.Cancel() },
	"Renegotiate":  func(s *side) { s.Renegotiate(context.Background(), &s.host.config) },
	"Authenticate": func(s *side) { s.Authenticate(context.Background(), &s.host.config) },
	"Further":      func(s *side) { s.Further() }, "Held": func(s *side) { s.Held(make([]byte, 1)) },
	"Read": func(s *side) { s.Read(make([]byte, 1)) }, "Drained": func(s *side) { s.Drained() },
	"Output": func(s *side) { s.Output() }, "Sent": func(s *side) { s.Sent(0) }, "Stalled": func(s *side) { s.Stalled() }, "Owes": func(s *side) { s.Owes() },
	"Write":   func(s *side) { s.Engine.Write([]byte("data"), Batch) },
	"Pending": func(s *side) { s.Pending() }, "Flush": func(s *side) { s.Flush() }, "CloseNotify": func(s *side) { s.CloseNotify() },
	"KeyUpdate": func(s *side) { s.KeyUpdate(true) },
	"Lend":      func(s *side) { s.Lend(1) }, "LendUpTo": func(s *side) { s.LendUpTo(Bulk) }, "Filled": func(s *side) { s.Filled(0) }, "Want": func(s *side) { s.Want() },
	"EarlyExporter": func(s *side) { s.EarlyExporter() }, "OffersEarly": func(s *side) { s.OffersEarly() }, "TakesEarly": func(s *side) { s.TakesEarly() }, "ReadEarly": func(s *side) { s.ReadEarly(make([]byte, 1)) },
	"EOF": func(s *side) { s.EOF(io.EOF) }, "Unlend": func(s *side) { s.Unlend() }, "WipeIn": func(s *side) { s.WipeIn() }, "WipeOut": func(s *side) { s.WipeOut() },
}

// An engine whose halves sleep takes every call as one that is awake.
func TestAsleepItTakesEveryCall(t *testing.T) {
	for i := range reflect.TypeFor[*Engine]().NumMethod() {
		if name := reflect.TypeFor[*Engine]().Method(i).Name; calls[name] == nil {
			t.Errorf("%s is not called", name)
		}
	}
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		for name, call := range calls {
			for _, role := range []wire.Role{wire.Client, wire.Server} {
				t.Run(v.String()+"/"+name+"/"+role.String(), func(t *testing.T) {
					client, server := newClientHost(), newServerHost()
					for _, h := range []*host{client, server} {
						h.config.Versions = []wire.Version{v}
					}
					client.config.PostHandshakeAuth = true
					s := connect(client, server).run().done(t).of(role)
					s.IdleIn()
					s.IdleOut()
					if s.in.inbox != nil || s.out.outbox != nil {
						t.Fatal("it does not sleep")
					}
					call(s)
				})
			}
		}
	}
}
