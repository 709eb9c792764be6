package tls

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// Why a client's certificate does not fit: which one it is, what is wrong with it,
// and what the server would take. The state says it, and the error where the server
// insists.
func TestClientCertificateMisfit(t *testing.T) {
	p := testPKI()
	stranger := strangerCA().certificate("ecdsa-p256", &x509.Certificate{Subject: pkix.Name{CommonName: "jane\x1b"}})
	var stale Certificate // signs in no way that the server takes
	for _, c := range []struct {
		name string
		set  func(client, server *Config)
		sent bool
		want []string // in the misfit, all of them
	}{
		{"none at hand", func(_, _ *Config) {}, false, []string{"no certificate is at hand", `"CN=Test CA"`}},
		{"of another authority", func(client, _ *Config) { client.Certificates = []Certificate{stranger} }, false,
			[]string{`that of "CN=jane\x1b" does not fit`, "issuer", `"CN=Test CA"`}},
		{"of another authority, and sent", func(client, _ *Config) {
			client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &stranger, nil }
		}, true, []string{`that of "CN=jane\x1b" does not fit`, `"CN=Test CA"`}},
		{"of a key that is not asked for", func(client, server *Config) {
			client.Certificates = []Certificate{p.certs["rsa2048"]}
			server.SignatureSchemes = []SignatureScheme{ECDSAWithP256AndSHA256}
		}, false, []string{`that of "CN=rsa2048"`, "its key, RSA-2048, cannot sign", "ecdsa_secp256r1_sha256"}},
		{"that may not sign so", func(client, _ *Config) {
			stale = p.certs["ecdsa-p256"]
			stale.SupportedSignatureAlgorithms = []SignatureScheme{ECDSAWithSHA1}
			client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &stale, nil }
		}, false, []string{`that of "CN=ecdsa-p256"`, "cannot sign"}},
		{"two, of which none fits", func(client, _ *Config) { client.Certificates = []Certificate{stranger, stale} }, false,
			[]string{`that of "CN=jane\x1b"`, `that of "CN=ecdsa-p256"`}},
		{"that fits", func(client, _ *Config) { client.Certificates = []Certificate{stranger, p.certs["ecdsa-p256"]} }, true, nil},
	} {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			t.Run(fmt.Sprintf("%s/%s", c.name, VersionName(version)), func(t *testing.T) {
				for _, auth := range []ClientAuthType{RequestClientCert, RequireAndVerifyClientCert} {
					client, server := p.client(), p.server("ecdsa-p256")
					at(version, client, server)
					server.ClientAuth, server.ClientCAs = auth, p.roots
					c.set(client, server)
					conn, _, err, _ := connectInMemory(client, server)
					misfit := conn.State().ClientCertificateMisfit
					if sent := conn.State().ClientSignature != 0; err == nil && sent != c.sent {
						t.Errorf("%v: sent: %v", auth, sent)
					}
					if auth == RequireAndVerifyClientCert && c.want != nil {
						misfit = hintOf(t, conn, err)
					}
					for _, part := range c.want {
						if !strings.Contains(misfit, part) {
							t.Errorf("%v: %q lacks %q", auth, misfit, part)
						}
					}
					if c.want == nil && misfit != "" {
						t.Errorf("%v: it fits, and yet %q", auth, misfit)
					}
				}
			})
		}
	}
}

// hintOf is that of the alert with which the server refuses us.
func hintOf(t *testing.T, conn *Conn, err error) string {
	t.Helper()
	if err == nil { // in TLS 1.3 the refusal comes when our side is done
		conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, err = conn.Read(make([]byte, 1))
	}
	h, ok := errors.AsType[*HandshakeError](err)
	if !ok || !h.Received {
		t.Fatalf("the server did not refuse: %v", err)
	}
	return h.Hint
}

// What a server says fills no log: its lists are cut, and so are its names.
func TestClientCertificateMisfitIsShort(t *testing.T) {
	p := testPKI()
	many := x509.NewCertPool()
	for i := range 50 {
		many.AddCert(p.issue(&x509.Certificate{Subject: pkix.Name{CommonName: fmt.Sprint(strings.Repeat("x", 1000), i)}}, p.key))
	}
	client, server := p.client(), p.server("ecdsa-p256")
	server.ClientAuth, server.ClientCAs = RequestClientCert, many
	client.Certificates = []Certificate{p.certs["ecdsa-p256"]}
	c, _ := mustConnect(t, client, server)
	if misfit := c.State().ClientCertificateMisfit; len(misfit) > 1000 || !strings.Contains(misfit, "47 more") {
		t.Errorf("%d bytes: %.2000s", len(misfit), misfit)
	}
}

// Before TLS 1.2 keys have kinds, and signatures no names.
func TestClientCertificateMisfitOfOldVersions(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("rsa2048")
	at(VersionTLS11, client, server)
	server.ClientAuth = RequestClientCert
	client.Certificates = []Certificate{p.certs["ed25519"]}
	c, _ := mustConnect(t, client, server)
	if misfit := c.State().ClientCertificateMisfit; !strings.Contains(misfit, "Ed25519") || !strings.Contains(misfit, "rsa_sign") {
		t.Errorf("%q", misfit)
	}
}
