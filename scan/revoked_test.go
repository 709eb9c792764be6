package scan

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// responder is an authority whose certificates name a responder, and how often that was asked.
func responder(t *testing.T) (ca *devca.CA, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	var answers *devca.Responder
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if body, err := io.ReadAll(r.Body); err == nil && r.Method == http.MethodPost {
			w.Write(answers.Respond(body))
		}
	}))
	t.Cleanup(server.Close)
	ca, err := devca.Init(t.TempDir(), server.URL, "example.test")
	if err != nil {
		t.Fatal(err)
	}
	answers = ca.Responder(time.Hour)
	return ca, asked
}

// Nobody but the target is contacted, unless the caller asks for it: then its authority says
// whether the certificate is revoked.
func TestAuthoritiesAreAskedOnRequestAlone(t *testing.T) {
	ca, asked := responder(t)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for _, revoked := range []bool{false, true} {
		cert, err := ca.Issue(devca.Leaf{Names: []string{"example.test"}})
		if err != nil {
			t.Fatal(err)
		}
		if revoked {
			if _, err := ca.Revoke(cert.Leaf.SerialNumber.Text(16), 1); err != nil {
				t.Fatal(err)
			}
		}
		at := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
		o := Options{Roots: ca.Pool(), ConfigurationOnly: true}
		asked.Store(0)
		if r := audited(t, at, o); asked.Load() != 0 || r.has("revoked") || r.has("chain") {
			t.Errorf("unasked, %d connections came to the authority: %+v", asked.Load(), r.Findings)
		}
		client := &fetch.Client{Transport: transport}
		o.Revocation, o.Issuers = &revocation.Checker{Mode: revocation.Soft, Fetcher: client}, client
		r := audited(t, at, o)
		if asked.Load() == 0 || r.has("revoked") != revoked || r.has("chain") || r.Chains[0].Revoked != revoked {
			t.Errorf("revoked %v: asked %d times: %+v", revoked, asked.Load(), r.Findings)
		}
		if revoked {
			wantFinding(t, r, "revoked")
		} else if r.Feature("revocation") == "" {
			t.Error("it is not said what the authority says")
		}
	}
}

// A stapled response is looked at: a good one, one that is over, and one that says revoked.
func TestStapledResponses(t *testing.T) {
	ca, _ := responder(t)
	cert, err := ca.Issue(devca.Leaf{Names: []string{"example.test"}, MustStaple: true})
	if err != nil {
		t.Fatal(err)
	}
	respond := func() []byte {
		return ca.Responder(time.Hour).Respond(revocation.OCSPRequest(cert.Leaf, ca.Intermediate(), nil))
	}
	scanned := func(staple []byte, now time.Time) *Report {
		with := cert
		with.OCSPStaple = staple
		at := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{with}})
		return audited(t, at, Options{Roots: ca.Pool(), ConfigurationOnly: true, Now: now})
	}
	good := respond()
	if r := scanned(good, time.Time{}); r.has("staple-bad") || r.has("must-staple") || r.has("revoked") {
		t.Errorf("a good response: %+v", r.Findings)
	}
	wantFinding(t, scanned(good, time.Now().Add(24*time.Hour)), "staple-bad")
	wantFinding(t, scanned([]byte("no response"), time.Time{}), "staple-bad")
	if _, err := ca.Revoke(cert.Leaf.SerialNumber.Text(16), 1); err != nil {
		t.Fatal(err)
	}
	wantFinding(t, scanned(respond(), time.Time{}), "revoked")
}

// Timestamps of logs are missed with the system's authorities alone, and where none came.
func TestCertificateTransparency(t *testing.T) {
	for _, stamped := range []bool{false, true} {
		cert := certificate(t, devca.ECDSA)
		if stamped {
			cert.SignedCertificateTimestamps = [][]byte{make([]byte, 50)}
		}
		at := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}})
		a := probe(t, &Prober{}, at, Probe{Hello: Modern(), Until: Flight})
		trusted := ChainReport{Trusted: true, For: []string{"with the name"}}
		for _, private := range []bool{false, true} {
			x := &audit{r: &Report{answers: map[string]*Answer{}}}
			if private {
				x.o.Roots = authority().Pool()
			}
			x.judgeCT(&shownChain{a: a}, trusted)
			if x.r.has("no-ct") != (!stamped && !private) {
				t.Errorf("stamped %v, private %v: %+v", stamped, private, x.r.Findings)
			}
		}
	}
}
