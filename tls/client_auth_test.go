package tls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// What the server makes of each client certificate under each policy: the
// alert that it refuses with, or accept.
const accept wire.AlertCode = 254

func TestClientAuth(t *testing.T) {
	p := testPKI()
	stranger := strangerCA().certificate("ecdsa-p256", &x509.Certificate{})
	type verdicts [5]wire.AlertCode // by ClientAuthType
	none := verdicts{accept, accept, wire.AlertCertificateRequired, accept, wire.AlertCertificateRequired}
	for version := range map[uint16]bool{VersionTLS12: true, VersionTLS13: true} {
		for _, test := range []struct {
			name string
			cert *Certificate
			want verdicts
		}{
			{"none", nil, none},
			{"wrong CA", &stranger, verdicts{accept, accept, accept, wire.AlertUnknownCA, wire.AlertUnknownCA}},
			{"ecdsa-p256", ref(p.certs["ecdsa-p256"]), verdicts{accept, accept, accept, accept, accept}},
			{"ecdsa-p384", ref(p.certs["ecdsa-p384"]), verdicts{accept, accept, accept, accept, accept}},
			{"ecdsa-p521", ref(p.certs["ecdsa-p521"]), verdicts{accept, accept, accept, accept, accept}},
			{"ed25519", ref(p.certs["ed25519"]), verdicts{accept, accept, accept, accept, accept}},
			{"rsa2048", ref(p.certs["rsa2048"]), verdicts{accept, accept, accept, accept, accept}},
		} {
			for auth := NoClientCert; auth <= RequireAndVerifyClientCert; auth++ {
				t.Run(fmt.Sprintf("%s/%s/%s", VersionName(version), test.name, auth), func(t *testing.T) {
					client, server := p.client(), p.server("rsa2048")
					at(version, client, server)
					server.ClientAuth, server.ClientCAs = auth, p.roots
					if test.cert != nil { // whatever the server says it accepts
						client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return test.cert, nil }
					}
					want := test.want[auth]
					if want == wire.AlertCertificateRequired && version == VersionTLS12 {
						want = wire.AlertHandshakeFailure // RFC 5246 §7.4.6
					}
					c, s, clientErr, serverErr := connectInMemory(client, server)
					if want != accept {
						refusedBoth(t, c, clientErr, serverErr, want)
						return
					}
					if clientErr != nil || serverErr != nil {
						t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
					}
					shown := test.cert != nil && auth != NoClientCert
					state := s.ConnectionState()
					if (len(state.PeerCertificates) == 1) != shown || (s.State().ClientSignature != 0) != shown || (c.State().ClientSignature != 0) != shown {
						t.Errorf("the server knows %d certificates; signatures %v, %v", len(state.PeerCertificates), s.State().ClientSignature, c.State().ClientSignature)
					}
					if verified := shown && auth >= VerifyClientCertIfGiven; (len(state.VerifiedChains) > 0) != verified {
						t.Errorf("%d verified chains", len(state.VerifiedChains))
					}
					exchange(t, c, s)
				})
			}
		}
	}
}

func ref[T any](v T) *T { return &v }

// strangerCA is an authority that nobody here trusts.
func strangerCA() *pki { return authority("ecdsa-p256") }

// authority is a new one, without certificates.
func authority(kind string) *pki {
	p := &pki{roots: x509.NewCertPool(), key: newKey(kind)}
	p.ca = p.issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, p.key)
	p.roots.AddCert(p.ca)
	return p
}

// refusedBoth checks that the server refuses with an alert and that the client
// learns of it, in TLS 1.3 only when it reads.
func refusedBoth(t *testing.T, c *Conn, clientErr, serverErr error, want wire.AlertCode) {
	t.Helper()
	var fault *HandshakeError
	if !errors.As(serverErr, &fault) || fault.Alert != want || fault.Received {
		t.Errorf("server: %v; want the alert %v", serverErr, want)
	}
	if clientErr == nil {
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, clientErr = c.Read(make([]byte, 1))
	}
	if !errors.As(clientErr, &fault) || fault.Alert != want || !fault.Received {
		t.Errorf("client: %v; want the alert %v", clientErr, want)
	}
	var alert AlertError
	if !errors.As(clientErr, &alert) || alert != AlertError(want) {
		t.Errorf("client: %v is no AlertError", clientErr)
	}
}

// What a client is told of the server's wishes, and what its answers do.
func TestGetClientCertificate(t *testing.T) {
	p := testPKI()
	for _, version := range bothVersions {
		var info *CertificateRequestInfo
		answers := map[string]struct {
			cert *Certificate
			err  error
			want bool
		}{
			"a certificate": {cert: ref(p.certs["ed25519"]), want: true},
			"none":          {cert: new(Certificate), want: true},
			"nil":           {},
			"an error":      {err: errors.New("the card is not in the reader")},
		}
		for name, answer := range answers {
			client, server := p.client(), p.server("ecdsa-p256")
			at(version, client, server)
			server.ClientAuth, server.ClientCAs = VerifyClientCertIfGiven, p.roots
			client.GetClientCertificate = func(i *CertificateRequestInfo) (*Certificate, error) {
				info = i
				return answer.cert, answer.err
			}
			_, s, clientErr, _ := connectInMemory(client, server)
			if (clientErr == nil) != answer.want || answer.err != nil && !errors.Is(clientErr, answer.err) {
				t.Errorf("%s: %v", name, clientErr)
			}
			if clientErr == nil && len(s.ConnectionState().PeerCertificates) != len(answer.cert.Certificate) {
				t.Errorf("%s: the server knows %d certificates", name, len(s.ConnectionState().PeerCertificates))
			}
		}
		if info.Version != version || len(info.AcceptableCAs) != 1 || len(info.SignatureSchemes) == 0 || info.Context() == nil {
			t.Errorf("%+v", info)
		}
		for _, kind := range keyKinds {
			if err := info.SupportsCertificate(ref(p.certs[kind])); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		if stranger := strangerCA().certificate("ecdsa-p256", &x509.Certificate{}); info.SupportsCertificate(&stranger) == nil {
			t.Error("a certificate of another authority is supported")
		}
	}
}

// Of its Certificates a client shows the first that the server says it accepts.
func TestClientPicksItsCertificate(t *testing.T) {
	p := testPKI()
	stranger := strangerCA().certificate("ecdsa-p256", &x509.Certificate{})
	for _, version := range bothVersions {
		client, server := p.client(), p.server("ecdsa-p256")
		at(version, client, server)
		server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
		client.Certificates = []Certificate{stranger, p.certs["ecdsa-p384"], p.certs["rsa2048"]}
		_, s := mustConnect(t, client, server)
		if got := s.ConnectionState().PeerCertificates[0].Subject.CommonName; got != "ecdsa-p384" {
			t.Errorf("the client showed %s", got)
		}
	}
}

// A client that proves nothing is not let in: the signature is by another key.
func TestClientWithAnotherKey(t *testing.T) {
	p := testPKI()
	for _, version := range bothVersions {
		for _, kind := range keyKinds {
			client, server := p.client(), p.server("ecdsa-p256")
			at(version, client, server)
			server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
			thief := p.certs[kind]
			thief.PrivateKey = newKey(kind)
			client.Certificates = []Certificate{thief}
			c, _, clientErr, serverErr := connectInMemory(client, server)
			refusedBoth(t, c, clientErr, serverErr, wire.AlertDecryptError)
		}
	}
}

// The same for a server.
func TestServerWithAnotherKey(t *testing.T) {
	for _, version := range bothVersions {
		for _, kind := range keyKinds {
			client, server := testPKI().client(), testPKI().server(kind)
			at(version, client, server)
			server.Certificates = []Certificate{server.Certificates[0]}
			server.Certificates[0].PrivateKey = newKey(kind)
			_, _, clientErr, _ := connectInMemory(client, server)
			var fault *HandshakeError
			if !errors.As(clientErr, &fault) || fault.Alert != wire.AlertDecryptError {
				t.Errorf("%s, %s: %v", VersionName(version), kind, clientErr)
			}
		}
	}
}

// The server reads nothing before it knows who the client is.
func TestRefusedClientReadsNothing(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, testPKI().roots
	a, b := memoryPipe()
	c, s := Client(a, client), Server(b, server)
	go func() { io.WriteString(c, "secret") }()
	if n, err := s.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("read %d, %v", n, err)
	}
	s.Close()
}
