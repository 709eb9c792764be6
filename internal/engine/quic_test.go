package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// quicSide is one end of a connection over QUIC, with a carrier that passes messages to the
// other end.
type quicSide struct {
	*host
	*QUIC
	peer       *quicSide
	hooks      trace.Hooks
	parameters []byte
	got        []byte // the peer's parameters
	edit       func(msg []byte) [][]byte
	at         func(Level) Level   // where what it sends is said to be from
	sees       func(Level, []byte) // is told of what it sends; nil for nobody
	errs       []error
	alerts     []wire.Alert
	secrets    []string
	done       bool
	queue      []quicData
}

type quicData struct {
	level Level
	data  []byte
}

func (s *quicSide) Parameters() ([]byte, bool) { return s.parameters, s.parameters != nil }
func (s *quicSide) TakeParameters(peer []byte) { s.got = bytes.Clone(peer) }
func (s *quicSide) Resumes(*session.Session)   {}
func (s *quicSide) DeclinesEarly() bool        { return false }
func (s *quicSide) RefusedEarly()              {}
func (s *quicSide) Waits() bool                { return false }
func (s *quicSide) Done()                      { s.done = true }
func (s *quicSide) Write(at Level, msg []byte) {
	out := [][]byte{bytes.Clone(msg)}
	if s.edit != nil {
		out = s.edit(out[0])
	}
	if s.at != nil {
		at = s.at(at)
	}
	if s.sees != nil {
		s.sees(at, msg)
	}
	for _, m := range out {
		s.queue = append(s.queue, quicData{at, m})
	}
}

func (s *quicSide) Secret(dir trace.Direction, at Level, _ wire.CipherSuite, secret []byte) {
	s.secrets = append(s.secrets, at.String()+" "+string(secret))
}

// connectQUIC makes both sides; adjust changes them before they begin.
func connectQUIC(adjust func(c, s *quicSide)) (client, server *quicSide) {
	client, server = &quicSide{host: newClientHost()}, &quicSide{host: newServerHost()}
	client.peer, server.peer = server, client
	for role, s := range map[wire.Role]*quicSide{wire.Client: client, wire.Server: server} {
		s.parameters = []byte(role.String())
		s.config.Versions, s.config.QUIC, s.config.ALPN = []wire.Version{wire.TLS13}, s, []string{"h3"}
		s.hooks.Alert = func(a trace.Alert) { s.alerts = append(s.alerts, wire.Alert{Level: a.Level, Code: a.Code}) }
	}
	if adjust != nil {
		adjust(client, server)
	}
	for role, s := range map[wire.Role]*quicSide{wire.Client: client, wire.Server: server} {
		s.QUIC = NewQUIC(role, &s.config, &s.hooks, s, true)
	}
	return client, server
}

// runQUIC runs both sides until nothing is under way.
func runQUIC(client, server *quicSide) {
	for _, s := range []*quicSide{client, server} {
		if err := s.Run(context.Background()); err != nil {
			s.errs = append(s.errs, err)
		}
	}
	for a, b := client, server; len(a.queue)+len(b.queue) > 0; a, b = b, a {
		for len(a.queue) > 0 {
			next := a.queue[0]
			a.queue = a.queue[1:]
			if err := b.Receive(context.Background(), next.level, next.data); err != nil {
				b.errs = append(b.errs, err)
			}
		}
	}
}

// rogueQUIC edits the messages of one type, before they are seen by the other side.
func rogueQUIC[M wire.Message](t wire.HandshakeType, f func(M)) func([]byte) [][]byte {
	return func(raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) != t {
			return [][]byte{raw}
		}
		c := wire.Context{Version: wire.TLS13}
		m, err := wire.DecodeMessage(raw, c, nil)
		if err != nil {
			panic(err)
		}
		f(m.(M))
		return [][]byte{wire.AppendMessage(nil, m, c)}
	}
}

// also sends more after a message.
func also(t wire.HandshakeType, more ...byte) func([]byte) [][]byte {
	return func(raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) == t {
			raw = append(raw, more...)
		}
		return [][]byte{raw}
	}
}

// TestQUICRules breaks one rule of the handshake over QUIC at a time.
func TestQUICRules(t *testing.T) {
	same := func(at Level) Level { return at }
	hello := func(f func(*wire.ClientHello)) func(c, s *quicSide) {
		return func(c, _ *quicSide) { c.edit = rogueQUIC(wire.TypeClientHello, f) }
	}
	encrypted := func(f func(*wire.EncryptedExtensions)) func(c, s *quicSide) {
		return func(_, s *quicSide) { s.edit = rogueQUIC(wire.TypeEncryptedExtensions, f) }
	}
	for name, c := range map[string]struct {
		by     wire.Role // who breaks it; the other one notices
		breaks func(c, s *quicSide)
		alert  wire.AlertCode
		rule   string
	}{
		"no parameters of the client": {wire.Client, hello(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtQUICParameters) }),
			wire.AlertMissingExtension, "the client sent no quic_transport_parameters"},
		"no parameters of the server": {wire.Server, encrypted(func(m *wire.EncryptedExtensions) { without(&m.Extensions, wire.ExtQUICParameters) }),
			wire.AlertMissingExtension, "the server sent no quic_transport_parameters"},
		"a session ID": {wire.Client, hello(func(m *wire.ClientHello) { m.SessionID = make([]byte, 32) }),
			wire.AlertIllegalParameter, "the client has a legacy_session_id"},
		"no protocol of the client": {wire.Client, hello(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtALPN) }),
			wire.AlertNoApplicationProtocol, "no application protocol in common"},
		"no protocol of the server": {wire.Server, encrypted(func(m *wire.EncryptedExtensions) { without(&m.Extensions, wire.ExtALPN) }),
			wire.AlertNoApplicationProtocol, "no application protocol in common"},
		"a record size limit": {wire.Server, encrypted(func(m *wire.EncryptedExtensions) { set(&m.Extensions, wire.ExtRecordSizeLimit, 0x40, 1) }),
			wire.AlertUnsupportedExtension, "record_size_limit"},
		"more behind a ClientHello": {wire.Client, func(c, _ *quicSide) { c.edit = also(wire.TypeClientHello, 8, 0) },
			wire.AlertUnexpectedMessage, "more than its flight"},
		"more behind a ServerHello": {wire.Server, func(_, s *quicSide) { s.edit = also(wire.TypeServerHello, 8, 0) },
			wire.AlertUnexpectedMessage, "a handshake message runs across a change of keys"},
		"more behind a server's Finished": {wire.Server, func(_, s *quicSide) { s.edit = also(wire.TypeFinished, 4, 0) },
			wire.AlertUnexpectedMessage, "a handshake message runs across a change of keys"},
		"more behind a client's Finished": {wire.Client, func(c, _ *quicSide) { c.edit = also(wire.TypeFinished, 4, 0) },
			wire.AlertUnexpectedMessage, "a handshake message runs across a change of keys"},
		"EndOfEarlyData": {wire.Client, func(c, _ *quicSide) {
			c.edit = func(raw []byte) [][]byte {
				if wire.HandshakeType(raw[0]) == wire.TypeFinished {
					return [][]byte{{5, 0, 0, 0}, raw}
				}
				return [][]byte{raw}
			}
		}, wire.AlertUnexpectedMessage, "where Finished is due"},
		"a ClientHello at the level of the handshake": {wire.Client, func(c, _ *quicSide) { c.at = func(Level) Level { return levelHandshake } },
			wire.AlertUnexpectedMessage, "at the level Handshake, where Initial is due"},
		"early data": {wire.Client, func(c, _ *quicSide) { c.at = func(Level) Level { return levelInitial + 1 } },
			wire.AlertUnexpectedMessage, "at the level Early, where Initial is due"},
		"a server's flight in the clear": {wire.Server, func(_, s *quicSide) { s.at = func(Level) Level { return levelInitial } },
			wire.AlertUnexpectedMessage, "at the level Initial, where Handshake is due"},
		"a Finished at the level of data": {wire.Client, func(c, _ *quicSide) { c.at = func(at Level) Level { return 2 * at } },
			wire.AlertUnexpectedMessage, "where Handshake is due"},
		"a message without end": {wire.Client, func(c, _ *quicSide) {
			c.edit = func([]byte) [][]byte { return [][]byte{{1, 0xff, 0xff, 0xff}} }
		}, wire.AlertIllegalParameter, "the peer announces a ClientHello of"},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := connectQUIC(func(cl, s *quicSide) {
				cl.at, s.at = same, same
				c.breaks(cl, s)
			})
			runQUIC(client, server)
			judge := server
			if c.by == wire.Server {
				judge = client
			}
			if len(judge.errs) == 0 || !strings.Contains(judge.errs[0].Error(), c.rule) {
				t.Fatalf("errors are %v, wanted %q", judge.errs, c.rule)
			}
			fault, _ := errors.AsType[*handshake.Error](judge.errs[0])
			if fault == nil || fault.Alert != c.alert || len(judge.alerts) != 1 || judge.alerts[0].Code != c.alert {
				t.Errorf("alerts are %v, the error is %#v; wanted %v", judge.alerts, fault, c.alert)
			}
			if judge.done || judge.QUIC.Done() || judge.hs != nil {
				t.Error("the handshake goes on")
			}
			if err := judge.Receive(context.Background(), levelInitial, nil); err != judge.errs[0] {
				t.Errorf("the error is not final: %v", err)
			}
		})
	}
}

// TestQUICAfterTheHandshake sends what may come after the handshake, and what may not.
func TestQUICAfterTheHandshake(t *testing.T) {
	ticket := wire.AppendMessage(nil, &wire.NewSessionTicket{Lifetime: 60, Nonce: []byte{1}, Ticket: []byte{2}}, wire.Context{Version: wire.TLS13, From: wire.Server})
	early := func(most uint32) []byte {
		return wire.AppendMessage(nil, &wire.NewSessionTicket{Lifetime: 60, Nonce: []byte{1}, Ticket: []byte{2},
			Extensions: wire.Extensions{{Type: wire.ExtEarlyData, Data: binary.BigEndian.AppendUint32(nil, most)}}}, wire.Context{Version: wire.TLS13, From: wire.Server})
	}
	request := wire.AppendMessage(nil, &wire.CertificateRequest{RequestContext: []byte{1}, Extensions: wire.Extensions{{Type: wire.ExtSignatureAlgorithms, Data: []byte{0, 2, 4, 3}}}},
		wire.Context{Version: wire.TLS13, From: wire.Server})
	for name, c := range map[string]struct {
		to   wire.Role
		at   Level
		data []byte
		want string // empty for what is taken
	}{
		"a ticket":                         {wire.Client, levelApplication, ticket, ""},
		"two tickets and a half":           {wire.Client, levelApplication, append(append(bytes.Clone(ticket), ticket...), ticket[:9]...), ""},
		"a ticket for all early data":      {wire.Client, levelApplication, early(0xffffffff), ""},
		"a ticket for some early data":     {wire.Client, levelApplication, early(16384), "the ticket limits early data to 16384 bytes"},
		"a ticket to a server":             {wire.Server, levelApplication, ticket, "after the handshake"},
		"a ticket at another level":        {wire.Client, levelHandshake, ticket, "at the level Handshake, where Application is due"},
		"a KeyUpdate to a client":          {wire.Client, levelApplication, []byte{24, 0, 0, 1, 0}, "the peer sent KeyUpdate after the handshake"},
		"a KeyUpdate to a server":          {wire.Server, levelApplication, []byte{24, 0, 0, 1, 1}, "the peer sent KeyUpdate after the handshake"},
		"the first byte of a KeyUpdate":    {wire.Server, levelApplication, []byte{24}, "the peer sent KeyUpdate after the handshake"},
		"a CertificateRequest":             {wire.Client, levelApplication, request, "the peer sent CertificateRequest after the handshake"},
		"a Finished":                       {wire.Server, levelApplication, []byte{20, 0, 0, 0}, "the peer sent Finished after the handshake"},
		"a ticket that announces too much": {wire.Client, levelApplication, []byte{4, 0xff, 0, 0}, "the peer announces a NewSessionTicket of"},
		"no message":                       {wire.Client, levelApplication, []byte{0xfe}, "after the handshake"},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := connectQUIC(func(c, s *quicSide) { c.config.PostHandshakeAuth = false })
			runQUIC(client, server)
			if !client.done || !server.done {
				t.Fatal(client.errs, server.errs)
			}
			to := client
			if c.to == wire.Server {
				to = server
			}
			err := to.Receive(context.Background(), c.at, c.data)
			switch {
			case c.want == "" && (err != nil || to.saved == nil):
				t.Errorf("error %v, session %v", err, to.saved)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, wanted %q", err, c.want)
			}
		})
	}
}

// TestQUICBuffersLittle floods a side that waits for its application.
func TestQUICBuffersLittle(t *testing.T) {
	client, server := connectQUIC(func(c, _ *quicSide) { c.parameters = nil })
	runQUIC(client, server)
	if len(client.errs) > 0 || client.done {
		t.Fatal(client.errs, client.done)
	}
	var err error
	sent := 0
	for ; err == nil && sent < 4<<20; sent += 1 << 10 {
		err = client.Receive(context.Background(), levelInitial, make([]byte, 1<<10))
	}
	if err == nil || !strings.Contains(err.Error(), "bytes of handshake data that nothing was waiting for") || sent > maxBuffered+1<<11 {
		t.Errorf("%d bytes were taken: %v", sent, err)
	}
	if client.hand != nil {
		t.Errorf("%d bytes are kept", len(client.hand))
	}
}

// TestQUICWaitsForParameters sees that neither side sends its parameters before they are set.
func TestQUICWaitsForParameters(t *testing.T) {
	client, server := connectQUIC(func(c, s *quicSide) { c.parameters, s.parameters = nil, nil })
	runQUIC(client, server)
	if client.queue != nil || server.got != nil {
		t.Fatal("the client has sent something")
	}
	client.parameters = []byte("late")
	runQUIC(client, server)
	if string(server.got) != "late" || server.done || client.got != nil || len(client.secrets) != 2 {
		t.Fatalf("the server got %q; done %v; the client got %q and %d secrets", server.got, server.done, client.got, len(client.secrets))
	}
	server.parameters = []byte{}
	runQUIC(client, server)
	if !client.done || !server.done || client.got == nil || len(client.got) != 0 {
		t.Fatal(client.errs, server.errs, client.got)
	}
}

// TestQUICSavesSoManyTickets floods a client with tickets, each of which its cache would be asked to
// keep.
func TestQUICSavesSoManyTickets(t *testing.T) {
	ticket := wire.AppendMessage(nil, &wire.NewSessionTicket{Lifetime: 60, Nonce: []byte{1}, Ticket: []byte{2}}, wire.Context{Version: wire.TLS13, From: wire.Server})
	client, server := connectQUIC(func(c, s *quicSide) {})
	runQUIC(client, server)
	if !client.done || !server.done {
		t.Fatal(client.errs, server.errs)
	}
	saved := 0
	for range 3 * maxPosts {
		client.saved = nil
		if err := client.Receive(context.Background(), levelApplication, ticket); err != nil {
			t.Fatal(err)
		}
		if client.saved != nil {
			saved++
		}
	}
	if saved != maxPosts {
		t.Errorf("%d tickets were saved", saved)
	}
	if err := client.Receive(context.Background(), levelApplication, []byte{4, 0, 0, 0}); err == nil {
		t.Error("what is dropped is not checked")
	}
}
