package explain

import "github.com/vitrine-tls/vitrine/wire"

// summarise reads what was agreed from the messages themselves.
func (c *Connection) summarise(t *transcript) {
	s := &c.Summary
	var ch *wire.ClientHello
	certificate := false
	for _, m := range t.msgs {
		switch p := m.parsed.(type) {
		case *wire.ClientHello:
			ch = p
			_, _ = p.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { s.ServerName = wire.ReadServerName(r) })
		case *wire.ServerHello:
			if p.IsRetry() {
				s.HelloRetry = true
				continue
			}
			s.Version, s.CipherSuite = helloVersion(p).String(), p.CipherSuite.String()
			_, _ = p.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { s.Group = wire.ReadKeyShare(r).Group.String() })
			if p.Extensions.Has(wire.ExtPreSharedKey) {
				s.Resumed = "psk"
			}
			s.alpn(p.Extensions)
		case *wire.EncryptedExtensions:
			s.alpn(p.Extensions)
		case *wire.Certificate:
			certificate = certificate || m.from == wire.Server
			s.ClientAuth = s.ClientAuth || m.from == wire.Client && len(p.Entries) > 0
		case *wire.ServerKeyExchange:
			if p.Signature != nil {
				s.Group, s.SignatureScheme = p.Group.String(), p.Scheme.String()
			}
		case *wire.CertificateVerify:
			if m.from == wire.Server {
				s.SignatureScheme = p.Scheme.String()
			}
		}
	}
	s.Complete = t.find(wire.TypeFinished, wire.Client) >= 0 && t.find(wire.TypeFinished, wire.Server) >= 0
	if c.version() < wire.TLS13 && ch != nil && !certificate && s.Complete {
		s.Resumed = "id"
		if ticket, _ := ch.Extensions.Find(wire.ExtSessionTicket); len(ticket) > 0 {
			s.Resumed = "ticket"
		}
	}
}

func (s *Summary) alpn(x wire.Extensions) {
	_, _ = x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, name := range wire.ReadALPN(r, nil) {
			s.ALPN = string(name)
		}
	})
}

// summariseTimes finds when the handshake was complete, how often the client
// had waited for the server until then, and who closed.
func (c *Connection) summariseTimes() {
	s := &c.Summary
	var last wire.Role
	for _, e := range c.Events {
		if m := e.Message; m != nil && !m.PostHandshake {
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
