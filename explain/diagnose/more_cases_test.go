package diagnose_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func init() { meetings = append(meetings, revocationMeetings...) }

// mustStaple is the extension by which a certificate demands a staple. RFC 7633 §4.
func mustStaple(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}})
}

// answered is an OCSP response about a leaf.
func (p *pki) answered(leaf tls.Certificate, status int, from, to time.Duration) []byte {
	p.t.Helper()
	cert, err := x509.ParseCertificate(leaf.Certificate[0])
	if err != nil {
		p.t.Fatal(err)
	}
	der, err := ocsp.CreateResponse(p.middle.cert, p.middle.cert, ocsp.Response{
		Status: status, SerialNumber: cert.SerialNumber, ThisUpdate: time.Now().Add(from), NextUpdate: time.Now().Add(to), RevokedAt: time.Now().Add(-time.Hour), IssuerHash: crypto.SHA1,
	}, p.middle.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return der
}

// revokes is a list of the intermediate with a leaf in it.
func (p *pki) revokes(leaf tls.Certificate) *revocation.List {
	p.t.Helper()
	cert, err := x509.ParseCertificate(leaf.Certificate[0])
	if err != nil {
		p.t.Fatal(err)
	}
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: time.Now().Add(-time.Hour)}},
	}, p.middle.cert, p.middle.key)
	if err != nil {
		p.t.Fatal(err)
	}
	list, err := revocation.ParseCRL(der)
	if err != nil {
		p.t.Fatal(err)
	}
	return list
}

// pskOnly has both sides speak by a pre-shared key.
func pskOnly(s *scene, atServer func(string) ([]byte, error)) {
	for _, c := range []*tls.Config{s.client, s.server} {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{uint16(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)}
	}
	s.client.PSK.Client = func(string) (string, []byte, error) { return "jane", []byte("0123456789abcdef"), nil }
	s.server.PSK.Server = atServer
}

var revocationMeetings = []meeting{
	{"revoked, by a staple", func(p *pki, s *scene) {
		c := p.leaf()
		c.OCSPStaple = p.answered(c, ocsp.Revoked, -time.Hour, time.Hour)
		s.server.Certificates = certificates(c)
	}, wire.Client, "revoked", diagnose.Certain, diagnose.Server},
	{"revoked, by a list", func(p *pki, s *scene) {
		s.client.Revocation = &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{p.revokes(s.server.Certificates[0])}}
	}, wire.Client, "revoked", diagnose.Certain, diagnose.Server},
	{"must staple, and does not", func(p *pki, s *scene) { s.server.Certificates = certificates(p.leaf(mustStaple)) }, wire.Client, "staple-missing", diagnose.Certain, diagnose.Server},
	{"must staple, and the staple is stale", func(p *pki, s *scene) {
		c := p.leaf(mustStaple)
		c.OCSPStaple = p.answered(c, ocsp.Good, -96*time.Hour, -48*time.Hour)
		s.server.Certificates = certificates(c)
	}, wire.Client, "staple-stale", diagnose.Certain, diagnose.Server},
	{"the staple is stale, and an answer is demanded", func(p *pki, s *scene) {
		c := p.leaf()
		c.OCSPStaple = p.answered(c, ocsp.Good, -96*time.Hour, -48*time.Hour)
		s.server.Certificates = certificates(c)
		s.client.Revocation = &revocation.Checker{Mode: revocation.Hard}
	}, wire.Client, "staple-stale", "", diagnose.Server},
	{"a chain with SHA-1", func(p *pki, s *scene) {
		s.server.Certificates = certificates(p.leaf(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }))
	}, wire.Client, "sha1-chain", diagnose.Certain, diagnose.Server},
	{"an intermediate with a small RSA key", func(p *pki, s *scene) {
		p.middle = certify(p.t, p.root, template("Example Intermediate", authority), rsaKeys[1024]())
		s.server.Certificates = certificates(p.leaf())
	}, wire.Client, "weak-key", diagnose.Certain, diagnose.Server},
	{"a small Diffie-Hellman group", func(p *pki, s *scene) {
		for _, c := range []*tls.Config{s.client, s.server} {
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)}
		}
		s.client.DHE.MinBits = 3072
		s.server.Certificates = certificates(p.leafFor(rsaKeys[2048]()))
	}, wire.Client, "dh-too-small", diagnose.Certain, diagnose.Server},
	{"the server's clock is wrong", func(p *pki, s *scene) {
		askClient(p, s)
		s.client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
		s.server.Time = func() time.Time { return time.Now().AddDate(3, 0, 0) }
	}, wire.Client, "clock-of-server", "", diagnose.Clock},
	{"the default certificate is another's", func(p *pki, s *scene) {
		s.client.ServerName = "127.0.0.1"
		s.server.Certificates = certificates(p.leaf(named("default.test")))
	}, wire.Client, "default-certificate", "", ""},
	{"the default certificate is another's, at the server", func(p *pki, s *scene) {
		s.client.ServerName = "127.0.0.1"
		s.server.Certificates = certificates(p.leaf(named("default.test")))
	}, wire.Server, "default-certificate", diagnose.Likely, ""},
	{"another pre-shared key", func(_ *pki, s *scene) {
		pskOnly(s, func(string) ([]byte, error) { return []byte("another key here"), nil })
	}, wire.Client, "psk-wrong", "", ""},
	{"another pre-shared key, at the server", func(_ *pki, s *scene) {
		pskOnly(s, func(string) ([]byte, error) { return []byte("another key here"), nil })
	}, wire.Server, "psk-wrong", "", ""},
	{"an identity that the server hides not to know", func(_ *pki, s *scene) {
		pskOnly(s, func(string) ([]byte, error) { return nil, nil })
	}, wire.Client, "psk-wrong", diagnose.Likely, ""},
	{"a certificate that is for clients alone", func(p *pki, s *scene) {
		s.server.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
	}, wire.Client, "purpose", diagnose.Certain, diagnose.Server},
	{"an intermediate that is no authority", func(p *pki, s *scene) {
		p.middle = certify(p.t, p.root, template("Example Intermediate"), nil)
		s.server.Certificates = certificates(p.leaf())
	}, wire.Client, "certificate-rule", diagnose.Certain, diagnose.Server},
	{"client certificate not valid yet", func(p *pki, s *scene) {
		askClient(p, s)
		s.client.Certificates = certificates(p.leaf(valid(24*time.Hour, 48*time.Hour)))
	}, wire.Client, "client-certificate-early", "", diagnose.Clock},
	{"a client that keeps its reason to itself", func(_ *pki, s *scene) {
		s.client.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("no") }
	}, wire.Server, "certificate-refused", diagnose.Likely, ""},
	{"a server that keeps its reason to itself", func(p *pki, s *scene) {
		askClient(p, s)
		s.client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
		s.server.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("no") }
	}, wire.Client, "client-certificate-refused", diagnose.Likely, ""},
	{"client certificate revoked", func(p *pki, s *scene) {
		askClient(p, s)
		c := p.leaf(purpose(x509.ExtKeyUsageClientAuth))
		s.client.Certificates = certificates(c)
		s.server.Revocation = &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{p.revokes(c)}}
	}, wire.Client, "client-certificate-revoked", diagnose.Certain, diagnose.Client},
}

// greets answers a hello by a ServerHello of TLS 1.2 and what follows it, and then by an alert
// to whatever comes next.
func greets(suite wire.CipherSuite, x wire.Extensions, then ...wire.AlertCode) reaction {
	return func(conn net.Conn, _ *street) {
		sh := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuite: suite, Extensions: x, NoExtensions: len(x) == 0}
		flight := wire.AppendMessage(nil, sh, wire.Context{Version: wire.TLS12, From: wire.Server})
		if len(then) > 0 {
			flight = wire.AppendMessage(flight, &wire.ServerHelloDone{}, wire.Context{Version: wire.TLS12, From: wire.Server})
		}
		conn.Write(append([]byte{22, 3, 3, byte(len(flight) >> 8), byte(len(flight))}, flight...))
		io.ReadFull(conn, make([]byte, 5))
		for _, code := range then {
			conn.Write([]byte{21, 3, 3, 0, 2, 2, byte(code)})
		}
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
	}
}

func init() { calls = append(calls, scripted...) }

// scripted are cases with servers that no engine of ours would be.
var scripted = []call{
	{"a server without RFC 5746", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion, client.Renegotiate.RequireSecure = tls.VersionTLS12, true
		return s.minds(always, greets(wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, nil), server)
	}, "legacy-renegotiation", diagnose.Certain, diagnose.Server},
	{"an identity that the server does not know", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion, client.CipherSuites = tls.VersionTLS12, []uint16{uint16(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)}
		client.PSK.Client = func(string) (string, []byte, error) { return "jane", []byte("0123456789abcdef"), nil }
		return s.minds(always, greets(wire.TLS_PSK_WITH_AES_128_GCM_SHA256, wire.Extensions{{Type: wire.ExtRenegotiationInfo, Data: []byte{0}}}, wire.AlertUnknownPSKIdentity), server)
	}, "psk-identity", diagnose.Certain, ""},
	{"a server without extended master secret", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion, client.RequireExtendedMasterSecret = tls.VersionTLS12, true
		return s.minds(always, greets(wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.Extensions{{Type: wire.ExtRenegotiationInfo, Data: []byte{0}}}), server)
	}, "no-extended-master-secret", diagnose.Certain, diagnose.Server},
	{"a ServerHello that breaks a rule", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion = tls.VersionTLS12
		return s.minds(always, greets(wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.Extensions{{Type: 0x7777}}), server)
	}, "broken-rule", diagnose.Certain, diagnose.Server},
}
