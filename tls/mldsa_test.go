package tls

import (
	"crypto"
	"crypto/x509"
	"io"
	"strings"
	"testing"

	"filippo.io/mldsa"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// Keys and certificates of ML-DSA, made by internal/otherkeys/testdata/make-mldsa.sh.
var (
	mldsaSchemes = []SignatureScheme{MLDSA44, MLDSA65, MLDSA87}
	withMLDSA    = append(convert[SignatureScheme](defaultSchemes), mldsaSchemes...)
	mldsaSigns   = map[string]SignatureScheme{"mldsa44": MLDSA44, "mldsa65": MLDSA65, "mldsa87": MLDSA87}
)

// errOf picks the error of the side that judges what side has shown.
func errOf(side wire.Role, clientErr, serverErr error) error {
	return map[wire.Role]error{wire.Client: serverErr, wire.Server: clientErr}[side]
}

// Each set authenticates either side in TLS 1.3, where its scheme is listed.
func TestMLDSA(t *testing.T) {
	for name, want := range mldsaSigns {
		for _, side := range bothRoles {
			client, server := otherConfigs(t)
			setRole(t, client, server, side, otherPair(t, name), []SignatureScheme{ECDSAWithP256AndSHA256, want})
			c, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatalf("%s of a %v: client: %v\nserver: %v", name, side, clientErr, serverErr)
			}
			for _, conn := range []*Conn{c, s} {
				state := conn.State()
				got := map[wire.Role]wire.SignatureScheme{wire.Client: state.ClientSignature, wire.Server: state.ServerSignature}[side]
				if SignatureScheme(got) != want {
					t.Errorf("%s: %v saw a signature by %v", name, conn.role, got)
				}
			}
			exchange(t, c, s)
		}
	}
}

// Where its scheme is not listed nobody signs by it, nor asks for it.
func TestMLDSAIsOffUnlessNamed(t *testing.T) {
	for name, scheme := range mldsaSigns {
		for _, listed := range [][]SignatureScheme{nil, {ECDSAWithP256AndSHA256, MLDSA44 + (scheme-MLDSA44+1)%3}} {
			client, server := otherConfigs(t)
			setRole(t, client, server, wire.Server, otherPair(t, name), listed)
			_, _, clientErr, serverErr := connect(t, client, server)
			if clientErr == nil || serverErr == nil {
				t.Fatalf("%s: a client with %v took it", name, listed)
			}
			expectAlert(t, wire.AlertHandshakeFailure, serverErr, wire.AlertHandshakeFailure)
			client, server = otherConfigs(t)
			setRole(t, client, server, wire.Client, otherPair(t, name), listed)
			server.ClientAuth = RequestClientCert
			_, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			if state := s.State(); len(state.PeerCertificates) != 0 || state.ClientSignature != 0 {
				t.Errorf("%s: the client showed it to a server with %v", name, listed)
			}
		}
	}
}

// Up to TLS 1.2 there is no ML-DSA: a server with nothing else has no certificate, and a
// client shows none.
func TestMLDSAIsForTLS13Alone(t *testing.T) {
	for name := range mldsaSigns {
		for _, version := range []uint16{VersionTLS12, VersionTLS11} {
			client, server := otherConfigs(t)
			setRole(t, client, server, wire.Server, otherPair(t, name), withMLDSA)
			client.MinVersion, client.MaxVersion, server.MinVersion = version, version, version
			_, _, clientErr, serverErr := connect(t, client, server)
			if clientErr == nil || serverErr == nil {
				t.Fatalf("%s, %s: the handshake went on", name, VersionName(version))
			}
			expectAlert(t, wire.AlertHandshakeFailure, serverErr, wire.AlertHandshakeFailure)

			client, server = otherConfigs(t)
			pair := otherPair(t, name)
			setRole(t, client, server, wire.Client, pair, withMLDSA)
			client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &pair, nil }
			client.MinVersion, client.MaxVersion, server.MinVersion, server.ClientAuth = version, version, version, RequestClientCert
			_, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			if len(s.State().PeerCertificates) != 0 {
				t.Errorf("%s, %s: the client showed it", name, VersionName(version))
			}
		}
	}
}

// A hello and a CertificateRequest that no TLS 1.3 can follow do not name ML-DSA.
func TestMLDSAIsNotOfferedBefore13(t *testing.T) {
	client, server := otherConfigs(t)
	var shown []SignatureScheme
	server.GetConfigForClient = func(i *ClientHelloInfo) (*Config, error) { shown = i.SignatureSchemes; return nil, nil }
	var asked []SignatureScheme
	client.GetClientCertificate = func(i *CertificateRequestInfo) (*Certificate, error) {
		asked = i.SignatureSchemes
		return new(Certificate), nil
	}
	server.Certificates = []Certificate{otherPair(t, "rsa")}
	client.MaxVersion, client.SignatureSchemes = VersionTLS12, append([]SignatureScheme{MLDSA65}, withMLDSA...)
	server.ClientAuth, server.SignatureSchemes = RequestClientCert, withMLDSA
	if _, _, clientErr, serverErr := connect(t, client, server); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	for what, list := range map[string][]SignatureScheme{"hello": shown, "CertificateRequest": asked} {
		if len(list) == 0 {
			t.Errorf("the %s names nothing", what)
		}
		for _, scheme := range list {
			if scheme >= MLDSA44 && scheme <= MLDSA87 {
				t.Errorf("the %s names %v", what, wire.SignatureScheme(scheme))
			}
		}
	}
	client.SignatureSchemes = mldsaSchemes
	if _, _, err, _ := connect(t, client, server); err == nil || !strings.Contains(err.Error(), "which is for TLS 1.3") {
		t.Errorf("a client of TLS 1.2 with ML-DSA alone: %v", err)
	}
	client.SignatureSchemes, server.SignatureSchemes = nil, mldsaSchemes
	pair := otherPair(t, "mldsa44")
	client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &pair, nil }
	if _, s, clientErr, serverErr := connect(t, client, server); clientErr != nil || serverErr != nil || len(s.State().PeerCertificates) > 0 {
		t.Errorf("a server that can verify nothing in TLS 1.2: %v, %v", clientErr, serverErr)
	}
}

// A peer that signs by another set than its key's, or by another kind, is refused.
func TestMLDSAUsedAsAnotherKind(t *testing.T) {
	for _, l := range []struct{ shown, pretended, rule string }{
		{"mldsa44", "mldsa65", "signed with mldsa65, which does not fit its key (ML-DSA-44)"},
		{"mldsa87", "mldsa44", "signed with mldsa44, which does not fit its key (ML-DSA-87)"},
		{"mldsa65", "rsa", "signed with rsa_pss_rsae_sha256, which does not fit its key (ML-DSA-65)"},
		{"rsa", "mldsa44", "signed with mldsa44, which does not fit its key (RSA-2048)"},
	} {
		for _, side := range bothRoles {
			client, server := otherConfigs(t)
			cert := lying(t, l.shown, l.pretended)
			setRole(t, client, server, side, cert, withMLDSA)
			client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &cert, nil }
			_, _, clientErr, serverErr := connect(t, client, server)
			err := errOf(side, clientErr, serverErr)
			if err == nil || !strings.Contains(err.Error(), l.rule) {
				t.Errorf("a %v with %s as %s: %v", side, l.shown, l.pretended, err)
				continue
			}
			expectAlert(t, wire.AlertIllegalParameter, err, wire.AlertIllegalParameter)
		}
	}
}

// In TLS 1.2 a peer that shows such a key although nobody can use it is refused for that.
func TestMLDSAShownInTLS12(t *testing.T) {
	for _, side := range bothRoles {
		client, server := otherConfigs(t)
		cert := lying(t, "mldsa44", "by-mldsa") // an ECDSA key
		setRole(t, client, server, side, cert, withMLDSA)
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &cert, nil }
		client.MaxVersion = VersionTLS12
		_, _, clientErr, serverErr := connect(t, client, server)
		want := map[wire.Role]string{wire.Client: "does not fit its key (ML-DSA-44)", wire.Server: "a key of the wrong kind (ML-DSA-44)"}[side]
		err := errOf(side, clientErr, serverErr)
		expectAlert(t, wire.AlertIllegalParameter, err, wire.AlertIllegalParameter)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of a %v: %v", side, err)
		}
	}
}

// A signature that is right by the key, and over something else, is refused.
func TestMLDSASignatureOverSomethingElse(t *testing.T) {
	for name := range mldsaSigns {
		for _, side := range bothRoles {
			client, server := otherConfigs(t)
			pair := otherPair(t, name)
			pair.PrivateKey = deaf{pair.PrivateKey.(crypto.Signer)}
			setRole(t, client, server, side, pair, withMLDSA)
			_, _, clientErr, serverErr := connect(t, client, server)
			expectAlert(t, wire.AlertDecryptError, errOf(side, clientErr, serverErr), wire.AlertDecryptError)
		}
	}
}

// deaf signs what it was not asked to.
type deaf struct{ crypto.Signer }

func (d deaf) Sign(random io.Reader, _ []byte, opts crypto.SignerOpts) ([]byte, error) {
	return d.Signer.Sign(random, []byte("something else"), opts)
}

// A key of an application's own, here that of another implementation, signs as well as ours:
// with a Leaf and without one.
func TestMLDSAOfAnotherImplementation(t *testing.T) {
	for name, set := range map[string]mldsa.Parameters{"mldsa44": mldsa.MLDSA44(), "mldsa65": mldsa.MLDSA65(), "mldsa87": mldsa.MLDSA87()} {
		for _, side := range bothRoles {
			client, server := otherConfigs(t)
			pair := otherPair(t, name)
			seed := pair.PrivateKey.(*otherkeys.MLDSAPrivateKey).PKCS8()
			key, err := mldsa.NewPrivateKey(set, seed[len(seed)-mldsa.PrivateKeySize:])
			if err != nil {
				t.Fatal(err)
			}
			if pair.PrivateKey = key; side == wire.Client {
				pair.Leaf = nil
			}
			setRole(t, client, server, side, pair, withMLDSA)
			c, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatalf("%s of a %v: %v, %v", name, side, clientErr, serverErr)
			}
			exchange(t, c, s)
		}
	}
}

// Of several certificates a server takes the one that the client can verify.
func TestMLDSAAmongOtherCertificates(t *testing.T) {
	for scheme, subject := range map[SignatureScheme]string{MLDSA44: "mldsa44", MLDSA87: "mldsa87", PSSWithSHA256: "rsa", Ed448: "ed448"} {
		client, server := otherConfigs(t)
		for _, name := range []string{"mldsa87", "ed448", "rsa", "mldsa44"} {
			server.Certificates = append(server.Certificates, otherPair(t, name))
		}
		client.SignatureSchemes = []SignatureScheme{scheme}
		c, _, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatalf("%v: %v, %v", wire.SignatureScheme(scheme), clientErr, serverErr)
		}
		if got := c.State().PeerCertificates[0].Subject.CommonName; got != subject {
			t.Errorf("for %v the server took %s", wire.SignatureScheme(scheme), got)
		}
	}
	client, server := otherConfigs(t) // an older client, and one of today without names
	server.Certificates = []Certificate{otherPair(t, "mldsa65"), otherPair(t, "rsa")}
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		client.MaxVersion = version
		c, _, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil || c.State().PeerCertificates[0].Subject.CommonName != "rsa" {
			t.Errorf("%s: %v, %v", VersionName(version), clientErr, serverErr)
		}
	}
}

// Sessions are resumed, without a signature, and a certificate is shown after the handshake.
func TestMLDSALater(t *testing.T) {
	client, server := otherConfigs(t)
	setRole(t, client, server, wire.Server, otherPair(t, "mldsa65"), withMLDSA)
	client.Certificates, server.ClientAuth, server.SignatureSchemes = []Certificate{otherPair(t, "mldsa87")}, RequireAndVerifyClientCert, withMLDSA
	client.ClientSessionCache = NewLRUClientSessionCache(4)
	for i := range 2 {
		c, s, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		if resumed := c.ConnectionState().DidResume; resumed != (i == 1) {
			t.Errorf("connection %d: resumed is %v", i+1, resumed)
		}
		exchange(t, c, s)
	}
}

func TestLoadingMLDSA(t *testing.T) {
	for name := range mldsaSigns {
		dir := "../internal/otherkeys/testdata/" + name
		pair, err := LoadX509KeyPair(dir+".pem", dir+"-key.pem")
		if err != nil || pair.Leaf == nil || otherkeys.Name(pair.Leaf) == "" {
			t.Errorf("%s: %v", name, err)
		}
		for other := range mldsaSigns {
			if _, err := X509KeyPair(otherFile(t, name), otherFile(t, other+"-key")); (err == nil) != (other == name) {
				t.Errorf("the certificate %s and the key %s: %v", name, other, err)
			}
		}
	}
	for _, form := range []string{"mldsa44-seed-key", "mldsa44-expanded-key"} {
		if _, err := X509KeyPair(otherFile(t, "mldsa44"), otherFile(t, form)); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
	for _, v := range []struct{ cert, key, want string }{
		{"mldsa44", "mldsa-mixed-key", "the certificate is for another key of ML-DSA-44"},
		{"mldsa44", "rsa-key", "not a key of RSASSA-PSS, Ed448 or ML-DSA"},
		{"mldsa44", "mldsa44", "private key"},
	} {
		if _, err := X509KeyPair(otherFile(t, v.cert), otherFile(t, v.key)); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s with %s: %v", v.cert, v.key, err)
		}
	}
}

// Chains that are of ML-DSA throughout, and in part: each authority's scheme must be listed.
func TestMLDSAChains(t *testing.T) {
	for leaf, v := range map[string]struct {
		root  string
		below []string
		need  []SignatureScheme // beside that of the leaf's own key
	}{
		"by-mldsa":       {"mldsa-ca", nil, []SignatureScheme{MLDSA65}},
		"mldsa-by-mldsa": {"mldsa-ca", nil, []SignatureScheme{MLDSA44, MLDSA65}},
		"mldsa-mixed":    {"ca", []string{"mldsa-below"}, []SignatureScheme{MLDSA44, MLDSA87}},
		"mldsa44":        {"ca", nil, []SignatureScheme{MLDSA44}},
	} {
		for _, side := range bothRoles {
			for _, on := range []bool{false, true} {
				client, server := otherConfigs(t)
				pair := otherPair(t, leaf)
				for _, name := range v.below {
					pair.Certificate = append(pair.Certificate, otherPair(t, name).Certificate[0])
				}
				schemes := append(v.need, ECDSAWithP256AndSHA256)
				if !on {
					schemes = append(schemes[:len(v.need)-1], ECDSAWithP256AndSHA256)
				}
				setRole(t, client, server, side, pair, schemes)
				verifier := map[wire.Role]*Config{wire.Client: server, wire.Server: client}[side]
				roots := x509.NewCertPool()
				roots.AppendCertsFromPEM(otherFile(t, v.root))
				verifier.RootCAs, verifier.ClientCAs, client.SessionTicketsDisabled = roots, roots, true
				if side == wire.Client {
					client.RootCAs = x509.NewCertPool()
					client.RootCAs.AppendCertsFromPEM(otherFile(t, "ca"))
					client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &pair, nil }
				}
				_, _, clientErr, serverErr := connect(t, client, server)
				if err := errOf(side, clientErr, serverErr); on != (err == nil) {
					t.Errorf("%s of a %v, listed %v: %v", leaf, side, on, err)
				}
			}
		}
	}
}
