package tls

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// TestQUIC connects each kind of client with each kind of server, and sees what events both
// sides have, in their order.
func TestQUIC(t *testing.T) {
	const client = "data Initial, write Handshake, read Handshake, parameters, data Handshake, write Application, done, read Application"
	const server = "parameters, data Initial, write Handshake, read Handshake, data Handshake, write Application, done, read Application"
	for name, std := range map[string]struct{ client, server bool }{
		"ours with ours": {}, "our client": {server: true}, "our server": {client: true},
	} {
		t.Run(name, func(t *testing.T) {
			clientConfig, serverConfig := quicConfigs()
			c, s := quicOf(t, clientConfig, std.client, false), quicOf(t, serverConfig, std.server, true)
			if err := runQUIC(c, s); err != nil {
				t.Fatal(err)
			}
			checkQUIC(t, c, s)
			if got := strings.Join(c.log, ", "); got != client {
				t.Errorf("the client's events are\n%s\nwanted\n%s", got, client)
			}
			if got := strings.Join(s.log, ", "); got != server {
				t.Errorf("the server's events are\n%s\nwanted\n%s", got, server)
			}
		})
	}
}

// quicOf makes a side of ours, or of crypto/tls's.
func quicOf(t testing.TB, c *Config, std, server bool) *quicPlayer {
	if std {
		return theirsQUIC(t, c, server)
	}
	return oursQUIC(t, &QUICConfig{TLSConfig: c}, server)
}

// TestQUICWays connects by each way that a handshake of TLS 1.3 may take, with data in pieces
// of one byte and of a few.
func TestQUICWays(t *testing.T) {
	for name, adjust := range map[string]func(c, s *Config){
		"full": func(c, s *Config) {},
		"HelloRetryRequest": func(c, s *Config) {
			c.CurvePreferences, c.KeyShares = []CurveID{X25519, CurveP256}, []CurveID{X25519}
			s.CurvePreferences, s.HelloRetryCookie = []CurveID{CurveP256}, true
		},
		"client certificate": func(c, s *Config) {
			c.Certificates = []Certificate{testPKI().certs["ecdsa-p256"]}
			s.ClientAuth, s.ClientCAs = RequireAndVerifyClientCert, testPKI().roots
		},
		"GREASE":         func(c, s *Config) { c.GREASE, s.GREASE = true, true },
		"MinVersion 0":   func(c, s *Config) { c.MinVersion, s.MinVersion = 0, 0 },
		"MinVersion 1.0": func(c, s *Config) { c.MinVersion, s.MinVersion = VersionTLS10, VersionTLS10 },
		"another Config": func(c, s *Config) {
			next := s.Clone()
			s.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return next, nil }
			s.Certificates, s.NextProtos = nil, nil
		},
		"limits ignored": func(c, s *Config) {
			c.Record.SizeLimit, c.Record.MaxFragmentLength, c.PostHandshakeAuth, s.Record.SizeLimit = 100, 512, true, 200
		},
		"AES-256":         func(c, s *Config) { c.CipherSuites = []uint16{TLS_AES_256_GCM_SHA384} },
		"ChaCha20":        func(c, s *Config) { s.CipherSuites = []uint16{TLS_CHACHA20_POLY1305_SHA256} },
		"without tickets": func(c, s *Config) { s.SessionTicketsDisabled = true },
	} {
		for _, size := range []int{1, 7} {
			clientConfig, serverConfig := quicConfigs()
			adjust(clientConfig, serverConfig)
			c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
			c.mostAtOnce, s.mostAtOnce = size, size
			s.ticket = new(QUICSessionTicketOptions)
			if err := runQUIC(c, s); err != nil {
				t.Errorf("%s, pieces of %d: %v", name, size, err)
				continue
			}
			checkQUIC(t, c, s)
			if c.ConnectionState().HelloRetryRequest != (name == "HelloRetryRequest") {
				t.Errorf("%s: HelloRetryRequest %v", name, c.ConnectionState().HelloRetryRequest)
			}
			if certified := len(s.ConnectionState().PeerCertificates) > 0; certified != (name == "client certificate") {
				t.Errorf("%s: client certificate %v", name, certified)
			}
			state := c.quicEnd.(*QUICConn).State()
			if state.PostHandshakeAuth || state.SendLimit != 0 || state.ReceiveLimit != 0 || state.Version != wire.TLS13 {
				t.Errorf("%s: state %+v", name, state)
			}
			if sent := strings.Contains(strings.Join(s.log, ", "), "data Application"); sent == serverConfig.SessionTicketsDisabled {
				t.Errorf("%s: a ticket was sent: %v", name, sent)
			}
		}
	}
}

// TestQUICHelloIsOfQUIC looks at our ClientHello, and at the server's answers.
func TestQUICHelloIsOfQUIC(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	clientConfig.MinVersion, clientConfig.Record.SizeLimit, clientConfig.PostHandshakeAuth = VersionTLS12, 500, true
	c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	var hello wire.ClientHello
	r := wire.NewReader(s.given[QUICEncryptionLevelInitial][4:], nil)
	hello.Parse(&r, wire.Context{})
	if len(hello.SessionID) != 0 {
		t.Errorf("legacy_session_id %x", hello.SessionID)
	}
	for _, suite := range hello.CipherSuites {
		if suite>>8 != 0x13 {
			t.Errorf("cipher suite %v", suite)
		}
	}
	if body, _ := hello.Extensions.Find(wire.ExtQUICParameters); string(body) != "of the client" {
		t.Errorf("quic_transport_parameters %q", body)
	}
	if body, _ := hello.Extensions.Find(wire.ExtSupportedVersions); !bytes.Equal(body, []byte{2, 3, 4}) {
		t.Errorf("supported_versions %x", body)
	}
	for _, x := range []wire.ExtensionType{wire.ExtRecordSizeLimit, wire.ExtPostHandshakeAuth, wire.ExtSessionTicket, wire.ExtExtendedMasterSecret, wire.ExtRenegotiationInfo} {
		if hello.Extensions.Has(x) {
			t.Errorf("the hello has %v", x)
		}
	}
}

// TestQUICDelayedParameters sets the transport parameters when they are asked for.
func TestQUICDelayedParameters(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	c := newQUICPlayer(t, "client", QUICClient(&QUICConfig{TLSConfig: clientConfig}), false)
	s := newQUICPlayer(t, "server", QUICServer(&QUICConfig{TLSConfig: serverConfig}), true)
	c.delayed, s.delayed = parametersOf(false), parametersOf(true)
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	checkQUIC(t, c, s)
	if got := strings.Join(s.log[:4], ", "); got != "parameters, data Initial, write Handshake, read Handshake" || s.log[4] != "parameters required" {
		t.Errorf("the server's events are %v", s.log)
	}
	if c.log[0] != "parameters required" || c.log[1] != "data Initial" {
		t.Errorf("the client's events are %v", c.log)
	}
}

// TestQUICParametersStay: once they are in a message they do not change, empty ones neither.
func TestQUICParametersStay(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	clientConfig.CurvePreferences, clientConfig.KeyShares = []CurveID{X25519, CurveP256}, []CurveID{X25519}
	serverConfig.CurvePreferences = []CurveID{CurveP256}
	c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
	c.SetTransportParameters(nil)
	c.onEvent = func(QUICEvent) { c.SetTransportParameters([]byte("too late")) }
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	if s.peerParameters == nil || len(s.peerParameters) != 0 {
		t.Errorf("the server got %q", s.peerParameters)
	}
}

// TestQUICState looks at ConnectionState all along, beside the handshake and inside it.
func TestQUICState(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				c.ConnectionState()
				s.ConnectionState()
				runtime.Gosched()
			}
		}
	}()
	serverConfig.VerifyConnection = func(ConnectionState) error { s.ConnectionState(); return nil }
	check := func(p *quicPlayer) func(QUICEvent) {
		return func(e QUICEvent) {
			cs := p.ConnectionState()
			if _, ok := p.write[QUICEncryptionLevelApplication]; ok && (cs.NegotiatedProtocol != "h3" || cs.Version != VersionTLS13 || cs.ServerName != "example.test") {
				t.Errorf("%s: %+v", p.name, cs)
			}
			if cs.HandshakeComplete != p.complete && e.Kind != QUICHandshakeDone && e.Kind != QUICSetWriteSecret && e.Kind != QUICWriteData && e.Kind != QUICTransportParameters && e.Kind != QUICSetReadSecret {
				t.Errorf("%s: complete %v at %v", p.name, cs.HandshakeComplete, eventWords[e.Kind])
			}
		}
	}
	if _, err := func() ([]byte, error) { cs := c.ConnectionState(); return cs.ExportKeyingMaterial("x", nil, 1) }(); err == nil {
		t.Error("keying material before the handshake")
	}
	c.onEvent, s.onEvent = check(c), check(s)
	err := runQUIC(c, s)
	close(stop)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	checkQUIC(t, c, s)
}

// TestQUICErrors has handshakes fail, each in its way.
func TestQUICErrors(t *testing.T) {
	refused := errors.New("refused")
	for name, x := range map[string]struct {
		adjust func(c, s *Config)
		alert  wire.AlertCode
		text   string
		std    bool // the peer is crypto/tls's
	}{
		"unknown authority":     {adjust: func(c, s *Config) { c.RootCAs = x509.NewCertPool() }, alert: wire.AlertUnknownCA, text: "certificate"},
		"another name":          {adjust: func(c, s *Config) { c.ServerName = "elsewhere.test" }, alert: wire.AlertBadCertificate, text: "elsewhere.test"},
		"no protocol in common": {adjust: func(c, s *Config) { c.NextProtos = []string{"h2"} }, alert: wire.AlertNoApplicationProtocol, text: "no application protocol in common"},
		"no suite in common": {adjust: func(c, s *Config) {
			c.CipherSuites, s.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256}, []uint16{TLS_AES_256_GCM_SHA384}
		}, alert: wire.AlertHandshakeFailure, text: "no cipher suite in common"},
		"no client certificate": {adjust: func(c, s *Config) { s.ClientAuth = RequireAnyClientCert }, alert: wire.AlertCertificateRequired, text: "sent no certificate"},
		"a callback refuses": {adjust: func(c, s *Config) {
			s.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return nil, refused }
		}, alert: wire.AlertInternalError, text: "refused"},
		"VerifyConnection": {adjust: func(c, s *Config) { c.VerifyConnection = func(ConnectionState) error { return refused } }, alert: wire.AlertBadCertificate, text: "refused"},
		"a Config of TLS 1.2": {adjust: func(c, s *Config) {
			next := s.Clone()
			next.MinVersion, next.MaxVersion = 0, VersionTLS12
			s.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return next, nil }
		}, alert: wire.AlertInternalError, text: "QUIC needs TLS 1.3"},
		"the turn is refused": {adjust: func(c, s *Config) { s.HandshakeTurn = func(context.Context) (func(), error) { return nil, refused } }, alert: wire.AlertInternalError, text: "refused"},
		"a Config without protocols": {adjust: func(c, s *Config) {
			next := s.Clone()
			next.NextProtos = nil
			s.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return next, nil }
		},
			alert: wire.AlertNoApplicationProtocol, text: "NextProtos"},
	} {
		t.Run(name, func(t *testing.T) {
			clientConfig, serverConfig := quicConfigs()
			x.adjust(clientConfig, serverConfig)
			c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
			err := runQUIC(c, s)
			if err == nil || !strings.Contains(err.Error(), x.text) {
				t.Fatalf("error %v, wanted %q", err, x.text)
			}
			if !errors.Is(err, AlertError(x.alert)) {
				t.Errorf("no alert %v in %v", x.alert, err)
			}
			if fault, ok := errors.AsType[*HandshakeError](err); !ok && x.text != "refused" {
				t.Errorf("%#v in %v", fault, err)
			}
			if strings.Contains(name, "name") || strings.Contains(name, "authority") {
				if bad, ok := errors.AsType[*CertificateVerificationError](err); !ok || len(bad.UnverifiedCertificates) != 1 {
					t.Errorf("%v is no CertificateVerificationError", err)
				}
			}
			failed := c
			if e := s.NextEvent(); e.Kind == QUICErrorEvent {
				failed = s
				if !errors.Is(err, e.Err) {
					t.Errorf("the event has %v, HandleData %v", e.Err, err)
				}
			} else if e := c.NextEvent(); e.Kind != QUICErrorEvent || !errors.Is(err, e.Err) {
				t.Errorf("event %+v", e)
			}
			if e := failed.NextEvent(); e.Kind != QUICNoEvent {
				t.Errorf("after the error: %+v", e)
			}
			if again := failed.HandleData(QUICEncryptionLevelInitial, []byte{1}); again == nil || !errors.Is(err, again) {
				t.Errorf("the error is not final: %v", again)
			}
			if failed.Close() == nil || failed.ConnectionState().HandshakeComplete {
				t.Error("the failed connection closes without an error, or is complete")
			}
		})
	}
}

// TestQUICConfigs refuses at the start what cannot work.
func TestQUICConfigs(t *testing.T) {
	for want, adjust := range map[string]func(*Config){
		"QUIC needs TLS 1.3":       func(c *Config) { c.MinVersion, c.MaxVersion = 0, VersionTLS12 },
		"TLS_AES_128_CCM_8_SHA256": func(c *Config) { c.CipherSuites = []uint16{uint16(wire.TLS_AES_128_CCM_8_SHA256)} },
		"QUIC needs NextProtos":    func(c *Config) { c.NextProtos = nil },
		"which means nothing":      func(c *Config) { c.ClientAuth = 99 },
	} {
		for _, server := range []bool{false, true} {
			client, serving := quicConfigs()
			c := map[bool]*Config{false: client, true: serving}[server]
			adjust(c)
			p := oursQUIC(t, &QUICConfig{TLSConfig: c}, server)
			err := p.Start(context.Background())
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, AlertError(wire.AlertInternalError)) {
				t.Errorf("server %v: error %v, wanted %q", server, err, want)
			}
			if e := p.NextEvent(); e.Kind != QUICErrorEvent || e.Err != err {
				t.Errorf("server %v: event %+v", server, e)
			}
			p.SetTransportParameters([]byte("still"))
		}
	}
	for name, q := range map[string]*QUICConn{
		"a client without a name":        QUICClient(&QUICConfig{TLSConfig: &Config{NextProtos: []string{"h3"}}}),
		"a server without a certificate": QUICServer(&QUICConfig{TLSConfig: &Config{NextProtos: []string{"h3"}}}),
		"no Config":                      QUICServer(&QUICConfig{}),
	} {
		if err := q.Start(context.Background()); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestQUICMisuse calls methods where they have no meaning.
func TestQUICMisuse(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
	client, server := c.quicEnd.(*QUICConn), s.quicEnd.(*QUICConn)
	none := QUICSessionTicketOptions{}
	if client.NextEvent().Kind != QUICNoEvent || client.State().Version != 0 {
		t.Error("there is something before Start")
	}
	misused := map[string]error{
		"HandleData before Start":        client.HandleData(QUICEncryptionLevelInitial, nil),
		"SendSessionTicket before Start": server.SendSessionTicket(none),
		"SendSessionTicket of a client":  client.SendSessionTicket(none),
		"StoreSession of a server":       server.StoreSession(new(SessionState)),
		"StoreSession of nothing":        client.StoreSession(nil),
		"StoreSession of a made one":     client.StoreSession(new(SessionState)),
	}
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	misused["a second Start"] = client.Start(context.Background())
	if err := server.SendSessionTicket(none); err != nil {
		t.Error(err)
	}
	misused["a second ticket"] = server.SendSessionTicket(none)
	for what, err := range misused {
		if _, ok := errors.AsType[AlertError](err); !ok {
			t.Errorf("%s: %v", what, err)
		}
	}
	if client.Close() != nil || server.Close() != nil || client.Close() != nil {
		t.Error("closing a connection that is complete is an error")
	}
	if !client.ConnectionState().HandshakeComplete {
		t.Error("the state is forgotten")
	}
}

// TestQUICCloseAndContext ends handshakes that are under way.
func TestQUICCloseAndContext(t *testing.T) {
	closed := func(err error) bool { return errors.Is(err, AlertError(wire.AlertCloseNotify)) }
	clientConfig, _ := quicConfigs()
	waiting := QUICClient(&QUICConfig{TLSConfig: clientConfig})
	if err := waiting.Close(); err != nil {
		t.Errorf("closed before Start: %v", err)
	}
	if err := waiting.Start(context.Background()); !closed(err) {
		t.Errorf("Start after Close: %v", err)
	}
	for _, parameters := range []bool{false, true} {
		q := QUICClient(&QUICConfig{TLSConfig: clientConfig})
		if parameters {
			q.SetTransportParameters(nil)
		}
		if err := q.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := q.Close(); !closed(err) {
			t.Errorf("Close: %v", err)
		}
		if e := q.NextEvent(); e.Kind != QUICNoEvent {
			t.Errorf("after Close: %+v", e)
		}
		q.SetTransportParameters(nil)
		if err := q.HandleData(QUICEncryptionLevelInitial, []byte{2}); !closed(err) {
			t.Errorf("HandleData after Close: %v", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	q := QUICClient(&QUICConfig{TLSConfig: clientConfig})
	if err := q.Start(ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	q.SetTransportParameters(nil)
	for q.NextEvent().Kind != QUICErrorEvent {
	}
	if err := q.HandleData(QUICEncryptionLevelInitial, []byte{2}); !closed(err) || !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

// TestQUICCallbackContext looks at the context and the connection that callbacks are shown.
func TestQUICCallbackContext(t *testing.T) {
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "value")
	clientConfig, serverConfig := quicConfigs()
	below, other := net.Pipe()
	defer below.Close()
	defer other.Close()
	var shown context.Context
	serverConfig.GetCertificate = func(info *ClientHelloInfo) (*Certificate, error) {
		shown = info.Context()
		if info.Conn != below || shown.Value(key{}) != "value" || shown.Err() != nil {
			t.Errorf("connection %v, context %v", info.Conn, shown)
		}
		cert := testPKI().certs["ecdsa-p256"]
		return &cert, nil
	}
	c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig, ClientHelloInfoConn: below}, true)
	for _, p := range []*quicPlayer{c, s} {
		if err := p.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := playQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	if shown == nil || shown.Err() == nil {
		t.Error("the context goes on after the handshake")
	}
}

// TestQUICCallbacksThatDoNotReturn: a panic reaches the caller, the end of a goroutine
// nobody, and the connection is over.
func TestQUICCallbacksThatDoNotReturn(t *testing.T) {
	for name, f := range map[string]func(){"panic": func() { panic("of a callback") }, "Goexit": runtime.Goexit} {
		clientConfig, serverConfig := quicConfigs()
		serverConfig.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { f(); return nil, nil }
		c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
		over := make(chan any)
		go func() {
			defer func() { over <- recover() }()
			runQUIC(c, s)
		}()
		if p := <-over; (p != nil) != (name == "panic") {
			t.Errorf("%s: recovered %v", name, p)
		}
		if err := s.HandleData(QUICEncryptionLevelInitial, []byte{1}); !errors.Is(err, errInterrupted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestQUICInsideItsCallback calls methods of the connection whose callback it is.
func TestQUICInsideItsCallback(t *testing.T) {
	for name, f := range map[string]func(q *QUICConn) error{
		"HandleData": func(q *QUICConn) error { return q.HandleData(QUICEncryptionLevelInitial, []byte{1}) },
		"Close":      func(q *QUICConn) error { q.SetTransportParameters(nil); return q.Close() },
	} {
		clientConfig, serverConfig := quicConfigs()
		var q *QUICConn
		var inside error
		serverConfig.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { inside = f(q); return nil, nil }
		c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
		q = s.quicEnd.(*QUICConn)
		err := runQUIC(c, s)
		if (name == "Close") != (err != nil) || (name == "Close") == (inside != nil) {
			t.Errorf("%s: the handshake %v, the call %v", name, err, inside)
		}
	}
}

// TestQUICHooks: messages and secrets are reported, and of records nothing.
func TestQUICHooks(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	var messages []string
	var secrets, other int
	clientConfig.Trace = &trace.Hooks{
		Message: func(m trace.Message) { messages = append(messages, wire.HandshakeType(m.Raw[0]).String()) },
		Secret:  func(trace.Secret) { secrets++ },
		Record:  func(trace.Record) { other++ },
		Keys:    func(trace.Keys) { other++ },
	}
	var alerts []trace.Alert
	serverConfig.Trace = &trace.Hooks{Alert: func(a trace.Alert) { alerts = append(alerts, a) }}
	var log bytes.Buffer
	clientConfig.KeyLogWriter = &log
	c, s := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
	s.ticket = new(QUICSessionTicketOptions)
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	want := []string{"ClientHello", "ServerHello", "EncryptedExtensions", "Certificate", "CertificateVerify", "Finished", "Finished", "NewSessionTicket"}
	if !slices.Equal(messages, want) || secrets < 10 || other != 0 || strings.Count(log.String(), "\n") != 5 {
		t.Errorf("messages %v, %d secrets, %d of records, key log\n%s", messages, secrets, other, &log)
	}
	if err := s.HandleData(QUICEncryptionLevelApplication, []byte{24, 0, 0, 1, 0}); err == nil {
		t.Error("a KeyUpdate was taken")
	}
	if len(alerts) != 1 || alerts[0].Code != wire.AlertUnexpectedMessage || alerts[0].Dir != trace.Sent || alerts[0].Err == nil {
		t.Errorf("alerts %v", alerts)
	}
}

// TestQUICOverTCP: a hello of QUIC means nothing to a server of TCP, and the other way round.
func TestQUICOverTCP(t *testing.T) {
	clientConfig, serverConfig := quicConfigs()
	c := oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false)
	if err := c.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	hello := c.NextEvent().Data
	a, b := memoryPipe()
	a.Write(append([]byte{22, 3, 1, byte(len(hello) >> 8), byte(len(hello))}, hello...))
	server := Server(b, serverConfig)
	defer server.Close()
	if err := server.Handshake(); err == nil || !strings.Contains(err.Error(), "this is not QUIC") {
		t.Errorf("over TCP: %v", err)
	}
	a, b = memoryPipe()
	client := Client(a, clientConfig)
	go client.Handshake()
	defer client.Close()
	record := make([]byte, 5)
	if _, err := io.ReadFull(b, record); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, int(record[3])<<8|int(record[4]))
	if _, err := io.ReadFull(b, message); err != nil {
		t.Fatal(err)
	}
	s := oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
	if err := s.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := s.HandleData(QUICEncryptionLevelInitial, message); !errors.Is(err, AlertError(wire.AlertMissingExtension)) {
		t.Errorf("over QUIC: %v", err)
	}
}
