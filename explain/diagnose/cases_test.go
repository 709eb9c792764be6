package diagnose_test

import (
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A meeting is a case in which a client and a server of ours meet, and one of them is asked
// why it failed. The account alone must do.
type meeting struct {
	name   string
	change func(*pki, *scene)
	asked  wire.Role
	want   string
	sure   diagnose.Confidence // "" for any
	fault  diagnose.Party      // "" for any
}

func certificates(c ...tls.Certificate) []tls.Certificate { return c }

// askClient has the server demand a certificate of authorities that the pki's root is.
func askClient(p *pki, s *scene) {
	s.server.ClientAuth, s.server.ClientCAs = tls.RequireAndVerifyClientCert, p.trust()
}

// meetings are all cases that an account tells.
var meetings = []meeting{
	{"expired", func(p *pki, s *scene) {
		s.server.Certificates = certificates(p.leaf(valid(-72*time.Hour, -48*time.Hour)))
	}, wire.Client, "expired", diagnose.Certain, diagnose.Server},
	{"expired, as the server is told", func(p *pki, s *scene) {
		s.server.Certificates = certificates(p.leaf(valid(-72*time.Hour, -48*time.Hour)))
	}, wire.Server, "expired", diagnose.Certain, diagnose.Server},
	{"not yet valid", func(p *pki, s *scene) {
		s.server.Certificates = certificates(p.leaf(valid(24*time.Hour, 48*time.Hour)))
	}, wire.Client, "not-yet-valid", "", diagnose.Clock},
	{"wrong host", func(p *pki, s *scene) { s.client.ServerName = "b.test" }, wire.Client, "wrong-host", diagnose.Certain, ""},
	{"wrong host, as the server is told", func(p *pki, s *scene) { s.client.ServerName = "b.test" }, wire.Server, "wrong-host", diagnose.Likely, ""},
	{"self-signed", func(p *pki, s *scene) {
		e := certify(p.t, nil, template("a.test", named("a.test")), nil)
		s.server.Certificates = certificates(tls.Certificate{Certificate: [][]byte{e.cert.Raw}, PrivateKey: e.key})
	}, wire.Client, "self-signed", diagnose.Certain, diagnose.Server},
	{"untrusted root", func(p *pki, s *scene) { s.client.RootCAs = newPKI(p.t).trust() }, wire.Client, "untrusted-root", "", ""},
	{"incomplete chain", func(p *pki, s *scene) {
		c := p.leaf(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.test/middle.crt"} })
		c.Certificate = c.Certificate[:1]
		s.server.Certificates = certificates(c)
	}, wire.Client, "chain-incomplete", "", diagnose.Server},
	{"wrong order", func(p *pki, s *scene) {
		c := p.leaf()
		c.Certificate = [][]byte{c.Certificate[0], p.root.cert.Raw, c.Certificate[1]}
		s.server.Certificates = certificates(c)
	}, wire.Client, "chain-order", "", diagnose.Server},
	{"weak key", func(p *pki, s *scene) { s.server.Certificates = certificates(p.leafFor(rsaKeys[1024]())) }, wire.Client, "weak-key", diagnose.Certain, diagnose.Server},
	{"client certificate missing", askClient, wire.Client, "client-certificate-missing", diagnose.Certain, diagnose.Client},
	{"client certificate missing, at the server", askClient, wire.Server, "client-certificate-missing", diagnose.Certain, diagnose.Client},
	{"client certificate missing in TLS 1.2", func(p *pki, s *scene) {
		askClient(p, s)
		s.client.MaxVersion = tls.VersionTLS12
	}, wire.Client, "client-certificate-missing", "", diagnose.Client},
	{"client certificate untrusted", func(p *pki, s *scene) {
		askClient(p, s)
		other := newPKI(p.t).leaf(purpose(x509.ExtKeyUsageClientAuth))
		s.client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &other, nil }
	}, wire.Client, "client-certificate-untrusted", "", ""},
	{"client certificate of the wrong purpose", func(p *pki, s *scene) {
		askClient(p, s)
		s.client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageServerAuth)))
	}, wire.Client, "client-certificate-purpose", diagnose.Certain, diagnose.Client},
	{"client certificate expired", func(p *pki, s *scene) {
		askClient(p, s)
		s.client.Certificates = certificates(p.leaf(valid(-72*time.Hour, -48*time.Hour)))
	}, wire.Client, "client-certificate-expired", diagnose.Certain, diagnose.Client},
	{"client certificate of an unfit scheme", func(p *pki, s *scene) {
		askClient(p, s)
		s.server.SignatureSchemes = []tls.SignatureScheme{tls.PSSWithSHA256}
		s.server.Certificates = certificates(p.leafFor(rsaKeys[2048]()))
		s.client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
	}, wire.Client, "client-certificate-unfit", "", diagnose.Client},
	{"no common version", func(_ *pki, s *scene) { s.client.MaxVersion, s.server.MinVersion = tls.VersionTLS12, tls.VersionTLS13 }, wire.Client, "no-common-version", diagnose.Certain, ""},
	{"no common version, at the server", func(_ *pki, s *scene) { s.client.MaxVersion, s.server.MinVersion = tls.VersionTLS12, tls.VersionTLS13 }, wire.Server, "no-common-version", diagnose.Certain, ""},
	{"no common suite, at the server", func(_ *pki, s *scene) {
		s.client.MinVersion = tls.VersionTLS13
		s.client.CipherSuites, s.server.CipherSuites = []uint16{tls.TLS_AES_128_GCM_SHA256}, []uint16{tls.TLS_AES_256_GCM_SHA384}
	}, wire.Server, "no-common-suite", diagnose.Certain, ""},
	{"no common group, at the server", func(_ *pki, s *scene) {
		s.client.CurvePreferences, s.server.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP384}
	}, wire.Server, "no-common-group", diagnose.Certain, ""},
	{"no common scheme, at the server", func(_ *pki, s *scene) {
		s.client.SignatureSchemes = []tls.SignatureScheme{tls.PSSWithSHA256}
	}, wire.Server, "no-common-scheme", diagnose.Certain, ""},
	{"no common protocol", func(_ *pki, s *scene) { s.client.NextProtos, s.server.NextProtos = []string{"finger"}, []string{"h2"} }, wire.Client, "no-common-alpn", diagnose.Certain, ""},
	{"no common protocol, at the server", func(_ *pki, s *scene) { s.client.NextProtos, s.server.NextProtos = []string{"finger"}, []string{"h2"} }, wire.Server, "no-common-alpn", diagnose.Certain, ""},
	{"the certificate's key does not fit the suites", func(_ *pki, s *scene) {
		s.client.MaxVersion = tls.VersionTLS12
		s.client.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}, wire.Server, "key-unfit", diagnose.Certain, diagnose.Server},
}

func TestAccountsTellWhy(t *testing.T) {
	for _, c := range meetings {
		t.Run(c.name, func(t *testing.T) {
			p := newPKI(t)
			s := ordinary(p)
			c.change(p, s)
			client, server := s.play(t)
			asked := at(c.asked, client, server)
			judge(t, asked.verdict(), c.want, c.sure, c.fault)
		})
	}
}

// A certificate that comes alone may lack its intermediate, even where it does not say where that
// is: the verdict names both.
func TestAloneItMayLackItsIntermediate(t *testing.T) {
	p := newPKI(t)
	s := ordinary(p)
	c := p.leaf()
	c.Certificate = c.Certificate[:1]
	s.server.Certificates = certificates(c)
	client, _ := s.play(t)
	v := client.verdict()
	if v.Cause != "untrusted-root" || v.Confidence != diagnose.Likely || !slices.Equal(v.Others, []string{"chain-incomplete"}) {
		t.Errorf("%s (%s), or %q", v.Cause, v.Confidence, v.Others)
	}
}

// judge holds a verdict against what is known of the case.
func judge(t *testing.T, v *diagnose.Verdict, want string, sure diagnose.Confidence, fault diagnose.Party) {
	t.Helper()
	if v.Cause != want || sure != "" && v.Confidence != sure || fault != "" && v.AtFault != fault {
		t.Errorf("it says %s (%s, %s), want %s (%s, %s)", v.Cause, v.Confidence, v.AtFault, want, sure, fault)
	}
	t.Logf("%s: %s; %s %v", v.Cause, v.Sentence, v.Advice, v.Evidence)
}
