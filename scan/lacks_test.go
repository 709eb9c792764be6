package scan

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Where http:// gives no answer, nothing is known of its redirect, and the report names it. A port that
// refuses, and whatever is answered, is known.
func TestSilenceWithoutTLSIsNamed(t *testing.T) {
	says := func(words string, then func(net.Conn)) func(context.Context) (net.Conn, error) {
		at := serve(t, func(c net.Conn) {
			io.WriteString(c, words)
			then(c)
		})
		return func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", at.Address)
		}
	}
	fails := func(err error) func(context.Context) (net.Conn, error) {
		return func(context.Context) (net.Conn, error) { return nil, &net.OpError{Op: "dial", Err: err} }
	}
	waits := func(c net.Conn) { io.Copy(io.Discard, c) }
	for name, test := range map[string]struct {
		plain func(context.Context) (net.Conn, error)
		lacks bool
	}{
		"the dial times out":        {fails(os.ErrDeadlineExceeded), true},
		"it cannot be reached":      {fails(syscall.EHOSTUNREACH), true},
		"nobody listens":            {fails(syscall.ECONNREFUSED), false},
		"it is silent":              {says("", waits), true},
		"it closes":                 {says("", hello), true},
		"it stops within its head":  {says("HTTP/1.1 301 Moved\r\n", waits), true},
		"it leads to https://":      {says("HTTP/1.1 301 Moved\r\nLocation: https://example.test/\r\n\r\n", waits), false},
		"it is of another protocol": {says("220 mail.example.test\r\n\r\n", waits), false},
	} {
		x := auditOf("443", Target{Address: "localhost:443"}, wire.TLS13, suite13.ID)
		x.p.Timeout, x.o.Plain = 300*time.Millisecond, test.plain
		x.plain(t.Context())
		x.doubt(t.Context())
		if slices.Contains(x.r.NotAnswered, plainHTTP) != test.lacks || x.r.has("no-redirect") {
			t.Errorf("%s: %q, %+v, %+v", name, x.r.NotAnswered, x.r.Features, x.r.Findings)
		}
	}
}

// Where the authority that a certificate names cannot be reached, the report says so.
func TestSilenceOfAuthoritiesIsNamed(t *testing.T) {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &fetch.Client{Transport: transport}
	heard, _ := responder(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	unheard, err := devca.Init(t.TempDir(), "http://"+l.Addr().String(), "example.test")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		ca      *devca.CA
		trusted bool
		checker *revocation.Checker
		lacks   bool
	}{
		{heard, true, &revocation.Checker{Mode: revocation.Soft, Fetcher: client}, false},
		{unheard, true, &revocation.Checker{Mode: revocation.Soft, Fetcher: client}, true},
		{unheard, false, &revocation.Checker{Mode: revocation.Soft, Fetcher: client}, true}, // there is no path of which it could be asked
		{unheard, true, &revocation.Checker{Mode: revocation.Soft}, false},                  // nobody was asked
		{unheard, true, nil, false},
	} {
		cert, err := test.ca.Issue(devca.Leaf{Names: []string{"example.test"}})
		if err != nil {
			t.Fatal(err)
		}
		x := auditOf("443", serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}), wire.TLS13, suite13.ID)
		x.o.Revocation, x.o.Roots, x.o.Now = test.checker, authority().Pool(), time.Now()
		if test.trusted {
			x.o.Roots = test.ca.Pool()
		}
		x.certificates(t.Context())
		x.judgeChains(t.Context())
		x.doubt(t.Context())
		want := fmt.Sprintf("revocation of the certificate %.16s", x.r.Chains[0].SHA256)
		if slices.Contains(x.r.NotAnswered, want) != test.lacks {
			t.Errorf("%+v: %q", test, x.r.NotAnswered)
		}
	}
}

// That a server lacks a version or a group is no finding where the question got no answer.
func TestSilenceIsNoFinding(t *testing.T) {
	older := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}, MaxVersion: tls.VersionTLS12})
	picks := probe(t, &Prober{}, older, Probe{Hello: Modern()})
	for _, test := range []struct {
		silent, found bool
		first         *Answer
	}{{false, true, nil}, {true, false, nil}, {true, true, picks}} {
		for id, spoken := range map[string]wire.Version{"no-tls13": wire.TLS12, "no-tls12": wire.TLS11} {
			at := silentAt(t, older, func(int32) bool { return test.silent })
			x := auditOf("443", at, spoken, wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
			x.p.Timeout, x.first = 200*time.Millisecond, test.first
			x.r.Versions = make([]VersionReport, 1)
			x.version(t.Context(), wire.TLS13, &x.r.Versions[0])
			x.judgeVersions()
			if x.r.has(id) != test.found {
				t.Errorf("%s, %+v: %+v, %+v", id, test, x.r.Versions, x.r.Findings)
			}
		}
	}
	for _, swallowed := range []int32{0, 1} {
		at := silentAt(t, (&broken13{}).serve(t), func(n int32) bool { return n == swallowed })
		x := auditOf("443", at, wire.TLS13, suite13.ID)
		x.p.Timeout = 200 * time.Millisecond
		x.groups13(t.Context())
		x.judgeGroups()
		if x.r.has("no-hybrid") != (swallowed == 0) {
			t.Errorf("without an answer to the connection %d: %+v, %+v", swallowed, x.r.Groups, x.r.Findings)
		}
	}
}
