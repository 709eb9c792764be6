package tls

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// retrying are configs whose first key share does not fit: the client sends one
// for X25519, the server wants another group.
func retrying() (client, server *Config) {
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS13, client, server)
	client.CurvePreferences = []CurveID{X25519, CurveP384, CurveP521}
	server.CurvePreferences = []CurveID{CurveP521, CurveP384}
	return client, server
}

func TestHelloRetry(t *testing.T) {
	for _, cookie := range []bool{false, true} {
		for _, grease := range []bool{false, true} {
			client, server := retrying()
			server.HelloRetryCookie, client.GREASE = cookie, grease
			var hellos []*wire.ClientHello
			client.Trace = traceMessages(func(m wire.Message) {
				if h, ok := m.(*wire.ClientHello); ok {
					hellos = append(hellos, h)
				}
			})
			c, s := mustConnect(t, client, server)
			for _, conn := range []*Conn{c, s} {
				if state := conn.State(); !state.HelloRetry || !conn.ConnectionState().HelloRetryRequest || state.Group != wire.GroupP521 {
					t.Errorf("cookie %v: %+v", cookie, state)
				}
			}
			if len(hellos) != 2 || hellos[0].Extensions.Has(wire.ExtCookie) || hellos[1].Extensions.Has(wire.ExtCookie) != cookie {
				t.Errorf("cookie %v: %d hellos", cookie, len(hellos))
			}
			exchange(t, c, s)
		}
	}
}

// The server sees before it picks a certificate whether it is going to retry,
// and asks for one only once.
func TestCallbacksInHelloRetry(t *testing.T) {
	client, server := retrying()
	certs, configs := 0, 0
	certificate := server.Certificates[0]
	server.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { certs++; return &certificate, nil }
	server.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { configs++; return nil, nil }
	mustConnect(t, client, server)
	if certs != 1 || configs != 1 {
		t.Errorf("GetCertificate was asked %d times, GetConfigForClient %d times", certs, configs)
	}
}

// A session is resumed through a retry too, with the binder made anew.
func TestResumptionInHelloRetry(t *testing.T) {
	for _, cookie := range []bool{false, true} {
		client, server := retrying()
		server.HelloRetryCookie = cookie
		client.ClientSessionCache = NewLRUClientSessionCache(0)
		for i, want := range []string{"none", "psk", "psk"} {
			c, s := mustConnect(t, client, server)
			bringTickets(t, c, s)
			if got := s.State(); got.Resumption != want || !got.HelloRetry {
				t.Errorf("connection %d: %+v", i+1, got)
			}
		}
	}
}

// The server's suite may have another hash than the client's session: then the
// second hello is without it.
func TestHelloRetryDropsASessionOfAnotherHash(t *testing.T) {
	client, server := retrying()
	client.ClientSessionCache = NewLRUClientSessionCache(0)
	server.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256}
	resumption(t, client, server)
	server.CipherSuites = []uint16{TLS_AES_256_GCM_SHA384}
	c, _ := mustConnect(t, client, server)
	if got := c.State(); got.Resumption != "none" || !got.HelloRetry {
		t.Errorf("%+v", got)
	}
}

func TestHelloRetryIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		set  func(client, server *Config)
		edit func(*wire.ServerHello) []wire.Message
		want wire.AlertCode
	}{
		"a second one": {edit: func(m *wire.ServerHello) []wire.Message { return []wire.Message{m, m} }, want: wire.AlertUnexpectedMessage},
		"for a group that has a share": {want: wire.AlertIllegalParameter, edit: func(m *wire.ServerHello) []wire.Message {
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x1d")
			return []wire.Message{m}
		}},
		"for a group that we do not speak": {want: wire.AlertIllegalParameter, edit: func(m *wire.ServerHello) []wire.Message {
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x1e")
			return []wire.Message{m}
		}},
		"for nothing": {want: wire.AlertIllegalParameter, edit: func(m *wire.ServerHello) []wire.Message {
			dropExtension(&m.Extensions, wire.ExtKeyShare)
			return []wire.Message{m}
		}},
		"with an unknown suite": {want: wire.AlertIllegalParameter, edit: func(m *wire.ServerHello) []wire.Message {
			m.CipherSuite = 0x1304
			return []wire.Message{m}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := retrying()
			sent, err := tamper(t, client, server, func(m wire.Message) []wire.Message {
				hello, ok := m.(*wire.ServerHello)
				if !ok || !hello.IsRetry() {
					return []wire.Message{m}
				}
				return test.edit(hello)
			})
			expectAlert(t, sent, err, test.want)
			var fault *HandshakeError
			if !errors.As(err, &fault) {
				t.Errorf("%T", err)
			}
		})
	}
}
