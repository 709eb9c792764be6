package engine

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// trusting is a host that takes any certificate, and keeps what it was asked for.
type trusting struct {
	*host
	asked *stdtls.CertificateRequestInfo
}

func (tr *trusting) VerifyPeer(context.Context, *handshake.State, []*x509.Certificate) ([][]*x509.Certificate, error) {
	return nil, nil
}

func (tr *trusting) ClientCertificate(info *stdtls.CertificateRequestInfo) (*stdtls.Certificate, []stdtls.Certificate, error) {
	tr.asked = info
	return tr.host.ClientCertificate(info)
}

// selfSigned is a certificate whose key is for the given use alone.
func selfSigned(t *testing.T, key any, public any, use x509.KeyUsage) *stdtls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "self-signed"}, KeyUsage: use,
		NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		t.Fatal(err)
	}
	return &stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A key is used only for what its certificate allows: signing, or decrypting
// in static RSA. RFC 5246 §7.4.2, RFC 8446 §4.4.2.2.
func TestKeyUsageIsHeeded(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signs, decrypts := x509.KeyUsageDigitalSignature, x509.KeyUsageKeyEncipherment
	for _, test := range []struct {
		name  string
		hosts func(testing.TB) (c, s *host)
		cert  *stdtls.Certificate
		ok    bool
	}{
		{"static RSA with a key that signs", only(wire.TLS12, staticRSA), selfSigned(t, r, r.Public(), signs), false},
		{"static RSA with a key that decrypts", only(wire.TLS12, staticRSA), selfSigned(t, r, r.Public(), decrypts), true},
		{"ECDHE with a key that decrypts", hosts12, selfSigned(t, r, r.Public(), decrypts), false},
		{"ECDHE with a key that signs", hosts12, selfSigned(t, e, e.Public(), signs), true},
		{"TLS 1.3 with a key that decrypts", hosts13, selfSigned(t, r, r.Public(), decrypts), false},
		{"TLS 1.3 with a key for agreement", hosts13, selfSigned(t, e, e.Public(), x509.KeyUsageKeyAgreement), false},
		{"TLS 1.3 with a key that signs", hosts13, selfSigned(t, e, e.Public(), signs), true},
	} {
		c, s := test.hosts(t)
		c.config.Host, s.certificate = &trusting{host: c}, test.cert
		l := connect(c, s).run()
		if got := l.client.Done() && l.server.Done(); got != test.ok {
			t.Errorf("%s: done %v, %v", test.name, got, l.client.err)
		}
	}
	for _, hosts := range []func(testing.TB) (c, s *host){hostsAuth12, hostsAuth13} { // of a client too
		c, s := hosts(t)
		s.config.Host, c.certificate = &trusting{host: s}, selfSigned(t, e, e.Public(), x509.KeyUsageKeyAgreement)
		if l := connect(c, s).run(); l.server.Done() {
			t.Error("a client's key that is not for signing was taken")
		}
	}
}

// A PSK whose hash does not fit the suite of a HelloRetryRequest is left out of
// the second ClientHello. RFC 8446 §4.1.4.
func TestRetryWithAnotherHash(t *testing.T) {
	c, s := hostsPSK(t)
	s.config.Suites = []*suite.Suite{suite.ByID(wire.TLS_AES_256_GCM_SHA384)}
	retry(c, s)
	var offered []bool
	l := &link{server: newSide(wire.Server, s)}
	l.client = newSide(wire.Client, c, clientHello(func(m *wire.ClientHello) {
		offered = append(offered, m.Extensions.Has(wire.ExtPreSharedKey))
	}))
	l.run().done(t).talk(t)
	if !slices.Equal(offered, []bool{true, false}) || l.client.Result().Resumption != handshake.ResumedNone {
		t.Errorf("offered %v, resumed %v", offered, l.client.Result().Resumption)
	}
}

// RFC 5246 §7.4.1.4.1: who lists no signature algorithms means SHA-1, which
// needs its switch.
func TestNoSignatureAlgorithms(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		h := newServerHost()
		if allowed {
			h.config.Schemes = append(h.config.Schemes, wire.ECDSASHA1)
		}
		s := alone(wire.Server, h)
		m := plainHello()
		m.Extensions = nil
		s.feedMessage(m)
		if !allowed {
			s.wants(t, wire.AlertHandshakeFailure)
		} else if s.err != nil || s.Result().ServerScheme != wire.ECDSASHA1 {
			t.Errorf("signed with %v, %v", s.Result().ServerScheme, s.err)
		}
	}
}

// A client staples what the server's CertificateRequest asks for. RFC 8446 §4.4.2.1.
func TestAClientStaplesWhatIsAskedFor(t *testing.T) {
	staples := map[wire.ExtensionType]string{wire.ExtStatusRequest: "616e204f43535020", wire.ExtSCT: "612074696d657374616d70"}
	for _, left := range [][]wire.ExtensionType{nil, {wire.ExtStatusRequest}, {wire.ExtSCT}, {wire.ExtStatusRequest, wire.ExtSCT}} {
		// After the handshake, where the client answers before it learns that the server's
		// request was changed on the way.
		client := flow{hosts: authenticated(only(wire.TLS13), clientStapled)}.logged(t, wire.Server, change(func(m *wire.CertificateRequest) {
			for _, t := range left {
				without(&m.Extensions, t)
			}
		}), func(*side) {})
		i := slices.IndexFunc(client.log, func(line string) bool { return strings.HasPrefix(line, "message sent 0b") })
		if i < 0 {
			t.Fatalf("without %v the client sends no certificate", left)
		}
		for x, staple := range staples {
			if sent, want := strings.Contains(client.log[i], staple), !slices.Contains(left, x); sent != want {
				t.Errorf("without %v in the request the client sent %v: %v", left, x, sent)
			}
		}
	}
}

// Staples go to those who ask.
func TestStaplesAreForThoseWhoAsk(t *testing.T) {
	h := newServerHost()
	stapled(nil, h)
	client := newHandmade(t, newSide(wire.Server, h), wire.GroupP256)
	client.send(&client.hello)
	client.finish(client.serverHello())
	if client.server.err != nil || !client.server.Done() {
		t.Fatal(client.server.err)
	}
	sent := 0
	for _, line := range client.server.log {
		if rest, ok := strings.CutPrefix(line, "message sent 0b"); ok { // Certificate
			sent++
			if strings.Contains(rest, "616e204f43535020") || strings.Contains(rest, "612074696d657374616d70") {
				t.Error("a staple was sent to who did not ask")
			}
		}
	}
	if sent != 1 {
		t.Errorf("%d certificates", sent)
	}
}

// The client learns what the server accepts.
func TestCertificateRequest(t *testing.T) {
	names := [][]byte{[]byte("0 a name"), []byte("0 another")}
	for _, hosts := range []func(testing.TB) (c, s *host){hostsAuth12, hostsAuth13} {
		for _, authorities := range [][][]byte{nil, names} {
			c, s := hosts(t)
			host := &trusting{host: c}
			c.config.Host, s.config.ClientCAs = host, authorities
			l := connect(c, s).run().done(t)
			if host.asked == nil || !slices.EqualFunc(host.asked.AcceptableCAs, authorities, slices.Equal) ||
				len(host.asked.SignatureSchemes) != len(s.config.Schemes) || host.asked.Version != uint16(l.client.Result().Version) {
				t.Errorf("asked for %+v", host.asked)
			}
			if chain := l.server.Result().Peer.Certificates; len(chain) != 1 || chain[0].Subject.CommonName != "ecdsa" {
				t.Errorf("the server has %v", chain)
			}
		}
	}
}

// A hybrid's classical half is offered too, and a server that has only that
// answers it at once. After a retry one share is left.
func TestKeySharesOfAHybrid(t *testing.T) {
	groups := func(c, s *host, ours ...wire.NamedGroup) (offers [][]wire.NamedGroup, l *link) {
		hybrid(c, s)
		s.config.Groups = ours
		l = &link{server: newSide(wire.Server, s)}
		l.client = newSide(wire.Client, c, clientHello(func(m *wire.ClientHello) {
			var list []wire.NamedGroup
			m.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) {
				for _, e := range wire.ReadKeyShares(r, nil) {
					if len(e.Share) > 1 { // a reserved one has one byte
						list = append(list, e.Group)
					}
				}
			})
			offers = append(offers, list)
		}))
		l.run().done(t).talk(t)
		return offers, l
	}
	both := []wire.NamedGroup{wire.GroupX25519MLKEM768, wire.GroupX25519}
	for _, ours := range [][]wire.NamedGroup{both, both[1:]} {
		c, s := hosts13(t)
		offers, l := groups(c, s, ours...)
		if len(offers) != 1 || !slices.Equal(offers[0], both) || l.client.Result().Group != ours[0] {
			t.Errorf("offered %v, agreed on %v", offers, l.client.Result().Group)
		}
	}
	c, s := hosts13(t)
	if offers, l := groups(c, s, wire.GroupP384); len(offers) != 2 || !slices.Equal(offers[1], []wire.NamedGroup{wire.GroupP384}) || l.client.Result().Group != wire.GroupP384 {
		t.Errorf("offered %v", offers)
	}
}
