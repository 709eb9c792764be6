package tls

import (
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/wire"
)

// meantFor is a certificate of p whose key is for these uses alone.
func (p *pki) meantFor(kind string, use x509.KeyUsage) Certificate {
	key := newKey(kind)
	leaf := p.issue(&x509.Certificate{DNSNames: []string{"example.test"}, KeyUsage: use}, key)
	return Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// keyUses are keys that are used for what their certificates do not allow, and one that
// is not.
var keyUses = []struct {
	name, kind string
	version    uint16
	suite      uint16 // 0 for the default
	use        x509.KeyUsage
	missing    string
}{
	{"TLS 1.3, for agreement", "ecdsa-p256", VersionTLS13, 0, x509.KeyUsageKeyAgreement, "digitalSignature"},
	{"TLS 1.3, for encryption", "rsa2048", VersionTLS13, 0, x509.KeyUsageKeyEncipherment, "digitalSignature"},
	{"TLS 1.2, for encryption", "rsa2048", VersionTLS12, 0, x509.KeyUsageKeyEncipherment, "digitalSignature"},
	{"TLS 1.2, for signing", "rsa2048", VersionTLS12, TLS_RSA_WITH_AES_128_GCM_SHA256, x509.KeyUsageDigitalSignature, "keyEncipherment"},
	{"TLS 1.3, for signing", "ecdsa-p256", VersionTLS13, 0, x509.KeyUsageDigitalSignature, ""},
}

// A key is used for what it is meant for where the chain is verified. Else, and with
// AnyKeyUsage, it is taken as crypto/tls takes it, and State tells of it, after a
// resumption too.
func TestAKeyIsUsedForWhatItIsMeantFor(t *testing.T) {
	p := testPKI()
	for _, x := range keyUses {
		for _, verify := range []bool{true, false} {
			for _, legacy := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/verified %v/AnyKeyUsage %v", x.name, verify, legacy), func(t *testing.T) {
					client, server := p.client(), &Config{Certificates: []Certificate{p.meantFor(x.kind, x.use)}}
					at(x.version, client, server)
					if x.suite != 0 {
						client.CipherSuites, server.CipherSuites = []uint16{x.suite}, []uint16{x.suite}
						client.Legacy.RSAKeyExchange, server.Legacy.RSAKeyExchange = true, true
					}
					client.InsecureSkipVerify, client.Legacy.AnyKeyUsage = !verify, legacy
					client.ClientSessionCache = NewLRUClientSessionCache(1)
					if x.missing != "" && verify && !legacy {
						c, _, clientErr, serverErr := connectInMemory(client, server)
						refusedBoth(t, c, serverErr, clientErr, wire.AlertUnsupportedCertificate)
						if !errors.As(clientErr, new(*certcheck.Error)) {
							t.Errorf("the client says %v", clientErr)
						}
						return
					}
					for _, resumed := range []bool{false, true} {
						c, s := mustConnect(t, client, server)
						bringTickets(t, c, s)
						if c.ConnectionState().DidResume != resumed || c.State().MissingKeyUsage != x.missing {
							t.Errorf("resumed %v, missing %q; want %v, %q", !resumed, c.State().MissingKeyUsage, resumed, x.missing)
						}
					}
					std, stdServer := toStd(client), toStd(server)
					std.InsecureSkipVerify = !verify
					a, b := memoryPipe()
					if err, _ := shake(stdtls.Client(a, std), stdtls.Server(b, stdServer)); err != nil {
						t.Errorf("crypto/tls: %v", err)
					}
				})
			}
		}
	}
}

// A server heeds what its clients' keys are meant for where it verifies their chains.
func TestAClientsKeyIsUsedForWhatItIsMeantFor(t *testing.T) {
	p := testPKI()
	for _, version := range bothVersions {
		for auth := RequestClientCert; auth <= RequireAndVerifyClientCert; auth++ {
			for _, legacy := range []bool{true, false} {
				t.Run(fmt.Sprintf("%s/%v/%v", VersionName(version), auth, legacy), func(t *testing.T) {
					client, server := p.client(), p.server("ecdsa-p256")
					at(version, client, server)
					own := p.meantFor("ecdsa-p256", x509.KeyUsageKeyAgreement)
					client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &own, nil }
					server.ClientAuth, server.ClientCAs, server.Legacy.AnyKeyUsage = auth, p.roots, legacy
					c, s, clientErr, serverErr := connectInMemory(client, server)
					if auth >= VerifyClientCertIfGiven && !legacy {
						refusedBoth(t, c, clientErr, serverErr, wire.AlertUnsupportedCertificate)
						return
					}
					if clientErr != nil || serverErr != nil || s.State().MissingKeyUsage != "digitalSignature" {
						t.Errorf("client: %v; server: %v; missing %q", clientErr, serverErr, s.State().MissingKeyUsage)
					}
				})
			}
		}
	}
}
