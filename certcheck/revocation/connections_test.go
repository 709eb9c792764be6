package revocation_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// responder is what answers HTTP: with the bodies at its URLs, or by failing.
type responder struct {
	bodies map[string][]byte
	status int // 0 for 200
	silent bool
}

func (r responder) RoundTrip(q *http.Request) (*http.Response, error) {
	if r.silent {
		<-q.Context().Done()
		return nil, q.Context().Err()
	}
	status, body := r.status, r.bodies[q.URL.String()]
	if status == 0 {
		status = http.StatusOK
	}
	if _, ok := r.bodies[q.URL.String()]; !ok {
		status = http.StatusNotFound
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{"Location": {"ftp://elsewhere.example/"}}, Request: q, ContentLength: int64(len(body))}, nil
}

// client is a fetcher of its own for each connection, as it remembers who has failed.
func (r responder) client() *fetch.Client {
	c := &fetch.Client{Transport: r, Now: func() time.Time { return revocation.Now }}
	if r.silent {
		c.Timeout = time.Millisecond
	}
	return c
}

// A place is where an answer about a certificate comes from.
type place struct {
	name    string
	source  revocation.Source // of the answer
	version uint16
	client  bool // it is the client's certificate
	// say has the side that shows the certificate, or the one that judges it, get the answer.
	say func(f *revocation.Fixture, shows, judges *tls.Config, der []byte)
}

func staple(f *revocation.Fixture, shows, judges *tls.Config, der []byte) {
	shows.Certificates[0].OCSPStaple = der
	shows.Stapling.ForIssuer = func([]byte) []byte { return f.IssuerStaple }
}

func staples(f *revocation.Fixture, shows, judges *tls.Config, der []byte) {
	staple(f, shows, judges, der)
	judges.Stapling.AskForChain = true
}

func at(url string) func(*revocation.Fixture, *tls.Config, *tls.Config, []byte) {
	return func(_ *revocation.Fixture, _, judges *tls.Config, der []byte) {
		judges.Revocation.Fetcher = responder{bodies: map[string][]byte{url: der}}.client()
	}
}

var staplePlaces = []place{
	{"a server's staple, TLS 1.2", revocation.Stapled, tls.VersionTLS12, false, staple},
	{"a server's staples of a chain, TLS 1.2", revocation.Stapled, tls.VersionTLS12, false, staples},
	{"a server's staple, TLS 1.3", revocation.Stapled, tls.VersionTLS13, false, staple},
	{"a client's staple, TLS 1.3", revocation.Stapled, tls.VersionTLS13, true, staple},
}

var responderPlaces = []place{
	{"a server's responder", revocation.OCSP, tls.VersionTLS13, false, at(revocation.OCSPURL)},
	{"a client's responder", revocation.OCSP, tls.VersionTLS12, true, at(revocation.OCSPURL)},
}

var listPlaces = []place{
	{"a server's distribution point", revocation.CRL, tls.VersionTLS13, false, at(revocation.CRLURL)},
	{"a client's distribution point", revocation.CRL, tls.VersionTLS12, true, at(revocation.CRLURL)},
}

var modes = []revocation.Mode{revocation.Off, revocation.Soft, revocation.Hard}

// longestStaple is what fits an extension.
const longestStaple = 1<<16 - 1 - 4

// Every answer of a responder, and every list, in every way in which it can come to a
// connection, in each mode: one table of what is accepted, and what is known then.
func TestEveryAnswerInAConnection(t *testing.T) {
	f := revocation.NewFixture(t)
	n := 0
	each := func(places []place, variants []revocation.Variant) {
		for _, p := range places {
			for _, v := range variants {
				if p.source == revocation.Stapled && len(v.DER) > longestStaple {
					continue // the next test
				}
				if v.Name == "too large" {
					v.Doubt = "it has more than" // it is not even fetched
				}
				for _, mode := range modes {
					if n++; testing.Short() && n%7 != 0 { // some of each place, as it has more than seven
						continue
					}
					check(t, f, p, v, mode)
				}
			}
		}
	}
	each(staplePlaces, f.Responses)
	each(responderPlaces, f.Responses)
	each(listPlaces, f.Lists)
	if n < 1000 {
		t.Errorf("%d connections: where have the variants gone?", n)
	}
}

// What no extension can carry is not sent: the side that has it says so.
func TestAStapleThatIsTooLongIsNotSent(t *testing.T) {
	f := revocation.NewFixture(t)
	for _, p := range staplePlaces {
		shows, _ := handshake(t, f, p, make([]byte, longestStaple+1), revocation.Soft)
		if shows.err == nil || !strings.Contains(shows.err.Error(), "OCSPStaple") {
			t.Errorf("%s: %v", p.name, shows.err)
		}
	}
}

// What goes wrong on the way to a responder or a list.
func TestEveryFailureOfAFetchInAConnection(t *testing.T) {
	f := revocation.NewFixture(t)
	failures := map[string]responder{"a time-out": {silent: true}, "nobody is there": {}}
	for _, status := range []int{301, 403, 404, 500, 503} {
		failures[fmt.Sprint(status)] = responder{status: status}
	}
	for name, r := range failures {
		for _, p := range append(responderPlaces, listPlaces...) {
			p.say = func(f *revocation.Fixture, _, judges *tls.Config, der []byte) {
				if r.status != 0 {
					r.bodies = map[string][]byte{revocation.OCSPURL: der, revocation.CRLURL: der}
				}
				judges.Revocation.Fetcher = r.client()
			}
			for _, mode := range modes {
				good := f.Responses[0].DER
				if p.source == revocation.CRL {
					good = f.Lists[0].DER
				}
				check(t, f, p, revocation.Variant{Name: name, DER: good, Status: revocation.Unknown}, mode)
			}
		}
	}
}

// end is one side after a handshake.
type end struct {
	conn *tls.Conn
	err  error
}

// handshake connects over a pipe, and returns the side that shows the certificate and the
// one that judges it.
func handshake(t *testing.T, f *revocation.Fixture, p place, der []byte, mode revocation.Mode) (shows, judges end) {
	t.Helper()
	roots := x509.NewCertPool()
	root, err := x509.ParseCertificate(f.Root)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(root)
	cert := tls.Certificate{Certificate: [][]byte{f.Leaf, f.Issuer}, PrivateKey: f.Key}
	now := func() time.Time { return revocation.Now }
	client := &tls.Config{RootCAs: roots, ServerName: "example.com", Time: now, MinVersion: p.version, MaxVersion: p.version, Revocation: &revocation.Checker{}}
	server := &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: roots, Time: now, MinVersion: p.version, MaxVersion: p.version, SessionTicketsDisabled: true}
	judge, other := client, server
	if p.client {
		judge, other = server, client
		client.Certificates = []tls.Certificate{cert}
		server.ClientAuth = tls.RequireAndVerifyClientCert
	}
	// Of the issuer a list at hand says that it is good.
	judge.Revocation = &revocation.Checker{Mode: mode, Lists: []*revocation.List{f.IssuerList}}
	p.say(f, other, judge, der)

	a, b := net.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, s := end{conn: tls.Client(a, client)}, end{conn: tls.Server(b, server)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if s.err = s.conn.HandshakeContext(ctx); s.err != nil {
			b.Close()
		}
	}()
	if c.err = c.conn.HandshakeContext(ctx); c.err != nil {
		a.Close()
	} else if p.client {
		go c.conn.Read(make([]byte, 1)) // the alert of a server that refuses after the client's last word
	}
	<-done
	t.Cleanup(func() { a.Close(); b.Close() })
	if p.client {
		return c, s
	}
	return s, c
}

// check makes a connection, and sees what its judge makes of an answer.
func check(t *testing.T, f *revocation.Fixture, p place, v revocation.Variant, mode revocation.Mode) {
	t.Helper()
	_, judge := handshake(t, f, p, v.DER, mode)
	where := fmt.Sprintf("%s, %v, %s", p.name, mode, v.Name)
	var alert wire.AlertCode
	switch {
	case mode == revocation.Off:
	case v.Status == revocation.Revoked:
		alert = wire.AlertCertificateRevoked
	case v.Status == revocation.Unknown && mode == revocation.Hard:
		alert = wire.AlertCertificateUnknown
	}
	if alert != 0 {
		known := new(tls.HandshakeError)
		if !errors.As(judge.err, &known) || known.Alert != alert {
			t.Errorf("%s: %v; want %v", where, judge.err, alert)
		}
		return
	}
	if judge.err != nil {
		t.Errorf("%s: %v", where, judge.err)
		return
	}
	answers := judge.conn.State().Revocation
	if mode == revocation.Off {
		if len(answers) > 0 && answers[0].Status != revocation.Unknown {
			t.Errorf("%s: learnt %v", where, answers)
		}
		return
	}
	if len(answers) != 2 || answers[1].Status != revocation.Good {
		t.Errorf("%s: learnt %v", where, answers)
		return
	}
	of := answers[0]
	switch none := len(v.DER) == 0 && p.source == revocation.Stapled; {
	case of.Status != v.Status || v.Status == revocation.Good && of.Source != p.source:
		t.Errorf("%s: learnt %v", where, of)
	case v.Status == revocation.Unknown && !none && !doubts(of, p.source, v.Doubt):
		t.Errorf("%s: the doubts are %v; want %q", where, of.Doubts, v.Doubt)
	}
}

// doubts reports whether a source could not answer for a reason.
func doubts(a revocation.Answer, s revocation.Source, why string) bool {
	for _, d := range a.Doubts {
		if d.Source == s && strings.Contains(d.Err.Error(), why) {
			return true
		}
	}
	return false
}
