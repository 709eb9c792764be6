package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// summarise reads what was agreed from the messages themselves: that of the last
// handshake which came to its end is what holds.
func (c *Connection) summarise() {
	first := c.handshakes[0]
	s := &c.Summary
	s.read(first, c.side)
	at := c.place()
	for i, hs := range c.handshakes {
		complete := hs.transcript.Complete() || hs.late && hs.transcript.Find(wire.TypeFinished, wire.Client) >= 0
		shown := hs.show(complete)
		shown.Transcript, shown.Hash = hs.points(at)
		c.Handshakes = append(c.Handshakes, shown)
		switch {
		case i == 0 || !complete:
		case hs.late:
			s.LateClientAuth = true
			s.ClientAuth = hs.shows(wire.Client)
		default:
			*s = Summary{HelloRetry: s.HelloRetry, Resumed: s.Resumed, LateClientAuth: s.LateClientAuth, Renegotiations: s.Renegotiations + 1}
			s.read(hs, c.side)
		}
	}
	s.Complete = first.transcript.Complete()
	if first.version < wire.TLS13 && s.Complete && first.hello != nil && !first.exchanged() {
		s.Resumed = "id"
		if ticket, _ := first.hello.Extensions.Find(wire.ExtSessionTicket); len(ticket) > 0 {
			s.Resumed = "ticket"
		}
	}
	c.summariseTimes(first)
	c.warn()
}

// shows reports that a side has shown a certificate.
func (hs *handshake) shows(side wire.Role) bool {
	p := hs.certificate(side)
	return p != nil && len(p.Entries) > 0
}

// read takes in what one handshake says.
func (s *Summary) read(hs *handshake, side wire.Role) {
	for _, m := range hs.transcript.msgs {
		switch p := m.counting().parsed.(type) {
		case *wire.ClientHello:
			_, _ = p.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { s.ServerName = wire.ReadServerName(r) })
		case *wire.ServerHello:
			s.hello(p, hs)
		case *wire.EncryptedExtensions:
			s.alpn(p.Extensions)
		case *wire.ServerKeyExchange:
			if group := groupOf(p); group != "" {
				s.Group, s.DHBits = group, dhBits(p.P)
			}
			if p.Signature != nil {
				s.SignatureScheme = m.scheme.String()
			}
		case *wire.ClientKeyExchange:
			s.PSKIdentity = string(p.Identity)
		case *wire.CertificateVerify:
			if m.from == wire.Server {
				s.SignatureScheme = m.scheme.String()
			}
		}
	}
	s.ClientAuth = hs.shows(wire.Client)
	s.limit(hs, side)
}

func (s *Summary) hello(p *wire.ServerHello, hs *handshake) {
	if p.IsRetry() {
		s.HelloRetry = true
		return
	}
	s.Version, s.CipherSuite = helloVersion(p).String(), p.CipherSuite.String()
	_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { s.Group = wire.ReadKeyShare(r).Group.String() })
	if identity, is := hs.external(); is {
		s.PSKIdentity = identity
	} else if p.Extensions.Has(wire.ExtPreSharedKey) {
		s.Resumed = "psk"
	}
	s.alpn(p.Extensions)
	if hs.exchange != wire.KeyExchangeNone {
		s.KeyExchange = hs.exchange.String()
	}
	if hs.compressed() {
		s.Compression = p.CompressionMethod.String()
	}
}

func (s *Summary) alpn(x wire.Extensions) {
	_, _ = x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, name := range wire.ReadALPN(r, nil) {
			s.ALPN = string(name)
		}
	})
}

// summariseTimes finds when the first handshake was complete, how often the
// client had waited for the server until then, and who closed.
func (c *Connection) summariseTimes(first *handshake) {
	s := &c.Summary
	var last wire.Role
	for _, e := range c.Events {
		if m := e.Message; m != nil && !m.PostHandshake && e.hs == first {
			if m.from == wire.Server && last == wire.Client {
				s.RoundTrips++
			}
			last = m.from
			s.HandshakeUS = e.AtUS
		}
		if a := e.Alert; a != nil && a.Code == wire.AlertCloseNotify.String() {
			s.ClosedByClient = s.ClosedByClient || a.from == wire.Client
			s.ClosedByServer = s.ClosedByServer || a.from == wire.Server
		}
	}
}

// limit takes in how long records may be, where that was agreed on.
func (s *Summary) limit(hs *handshake, side wire.Role) {
	ours, theirs := hs.limits[side], hs.limits[side.Peer()]
	if least := min(ours.bytes, theirs.bytes); least > 0 && least < maxContent {
		s.SendLimit, s.ReceiveLimit, s.LimitedBy = ours.bytes, theirs.bytes, ours.by
	}
}

// limitWords says how long records may be, where that was agreed on.
func (c *Connection) limitWords() string {
	s := &c.Summary
	client, server := s.SendLimit, s.ReceiveLimit
	if c.Side == wire.Server.String() {
		client, server = server, client
	}
	switch {
	case client == 0:
		return ""
	case client == server:
		return fmt.Sprintf("records of at most %s (%s)", words.Size(client), s.LimitedBy)
	}
	return fmt.Sprintf("records of at most %s from the client, %s from the server (%s)", words.Size(client), words.Size(server), s.LimitedBy)
}
