package scan

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// reach goes on with the handshake up to a stage.
func (c *conversation) reach(stage Stage) error {
	if c.a.Probe.Raw != nil {
		return c.greeting()
	}
	if c.a.Probe.Hello.SSL2 {
		if done, err := c.greetingSSL2(); done || err != nil {
			return err
		}
	}
	if err := c.greeting(); err != nil || stage == Greeting {
		return err
	}
	if c.a.Retry != nil && c.a.Server == nil {
		if err := c.again(); err != nil {
			return err
		}
	}
	if c.a.Version >= wire.TLS13 {
		return c.rest13(stage)
	}
	return c.rest12(stage)
}

// greeting reads the ServerHello, or a HelloRetryRequest.
func (c *conversation) greeting() error {
	e, err := c.next()
	for err == nil && e.warning() {
		e, err = c.next()
	}
	switch {
	case err != nil:
		return err
	case e.message == nil:
		return fail(Malformed, "a %v record comes in place of a ServerHello", e.record.Type)
	case e.message.Type != wire.TypeServerHello:
		return fail(Malformed, "a %v comes in place of a ServerHello", e.message.Type)
	}
	return nil
}

// again answers a HelloRetryRequest: with the group that it asks for, and its cookie.
func (c *conversation) again() error {
	h := c.a.Probe.Hello
	h.Random, h.SessionID = c.built.hello.Random, c.built.hello.SessionID
	if c.a.Group != 0 {
		h.Shares = []wire.NamedGroup{c.a.Group}
	}
	var cookie []byte
	c.a.Retry.Extensions.Read(wire.ExtCookie, func(r *wire.Reader) { cookie = wire.ReadCookie(r) })
	if err := c.foldFirstHello(); err != nil {
		return err
	}
	b, err := h.build(c.a.Target, cookie, c.transcript)
	if err != nil {
		return fail(Unsupported, "the server asks for a group that a probe has not: %w", err)
	}
	c.built, c.a.Client = b, b.hello
	c.transcript = append(c.transcript, b.message...)
	// From here on records say TLS 1.2, to which crypto/tls holds them. RFC 8446 §5.1.
	if err := c.send(wire.ContentHandshake, b.message); err != nil {
		return err
	}
	c.a.Version = 0
	for {
		e, err := c.next()
		switch {
		case err != nil:
			return err
		case e.warning(), e.message == nil && e.record.Type == wire.ContentChangeCipherSpec:
		case c.a.Server == nil:
			return fail(Malformed, "no ServerHello follows the second ClientHello")
		default:
			return nil
		}
	}
}

// until reads messages up to one of that type.
func (c *conversation) until(t wire.HandshakeType) error {
	for {
		e, err := c.next()
		switch {
		case err != nil:
			return err
		case e.warning():
		case e.message == nil && e.record.Type == wire.ContentChangeCipherSpec:
			if err := c.changed(); err != nil {
				return err
			}
		case e.message == nil:
			return fail(Malformed, "a %v record comes before the server's %v", e.record.Type, t)
		case e.message.Type == t:
			return nil
		}
	}
}

// changed takes the server's change_cipher_spec in: up to TLS 1.2 its keys begin.
func (c *conversation) changed() error {
	if c.a.Version >= wire.TLS13 {
		return nil
	}
	if len(c.hand) > 0 {
		return fail(Malformed, "change_cipher_spec comes within a message")
	}
	return c.s12.install(&c.in, c, wire.Server)
}

// agreed goes on from a ServerHello: in TLS 1.3 its keys begin.
func (c *conversation) agreed() error {
	if c.a.Version >= wire.TLS13 && c.a.Probe.Until > Greeting {
		return c.keys13()
	}
	return nil
}

// warning reports an alert after which more can come.
func (e event) warning() bool { return e.message == nil && e.record.Type == wire.ContentAlert }
