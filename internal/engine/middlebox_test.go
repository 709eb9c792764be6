package engine

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// types are the content types of records, in order.
func types(records [][]byte) (out []wire.ContentType) {
	for _, r := range records {
		out = append(out, wire.ContentType(r[0]))
	}
	return out
}

// What is between the sides expects a change_cipher_spec in front of the first
// record that is protected, be it an alert: each side sends one, and no second.
// RFC 8446 §D.4.
func TestOneChangeCipherSpecGoesFirst(t *testing.T) {
	const ccs, hs, protected = wire.ContentChangeCipherSpec, wire.ContentHandshake, wire.ContentApplicationData
	spoil := flip(wire.TypeCertificateVerify, -1)
	for name, test := range map[string]struct {
		hosts          func(testing.TB) (c, s *host)
		edits          []edit
		client, server []wire.ContentType
	}{
		"complete":                {hosts13, nil, []wire.ContentType{hs, ccs, protected}, []wire.ContentType{hs, ccs, protected, protected}},
		"after a retry":           {hostsRetry, nil, []wire.ContentType{hs, ccs, hs, protected}, []wire.ContentType{hs, ccs, hs, protected, protected}},
		"an alert":                {hosts13, []edit{spoil}, []wire.ContentType{hs, ccs, protected}, []wire.ContentType{hs, ccs, protected}},
		"an alert after a retry":  {hostsRetry, []edit{spoil}, []wire.ContentType{hs, ccs, hs, protected}, []wire.ContentType{hs, ccs, hs, protected}},
		"an alert in clear":       {hosts13, []edit{says(wire.ExtServerName)}, []wire.ContentType{hs, wire.ContentAlert}, []wire.ContentType{hs, ccs, protected}},
		"an older version":        {then(hosts12, clientOnly12), nil, []wire.ContentType{hs, hs, ccs, hs}, nil},
		"an alert before any key": {then(hosts12, clientOnly12), []edit{spoilServerKey}, []wire.ContentType{hs, wire.ContentAlert}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c, s := test.hosts(t)
			l := connect(c, s, test.edits...)
			sent := map[wire.Role][][]byte{}
			l.tamper = func(from wire.Role, rec []byte) [][]byte {
				sent[from] = append(sent[from], slices.Clone(rec))
				return [][]byte{rec}
			}
			l.run()
			if got := types(sent[wire.Client]); !slices.Equal(got, test.client) {
				t.Errorf("the client sends %v, want %v", got, test.client)
			}
			got := types(sent[wire.Server])
			if n := min(len(got), len(test.server)); !slices.Equal(got[:n], test.server[:n]) || n < 3 && test.server != nil {
				t.Errorf("the server sends %v, want %v", got, test.server)
			}
		})
	}
}

var spoilServerKey = flip(wire.TypeServerKeyExchange, -1)

// A client that does not ask for it by a legacy_session_id gets it all the same, and
// sends none itself.
func TestChangeCipherSpecForWhoDoesNotAsk(t *testing.T) {
	c, s := hosts13(t)
	l := &link{client: newSide(wire.Client, c, clientHello(func(m *wire.ClientHello) { m.SessionID = nil })), server: newSide(wire.Server, s)}
	var server []wire.ContentType
	l.tamper = func(from wire.Role, rec []byte) [][]byte {
		if from == wire.Server {
			server = append(server, wire.ContentType(rec[0]))
		}
		return [][]byte{rec}
	}
	l.run()
	if len(server) < 2 || server[1] != wire.ContentChangeCipherSpec {
		t.Errorf("the server sends %v", server)
	}
}

// A ticket is of no use to a client that does not resume with (EC)DHE. RFC 8446 §4.2.9.
func TestNoTicketForWhoCannotUseIt(t *testing.T) {
	for name, test := range map[string]struct {
		modes   []byte // nil: nothing is said
		tickets int
	}{
		"psk_dhe_ke": {[]byte{1, 1}, 1}, "psk_ke alone": {[]byte{1, 0}, 0}, "both": {[]byte{2, 0, 1}, 1}, "nothing": {nil, 0},
	} {
		h := newServerHost()
		h.config.Tickets = true
		s := newSide(wire.Server, h)
		sent := 0
		s.hooks.Message = func(m trace.Message) {
			if wire.HandshakeType(m.Raw[0]) == wire.TypeNewSessionTicket {
				sent++
			}
		}
		c := newHandmade(t, s, wire.GroupP256)
		if without(&c.hello.Extensions, wire.ExtPSKKeyExchangeModes); test.modes != nil {
			set(&c.hello.Extensions, wire.ExtPSKKeyExchangeModes, test.modes...)
		}
		c.send(&c.hello)
		c.finish(c.serverHello())
		if !s.Done() || sent != test.tickets {
			t.Errorf("%s: done %v, %d tickets, want %d (%v)", name, s.Done(), sent, test.tickets, s.err)
		}
	}
}
