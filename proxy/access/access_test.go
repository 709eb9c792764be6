package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) { leak.Main(m) }

// ca signs certificates of any content.
type ca struct {
	cert *x509.Certificate
	key  crypto.Signer
	pool *x509.CertPool
}

func newCA(t testing.TB) *ca {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SubjectKeyId: []byte{1}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &ca{cert, key, pool}
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue signs a client's certificate, which edit may change.
func (a *ca) issue(t testing.TB, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(0x1d), Subject: pkix.Name{CommonName: "client"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if edit != nil {
		edit(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// verified is the state of a connection with this certificate, its chain verified.
func (a *ca) verified(leaf *x509.Certificate) tls.State {
	return tls.State{Version: 0x304, Resumption: "none", PeerCertificates: []*x509.Certificate{leaf}, VerifiedChains: [][]*x509.Certificate{{leaf, a.cert}}}
}

func mustParse(t testing.TB, rules ...string) *Policy {
	t.Helper()
	p, err := Parse(rules)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func uris(t testing.TB, list ...string) (parsed []*url.URL) {
	t.Helper()
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, u)
	}
	return parsed
}

// sans is a subjectAltName of names as they are, which crypto/x509 might not write.
func sans(t testing.TB, tag int, names ...string) []pkix.Extension {
	t.Helper()
	var list []asn1.RawValue
	for _, name := range names {
		list = append(list, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, Bytes: []byte(name)})
	}
	der, err := asn1.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return []pkix.Extension{{Id: oidSAN, Value: der}}
}

var somewhere = &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5000}

func TestRules(t *testing.T) {
	a := newCA(t)
	cert := a.issue(t, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Jane Doe", OrganizationalUnit: []string{"Ops", "Dev"}}
		c.DNSNames = []string{"API.Example.com", "xn--bcher-kva.example", "a_b.example"}
		c.URIs = uris(t, "spiffe://example.org/team/web")
		c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 7), net.ParseIP("2001:db8::1")}
	})
	state := a.verified(cert.Leaf)
	state.ServerName, state.ALPN = "srv.example", "h2"
	for rule, want := range map[string]string{
		"all":         "uri:spiffe://example.org/team/web",
		"cn:Jane Doe": "cn:Jane Doe", "cn:jane doe": "", "cn:Jane": "", "cn:CA": "",
		"ou:Dev": "ou:Dev", "ou:Ops": "ou:Ops", "ou:dev": "", "ou:Ops,Dev": "",
		"dns:api.example.com": "dns:api.example.com", "dns:API.EXAMPLE.COM": "dns:api.example.com", "dns:*.example.com": "dns:api.example.com",
		"dns:example.com": "", "dns:*.com": "", "dns:*.api.example.com": "", "dns:pi.example.com": "", "dns:com": "",
		"dns:bücher.example": "dns:xn--bcher-kva.example", "dns:BÜCHER.example": "dns:xn--bcher-kva.example", "dns:xn--bcher-kva.example": "dns:xn--bcher-kva.example",
		"dns:a_b.example": "dns:a_b.example", "dns:jane.doe": "",
		"uri:spiffe://example.org/team/web": "uri:spiffe://example.org/team/web", "uri:spiffe://example.org/team/*": "uri:spiffe://example.org/team/web",
		"uri:spiffe://example.org/**": "uri:spiffe://example.org/team/web", "uri:spiffe://example.org/*": "", "uri:spiffe://example.org/team": "",
		"uri:spiffe://example.org/team/web/*": "", "uri:spiffe://example.org/te/**": "", "uri:spiffe://example.net/team/web": "", "uri:spiffe://example.org/team/we": "",
		"ip:192.0.2.7": "ip:192.0.2.7", "ip:192.0.2.0/24": "ip:192.0.2.7", "ip:::ffff:192.0.2.7": "ip:192.0.2.7", "ip:2001:db8::/32": "ip:2001:db8::1", "ip:192.0.3.0/24": "", "ip:10.1.2.3": "",
		"peer:10.0.0.0/8": "uri:spiffe://example.org/team/web", "peer:10.1.2.3": "uri:spiffe://example.org/team/web", "peer:192.0.2.0/24": "", "peer:unix": "",
		"psk:Jane Doe":             "",
		"spki:" + pinOf(cert.Leaf): "spki:" + pinOf(cert.Leaf), "spki:" + pinOf(a.cert): "",
		`cel:cn == "Jane Doe" && "Dev" in ou && serial == "1d" && issuer == "CA"`:                            "uri:spiffe://example.org/team/web",
		`cel:dns.exists(d, d.endsWith(".example.com")) && not_after - not_before > duration("1h")`:           "uri:spiffe://example.org/team/web",
		`cel:cidr("10.0.0.0/8").containsIP(peer) && version == "tls1.3" && alpn == "h2" && !resumed`:         "uri:spiffe://example.org/team/web",
		`cel:server_name == "srv.example" && psk == "" && spki == "` + pinOf(cert.Leaf) + `" && size(ip)==2`: "uri:spiffe://example.org/team/web",
		`cel:uri[0] == "spiffe://example.org/team/api"`:                                                      "",
	} {
		got, err := mustParse(t, rule).Allow(state, somewhere)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", rule, got, err, want)
		}
	}
}

// One of several rules is enough, and an expression that fails refuses for itself alone.
func TestSeveralRules(t *testing.T) {
	a := newCA(t)
	state := a.verified(a.issue(t, nil).Leaf)
	if id, err := mustParse(t, "cn:other", `cel:uri[3] == "x"`, "cn:client").Allow(state, somewhere); id != "cn:client" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	for _, test := range []struct {
		rules []string
		want  string
	}{
		{[]string{"cn:other"}, `the client with the certificate of cn "client" does not meet the rule`},
		{[]string{"cn:other", "dns:x.example"}, "meets none of the 2 rules"},
		{[]string{"cn:other", `cel:uri[3] == "x"`}, "could not be evaluated"},
		{[]string{`cel:[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, a+b+c+d > 0))))`}, "cost limit"},
	} {
		id, err := mustParse(t, test.rules...).Allow(state, somewhere)
		if id != "" || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %q, %v", test.rules, id, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for rule, want := range map[string]string{
		"": "is not a rule", "All": "is not a rule", "none": "is not a rule", "CN:x": "is not a rule", "email:x@y": "is not a rule",
		"cn:": "no value", "ou:": "no value", "cel:": "no value",
		"cn:a\x00b": "character", "dns:a\nb": "character", "cn: a": "space", "cn:a ": "space", "cn:\xff": "character",
		"dns:a.example.": "dot at its end", "dns:a.*.example": "asterisk", "dns:*": "asterisk", "dns:*a.example": "asterisk", "dns:*.*.example": "asterisk",
		"dns:a..example": "not a DNS name", "dns:a b": "not a DNS name", "dns:*.": "not a DNS name", "dns:192.0.2.1": "write ip: before",
		"uri:example.org": "not a URI", "uri:spiffe://Example.org/a": "SPIFFE ID", "uri:SPIFFE://example.org/a": "SPIFFE ID", "uri:spiffe://example.org:1/a": "SPIFFE ID",
		"uri:spiffe://u@example.org/a": "SPIFFE ID", "uri:spiffe://example.org/a/": "slash", "uri:spiffe://example.org/%61": "percent",
		"uri:spiffe://*/a": "asterisk", "uri:spiffe://example.org/a*": "asterisk", "uri:spiffe://example.org/*/a": "asterisk", "uri:spiffe:///a": "SPIFFE ID", "uri:spiffe:///*": "has a host",
		"ip:10.0.0.1/8": "bits beside", "ip:host": "not an address", "ip:::ffff:10.0.0.0/104": "IPv4", "ip:fe80::1%eth0": "not an address", "peer:10": "not an address",
		"spki:sha256/AAAA": "a pin is", "spki:AAAA": "a pin is", "spki:md5/AAAA": "a pin is",
		"cel:cn ==": "Syntax error", "cel:cn": "must give true", "cel:1 == 1 ? cn : cn": "must give", "cel:unknown == 1": "undeclared", "cel:cn == 1": "no matching overload",
		"cel:" + strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200): "recursion",
		"cn:" + strings.Repeat("a", MaxRuleLen):                               "4096 are possible",
	} {
		if _, err := Parse([]string{rule}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v; want %q", rule, err, want)
		} else if CheckRule(rule) == nil {
			t.Errorf("%.60q: CheckRule takes it", rule)
		}
	}
	if _, err := Parse(nil); err == nil {
		t.Error("no rules are a policy")
	}
	if _, err := Parse(make([]string, MaxRules+1)); err == nil {
		t.Error("any number of rules is taken")
	}
}

func TestReadPSKs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	secret := "00112233445566778899aabbccddee0f"
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("# keys\n\na:b:"+secret+"\r\nc:"+strings.ToUpper(secret)+"\n", 0o600)
	p, err := ReadPSKs(file)
	if err != nil || p.Len() != 2 || p.Warning != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	for identity, want := range map[string]int{"a:b": 16, "c": 16, "a": 0, "": 0} {
		if key, err := p.Key(identity); len(key) != want || err != nil {
			t.Errorf("%q: %d bytes, %v", identity, len(key), err)
		}
	}
	write("c:"+secret+"\n", 0o640)
	if p, err := ReadPSKs(file); err != nil || !strings.Contains(p.Warning, "chmod 600") && runtime.GOOS != "windows" {
		t.Errorf("%+v, %v", p, err)
	}
	for text, want := range map[string]string{
		"": "no key", "# only\n": "no key", secret: "no colon", ":" + secret: "an identity has", "a:" + secret[:30]: "16 to 64", "a:" + secret + "0": "even number", "a:" + secret[:31] + "g": "even number",
		"a:" + secret + "\na:" + secret: "line 2: the identity \"a\" is there twice", strings.Repeat("a", 2000) + ":" + secret: "1 to 1024",
		strings.Repeat("a", 100_000): "longer than any key", strings.Repeat("# comment\n", maxPSKFile/10+1): "larger than 16 MiB",
	} {
		write(text, 0o600)
		if _, err := ReadPSKs(file); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%.40q: %v; want %q", text, err, want)
		}
	}
	if _, err := ReadPSKs(filepath.Dir(file)); err == nil {
		t.Error("a folder is read")
	}
}
