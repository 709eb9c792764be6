package tls

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// A peer that breaks one rule at a time, and the alert that answers it. What is
// broken here is in the clear: the hellos, and all of TLS 1.2's first flights.

// capture returns the ClientHello that a client with this Config sends.
func capture(t *testing.T, config *Config) *wire.ClientHello {
	t.Helper()
	left, right := pipePair(t)
	go Client(left, config).Handshake()
	typ, content := readRecord(t, right)
	m, err := wire.DecodeMessage(content, wire.Context{}, nil)
	if err != nil || typ != wire.ContentHandshake {
		t.Fatal(typ, err)
	}
	return m.(*wire.ClientHello)
}

// hidden stands for an alert that cannot be read from outside.
const hidden wire.AlertCode = 255

func readRecord(t testing.TB, r io.Reader) (wire.ContentType, []byte) {
	t.Helper()
	typ, content, err := nextRecord(r)
	if err != nil {
		t.Fatal(err)
	}
	return typ, content
}

func nextRecord(r io.Reader) (wire.ContentType, []byte, error) {
	header := make([]byte, wire.RecordHeaderLen)
	if _, err := io.ReadFull(r, header); err != nil {
		return 0, nil, err
	}
	typ, _, n, err := wire.DecodeRecordHeader(header, nil)
	if err != nil {
		return 0, nil, err
	}
	content := make([]byte, n)
	_, err = io.ReadFull(r, content)
	return typ, content, err
}

func recordOf(typ wire.ContentType, content []byte) []byte {
	b := wire.AppendU16([]byte{byte(typ)}, wire.TLS12)
	return append(wire.AppendU16(b, uint16(len(content))), content...)
}

// answer sends bytes to a server and returns its error and the alert it sent.
func answer(t *testing.T, config *Config, sent []byte) (wire.AlertCode, error) {
	t.Helper()
	left, right := pipePair(t)
	testDeadline(t, left)
	failed := make(chan error, 1)
	go func() {
		err := Server(right, config).Handshake()
		right.Close()
		failed <- err
	}()
	go left.Write(sent)
	for {
		typ, content, err := nextRecord(left)
		if err != nil {
			return hidden, <-failed
		}
		if typ == wire.ContentAlert {
			a, err := wire.DecodeAlert(content, nil)
			if err != nil {
				t.Fatal(err)
			}
			left.Close()
			return a.Code, <-failed
		}
	}
}

// setExtension replaces an extension's body, or adds it in front.
func setExtension(x *wire.Extensions, t wire.ExtensionType, body string) {
	for i := range *x {
		if (*x)[i].Type == t {
			(*x)[i].Data = []byte(body)
			return
		}
	}
	*x = append(wire.Extensions{{Type: t, Data: []byte(body)}}, *x...)
}

func dropExtension(x *wire.Extensions, t wire.ExtensionType) {
	*x = slices.DeleteFunc(*x, func(e wire.Extension) bool { return e.Type == t })
}

func TestAlertsForBrokenClientHellos(t *testing.T) {
	p := testPKI()
	psk := "\x00\x07\x00\x01t\x00\x00\x00\x00\x00\x21\x20" + string(make([]byte, 32))
	for _, test := range []struct {
		name  string
		alert wire.AlertCode
		edit  func(m *wire.ClientHello)
	}{
		{"no null compression", wire.AlertIllegalParameter, func(m *wire.ClientHello) { m.CompressionMethods = []wire.CompressionMethod{1} }},
		{"compression in TLS 1.3", wire.AlertIllegalParameter, func(m *wire.ClientHello) { m.CompressionMethods = []wire.CompressionMethod{0, 1} }},
		{"TLS 1.1 only, old form", wire.AlertProtocolVersion, func(m *wire.ClientHello) {
			m.LegacyVersion = wire.TLS11
			dropExtension(&m.Extensions, wire.ExtSupportedVersions)
		}},
		{"TLS 1.1 only, new form", wire.AlertProtocolVersion, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtSupportedVersions, "\x02\x03\x02")
		}},
		{"a fallback that need not be", wire.AlertInappropriateFallback, func(m *wire.ClientHello) {
			m.CipherSuites = append(m.CipherSuites, wire.TLS_FALLBACK_SCSV)
			dropExtension(&m.Extensions, wire.ExtSupportedVersions)
		}},
		{"an extension twice", wire.AlertDecodeError, func(m *wire.ClientHello) { m.Extensions = append(m.Extensions, m.Extensions[0]) }},
		{"a malformed extension", wire.AlertDecodeError, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtSupportedGroups, "\x00\x01\x00")
		}},
		{"a session ID that is too long", wire.AlertDecodeError, func(m *wire.ClientHello) { m.SessionID = make([]byte, 33) }},
		{"no supported_groups", wire.AlertMissingExtension, func(m *wire.ClientHello) { dropExtension(&m.Extensions, wire.ExtSupportedGroups) }},
		{"no key_share", wire.AlertMissingExtension, func(m *wire.ClientHello) { dropExtension(&m.Extensions, wire.ExtKeyShare) }},
		{"no signature_algorithms", wire.AlertMissingExtension, func(m *wire.ClientHello) { dropExtension(&m.Extensions, wire.ExtSignatureAlgorithms) }},
		{"a key share of a group that is not listed", wire.AlertIllegalParameter, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtSupportedGroups, "\x00\x02\x00\x18")
		}},
		{"a key share that is too short", wire.AlertIllegalParameter, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x05\x00\x1d\x00\x01a")
			setExtension(&m.Extensions, wire.ExtSupportedGroups, "\x00\x02\x00\x1d")
		}},
		{"a key share of small order", wire.AlertIllegalParameter, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x24\x00\x1d\x00\x20"+string(make([]byte, 32)))
			setExtension(&m.Extensions, wire.ExtSupportedGroups, "\x00\x02\x00\x1d")
		}},
		{"no group in common", wire.AlertHandshakeFailure, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtSupportedGroups, "\x00\x02\x01\x00")
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x00")
		}},
		{"no suite in common", wire.AlertHandshakeFailure, func(m *wire.ClientHello) { m.CipherSuites = []wire.CipherSuite{0x1305} }},
		{"no signature scheme in common", wire.AlertHandshakeFailure, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtSignatureAlgorithms, "\x00\x02\x08\x07")
		}},
		{"no application protocol in common", wire.AlertNoApplicationProtocol, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtALPN, "\x00\x03\x02zz")
		}},
		{"pre_shared_key is not last", wire.AlertIllegalParameter, func(m *wire.ClientHello) { setExtension(&m.Extensions, wire.ExtPreSharedKey, psk) }},
		{"pre_shared_key without modes", wire.AlertMissingExtension, func(m *wire.ClientHello) {
			dropExtension(&m.Extensions, wire.ExtPSKKeyExchangeModes)
			m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtPreSharedKey, Data: []byte(psk)})
		}},
		{"points that are compressed only", wire.AlertIllegalParameter, func(m *wire.ClientHello) {
			dropExtension(&m.Extensions, wire.ExtSupportedVersions) // in TLS 1.3 it means nothing
			setExtension(&m.Extensions, wire.ExtECPointFormats, "\x01\x01")
		}},
		{"two names", wire.AlertIllegalParameter, func(m *wire.ClientHello) {
			setExtension(&m.Extensions, wire.ExtServerName, "\x00\x08\x00\x00\x01a\x00\x00\x01b")
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := capture(t, p.client())
			test.edit(m)
			server := p.server("ecdsa-p256")
			server.NextProtos = []string{"h2"}
			alert, err := answer(t, server, recordOf(wire.ContentHandshake, wire.AppendMessage(nil, m, wire.Context{})))
			expectAlert(t, alert, err, test.alert)
		})
	}
}

// expectAlert: the alert sent and that of the error are the one expected.
func expectAlert(t *testing.T, sent wire.AlertCode, err error, want wire.AlertCode) {
	t.Helper()
	var failure *HandshakeError
	if !errors.As(err, &failure) || failure.Received || failure.Alert != want || failure.Rule == "" {
		t.Errorf("error is %v, want one with %v", err, want)
	}
	if sent != want {
		t.Errorf("sent %v, want %v", sent, want)
	}
}

// What comes in place of a ClientHello.
func TestAlertsForOtherFirstRecords(t *testing.T) {
	p := testPKI()
	hello := wire.AppendMessage(nil, capture(t, p.client()), wire.Context{})
	for _, test := range []struct {
		name  string
		alert wire.AlertCode
		sent  []byte
	}{
		{"another message", wire.AlertUnexpectedMessage, recordOf(wire.ContentHandshake, []byte{20, 0, 0, 0})},
		{"change_cipher_spec", wire.AlertUnexpectedMessage, recordOf(wire.ContentChangeCipherSpec, []byte{1})},
		{"change_cipher_spec with other content", wire.AlertUnexpectedMessage, recordOf(wire.ContentChangeCipherSpec, []byte{2})},
		{"application data", wire.AlertUnexpectedMessage, recordOf(wire.ContentApplicationData, []byte{1})},
		{"an empty handshake record", wire.AlertUnexpectedMessage, recordOf(wire.ContentHandshake, nil)},
		{"a record that is too long", wire.AlertRecordOverflow, recordOf(wire.ContentHandshake, make([]byte, 1<<14+1))},
		{"a message of a megabyte", wire.AlertIllegalParameter, recordOf(wire.ContentHandshake, []byte{1, 0x10, 0, 0, 3, 3})},
		{"an alert that is too short", wire.AlertDecodeError, recordOf(wire.ContentAlert, []byte{1})},
		{"a record between the parts of a message", wire.AlertUnexpectedMessage,
			append(recordOf(wire.ContentHandshake, hello[:20]), recordOf(wire.ContentChangeCipherSpec, []byte{1})...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			alert, err := answer(t, p.server("ecdsa-p256"), test.sent)
			expectAlert(t, alert, err, test.alert)
		})
	}
}

// tamper stands between a client and a server and hands on the server's
// handshake messages as edit returns them, in one record, as long as they are in
// the clear. It returns the client's error and the alert that the client sent,
// or hidden where that was encrypted.
func tamper(t *testing.T, client, server *Config, edit func(wire.Message) []wire.Message) (wire.AlertCode, error) {
	t.Helper()
	clientEnd, toClient := tcpPair(t)
	toServer, serverEnd := tcpPair(t)
	testDeadline(t, clientEnd, toClient, toServer, serverEnd)
	go Server(serverEnd, server).Handshake()
	alerts := make(chan wire.AlertCode, 1)
	go func() { // client to server
		for {
			typ, content, err := nextRecord(toClient)
			if err != nil {
				alerts <- hidden
				return
			}
			if typ == wire.ContentAlert && len(content) == 2 {
				alerts <- wire.AlertCode(content[1])
				return
			}
			toServer.Write(recordOf(typ, content))
		}
	}()
	go func() { // server to client
		c := wire.Context{Version: wire.Version(client.MaxVersion), KeyExchange: wire.KeyExchangeECDHE, From: wire.Server}
		for {
			typ, content, err := nextRecord(toServer)
			if err != nil {
				return
			}
			for typ == wire.ContentHandshake && wire.MessageLen(content) > 0 && wire.MessageLen(content) <= len(content) {
				n := wire.MessageLen(content)
				m, err := wire.DecodeMessage(content[:n], c, nil)
				if err != nil {
					break
				}
				var edited []byte
				for _, m := range edit(m) {
					edited = wire.AppendMessage(edited, m, c)
				}
				if len(edited) > 0 {
					toClient.Write(recordOf(typ, edited))
				}
				content = content[n:]
			}
			if len(content) > 0 {
				toClient.Write(recordOf(typ, content))
			}
		}
	}()
	err := Client(clientEnd, client).Handshake()
	clientEnd.Close()
	select {
	case alert := <-alerts:
		return alert, err
	case <-time.After(10 * time.Second):
		t.Fatal("no alert")
		return 0, nil
	}
}

func TestAlertsForBrokenServers(t *testing.T) {
	p := testPKI()
	hello := func(f func(*wire.ServerHello)) func(wire.Message) []wire.Message {
		return func(m wire.Message) []wire.Message {
			if h, ok := m.(*wire.ServerHello); ok {
				f(h)
			}
			return []wire.Message{m}
		}
	}
	drop := func(t wire.HandshakeType) func(wire.Message) []wire.Message {
		return func(m wire.Message) []wire.Message {
			if m.Type() == t {
				return nil
			}
			return []wire.Message{m}
		}
	}
	keyExchange := func(f func(*wire.ServerKeyExchange)) func(wire.Message) []wire.Message {
		return func(m wire.Message) []wire.Message {
			if k, ok := m.(*wire.ServerKeyExchange); ok {
				f(k)
			}
			return []wire.Message{m}
		}
	}
	retry := func(body string) func(*wire.ServerHello) {
		return func(m *wire.ServerHello) {
			m.Random = wire.HelloRetryRandom[:]
			dropExtension(&m.Extensions, wire.ExtKeyShare)
			if body != "" {
				setExtension(&m.Extensions, wire.ExtKeyShare, body)
			}
		}
	}
	for _, test := range []struct {
		name    string
		version uint16
		alert   wire.AlertCode
		edit    func(wire.Message) []wire.Message
	}{
		{"a suite that was not offered", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) { m.CipherSuite = 0x1304 })},
		{"a suite of TLS 1.2", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) { m.CipherSuite = wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 })},
		{"compression", VersionTLS13, wire.AlertDecodeError, hello(func(m *wire.ServerHello) { m.CompressionMethod = 1 })},
		{"another session ID", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) { m.SessionID = make([]byte, 32) })},
		{"an extension that belongs elsewhere", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtALPN, "\x00\x03\x02h2")
		})},
		{"an old version through supported_versions", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtSupportedVersions, "\x03\x03")
		})},
		{"a legacy_version that is not frozen", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) { m.LegacyVersion = wire.TLS11 })},
		{"no key share", VersionTLS13, wire.AlertMissingExtension, hello(func(m *wire.ServerHello) { dropExtension(&m.Extensions, wire.ExtKeyShare) })},
		{"a key share of another group", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x18\x00\x01a")
		})},
		{"a key share of small order", VersionTLS13, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtKeyShare, "\x00\x1d\x00\x20"+string(make([]byte, 32)))
		})},
		{"a PSK that was not offered", VersionTLS13, wire.AlertUnsupportedExtension, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtPreSharedKey, "\x00\x00")
		})},
		{"a retry that asks for nothing", VersionTLS13, wire.AlertIllegalParameter, hello(retry(""))},
		{"a retry for a share that is there", VersionTLS13, wire.AlertIllegalParameter, hello(retry("\x00\x1d"))},
		{"a retry for a group that was not offered", VersionTLS13, wire.AlertIllegalParameter, hello(retry("\x00\x18"))},
		{"a second retry", VersionTLS13, wire.AlertUnexpectedMessage, func(m wire.Message) []wire.Message {
			h := m.(*wire.ServerHello)
			retry("\x00\x17")(h)
			return []wire.Message{h, h}
		}},
		{"no ServerHello", VersionTLS13, wire.AlertUnexpectedMessage, func(m wire.Message) []wire.Message {
			return []wire.Message{&wire.Finished{VerifyData: make([]byte, 32)}}
		}},

		{"a version that is switched off", VersionTLS12, wire.AlertProtocolVersion, hello(func(m *wire.ServerHello) { m.LegacyVersion = wire.TLS10 })},
		{"an answer to what was not asked", VersionTLS12, wire.AlertUnsupportedExtension, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtRecordSizeLimit, "\x40\x00")
		})},
		{"a protocol that was not offered", VersionTLS12, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtALPN, "\x00\x03\x02zz")
		})},
		{"a renegotiation_info of another handshake", VersionTLS12, wire.AlertHandshakeFailure, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtRenegotiationInfo, "\x01a")
		})},
		{"encrypt-then-MAC with an AEAD", VersionTLS12, wire.AlertIllegalParameter, hello(func(m *wire.ServerHello) {
			setExtension(&m.Extensions, wire.ExtEncryptThenMAC, "")
		})},
		{"no Certificate", VersionTLS12, wire.AlertUnexpectedMessage, drop(wire.TypeCertificate)},
		{"no ServerKeyExchange", VersionTLS12, wire.AlertUnexpectedMessage, drop(wire.TypeServerKeyExchange)},
		{"an empty Certificate", VersionTLS12, wire.AlertDecodeError, func(m wire.Message) []wire.Message {
			if m.Type() == wire.TypeCertificate {
				m = &wire.Certificate{}
			}
			return []wire.Message{m}
		}},
		{"a signature that is wrong", VersionTLS12, wire.AlertDecryptError, keyExchange(func(m *wire.ServerKeyExchange) { m.Share[0] ^= 1 })},
		{"a signature scheme that was not offered", VersionTLS12, wire.AlertIllegalParameter, keyExchange(func(m *wire.ServerKeyExchange) { m.Scheme = wire.ECDSASHA1 })},
		{"a signature scheme for another key", VersionTLS12, wire.AlertIllegalParameter, keyExchange(func(m *wire.ServerKeyExchange) { m.Scheme = wire.RSAPSSRSAESHA256 })},
		{"a group that was not offered", VersionTLS12, wire.AlertIllegalParameter, keyExchange(func(m *wire.ServerKeyExchange) { m.Group = wire.GroupP521 })},
	} {
		t.Run(VersionName(test.version)+"/"+test.name, func(t *testing.T) {
			client, server := p.client(), p.server("ecdsa-p256")
			client.MinVersion, client.MaxVersion = test.version, test.version
			client.CurvePreferences = []CurveID{X25519, CurveP256}
			client.NextProtos, client.CipherSuites = []string{"h2"}, append(client.CipherSuites, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)
			alert, err := tamper(t, client, server, test.edit)
			expectAlert(t, alert, err, test.alert)
		})
	}
}

// The keys change with the ServerHello: what stands behind it in its record
// would escape them. The alert is encrypted already.
func TestMessagesMayNotRunAcrossAChangeOfKeys(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("ecdsa-p256")
	_, clientErr := tamper(t, client, server, func(m wire.Message) []wire.Message {
		return []wire.Message{m, &wire.EncryptedExtensions{}}
	})
	hello := wire.AppendMessage(nil, capture(t, client), wire.Context{})
	_, serverErr := answer(t, server, recordOf(wire.ContentHandshake, append(hello, hello...)))
	for err, rule := range map[error]string{clientErr: "across a change of keys", serverErr: "more than its flight"} {
		expectAlert(t, wire.AlertUnexpectedMessage, err, wire.AlertUnexpectedMessage)
		if !strings.Contains(err.Error(), rule) {
			t.Errorf("refused for another reason: %v", err)
		}
	}
}

// A server that could speak TLS 1.3 says so in its random when it does not.
func TestTheSignOfADowngrade(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("ecdsa-p256")
	server.MaxVersion = VersionTLS12
	alert, err := tamper(t, client, server, func(m wire.Message) []wire.Message {
		if m, ok := m.(*wire.ServerHello); ok {
			copy(m.Random[24:], wire.DowngradeTLS12)
		}
		return []wire.Message{m}
	})
	expectAlert(t, alert, err, wire.AlertIllegalParameter)

	// An attacker takes the better version out of the hello: our own server
	// signs what lets the client see it.
	hello := capture(t, client)
	dropExtension(&hello.Extensions, wire.ExtSupportedVersions)
	left, right := pipePair(t)
	testDeadline(t, left)
	go Server(right, p.server("ecdsa-p256")).Handshake()
	go left.Write(recordOf(wire.ContentHandshake, wire.AppendMessage(nil, hello, wire.Context{})))
	_, content := readRecord(t, left)
	var m wire.ServerHello
	if err := wire.Decode(&m, content[wire.HeaderLen:wire.MessageLen(content)], wire.Context{}, nil); err != nil {
		t.Fatal(err)
	}
	if string(m.Random[24:]) != wire.DowngradeTLS12 {
		t.Errorf("the server's random ends in %q", m.Random[24:])
	}
}
