package tls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

// issuer is an authority that answers for what it has issued.
type issuer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newP256() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// newIssuer makes a root, or an intermediate of above.
func newIssuer(above *issuer) *issuer {
	key := newP256()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "an authority"}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour)}
	if above == nil {
		above = &issuer{c, key}
	} else {
		c.Subject.CommonName = "an intermediate authority"
	}
	der := must(x509.CreateCertificate(rand.Reader, c, above.cert, key.Public(), above.key))
	return &issuer{must(x509.ParseCertificate(der)), key}
}

// issue makes a certificate for servers and clients alike, for example.com.
func (i *issuer) issue(extra ...pkix.Extension) *Certificate {
	return i.issueFor(90*24*time.Hour, extra...)
}

func (i *issuer) issueFor(life time.Duration, extra ...pkix.Extension) *Certificate {
	key := newP256()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{"example.com"}, ExtraExtensions: extra,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life)}
	der := must(x509.CreateCertificate(rand.Reader, c, i.cert, key.Public(), i.key))
	return &Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: must(x509.ParseCertificate(der))}
}

// says is an OCSP response about a certificate that holds for a day.
func (i *issuer) says(status int, about *x509.Certificate) []byte {
	return i.saysAt(time.Now(), status, about)
}

func (i *issuer) saysAt(now time.Time, status int, about *x509.Certificate) []byte {
	return must(ocsp.CreateResponse(i.cert, i.cert, ocsp.Response{Status: status, SerialNumber: about.SerialNumber,
		ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(24 * time.Hour), RevokedAt: now.Add(-2 * time.Hour), RevocationReason: ocsp.KeyCompromise}, i.key))
}

func (i *issuer) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(i.cert)
	return pool
}

// revokes is a list of the authority's that revokes some certificates.
func (i *issuer) revokes(certs ...*x509.Certificate) *revocation.List {
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
	for _, c := range certs {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now().Add(-2 * time.Hour), ReasonCode: 1})
	}
	return must(revocation.ParseCRL(must(x509.CreateRevocationList(rand.Reader, l, i.cert, i.key))))
}

var mustStaple = pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}

// stapling are the versions in which a server can staple. Up to TLS 1.2 the response is
// in a message of its own, which may be left out.
var stapling = []uint16{VersionTLS10, VersionTLS11, VersionTLS12, VersionTLS13}

func TestAServersRevocation(t *testing.T) {
	root := newIssuer(nil)
	plain, strict := root.issue(), root.issue(mustStaple)
	listed := root.revokes(plain.Leaf)
	for _, tc := range []struct {
		name   string
		cert   *Certificate
		staple []byte
		k      *revocation.Checker
		alert  wire.AlertCode // 0 where the server is accepted
		learnt string         // of State, or the error
	}{
		{"nothing is stapled", plain, nil, nil, 0, ""},
		{"good", plain, root.says(ocsp.Good, plain.Leaf), nil, 0, "not revoked (stapled OCSP"},
		{"revoked", plain, root.says(ocsp.Revoked, plain.Leaf), nil, wire.AlertCertificateRevoked, "key compromise (stapled OCSP)"},
		{"revoked, and nobody is asked", plain, root.says(ocsp.Revoked, plain.Leaf), &revocation.Checker{}, 0, ""},
		{"of another certificate", plain, root.says(ocsp.Good, strict.Leaf), nil, 0, "not known"},
		{"garbage", plain, []byte("garbage"), nil, 0, "not known"},
		{"hard, good", plain, root.says(ocsp.Good, plain.Leaf), &revocation.Checker{Mode: revocation.Hard}, 0, "not revoked (stapled OCSP"},
		{"hard, none", plain, nil, &revocation.Checker{Mode: revocation.Hard}, wire.AlertCertificateUnknown, `nobody says whether "example.com"`},
		{"must staple, and does", strict, root.says(ocsp.Good, strict.Leaf), nil, 0, "not revoked (stapled OCSP"},
		{"must staple, and does not", strict, nil, nil, wire.AlertBadCertificateStatusResponse, "none came"},
		{"must staple, and staples another's", strict, root.says(ocsp.Good, plain.Leaf), nil, wire.AlertBadCertificateStatusResponse, "demands a stapled OCSP response"},
		{"must staple, and nobody is asked", strict, nil, &revocation.Checker{}, 0, ""},
		{"must staple, and a list knows too", strict, root.says(ocsp.Good, strict.Leaf), &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{listed}}, 0, "not revoked (stapled OCSP"},
		{"must staple, and a list alone says good", strict, nil, &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{listed}}, wire.AlertBadCertificateStatusResponse, "none came"},
		{"a list revokes", plain, root.says(ocsp.Good, plain.Leaf), &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{listed}}, wire.AlertCertificateRevoked, "key compromise (CRL)"},
		{"a list says good, and the staple revoked", strict, root.says(ocsp.Revoked, strict.Leaf), &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{listed}}, wire.AlertCertificateRevoked, "stapled OCSP"},
	} {
		for _, v := range stapling {
			t.Run(tc.name+"/"+VersionName(v), func(t *testing.T) {
				cert := *tc.cert
				cert.OCSPStaple = tc.staple
				server := &Config{Certificates: []Certificate{cert}}
				client := &Config{RootCAs: root.pool(), ServerName: "example.com", Revocation: tc.k}
				at(v, client, server)
				state, err := outcome(t, client, server)
				if tc.alert != 0 {
					if known := new(HandshakeError); !errors.As(err, &known) || known.Alert != tc.alert || !strings.Contains(err.Error(), tc.learnt) {
						t.Fatalf("the client says %v; want %v: %s", err, tc.alert, tc.learnt)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if said := saidOf(state); len(said) > 1 || !strings.Contains(strings.Join(said, ""), tc.learnt) || (len(said) == 0) != (tc.learnt == "") {
					t.Errorf("State says %q; want %q", said, tc.learnt)
				}
			})
		}
	}
}

// outcome is what a client learns in a handshake, and its error.
func outcome(t *testing.T, client, server *Config) (State, error) {
	t.Helper()
	a, b := memoryPipe()
	c, s := Client(a, client), Server(b, server)
	defer c.Close()
	defer s.Close()
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	err := c.Handshake()
	if err != nil {
		a.Close()
	}
	if serverErr := <-done; err == nil && serverErr != nil {
		t.Fatal(serverErr)
	}
	return c.State(), err
}

func saidOf(s State) (said []string) {
	for _, a := range s.Revocation {
		said = append(said, a.String())
	}
	return said
}

// A resumption asks again, on both sides: nobody gets in by a ticket after it was revoked.
func TestAResumptionAsksAgain(t *testing.T) {
	root := newIssuer(nil)
	for _, v := range []uint16{VersionTLS12, VersionTLS13} {
		for _, role := range []string{"server", "client"} {
			t.Run(role+" revoked/"+VersionName(v), func(t *testing.T) {
				own, peers := root.issue(), root.issue()
				k := &revocation.Checker{Mode: revocation.Soft}
				server := &Config{Certificates: []Certificate{*own}, ClientAuth: RequireAndVerifyClientCert, ClientCAs: root.pool()}
				client := &Config{Certificates: []Certificate{*peers}, RootCAs: root.pool(), ServerName: "example.com", ClientSessionCache: NewLRUClientSessionCache(4)}
				at(v, client, server)
				revoked := own
				if role == "client" {
					revoked, server.Revocation = peers, k
				} else {
					client.Revocation = k
				}
				for _, want := range []bool{false, true} {
					c, s := mustConnect(t, client, server)
					bringTickets(t, c, s)
					if c.ConnectionState().DidResume != want {
						t.Fatalf("resumed: %v; want %v", !want, want)
					}
				}
				k.Lists = []*revocation.List{root.revokes(revoked.Leaf)}
				a, b := memoryPipe()
				c, s := Client(a, client), Server(b, server)
				defer c.Close()
				defer s.Close()
				ends := map[string]error{}
				done := make(chan error, 1)
				go func() { done <- s.Handshake() }()
				ends["server"] = c.Handshake()
				if ends["server"] != nil {
					a.Close()
				}
				ends["client"] = <-done
				if err := ends[role]; err == nil || !strings.Contains(err.Error(), "was revoked") {
					t.Errorf("the revoked %s gets in: %v", role, err)
				}
			})
		}
	}
}

// A staple that no longer holds is no staple: the session is not offered, and the server
// gets a chance to bring another.
func TestASessionWhoseStapleHasEndedIsNotOffered(t *testing.T) {
	root := newIssuer(nil)
	for _, v := range []uint16{VersionTLS12, VersionTLS13} {
		cert := root.issue(mustStaple)
		now := time.Now()
		cert.OCSPStaple = root.saysAt(now.Add(-12*time.Hour), ocsp.Good, cert.Leaf) // it holds for 12 hours more
		server := &Config{Certificates: []Certificate{*cert}}
		client := &Config{RootCAs: root.pool(), ServerName: "example.com", ClientSessionCache: NewLRUClientSessionCache(4), Time: func() time.Time { return now }}
		at(v, client, server)
		c, s := mustConnect(t, client, server)
		bringTickets(t, c, s)
		if c, s = mustConnect(t, client, server); !c.ConnectionState().DidResume {
			t.Fatal("not resumed")
		}
		bringTickets(t, c, s)
		if said := saidOf(c.State()); len(said) != 1 || !strings.Contains(said[0], "not revoked") {
			t.Errorf("%s: a resumption has learnt %q", VersionName(v), said)
		}
		now = now.Add(13 * time.Hour) // and the session for longer
		cert.OCSPStaple = root.saysAt(now, ocsp.Good, cert.Leaf)
		server.Certificates = []Certificate{*cert}
		if c, _ := mustConnect(t, client, server); c.ConnectionState().DidResume {
			t.Errorf("%s: a session is resumed with a staple that has ended", VersionName(v))
		}
	}
}

// A server asks about its clients by the same rules.
func TestAClientsRevocation(t *testing.T) {
	root := newIssuer(nil)
	for _, v := range stapling {
		cert := root.issue()
		for _, k := range []*revocation.Checker{{Mode: revocation.Soft}, {Mode: revocation.Soft, Lists: []*revocation.List{root.revokes(cert.Leaf)}}, {Mode: revocation.Hard}} {
			server := &Config{Certificates: []Certificate{*root.issue()}, ClientAuth: VerifyClientCertIfGiven, ClientCAs: root.pool(), Revocation: k}
			client := &Config{RootCAs: root.pool(), ServerName: "example.com", Certificates: []Certificate{*cert}}
			at(v, client, server)
			a, b := memoryPipe()
			c, s := Client(a, client), Server(b, server)
			done := make(chan error, 1)
			go func() { done <- c.Handshake() }()
			err := s.Handshake()
			b.Close()
			<-done
			want := map[bool]string{true: "was revoked", false: "nobody says"}[len(k.Lists) > 0]
			if k.Mode == revocation.Soft && len(k.Lists) == 0 {
				want = ""
			}
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %v with %d lists: %v; want %q", VersionName(v), k.Mode, len(k.Lists), err, want)
			}
		}
	}
}

// patient is a fetcher that waits for the end of its context.
type patient struct{ asked chan struct{} }

func (w patient) Fetch(ctx context.Context, _ revocation.Request) ([]byte, error) {
	w.asked <- struct{}{}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// A fetch is bounded by the handshake's context, and holds up nobody else.
func TestAFetchIsTheHandshakesOwn(t *testing.T) {
	root := newIssuer(nil)
	key := newP256()
	c := &x509.Certificate{SerialNumber: big.NewInt(7), DNSNames: []string{"example.com"}, OCSPServer: []string{"http://ocsp.example/"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	asks := Certificate{Certificate: [][]byte{must(x509.CreateCertificate(rand.Reader, c, root.cert, key.Public(), root.key))}, PrivateKey: key}
	w := patient{make(chan struct{}, 8)}
	client := &Config{RootCAs: root.pool(), ServerName: "example.com", Revocation: &revocation.Checker{Mode: revocation.Hard, Fetcher: w}}
	ctx, cancel := context.WithCancel(t.Context())
	a, b := memoryPipe()
	held, s := Client(a, client), Server(b, &Config{Certificates: []Certificate{asks}})
	defer held.Close()
	defer s.Close()
	go s.Handshake()
	failed := make(chan error, 1)
	go func() { failed <- held.HandshakeContext(ctx) }()
	<-w.asked

	cert := root.issue()
	cert.OCSPStaple = root.says(ocsp.Good, cert.Leaf)
	if _, err := outcome(t, client, &Config{Certificates: []Certificate{*cert}}); err != nil {
		t.Errorf("another connection of the Config: %v", err)
	}
	if held.State().Revocation != nil {
		t.Error("State waits for the handshake")
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the handshake ends with %v", err)
	}
}
