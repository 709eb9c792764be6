package lab

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func run(t *testing.T, s Setup, d *Deviation) *Result {
	t.Helper()
	r, err := Run(t.Context(), s, d)
	if err != nil {
		t.Fatalf("%+v, %+v: %v", s, d, err)
	}
	return r
}

// setups are a connection of each kind.
var setups = map[string]Setup{
	"defaults":         {},
	"TLS 1.2":          {Max: "TLS 1.2"},
	"RSA":              {Suites: []string{"TLS_RSA_WITH_AES_128_CBC_SHA"}, Max: "tls1.2"},
	"DHE":              {Suites: []string{"DHE-RSA-AES128-GCM-SHA256"}},
	"DHE 1024":         {Suites: []string{"DHE-RSA-AES128-GCM-SHA256"}, Client: Settings{DHBits: 1024}, Server: Settings{DHBits: 1024}},
	"DSS":              {Suites: []string{"TLS_DHE_DSS_WITH_AES_128_CBC_SHA"}},
	"SSL 3.0":          {Min: "SSL 3.0", Max: "SSL 3.0"},
	"TLS 1.0":          {Min: "TLS 1.0", Max: "TLS 1.0"},
	"TLS 1.1":          {Min: "TLS 1.1", Max: "TLS 1.1"},
	"PSK":              {PSK: true},
	"anonymous":        {Suites: []string{"TLS_DH_anon_WITH_AES_128_GCM_SHA256"}},
	"3DES":             {Suites: []string{"TLS_RSA_WITH_3DES_EDE_CBC_SHA"}, Max: "TLS 1.2"},
	"client shown":     {ClientCertificate: "shown"},
	"client asked":     {ClientCertificate: "asked"},
	"client later":     {ClientCertificate: "later"},
	"client later 1.2": {ClientCertificate: "later", Max: "TLS 1.2"},
	"ticket":           {Resume: "ticket"},
	"id":               {Resume: "id"},
	"psk":              {Resume: "psk"},
	"id SSL 3.0":       {Resume: "id", Min: "SSL 3.0", Max: "SSL 3.0"},
	"renegotiation":    {Renegotiate: "client"},
	"by the server":    {Renegotiate: "server"},
	"compression":      {Compression: true},
	"retry":            {Retry: true},
	"RSA key":          {Key: "rsa"},
	"groups":           {Groups: []string{"P-256"}},
	"small records":    {Max: "TLS 1.2", Groups: []string{"x25519"}, Client: Settings{Fragment: 256}, Request: strings.Repeat("a request ", 90)},
}

// Every setup makes an honest connection, of which both sides tell the same, and in
// which nothing that can be computed again comes out otherwise.
func TestHonest(t *testing.T) {
	for name, s := range setups {
		t.Run(name, func(t *testing.T) {
			r := run(t, s, nil)
			if r.Finding.Outcome != Honest || r.sides[0].err != nil || r.sides[1].err != nil {
				t.Fatalf("%+v\nclient: %v\nserver: %v", r.Finding, r.sides[0].err, r.sides[1].err)
			}
			if !r.Client.Checks.OK() || !r.Server.Checks.OK() {
				t.Errorf("client: %v\nserver: %v", r.Client.Checks.Failures, r.Server.Checks.Failures)
			}
			c := r.Client.Summary
			if s.Resume != "" && c.Resumed != s.Resume || s.Renegotiate != "" && c.Renegotiations != 1 || s.Compression != (c.Compression != "") || s.Retry != c.HelloRetry {
				t.Errorf("%+v", c)
			}
			if string(r.ServerGot) != s.request() || string(r.ClientGot) != s.answer() {
				t.Errorf("the server was given %q, the client %q", r.ServerGot, r.ClientGot)
			}
		})
	}
}
