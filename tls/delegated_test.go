package tls

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

var delegationUsage = pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 44363, 44}, Value: []byte{5, 0}}

// delegating is a certificate for each kind of key that may delegate.
var delegating = sync.OnceValue(func() map[string]Certificate {
	all := map[string]Certificate{}
	for _, kind := range keyKinds {
		all[kind] = testPKI().certificate(kind, &x509.Certificate{ExtraExtensions: []pkix.Extension{delegationUsage}})
	}
	return all
})

var delegatedSchemes = []SignatureScheme{ECDSAWithP256AndSHA256, ECDSAWithP384AndSHA384, Ed25519}

// delegatedPair is a client that takes delegated credentials, and a server that has d.
func delegatedPair(cert Certificate, d *DelegatedCredential) (client, server *Config) {
	client = testPKI().client()
	client.Delegation.Accept = delegatedSchemes
	holder := new(Delegates)
	holder.Set(d)
	return client, &Config{Certificates: []Certificate{cert}, Delegation: Delegation{Get: holder.For}}
}

func TestDelegatedCredentials(t *testing.T) {
	for _, owner := range keyKinds {
		for _, kind := range []string{"ecdsa-p256", "ecdsa-p384", "ed25519"} {
			t.Run(owner+" to "+kind, func(t *testing.T) {
				cert := delegating()[owner]
				d, err := Delegate(&cert, newKey(kind), time.Now(), time.Hour)
				if err != nil {
					t.Fatal(err)
				}
				cert.PrivateKey = newKey(owner) // the server has another, which it must not use
				client, server := delegatedPair(cert, d)
				c, s := mustConnect(t, client, server)
				got := c.State().Delegated
				if got == nil || got.Scheme != d.Scheme() || !got.Expiry.Equal(d.Expiry()) || c.State().ServerSignature != wire.SignatureScheme(d.Scheme()) {
					t.Errorf("the client saw %+v, signed with %v", got, c.State().ServerSignature)
				}
				exchange(t, c, s)
			})
		}
	}
}

// Where a client does not take the credential, the certificate's own key signs.
func TestDelegatedCredentialsThatNobodyTakes(t *testing.T) {
	cert := delegating()["ecdsa-p256"]
	d, err := NewDelegate(&cert, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]func(client, server *Config){
		"not asked for":         func(client, _ *Config) { client.Delegation.Accept = nil },
		"another scheme":        func(client, _ *Config) { client.Delegation.Accept = []SignatureScheme{Ed25519} },
		"another certificate's": func(_, server *Config) { server.Certificates = []Certificate{delegating()["rsa2048"]} },
		"TLS 1.2":               func(client, _ *Config) { client.MaxVersion = VersionTLS12 },
		"none": func(_, server *Config) {
			server.Delegation.Get = func(*Certificate) []*DelegatedCredential { return nil }
		},
		"expired on the server": func(_, server *Config) { server.Time = func() time.Time { return d.Expiry() } },
	} {
		client, server := delegatedPair(cert, d)
		set(client, server)
		c, s := mustConnect(t, client, server)
		if c.State().Delegated != nil {
			t.Errorf("%s: the credential was used", name)
		}
		exchange(t, c, s)
	}
}

// forged returns a server's credential with fields changed after it was checked, signed
// again where resign is set.
func forged(t *testing.T, cert Certificate, d *DelegatedCredential, resign bool, change func(*wire.DelegatedCredential)) *DelegatedCredential {
	t.Helper()
	own := *d
	change(&own.own.DelegatedCredential)
	if resign {
		leaf := must(leafOf(&cert))
		var err error
		if own.own.Algorithm, own.own.Signature, err = handshake.SignDelegated(&cert, &own.own.DelegatedCredential, leaf.Raw); err != nil {
			t.Fatal(err)
		}
	}
	own.own.Raw = own.own.DelegatedCredential.Append(nil)
	return &own
}

// A client holds each rule of RFC 9345 §4.1.3, also where it verifies no chain.
func TestForgedDelegatedCredentials(t *testing.T) {
	cert, plain := delegating()["ecdsa-p256"], testPKI().certs["ecdsa-p256"]
	now := time.Now()
	good, err := NewDelegate(&cert, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	since := uint32(now.Sub(cert.Leaf.NotBefore) / time.Second)
	other, _ := NewDelegate(&cert, now, time.Hour)
	for name, test := range map[string]struct {
		server func(*Config)
		client func(*Config)
		d      *DelegatedCredential
		says   string
	}{
		"its signature is changed": {d: forged(t, cert, good, false, func(d *wire.DelegatedCredential) {
			d.Signature = bytes.Clone(d.Signature)
			d.Signature[len(d.Signature)-1] ^= 1
		}), says: "has not signed it"},
		"it is prolonged": {d: forged(t, cert, good, false, func(d *wire.DelegatedCredential) { d.ValidTime += 3600 }), says: "has not signed it"},
		"its key is another": {d: forged(t, cert, good, false, func(d *wire.DelegatedCredential) {
			d.PublicKey = other.own.PublicKey
		}), says: "has not signed it"},
		"it has expired": {d: forged(t, cert, good, true, func(d *wire.DelegatedCredential) { d.ValidTime = since - 1 }), says: "has expired"},
		"it is valid for more than seven days": {
			client: func(c *Config) { c.Time = func() time.Time { return now } },
			server: func(c *Config) { c.Certificates = []Certificate{longLived()} },
			d:      longDelegate(t, now, 8*24*time.Hour), says: "more than seven days"},
		"it is valid for longer than its certificate, and that for less": {
			d: forged(t, cert, good, true, func(d *wire.DelegatedCredential) { d.ValidTime = since + 8*24*3600 }), says: "more than seven days"},
		"the certificate may not delegate": {
			server: func(c *Config) { c.Certificates = []Certificate{plain} },
			d:      elsewhere(forged(t, plain, good, true, func(*wire.DelegatedCredential) {}), plain), says: "may not delegate"},
		"its scheme does not fit its key":            {d: forged(t, cert, good, true, func(d *wire.DelegatedCredential) { d.Scheme = wire.ECDSAP384SHA384 }), says: "may not sign with"},
		"its algorithm does not fit the certificate": {d: forged(t, cert, good, false, func(d *wire.DelegatedCredential) { d.Algorithm = wire.Ed25519 }), says: "cannot have signed it"},
		"its key is for RSA": {
			d: forged(t, cert, good, true, func(d *wire.DelegatedCredential) {
				d.Scheme, d.PublicKey = wire.RSAPSSRSAESHA256, must(x509.MarshalPKIXPublicKey(testPKI().certs["rsa2048"].PrivateKey.(crypto.Signer).Public()))
			}), says: "may not sign with"},
	} {
		client, server := delegatedPair(cert, test.d)
		client.InsecureSkipVerify = true
		server.Delegation.Get = func(*Certificate) []*DelegatedCredential { return []*DelegatedCredential{asOffered(test.d)} }
		if test.client != nil {
			test.client(client)
		}
		if test.server != nil {
			test.server(server)
		}
		_, _, clientErr, serverErr := connect(t, client, server)
		known := new(HandshakeError)
		if !errors.As(clientErr, &known) || known.Alert != wire.AlertIllegalParameter || !strings.Contains(clientErr.Error(), test.says) {
			t.Errorf("%s: client %v, server %v", name, clientErr, serverErr)
		}
	}
}

// asOffered has a server offer what it would keep to itself: it looks at its own fields,
// and the client at the raw credential.
func asOffered(d *DelegatedCredential) *DelegatedCredential {
	own := *d
	own.own.Scheme, own.own.Algorithm = wire.ECDSAP256SHA256, wire.ECDSAP256SHA256
	own.own.Expiry = time.Now().Add(24 * time.Hour)
	return &own
}

// elsewhere is d for another certificate.
func elsewhere(d *DelegatedCredential, cert Certificate) *DelegatedCredential {
	d.leaf = cert.Certificate[0]
	return d
}

// longLived is a certificate that may delegate, and is valid for a month.
var longLived = sync.OnceValue(func() Certificate {
	return testPKI().certificate("ecdsa-p256", &x509.Certificate{
		ExtraExtensions: []pkix.Extension{delegationUsage}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(30 * 24 * time.Hour)})
})

func longDelegate(t *testing.T, now time.Time, validFor time.Duration) *DelegatedCredential {
	cert := longLived()
	d, err := NewDelegate(&cert, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return elsewhere(forged(t, cert, d, true, func(d *wire.DelegatedCredential) {
		d.ValidTime = uint32(now.Add(validFor).Sub(cert.Leaf.NotBefore) / time.Second)
	}), cert)
}

// The server signs with the credential's key, and with its scheme.
func TestDelegatedCredentialOfSomebodyElse(t *testing.T) {
	cert := delegating()["ecdsa-p256"]
	d, _ := NewDelegate(&cert, time.Now(), time.Hour)
	d.own.PrivateKey = newKey("ecdsa-p256")
	client, server := delegatedPair(cert, d)
	_, _, clientErr, _ := connect(t, client, server)
	if known := new(HandshakeError); !errors.As(clientErr, &known) || known.Alert != wire.AlertDecryptError {
		t.Error(clientErr)
	}
}

// A session ends with the credential that it began with.
func TestSessionEndsWithItsCredential(t *testing.T) {
	cert := delegating()["ecdsa-p256"]
	now := time.Now()
	d, _ := NewDelegate(&cert, now, time.Hour)
	client, server := delegatedPair(cert, d)
	client.ClientSessionCache = NewLRUClientSessionCache(8)
	client.Time = func() time.Time { return now }
	server.Time = client.Time
	resumption(t, client, server)
	if got := resumption(t, client, server); got != "psk" {
		t.Fatalf("resumed by %s", got)
	}
	c, s := mustConnect(t, client, server)
	if c.State().Delegated == nil {
		t.Error("the resumed connection does not know of the credential")
	}
	exchange(t, c, s)
	now = now.Add(2 * time.Hour)
	if got := resumption(t, client, server); got != "none" {
		t.Errorf("resumed by %s when the credential had expired", got)
	}
}

func TestDelegateRefuses(t *testing.T) {
	cert, plain, now := delegating()["ecdsa-p256"], testPKI().certs["ecdsa-p256"], time.Now()
	for name, f := range map[string]func() error{
		"DelegationUsage":        func() error { _, err := NewDelegate(&plain, now, time.Hour); return err },
		"cannot be valid":        func() error { _, err := NewDelegate(&cert, now, 8*24*time.Hour); return err },
		"is not valid as long":   func() error { _, err := NewDelegate(&cert, now, 48*time.Hour); return err },
		"cannot be delegated to": func() error { _, err := Delegate(&cert, newKey("rsa2048"), now, time.Hour); return err },
		"not that of the": func() error {
			d, _ := NewDelegate(&cert, now, time.Hour)
			_, err := NewDelegatedCredential(&cert, d.Raw(), newKey("ecdsa-p256"))
			return err
		},
		"not for delegated": func() error {
			client := testPKI().client()
			client.Delegation.Accept = []SignatureScheme{PSSWithSHA256}
			c, _ := tcpPair(t)
			return Client(c, client).Handshake()
		},
		"Certificate is empty": func() error { _, err := NewDelegate(&Certificate{}, now, time.Hour); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The holder gives the credential that lasts longest, and takes new ones while in use.
func TestDelegatesRotate(t *testing.T) {
	cert, now := delegating()["ecdsa-p256"], time.Now()
	short, _ := NewDelegate(&cert, now, time.Hour)
	long, _ := NewDelegate(&cert, now, 2*time.Hour)
	var holder Delegates
	if holder.For(&cert) != nil {
		t.Error("an empty holder has a credential")
	}
	holder.Set(short, long)
	if got := holder.For(&cert); len(got) != 2 || got[0] != long || !strings.Contains(long.String(), "ecdsa_secp256r1_sha256") {
		t.Errorf("got %v", holder.For(&cert))
	}
	other := delegating()["rsa2048"]
	if holder.For(&other) != nil {
		t.Error("a credential for another certificate")
	}
	holder.Set(short)
	if got := holder.For(&cert); len(got) != 1 || got[0] != short {
		t.Error("the old one is still in use")
	}
}

// The signed form is that of RFC 9345 §4.
func TestSignedFormOfDelegatedCredentials(t *testing.T) {
	d := wire.DelegatedCredential{ValidTime: 0x01020304, Scheme: wire.ECDSAP256SHA256, PublicKey: []byte("key"), Algorithm: wire.Ed25519}
	want := append(bytes.Repeat([]byte{' '}, 64), "TLS, server delegated credentials\x00leaf"...)
	want = binary.BigEndian.AppendUint32(want, 0x01020304)
	want = append(want, 4, 3, 0, 0, 3, 'k', 'e', 'y', 8, 7)
	if got := d.AppendSigned(nil, wire.Server, []byte("leaf")); !bytes.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := d.AppendSigned(nil, wire.Client, nil); !bytes.Contains(got, []byte("TLS, client delegated credentials\x00")) {
		t.Errorf("%q", got)
	}
}

// A credential survives being written to a file, with its key.
func TestDelegatedCredentialFiles(t *testing.T) {
	cert := delegating()["ecdsa-p256"]
	for _, kind := range []string{"ecdsa-p256", "ecdsa-p384", "ed25519"} {
		d := must(Delegate(&cert, newKey(kind), time.Now(), time.Hour))
		text := must(MarshalDelegatedCredential(d))
		again, err := ParseDelegatedCredential(&cert, append([]byte("a comment\n"), text...))
		if err != nil || !bytes.Equal(again.Raw(), d.Raw()) || !again.Expiry().Equal(d.Expiry()) {
			t.Errorf("%s: %v is read as %v: %v", kind, d, again, err)
		}
		client, server := delegatedPair(cert, again)
		if c, _ := mustConnect(t, client, server); c.State().Delegated == nil {
			t.Errorf("%s: it was not used", kind)
		}
	}
}

func TestDamagedDelegatedCredentialFiles(t *testing.T) {
	cert, other := delegating()["ecdsa-p256"], delegating()["ed25519"]
	d := must(NewDelegate(&cert, time.Now(), time.Hour))
	text := must(MarshalDelegatedCredential(d))
	i := bytes.Index(text, []byte("-----BEGIN DELEGATED"))
	key, credential := text[:i], text[i:]
	foreign := must(MarshalDelegatedCredential(must(NewDelegate(&cert, time.Now(), time.Hour))))
	dh := must(x509.MarshalPKCS8PrivateKey(must(ecdh.X25519().GenerateKey(nil))))
	for want, file := range map[string][]byte{
		"no DELEGATED CREDENTIAL": key,
		"no PRIVATE KEY":          credential,
		"two DELEGATED":           slices.Concat(text, credential),
		"is not that of":          slices.Concat(foreign[:bytes.Index(foreign, []byte("-----BEGIN DELEGATED"))], credential),
		"cannot be read":          slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{1}}), credential),
		"cannot sign":             slices.Concat(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: dh}), credential),
		"has not signed it":       slices.Concat(key, pem.EncodeToMemory(&pem.Block{Type: "DELEGATED CREDENTIAL", Bytes: append(d.Raw()[:len(d.Raw())-1], d.Raw()[len(d.Raw())-1]^1)})),
	} {
		if _, err := ParseDelegatedCredential(&cert, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if _, err := ParseDelegatedCredential(&other, text); err == nil {
		t.Error("the credential of another certificate was taken")
	}
}
