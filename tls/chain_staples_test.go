package tls

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// chainStapler is a root, and what a server below an intermediate staples for the two of
// them: the responses hold for the time given.
type chainStapler struct {
	root, between *issuer
	cert          *Certificate
	forIssuer     []byte
}

func newChainStapler() *chainStapler {
	s := &chainStapler{root: newIssuer(nil)}
	s.between = newIssuer(s.root)
	s.cert = s.between.issue()
	s.cert.Certificate = append(s.cert.Certificate, s.between.cert.Raw)
	return s
}

// says has it staple, from now on, what the two authorities say at a moment.
func (s *chainStapler) says(at time.Time, leaf, between int) {
	s.cert.OCSPStaple = s.between.saysAt(at, leaf, s.cert.Leaf)
	s.forIssuer = s.root.saysAt(at, between, s.between.cert)
}

func (s *chainStapler) stapling() Stapling {
	return Stapling{ForIssuer: func(cert []byte) []byte {
		if bytes.Equal(cert, s.between.cert.Raw) {
			return s.forIssuer
		}
		return nil
	}}
}

// hardly is a pair of configs, of which one, of the role given, staples for its chain, and
// the other accepts nothing that is not known.
func (s *chainStapler) hardly(role string, now func() time.Time) (client, server *Config) {
	hard := &revocation.Checker{Mode: revocation.Hard}
	server = &Config{Certificates: []Certificate{*s.cert}, Stapling: s.stapling(), Time: now}
	client = &Config{RootCAs: s.root.pool(), ServerName: "example.com", ClientSessionCache: NewLRUClientSessionCache(4), Time: now, Revocation: hard}
	client.Stapling.AskForChain = true
	if role == "client" {
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return s.cert, nil }
		client.Stapling, client.Revocation = s.stapling(), nil
		server.Certificates, server.Stapling = []Certificate{*s.between.issue()}, Stapling{}
		server.Certificates[0].Certificate = append(server.Certificates[0].Certificate, s.between.cert.Raw)
		server.ClientAuth, server.ClientCAs, server.Revocation = RequireAndVerifyClientCert, s.root.pool(), hard
	}
	return client, server
}

// chainStaplers are the sides that can staple for a chain, with the versions: a client needs TLS 1.3.
var chainStaplers = []struct {
	role    string
	version uint16
}{{"server", VersionTLS10}, {"server", VersionTLS11}, {"server", VersionTLS12}, {"server", VersionTLS13}, {"client", VersionTLS13}}

// Either side staples for every certificate of its chain, and a session keeps all of it:
// a resumption with mode hard judges it again, and gives way to a full handshake once it
// has ended.
func TestTheStaplesOfAChainAreKept(t *testing.T) {
	for _, tc := range chainStaplers {
		role := tc.role
		t.Run(role+"/"+VersionName(tc.version), func(t *testing.T) {
			now, began := time.Now(), time.Now()
			s := newChainStapler()
			s.says(began.Add(-12*time.Hour), ocsp.Good, ocsp.Good) // for 12 hours more
			client, server := s.hardly(role, func() time.Time { return now })
			at(tc.version, client, server)
			for i, want := range []bool{false, true, true, false} {
				if i == 3 { // the responses have ended, the session has not
					now = began.Add(13 * time.Hour)
					s.says(now, ocsp.Good, ocsp.Good)
					if role == "server" {
						server = server.Clone()
						server.Certificates = []Certificate{*s.cert}
					}
				}
				c, srv := mustConnect(t, client, server)
				bringTickets(t, c, srv)
				judge := c
				if role == "client" {
					judge = srv
				}
				state := judge.State()
				if got := state.Resumption != "none"; got != want {
					t.Fatalf("handshake %d: resumed %v, want %v", i+1, got, want)
				}
				if said := saidOf(state); len(said) != 2 || !strings.Contains(said[0], "stapled OCSP") || !strings.Contains(said[1], "stapled OCSP") {
					t.Errorf("handshake %d: learnt %q", i+1, said)
				}
			}
		})
	}
}

// An intermediate that is revoked is refused by what was stapled to it.
func TestAnIntermediateIsRevokedByItsStaple(t *testing.T) {
	for _, tc := range chainStaplers {
		role := tc.role
		s := newChainStapler()
		s.says(time.Now(), ocsp.Good, ocsp.Revoked)
		client, server := s.hardly(role, nil)
		at(tc.version, client, server)
		_, _, clientErr, serverErr := connect(t, client, server)
		err := map[string]error{"server": clientErr, "client": serverErr}[role]
		if err == nil || !strings.Contains(err.Error(), `"an intermediate authority" was revoked`) {
			t.Errorf("the %s's in %s: %v", role, VersionName(tc.version), err)
		}
	}
}

// Staples that are too long for a session cost a full handshake where they are needed, and
// nothing where they are not.
func TestLongStaplesAreNotKept(t *testing.T) {
	for _, mode := range []revocation.Mode{revocation.Hard, revocation.Soft} {
		s := newChainStapler()
		s.says(time.Now(), ocsp.Good, ocsp.Good)
		long := ocsp.Response{Status: ocsp.Good, SerialNumber: s.cert.Leaf.SerialNumber, ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour)}
		long.ExtraExtensions = append(long.ExtraExtensions, mustStaple)
		long.ExtraExtensions[0].Value = make([]byte, 20<<10)
		s.cert.OCSPStaple = must(ocsp.CreateResponse(s.between.cert, s.between.cert, long, s.between.key))
		client, server := s.hardly("server", nil)
		at(VersionTLS13, client, server)
		client.Revocation.Mode = mode
		cache := new(oneSession)
		client.ClientSessionCache = cache
		for i := range 2 {
			c, srv := mustConnect(t, client, server)
			bringTickets(t, c, srv)
			if got, want := c.ConnectionState().DidResume, i > 0 && mode == revocation.Soft; got != want {
				t.Errorf("%v, handshake %d: resumed %v, want %v", mode, i+1, got, want)
			}
			if !c.ConnectionState().DidResume && len(c.State().OCSPResponse) < 20<<10 {
				t.Errorf("%v, handshake %d: the staple is not there", mode, i+1)
			}
			if _, state, err := cache.ResumptionState(); err != nil || len(must(state.Bytes())) > 16<<10 {
				t.Errorf("%v, handshake %d: the session is long, or there is none: %v", mode, i+1, err)
			}
		}
	}
}

// Up to TLS 1.2 a server staples for its chain to clients that ask for that, and else for
// its leaf. In TLS 1.3 nothing depends on it.
func TestTheStaplesOfAChainAreForThoseThatAsk(t *testing.T) {
	for _, v := range stapling {
		for _, asks := range []bool{false, true} {
			s := newChainStapler()
			s.says(time.Now(), ocsp.Good, ocsp.Good)
			client, server := s.hardly("server", nil)
			at(v, client, server)
			client.Revocation.Mode, client.Stapling.AskForChain = revocation.Soft, asks
			c, _ := mustConnect(t, client, server)
			said, want := saidOf(c.State()), 1
			if asks || v == VersionTLS13 {
				want = 2
			}
			n := 0
			for _, answer := range said {
				if strings.Contains(answer, "not revoked (stapled OCSP") {
					n++
				}
			}
			if n != want || !bytes.Equal(c.OCSPResponse(), s.cert.OCSPStaple) {
				t.Errorf("%s, asks %v: learnt %q", VersionName(v), asks, said)
			}
		}
	}
}
