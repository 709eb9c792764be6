package access

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Names that look like another's, and rules that must not take them for it.
func TestConfusingNames(t *testing.T) {
	a := newCA(t)
	names := func(tag int, list ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtraExtensions = sans(t, tag, list...) }
	}
	subject := func(list ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.Subject = pkix.Name{}
			for _, name := range list {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: oidCN, Value: name})
			}
		}
	}
	const dns, uri = 2, 6
	for name, test := range map[string]struct {
		edit func(*x509.Certificate)
		rule string
	}{
		"NUL in a DNS name":            {names(dns, "admin.example\x00.evil.example"), "dns:admin.example"},
		"NUL before a domain":          {names(dns, "evil\x00.corp.example"), "dns:*.corp.example"},
		"dot at the end":               {names(dns, "admin.example."), "dns:admin.example"},
		"asterisk for a name":          {names(dns, "*.example"), "dns:admin.example"},
		"asterisk for an asterisk":     {names(dns, "*.example"), "dns:*.example"},
		"two labels for one":           {names(dns, "a.b.example"), "dns:*.example"},
		"nothing for a label":          {names(dns, ".example"), "dns:*.example"},
		"a DNS name in the subject":    {subject("admin.example"), "dns:admin.example"},
		"a DNS name as common name":    {names(dns, "admin"), "cn:admin"},
		"folding of the Kelvin sign":   {names(dns, "\u212a.example"), "dns:k.example"},
		"two common names, first":      {subject("admin", "guest"), "cn:admin"},
		"two common names, last":       {subject("guest", "admin"), "cn:admin"},
		"NUL in a common name":         {subject("admin\x00.evil"), "cn:admin"},
		"space after a common name":    {subject("admin "), "cn:admin"},
		"a unit as common name":        {func(c *x509.Certificate) { c.Subject = pkix.Name{OrganizationalUnit: []string{"admin"}} }, "cn:admin"},
		"empty common name":            {subject(""), `cel:cn != ""`},
		"no subject":                   {subject(), "cn:client"},
		"dots in a path":               {names(uri, "spiffe://example.org/team/../admin"), "uri:spiffe://example.org/team/**"},
		"one dot":                      {names(uri, "spiffe://example.org/team/."), "uri:spiffe://example.org/team/*"},
		"an escaped slash":             {names(uri, "spiffe://example.org/team/a%2fadmin"), "uri:spiffe://example.org/team/*"},
		"an escaped letter":            {names(uri, "spiffe://example.org/%61dmin"), "uri:spiffe://example.org/admin"},
		"a slash at the end":           {names(uri, "spiffe://example.org/admin/"), "uri:spiffe://example.org/admin"},
		"an empty segment":             {names(uri, "spiffe://example.org/team/"), "uri:spiffe://example.org/team/*"},
		"two segments for one":         {names(uri, "spiffe://example.org/team/a/b"), "uri:spiffe://example.org/team/*"},
		"a query":                      {names(uri, "spiffe://example.org/team/a?x=/admin"), "uri:spiffe://example.org/team/*"},
		"a longer domain":              {names(uri, "spiffe://example.org.evil/team/a"), "uri:spiffe://example.org/team/**"},
		"a user in front":              {names(uri, "spiffe://example.org@evil/team/a"), "uri:spiffe://example.org/team/**"},
		"case of a trust domain":       {names(uri, "spiffe://Example.org/admin"), "uri:spiffe://example.org/admin"},
		"two SPIFFE IDs":               {names(uri, "spiffe://example.org/guest", "spiffe://example.org/admin"), "uri:spiffe://example.org/admin"},
		"a SPIFFE ID and another":      {names(uri, "https://example.org/admin", "SPIFFE://example.org/guest"), "uri:https://example.org/admin"},
		"a DNS name that is a URI":     {names(dns, "spiffe://example.org/admin"), "uri:spiffe://example.org/admin"},
		"a DNS name that is an IP":     {names(dns, "10.0.0.1"), "ip:10.0.0.1"},
		"an address of the connection": {nil, "ip:10.1.2.3"},
		"its issuer's name":            {nil, "cn:CA"},
	} {
		cert, ok := a.forge(t, test.edit)
		if !ok {
			continue // crypto/x509 does not take it for a certificate
		}
		if id, err := mustParse(t, test.rule).Allow(a.verified(cert), somewhere); err == nil {
			t.Errorf("%s: %s lets it in as %q", name, test.rule, id)
		}
	}
}

// forge is issue for what may be no certificate at all.
func (a *ca) forge(t *testing.T, edit func(*x509.Certificate)) (*x509.Certificate, bool) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "client"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, newKey(t).Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	return cert, err == nil
}

// Without a verified chain a certificate is a claim; without any the client is nobody.
func TestUnverified(t *testing.T) {
	a, other := newCA(t), newCA(t)
	cert := a.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"a.example"} })
	victim := a.issue(t, nil)
	pinned := "spki:" + pinOf(cert.Leaf)
	rules := []string{"all", "cn:client", "dns:a.example", "peer:10.0.0.0/8", "cel:true", "psk:x", `cel:spki == "` + pinOf(cert.Leaf) + `"`}
	claim := tls.State{Version: 0x304, PeerCertificates: []*x509.Certificate{cert.Leaf}}
	if id, err := mustParse(t, rules...).Allow(claim, somewhere); err == nil {
		t.Errorf("an unverified certificate comes in as %q", id)
	}
	if id, err := mustParse(t, pinned).Allow(claim, somewhere); err != nil || id != pinned {
		t.Errorf("the key that is pinned: %q, %v", id, err)
	}
	// A chain of another certificate says nothing of the one that was shown.
	claim.VerifiedChains = [][]*x509.Certificate{{victim.Leaf, a.cert}}
	if id, err := mustParse(t, rules...).Allow(claim, somewhere); err == nil {
		t.Errorf("another's chain lets it in as %q", id)
	}
	claim.VerifiedChains = [][]*x509.Certificate{{}}
	if id, err := mustParse(t, rules...).Allow(claim, somewhere); err == nil {
		t.Errorf("an empty chain lets it in as %q", id)
	}
	// The pin is that of the client's own key, not of one in its chain.
	above := tls.State{Version: 0x304, PeerCertificates: []*x509.Certificate{victim.Leaf, cert.Leaf, other.cert}}
	if _, err := mustParse(t, pinned, "spki:"+pinOf(other.cert)).Allow(above, somewhere); err == nil {
		t.Error("a key above the client's own lets it in")
	}
	if id, err := mustParse(t, append(rules, pinned)...).Allow(tls.State{Version: 0x304}, somewhere); err == nil || !strings.Contains(err.Error(), "anonymous") {
		t.Errorf("nobody comes in as %q, %v", id, err)
	}
}

// A client that does not come in is told of with what would let it in, which for an anonymous one is no rule.
func TestAdvice(t *testing.T) {
	a := newCA(t)
	cert := a.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"a.example"} })
	chain := tls.State{Version: 0x304, PeerCertificates: []*x509.Certificate{cert.Leaf}, VerifiedChains: [][]*x509.Certificate{{cert.Leaf, a.cert}}}
	unverified := tls.State{Version: 0x304, PeerCertificates: chain.PeerCertificates}
	pinned := "spki:" + pinOf(a.cert)
	for _, c := range []struct {
		state tls.State
		rules []string
		want  string
	}{
		{tls.State{Version: 0x304}, []string{"dns:b", "cn:b"}, "have it show a certificate of an authority in client-ca; to let everybody in, leave allow out"},
		{tls.State{Version: 0x304}, []string{pinned, "psk:x"}, "have it show a certificate whose key a rule pins or a pre-shared key of psk-file; to let everybody in, leave allow out"},
		{unverified, []string{pinned}, "pin its key by spki:" + pinOf(cert.Leaf) + " in allow if it is to come in"},
		{chain, []string{"dns:b"}, `add "dns:a.example" to allow if it is to come in`},
		{tls.State{Version: 0x303, PSKIdentity: "x\n"}, []string{"psk:y", "cel:false"}, `add "psk:x\n" to allow if it is to come in`},
		{tls.State{}, []string{"peer:192.0.2.0/24"}, "allow its address by peer: if it is to come in"},
	} {
		_, err := mustParse(t, c.rules...).Allow(c.state, somewhere)
		if refused, is := errors.AsType[*Refused](err); !is || refused.Advice() != c.want {
			t.Errorf("%v: %v, and not %s", c.rules, err, c.want)
		}
	}
}

// On a connection without TLS the address decides, and nothing else.
func TestWithoutTLS(t *testing.T) {
	if id, err := mustParse(t, "peer:10.0.0.0/8").Allow(tls.State{}, somewhere); id != "peer:10.1.2.3" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := mustParse(t, "peer:unix").Allow(tls.State{}, &net.UnixAddr{Net: "unix"}); id != "peer:a unix socket" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	for _, peer := range []net.Addr{nil, &net.UnixAddr{}, &net.TCPAddr{}, &net.TCPAddr{IP: net.IPv4(11, 0, 0, 1)}, somewhere} {
		rules := []string{"all", "cel:true", "cn:x"}
		if peer != somewhere {
			rules = append(rules, "peer:10.0.0.0/8")
		}
		if id, err := mustParse(t, rules...).Allow(tls.State{}, peer); err == nil {
			t.Errorf("%v comes in as %q", peer, id)
		}
	}
}

// link makes one connection between real ends, and returns what the server knows of it.
func link(t *testing.T, client, server *tls.Config) (tls.State, error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan error, 1)
	go func() {
		raw, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			done <- err
			return
		}
		c := tls.Client(raw, client)
		_, err = io.Copy(io.Discard, c) // tickets come with the data
		c.Close()
		done <- err
	}()
	raw, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := tls.Server(raw, server)
	err = s.Handshake()
	state := s.State()
	if err == nil {
		_, err = s.Write([]byte("hello"))
	}
	s.Close()
	return state, errors.Join(err, <-done)
}

func configs(t *testing.T, a *ca, client tls.Certificate, version uint16) (c, s *tls.Config) {
	host := a.issue(t, func(c *x509.Certificate) {
		c.DNSNames, c.ExtKeyUsage = []string{"srv.example"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
	c = &tls.Config{RootCAs: a.pool, ServerName: "srv.example", MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	if client.Certificate != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &client, nil }
	}
	s = &tls.Config{Certificates: []tls.Certificate{host}, ClientCAs: a.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	return c, s
}

// A connection that resumes is judged by the rules of now, with the identity of its session;
// a chain that is no longer trusted counts no longer.
func TestResumed(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		a := newCA(t)
		cert := a.issue(t, func(c *x509.Certificate) { c.DNSNames = []string{"a.example"} })
		client, server := configs(t, a, cert, version)
		policy := mustParse(t, "dns:a.example", "cel:resumed && false")
		for i, want := range []string{"none", "resumed"} {
			state, err := link(t, client, server)
			if err != nil || (state.Resumption == "none") != (want == "none") {
				t.Fatalf("%x: connection %d: %q, %v", version, i, state.Resumption, err)
			}
			if id, err := policy.Allow(state, somewhere); id != "dns:a.example" || err != nil {
				t.Errorf("%x: connection %d: %q, %v", version, i, id, err)
			}
			if id, err := mustParse(t, "dns:b.example").Allow(state, somewhere); err == nil {
				t.Errorf("%x: connection %d: other rules let it in as %q", version, i, id)
			}
		}
		narrow := server.Clone()
		narrow.ClientCAs = newCA(t).pool
		if state, err := link(t, client, narrow); err == nil {
			id, err := mustParse(t, "all").Allow(state, somewhere)
			t.Errorf("%x: the authority is no longer trusted: %q, %v, resumed by %q", version, id, err, state.Resumption)
		}
		// A session without a certificate has no identity afterwards either.
		anonymous, open := configs(t, a, tls.Certificate{}, version)
		open.ClientAuth = tls.VerifyClientCertIfGiven
		for i := range 2 {
			state, err := link(t, anonymous, open)
			if err != nil {
				t.Fatal(err)
			}
			if id, err := mustParse(t, "all", "cel:true").Allow(state, somewhere); err == nil {
				t.Errorf("%x: anonymous connection %d comes in as %q", version, i, id)
			}
		}
	}
}

// A pin is proven by the signature of the handshake, resumed or not, without authorities.
func TestPinOfAnyCertificate(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		a, foreign := newCA(t), newCA(t)
		cert := foreign.issue(t, nil)
		client, server := configs(t, a, cert, version)
		server.ClientAuth, server.ClientCAs = tls.RequireAnyClientCert, nil
		for i := range 2 {
			state, err := link(t, client, server)
			if err != nil {
				t.Fatal(err)
			}
			if id, err := mustParse(t, "spki:"+pinOf(cert.Leaf)).Allow(state, somewhere); err != nil {
				t.Errorf("%x: connection %d: %q, %v", version, i, id, err)
			}
			if id, err := mustParse(t, "all", "cn:client").Allow(state, somewhere); err == nil {
				t.Errorf("%x: connection %d: its names let it in as %q", version, i, id)
			}
		}
		// The certificate of another without its key.
		thief := cert
		thief.PrivateKey = newKey(t)
		client, _ = configs(t, a, thief, version)
		if _, err := link(t, client, server); err == nil {
			t.Errorf("%x: a certificate is enough without its key", version)
		}
	}
}

// What package tls refuses never comes to the rules.
func TestRefusedInTheHandshake(t *testing.T) {
	a := newCA(t)
	revoked := a.issue(t, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(77) })
	now := time.Now()
	crl, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-time.Minute), NextUpdate: now.Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: now.Add(-time.Minute)}}}, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := revocation.ParseCRL(crl)
	if err != nil {
		t.Fatal(err)
	}
	for name, cert := range map[string]tls.Certificate{
		"a server's certificate": a.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		"expired":                a.issue(t, func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Minute) }),
		"not yet":                a.issue(t, func(c *x509.Certificate) { c.NotBefore = now.Add(time.Minute) }),
		"another authority's":    newCA(t).issue(t, nil),
		"revoked":                revoked,
		"unknown and critical": a.issue(t, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
		}),
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			client, server := configs(t, a, cert, version)
			server.Revocation = &revocation.Checker{Mode: revocation.Soft, Lists: []*revocation.List{list}}
			state, err := link(t, client, server)
			if err == nil {
				t.Errorf("%s, %x: the handshake succeeds", name, version)
			}
			if id, err := mustParse(t, "all", "cel:true", "peer:0.0.0.0/0").Allow(state, nil); err == nil {
				t.Errorf("%s, %x: comes in as %q", name, version, id)
			}
		}
	}
}

// A pre-shared key is an identity, each time anew; its sessions are not resumed.
func TestPSK(t *testing.T) {
	keys := map[string][]byte{"sensor 7": []byte("0123456789abcdef")}
	suites := []uint16{uint16(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256)}
	server := &tls.Config{CipherSuites: suites, MaxVersion: tls.VersionTLS12}
	server.PSK.Server = func(identity string) ([]byte, error) { return keys[identity], nil }
	client := &tls.Config{CipherSuites: suites, MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(4)}
	client.PSK.Client = func(string) (string, []byte, error) { return "sensor 7", keys["sensor 7"], nil }
	for i := range 3 {
		state, err := link(t, client, server)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := mustParse(t, "psk:sensor 7").Allow(state, somewhere); id != "psk:sensor 7" || err != nil {
			t.Errorf("connection %d: %q, %v", i, id, err)
		}
		if id, err := mustParse(t, "psk:sensor", "all", "cn:sensor 7").Allow(state, somewhere); err == nil {
			t.Errorf("connection %d: comes in as %q", i, id)
		}
	}
	for _, identity := range []string{"sensor 8", ""} {
		client.PSK.Client = func(string) (string, []byte, error) { return identity, keys["sensor 7"], nil }
		if state, err := link(t, client, server); err == nil || state.PSKIdentity != "" {
			t.Errorf("%q: %q, %v", identity, state.PSKIdentity, err)
		}
	}
}
