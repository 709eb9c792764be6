package tls

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// authenticating is a connection of TLS 1.3 with SHA-256 whose sides may prove certificates
// to each other; the last is the one that answers.
func authenticating(t testing.TB, asks wire.Role, change func(c, s *Config)) (ours, theirs *Authenticators, theirConn *Conn) {
	t.Helper()
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS13, client, server)
	client.CipherSuites, server.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256}, []uint16{TLS_AES_128_GCM_SHA256}
	server.ClientCAs = testPKI().roots
	if change != nil {
		change(client, server)
	}
	c, s := mustConnect(t, client, server)
	a, b := must(c.Authenticators()), must(s.Authenticators())
	if asks == wire.Server {
		return b, a, c
	}
	return a, b, s
}

// proof is what the side that answers shows.
func proof(asks wire.Role) *Certificate {
	c := testPKI().certs["ed25519"]
	if asks == wire.Server {
		c = testPKI().certs["rsa2048"]
	}
	return &c
}

func TestAuthenticators(t *testing.T) {
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		ours, theirs, _ := authenticating(t, asks, nil)
		for range 2 { // as often as one likes
			request := must(ours.Request(""))
			answer := must(theirs.Answer(request, proof(asks)))
			shown, err := ours.Check(context.Background(), request, answer)
			if err != nil {
				t.Fatalf("the %s: %v", asks, err)
			}
			if !bytes.Equal(shown.Certificates[0].Raw, proof(asks).Certificate[0]) || len(shown.VerifiedChains) == 0 || shown.Scheme == 0 {
				t.Errorf("the %s was shown %v", asks, shown)
			}
			if _, err := ours.Check(context.Background(), request, answer); err == nil {
				t.Errorf("the %s takes an authenticator twice", asks)
			}
			if _, err := theirs.Answer(request, proof(asks)); err == nil {
				t.Errorf("the %s's request is answered twice", asks)
			}
		}
	}
}

// An empty authenticator proves that there is nothing to show, once.
func TestEmptyAuthenticators(t *testing.T) {
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		ours, theirs, _ := authenticating(t, asks, nil)
		request := must(ours.Request(""))
		answer := must(theirs.Answer(request, nil))
		answer[len(answer)-1] ^= 1
		if _, err := ours.Check(context.Background(), request, answer); err == nil || errors.Is(err, ErrEmptyAuthenticator) {
			t.Errorf("the %s: a wrong MAC: %v", asks, err)
		}
		answer[len(answer)-1] ^= 1
		if shown, err := ours.Check(context.Background(), request, answer); !errors.Is(err, ErrEmptyAuthenticator) || shown != nil {
			t.Errorf("the %s: %v", asks, err)
		}
		if _, err := ours.Check(context.Background(), request, answer); err == nil || errors.Is(err, ErrEmptyAuthenticator) {
			t.Errorf("the %s, again: %v", asks, err)
		}
	}
}

// What an authenticator is, computed by another hand from the exporters. RFC 9261 §5.
func TestAuthenticatorsByTheRFC(t *testing.T) {
	ours, theirs, conn := authenticating(t, wire.Client, nil)
	request := must(ours.Request(""))
	answer := must(theirs.Answer(request, proof(wire.Client)))
	cs := conn.ConnectionState()
	handshake := must(cs.ExportKeyingMaterial("EXPORTER-server authenticator handshake context", []byte{}, 32))
	key := must(cs.ExportKeyingMaterial("EXPORTER-server authenticator finished key", []byte{}, 32))
	if request[0] != 17 || answer[0] != 11 {
		t.Fatalf("messages of the types %d and %d", request[0], answer[0])
	}
	n := wire.MessageLen(answer)
	m := n + wire.MessageLen(answer[n:])
	digest := sha256.Sum256(bytes.Join([][]byte{handshake, request, answer[:n]}, nil))
	signed := append(append(bytes.Repeat([]byte{' '}, 64), "Exported Authenticator\x00"...), digest[:]...)
	verify := answer[n+4 : m]
	if scheme := SignatureScheme(verify[0])<<8 | SignatureScheme(verify[1]); scheme != Ed25519 {
		t.Fatalf("signed with %v", scheme)
	}
	pub := proof(wire.Client).PrivateKey.(crypto.Signer).Public()
	if !ed25519.Verify(pub.(ed25519.PublicKey), signed, verify[4:]) {
		t.Error("the signature is over something else")
	}
	digest = sha256.Sum256(bytes.Join([][]byte{handshake, request, answer[:m]}, nil))
	mac := hmac.New(sha256.New, key)
	mac.Write(digest[:])
	if !bytes.Equal(answer[m+4:], mac.Sum(nil)) {
		t.Error("the MAC is another")
	}
	// RFC 9261 §6.
	request = must(ours.Request(""))
	empty := append([]byte{11, 0, 0, 36, 32}, request[5:37]...)
	digest = sha256.Sum256(bytes.Join([][]byte{handshake, request, append(empty, 0, 0, 0)}, nil))
	mac = hmac.New(sha256.New, key)
	mac.Write(digest[:])
	if answer := must(theirs.Answer(request, nil)); !bytes.Equal(answer[4:], mac.Sum(nil)) || answer[0] != 20 {
		t.Error("the MAC of an empty one is another")
	}
}

// No byte of a request or an answer can be changed, left out or added.
func TestAuthenticatorsThatWereChanged(t *testing.T) {
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		ours, theirs, _ := authenticating(t, asks, nil)
		request := must(ours.Request(""))
		answer := must(theirs.Answer(request, proof(asks)))
		for i := range answer {
			for name, wrong := range map[string][]byte{
				"changed":  append(append(bytes.Clone(answer[:i]), answer[i]^4), answer[i+1:]...),
				"cut":      answer[:i],
				"left out": append(bytes.Clone(answer[:i]), answer[i+1:]...),
			} {
				if _, err := ours.Check(context.Background(), request, wrong); err == nil {
					t.Fatalf("the %s: byte %d %s is taken", asks, i, name)
				}
			}
		}
		if _, err := ours.Check(context.Background(), request, append(bytes.Clone(answer), 0)); err == nil {
			t.Error("a byte more is taken")
		}
		for i := range request {
			wrong := append(append(bytes.Clone(request[:i]), request[i]^4), request[i+1:]...)
			if _, err := ours.Check(context.Background(), wrong, answer); err == nil {
				t.Fatalf("the %s: a request with another byte %d is ours", asks, i)
			}
			if out, err := theirs.Answer(wrong, proof(asks)); err == nil {
				if _, err := ours.Check(context.Background(), request, out); err == nil {
					t.Fatalf("the %s: the answer to a request with another byte %d is taken", asks, i)
				}
			}
		}
		if _, err := ours.Check(context.Background(), request, answer); err != nil {
			t.Errorf("what nobody has changed, in the end: %v", err)
		}
	}
}

// An authenticator is good on its connection, for its request, and for its side.
func TestAuthenticatorsOfOthers(t *testing.T) {
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		ours, theirs, _ := authenticating(t, asks, nil)
		others, theirOthers, _ := authenticating(t, asks, nil)
		request, second := must(ours.Request("")), must(ours.Request(""))
		elsewhere := must(theirOthers.Answer(request, proof(asks)))
		for name, answer := range map[string][]byte{
			"of another connection": elsewhere,
			"for another request":   must(theirs.Answer(second, proof(asks))),
		} {
			if _, err := ours.Check(context.Background(), request, answer); err == nil || !strings.Contains(err.Error(), "not of this connection and this request") {
				t.Errorf("the %s: an authenticator %s: %v", asks, name, err)
			}
		}
		if _, err := others.Check(context.Background(), request, elsewhere); err == nil {
			t.Errorf("the %s: the request of another connection is taken", asks)
		}
		if _, err := ours.Answer(request, proof(asks)); err == nil {
			t.Errorf("the %s answers its own request", asks)
		}
	}
}

// The certificate is judged as in the handshake.
func TestAuthenticatorsAreVerified(t *testing.T) {
	refuses := errors.New("not this one")
	for name, x := range map[string]struct {
		asks   wire.Role
		change func(c, s *Config)
		name   string
		text   string
	}{
		"an unknown authority": {wire.Server, func(_, s *Config) { s.ClientCAs = x509.NewCertPool() }, "", "certificate is refused"},
		"another name":         {wire.Client, nil, "other.test", "other.test"},
		"a name of its own":    {wire.Client, nil, "example.test", ""},
		"VerifyPeerCertificate": {wire.Server, func(_, s *Config) {
			s.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return refuses }
		}, "", refuses.Error()},
		"VerifyConnection": {wire.Server, func(_, s *Config) {
			s.VerifyConnection = func(cs ConnectionState) error {
				if len(cs.PeerCertificates) > 0 { // not in the handshake
					return refuses
				}
				return nil
			}
		}, "", refuses.Error()},
		"a scheme not asked for": {wire.Client, func(c, _ *Config) { c.SignatureSchemes = []SignatureScheme{ECDSAWithP256AndSHA256} }, "", "signature scheme"},
	} {
		t.Run(name, func(t *testing.T) {
			ours, theirs, _ := authenticating(t, x.asks, x.change)
			request := must(ours.Request(x.name))
			if got, err := theirs.Name(request); err != nil || got != x.name {
				t.Errorf("the request is for %q: %v", got, err)
			}
			answer, err := theirs.Answer(request, proof(x.asks))
			if err == nil {
				_, err = ours.Check(context.Background(), request, answer)
			}
			if (err == nil) != (x.text == "") || err != nil && !strings.Contains(err.Error(), x.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// What is no request has no name and no answer, however short it is.
func TestRequestsThatAreNone(t *testing.T) {
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		ours, theirs, _ := authenticating(t, asks, nil)
		request := must(ours.Request(""))
		for n := range len(request) {
			if _, err := theirs.Name(request[:n]); err == nil {
				t.Errorf("the first %d bytes have a name", n)
			}
			if _, err := theirs.Answer(request[:n], proof(asks)); err == nil {
				t.Errorf("the first %d bytes have an answer", n)
			}
		}
	}
}

// A certificate that demands a staple in the handshake demands none where none can be asked for.
// RFC 7633 §4.2.3.
func TestAuthenticatorsCannotStaple(t *testing.T) {
	root := newIssuer(nil)
	strict := root.issue(mustStaple)
	ours, theirs, _ := authenticating(t, wire.Server, func(_, s *Config) { s.ClientCAs = root.pool() })
	request := must(ours.Request(""))
	if _, err := ours.Check(context.Background(), request, must(theirs.Answer(request, strict))); err != nil {
		t.Error(err)
	}
}

// Schemes of clients alone are not asked for, and a server does not sign with one.
func TestAuthenticatorsWithoutSchemesOfClients(t *testing.T) {
	old := *proof(wire.Server)
	old.SupportedSignatureAlgorithms = []SignatureScheme{PKCS1WithSHA256Legacy}
	both := []SignatureScheme{PKCS1WithSHA256Legacy, ECDSAWithP256AndSHA256, PSSWithSHA256}
	for _, asks := range []wire.Role{wire.Client, wire.Server} {
		ours, theirs, _ := authenticating(t, asks, func(c, s *Config) { c.SignatureSchemes, s.SignatureSchemes = both, both })
		request := must(ours.Request(""))
		forged := bytes.Replace(request, []byte{0x08, 0x04}, []byte{0x04, 0x20}, 1)
		if bytes.Equal(forged, request) || bytes.Contains(request, []byte{0x04, 0x20}) {
			t.Errorf("the %s asks for %x", asks, request)
		}
		if _, err := theirs.Answer(forged, &old); (err == nil) != (asks == wire.Server) {
			t.Errorf("the %s's peer signs with it: %v", asks, err)
		}
	}
}

// Nor is what was not asked for taken. RFC 9261 §5.2.2.
func TestAuthenticatorsBySchemesNotAskedFor(t *testing.T) {
	both := []SignatureScheme{PKCS1WithSHA256Legacy, ECDSAWithP256AndSHA256, PSSWithSHA256}
	ours, _, conn := authenticating(t, wire.Server, func(_, s *Config) { s.SignatureSchemes = both })
	cs := conn.ConnectionState()
	before := must(cs.ExportKeyingMaterial("EXPORTER-client authenticator handshake context", []byte{}, 32))
	key := must(cs.ExportKeyingMaterial("EXPORTER-client authenticator finished key", []byte{}, 32))
	in := wire.Context{Version: wire.TLS13, From: wire.Client}
	for scheme, want := range map[wire.SignatureScheme]string{wire.RSAPKCS1SHA256Legacy: "signed with what was not offered", wire.RSAPSSRSAESHA256: ""} {
		request := must(ours.Request(""))
		out := wire.AppendMessage(nil, &wire.Certificate{RequestContext: request[5:37], Entries: []wire.CertificateEntry{{DER: proof(wire.Server).Certificate[0]}}}, in)
		seen := func() []byte {
			sum := sha256.Sum256(slices.Concat(before, request, out))
			return sum[:]
		}
		signed := sha256.Sum256(slices.Concat(bytes.Repeat([]byte{' '}, 64), []byte("Exported Authenticator\x00"), seen()))
		var options crypto.SignerOpts = crypto.SHA256
		if scheme == wire.RSAPSSRSAESHA256 {
			options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
		}
		signature := must(proof(wire.Server).PrivateKey.(crypto.Signer).Sign(rand.Reader, signed[:], options))
		out = wire.AppendMessage(out, &wire.CertificateVerify{Scheme: scheme, Signature: signature}, in)
		mac := hmac.New(sha256.New, key)
		mac.Write(seen())
		out = wire.AppendMessage(out, &wire.Finished{VerifyData: mac.Sum(nil)}, in)
		if _, err := ours.Check(context.Background(), request, out); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

func TestAuthenticatorsHaveBounds(t *testing.T) {
	ours, theirs, _ := authenticating(t, wire.Server, nil)
	for i := range MaxAuthenticators {
		if _, err := theirs.Answer(must(ours.Request("")), nil); err != nil {
			t.Fatal(i, err)
		}
	}
	if _, err := ours.Request(""); err == nil {
		t.Error("there is no bound on requests")
	}
	more := must(must(ours.conn.Authenticators()).Request(""))
	if _, err := theirs.Answer(more, nil); err == nil {
		t.Error("there is no bound on answers")
	}
	if _, err := ours.Request("example.test"); err == nil {
		t.Error("a server asks for a name")
	}
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS12, client, server)
	c, _ := mustConnect(t, client, server)
	if _, err := c.Authenticators(); err == nil {
		t.Error("TLS 1.2 has them")
	}
}

func FuzzAuthenticators(f *testing.F) {
	ours, theirs, _ := authenticating(f, wire.Client, nil)
	request := must(ours.Request(""))
	good := must(theirs.Answer(request, proof(wire.Client)))
	f.Add(request, good)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, request, answer []byte) {
		_, _ = theirs.Name(request)
		if out, err := theirs.Answer(request, nil); err == nil {
			_, _ = ours.Check(context.Background(), request, out)
		}
		if _, err := ours.Check(context.Background(), request, answer); err == nil && !bytes.Equal(answer, good) {
			t.Fatal("made by nobody, and taken")
		}
	})
}

// A peer that knows the keys and breaks the rules is refused by each of them. RFC 9261 §4 to §6.
func TestAuthenticatorsAgainstTheRules(t *testing.T) {
	ours, theirs, conn := authenticating(t, wire.Client, nil)
	cs := conn.ConnectionState()
	context13 := must(cs.ExportKeyingMaterial("EXPORTER-server authenticator handshake context", []byte{}, 32))
	key := must(cs.ExportKeyingMaterial("EXPORTER-server authenticator finished key", []byte{}, 32))
	in := wire.Context{Version: wire.TLS13, From: wire.Server}
	request := must(ours.Request(""))
	genuine := must(theirs.Answer(request, proof(wire.Client)))
	n := wire.MessageLen(genuine)
	m := n + wire.MessageLen(genuine[n:])
	sealed := func(cert wire.Certificate) []byte {
		b := append(wire.AppendMessage(nil, &cert, in), genuine[n:m]...)
		digest := sha256.Sum256(bytes.Join([][]byte{context13, request, b}, nil))
		mac := hmac.New(sha256.New, key)
		mac.Write(digest[:])
		return wire.AppendMessage(b, &wire.Finished{VerifyData: mac.Sum(nil)}, in)
	}
	leaf := wire.CertificateEntry{DER: proof(wire.Client).Certificate[0]}
	stapled := leaf
	stapled.Extensions = wire.Extensions{{Type: wire.ExtSCT, Data: []byte{0, 3, 0, 1, 0}}}
	for want, answer := range map[string][]byte{
		"the authenticator's Certificate is empty":                         sealed(wire.Certificate{RequestContext: request[5:37]}),
		"the authenticator has an extension that was not asked for":        sealed(wire.Certificate{RequestContext: request[5:37], Entries: []wire.CertificateEntry{stapled}}),
		"there are bytes behind the server's authenticator":                append(bytes.Clone(genuine), 0),
		"is neither Certificate, CertificateVerify and Finished":           genuine[n:],
		"the authenticator is not of this connection and this request, or": append(bytes.Clone(genuine[:len(genuine)-1]), genuine[len(genuine)-1]^1),
	} {
		if _, err := ours.Check(context.Background(), request, answer); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	if _, err := theirs.Answer(genuine, nil); err == nil || !strings.Contains(err.Error(), "this is not a request of the client for an authenticator") {
		t.Errorf("an answer to no request: %v", err)
	}
	if _, err := ours.Check(context.Background(), request, genuine); err != nil {
		t.Errorf("the genuine one, in the end: %v", err)
	}
}
