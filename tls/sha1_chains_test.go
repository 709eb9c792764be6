package tls

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A chain that is signed over SHA-1 is good for nobody without the switch, also once it was
// taken by a Config that has it.
func TestSHA1Chains(t *testing.T) {
	p := testPKI()
	old := p.certificate("ecdsa-p256", &x509.Certificate{DNSNames: []string{"example.test"}, SignatureAlgorithm: x509.ECDSAWithSHA1})
	for _, version := range bothVersions {
		for _, allowed := range []bool{true, false} {
			client, server := p.client(), &Config{Certificates: []Certificate{old}}
			at(version, client, server)
			client.Legacy.SHA1Chains = allowed
			_, _, clientErr, serverErr := connectInMemory(client, server)
			check := func(what string, err error) {
				t.Helper()
				fault, _ := errors.AsType[*HandshakeError](err)
				if allowed && err != nil || !allowed && (fault == nil || fault.Received || fault.Alert != wire.AlertBadCertificate) {
					t.Errorf("%s, %s, allowed %v: %v", VersionName(version), what, allowed, err)
				}
			}
			check("the server's", clientErr)
			if allowed && serverErr != nil {
				t.Error(serverErr)
			}
			client, server = p.client(), p.server("ecdsa-p256")
			at(version, client, server)
			server.ClientAuth, server.ClientCAs, server.Legacy.SHA1Chains = RequireAndVerifyClientCert, p.roots, allowed
			client.Certificates = []Certificate{old}
			_, _, _, serverErr = connectInMemory(client, server)
			check("the client's", serverErr)
		}
	}
}
