package tls

import (
	"bytes"
	stdtls "crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

// clientStaples are a client's staples, and what a server makes of them.
var clientStaples = []struct {
	name   string
	strict bool // its certificate demands a staple
	staple string
	mode   revocation.Mode
	alert  wire.AlertCode // 0 where the client is accepted
	learnt string
}{
	{"none", false, "", revocation.Soft, 0, ""},
	{"good", false, "good", revocation.Soft, 0, "not revoked (stapled OCSP"},
	{"revoked", false, "revoked", revocation.Soft, wire.AlertCertificateRevoked, "key compromise (stapled OCSP)"},
	{"revoked, and nobody is asked", false, "revoked", revocation.Off, 0, ""},
	{"of another", false, "another's", revocation.Soft, 0, "not known"},
	{"of another, hard", false, "another's", revocation.Hard, wire.AlertCertificateUnknown, "nobody says"},
	{"none, hard", false, "", revocation.Hard, wire.AlertCertificateUnknown, "nobody says"},
	{"good, hard", false, "good", revocation.Hard, 0, "not revoked (stapled OCSP"},
	{"must staple, and does", true, "good", revocation.Soft, 0, "not revoked (stapled OCSP"},
	{"must staple, and does not", true, "", revocation.Soft, wire.AlertBadCertificateStatusResponse, "none came"},
	{"must staple, and staples another's", true, "another's", revocation.Soft, wire.AlertBadCertificateStatusResponse, "demands a stapled OCSP response"},
}

// stapler is an authority, and a client of it that staples.
func stapler(strict bool, staple string) (*issuer, *Certificate) {
	root := newIssuer(nil)
	cert := root.issue()
	if strict {
		cert = root.issue(mustStaple)
	}
	switch staple {
	case "good":
		cert.OCSPStaple = root.says(ocsp.Good, cert.Leaf)
	case "revoked":
		cert.OCSPStaple = root.says(ocsp.Revoked, cert.Leaf)
	case "another's":
		cert.OCSPStaple = root.says(ocsp.Good, root.issue().Leaf)
	}
	cert.SignedCertificateTimestamps = [][]byte{[]byte("a timestamp")}
	return root, cert
}

// In TLS 1.3 a server asks its clients for staples, and judges them as a client does those
// of servers: in the handshake, and after it. Up to TLS 1.2 it cannot ask, and so misses
// nothing. RFC 8446 §4.4.2.1.
func TestAClientsStaples(t *testing.T) {
	for _, tc := range clientStaples {
		for _, when := range []string{"in the handshake", "later", "TLS 1.2"} {
			t.Run(tc.name+"/"+when, func(t *testing.T) {
				root, cert := stapler(tc.strict, tc.staple)
				server := &Config{Certificates: []Certificate{*root.issue()}, ClientAuth: RequireAndVerifyClientCert, ClientCAs: root.pool(),
					Revocation: &revocation.Checker{Mode: tc.mode}}
				client := &Config{RootCAs: root.pool(), ServerName: "example.com", Certificates: []Certificate{*cert}, PostHandshakeAuth: true}
				want, learnt, staple := tc.alert, tc.learnt, cert.OCSPStaple
				if when == "TLS 1.2" {
					at(VersionTLS12, client, server)
					if learnt, staple = "", nil; tc.mode == revocation.Hard {
						want, learnt = wire.AlertCertificateUnknown, "nobody says"
					} else {
						want = 0
					}
				}
				if when == "later" {
					server.ClientAuth, server.LaterClientAuth = NoClientCert, RequireAndVerifyClientCert
				}
				a, b := memoryPipe()
				c, s := Client(a, client), Server(b, server)
				defer c.Close()
				defer s.Close()
				go func() {
					c.Handshake()
					c.Read(make([]byte, 1)) // a request that comes later, and its end
				}()
				err := s.Handshake()
				if err == nil && when == "later" {
					err = ask(t, s)
				}
				if want != 0 {
					if known := new(HandshakeError); !errors.As(err, &known) || known.Alert != want || !strings.Contains(err.Error(), learnt) {
						t.Fatalf("the server says %v; want %v: %s", err, want, learnt)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				state := s.State()
				if said := strings.Join(saidOf(state), ""); !strings.Contains(said, learnt) || (said == "") != (learnt == "") {
					t.Errorf("State says %q; want %q", said, learnt)
				}
				if !bytes.Equal(state.OCSPResponse, staple) || !bytes.Equal(s.ConnectionState().OCSPResponse, staple) {
					t.Errorf("the staple is %x", state.OCSPResponse)
				}
				if n := len(s.ConnectionState().SignedCertificateTimestamps); (n == 1) != (when != "TLS 1.2") {
					t.Errorf("%d timestamps", n)
				}
			})
		}
	}
}

// A ticket keeps the client's staple: a resumption judges it again, and where it has ended
// and is needed, a full handshake brings another.
func TestAClientsStapleIsJudgedAgain(t *testing.T) {
	root := newIssuer(nil)
	cert := root.issue(mustStaple)
	now := time.Now()
	cert.OCSPStaple = root.saysAt(now.Add(-12*time.Hour), ocsp.Good, cert.Leaf) // it holds for 12 hours more
	server := &Config{Certificates: []Certificate{*root.issue()}, ClientAuth: RequireAndVerifyClientCert, ClientCAs: root.pool(), Time: func() time.Time { return now }}
	client := &Config{RootCAs: root.pool(), ServerName: "example.com", ClientSessionCache: NewLRUClientSessionCache(4), Time: func() time.Time { return now },
		GetClientCertificate: func(*CertificateRequestInfo) (*Certificate, error) { return cert, nil }}
	for _, want := range []bool{false, true} {
		c, s := mustConnect(t, client, server)
		bringTickets(t, c, s)
		if s.ConnectionState().DidResume != want {
			t.Fatalf("resumed: %v; want %v", !want, want)
		}
		if said := saidOf(s.State()); len(said) != 1 || !strings.Contains(said[0], "not revoked (stapled OCSP") {
			t.Errorf("resumed %v: the server has learnt %q", want, said)
		}
	}
	now = now.Add(13 * time.Hour) // and the session for longer
	cert.OCSPStaple = root.saysAt(now, ocsp.Good, cert.Leaf)
	if _, s := mustConnect(t, client, server); s.ConnectionState().DidResume {
		t.Error("a session is resumed with a staple that has ended")
	}
}

// What a resumed session has brought outlives the memory that its ticket was opened in.
func TestAClientsStapleOutlivesItsTicket(t *testing.T) {
	root, cert := stapler(false, "good")
	server := &Config{Certificates: []Certificate{*root.issue()}, ClientAuth: RequireAndVerifyClientCert, ClientCAs: root.pool()}
	client := &Config{RootCAs: root.pool(), ServerName: "example.com", Certificates: []Certificate{*cert}, ClientSessionCache: NewLRUClientSessionCache(1)}
	for i := range 3 {
		c, s, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		go sendByte(s) // with the ticket
		c.Read(make([]byte, 1))
		state := s.ConnectionState()
		if state.DidResume != (i > 0) || !bytes.Equal(state.OCSPResponse, cert.OCSPStaple) || !bytes.Equal(state.PeerCertificates[0].Raw, cert.Certificate[0]) {
			t.Errorf("connection %d: resumed %t, the staple is %x", i, state.DidResume, state.OCSPResponse)
		}
		c.Close()
		s.Close()
	}
}

// What a client staples arrives where crypto/tls is the other side.
func TestAClientsStaplesWithCryptoTLS(t *testing.T) {
	for _, role := range roles {
		t.Run(role.name, func(t *testing.T) {
			root, cert := stapler(true, "good")
			server := &Config{Certificates: []Certificate{*root.issue()}, ClientAuth: RequireAndVerifyClientCert, ClientCAs: root.pool()}
			client := &Config{RootCAs: root.pool(), ServerName: "example.com", Certificates: []Certificate{*cert}}
			ours, theirs := role.start(client, server)
			defer ours.Close()
			defer theirs.Close()
			done := make(chan error, 1)
			go func() { done <- theirs.Handshake() }()
			if err := errors.Join(ours.Handshake(), <-done); err != nil {
				t.Fatal(err)
			}
			state := stdtls.ConnectionState(ours.ConnectionState())
			if role.name == "client" {
				state = theirs.ConnectionState()
			}
			if !bytes.Equal(state.OCSPResponse, cert.OCSPStaple) || len(state.SignedCertificateTimestamps) != 1 {
				t.Errorf("the server has %d bytes of OCSP and %d timestamps", len(state.OCSPResponse), len(state.SignedCertificateTimestamps))
			}
		})
	}
}
