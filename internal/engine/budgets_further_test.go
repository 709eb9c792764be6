package engine

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// Peers that keep us busy with handshakes after the first.

// receive gives bytes to the In half alone: nobody flushes what it asks for.
func (s *side) receive(b []byte) (err error) {
	for err = ErrWantInput; err == ErrWantInput && len(b) > 0; {
		n := copy(s.Lend(min(len(b), 1000)), b)
		s.Filled(n)
		b = b[n:]
		for err = nil; err == nil; {
			n, err = s.Read(make([]byte, 500))
			s.received = append(s.received, make([]byte, n)...)
		}
	}
	return err
}

// wish is how a peer that wants a handshake says so.
func wish(from *side) (typ wire.HandshakeType, raw []byte) {
	if from.Role() == wire.Server {
		return wire.TypeHelloRequest, []byte{0, 0, 0, 0}
	}
	return wire.TypeClientHello, wire.AppendMessage(nil, &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32),
		CipherSuites: []wire.CipherSuite{1}, CompressionMethods: []wire.CompressionMethod{0}}, wire.Context{})
}

// Wishes that are refused are answered with one warning while that waits, and end
// the connection where there are too many without data.
func TestFloodsOfRefusedHandshakes(t *testing.T) {
	for _, role := range []wire.Role{wire.Client, wire.Server} {
		for _, between := range []string{"", "data"} {
			l := connect(hosts12(t)).run().done(t)
			from, to := l.of(role), l.of(role.Peer())
			typ, raw := wish(from)
			var err error
			n := 0
			for ; n < 1000 && (err == nil || err == ErrWantInput); n++ {
				from.inject(t, wire.ContentHandshake, raw...)
				if between != "" {
					from.inject(t, wire.ContentApplicationData, []byte(between)...)
				}
				err = to.receive(from.take())
			}
			switch to.flush(); {
			case between != "" && (n != 1000 || err != ErrWantInput || len(to.sent) != 1 || len(to.received) != 1000*len(between)):
				t.Errorf("%d of %v with data: %v, sent %v", n, typ, err, to.sent)
			case between == "":
				if to.err = err; n != maxHalted+1 || len(to.sent) != 2 {
					t.Errorf("%d of %v: %v, sent %v", n, typ, err, to.sent)
				}
				to.wants(t, wire.AlertUnexpectedMessage)
			}
		}
	}
}

// A peer that begins handshakes and does not read what we answer makes no queue
// grow.
func TestFloodsOfHandshakes(t *testing.T) {
	for _, between := range []string{"", "data"} {
		l := connect(authenticated(hosts13)(t)).run().done(t)
		var err error
		n := 0
		for ; n < 1000 && (err == nil || err == ErrWantInput); n++ {
			if err := l.client.host.then(l); err != nil {
				t.Fatal(err)
			}
			l.server.Flush()
			l.server.Abandon()
			l.server.further = nil
			l.server.inject(t, wire.ContentApplicationData, []byte(between)...)
			err = l.client.receive(l.server.take())
		}
		l.client.err = err
		if l.client.flush(); n > maxItems || n < 5 {
			t.Errorf("%d handshakes of late authentication", n)
		}
		l.client.wants(t, wire.AlertUnexpectedMessage)

		l = connect(byServer(t)).run().done(t)
		err, n = nil, 0
		for ; n < 1000 && (err == nil || err == ErrWantInput); n++ {
			l.server.inject(t, wire.ContentHandshake, 0, 0, 0, 0)
			l.server.inject(t, wire.ContentAlert, 1, byte(wire.AlertNoRenegotiation))
			l.server.inject(t, wire.ContentApplicationData, []byte("data")...)
			err = l.client.receive(l.server.take())
		}
		l.client.err = err
		if l.client.flush(); n > maxItems+1 || n < 5 {
			t.Errorf("%d ClientHellos were made", n)
		}
		l.client.wants(t, wire.AlertUnexpectedMessage)
	}
}

// The budgets hold inside a renegotiation as they do outside.
func TestBudgetsInAFurtherHandshake(t *testing.T) {
	for name, test := range map[string]struct {
		typ     wire.ContentType
		content []byte
		most    int
	}{
		"warnings":      {wire.ContentAlert, []byte{1, 90}, maxWarnings},
		"refusals":      {wire.ContentAlert, []byte{1, byte(wire.AlertNoRenegotiation)}, maxWarnings},
		"empty records": {wire.ContentApplicationData, nil, maxHalted},
		"HelloRequests": {wire.ContentHandshake, []byte{0, 0, 0, 0}, maxHalted},
	} {
		for _, n := range []int{test.most, test.most + 1} {
			t.Logf("%d %s", n, name)
			l := connect(byClient(t)).run().done(t)
			if err := l.client.host.then(l); err != nil {
				t.Fatal(err)
			}
			l.client.step()
			l.server.feed(l.client.take(), nil)
			for range n { // behind the server's flight
				l.server.inject(t, test.typ, test.content...)
			}
			l.client.expected, l.server.expected = 1, 1
			if l.run(); n == test.most {
				l.done(t).talk(t)
				continue
			}
			l.client.wants(t, wire.AlertUnexpectedMessage)
		}
	}
}
