package diagnose_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/wire"
)

// An account may come from anybody: whatever its messages say, there is a verdict, with a
// sentence and with evidence that is in the account.
func FuzzAccount(f *testing.F) {
	for _, m := range meetings {
		p := newPKI(f)
		s := ordinary(p)
		m.change(p, s)
		client, server := s.play(f)
		var said [wire.Server + 1][]byte
		code := ""
		for _, e := range at(m.asked, client, server).account.Events {
			switch {
			case e.Message != nil && e.Message.From == "client":
				said[wire.Client] = append(said[wire.Client], e.Message.Raw...)
			case e.Message != nil:
				said[wire.Server] = append(said[wire.Server], e.Message.Raw...)
			case e.Alert != nil:
				code = e.Alert.Code
			}
		}
		f.Add(said[wire.Client], said[wire.Server], code, m.asked == wire.Server)
	}
	f.Fuzz(func(t *testing.T, client, server []byte, code string, byServer bool) {
		c := &explain.Connection{Side: "client"}
		if byServer {
			c.Side = "server"
		}
		hello, rest := cutMessage(client)
		c.Events = messages(c.Events, "client", hello)
		for _, from := range []string{"client", "server"} {
			c.Events = append(c.Events, explain.Event{Alert: &explain.Alert{From: from, Code: code, Reason: "no " + code + " in common"}})
		}
		c.Events = messages(messages(c.Events, "server", server), "client", rest)
		v := diagnose.Account(c, diagnose.Also{})
		if v.Sentence == "" || v.Cause == "" || v.Confidence == "" || v.AtFault == "" {
			t.Errorf("%+v", v)
		}
		for _, e := range v.Evidence {
			if e.Event >= len(c.Events) {
				t.Errorf("the evidence is at event %d of %d", e.Event, len(c.Events))
			}
		}
	})
}

// cutMessage parts the first handshake message from what follows it.
func cutMessage(b []byte) (first, rest []byte) {
	n := len(b)
	if n >= wire.HeaderLen {
		n = min(n, max(1, wire.MessageLen(b)))
	}
	return b[:n], b[n:]
}

// messages are those that stand one behind the other.
func messages(events []explain.Event, from string, b []byte) []explain.Event {
	for len(b) > 0 && len(events) < 64 {
		var one []byte
		one, b = cutMessage(b)
		events = append(events, explain.Event{Message: &explain.Message{From: from, Name: "message", Raw: one}})
	}
	return events
}
