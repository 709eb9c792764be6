//go:build valgrind && linux && amd64

package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// exchanges are handshakes with every key schedule and every kind of premaster.
// The names of the suites say which.
var exchanges = []struct {
	version wire.Version
	suite   wire.CipherSuite
	group   wire.NamedGroup
}{
	{wire.SSL30, wire.TLS_RSA_WITH_AES_128_CBC_SHA, 0},
	{wire.SSL30, wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, wire.GroupFFDHE2048},
	{wire.TLS10, wire.TLS_RSA_WITH_AES_128_CBC_SHA, 0},
	{wire.TLS11, wire.TLS_DH_anon_WITH_AES_128_CBC_SHA, wire.GroupFFDHE2048},
	{wire.TLS12, wire.TLS_RSA_WITH_AES_128_CBC_SHA256, 0},
	{wire.TLS12, wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, wire.GroupP256},
	{wire.TLS12, wire.TLS_PSK_WITH_AES_128_GCM_SHA256, 0},
	{wire.TLS12, wire.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, wire.GroupFFDHE2048},
	{wire.TLS12, wire.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, wire.GroupX25519},
	{wire.TLS12, wire.TLS_RSA_PSK_WITH_AES_256_GCM_SHA384, 0},
	{wire.TLS13, wire.TLS_AES_128_GCM_SHA256, wire.GroupX25519MLKEM768},
	{wire.TLS13, wire.TLS_AES_256_GCM_SHA384, wire.GroupFFDHE2048},
}

// handshakeOperations are whole connections between a client and a server of
// ours, with all secrets of the key schedule marked from the premaster on.
func handshakeOperations(newKey func() (*rsa.PrivateKey, error)) (all []operation) {
	for _, x := range exchanges {
		s := suite.ByID(x.suite)
		name := fmt.Sprintf("handshake/%v %s", x.version, s.Name)
		add := func(what string, run func(p *pair) error) {
			all = append(all, operation{name + what, func() error {
				p, err := newPair(newKey, x.version, s, x.group)
				if err != nil {
					return err
				}
				return run(p)
			}})
		}
		add("", func(p *pair) error { return p.connect(nil, false) })
		if s.KeyExchange.PSK() {
			add(", wrong key", (*pair).wrongPSK)
		}
		if s.KeyExchange == wire.KeyExchangeRSA {
			add(", wrong premaster", (*pair).wrongPremaster)
		}
		if s.KeyExchange.Share() != wire.ShareNone && !s.KeyExchange.PSK() && x.version >= wire.TLS12 || x.version == wire.TLS13 {
			add(", resumed", (*pair).resume)
		}
	}
	return all
}

// pair is a client and a server that agree on one thing only.
type pair struct{ client, server *tls.Config }

// wholeLegacy are the switches that the exchanges need.
var wholeLegacy = tls.Legacy{RSAKeyExchange: true, SSL30: true, Anonymous: true}

func newPair(newKey func() (*rsa.PrivateKey, error), v wire.Version, s *suite.Suite, group wire.NamedGroup) (*pair, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: "example.test"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	p := new(pair)
	for _, c := range []**tls.Config{&p.client, &p.server} {
		*c = &tls.Config{
			MinVersion: uint16(v), MaxVersion: uint16(v), CipherSuites: []uint16{uint16(s.ID)},
			Legacy: wholeLegacy, Trace: marks(s), HandshakeTimeout: time.Hour, // valgrind is slow
			PSK: tls.PSK{
				Client: func(string) (string, []byte, error) { return "someone", []byte("a pre-shared key"), nil },
				Server: func(string) ([]byte, error) { return []byte("a pre-shared key"), nil },
			},
		}
		if group != 0 {
			(*c).CurvePreferences = []tls.CurveID{tls.CurveID(group)}
		}
	}
	// The certificate is not what this is about.
	p.client.ServerName, p.client.InsecureSkipVerify = "example.test", true
	p.client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	p.server.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: decrypter{key}}}
	return p, nil
}

// decrypter is an RSA key of which all that it decrypts is secret.
type decrypter struct{ *rsa.PrivateKey }

func (d decrypter) Decrypt(r io.Reader, ciphertext []byte, o crypto.DecrypterOpts) ([]byte, error) {
	opened, err := d.PrivateKey.Decrypt(r, ciphertext, o)
	secret(opened)
	return opened, err
}

// roots are the secrets that the others come from; all are marked. An ECDH key
// inside crypto/ecdh is out of reach, but what two of them agree on is not.
var roots = []string{
	"premaster_secret", "shared_secret", "psk", "other_secret", "master_secret",
	"client_verify_data", "server_verify_data", // until it is sent, or compared
}

// marks marks the roots, and takes the mark from what protects records: the
// length of what is in one with CBC, and its type in TLS 1.3, are computed from
// what is secret, and decide how the connection goes on. To open records is an
// operation of its own. What was in them is public in the same sense.
func marks(s *suite.Suite) *trace.Hooks {
	return &trace.Hooks{
		Secret: func(x trace.Secret) {
			switch {
			case slices.Contains(roots, x.Name):
				secret(x.Value)
			case x.Name == "key_block" && s.Cipher.Block != nil, strings.Contains(x.Name, "_traffic_secret"):
				public(x.Value)
			}
		},
		Record: func(r trace.Record) {
			if r.Dir == trace.Received {
				public(r.Plain)
			}
		},
	}
}

// network is one end of a network: what is on it is public.
type network struct {
	net.Conn
	tamper func(records []byte) // before they go, if not nil
}

func (n network) Write(b []byte) (int, error) {
	public(b)
	if n.tamper != nil {
		n.tamper(b)
	}
	return n.Conn.Write(b)
}

// connect shakes hands and sends something in both directions. tamper may change
// what the client writes.
func (p *pair) connect(tamper func([]byte), resumed bool) error {
	left, right := net.Pipe()
	client, server := tls.Client(network{left, tamper}, p.client), tls.Server(network{right, nil}, p.server)
	defer left.Close()
	defer right.Close()
	done := make(chan error, 1)
	go func() { done <- answer(server) }()
	clientErr := ask(client)
	left.Close()
	serverErr := <-done
	if err := errors.Join(clientErr, serverErr); err != nil {
		return err
	}
	if got := client.ConnectionState().DidResume; got != resumed {
		return fmt.Errorf("resumed: %v", got)
	}
	return nil
}

var question, reply = bytes.Repeat([]byte("question "), 30), bytes.Repeat([]byte("answer "), 20)

func ask(c *tls.Conn) error {
	if _, err := c.Write(question); err != nil {
		return err
	}
	return expect(c, reply)
}

func answer(c *tls.Conn) error {
	if err := expect(c, question); err != nil {
		return err
	}
	_, err := c.Write(reply)
	return err
}

func expect(c *tls.Conn, want []byte) error {
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	public(got) // the application's
	if !equal(got, want) {
		return fmt.Errorf("received %q", got)
	}
	return nil
}

func (p *pair) resume() error {
	if err := p.connect(nil, false); err != nil {
		return err
	}
	return p.connect(nil, true)
}

func (p *pair) wrongPSK() error {
	p.client.PSK.Client = func(string) (string, []byte, error) { return "someone", []byte("another key"), nil }
	return refusedHandshake(p.connect(nil, false))
}

// wrongPremaster changes the encrypted premaster, which then has no padding.
func (p *pair) wrongPremaster() error {
	return refusedHandshake(p.connect(func(b []byte) {
		if i := bytes.Index(b, []byte{byte(wire.TypeClientKeyExchange), 0, 1}); i == 5 {
			b[40] ^= 1
		}
	}, false))
}

// refusedHandshake wants the server to have found something wrong with the Finished or the
// record it is in.
func refusedHandshake(err error) error {
	var alert tls.AlertError
	if !errors.As(err, &alert) {
		return fmt.Errorf("got %v, want an alert", err)
	}
	return nil
}
