package scan

import (
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/wire"
)

// updateKeys sends a KeyUpdate, and goes on with our next keys; where it asks for it the
// server has to go on with its next ones too. Up to TLS 1.2 it does nothing. RFC 8446 §4.6.3.
type updateKeys struct{ request wire.KeyUpdateRequest }

func (s updateKeys) run(c *conversation) error {
	if c.a.Version < wire.TLS13 || !c.a.Done {
		return nil
	}
	if err := c.sendMessage(&wire.KeyUpdate{Request: s.request}); err != nil {
		return err
	}
	c.s13.client = keys.NextTrafficSecret(c.suite.Hash, nil, c.s13.client)
	install13(&c.out, c.suite, c.s13.client)
	return nil
}

// keyUpdates changes our keys, with and without asking the server to change its own, and
// looks whether it still answers a request.
func (x *audit) keyUpdates(ctx context.Context) {
	suites := x.completable(wire.TLS13)
	if len(suites) == 0 {
		return
	}
	asked := x.requested(ctx, "a KeyUpdate that asks for another", suites, updated, updateKeys{wire.UpdateRequested})
	quietly := x.requested(ctx, "a KeyUpdate", suites, replied, updateKeys{wire.UpdateNotRequested})
	switch {
	case asked == nil || quietly == nil:
		return
	case asked.End != Reached || quietly.End != Reached:
		x.set(keyUpdate, "not known: a handshake ended early")
		return
	case updated(asked) && replied(quietly):
		x.set(keyUpdate, "taken, and answered where it asks for that")
		return
	case updated(asked):
		x.set(keyUpdate, "answered")
		return
	}
	// A server that answers no request says nothing by its silence.
	plain := x.requested(ctx, "a request", suites, replied)
	if plain != nil && replied(plain) && !replied(quietly) && quietly.After == TimedOut { // silence may be of the network
		if quietly = x.requested(ctx, "a KeyUpdate", suites, replied, updateKeys{wire.UpdateNotRequested}); quietly == nil || quietly.End != Reached {
			return
		}
	}
	refused := quietly
	if replied(quietly) {
		refused = asked
	}
	switch {
	case plain == nil || !replied(plain), refused == asked && !replied(asked) && asked.After == TimedOut:
		x.set(keyUpdate, "not known: the server answers no request")
	case !replied(refused):
		x.set(keyUpdate, "refused: "+ending(refused))
		x.found("key-update", refused, "to a request after a KeyUpdate the server says: "+ending(refused)+"; without one it answers")
	default:
		x.set(keyUpdate, "taken, and not answered where it asks for that")
		x.found("key-update", asked, "after a KeyUpdate with update_requested the server goes on with its old keys: "+hexOf(asked.reply()))
	}
}

// updated reports that the server has changed its keys.
func updated(a *Answer) bool {
	return slices.ContainsFunc(a.Messages, func(m Message) bool { return m.Type == wire.TypeKeyUpdate })
}

// keyUpdate is the name of the feature.
const keyUpdate = "KeyUpdate"

// requested sends a request after some steps, and waits until enough of the answer has come.
func (x *audit) requested(ctx context.Context, name string, suites []wire.CipherSuite, enough func(*Answer) bool, before ...Step) *Answer {
	wait := Await{For: patience, Done: enough}
	if !x.speaksHTTP() {
		wait.For = 2 * quiet
	}
	return x.do(ctx, Probe{Name: name, Hello: x.web(wire.TLS13, suites), Until: Complete,
		Then: slices.Concat(x.greeting(), before, []Step{SendRecord{Type: wire.ContentApplicationData, Content: x.request()}, wait})})
}

// ending says how the server ended a conversation during the steps.
func ending(a *Answer) string {
	if code, alerted := a.Alert(); alerted {
		return "alert " + code.String()
	}
	if a.After == "" {
		return string(a.End)
	}
	return string(a.After)
}

// endings looks whether the server says close_notify: to ours, and at the end of an answer.
// RFC 8446 §6.1, RFC 5246 §7.2.1.
func (x *audit) endings(ctx context.Context) {
	if len(x.spoken) == 0 {
		return
	}
	v := x.spoken[0]
	suites := x.completable(v)
	if len(suites) == 0 {
		return
	}
	over := func(*Answer) bool { return false }
	a := x.do(ctx, Probe{Name: "close_notify", Hello: x.web(v, suites), Until: Complete, Then: []Step{CloseNotify{}, Await{For: 2 * quiet, Done: over}}})
	if a == nil || !a.Done {
		return
	}
	x.set("answer to close_notify", said(a))
	if !x.speaksHTTP() {
		return
	}
	a = x.do(ctx, Probe{Name: "the end of an answer", Hello: x.web(v, suites), Until: Complete,
		Then: []Step{SendRecord{Type: wire.ContentApplicationData, Content: x.request()}, Await{For: patience, Done: over}}})
	if a == nil || len(a.Data()) == 0 {
		return
	}
	x.set("close_notify after an answer", said(a))
	if a.After == Closed {
		x.found("no-close-notify", a, "after its answer the server closes the connection without the alert close_notify")
	}
}

// said says how the server ended a connection.
func said(a *Answer) string {
	code, alerted := a.Alert()
	switch {
	case alerted && code == wire.AlertCloseNotify:
		return "yes"
	case alerted:
		return "no: alert " + code.String()
	case a.End == TooMuch:
		return "not known: the answer is too long"
	case a.After == Closed:
		return "no: it hangs up"
	case a.After == Reset:
		return "no: it resets the connection"
	}
	return "no: it keeps the connection"
}
