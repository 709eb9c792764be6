package engine

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/hpke"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Encrypted Client Hello, RFC 9849: what either side can do wrong.

// echKey is a key and the offer of a client that has its config.
func echKey() (handshake.ECHKey, *handshake.ECHOffer) {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	private, err := hpke.NewPrivateKey(wire.KEMX25519, key.Bytes())
	if err != nil {
		panic(err)
	}
	suite := wire.HPKESuite{KDF: wire.KDFSHA256, AEAD: wire.AEADAES128}
	c := wire.ECHConfig{Version: wire.ECHVersion, ConfigID: 7, KEM: wire.KEMX25519, PublicKey: private.Public(), Suites: []wire.HPKESuite{suite}, MaxNameLength: 32, PublicName: []byte("example.test")}
	c.Raw = c.Append(nil)
	return handshake.ECHKey{Config: c, Private: private, SendAsRetry: true}, &handshake.ECHOffer{Config: c, Suite: suite}
}

// concealed has the client encrypt its hello, to a key of the server.
func concealed(c, s *host) {
	key, offer := echKey()
	c.config.ECH, s.config.ECHServer, s.echKeys = offer, true, []handshake.ECHKey{key}
}

// concealedInVain has the client encrypt to another key.
func concealedInVain(c, s *host) {
	concealed(c, s)
	_, c.config.ECH = echKey()
}

func unopened(_, s *host) { s.config.ECHServer = false }

var (
	hostsECH      = only(wire.TLS13, concealed)
	hostsECHRetry = only(wire.TLS13, concealed, retry)
	hostsNoECH    = only(wire.TLS13, concealedInVain)
)

// echBody changes the extension of an outer hello.
func echBody(f func(*wire.ECHClientHello)) func(*wire.ClientHello) {
	return func(m *wire.ClientHello) {
		var e wire.ECHClientHello
		m.Extensions.Read(wire.ExtEncryptedClientHello, e.Read)
		f(&e)
		set(&m.Extensions, wire.ExtEncryptedClientHello, e.Append(nil)...)
	}
}

// sealing is a client that encrypts what encode returns of the outer hello, and no hello of
// the flow's.
func sealing(encode func(outer *wire.ClientHello) []byte) offence {
	var offer *handshake.ECHOffer
	hosts := only(wire.TLS13, concealed, func(c, _ *host) { offer = c.config.ECH })
	return illegal("the client's encrypted hello opens, and is not a ClientHello that may stand there", hosts, wire.Client, clientHello(func(m *wire.ClientHello) {
		sender, err := hpke.NewSender(offer.Config.KEM, offer.Config.PublicKey, offer.Suite, append([]byte("tls ech\x00"), offer.Config.Raw...))
		if err != nil {
			panic(err)
		}
		plain := encode(m)
		e := wire.ECHClientHello{Suite: offer.Suite, ConfigID: offer.Config.ConfigID, Enc: sender.Enc, Payload: make([]byte, len(plain)+hpke.Overhead)}
		set(&m.Extensions, wire.ExtEncryptedClientHello, e.Append(nil)...)
		if e.Payload, err = sender.Seal(m.Append(nil, wire.Context{}), plain); err != nil {
			panic(err)
		}
		set(&m.Extensions, wire.ExtEncryptedClientHello, e.Append(nil)...)
	}))
}

// A front has chosen a server by the name in the first inner hello: the second is for the same.
func TestAFrontServesOneName(t *testing.T) {
	for _, name := range []string{"one.test", "two.test"} {
		key, offer := echKey()
		sender, err := hpke.NewSender(offer.Config.KEM, offer.Config.PublicKey, offer.Suite, handshake.ECHInfo(&offer.Config))
		if err != nil {
			t.Fatal(err)
		}
		hello := func(name string, enc []byte) []byte {
			m := wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuites: []wire.CipherSuite{wire.TLS_AES_128_GCM_SHA256}, CompressionMethods: []wire.CompressionMethod{0}}
			plain := encoded(wire.Extension{Type: wire.ExtEncryptedClientHello, Data: []byte{byte(wire.ECHInner)}}, only13(3, 4),
				wire.Extension{Type: wire.ExtServerName, Data: wire.AppendServerName(nil, name)})(&m)
			e := wire.ECHClientHello{Suite: offer.Suite, ConfigID: offer.Config.ConfigID, Enc: enc, Payload: make([]byte, len(plain)+hpke.Overhead)}
			set(&m.Extensions, wire.ExtEncryptedClientHello, e.Append(nil)...)
			if e.Payload, err = sender.Seal(m.Append(nil, wire.Context{}), plain); err != nil {
				t.Fatal(err)
			}
			set(&m.Extensions, wire.ExtEncryptedClientHello, e.Append(nil)...)
			return wire.AppendMessage(nil, &m, wire.Context{})
		}
		var front handshake.Front
		if inner, chosen, _, err := front.Open(hello("one.test", sender.Enc), []handshake.ECHKey{key}); inner == nil || chosen != "one.test" || err != nil {
			t.Fatal(inner, chosen, err)
		}
		_, err = front.Reopen(hello(name, nil))
		fault, _ := errors.AsType[*handshake.Error](err)
		if (err == nil) != (name == "one.test") || err != nil && (fault == nil || fault.Alert != wire.AlertIllegalParameter) {
			t.Errorf("a second hello for %s: %v", name, err)
		}
	}
}

// encoded is an inner hello with these extensions alone.
func encoded(extensions ...wire.Extension) func(*wire.ClientHello) []byte {
	return func(outer *wire.ClientHello) []byte {
		e := wire.EncodedInner{Hello: *outer}
		e.Hello.SessionID, e.Hello.Extensions = nil, extensions
		return e.Append(nil)
	}
}

func shared(types ...wire.ExtensionType) wire.Extension {
	return wire.Extension{Type: wire.ExtECHOuterExtensions, Data: wire.AppendECHOuterExtensions(nil, types)}
}

func only13(versions ...byte) wire.Extension {
	return wire.Extension{Type: wire.ExtSupportedVersions, Data: append([]byte{byte(len(versions))}, versions...)}
}

var saysInner = wire.Extension{Type: wire.ExtEncryptedClientHello, Data: []byte{1}}

// ofECH are those offences.
var ofECH = []offence{
	sealing(func(*wire.ClientHello) []byte { return []byte("no hello") }),
	sealing(func(outer *wire.ClientHello) []byte { return outer.Append(nil, wire.Context{}) }), // a session ID
	sealing(func(outer *wire.ClientHello) []byte {
		return append(encoded(saysInner, only13(3, 4))(outer), 0, 0, 1)
	}),
	sealing(encoded(only13(3, 4))),
	sealing(encoded(saysInner)),
	sealing(encoded(saysInner, only13(3, 4, 3, 3))),
	sealing(encoded(saysInner, only13(3, 3))),
	sealing(encoded(wire.Extension{Type: wire.ExtEncryptedClientHello, Data: []byte{0}}, only13(3, 4))),
	sealing(encoded(saysInner, shared(wire.ExtSupportedVersions, wire.ExtSupportedVersions))),
	sealing(encoded(saysInner, shared(wire.ExtKeyShare, wire.ExtSupportedVersions))), // in the wrong order
	sealing(encoded(saysInner, shared(wire.ExtSupportedVersions, 0x1234))),
	sealing(encoded(saysInner, only13(3, 4), shared(wire.ExtSupportedVersions))),
	sealing(encoded(shared(wire.ExtEncryptedClientHello, wire.ExtSupportedVersions))),
	sealing(encoded(saysInner, shared(wire.ExtSupportedVersions), shared(wire.ExtKeyShare))),
	sealing(encoded(saysInner, only13(3, 4), wire.Extension{Type: wire.ExtECHOuterExtensions, Data: []byte{0}})),
	{"lacks encrypted_client_hello, which its first had", wire.AlertMissingExtension, hostsECHRetry, wire.Client, hello2(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtEncryptedClientHello) })},
	illegal("is not encrypted as its first was", hostsECHRetry, wire.Client, hello2(echBody(func(e *wire.ECHClientHello) { e.ConfigID++ }))),
	illegal("is not encrypted as its first was", hostsECHRetry, wire.Client, hello2(echBody(func(e *wire.ECHClientHello) { e.Suite.AEAD = wire.AEADChaCha20 }))),
	illegal("is not encrypted as its first was", hostsECHRetry, wire.Client, hello2(echBody(func(e *wire.ECHClientHello) { e.Enc = []byte{1} }))),
	illegal("is not encrypted as its first was", hostsECHRetry, wire.Client, hello2(echBody(func(e *wire.ECHClientHello) { e.Type = wire.ECHInner }))),
	{"the encrypted hello in the client's second ClientHello does not open", wire.AlertDecryptError, hostsECHRetry, wire.Client, hello2(echBody(func(e *wire.ECHClientHello) { e.Payload[0] ^= 1 }))},
	{"the encrypted hello in the client's second ClientHello does not open", wire.AlertDecryptError, hostsECHRetry, wire.Client, hello2(func(m *wire.ClientHello) { m.Random[0] ^= 1 })},
	{"does not parse", wire.AlertDecodeError, hostsECHRetry, wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtEncryptedClientHello, 0) })},
	{"does not parse", wire.AlertDecodeError, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtEncryptedClientHello, 1, 42) })},
	illegal("a value that is not allowed", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtEncryptedClientHello, 2) })),
	illegal("second ClientHello differs", only(wire.TLS13, retry), wire.Client, hello2(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtEncryptedClientHello, 1) })),
	{"GetEncryptedClientHelloKeys failed for this client: the vault is locked", wire.AlertInternalError, then(hostsECH, func(_, s *host) { s.echFails = errors.New("the vault is locked") }), wire.Client, nil},

	{"and sends configs to try again", wire.AlertUnsupportedExtension, hostsECH, wire.Server, says13(wire.ExtEncryptedClientHello, 0, 4, 1, 2, 0, 0)},
	{"that we did not send: encrypted_client_hello", wire.AlertUnsupportedExtension, hosts13, wire.Server, says13(wire.ExtEncryptedClientHello, 0, 4, 1, 2, 0, 0)},
	{"that we did not send: encrypted_client_hello", wire.AlertUnsupportedExtension, both(concealed, serverOnly12, unopened), wire.Server, says(wire.ExtEncryptedClientHello, 0, 4, 1, 2, 0, 0)},
	{"does not parse", wire.AlertDecodeError, hostsNoECH, wire.Server, says13(wire.ExtEncryptedClientHello, 0, 1, 1)},
	illegal("and does not confirm that in its ServerHello", hostsECHRetry, wire.Server, second(wire.TypeServerHello, serverHello(func(m *wire.ServerHello) { m.Random[31] ^= 1 }))),
	{"does not parse", wire.AlertDecodeError, hostsECHRetry, wire.Server, once(wire.TypeServerHello, says(wire.ExtEncryptedClientHello, 1, 2))},
	{"that we did not send: encrypted_client_hello", wire.AlertUnsupportedExtension, hostsRetry, wire.Server, once(wire.TypeServerHello, says(wire.ExtEncryptedClientHello, 1, 2, 3, 4, 5, 6, 7, 8))},
	{"the server did not take our encrypted hello, and has proved that it speaks for \"example.test\"", wire.AlertECHRequired, hostsNoECH, wire.Server, nil},
	{"the server did not take our encrypted hello", wire.AlertECHRequired, only(wire.TLS13, concealedInVain, retry), wire.Server, nil},
	{"the server did not take our encrypted hello", wire.AlertECHRequired, both(concealed, serverOnly12, unopened), wire.Server, nil},
	{"the server picked a PSK, and we offered none", wire.AlertUnsupportedExtension, then(hostsPSK, concealedInVain), wire.Server, says(wire.ExtPreSharedKey, 0, 0)},

	{"the public key of the ECHConfig cannot be used", wire.AlertInternalError, then(hostsECH, func(c, _ *host) { c.config.ECH.Config.PublicKey = []byte{1} }), wire.Server, nil},
	{"no randomness could be had", wire.AlertInternalError, then(hostsECH, func(c, _ *host) { c.config.Rand = noReader{} }), wire.Server, nil},
	{"the key log could not be written", wire.AlertInternalError, then(hostsECH, logs(0)), wire.Server, nil},
	{"the key log could not be written", wire.AlertInternalError, then(hostsECH, logs(1)), wire.Server, nil},
}

// Nothing of the inner hello is anywhere in what goes over the wire in the clear.
func TestNothingOfTheInnerHelloIsSeen(t *testing.T) {
	for name, hosts := range map[string]func(testing.TB) (client, server *host){
		"taken": hostsECH, "retried": hostsECHRetry, "not taken": hostsNoECH, "resumed": then(hostsPSK, concealed), "resumed in vain": then(hostsPSK, concealedInVain),
	} {
		c, s := hosts(t)
		c.config.ServerName = "secret.test"
		if c.offer != nil {
			c.offer.ServerName = c.config.ServerName
		}
		l := connect(c, s)
		l.tamper = func(_ wire.Role, rec []byte) [][]byte {
			if bytes.Contains(rec, []byte("secret.test")) || c.offer != nil && bytes.Contains(rec, c.offer.Ticket) {
				t.Errorf("%s: the name or the ticket stands in the clear", name)
			}
			return [][]byte{rec}
		}
		l.run()
	}
}

// How long the encrypted hello is does not tell how long the name in it is. RFC 9849 §6.1.3.
func TestPaddingHidesTheName(t *testing.T) {
	lengths := map[int]bool{}
	for _, name := range []string{"", "a.test", "example.test", "a-rather-long-name.example.test"} {
		c, s := hostsECH(t)
		c.config.ServerName = name
		l := connect(c, s)
		l.client.hooks.Message = func(m trace.Message) {
			var hello wire.ClientHello
			var e wire.ECHClientHello
			if m.Raw[0] == byte(wire.TypeClientHello) && wire.Decode(&hello, m.Raw[wire.HeaderLen:], m.Context, nil) == nil {
				hello.Extensions.Read(wire.ExtEncryptedClientHello, e.Read)
				lengths[len(e.Payload)] = true
			}
		}
		l.run()
	}
	if len(lengths) != 1 {
		t.Errorf("names of different lengths give encrypted hellos of %v bytes", lengths)
	}
}
