package rogue

import (
	stdtls "crypto/tls"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// sides holds one value for each side, by its role.
type sides[T any] [3]T

var roles = [...]wire.Role{wire.Client, wire.Server}

// Flow is one shape of connection.
type Flow struct {
	Version wire.Version
	Suite   wire.CipherSuite
	Name    string // of what is special about it; see String
	set     []setting
	resumes bool      // a session of the flow before
	further wire.Role // begins a further handshake; zero for none
}

// A setting changes the configs of both sides.
type setting func(client, server *tls.Config)

func (f *Flow) String() string {
	s := fmt.Sprintf("%v %v", f.Version, f.Suite)
	if f.Name != "" {
		s += ", " + f.Name
	}
	return s
}

// Flows are all of them: each version with each kind of key exchange that it has,
// each cipher construction, and what else makes messages come and go.
var Flows = slices.Concat(
	in(wire.SSL30,
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_RSA_WITH_RC4_128_MD5},
		Flow{Suite: wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_DH_anon_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA, Name: "client certificate", set: sets(clientAuth)},
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA, Name: "no client certificate", set: sets(askClient)},
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA, Name: "resumption by ID", set: sets(ids), resumes: true},
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA, Name: "renegotiation by the client", further: wire.Client},
	),
	in(wire.TLS10,
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_DHE_DSS_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Name: "client certificate", set: sets(clientAuth)},
		Flow{Suite: wire.TLS_ECDH_anon_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_RSA_WITH_NULL_SHA},
		Flow{Suite: wire.TLS_PSK_WITH_3DES_EDE_CBC_SHA},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Name: "resumption by ID", set: sets(ids), resumes: true},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Name: "without extended master secret", set: sets(plainMaster)},
	),
	in(wire.TLS11,
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA},
		Flow{Suite: wire.TLS_RSA_PSK_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_DHE_PSK_WITH_AES_128_CBC_SHA},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Name: "resumption by ticket", set: sets(tickets), resumes: true},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Name: "renegotiation by the server", further: wire.Server},
	),
	in(wire.TLS12,
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, Name: "MAC then encrypt", set: sets(macThenEncrypt)},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8},
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_PSK_WITH_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_PSK_WITH_AES_128_GCM_SHA256, Name: "with a hint", set: sets(hint)},
		Flow{Suite: wire.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256},
		Flow{Suite: wire.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "client certificate", set: sets(clientAuth)},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "no client certificate", set: sets(askClient)},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "new ticket, staple", set: sets(newTicket, staple)},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "without extended master secret", set: sets(plainMaster)},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "resumption by ID", set: sets(ids), resumes: true},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "resumption by ticket", set: sets(tickets), resumes: true},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "renegotiation by the client", further: wire.Client},
		Flow{Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "renegotiation by the server, client certificate", set: sets(clientAuth), further: wire.Server},
		Flow{Suite: wire.TLS_RSA_WITH_AES_128_GCM_SHA256, Name: "compression", set: sets(compression)},
	),
	in(wire.TLS13,
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256},
		Flow{Suite: wire.TLS_CHACHA20_POLY1305_SHA256, Name: "RSA", set: sets(rsaIdentity)},
		Flow{Suite: wire.TLS_AES_256_GCM_SHA384, Name: "client certificate, staple", set: sets(clientAuth, staple)},
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256, Name: "no client certificate", set: sets(askClient)},
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256, Name: "retry with a cookie", set: sets(retry)},
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256, Name: "resumption", set: sets(tickets), resumes: true},
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256, Name: "resumption and retry", set: sets(tickets, retry), resumes: true},
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256, Name: "X25519MLKEM768", set: sets(hybrid)},
		Flow{Suite: wire.TLS_AES_128_GCM_SHA256, Name: "a client certificate afterwards", set: sets(afterwards), further: wire.Server},
	),
)

func in(v wire.Version, flows ...Flow) (all []*Flow) {
	for _, f := range flows {
		f.Version = v
		all = append(all, &f)
	}
	return all
}

func sets(s ...setting) []setting { return s }

const serverName = "rogue.test"

// identities are those of both sides.
var identities = sync.OnceValues(func() (*pki, error) {
	ca, err := devca.New(serverName)
	if err != nil {
		return nil, err
	}
	p := &pki{ca: ca, server: map[suite.Auth]tls.Certificate{}, client: map[bool]tls.Certificate{}}
	for auth, key := range map[suite.Auth]devca.KeyType{suite.AuthRSA: devca.RSA, suite.AuthECDSA: devca.ECDSA, suite.AuthDSS: devca.DSA} {
		if p.server[auth], err = ca.Issue(devca.Leaf{Names: []string{serverName}, Key: key}); err != nil {
			return nil, err
		}
	}
	for rsa, key := range map[bool]devca.KeyType{true: devca.RSA, false: devca.ECDSA} {
		if p.client[rsa], err = ca.Issue(devca.Leaf{Names: []string{"someone"}, Key: key, Client: true}); err != nil {
			return nil, err
		}
	}
	return p, nil
})

type pki struct {
	ca     *devca.CA
	server map[suite.Auth]tls.Certificate
	client map[bool]tls.Certificate // with an RSA key or not
}

// certificateOf is the server's for a suite; those of TLS 1.3 leave it open.
func (p *pki) certificateOf(s *suite.Suite) []tls.Certificate {
	switch {
	case s.KeyExchange == wire.KeyExchangeNone:
		return []tls.Certificate{p.server[suite.AuthECDSA]}
	case !s.KeyExchange.Certificate():
		return nil
	}
	return []tls.Certificate{p.server[s.Auth]}
}

// smallGroup is Oakley group 2, of 1024 bits: a handshake with it takes a quarter of
// the time that the smallest group by default takes. RFC 2409 §6.2.
var smallGroup = func() *tls.DHParameters {
	p, _ := hex.DecodeString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF")
	return &tls.DHParameters{P: p, G: []byte{2}}
}()

const pskIdentity, pskKey = "someone", "a key of theirs"

// configs are those of both sides.
func (f *Flow) configs() (client, server *tls.Config, err error) {
	p, err := identities()
	if err != nil {
		return nil, nil, err
	}
	client = &tls.Config{RootCAs: p.ca.Pool(), ServerName: serverName}
	server = &tls.Config{Certificates: p.certificateOf(suite.ByID(f.Suite)), ClientCAs: p.ca.Pool()}
	server.DHE.Parameters, client.DHE.MinBits = smallGroup, 1024
	for _, c := range []*tls.Config{client, server} {
		c.MinVersion, c.MaxVersion, c.CipherSuites = uint16(f.Version), uint16(f.Version), []uint16{uint16(f.Suite)}
		c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
		c.SessionTicketsDisabled = true
		c.HandshakeTimeout = -1 // the network ends by itself
		c.Renegotiation = tls.RenegotiateFreelyAsClient
		c.Renegotiate = tls.Renegotiate{FromClient: true, MinInterval: -1}
		c.InsecureSkipVerify = suite.ByID(f.Suite).Auth == suite.AuthDSS // crypto/x509 knows no DSA
		c.Legacy = tls.Legacy{
			RSAKeyExchange: true, SSL30: true, DSSSigning: true, TripleDES: true, RC4: true,
			NullCiphers: true, Anonymous: true, MD5: true, SmallDH: true, UnsafeRenegotiation: f.Version == wire.SSL30,
		}
		c.PSK = tls.PSK{
			Client: func(string) (string, []byte, error) { return pskIdentity, []byte(pskKey), nil },
			Server: func(identity string) ([]byte, error) {
				if identity != pskIdentity {
					return nil, nil
				}
				return []byte(pskKey), nil
			},
		}
	}
	for _, set := range f.set {
		set(client, server)
	}
	return client, server, nil
}

func clientAuth(c, s *tls.Config) {
	c.Certificates, s.ClientAuth = clientCertificate(c), stdtls.RequireAndVerifyClientCert
}

// clientCertificate is what a client has; SSL 3.0 has no elliptic curves.
func clientCertificate(c *tls.Config) []tls.Certificate {
	p, err := identities()
	if err != nil {
		return nil
	}
	return []tls.Certificate{p.client[c.MaxVersion == uint16(wire.SSL30)]}
}

func askClient(_, s *tls.Config) { s.ClientAuth = stdtls.VerifyClientCertIfGiven }

// afterwards has the client hold a certificate for when it is asked.
func afterwards(c, _ *tls.Config) { c.Certificates, c.PostHandshakeAuth = clientCertificate(c), true }

func tickets(c, s *tls.Config) {
	c.SessionTicketsDisabled, s.SessionTicketsDisabled = false, false
	c.ClientSessionCache = new(onlySession)
}

func newTicket(c, s *tls.Config) {
	tickets(c, s)
	c.ClientSessionCache = noSession{}
}

func ids(c, s *tls.Config) {
	c.ClientSessionCache, s.Resumption.Store = new(onlySession), new(onlyBlob)
}

func staple(_, s *tls.Config) {
	cert := s.Certificates[0]
	cert.OCSPStaple = []byte("an OCSP response")
	s.Certificates = []tls.Certificate{cert}
}

func plainMaster(c, s *tls.Config) {
	c.Legacy.NoExtendedMasterSecret, s.Legacy.NoExtendedMasterSecret = true, true
}

func macThenEncrypt(c, s *tls.Config) {
	c.Legacy.NoEncryptThenMAC, s.Legacy.NoEncryptThenMAC = true, true
}

func hint(_, s *tls.Config)        { s.PSK.Hint = "which key?" }
func compression(c, s *tls.Config) { c.Legacy.Compression, s.Legacy.Compression = true, true }

func rsaIdentity(_, s *tls.Config) {
	if p, err := identities(); err == nil {
		s.Certificates = []tls.Certificate{p.server[suite.AuthRSA]}
	}
}

func retry(_, s *tls.Config) {
	s.CurvePreferences, s.HelloRetryCookie = []tls.CurveID{tls.CurveP256}, true
}

func hybrid(c, s *tls.Config) {
	c.CurvePreferences = []tls.CurveID{tls.X25519MLKEM768, tls.X25519}
	s.CurvePreferences = c.CurvePreferences
}
