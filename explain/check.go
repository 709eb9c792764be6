package explain

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// check runs every check, in the order in which the values were made.
func (c *Connection) check(t *transcript, previous *Connection) {
	d := &deriver{version: c.version(), transcript: t, previous: previous, latest: c.latest}
	for _, e := range c.Events {
		if e.Message == nil {
			continue
		}
		switch p := e.Message.parsed.(type) {
		case *wire.ClientHello:
			d.clientRandom = p.Random
		case *wire.ServerHello:
			d.serverRandom, d.suite = p.Random, suite.ByID(p.CipherSuite)
		case *wire.NewSessionTicket:
			d.nonces = append(d.nonces, p.Nonce)
		}
	}
	openers := map[keysOf]*opener{}
	for _, e := range c.Events {
		switch {
		case e.Secret != nil:
			d.secret(e.Secret)
			if e.Secret.Name == "resumption_psk" {
				c.tickets = append(c.tickets, e.Secret.Value)
			}
		case e.Keys != nil:
			d.keys(e.Keys)
			openers[keysOf{e.Keys.from, e.Keys.Epoch}] = newOpener(e.Keys, false)
		}
	}
	due := map[keysOf]uint64{}
	for _, e := range c.Events {
		if r := e.Record; r != nil {
			k := keysOf{r.from, r.Epoch}
			r.reopen(openers[k], due[k])
			due[k] = r.Seq + 1
		}
		if m := e.Message; m != nil {
			d.message(m)
		}
	}
	c.count()
}

// keysOf names the keys of one direction and epoch.
type keysOf struct {
	from  wire.Role
	epoch int
}

// message checks what a message proves: a signature, a Finished, a binder.
func (d *deriver) message(m *Message) {
	if c, ok := d.signature(m); ok {
		m.Checks = append(m.Checks, c)
	}
	if p, ok := m.parsed.(*wire.Finished); ok && !m.PostHandshake {
		switch s := d.latest[m.From+"_verify_data"]; {
		case s == nil:
			m.Checks = append(m.Checks, differ("verify_data: the engine did not report what it should be"))
		case !s.is(p.VerifyData):
			m.Checks = append(m.Checks, differ("verify_data: it should be %s", s.Value))
		case s.Check.Result != Agrees:
			m.Checks = append(m.Checks, differ("verify_data: it does not follow from the handshake"))
		default:
			m.Checks = append(m.Checks, agree("verify_data: the same as %s", s.Name))
		}
	}
	if p, ok := m.parsed.(*wire.ClientHello); ok {
		if c, ok := d.binder(m, p); ok {
			m.Checks = append(m.Checks, c)
		}
	}
}

// binder checks the proof that a ClientHello carries of its pre-shared key:
// a MAC over the hello up to the binders. RFC 8446 §4.2.11.2.
func (d *deriver) binder(m *Message, ch *wire.ClientHello) (c Check, ok bool) {
	var psks wire.OfferedPSKs
	found, err := ch.Extensions.Read(wire.ExtPreSharedKey, psks.Read)
	key := d.latest["binder_key"]
	if !found || err != nil || key == nil || len(psks.Binders) != 1 {
		return c, false
	}
	h, err := hashNamed(key.Hash)
	if err != nil {
		return c, false
	}
	sum := h.New()
	if i := slices.Index(d.transcript.msgs, m); i > 0 {
		sum.Write(d.transcript.messageHash(h))
		for _, earlier := range d.transcript.msgs[1:i] {
			sum.Write(earlier.Raw)
		}
	}
	sum.Write(m.Raw[:len(m.Raw)-psks.BindersLen])
	want := hmacOf(h, expandLabel(h, key.Value, "finished", nil, h.Size), sum.Sum(nil))
	if !bytes.Equal(want, psks.Binders[0]) {
		return differ("binder: it should be %x", want), true
	}
	return agree("binder: computed again from binder_key and the hello before it"), true
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
