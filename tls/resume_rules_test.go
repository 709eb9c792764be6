package tls

import (
	"io"
	"testing"
	"time"
)

// oneSession is a cache that offers its one session to every server.
type oneSession struct{ *ClientSessionState }

func (o *oneSession) Get(string) (*ClientSessionState, bool) {
	return o.ClientSessionState, o.ClientSessionState != nil
}
func (o *oneSession) Put(_ string, session *ClientSessionState) { o.ClientSessionState = session }

// resumes connects, has a byte of the server bring the tickets, and reports
// whether the connection continued a session.
func resumes(t *testing.T, client, server *Config) bool {
	t.Helper()
	c, s, clientErr, serverErr := connect(t, client, server)
	if clientErr != nil || serverErr != nil {
		t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
	}
	testDeadline(t, c, s)
	if _, err := s.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if c.ConnectionState().DidResume != s.ConnectionState().DidResume {
		t.Error("the two sides do not agree on whether they resumed")
	}
	return s.ConnectionState().DidResume
}

// A session is resumed only under the rules it was made under. Each case makes
// a session, changes the server, and connects again.
func TestWhatASessionIsBoundTo(t *testing.T) {
	const aes128, aes256, chacha = TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256
	late := func(c *Config) { c.Time = func() time.Time { return time.Now().Add(25 * time.Hour) } }
	for _, test := range []struct {
		name   string
		only   uint16 // the one version that it is about; 0 for both
		server func(*Config)
		want   bool
	}{
		{name: "nothing has changed", want: true},
		{name: "the session is more than a day old", server: late},
		{name: "the server asks for client certificates now", server: func(c *Config) { c.ClientAuth = RequestClientCert }},
		{name: "the server has another protocol", want: true, server: func(c *Config) { c.NextProtos = []string{"b"} }},
		{name: "the server takes shorter records", want: true, server: func(c *Config) { c.Record.SizeLimit = 500 }},
		{name: "the server has other ticket keys", server: func(c *Config) { c.SetSessionTicketKeys([][32]byte{{2}}) }},
		{name: "the server takes no tickets", server: func(c *Config) { c.SessionTicketsDisabled = true }},

		// TLS 1.3 picks the suite anew; only its hash must be the session's.
		{name: "the suite is another one of the same hash", only: VersionTLS13, want: true,
			server: func(c *Config) { c.CipherSuites = []uint16{chacha} }},
		{name: "the suite is one of another hash", only: VersionTLS13,
			server: func(c *Config) { c.CipherSuites = []uint16{aes256} }},
		{name: "another suite does not make an old session new", only: VersionTLS13,
			server: func(c *Config) { c.CipherSuites = []uint16{chacha}; late(c) }},
	} {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			if test.only != 0 && test.only != version {
				continue
			}
			t.Run(VersionName(version)+"/"+test.name, func(t *testing.T) {
				p := testPKI()
				client, server := p.client(), p.server("ecdsa-p256")
				client.MinVersion, client.MaxVersion = version, version
				client.ClientSessionCache = new(oneSession)
				client.NextProtos, server.NextProtos = []string{"a", "b"}, []string{"a"}
				server.CipherSuites = []uint16{aes128}
				server.SetSessionTicketKeys([][32]byte{{1}})
				if resumes(t, client, server) {
					t.Fatal("the first connection resumed")
				}
				server = server.Clone()
				server.SetSessionTicketKeys([][32]byte{{1}})
				if test.server != nil {
					test.server(server)
				}
				if got := resumes(t, client, server); got != test.want {
					t.Errorf("resumed: %v", got)
				}
			})
		}
	}
}

// A clone may have other rules for whom it accepts, so it opens no tickets of
// the original, given keys or made ones.
func TestCloneSharesNoTicketKeys(t *testing.T) {
	p := testPKI()
	for _, given := range []bool{false, true} {
		client, server := p.client(), p.server("ecdsa-p256")
		client.ClientSessionCache = new(oneSession)
		if given {
			server.SetSessionTicketKeys([][32]byte{{1}})
		}
		resumes(t, client, server)
		if !resumes(t, client, server) {
			t.Error("the original does not open its own tickets")
		}
		if resumes(t, client, server.Clone()) {
			t.Error("the clone opened the original's ticket")
		}
	}
}
