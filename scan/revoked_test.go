package scan

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
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
			x.judgeCT(&shownChain{a: a}, cert.Leaf, trusted)
			if x.r.has("no-ct") != (!stamped && !private) {
				t.Errorf("stamped %v, private %v: %+v", stamped, private, x.r.Findings)
			}
		}
	}
}

// A stapled response may bring the timestamps.
func TestTimestampsInAStapledResponse(t *testing.T) {
	leaf := certificate(t, devca.ECDSA).Leaf
	at := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}})
	a := probe(t, &Prober{}, at, Probe{Hello: Modern(), Until: Flight})
	list := []byte{4, 6, 0, 4, 0, 2, 1, 2} // one timestamp, of two bytes
	for _, serial := range []*big.Int{leaf.SerialNumber, big.NewInt(7)} {
		x := &audit{r: &Report{answers: map[string]*Answer{}}}
		x.judgeCT(&shownChain{a: a, staple: stampedResponse(t, serial, list)}, leaf, ChainReport{Trusted: true, For: []string{"with the name"}})
		if x.r.has("no-ct") != (serial != leaf.SerialNumber) {
			t.Errorf("of the certificate %v: %+v", serial, x.r.Findings)
		}
	}
}

// stampedResponse is an OCSP response with timestamps, which nobody has signed.
func stampedResponse(t *testing.T, serial *big.Int, list []byte) []byte {
	t.Helper()
	type extension struct {
		ID    asn1.ObjectIdentifier
		Value []byte
	}
	type single struct {
		ID struct {
			Hash      pkix.AlgorithmIdentifier
			Name, Key []byte
			Serial    *big.Int
		}
		Good       asn1.RawValue
		This       time.Time   `asn1:"generalized"`
		Extensions []extension `asn1:"explicit,tag:1"`
	}
	one := single{Good: asn1.RawValue{Class: asn1.ClassContextSpecific}, This: time.Now().UTC(),
		Extensions: []extension{{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 5}, list}}}
	one.ID.Hash.Algorithm, one.ID.Serial = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, serial
	der := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	basic := der(struct {
		Data struct {
			By       []byte    `asn1:"explicit,tag:2"`
			Produced time.Time `asn1:"generalized"`
			Singles  []single
		}
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{struct {
		By       []byte    `asn1:"explicit,tag:2"`
		Produced time.Time `asn1:"generalized"`
		Singles  []single
	}{make([]byte, 20), time.Now().UTC(), []single{one}}, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}}, asn1.BitString{Bytes: []byte{0}, BitLength: 8}})
	type bytesOf struct {
		Kind asn1.ObjectIdentifier
		Body []byte
	}
	return der(struct {
		Status asn1.Enumerated
		Bytes  bytesOf `asn1:"explicit,tag:0"`
	}{0, bytesOf{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, basic}})
}

// A certificate of a few days is told of in its last third, one of months in its last weeks.
func TestShortLivedCertificatesEndSoonLate(t *testing.T) {
	now := time.Now()
	day := 24 * time.Hour
	for _, test := range []struct {
		valid, left time.Duration
		soon        bool
	}{{6 * day, 3 * day, false}, {6 * day, 47 * time.Hour, true}, {90 * day, 22 * day, false}, {90 * day, 20 * day, true}, {398 * day, 22 * day, false}} {
		leaf := &x509.Certificate{NotBefore: now.Add(test.left - test.valid), NotAfter: now.Add(test.left)}
		if endsSoon(leaf, now) != test.soon {
			t.Errorf("%v before the end of %v: %v", test.left, test.valid, !test.soon)
		}
	}
}
