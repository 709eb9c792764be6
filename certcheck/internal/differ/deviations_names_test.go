package differ

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// san gives the leaf these names beside example.com.
func san(name string, from certcheck.Profile, names ...[]byte) []deviation {
	return one("leaf: subjectAltName "+name, from, func(s *specimen) {
		s.Leaf.Replace(forge.SAN(append([][]byte{forge.DNS("example.com")}, names...)...))
	})
}

// only gives the leaf these names alone, and asks for host.
func only(name string, from certcheck.Profile, host string, names ...[]byte) []deviation {
	return one("leaf: only "+name, from, func(s *specimen) {
		s.Leaf.Subject = forge.Name("")
		s.Leaf.Replace(flagged(forge.SAN(names...), true))
		s.name = host
	})
}

func nameDeviations() []deviation {
	tag := func(n uint8, content string) []byte { return append([]byte{n, byte(len(content))}, content...) }
	v6 := []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	many := func(n int) (names [][]byte) {
		for i := range n {
			names = append(names, forge.DNS(fmt.Sprintf("n%d.example.com", i)))
		}
		return names
	}
	return slices.Concat(
		one("leaf: no subjectAltName", inter, func(s *specimen) { s.Leaf.Remove(forge.IDSAN) }),
		one("leaf: empty subjectAltName", inter, func(s *specimen) { s.Leaf.Replace(forge.SAN()) }),
		one("leaf: critical subjectAltName", never, func(s *specimen) { flip(forge.IDSAN)(&s.Leaf) }),
		one("leaf: subjectAltName that is no sequence", inter, func(s *specimen) { s.Leaf.Replace(with(forge.SAN(), []byte{4, 0})) }),
		one("leaf: subjectAltName with trailing data", inter, func(s *specimen) {
			e := get(&s.Leaf, forge.IDSAN)
			s.Leaf.Replace(with(e, append(slices.Clone(e.Value), 5, 0)))
		}),
		only("another name", inter, "example.com", forge.DNS("example.org")),
		only("capitals", never, "example.com", forge.DNS("EXAMPLE.com")),
		only("a star for the asked label", never, "www.example.com", forge.DNS("*.example.com")),
		only("a star for two labels", inter, "a.b.example.com", forge.DNS("*.example.com")),
		only("a star for no label", inter, "example.com", forge.DNS("*.example.com")),
		only("a star in a label", inter, "www.example.com", forge.DNS("w*.example.com")),
		only("a star in the second label", inter, "www.example.com", forge.DNS("www.*.com")),
		only("a star before a top-level domain", inter, "example.com", forge.DNS("*.com")),
		only("a star alone", inter, "example", forge.DNS("*")),
		only("a star for an A-label", never, "xn--bcher-kva.example.com", forge.DNS("*.example.com")),
		only("a star in an A-label", inter, "xn--bcher-kva.example.com", forge.DNS("xn--*.example.com")),
		only("a dot behind", inter, "example.com", forge.DNS("example.com.")),
		only("a dot in front", inter, "www.example.com", forge.DNS(".example.com")),
		only("an empty label", inter, "www..example.com", forge.DNS("www..example.com")),
		only("a NUL", inter, "example.com", forge.DNS("example.com\x00.evil.example")),
		only("an underscore", rfc, "a_b.example.com", forge.DNS("a_b.example.com")),
		only("a space", inter, "example.com", forge.DNS(" example.com")),
		only("an address as a DNS name", inter, "192.0.2.1", forge.DNS("192.0.2.1")),
		only("an address", never, "192.0.2.1", forge.IP([]byte{192, 0, 2, 1})),
		only("another address", inter, "192.0.2.2", forge.IP([]byte{192, 0, 2, 1})),
		only("an address of 16 octets", never, "2001:db8::1", forge.IP(v6)),
		only("an address mapped to 16 octets", never, "192.0.2.1", forge.IP([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1})),
		only("an address and its mask", inter, "192.0.2.1", forge.Net("192.0.2.1/32")),
		only("an address of 5 octets", inter, "192.0.2.1", forge.IP([]byte{192, 0, 2, 1, 0})),
		only("an empty DNS name", inter, "example.com", forge.DNS("")),
		only("a mail address", inter, "example.com", forge.Email("example.com")),
		only("a URI", inter, "example.com", forge.URI("https://example.com/")),
		san("with capitals of UTF-8", inter, tag(0x82, "b\xc3\xbccher.example")),
		san("with a star before a top-level domain", inter, forge.DNS("*.com")),
		san("with two stars", rfc, forge.DNS("*.*.example.com")),
		san("with a star in a label", rfc, forge.DNS("f*.example.com")),
		san("with a dot behind", rfc, forge.DNS("www.example.com.")),
		san("with a hyphen in front", rfc, forge.DNS("-www.example.com")),
		san("with a label of 64 characters", rfc, forge.DNS(strings.Repeat("a", 64)+".example.com")),
		san("with 255 characters", rfc, forge.DNS(strings.Repeat("a.", 122)+"example.com")),
		san("with an underscore", rfc, forge.DNS("a_b.example.com")),
		san("with a name twice", never, forge.DNS("example.com")),
		san("with an empty DNS name", rfc, forge.DNS("")),
		san("with a mail address", web, forge.Email("me@example.com")),
		san("with a mail address without @", rfc, forge.Email("example.com")),
		san("with a URI", web, forge.URI("https://example.com/path")),
		san("with a URI without a scheme", rfc, forge.URI("//example.com/")),
		san("with a directory name", web, forge.Directory(forge.Name("example.com"))),
		san("with an otherName", web, forge.Tagged(0xa0, forge.OID(1, 2, 3), forge.Tagged(0xa0, forge.Tagged(12, []byte("x"))))),
		san("with a registered ID", web, tag(0x88, "\x2a\x03")),
		san("with a kind of name that does not exist", inter, tag(0x89, "x")),
		san("with a UTF8String in place of a name", inter, tag(0x0c, "example.com")),
		san("with 257 names", never, many(256)...),
		one("asked: another name", inter, func(s *specimen) { s.name = "example.net" }),
		one("asked: in capitals", never, func(s *specimen) { s.name = "EXAMPLE.COM" }),
		one("asked: with a dot behind", never, func(s *specimen) { s.name = "example.com." }),
		one("asked: a name below", inter, func(s *specimen) { s.name = "a.www.example.com" }),
		one("asked: a name with a star", inter, func(s *specimen) { s.name = "*.example.com" }),
		one("asked: the common name", inter, func(s *specimen) { s.Leaf.Subject, s.name = forge.Name("cn.example.com"), "cn.example.com" }),
		one("leaf: common name that no name is", web, func(s *specimen) { s.Leaf.Subject = forge.Name("Example's server") }),
		one("leaf: common name of somebody else", web, func(s *specimen) { s.Leaf.Subject = forge.Name("www.google.com") }),
		one("leaf: subject that is no name", inter, func(s *specimen) { s.Leaf.Subject = []byte{0x30, 2, 5, 0} }),
		one("leaf: issuer in another string type", inter, func(s *specimen) { s.Leaf.Issuer = restring(s.Leaf.Issuer) }),
		one("leaf: issuer in capitals", inter, func(s *specimen) {
			s.Leaf.Issuer = []byte(strings.Replace(string(s.Leaf.Issuer), "Intermediate", "INTERMEDIATE", 1))
		}),
		one("leaf: issuer with two spaces", inter, func(s *specimen) {
			s.Intermediate.Subject, s.Leaf.Issuer = forge.Name("Inter mediate"), forge.Name("Inter  mediate")
		}),
	)
}

// restring writes the strings of a name in UTF-8 as PrintableString.
func restring(name []byte) []byte {
	return []byte(strings.ReplaceAll(string(name), "\x0c\x07Example", "\x13\x07Example"))
}
