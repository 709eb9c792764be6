package tls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A small RSA key signs for nobody, whether somebody asks who has issued it or
// not, unless SmallRSA is set.
func TestSmallRSAOfTheLeaf(t *testing.T) {
	p := testPKI()
	small := p.certificate("rsa1024", &x509.Certificate{DNSNames: []string{"example.test"}})
	stranger := strangerCA().certificate("rsa1024", &x509.Certificate{DNSNames: []string{"example.test"}})
	for _, version := range bothVersions {
		for _, allowed := range []bool{false, true} {
			for name, verify := range map[string]bool{"verified": true, "not verified": false} {
				t.Run(fmt.Sprintf("%s/%v/the server's, %s", VersionName(version), allowed, name), func(t *testing.T) {
					client, server := p.client(), &Config{Certificates: []Certificate{small}}
					at(version, client, server)
					client.Legacy.SmallRSA, client.InsecureSkipVerify = allowed, !verify
					if !verify {
						server.Certificates[0] = stranger
					}
					_, _, clientErr, serverErr := connectInMemory(client, server)
					if allowed {
						if clientErr != nil || serverErr != nil {
							t.Errorf("client: %v; server: %v", clientErr, serverErr)
						}
						return
					}
					var fault *HandshakeError
					if !errors.As(clientErr, &fault) || fault.Alert != wire.AlertUnsupportedCertificate || fault.Received {
						t.Errorf("the client says %v", clientErr)
					}
				})
			}
			for auth := RequestClientCert; auth <= RequireAndVerifyClientCert; auth++ {
				t.Run(fmt.Sprintf("%s/%v/the client's, %v", VersionName(version), allowed, auth), func(t *testing.T) {
					client, server := p.client(), p.server("ecdsa-p256")
					at(version, client, server)
					server.ClientAuth, server.ClientCAs, server.Legacy.SmallRSA = auth, p.roots, allowed
					client.Certificates = []Certificate{small}
					c, _, clientErr, serverErr := connectInMemory(client, server)
					if !allowed {
						refusedBoth(t, c, clientErr, serverErr, wire.AlertUnsupportedCertificate)
					} else if clientErr != nil || serverErr != nil {
						t.Errorf("client: %v; server: %v", clientErr, serverErr)
					}
				})
			}
		}
	}
}
