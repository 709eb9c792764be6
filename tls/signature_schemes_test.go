package tls

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// SignatureSchemes limit what the peer signs with, in its order, and nothing else.
func TestSignatureSchemes(t *testing.T) {
	p := testPKI()
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		client, server := p.client(), p.server("rsa2048")
		client.MaxVersion = version
		client.SignatureSchemes = []SignatureScheme{PSSWithSHA512, PSSWithSHA256}
		c, _, err, _ := connect(t, client, server)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.State().ServerSignature; got != wire.RSAPSSRSAESHA512 {
			t.Errorf("%s: signed with %v", VersionName(version), got)
		}
		client.SignatureSchemes = []SignatureScheme{ECDSAWithP256AndSHA256}
		if _, _, err, _ := connect(t, client, server); err == nil {
			t.Errorf("%s: an RSA key signed for a client that verifies ECDSA", VersionName(version))
		}
		client.SignatureSchemes = []SignatureScheme{PKCS1WithSHA1}
		if _, _, err, _ := connect(t, client, server); err == nil {
			t.Errorf("%s: SHA-1 without its switch", VersionName(version))
		}
	}
}

// What a server asks for does not switch on what is off: a client without
// Legacy.SHA1Signatures shows no certificate to one that verifies SHA-1 alone.
func TestClientsDoNotSignWithWhatIsOff(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("rsa2048")
	client.MaxVersion, client.Certificates = VersionTLS12, p.server("rsa2048").Certificates
	client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &client.Certificates[0], nil }
	server.ClientAuth, server.Legacy.SHA1Signatures = RequestClientCert, true
	server.SignatureSchemes = []SignatureScheme{PKCS1WithSHA1}
	for _, on := range []bool{false, true} {
		client.Legacy.SHA1Signatures = on
		_, s, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		if got := s.State().ClientSignature; (got == wire.RSAPKCS1SHA1) != on {
			t.Errorf("switch %v: signed with %v", on, got)
		}
	}
}

// SHA-224 is for old peers that sign: we sign nothing over it, whatever is asked for and
// switched on, and TLS 1.3 has no such signatures.
func TestSHA224IsForVerifyingAlone(t *testing.T) {
	p := testPKI()
	for _, kind := range []string{"rsa2048", "ecdsa-p256"} {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			client, server := p.client(), p.server(kind)
			client.MaxVersion, client.Legacy.SHA224Signatures, server.Legacy.SHA224Signatures = version, true, true
			client.SignatureSchemes = []SignatureScheme{PKCS1WithSHA224, ECDSAWithSHA224}
			_, _, clientErr, serverErr := connect(t, client, server)
			if clientErr == nil || serverErr == nil {
				t.Errorf("%s, %s: it signed", kind, VersionName(version))
				continue
			}
			expectAlert(t, wire.AlertHandshakeFailure, serverErr, wire.AlertHandshakeFailure)
		}
		client, server := p.client(), p.server(kind)
		client.SignatureSchemes = []SignatureScheme{PKCS1WithSHA224}
		if _, _, err, _ := connect(t, client, server); err == nil {
			t.Error("SHA-224 without its switch")
		}
	}
}
