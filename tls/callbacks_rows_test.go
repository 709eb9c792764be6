package tls

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A callback is something of the application's that a connection calls.
type callback struct {
	name string
	role wire.Role // of the side that has it
	set  func(own, peer *Config, hit func())
}

// netConn is the name of the connection below, which is in no Config.
const netConn = "net.Conn"

// callbacks has a row for each that Config may hold, by the name of its field.
var callbacks = []callback{
	{"Rand", wire.Client, func(own, _ *Config, hit func()) { own.Rand = hitReader{hit} }},
	{"Rand", wire.Server, func(own, _ *Config, hit func()) { own.Rand = hitReader{hit} }},
	{"Time", wire.Client, func(own, _ *Config, hit func()) { own.Time = func() time.Time { hit(); return time.Now() } }},
	{"Time", wire.Server, func(own, _ *Config, hit func()) { own.Time = func() time.Time { hit(); return time.Now() } }},
	{"Certificates.PrivateKey", wire.Client, setKey},
	{"Certificates.PrivateKey", wire.Server, setKey},
	{"NameToCertificate.PrivateKey", wire.Server, func(own, peer *Config, hit func()) {
		setKey(own, peer, hit)
		own.NameToCertificate = map[string]*Certificate{"example.test": &own.Certificates[0]}
	}},
	{"GetCertificate", wire.Server, func(own, _ *Config, hit func()) {
		cert := own.Certificates[0]
		own.Certificates = nil
		own.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { hit(); return &cert, nil }
	}},
	{"GetClientCertificate", wire.Client, func(own, _ *Config, hit func()) {
		cert := own.Certificates[0]
		own.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { hit(); return &cert, nil }
	}},
	{"GetConfigForClient", wire.Server, func(own, _ *Config, hit func()) {
		own.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { hit(); return nil, nil }
	}},
	{"HandshakeTurn", wire.Client, setTurn},
	{"HandshakeTurn", wire.Server, setTurn},
	{"VerifyPeerCertificate", wire.Client, setVerifyPeer},
	{"VerifyPeerCertificate", wire.Server, setVerifyPeer},
	{"VerifyConnection", wire.Client, setVerifyConnection},
	{"VerifyConnection", wire.Server, setVerifyConnection},
	{"Revocation.Fetcher", wire.Client, setFetcher},
	{"Revocation.Fetcher", wire.Server, setFetcher},
	{"Revocation.ListsNow", wire.Client, setListsNow},
	{"Revocation.ListsNow", wire.Server, setListsNow},
	{"RootCAs", wire.Client, func(own, _ *Config, hit func()) { own.RootCAs = constrained(hit) }},
	{"ClientCAs", wire.Server, func(own, _ *Config, hit func()) { own.ClientCAs = constrained(hit) }},
	{"ClientSessionCache", wire.Client, func(own, _ *Config, hit func()) {
		own.ClientSessionCache = hitCache{own.ClientSessionCache, hit}
	}},
	{"Stapling.ForIssuer", wire.Client, setForIssuer},
	{"Stapling.ForIssuer", wire.Server, setForIssuer},
	{"UnwrapSession", wire.Server, func(own, _ *Config, hit func()) {
		own.WrapSession = own.EncryptTicket
		own.UnwrapSession = func(identity []byte, cs ConnectionState) (*SessionState, error) {
			hit()
			return own.DecryptTicket(identity, cs)
		}
	}},
	{"WrapSession", wire.Server, func(own, _ *Config, hit func()) {
		own.UnwrapSession = own.DecryptTicket
		own.WrapSession = func(cs ConnectionState, s *SessionState) ([]byte, error) { hit(); return own.EncryptTicket(cs, s) }
	}},
	{"KeyLogWriter", wire.Client, func(own, _ *Config, hit func()) { own.KeyLogWriter = hitWriter{hit} }},
	{"KeyLogWriter", wire.Server, func(own, _ *Config, hit func()) { own.KeyLogWriter = hitWriter{hit} }},
	{"EncryptedClientHelloRejectionVerify", wire.Client, func(own, peer *Config, hit func()) {
		own.EncryptedClientHelloConfigList = must(ECHConfigList(must(GenerateECHKey(publicName, ECHKeyOptions{}))))
		own.EncryptedClientHelloRejectionVerify = func(ConnectionState) error { hit(); return nil }
	}},
	{"GetEncryptedClientHelloKeys", wire.Server, func(own, peer *Config, hit func()) {
		key := must(GenerateECHKey(publicName, ECHKeyOptions{}))
		peer.EncryptedClientHelloConfigList = must(ECHConfigList(key))
		own.GetEncryptedClientHelloKeys = func(*ClientHelloInfo) ([]EncryptedClientHelloKey, error) {
			hit()
			return []EncryptedClientHelloKey{key}, nil
		}
	}},
	{"PSK.Client", wire.Client, func(own, peer *Config, hit func()) { setPSK(own, peer, hit, func() {}) }},
	{"PSK.Server", wire.Server, func(own, peer *Config, hit func()) { setPSK(peer, own, func() {}, hit) }},
	{"Resumption.Store", wire.Server, func(own, peer *Config, hit func()) {
		own.SessionTicketsDisabled, peer.SessionTicketsDisabled = true, true
		own.Resumption.Store = hitStore{session.NewMemory(1 << 20), hit}
	}},
	{"Record.Padding", wire.Client, setPadding},
	{"Record.Padding", wire.Server, setPadding},
	{"Trace.Connection", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Connection = func() *trace.Hooks { hit(); return nil } })},
	{"Trace.Connection", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Connection = func() *trace.Hooks { hit(); return nil } })},
	{"Trace.Record", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Record = func(trace.Record) { hit() } })},
	{"Trace.Record", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Record = func(trace.Record) { hit() } })},
	{"Trace.Message", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Message = func(trace.Message) { hit() } })},
	{"Trace.Message", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Message = func(trace.Message) { hit() } })},
	{"Trace.Inner", wire.Client, setInner},
	{"Trace.Inner", wire.Server, setInner},
	{"Trace.Secret", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Secret = func(trace.Secret) { hit() } })},
	{"Trace.Secret", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Secret = func(trace.Secret) { hit() } })},
	{"Trace.Keys", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Keys = func(trace.Keys) { hit() } })},
	{"Trace.Keys", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Keys = func(trace.Keys) { hit() } })},
	{"Trace.Choice", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Choice = func(trace.Choice) { hit() } })},
	{"Trace.Choice", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Choice = func(trace.Choice) { hit() } })},
	{"Trace.Alert", wire.Client, setTrace(func(h *trace.Hooks, hit func()) { h.Alert = func(trace.Alert) { hit() } })},
	{"Trace.Alert", wire.Server, setTrace(func(h *trace.Hooks, hit func()) { h.Alert = func(trace.Alert) { hit() } })},
	{netConn, wire.Client, func(*Config, *Config, func()) {}},
	{netConn, wire.Server, func(*Config, *Config, func()) {}},
}

func setKey(own, _ *Config, hit func()) {
	cert := own.Certificates[0]
	cert.PrivateKey = hitSigner{cert.PrivateKey.(crypto.Signer), hit}
	own.Certificates = []Certificate{cert}
}

// setInner has the client hide its hello, whichever side it is.
func setInner(own, peer *Config, hit func()) {
	key := must(GenerateECHKey(publicName, ECHKeyOptions{}))
	for _, c := range []*Config{own, peer} {
		c.EncryptedClientHelloConfigList, c.EncryptedClientHelloKeys = must(ECHConfigList(key)), []EncryptedClientHelloKey{key}
	}
	own.Trace = &trace.Hooks{Inner: func(trace.Inner) { hit() }}
}

func setTurn(own, _ *Config, hit func()) {
	own.HandshakeTurn = func(context.Context) (func(), error) { hit(); return func() {}, nil }
}

func setVerifyPeer(own, _ *Config, hit func()) {
	own.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { hit(); return nil }
}

func setVerifyConnection(own, _ *Config, hit func()) {
	own.VerifyConnection = func(ConnectionState) error { hit(); return nil }
}

// setFetcher has the peer show a certificate that names an OCSP responder.
func setFetcher(own, peer *Config, hit func()) {
	root := newIssuer(nil)
	responder := must(asn1.Marshal([]struct {
		Method   asn1.ObjectIdentifier
		Location asn1.RawValue
	}{{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1}, asn1.RawValue{Class: 2, Tag: 6, Bytes: []byte("http://ocsp.example/")}}}))
	peer.Certificates = []Certificate{*root.issue(pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}, Value: responder})}
	own.RootCAs, own.ClientCAs, own.ServerName = root.pool(), root.pool(), "example.com"
	own.Revocation = &revocation.Checker{Mode: revocation.Soft, Fetcher: hitFetcher{hit}}
}

// setListsNow asks for lists of revoked certificates.
func setListsNow(own, peer *Config, hit func()) {
	setFetcher(own, peer, func() {})
	own.Revocation = &revocation.Checker{Mode: revocation.Soft, ListsNow: func() []*revocation.List { hit(); return nil }}
}

// setForIssuer has a chain of two.
func setForIssuer(own, peer *Config, hit func()) {
	peer.Stapling.AskForChain = true
	cert := own.Certificates[0]
	cert.Certificate = append(slices.Clone(cert.Certificate), testPKI().ca.Raw)
	own.Certificates = []Certificate{cert}
	own.Stapling.ForIssuer = func([]byte) []byte { hit(); return nil }
}

type hitFetcher struct{ hit func() }

func (f hitFetcher) Fetch(context.Context, revocation.Request) ([]byte, error) {
	f.hit()
	return nil, io.EOF
}

func setPadding(own, _ *Config, hit func()) {
	own.Record.Padding = func(int) int { hit(); return 0 }
}

func setTrace(one func(*trace.Hooks, func())) func(own, peer *Config, hit func()) {
	return func(own, _ *Config, hit func()) {
		own.Trace = new(trace.Hooks)
		one(own.Trace, hit)
	}
}

func setPSK(client, server *Config, ofClient, ofServer func()) {
	server.ClientAuth = NoClientCert
	for _, c := range []*Config{client, server} {
		c.CipherSuites = []uint16{uint16(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)}
	}
	client.PSK.Client = func(string) (string, []byte, error) { ofClient(); return "id", []byte("key"), nil }
	server.PSK.Server = func(string) ([]byte, error) { ofServer(); return []byte("key"), nil }
}

// constrained is a pool that asks the application about each chain.
func constrained(hit func()) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCertWithConstraint(testPKI().ca, func([]*x509.Certificate) error { hit(); return nil })
	return pool
}

type hitReader struct{ hit func() }

func (r hitReader) Read(p []byte) (int, error) { r.hit(); return rand.Read(p) }

type hitWriter struct{ hit func() }

func (w hitWriter) Write(p []byte) (int, error) { w.hit(); return len(p), nil }

type hitSigner struct {
	crypto.Signer
	hit func()
}

func (s hitSigner) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.hit()
	return s.Signer.Sign(random, digest, opts)
}

type hitCache struct {
	ClientSessionCache
	hit func()
}

func (c hitCache) Get(key string) (*ClientSessionState, bool) {
	c.hit()
	return c.ClientSessionCache.Get(key)
}
func (c hitCache) Put(key string, s *ClientSessionState) { c.hit(); c.ClientSessionCache.Put(key, s) }

type hitStore struct {
	session.Store
	hit func()
}

func (s hitStore) Get(ctx context.Context, key string) ([]byte, error) {
	s.hit()
	return s.Store.Get(ctx, key)
}

func (s hitStore) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	s.hit()
	return s.Store.Put(ctx, key, blob, expiry)
}

type hitConn struct {
	net.Conn
	hit func()
}

func (c hitConn) Read(p []byte) (int, error)  { c.hit(); return c.Conn.Read(p) }
func (c hitConn) Write(p []byte) (int, error) { c.hit(); return c.Conn.Write(p) }
func (c hitConn) Close() error                { c.hit(); return c.Conn.Close() }

// codeIn appends the names of what may be the application's code in t.
func codeIn(t reflect.Type, name string, names []string) []string {
	switch {
	case t == reflect.TypeFor[*x509.CertPool](), t.Kind() == reflect.Func, t.Kind() == reflect.Interface:
		return append(names, name)
	case t == reflect.TypeFor[*x509.Certificate](), t == reflect.TypeFor[time.Time]():
		return names
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return codeIn(t.Elem(), name, names)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				names = codeIn(f.Type, strings.TrimPrefix(name+"."+f.Name, "."), names)
			}
		}
	}
	return names
}

func TestEveryCallbackHasARow(t *testing.T) {
	want := append(codeIn(reflect.TypeFor[Config](), "", nil), netConn)
	want = slices.DeleteFunc(want, func(name string) bool { // a connection of ours calls neither
		return name == "Trace.Gap" || name == "Trace.End"
	})
	for _, name := range want {
		if !slices.ContainsFunc(callbacks, func(c callback) bool { return c.name == name }) {
			t.Errorf("callbacks lacks %s: what becomes of a panic in it?", name)
		}
	}
	for _, c := range callbacks {
		if !slices.Contains(want, c.name) {
			t.Errorf("callbacks has %s, which may not be set", c.name)
		}
	}
}
