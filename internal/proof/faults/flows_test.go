package faults

import (
	"context"
	"encoding/hex"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// flow is a way in which a whole connection can go.
type flow struct {
	name string
	// set makes the configs, which are used by many connections at once, different
	// from a pair that trusts each other and speaks one version.
	version        wire.Version
	set            func(client, server *tls.Config)
	client, server []step
	resumes        string // what it resumes by, after a connection that is not counted
	// is tells from the state after an undisturbed run that it was this flow.
	is func(client, server tls.State) bool

	pair  [2]*tls.Config
	count [2]int // bytes that each side sends
}

// talk is a question and an answer, in that order.
var (
	ask    = []step{handshake, send(40), receive(70)}
	answer = []step{handshake, receive(40), send(70)}
	closes = []step{closeWrite, receiveEnd}
	closed = []step{receiveEnd, closeWrite}
)

func steps(parts ...any) (all []step) {
	for _, p := range parts {
		switch p := p.(type) {
		case step:
			all = append(all, p)
		case func(*side) error:
			all = append(all, p)
		case []step:
			all = append(all, p...)
		default:
			panic(p)
		}
	}
	return all
}

var (
	asks    = steps(ask, closes)
	answers = steps(answer, closed)
)

func suite(ids ...wire.CipherSuite) func(client, server *tls.Config) {
	return func(client, server *tls.Config) {
		for _, id := range ids {
			client.CipherSuites, server.CipherSuites = append(client.CipherSuites, uint16(id)), append(server.CipherSuites, uint16(id))
		}
	}
}

// both runs each of fs on a pair of configs.
func both(fs ...func(client, server *tls.Config)) func(client, server *tls.Config) {
	return func(client, server *tls.Config) {
		for _, f := range fs {
			f(client, server)
		}
	}
}

func withRSA(_, server *tls.Config) { server.Certificates = []tls.Certificate{testPKI().rsa} }

func withClientCertificate(client, server *tls.Config) {
	client.Certificates = []tls.Certificate{testPKI().client}
	server.ClientAuth = tls.RequireAndVerifyClientCert
}

func withClientCertificateLater(client, _ *tls.Config) {
	client.Certificates = []tls.Certificate{testPKI().client}
	client.PostHandshakeAuth = true
}

func freely(client, server *tls.Config) {
	client.Renegotiation = tls.RenegotiateFreelyAsClient
	for _, c := range []*tls.Config{client, server} {
		c.Renegotiate = tls.Renegotiate{FromClient: true, MinInterval: -1}
	}
}

func withPSK(client, server *tls.Config) {
	server.Certificates = nil
	client.PSK.Client = func(string) (string, []byte, error) { return "me", []byte("a key that both know"), nil }
	server.PSK.Server = func(string) ([]byte, error) { return []byte("a key that both know"), nil }
}

func anonymous(_, server *tls.Config) { server.Certificates = nil }

// smallDH has a prime of 1024 bits, RFC 2409 §6.2, and a client that takes it.
func smallDH(client, server *tls.Config) {
	p := must(hex.DecodeString("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff"))
	server.DHE.Parameters = &tls.DHParameters{P: p, G: []byte{2}}
	client.DHE.MinBits = 1024
	client.CurvePreferences = []tls.CurveID{tls.X25519}
}

func retried(_, server *tls.Config) { server.CurvePreferences = []tls.CurveID{tls.CurveP256} }

func withStore(_, server *tls.Config) {
	server.SessionTicketsDisabled, server.Resumption.Store = true, newShelf()
}

var background = context.Background

var flows = []*flow{
	{name: "SSL 3.0 RSA", version: wire.SSL30, set: both(withRSA, suite(wire.TLS_RSA_WITH_AES_128_CBC_SHA)),
		is: func(c, _ tls.State) bool { return c.KeyExchange == "RSA" }},
	{name: "TLS 1.0 RSA CBC", version: wire.TLS10, set: both(withRSA, suite(wire.TLS_RSA_WITH_AES_128_CBC_SHA)),
		is: func(c, _ tls.State) bool { return c.KeyExchange == "RSA" }},
	{name: "TLS 1.1 DHE", version: wire.TLS11, set: both(withRSA, smallDH, suite(wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA)),
		is: func(c, _ tls.State) bool { return c.KeyExchange == "DHE_RSA" || c.KeyExchange == "DHE" }},
	{name: "TLS 1.2 ECDHE", version: wire.TLS12,
		is: func(c, _ tls.State) bool { return c.Group == wire.GroupX25519 && c.ExtendedMasterSecret }},
	{name: "TLS 1.2 RSA", version: wire.TLS12, set: both(withRSA, suite(wire.TLS_RSA_WITH_AES_128_GCM_SHA256)),
		is: func(c, _ tls.State) bool { return c.KeyExchange == "RSA" }},
	{name: "TLS 1.2 client certificate", version: wire.TLS12, set: withClientCertificate,
		is: func(_, s tls.State) bool { return len(s.PeerCertificates) == 1 }},
	{name: "TLS 1.2 ticket", version: wire.TLS12, resumes: "ticket"},
	{name: "TLS 1.2 session ID", version: wire.TLS12, set: withStore, resumes: "id"},
	{name: "TLS 1.2 PSK", version: wire.TLS12, set: both(withPSK, suite(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)),
		is: func(_, s tls.State) bool { return s.PSKIdentity == "me" }},
	{name: "TLS 1.2 anonymous DH", version: wire.TLS12, set: both(anonymous, smallDH, suite(wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256)),
		is: func(c, _ tls.State) bool { return len(c.PeerCertificates) == 0 && c.DHBits == 1024 }},
	{name: "TLS 1.2 renegotiation by the client", version: wire.TLS12, set: freely,
		client: steps(ask, renegotiate, send(30), receive(20), closes), server: steps(answer, receive(30), send(20), closed),
		is: func(c, s tls.State) bool { return c.Renegotiations == 1 && s.Renegotiations == 1 }},
	{name: "TLS 1.2 renegotiation by the server", version: wire.TLS12, set: freely,
		client: steps(ask, receive(30), send(20), closes), server: steps(answer, renegotiate, send(30), receive(20), closed),
		is: func(c, s tls.State) bool { return c.Renegotiations == 1 && s.Renegotiations == 1 }},
	{name: "TLS 1.3", version: wire.TLS13,
		is: func(c, _ tls.State) bool { return c.Resumption == "none" && !c.HelloRetry }},
	{name: "TLS 1.3 client certificate", version: wire.TLS13, set: withClientCertificate,
		is: func(_, s tls.State) bool { return len(s.PeerCertificates) == 1 }},
	{name: "TLS 1.3 HelloRetryRequest", version: wire.TLS13, set: retried,
		is: func(c, s tls.State) bool { return c.HelloRetry && s.HelloRetry }},
	{name: "TLS 1.3 PSK", version: wire.TLS13, resumes: "psk"},
	{name: "TLS 1.3 authentication later", version: wire.TLS13, set: withClientCertificateLater,
		client: steps(ask, receive(30), send(20), closes), server: steps(answer, requestCertificate, send(30), receive(20), closed),
		is: func(_, s tls.State) bool { return len(s.PeerCertificates) == 1 }},
	{name: "TLS 1.3 KeyUpdate", version: wire.TLS13,
		client: steps(ask, updateKeys, send(30), receive(20), closes), server: steps(answer, receive(30), updateKeys, send(20), closed),
		is: func(c, _ tls.State) bool { return c.Version == wire.TLS13 }},
	{name: "TLS 1.3 much data", version: wire.TLS13, set: inSmallRecords,
		client: steps(handshake, send(600), receive(700), send(1), receive(1), closes), server: steps(handshake, receive(600), send(700), receive(1), send(1), closed),
		is: func(c, _ tls.State) bool { return c.Version == wire.TLS13 }},
}

func inSmallRecords(client, server *tls.Config) {
	client.Record.MaxFragment, server.Record.MaxFragment = 100, 100
}

// prepare makes the configs, with a session to resume where the flow does that.
func (f *flow) prepare(t *testing.T) {
	f.pair[0], f.pair[1] = defaults(f.version)
	if f.set != nil {
		f.set(f.pair[0], f.pair[1])
	}
	if f.client == nil {
		f.client, f.server = asks, answers
	}
	if f.resumes != "" {
		f.resumable(t)
	}
	f.measure(t)
}

// defaults are configs of one version that trust each other.
func defaults(v wire.Version) (client, server *tls.Config) {
	p := testPKI()
	client = &tls.Config{RootCAs: p.roots, ServerName: serverName}
	server = &tls.Config{Certificates: []tls.Certificate{p.server}, ClientCAs: p.roots, SessionTicketsDisabled: false}
	for _, c := range []*tls.Config{client, server} {
		c.Time = clockAt(today)
		c.MinVersion, c.MaxVersion = uint16(v), uint16(v)
		c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
		c.HandshakeTimeout = patience
		c.Legacy = tls.Legacy{RSAKeyExchange: true, SSL30: true, SmallDH: true, SmallRSA: true, Anonymous: true}
	}
	return client, server
}

// resumable has the client get a session, and keeps it: each connection that
// follows resumes the same.
func (f *flow) resumable(t *testing.T) {
	client := f.pair[0]
	cache := tls.NewLRUClientSessionCache(1)
	client.ClientSessionCache = cache
	c, s := f.honest(t)
	if c.err != nil || s.err != nil {
		t.Fatalf("the connection that makes the session: client: %v, server: %v", c.err, s.err)
	}
	client.ClientSessionCache = &frozen{kept: cache}
	if shelf, ok := f.pair[1].Resumption.Store.(*shelf); ok {
		shelf.freeze()
	}
}

// measure runs the flow undisturbed, sees that it is what it is said to be, and
// counts its bytes.
func (f *flow) measure(t *testing.T) {
	c, s := f.honest(t)
	if c.err != nil || s.err != nil {
		t.Fatalf("undisturbed: client: %v, server: %v", c.err, s.err)
	}
	if f.is != nil && !f.is(c.state, s.state) || c.state.Version != f.version || f.resumes != "" && (c.state.Resumption != f.resumes || s.state.Resumption != f.resumes) {
		t.Fatalf("this is no %s: %+v, %+v", f.name, c.state, s.state)
	}
	f.count = [2]int{c.wire.sent, s.wire.sent}
}
