package engine

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// hostsEarly are those of a connection with early data, once change has been made to them.
func hostsEarly(change func(c, s *host)) func(testing.TB) (client, server *host) {
	return then(resumed(only(wire.TLS13, tickets, withEarly)), change)
}

func encrypted(f func(*wire.EncryptedExtensions)) edit { return change(f) }

// acceptsEarly is a server that says that it takes early data, though it does not.
var acceptsEarly = encrypted(func(m *wire.EncryptedExtensions) { set(&m.Extensions, wire.ExtEarlyData) })

// ofEarly are the offences with early data. RFC 8446 §4.2.10.
var ofEarly = []offence{
	{"takes early data of the application protocol", wire.AlertIllegalParameter, hostsEarly(func(c, s *host) {
		c.config.ALPN = []string{"test"}
		s.config.ALPN = []string{"test"}
	}), wire.Server, acceptsEarly},
	{"takes early data without the PSK", wire.AlertIllegalParameter, hostsEarly(func(_, s *host) { s.tickets.Set([][32]byte{{2}}) }), wire.Server, acceptsEarly},
	{"and picked another cipher suite than it is protected with", wire.AlertIllegalParameter, hostsEarly(func(_, s *host) {
		s.config.Suites = []*suite.Suite{suite.ByID(wire.TLS_CHACHA20_POLY1305_SHA256)}
	}), wire.Server, acceptsEarly},
	{"the server answers early data, which is of TLS 1.3, with TLS 1.2", wire.AlertProtocolVersion, hostsEarly(func(c, s *host) {
		c.config.Versions = []wire.Version{wire.TLS13, wire.TLS12}
		s.config.Versions = []wire.Version{wire.TLS12}
	}), wire.Server, nil},
	{"the client sent more early data than its ticket allows", wire.AlertUnexpectedMessage, hostsEarly(func(_, s *host) {
		s.config.Host = smallTickets{s}
	}), wire.Client, nil},
	{"the record does not open", wire.AlertBadRecordMAC, hostsEarly(func(c, s *host) {}), wire.Client,
		on(wire.TypeEndOfEarlyData, func([]byte) [][]byte { return nil })},
	{"KeyUpdate where EndOfEarlyData is due", wire.AlertUnexpectedMessage, hostsEarly(func(c, s *host) {}), wire.Client,
		instead(wire.TypeEndOfEarlyData, byte(wire.TypeKeyUpdate), 0, 0, 1, 0)},
	{"does not parse", wire.AlertDecodeError, hostsEarly(func(c, s *host) {}), wire.Client,
		instead(wire.TypeEndOfEarlyData, byte(wire.TypeEndOfEarlyData), 0, 0, 1, 0)},
}

// smallTickets finds in each ticket that it allows three bytes of early data.
type smallTickets struct{ *host }

func (h smallTickets) OpenTicket(s *handshake.State, ticket []byte) *session.Session {
	c := h.host.OpenTicket(s, ticket)
	c.MaxEarlyData = 3
	return c
}

// takeEarly reads the early data that is there.
func (s *side) takeEarly() {
	buf := make([]byte, 3)
	for {
		n, err := s.ReadEarly(buf)
		s.early = append(s.early, buf[:n]...)
		s.poison()
		if err != nil {
			return
		}
	}
}
