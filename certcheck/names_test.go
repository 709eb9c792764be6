package certcheck

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// nameCases: does a DNS name in a certificate match a host? With the sentence behind it.
var nameCases = []struct {
	pattern, host string
	match         bool
	source        string
}{
	{"example.com", "example.com", true, "RFC 9525 §6.3"},
	{"example.com", "EXAMPLE.com", true, "RFC 9525 §6.3: case-insensitive ASCII comparison"},
	{"EXAMPLE.COM", "example.com", true, "RFC 9525 §6.3"},
	{"example.com", "example.com.", true, "RFC 9525 §6.3: the host may be absolute"},
	{"example.com.", "example.com", false, "RFC 5280 §4.2.1.6: preferred name syntax"},
	{"example.com", "www.example.com", false, "RFC 9525 §6.3: every label"},
	{"www.example.com", "example.com", false, "RFC 9525 §6.3"},
	{"example.com", "example.org", false, "RFC 9525 §6.3"},
	{"example.com", "xexample.com", false, "RFC 9525 §6.3"},
	{"example.com", "example.comx", false, "RFC 9525 §6.3"},
	{"example.com", "", false, "RFC 9525 §6.1"},
	{"", "example.com", false, "RFC 5280 §4.2.1.6"},
	{"localhost", "localhost", true, "RFC 9525 §6.3"},
	{"intranet", "intranet", true, "RFC 9525 §6.3"},
	{"*.example.com", "a.example.com", true, "RFC 9525 §6.3: the leftmost label"},
	{"*.example.com", "A.EXAMPLE.COM", true, "RFC 9525 §6.3"},
	{"*.example.com", "a.example.com.", true, "RFC 9525 §6.3"},
	{"*.example.com", "example.com", false, "RFC 9525 §6.3: just one label"},
	{"*.example.com", ".example.com", false, "RFC 9525 §6.3"},
	{"*.example.com", "a.b.example.com", false, "RFC 9525 §6.3: just one label"},
	{"*.example.com", "a.example.org", false, "RFC 9525 §6.3"},
	{"*.example.com", "*.example.com", false, "RFC 9525 §6.1: a reference identifier is a name"},
	{"*.example.com", "xn--bcher-kva.example.com", true, "RFC 9525 §6.3: an A-label is a label"},
	{"*.example.com", "a_b.example.com", true, "private names have underscores"},
	{"www.*.example.com", "www.a.example.com", false, "RFC 9525 §6.3: the leftmost label only"},
	{"*.*.example.com", "a.b.example.com", false, "RFC 9525 §6.3: one wildcard"},
	{"w*.example.com", "www.example.com", false, "RFC 9525 §6.3: the complete label"},
	{"*w.example.com", "www.example.com", false, "RFC 9525 §6.3"},
	{"w*w.example.com", "www.example.com", false, "RFC 9525 §6.3"},
	{"xn--*.example.com", "xn--a.example.com", false, "RFC 9525 §6.3"},
	{"**.example.com", "a.example.com", false, "RFC 9525 §6.3"},
	{"*", "com", false, "RFC 9525 §6.3"},
	{"*", "example.com", false, "RFC 9525 §6.3"},
	{"*.", "com", false, "RFC 9525 §6.3"},
	{"*.com", "example.com", false, "CA/Browser Forum BR §3.2.2.6"},
	{"*.com.", "example.com", false, "CA/Browser Forum BR §3.2.2.6"},
	{"*example.com", "example.com", false, "RFC 9525 §6.3"},
	{"xn--bcher-kva.example", "xn--bcher-kva.example", true, "RFC 9525 §6.3: A-labels are compared"},
	{"xn--bcher-kva.example", "XN--BCHER-KVA.example", true, "RFC 9525 §6.3"},
	{"xn--bcher-kva.example", "bücher.example", false, "RFC 9525 §6.3: U-labels are converted before"},
	{"bücher.example", "bücher.example", false, "RFC 5280 §7.2: A-labels in certificates"},
	{"example.com\x00.example.org", "example.com", false, "RFC 9525 §6.3: exact bytes"},
	{"example.com\x00", "example.com", false, "RFC 9525 §6.3"},
	{"example.com", "example.com\x00", false, "RFC 9525 §6.3"},
	{"example.com\n", "example.com", false, "RFC 5280 §4.2.1.6"},
	{" example.com", "example.com", false, "RFC 5280 §4.2.1.6: no spaces"},
	{"example.com ", "example.com", false, "RFC 5280 §4.2.1.6"},
	{"exa mple.com", "exa mple.com", false, "RFC 5280 §4.2.1.6"},
	{"a..example.com", "a..example.com", false, "RFC 1034 §3.5"},
	{".example.com", "example.com", false, "RFC 1034 §3.5"},
	{".example.com", "a.example.com", false, "RFC 1034 §3.5"},
	{"-a.example.com", "-a.example.com", false, "RFC 1034 §3.5"},
	{"a-.example.com", "a-.example.com", false, "RFC 1034 §3.5"},
	{"a-b.example.com", "a-b.example.com", true, "RFC 1034 §3.5"},
	{"1.example.com", "1.example.com", true, "RFC 1123 §2.1"},
	{"192.0.2.1", "192.0.2.1", false, "RFC 9525 §6.4: addresses are iPAddress"},
	{"*.0.2.1", "192.0.2.1", false, "RFC 9525 §6.4"},
	{"::1", "::1", false, "RFC 9525 §6.4"},
	{"example.com:443", "example.com", false, "RFC 5280 §4.2.1.6"},
	{"example.com", "example.com:443", false, "RFC 9525 §6.1"},
	{"https://example.com", "example.com", false, "RFC 5280 §4.2.1.6"},
	{"user@example.com", "example.com", false, "RFC 5280 §4.2.1.6"},
}

func TestMatchesName(t *testing.T) {
	for _, tc := range nameCases {
		c := &x509.Certificate{DNSNames: []string{tc.pattern}}
		if matchesHost(c, tc.host) != tc.match {
			t.Errorf("%q for %q: match %v, want %v (%s)", tc.pattern, tc.host, !tc.match, tc.match, tc.source)
		}
	}
}

func TestMatchesAddress(t *testing.T) {
	for _, tc := range []struct {
		has, host string
		match     bool
		source    string
	}{
		{"192.0.2.1", "192.0.2.1", true, "RFC 9525 §6.4"},
		{"192.0.2.1", "192.0.2.2", false, "RFC 9525 §6.4"},
		{"192.0.2.1", "::ffff:192.0.2.1", true, "RFC 4291 §2.5.5.2: the same address"},
		{"192.0.2.1", "192.0.2.1.", false, "RFC 9525 §6.4"},
		{"192.0.2.1", "192.0.2.01", false, "RFC 9525 §6.4"},
		{"192.0.2.1", "3221225985", false, "RFC 9525 §6.4"},
		{"2001:db8::1", "2001:db8::1", true, "RFC 9525 §6.4"},
		{"2001:db8::1", "[2001:db8::1]", true, "RFC 3986 §3.2.2"},
		{"2001:db8::1", "2001:DB8:0:0::1", true, "RFC 9525 §6.4: octets are compared"},
		{"2001:db8::1", "2001:db8::2", false, "RFC 9525 §6.4"},
		{"fe80::1", "fe80::1%eth0", false, "RFC 9525 §6.4: a zone is not in a certificate"},
	} {
		c := &x509.Certificate{IPAddresses: []net.IP{net.ParseIP(tc.has)}, DNSNames: []string{"example.com"}}
		if matchesHost(c, tc.host) != tc.match {
			t.Errorf("%s for %q: match %v, want %v (%s)", tc.has, tc.host, !tc.match, tc.match, tc.source)
		}
	}
}

// The common name is no name.
func TestCommonNameDoesNotCount(t *testing.T) {
	c := new(x509.Certificate)
	c.Subject.CommonName = "example.com"
	if matchesHost(c, "example.com") {
		t.Error("matched by the common name")
	}
}

// What we let match, crypto/x509 does too: we are never more lenient.
func FuzzMatchesHost(f *testing.F) {
	for _, tc := range nameCases {
		f.Add(tc.pattern, tc.host)
	}
	f.Fuzz(func(t *testing.T, pattern, host string) {
		c := &x509.Certificate{DNSNames: []string{pattern}}
		if matchesHost(c, host) && c.VerifyHostname(host) != nil {
			t.Errorf("%q matches %q here, and not in crypto/x509: %v", pattern, host, c.VerifyHostname(host))
		}
	})
}

func addr(s string) []byte {
	ip := net.ParseIP(s)
	if v4 := ip.To4(); v4 != nil {
		return forge.IP(v4)
	}
	return forge.IP(ip)
}

// constraintCases: is a name allowed by one subtree, permitted or excluded?
var constraintCases = []struct {
	base, name          []byte
	permitted, excluded bool // is it allowed where the base is so?
	source              string
}{
	{forge.DNS("example.com"), forge.DNS("example.com"), true, false, "RFC 5280 §4.2.1.10: zero or more labels"},
	{forge.DNS("example.com"), forge.DNS("www.example.com"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.DNS("example.com"), forge.DNS("a.b.example.com"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.DNS("example.com"), forge.DNS("WWW.EXAMPLE.com"), true, false, "RFC 5280 §7.2: case-insensitive"},
	{forge.DNS("EXAMPLE.com"), forge.DNS("www.example.com"), true, false, "RFC 5280 §7.2"},
	{forge.DNS("example.com"), forge.DNS("xexample.com"), false, true, "RFC 5280 §4.2.1.10: whole labels"},
	{forge.DNS("example.com"), forge.DNS("example.org"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.DNS("example.com"), forge.DNS("com"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.DNS("www.example.com"), forge.DNS("example.com"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.DNS("example.com"), forge.DNS("*.example.com"), true, false, "RFC 5280 §4.2.1.10: all that the star stands for"},
	{forge.DNS("a.example.com"), forge.DNS("*.example.com"), false, false, "the star stands for more than a, and for a"},
	{forge.DNS("b.a.example.com"), forge.DNS("*.example.com"), false, true, "the star stands for one label"},
	{forge.DNS("example.com"), forge.DNS("*.org"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.DNS(".example.com"), forge.DNS("www.example.com"), true, false, "as OpenSSL and crypto/x509 read a dot"},
	{forge.DNS(".example.com"), forge.DNS("example.com"), false, true, "as OpenSSL and crypto/x509 read a dot"},
	{forge.DNS(""), forge.DNS("example.com"), true, false, "RFC 5280 §4.2.1.10: every name"},
	{forge.DNS("example.com"), forge.DNS("a..example.com"), false, false, "what is no name may be any"},
	{forge.DNS("example.com"), forge.DNS("www.example.com."), false, false, "what is no name may be any"},
	{forge.DNS("example.com"), forge.DNS("a\x00.example.com"), false, false, "what is no name may be any"},
	{forge.DNS("example.com"), forge.DNS(""), false, false, "what is no name may be any"},
	{forge.DNS("example.com"), forge.Email("a@example.org"), true, true, "RFC 5280 §4.2.1.10: other kinds are not limited"},
	{forge.DNS("example.com"), addr("192.0.2.1"), true, true, "RFC 5280 §4.2.1.10"},

	{forge.Email("a@example.com"), forge.Email("a@example.com"), true, false, "RFC 5280 §4.2.1.10: a mailbox"},
	{forge.Email("a@example.com"), forge.Email("a@EXAMPLE.com"), true, false, "RFC 5280 §7.5: the host without regard to case"},
	{forge.Email("a@example.com"), forge.Email("A@example.com"), false, true, "RFC 5280 §7.5: the local part exactly"},
	{forge.Email("a@example.com"), forge.Email("b@example.com"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Email("example.com"), forge.Email("a@example.com"), true, false, "RFC 5280 §4.2.1.10: all of a host"},
	{forge.Email("example.com"), forge.Email("a@www.example.com"), false, true, "RFC 5280 §4.2.1.10: that host alone"},
	{forge.Email(".example.com"), forge.Email("a@www.example.com"), true, false, "RFC 5280 §4.2.1.10: hosts of a domain"},
	{forge.Email(".example.com"), forge.Email("a@example.com"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Email("example.com"), forge.Email("a@example.org"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Email("example.com"), forge.Email("example.com"), false, false, "what is no mailbox may be any"},
	{forge.Email("example.com"), forge.Email("@example.com"), false, false, "what is no mailbox may be any"},
	{forge.Email("example.com"), forge.Email("a@b@example.com"), false, false, "what is no mailbox may be any"},

	{forge.URI("example.com"), forge.URI("https://example.com/x"), true, false, "RFC 5280 §4.2.1.10: the host"},
	{forge.URI("example.com"), forge.URI("https://EXAMPLE.com:8443/x"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.URI("example.com"), forge.URI("https://www.example.com/"), false, true, "RFC 5280 §4.2.1.10: that host alone"},
	{forge.URI(".example.com"), forge.URI("https://www.example.com/"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.URI(".example.com"), forge.URI("https://a.b.example.com/"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.URI(".example.com"), forge.URI("https://example.com/"), false, true, "RFC 5280 §4.2.1.10: not the host itself"},
	{forge.URI("example.com"), forge.URI("https://user@example.com/"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.URI("example.com"), forge.URI("https://example.com@example.org/"), false, true, "the host follows the @"},
	{forge.URI("example.com"), forge.URI("https://192.0.2.1/"), false, false, "RFC 5280 §4.2.1.10: without a domain name it is refused"},
	{forge.URI("example.com"), forge.URI("https://[2001:db8::1]/"), false, false, "RFC 5280 §4.2.1.10"},
	{forge.URI("example.com"), forge.URI("//example.com/"), false, false, "RFC 5280 §4.2.1.6: without a scheme it is no URI"},
	{forge.URI("example.com"), forge.URI("urn:isbn:1"), false, false, "RFC 5280 §4.2.1.10: without an authority it is refused"},
	{forge.URI("example.com"), forge.URI("mailto:a@example.com"), false, false, "RFC 5280 §4.2.1.10"},

	{forge.Net("192.0.2.0/24"), addr("192.0.2.1"), true, false, "RFC 5280 §4.2.1.10: as in RFC 4632"},
	{forge.Net("192.0.2.0/24"), addr("192.0.3.1"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Net("192.0.2.1/32"), addr("192.0.2.1"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.Net("192.0.2.1/32"), addr("192.0.2.2"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Net("0.0.0.0/0"), addr("192.0.2.1"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.Net("0.0.0.0/0"), addr("2001:db8::1"), false, true, "four octets are not sixteen"},
	{forge.Net("2001:db8::/32"), addr("2001:db8::1"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.Net("2001:db8::/32"), addr("2001:db9::1"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Net("::/0"), addr("2001:db8::1"), true, false, "RFC 5280 §4.2.1.10"},
	{forge.Net("::/0"), addr("192.0.2.1"), false, true, "sixteen octets are not four"},
	{forge.Net("192.0.2.128/25"), addr("192.0.2.127"), false, true, "RFC 5280 §4.2.1.10"},
	{forge.Net("192.0.2.128/25"), addr("192.0.2.128"), true, false, "RFC 5280 §4.2.1.10"},

	{forge.Directory(forge.Name("A")), forge.Directory(forge.Name("A")), true, false, "RFC 5280 §7.1"},
	{forge.Directory(forge.Name("A")), forge.Directory(forge.Name("a")), true, false, "RFC 5280 §7.1: without regard to case"},
	{forge.Directory(forge.Name("A B")), forge.Directory(forge.Name(" a  b ")), true, false, "RFC 5280 §7.1: spaces"},
	{forge.Directory(forge.Name("A")), forge.Directory(forge.Name("B")), false, true, "RFC 5280 §7.1"},
	{forge.Directory(forge.Name("")), forge.Directory(forge.Name("B")), true, false, "RFC 5280 §4.2.1.10: every name"},
	{forge.Directory(forge.Name("A")), forge.Directory(forge.Name("")), false, true, "RFC 5280 §7.1: fewer parts"},
	{forge.Directory(forge.Names([]int{2, 5, 4, 10}, "A")), forge.Directory(forge.Name("A")), false, true, "RFC 5280 §7.1: another attribute"},
	{forge.Directory(prefix), forge.Directory(whole), true, false, "RFC 5280 §7.1: the first parts"},
	{forge.Directory(whole), forge.Directory(prefix), false, true, "RFC 5280 §7.1"},
	{forge.Directory(last), forge.Directory(whole), false, true, "RFC 5280 §7.1: from the first part on"},

	{registered, registered, false, false, "RFC 5280 §4.2.1.10: a kind that is not processed is refused"},
	{registered, forge.DNS("example.com"), true, true, "RFC 5280 §4.2.1.10: and only that kind"},
}

var (
	prefix     = forge.Names([]int{2, 5, 4, 10}, "Example")
	last       = forge.Name("www")
	whole      = forge.Sequence(inner(prefix), inner(last))
	registered = []byte{0x88, 3, 1, 2, 3}
)

// inner is the content of a DER sequence of less than 128 bytes.
func inner(der []byte) []byte { return der[2:] }

// Every case, permitted and excluded: 2 for each.
func TestConstraints(t *testing.T) {
	for i, tc := range constraintCases {
		base, name := readOne(t, tc.base), readOne(t, tc.name)
		for limits, want := range map[*constraints]bool{{permitted: []general{base}}: tc.permitted, {excluded: []general{base}}: tc.excluded} {
			if why := limits.refuse(name); (why == "") != want {
				t.Errorf("case %d, %v permitted and %v excluded, name %v: %q, want allowed %v (%s)", i, limits.permitted, limits.excluded, name, why, want, tc.source)
			}
		}
	}
}

func readOne(t *testing.T, der []byte) general {
	t.Helper()
	s := cryptobyte.String(der)
	g, ok := readGeneral(&s)
	if !ok {
		t.Fatalf("%x is no GeneralName", der)
	}
	return g.prepared()
}

// What constraints must look like.
func TestConstraintsForm(t *testing.T) {
	tree := func(base []byte, more ...[]byte) []byte {
		return forge.Sequence(append([][]byte{base}, more...)...)
	}
	for name, tc := range map[string]struct {
		value []byte
		good  bool
	}{
		"permitted":                      {forge.Sequence(forge.Tagged(0xa0, tree(forge.DNS("example.com")))), true},
		"excluded":                       {forge.Sequence(forge.Tagged(0xa1, tree(forge.DNS("example.com")))), true},
		"neither":                        {forge.Sequence(), false},
		"the wrong order":                {forge.Sequence(forge.Tagged(0xa1, tree(forge.DNS("a"))), forge.Tagged(0xa0, tree(forge.DNS("b")))), false},
		"a minimum":                      {forge.Sequence(forge.Tagged(0xa0, tree(forge.DNS("a"), []byte{0x80, 1, 1}))), false},
		"a maximum":                      {forge.Sequence(forge.Tagged(0xa0, tree(forge.DNS("a"), []byte{0x81, 1, 1}))), false},
		"trailing bytes":                 {append(forge.Sequence(forge.Tagged(0xa0, tree(forge.DNS("a")))), 0), false},
		"a star":                         {forge.Sequence(forge.Tagged(0xa0, tree(forge.DNS("*.example.com")))), false},
		"no name":                        {forge.Sequence(forge.Tagged(0xa0, tree(forge.DNS("a b")))), false},
		"an address of 7 octets":         {forge.Sequence(forge.Tagged(0xa0, tree(forge.IP(make([]byte, 7))))), false},
		"an address alone":               {forge.Sequence(forge.Tagged(0xa0, tree(forge.IP(make([]byte, 4))))), false},
		"a mask with a hole":             {forge.Sequence(forge.Tagged(0xa0, tree(forge.IP([]byte{1, 2, 3, 4, 255, 0, 255, 0})))), false},
		"a mask with a hole in an octet": {forge.Sequence(forge.Tagged(0xa0, tree(forge.IP([]byte{1, 2, 3, 4, 255, 255, 0xa0, 0})))), false},
		"a mask of 9 bits":               {forge.Sequence(forge.Tagged(0xa0, tree(forge.IP([]byte{1, 2, 3, 4, 255, 0x80, 0, 0})))), true},
		"a name that is none":            {forge.Sequence(forge.Tagged(0xa0, tree(forge.Directory([]byte{5, 0})))), false},
		"garbage":                        {[]byte{1, 2, 3}, false},
	} {
		c := &x509.Certificate{Extensions: []pkix.Extension{{Id: idNameConstraints, Value: tc.value}}}
		if _, err := constraintsOf(c); (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
