package diagnose_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func init() { calls = append(calls, trialCalls...) }

// oneSegment is a server behind a network of small packets that looks at the first segment of
// a hello alone: what does not fit into it, or comes in two, gets the reaction.
func oneSegment(react reaction) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	const mtu = 1400
	return func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		way.Patience = short
		return s.open(func(conn net.Conn) {
			first := make([]byte, 4096)
			n, err := conn.Read(first)
			if err != nil {
				return
			}
			first = first[:n]
			whole := n > wire.RecordHeaderLen && n == wire.RecordHeaderLen+(int(first[3])<<8|int(first[4]))
			if n > mtu || !whole {
				react(conn, s)
				return
			}
			serve(&primed{conn, io.MultiReader(bytes.NewReader(first), conn)}, server)
		})
	}
}

// fetchable has the leaf come alone, and a site that has what leads further.
func fetchable(missing func(p *pki, url string) ([]tls.Certificate, map[string][]byte)) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, p *pki, _, server *tls.Config, way *diagnose.Way) string {
		var files map[string][]byte
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if der := files[r.URL.Path]; der != nil {
				w.Write(der)
				return
			}
			http.NotFound(w, r)
		}))
		p.t.Cleanup(site.Close)
		server.Certificates, files = missing(p, site.URL)
		way.Issuers = &fetch.Client{}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}
}

func saysIssuer(url string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.IssuingCertificateURL = []string{url} }
}

// resumed has the client make a connection first, whose session its hello is to resume.
func resumed(version uint16, mindsIt func(*heard) bool, react reaction) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, p *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion, client.ClientSessionCache = version, tls.NewLRUClientSessionCache(4)
		address := s.minds(mindsIt, react, server)
		raw, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
		if err != nil {
			p.t.Fatal(err)
		}
		conn := tls.Client(raw, client)
		io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
		if _, err := io.Copy(io.Discard, conn); err != nil {
			p.t.Fatal(err)
		}
		conn.Close()
		return address
	}
}

func hasTicket(h *heard) bool {
	return slices.ContainsFunc(h.Extensions, func(e wire.Extension) bool { return e.Type == wire.ExtSessionTicket && len(e.Data) > 0 })
}

var trialCalls = []call{
	{"reads one segment of a hello, and closes", oneSegment(closes), "segment-intolerant", diagnose.Likely, diagnose.Server},
	{"a box that drops what comes in two segments", oneSegment(keepsSilent), "segment-intolerant", diagnose.Likely, diagnose.Somebody},
	{"resumes no session of TLS 1.3, and closes", resumed(tls.VersionTLS13, func(h *heard) bool { return h.Extensions.Has(wire.ExtPreSharedKey) }, closes), "resumption-intolerant", diagnose.Likely, diagnose.Server},
	{"resumes no session by ticket, and sends an alert", resumed(tls.VersionTLS12, hasTicket, alerts(wire.AlertHandshakeFailure)), "resumption-intolerant", diagnose.Certain, diagnose.Server},
	{"intolerant of two extensions", picky(func(h *heard) bool {
		return h.Extensions.Has(wire.ExtExtendedMasterSecret) || h.Extensions.Has(wire.ExtSCT)
	}, alerts(wire.AlertDecodeError)), "extension-intolerant", "", diagnose.Server},
	{"two intermediates that can be fetched", fetchable(func(p *pki, url string) ([]tls.Certificate, map[string][]byte) {
		upper := certify(p.t, p.root, template("Upper Intermediate", authority), nil)
		lower := certify(p.t, upper, template("Lower Intermediate", authority, saysIssuer(url+"/upper")), nil)
		leaf := certify(p.t, lower, template("a.test", named("a.test"), saysIssuer(url+"/lower")), nil)
		return certificates(tls.Certificate{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}),
			map[string][]byte{"/upper": upper.cert.Raw, "/lower": lower.cert.Raw}
	}), "chain-incomplete", diagnose.Certain, diagnose.Server},
	{"an intermediate that is not where it should be", fetchable(func(p *pki, url string) ([]tls.Certificate, map[string][]byte) {
		c := p.leaf(saysIssuer(url + "/gone"))
		c.Certificate = c.Certificate[:1]
		return certificates(c), nil
	}), "chain-incomplete", diagnose.Likely, diagnose.Server},
}

// Of two extensions that the server minds each, none is named alone: leaving that one out did
// not help.
func TestNoExtensionIsNamedByExclusionAlone(t *testing.T) {
	scene := ordinary(newPKI(t))
	s := newStreet(t)
	address := s.minds(func(h *heard) bool {
		return h.Extensions.Has(wire.ExtExtendedMasterSecret) || h.Extensions.Has(wire.ExtSCT)
	}, alerts(wire.AlertDecodeError), scene.server)
	v := visit(t, scene.client, diagnose.Way{}, address)
	judge(t, v, "extension-intolerant", "", "")
	for _, name := range []string{"extended_master_secret", "signed_certificate_timestamp"} {
		if !strings.Contains(v.Sentence, name) {
			t.Errorf("%s is not named: %s", name, v.Sentence)
		}
	}
	for _, trial := range v.Trials {
		t.Logf("%d %s: %s", trial.Number, trial.Asks, trial.Answer)
	}
}

// A watcher hears of each trial as it begins, in order.
func TestTrialsAreToldAsTheyBegin(t *testing.T) {
	scene := ordinary(newPKI(t))
	s := newStreet(t)
	var heard []string
	way := diagnose.Way{Trying: func(number int, asks string) {
		if heard = append(heard, asks); number != len(heard) {
			t.Errorf("trial %d is told as number %d", len(heard), number)
		}
	}}
	v := visit(t, scene.client, way, s.minds(always, closes, scene.server))
	var made []string
	for _, trial := range v.Trials {
		made = append(made, trial.Asks)
	}
	if len(made) == 0 || !slices.Equal(heard, made) {
		t.Errorf("told were %q, made were %q", heard, made)
	}
}

// What is where the intermediate should be may be of anybody: it is said what it is.
func TestAnotherCertificateIsNoIntermediate(t *testing.T) {
	p := newPKI(t)
	scene := ordinary(p)
	var way diagnose.Way
	address := fetchable(func(p *pki, url string) ([]tls.Certificate, map[string][]byte) {
		c := p.leaf(saysIssuer(url + "/other"))
		c.Certificate = c.Certificate[:1]
		return certificates(c), map[string][]byte{"/other": p.leaf().Certificate[0]}
	})(newStreet(t), p, scene.client, scene.server, &way)
	v := visit(t, scene.client, way, address)
	judge(t, v, "chain-incomplete", diagnose.Likely, diagnose.Server)
	if len(v.Trials) == 0 || !strings.Contains(v.Trials[0].Answer, `which did not issue "a.test"`) {
		t.Errorf("the trials are %+v", v.Trials)
	}
}
