package scan

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// maxMessage is the longest handshake message that is gathered, in bytes.
const maxMessage = 256 << 10

// An event is what next returns: a message, or a record that holds none.
type event struct {
	message *Message
	record  Record
}

// next reads up to the next message, or the next record of another type. A fatal alert
// is a failure; a warning is not.
func (c *conversation) next() (event, error) {
	for {
		if m := c.gathered(); m != nil {
			return event{message: m}, c.take(m)
		}
		r, err := c.readRecord()
		if err != nil {
			return event{}, err
		}
		switch r.Type {
		case wire.ContentHandshake:
			c.hand = append(c.hand, r.Content...)
			if n := wire.MessageLen(c.hand); n > maxMessage {
				return event{}, fail(TooMuch, "the server announces a message of %d bytes", n)
			}
		case wire.ContentAlert:
			return event{record: r}, c.heard(r)
		default:
			return event{record: r}, nil
		}
	}
}

// heard judges an alert.
func (c *conversation) heard(r Record) error {
	for content := r.Content; len(content) >= 2; content = content[2:] {
		a := wire.Alert{Level: wire.AlertLevel(content[0]), Code: wire.AlertCode(content[1])}
		c.a.Alerts = append(c.a.Alerts, a)
		if fatal(a) || c.a.Version >= wire.TLS13 {
			return fail(Alerted, "the server sends the alert %v", a.Code)
		}
		if len(c.a.Alerts) > 16 {
			return fail(TooMuch, "the server sends alerts without end")
		}
	}
	return nil
}

// gathered is the next whole message; nil where there is none yet.
func (c *conversation) gathered() *Message {
	n := wire.MessageLen(c.hand)
	if n == 0 || len(c.hand) < n {
		return nil
	}
	m := &Message{Type: wire.HandshakeType(c.hand[0]), Raw: slices.Clone(c.hand[:n]), Context: c.context(wire.Server)}
	c.hand = c.hand[n:]
	return m
}

// take keeps a message and what it says.
func (c *conversation) take(m *Message) error {
	parsed, err := wire.DecodeMessage(m.Raw, m.Context, nil)
	if err != nil {
		c.a.Messages = append(c.a.Messages, *m)
		return fail(Malformed, "the server's %v: %w", m.Type, err)
	}
	if hello, ok := parsed.(*wire.ServerHello); ok {
		if err := c.takeHello(hello); err != nil {
			return err
		}
		m.Context = c.context(wire.Server)
	}
	c.a.Messages = append(c.a.Messages, *m)
	switch x := parsed.(type) {
	case *wire.EncryptedExtensions:
		c.a.Extensions = append(c.a.Extensions, x.Extensions...)
		c.readALPN(x.Extensions)
	case *wire.Certificate:
		c.takeCertificate(x)
	case *wire.CertificateStatus:
		c.a.Staple = x.Response
	case *wire.ServerKeyExchange:
		c.a.KeyExchange, c.a.Group, c.a.Scheme = x, x.Group, x.Scheme
	case *wire.CertificateRequest:
		c.a.Request = x
	case *wire.CertificateVerify:
		c.a.Scheme = x.Scheme
	case *wire.KeyUpdate:
		c.updated()
	case *wire.NewSessionTicket:
		c.takeTicket(x)
	}
	return c.enter(m)
}

// enter adds a message to the transcript where it belongs there.
func (c *conversation) enter(m *Message) error {
	switch {
	case m.Type == wire.TypeHelloRequest, c.a.Done:
	default:
		c.transcript = append(c.transcript, m.Raw...)
	}
	if m.Type == wire.TypeServerHello && c.a.Server != nil && !c.a.Done {
		return c.agreed()
	}
	return nil
}

// takeHello keeps what the server picked.
func (c *conversation) takeHello(m *wire.ServerHello) error {
	if c.a.Server != nil && !c.a.Done {
		return fail(Malformed, "a second ServerHello")
	}
	c.a.Version, c.a.Suite = m.LegacyVersion, m.CipherSuite
	m.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { c.a.Version = wire.U16[wire.Version](r, "selected_version") })
	c.suite = suite.ByID(m.CipherSuite)
	c.a.Extensions = append(c.a.Extensions, m.Extensions...)
	c.readALPN(m.Extensions)
	if m.IsRetry() {
		if c.a.Retry != nil {
			return fail(Malformed, "a second HelloRetryRequest")
		}
		c.a.Retry = m
		m.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { c.a.Group = wire.U16[wire.NamedGroup](r, "selected_group") })
		return nil
	}
	c.a.Server = m
	if c.a.Version >= wire.TLS13 {
		m.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { c.s13.share = wire.ReadKeyShare(r); c.a.Group = c.s13.share.Group })
	}
	return nil
}

func (c *conversation) readALPN(x wire.Extensions) {
	x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			c.a.ALPN = string(p)
		}
	})
}

func (c *conversation) takeCertificate(m *wire.Certificate) {
	c.a.Certificates = nil
	for i, e := range m.Entries {
		c.a.Certificates = append(c.a.Certificates, bytes.Clone(e.DER))
		if i > 0 {
			continue
		}
		c.a.Extensions = append(c.a.Extensions, e.Extensions...)
		body, stapled := e.Extensions.Find(wire.ExtStatusRequest)
		if !stapled {
			continue
		}
		var status wire.CertificateStatus
		if wire.Decode(&status, body, wire.Context{}, nil) == nil {
			c.a.Staple = status.Response
		}
	}
}
