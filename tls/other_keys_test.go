package tls

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// Keys that crypto/x509 does not know, made by internal/otherkeys/testdata/make.sh.

func otherFile(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("../internal/otherkeys/testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func otherPair(t testing.TB, name string) Certificate {
	t.Helper()
	pair, err := X509KeyPair(otherFile(t, name), otherFile(t, name+"-key"))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return pair
}

// otherConfigs trust the authority of the test data, and have a moment at which its
// certificates are valid.
func otherConfigs(t testing.TB) (client, server *Config) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(otherFile(t, "ca"))
	client, server = new(Config), new(Config)
	for _, c := range []*Config{client, server} {
		c.RootCAs, c.ClientCAs, c.ServerName = roots, roots, "example.test"
		c.Time = func() time.Time { return time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) }
	}
	return client, server
}

var (
	pssKeySchemes = []SignatureScheme{PSSKeyWithSHA256, PSSKeyWithSHA384, PSSKeyWithSHA512}
	allSchemes    = append(convert[SignatureScheme](defaultSchemes), append(pssKeySchemes, Ed448)...)
	otherKeySigns = map[string]SignatureScheme{
		"pss": PSSKeyWithSHA256, "pss256": PSSKeyWithSHA256, "pss384": PSSKeyWithSHA384, "pss512": PSSKeyWithSHA512, "ed448": Ed448,
	}
)

// setRole gives the configs a certificate for the side, and has the other one verify it
// with these schemes. The other side has an ordinary key.
func setRole(t testing.TB, client, server *Config, side wire.Role, cert Certificate, schemes []SignatureScheme) {
	t.Helper()
	if side == wire.Server {
		server.Certificates, client.SignatureSchemes = []Certificate{cert}, schemes
		return
	}
	server.Certificates = []Certificate{otherPair(t, "rsa")}
	client.Certificates = []Certificate{cert}
	server.ClientAuth, server.SignatureSchemes = RequireAndVerifyClientCert, schemes
}

// Each of these keys authenticates either side in TLS 1.2 and 1.3, where its schemes are
// listed, and signs by what its parameters allow.
func TestOtherKeys(t *testing.T) {
	for name, want := range otherKeySigns {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			for _, side := range []wire.Role{wire.Client, wire.Server} {
				t.Run(strings.Join([]string{name, VersionName(version), side.String()}, "/"), func(t *testing.T) {
					client, server := otherConfigs(t)
					setRole(t, client, server, side, otherPair(t, name), allSchemes)
					client.MaxVersion = version
					c, s, clientErr, serverErr := connect(t, client, server)
					if clientErr != nil || serverErr != nil {
						t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
					}
					for _, conn := range []*Conn{c, s} {
						state := conn.State()
						got := map[wire.Role]wire.SignatureScheme{wire.Client: state.ClientSignature, wire.Server: state.ServerSignature}[side]
						if uint16(state.Version) != version || SignatureScheme(got) != want {
							t.Errorf("%v saw a signature by %v in %v", conn.role, got, state.Version)
						}
					}
					exchange(t, c, s)
				})
			}
		}
	}
}

// Without their names the schemes are off: nobody signs by them, nor asks for it.
func TestOtherKeysAreOffUnlessNamed(t *testing.T) {
	for name := range otherKeySigns {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			client, server := otherConfigs(t)
			setRole(t, client, server, wire.Server, otherPair(t, name), nil)
			client.MaxVersion = version
			if _, _, clientErr, serverErr := connect(t, client, server); clientErr == nil || serverErr == nil {
				t.Errorf("%s, %s: the client took it", name, VersionName(version))
			} else {
				expectAlert(t, wire.AlertHandshakeFailure, serverErr, wire.AlertHandshakeFailure)
			}
			client, server = otherConfigs(t)
			setRole(t, client, server, wire.Client, otherPair(t, name), nil)
			client.MaxVersion, server.ClientAuth = version, RequestClientCert
			_, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			if state := s.State(); len(state.PeerCertificates) != 0 || state.ClientSignature != 0 {
				t.Errorf("%s, %s: the client showed it", name, VersionName(version))
			}
		}
	}
}

// A peer that signs with one of the two kinds of RSA key as if it were the other is
// refused, and a key for signatures alone opens no premaster.
func TestOtherKeysUsedAsAnotherKind(t *testing.T) {
	type lie struct {
		shown, pretended string // the certificate that is sent, and the one whose key it is taken for
		rule             string
	}
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for _, side := range []wire.Role{wire.Client, wire.Server} {
			for _, l := range []lie{
				{"pss", "rsa", "signed with rsa_pss_rsae_sha256, which does not fit its key (RSA-PSS-2048)"},
				{"rsa", "pss", "signed with rsa_pss_pss_sha256, which does not fit its key (RSA-2048)"},
				{"pss384", "pss256", "signed with rsa_pss_pss_sha256, which does not fit its key (RSA-PSS-2048)"},
				{"ed448", "rsa", "does not fit its key (Ed448)"},
			} {
				if version == VersionTLS12 && side == wire.Server && l.shown == "ed448" {
					l.rule = "a key of the wrong kind (Ed448)"
				}
				client, server := otherConfigs(t)
				cert := lying(t, l.shown, l.pretended)
				setRole(t, client, server, side, cert, allSchemes)
				client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &cert, nil }
				client.MaxVersion = version
				_, _, clientErr, serverErr := connect(t, client, server)
				err := map[wire.Role]error{wire.Client: serverErr, wire.Server: clientErr}[side]
				if err == nil || !strings.Contains(err.Error(), l.rule) {
					t.Errorf("%s, a %v with %s as %s: %v", VersionName(version), side, l.shown, l.pretended, err)
					continue
				}
				expectAlert(t, wire.AlertIllegalParameter, err, wire.AlertIllegalParameter)
			}
		}
	}
}

// lying is a certificate that our own side takes for another, and so misuses.
func lying(t testing.TB, shown, pretended string) Certificate {
	t.Helper()
	cert := otherPair(t, shown)
	other := otherPair(t, pretended)
	cert.Leaf, cert.PrivateKey = other.Leaf, other.PrivateKey
	return cert
}

func TestPSSKeysOpenNoPremaster(t *testing.T) {
	staticRSA := func(client, server *Config) {
		for _, c := range []*Config{client, server} {
			c.CipherSuites, c.MaxVersion = []uint16{TLS_RSA_WITH_AES_128_GCM_SHA256}, VersionTLS12
			c.Legacy.RSAKeyExchange, c.Legacy.AnyKeyUsage = true, true
		}
	}
	client, server := otherConfigs(t) // a server that has such a key, as its application holds it
	pair := otherPair(t, "pss")
	pair.PrivateKey = plainRSA(t, "pss")
	setRole(t, client, server, wire.Server, pair, allSchemes)
	staticRSA(client, server)
	if _, _, clientErr, serverErr := connect(t, client, server); clientErr == nil || serverErr == nil || !strings.Contains(serverErr.Error(), "need a private key that can decrypt") {
		t.Errorf("client: %v\nserver: %v", clientErr, serverErr)
	}
	client, server = otherConfigs(t) // a server that misuses it
	pair.Leaf = otherPair(t, "rsa").Leaf
	setRole(t, client, server, wire.Server, pair, allSchemes)
	staticRSA(client, server)
	client.InsecureSkipVerify = true
	_, _, clientErr, _ := connect(t, client, server)
	expectAlert(t, wire.AlertIllegalParameter, clientErr, wire.AlertIllegalParameter)
	if clientErr == nil || !strings.Contains(clientErr.Error(), "a key of the wrong kind (RSA-PSS-2048)") {
		t.Errorf("refused for another reason: %v", clientErr)
	}
}

// plainRSA is the private key of a file without what its parameters say.
func plainRSA(t testing.TB, name string) *rsa.PrivateKey {
	t.Helper()
	block, _ := pem.Decode(otherFile(t, name+"-key"))
	for i := range block.Bytes { // it is the last part
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes[i:]); err == nil {
			return key
		}
	}
	t.Fatal("no key")
	return nil
}

// A signer of the application's own need not know what the certificate says of its key:
// with a Leaf and without one.
func TestPSSCertificateOfAPlainSigner(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for _, side := range []wire.Role{wire.Client, wire.Server} {
			for _, leaf := range []bool{true, false} {
				client, server := otherConfigs(t)
				pair := otherPair(t, "pss384")
				pair.PrivateKey = struct{ crypto.Signer }{plainRSA(t, "pss384")}
				if !leaf {
					pair.Leaf = nil
				}
				setRole(t, client, server, side, pair, allSchemes)
				client.MaxVersion = version
				c, _, clientErr, serverErr := connect(t, client, server)
				if clientErr != nil || serverErr != nil {
					t.Fatal(clientErr, serverErr)
				}
				state := c.State()
				if got := map[wire.Role]wire.SignatureScheme{wire.Client: state.ClientSignature, wire.Server: state.ServerSignature}[side]; got != wire.RSAPSSPSSSHA384 {
					t.Errorf("%s: a %v signed by %v", VersionName(version), side, got)
				}
			}
		}
	}
}

// Up to TLS 1.1 signatures have no names, and these keys nothing to sign with.
func TestOtherKeysAreOfNoUseBeforeTLS12(t *testing.T) {
	for name := range otherKeySigns {
		for _, version := range []uint16{VersionTLS10, VersionTLS11} {
			client, server := otherConfigs(t)
			setRole(t, client, server, wire.Server, otherPair(t, name), allSchemes)
			client.MinVersion, client.MaxVersion, server.MinVersion = version, version, version
			_, _, clientErr, serverErr := connect(t, client, server)
			if clientErr == nil || serverErr == nil {
				t.Errorf("%s, %s: the handshake went on", name, VersionName(version))
				continue
			}
			expectAlert(t, wire.AlertHandshakeFailure, serverErr, wire.AlertHandshakeFailure)
		}
	}
}

// Of several certificates a server takes the one that the client can verify, and a peer
// that lists one scheme gets no other.
func TestCertificateChoiceAmongOtherKeys(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for scheme, subject := range map[SignatureScheme]string{
			PSSKeyWithSHA256: "pss256", PSSKeyWithSHA384: "pss384", Ed448: "ed448", PSSWithSHA256: "rsa",
		} {
			client, server := otherConfigs(t)
			for _, name := range []string{"pss384", "ed448", "rsa", "pss256"} {
				server.Certificates = append(server.Certificates, otherPair(t, name))
			}
			client.SignatureSchemes, client.MaxVersion = []SignatureScheme{scheme}, version
			c, _, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatalf("%s, %v: %v, %v", VersionName(version), scheme, clientErr, serverErr)
			}
			if got := c.State().PeerCertificates[0].Subject.CommonName; got != subject {
				t.Errorf("%s: for %v the server took %s", VersionName(version), scheme, got)
			}
		}
	}
}

// A session is resumed without a signature; what it was bound to stays.
func TestResumingWithOtherKeys(t *testing.T) {
	for name := range otherKeySigns {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			client, server := otherConfigs(t)
			setRole(t, client, server, wire.Server, otherPair(t, name), allSchemes)
			client.Certificates, server.ClientAuth, server.SignatureSchemes = server.Certificates, RequireAndVerifyClientCert, allSchemes
			client.MaxVersion, client.ClientSessionCache = version, NewLRUClientSessionCache(4)
			for i := range 2 {
				c, s, clientErr, serverErr := connect(t, client, server)
				if clientErr != nil || serverErr != nil {
					t.Fatal(clientErr, serverErr)
				}
				if resumed := c.ConnectionState().DidResume; resumed != (i == 1) {
					t.Errorf("%s, %s, connection %d: resumed is %v", name, VersionName(version), i+1, resumed)
				}
				exchange(t, c, s)
			}
		}
	}
}

// The size of an RSA key counts in this kind too.
func TestSmallPSSKeys(t *testing.T) {
	for _, skip := range []bool{false, true} {
		for _, small := range []bool{false, true} {
			client, server := otherConfigs(t)
			setRole(t, client, server, wire.Server, otherPair(t, "pss1024"), allSchemes)
			client.InsecureSkipVerify, client.Legacy.SmallRSA = skip, small
			if _, _, err, _ := connect(t, client, server); (err == nil) != small {
				t.Errorf("unverified %v, Legacy.SmallRSA %v: %v", skip, small, err)
			}
		}
	}
}

func TestLoadingOtherKeys(t *testing.T) {
	for name := range otherKeySigns {
		dir := "../internal/otherkeys/testdata/" + name
		pair, err := LoadX509KeyPair(dir+".pem", dir+"-key.pem")
		if err != nil || pair.Leaf == nil || pair.Leaf.PublicKey != nil || otherkeys.Name(pair.Leaf) == "" {
			t.Errorf("%s: %v", name, err)
		}
		for other := range otherKeySigns {
			if other == name {
				continue
			}
			if _, err := X509KeyPair(otherFile(t, name), otherFile(t, other+"-key")); err == nil {
				t.Errorf("the certificate %s and the key %s are a pair", name, other)
			}
		}
	}
	for name, want := range map[string]string{
		"pss-sha1": "allow none of TLS's signatures", "pss-salt": "allow none of TLS's signatures", "pss-mask": "private key",
	} {
		if _, err := X509KeyPair(otherFile(t, name), otherFile(t, name+"-key")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is named or switched on for handshakes counts for the peer's chain as well.
func TestChainsByOtherKeys(t *testing.T) {
	for leaf, v := range map[string]struct {
		root string
		on   func(*Config)
	}{
		"by-pss":      {"pss-ca", func(c *Config) { c.SignatureSchemes = allSchemes }},
		"by-ed448":    {"ed448-ca", func(c *Config) { c.SignatureSchemes = allSchemes }},
		"by-rsa224":   {"rsa-ca", func(c *Config) { c.Legacy.SHA224Signatures = true }},
		"by-ecdsa224": {"ca", func(c *Config) { c.Legacy.SHA224Signatures = true }},
	} {
		for _, side := range []wire.Role{wire.Client, wire.Server} {
			for _, on := range []bool{false, true} {
				client, server := otherConfigs(t)
				pair := otherPair(t, leaf)
				setRole(t, client, server, side, pair, nil)
				verifier := map[wire.Role]*Config{wire.Client: server, wire.Server: client}[side]
				roots := x509.NewCertPool()
				roots.AppendCertsFromPEM(otherFile(t, v.root))
				verifier.RootCAs, verifier.ClientCAs = roots, roots
				if side == wire.Client {
					client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &pair, nil }
				}
				if on {
					v.on(verifier)
				}
				_, _, clientErr, serverErr := connect(t, client, server)
				err := map[wire.Role]error{wire.Client: serverErr, wire.Server: clientErr}[side]
				if on != (err == nil) {
					t.Errorf("%s of a %v, on %v: %v", leaf, side, on, err)
				} else if !on {
					expectAlert(t, wire.AlertBadCertificate, err, wire.AlertBadCertificate)
				}
			}
		}
	}
}

// A server takes the certificate whose own signature the client can verify.
func TestCertificateChoiceByItsSignature(t *testing.T) {
	for scheme, subject := range map[SignatureScheme]string{Ed448: "by-ed448", PKCS1WithSHA224: "by-rsa224", ECDSAWithSHA224: "by-ecdsa224"} {
		client, server := otherConfigs(t)
		for _, name := range []string{"by-pss", "by-rsa224", "by-ed448", "by-ecdsa224"} {
			server.Certificates = append(server.Certificates, otherPair(t, name))
		}
		client.SignatureSchemes, client.Legacy.SHA224Signatures = []SignatureScheme{ECDSAWithP256AndSHA256, scheme}, true
		client.InsecureSkipVerify = true
		c, _, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		if got := c.State().PeerCertificates[0].Subject.CommonName; got != subject {
			t.Errorf("for %v the server took %s", wire.SignatureScheme(scheme), got)
		}
	}
}
