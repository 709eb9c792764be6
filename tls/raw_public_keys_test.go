package tls

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// pinOf is the pin of a certificate's key.
func pinOf(c Certificate) [32]byte { return sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo) }

// bareKey is a certificate's key without the certificate.
func bareKey(kind string) Certificate {
	return Certificate{PrivateKey: testPKI().certs[kind].PrivateKey}
}

// rawPair are configs that show each other keys of the kind, and no certificates.
func rawPair(kind string, version uint16) (client, server *Config) {
	keys := RawPublicKeys{Keys: []Certificate{bareKey(kind)}, Pins: [][32]byte{pinOf(testPKI().certs[kind])}}
	client = &Config{MinVersion: version, MaxVersion: version, RawPublicKeys: keys}
	server = &Config{MinVersion: version, MaxVersion: version, RawPublicKeys: keys, ClientAuth: RequireAnyClientCert}
	if version < VersionTLS12 {
		for _, c := range []*Config{client, server} {
			c.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
			c.Legacy.SHA1Signatures = true
		}
	}
	return client, server
}

func TestRawPublicKeys(t *testing.T) {
	for _, version := range []uint16{VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13} {
		for _, kind := range keyKinds {
			if kind == "ed25519" && version < VersionTLS12 {
				continue
			}
			t.Run(VersionName(version)+"/"+kind, func(t *testing.T) {
				t.Parallel()
				client, server := rawPair(kind, version)
				var asked int
				client.VerifyConnection = func(cs ConnectionState) error {
					asked++
					if len(cs.PeerCertificates) != 0 {
						return errors.New("there is a certificate")
					}
					return nil
				}
				c, s, clientErr, serverErr := connect(t, client, server)
				if clientErr != nil || serverErr != nil {
					t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
				}
				want := testPKI().certs[kind].Leaf.RawSubjectPublicKeyInfo
				for _, conn := range []*Conn{c, s} {
					state := conn.State()
					if state.PeerRawPublicKey == nil || !bytes.Equal(state.PeerRawPublicKey.Info, want) || len(state.PeerCertificates) != 0 {
						t.Errorf("%v: the peer's key is %+v beside %d certificates", conn.role, state.PeerRawPublicKey, len(state.PeerCertificates))
					}
					if state.ServerCertificateType != CertificateTypeRawPublicKey || state.ClientCertificateType != CertificateTypeRawPublicKey {
						t.Errorf("types %v and %v", state.ServerCertificateType, state.ClientCertificateType)
					}
					if _, err := conn.ChannelBinding("tls-server-end-point"); err == nil {
						t.Error("a certificate was hashed that there is not")
					}
				}
				if asked != 1 {
					t.Errorf("VerifyConnection was called %d times", asked)
				}
				exchange(t, c, s)
			})
		}
	}
}

// Both sides settle on the first of the server's types that the client has too.
func TestCertificateTypes(t *testing.T) {
	p := testPKI()
	x509Type, raw := CertificateTypeX509, CertificateTypeRawPublicKey
	pins := [][32]byte{pinOf(p.certs["ecdsa-p256"])}
	for name, test := range map[string]struct {
		accept, show []CertificateType
		keys         bool
		want         CertificateType
		alert        wire.AlertCode
	}{
		"both, the key first":         {[]CertificateType{x509Type, raw}, []CertificateType{raw, x509Type}, true, raw, 0},
		"both, the certificate first": {[]CertificateType{raw, x509Type}, []CertificateType{x509Type, raw}, true, x509Type, 0},
		"the certificate's key":       {[]CertificateType{raw}, []CertificateType{raw}, false, raw, 0},
		"the client wants the key":    {[]CertificateType{raw}, []CertificateType{x509Type, raw}, true, raw, 0},
		"nothing in common":           {[]CertificateType{raw}, []CertificateType{x509Type}, false, 0, wire.AlertUnsupportedCertificate},
		"the server has keys alone":   {nil, []CertificateType{raw}, true, 0, wire.AlertUnsupportedCertificate},
	} {
		for _, version := range []uint16{VersionTLS12, VersionTLS13} {
			t.Run(name+"/"+VersionName(version), func(t *testing.T) {
				client, server := p.client(), p.server("ecdsa-p256")
				client.MinVersion, client.MaxVersion = version, version
				if client.RawPublicKeys.Accept = test.accept; test.accept != nil {
					client.RawPublicKeys.Pins = pins
				}
				if server.RawPublicKeys.Show = test.show; test.keys {
					server.RawPublicKeys.Keys = []Certificate{bareKey("ecdsa-p256")}
				}
				c, _, clientErr, serverErr := connect(t, client, server)
				if test.alert != 0 {
					refusedBoth(t, c, clientErr, serverErr, test.alert)
					return
				}
				if clientErr != nil || serverErr != nil {
					t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
				}
				state := c.State()
				if state.ServerCertificateType != test.want || (state.PeerRawPublicKey != nil) != (test.want == raw) || (len(state.PeerCertificates) > 0) != (test.want == x509Type) {
					t.Errorf("the server showed %v", state.ServerCertificateType)
				}
			})
		}
	}
}

// Verify is told the server's name each time, also before a session is offered.
func TestRawPublicKeysAreVerifiedForTheirServer(t *testing.T) {
	client, server := rawPair("ecdsa-p256", VersionTLS13)
	client.ServerName, client.ClientSessionCache = "example.test", NewLRUClientSessionCache(4)
	calls := 0
	client.RawPublicKeys.Verify = func(k PeerKey) error {
		if calls++; k.ServerName != "example.test" {
			return fmt.Errorf("asked for %q", k.ServerName)
		}
		return nil
	}
	for i, want := range []string{"none", "psk"} {
		if got := resumption(t, client, server); got != want {
			t.Errorf("connection %d, resumed by %s, not %s", i, got, want)
		}
	}
	if calls != 3 {
		t.Errorf("the key was judged %d times", calls)
	}
}

// A key that is not the right one is refused by either side, whatever else is switched off.
func TestAnotherRawPublicKeyIsRefused(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for _, by := range []wire.Role{wire.Client, wire.Server} {
			for _, how := range []string{"a pin", "a callback", "a pin, and a callback that takes all"} {
				t.Run(fmt.Sprint(VersionName(version), "/", by, "/", how), func(t *testing.T) {
					client, server := rawPair("ecdsa-p256", version)
					client.InsecureSkipVerify = true
					judge := client
					if by == wire.Server {
						judge = server
					}
					judge.RawPublicKeys.Pins = [][32]byte{{1}, {2}}
					switch how {
					case "a callback":
						judge.RawPublicKeys.Pins = nil
						judge.RawPublicKeys.Verify = func(k PeerKey) error {
							return fmt.Errorf("unknown key %s", PinString(k.Pin()))
						}
					case "a pin, and a callback that takes all":
						judge.RawPublicKeys.Verify = func(PeerKey) error { return nil }
					}
					_, _, clientErr, serverErr := connect(t, client, server)
					err := clientErr
					if by == wire.Server {
						err = serverErr
					}
					if known := new(HandshakeError); !errors.As(err, &known) || known.Alert != wire.AlertBadCertificate || known.Received {
						t.Errorf("the %v took another key: %v", by, err)
					}
				})
			}
		}
	}
}

// A peer that shows a key must hold it: a CertificateVerify is demanded and checked.
func TestARawPublicKeyOfSomebodyElse(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for _, thief := range []wire.Role{wire.Client, wire.Server} {
			client, server := rawPair("ecdsa-p256", version)
			stolen := testPKI().certs["ecdsa-p256"]
			stolen.PrivateKey = newKey("ecdsa-p256")
			config := client
			if thief == wire.Server {
				config = server
			}
			config.RawPublicKeys.Keys = []Certificate{stolen}
			_, _, clientErr, serverErr := connect(t, client, server)
			err := clientErr
			if thief == wire.Client {
				err = serverErr
			}
			if known := new(HandshakeError); !errors.As(err, &known) || known.Alert != wire.AlertDecryptError {
				t.Errorf("%s, the %v lies: %v", VersionName(version), thief, err)
			}
		}
	}
}

// A raw key is judged again when its session is resumed, and a session does not outlive what
// the Config takes.
func TestRawPublicKeysAreJudgedAtResumption(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		for _, by := range []string{"ticket", "id"} {
			if by == "id" && version == VersionTLS13 {
				continue
			}
			t.Run(VersionName(version)+"/"+by, func(t *testing.T) {
				client, server := rawPair("ecdsa-p256", version)
				client.ServerName = "example.test"
				client.ClientSessionCache = NewLRUClientSessionCache(8)
				if by == "id" {
					server.SessionTicketsDisabled, client.SessionTicketsDisabled = true, true
					server.Resumption.Store = session.NewMemory(1 << 20)
				}
				if got := resumption(t, client, server); got != "none" {
					t.Fatalf("the first connection resumed by %s", got)
				}
				judged, revoked := 0, false
				verify := func(PeerKey) error {
					if judged++; revoked {
						return errors.New("revoked")
					}
					return nil
				}
				server.RawPublicKeys.Verify = verify
				if got := resumption(t, client, server); got == "none" || judged == 0 {
					t.Fatalf("resumed by %s, the server judged %d times", got, judged)
				}
				revoked = true
				if _, _, _, serverErr := connect(t, client, server); serverErr == nil {
					t.Error("a revoked key was resumed")
				}
				revoked = false
				resumption(t, client, server)
				server.ClientAuth, server.RawPublicKeys.Accept, server.RawPublicKeys.Pins, server.RawPublicKeys.Verify = VerifyClientCertIfGiven, []CertificateType{CertificateTypeX509}, nil, nil
				client.RawPublicKeys.Show = []CertificateType{CertificateTypeRawPublicKey, CertificateTypeX509}
				if got := resumption(t, client, server); got != "none" {
					t.Errorf("a session of a raw public key was resumed by %s where none are taken", got)
				}
			})
		}
	}
}

// The client does not offer a session of a key that it would refuse now.
func TestSessionOfAKeyThatIsNoLongerPinned(t *testing.T) {
	client, server := rawPair("ecdsa-p256", VersionTLS13)
	client.ClientSessionCache, client.ServerName = NewLRUClientSessionCache(8), "example.test"
	resumption(t, client, server)
	if got := resumption(t, client, server); got != "psk" {
		t.Fatalf("resumed by %s", got)
	}
	next := testPKI().certs["rsa2048"]
	server.RawPublicKeys.Keys = []Certificate{next}
	client.RawPublicKeys.Pins = [][32]byte{pinOf(next)}
	if got := resumption(t, client, server); got != "none" {
		t.Errorf("a session with the old key was resumed by %s", got)
	}
}

func TestRawPublicKeysThatCannotBe(t *testing.T) {
	key, raw := bareKey("ecdsa-p256"), []CertificateType{CertificateTypeRawPublicKey}
	for name, test := range map[string]struct {
		keys   RawPublicKeys
		wanted string
	}{
		"neither pins nor a callback":   {RawPublicKeys{Accept: raw}, "set Pins or Verify"},
		"pins for certificates":         {RawPublicKeys{Accept: []CertificateType{CertificateTypeX509}, Pins: [][32]byte{{1}}}, "Accept does not list"},
		"nothing to show":               {RawPublicKeys{Show: raw}, "set Keys or Certificates"},
		"a type that there is not":      {RawPublicKeys{Accept: []CertificateType{1}}, "not implemented"},
		"a type twice":                  {RawPublicKeys{Show: append(raw, raw...), Keys: []Certificate{key}}, "stands twice"},
		"keys that are not to be shown": {RawPublicKeys{Show: []CertificateType{CertificateTypeX509}, Keys: []Certificate{key}}, "Show does not list"},
		"a key that is none":            {RawPublicKeys{Keys: []Certificate{{PrivateKey: "key"}}}, "cannot be shown"},
	} {
		client := &Config{ServerName: "example.test", RawPublicKeys: test.keys}
		raw, _ := tcpPair(t)
		if err := Client(raw, client).HandshakeContext(context.Background()); err == nil || !strings.Contains(err.Error(), test.wanted) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, server := tcpPair(t)
	mixed := &Config{RawPublicKeys: RawPublicKeys{Keys: []Certificate{key}, Show: []CertificateType{CertificateTypeRawPublicKey, CertificateTypeX509}}}
	if err := Server(server, mixed).Handshake(); err == nil || !strings.Contains(err.Error(), "lists certificates, and there is none") {
		t.Errorf("a server that is to show a certificate and has none: %v", err)
	}
}

// A client of raw public keys that no type was agreed on with cannot be asked later. The call says
// so, and the connection goes on. RFC 7250 §4.2.
func TestRawPublicKeysAskedForLater(t *testing.T) {
	for name, test := range map[string]struct {
		first  ClientAuthType
		show   []CertificateType
		resume bool
		works  bool
	}{
		"asked for at first":        {first: RequireAnyClientCert, works: true},
		"not asked for at first":    {first: NoClientCert},
		"resumed":                   {first: RequireAnyClientCert, resume: true},
		"resumed, certificates too": {first: RequireAnyClientCert, show: []CertificateType{CertificateTypeRawPublicKey, CertificateTypeX509}, resume: true},
	} {
		client, server := rawPair("ecdsa-p256", VersionTLS13)
		client.PostHandshakeAuth, client.RawPublicKeys.Show = true, test.show
		client.Certificates = testPKI().server("ecdsa-p384").Certificates
		client.ClientSessionCache, client.ServerName = NewLRUClientSessionCache(1), "example.test"
		server.ClientAuth, server.LaterClientAuth = test.first, RequireAnyClientCert
		c, s := mustConnect(t, client, server)
		if test.resume {
			exchange(t, c, s)
			c, s = mustConnect(t, client, server)
		}
		stop := traffic(c, s, 1000)
		err := ask(t, s)
		if (err == nil) != test.works || !test.works && !strings.Contains(err.Error(), "no type of certificate was agreed on") {
			t.Errorf("%s: %v", name, err)
		}
		if err := stop(); err != nil || c.ConnectionState().DidResume != test.resume {
			t.Errorf("%s: resumed %v, %v", name, c.ConnectionState().DidResume, err)
		}
	}
}
