package explain

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/wire"
)

// check runs every check, in the order in which the values were made.
func (c *Connection) check() {
	for _, e := range c.Events {
		if e.Message == nil {
			continue
		}
		if p, ok := e.Message.parsed.(*wire.NewSessionTicket); ok {
			c.nonces = append(c.nonces, p.Nonce)
		}
	}
	openers := map[keysOf]*opener{}
	for _, e := range c.Events {
		switch {
		case e.Secret != nil:
			e.hs.secret(e.Secret)
		case e.Keys != nil:
			e.hs.keys(e.Keys)
			openers[keysOf{e.Keys.from, e.Keys.Epoch}] = newOpener(e.Keys, e.hs)
		}
	}
	due := map[keysOf]uint64{}
	for _, e := range c.Events {
		if r := e.Record; r != nil {
			k := keysOf{r.from, r.Epoch}
			if r.gap {
				due[k] = max(due[k], r.Seq)
				openers[k].skip()
			}
			r.early = openers[k].early()
			r.reopen(openers[k], due[k], c.misses(ofHandshake))
			if due[k] = r.Seq + 1; r.Unopened != "" {
				openers[k].pass(r)
			}
		}
		if m := e.Message; m != nil {
			e.hs.message(m)
		}
	}
	c.noteRecords(openers)
	c.count()
}

// keysOf names the keys of one direction and epoch.
type keysOf struct {
	from  wire.Role
	epoch int
}

// message checks what a message proves: a signature, a Finished, a binder, the
// tie of a renegotiation.
func (hs *handshake) message(m *Message) {
	if !slices.Contains(hs.transcript.msgs, m) {
		return
	}
	if c, ok := hs.signature(m); ok {
		m.Checks = append(m.Checks, hs.account.standIn(c))
	}
	switch p := m.counting().parsed.(type) {
	case *wire.Finished:
		m.Checks = append(m.Checks, hs.account.standIn(hs.finished(m, p)))
	case *wire.ClientHello:
		if c, ok := hs.binder(m, p); ok {
			m.Checks = append(m.Checks, hs.account.standIn(c))
		}
		m.Checks = append(m.Checks, hs.tie(p.Extensions, wire.Client)...)
	case *wire.ServerHello:
		m.Checks = append(m.Checks, hs.tie(p.Extensions, wire.Server)...)
	case *wire.CompressedCertificate:
		if c, ok := m.inflation(p); ok {
			m.Checks = append(m.Checks, hs.account.standIn(c))
		}
		if c, ok := hs.delegation(m.from); ok {
			m.Checks = append(m.Checks, hs.account.standIn(c))
		}
	case *wire.Certificate:
		if c, ok := hs.delegation(m.from); ok {
			m.Checks = append(m.Checks, hs.account.standIn(c))
		}
	}
}

// finished holds a Finished against what the key schedule yields.
func (hs *handshake) finished(m *Message, p *wire.Finished) Check {
	switch s := hs.latest[m.From+"_verify_data"]; {
	case s == nil && hs.account.Captured:
		return Check{Given, "verify_data: not checked, for what it is made from is not known"}
	case s == nil && hs.account.misses(ofHandshake):
		return Check{Given, "verify_data: what it should be was not kept"}
	case s != nil && s.withheld():
		return Check{Given, "verify_data: " + s.lack}
	case s == nil:
		return differ("verify_data: the engine did not report what it should be")
	case !s.is(p.VerifyData):
		return differ("verify_data: it should be %s", s.Value)
	case s.Check.Result != Agrees:
		return differ("verify_data: it does not follow from the handshake")
	default:
		return agree("verify_data: the same as %s", s.Name)
	}
}

// tie checks the renegotiation_info of a side's hello: in a first handshake it
// is empty, and a renegotiation repeats the Finished before it, so that nobody
// can put together the halves of two connections. RFC 5746 §3.
func (hs *handshake) tie(x wire.Extensions, from wire.Role) []Check {
	var got []byte
	found, err := x.Read(wire.ExtRenegotiationInfo, func(r *wire.Reader) { got = wire.ReadRenegotiationInfo(r) })
	if !found || err != nil {
		return nil
	}
	want := recompute.RenegotiationInfo(from, hs.before.verifyData(wire.Client), hs.before.verifyData(wire.Server))
	what := "the client's Finished"
	if from == wire.Server {
		what = "both Finished"
	}
	switch {
	case hs.account.Captured && (hs.torn || hs.before != nil && hs.before.torn):
		return []Check{{Given, "renegotiation_info: not checked, for messages before it are missing"}}
	case !bytes.Equal(got, want):
		return []Check{differ("renegotiation_info: it should be %q", Hex(want).String())}
	case hs.before == nil:
		return nil
	}
	return []Check{agree("renegotiation_info: it repeats %s of the handshake before, so this one is tied to it", what)}
}

// verifyData is the content of a side's Finished; that of no handshake is empty.
func (hs *handshake) verifyData(from wire.Role) []byte {
	if hs == nil {
		return nil
	}
	p, ok := hs.transcript.last(wire.TypeFinished, from).(*wire.Finished)
	if !ok {
		return nil
	}
	return bytes.Clone(p.VerifyData)
}

// binder checks the proof that a ClientHello carries of its pre-shared key:
// a MAC over the hello up to the binders. RFC 8446 §4.2.11.2.
func (hs *handshake) binder(m *Message, ch *wire.ClientHello) (c Check, ok bool) {
	var psks wire.OfferedPSKs
	found, err := ch.Extensions.Read(wire.ExtPreSharedKey, psks.Read)
	if !found || err != nil {
		return c, false
	}
	for i := range psks.Binders {
		key := hs.known(numbered("binder_key", i))
		if key == nil {
			continue // a server has the key of the one that it picked
		}
		h, err := recompute.HashNamed(key.Hash)
		if err != nil {
			return c, false
		}
		want := hs.transcript.Binder(h, key.Value, slices.Index(hs.transcript.msgs, m), psks.BindersLen)
		if !slices.ContainsFunc(psks.Binders, func(b []byte) bool { return bytes.Equal(want, b) }) {
			return differ("binder: it should be %x", want), true
		}
		c, ok = agree("binder: computed again from binder_key and the hello before it"), true
	}
	return c, ok
}

// count sums the checks up.
func (c *Connection) count() {
	add := func(n *int, name string, check Check) {
		switch check.Result {
		case Agrees:
			*n++
		case Differs:
			c.Checks.Failures = append(c.Checks.Failures, name+": "+check.What)
		}
	}
	for _, e := range c.Events {
		switch {
		case e.Secret != nil:
			add(&c.Checks.Secrets, e.Secret.Name, e.Secret.Check)
		case e.Keys != nil:
			add(&c.Checks.Keys, fmt.Sprintf("keys of the %s, epoch %d", e.Keys.From, e.Keys.Epoch), e.Keys.Check)
		case e.Record != nil:
			add(&c.Checks.Records, fmt.Sprintf("record %d", e.Record.Number), e.Record.Check)
		case e.Message != nil:
			for _, check := range e.Message.Checks {
				add(&c.Checks.Proofs, e.Message.Name, check)
			}
		}
	}
}
