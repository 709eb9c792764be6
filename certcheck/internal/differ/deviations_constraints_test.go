package differ

import (
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// limited puts name constraints on the intermediate and, as another deviation, on the
// root; names, if there are any, are the leaf's beside example.com.
func limited(name string, from certcheck.Profile, permitted, excluded [][]byte, names ...[]byte) []deviation {
	return limitedBy(name, from, forge.NameConstraints(permitted, excluded), names...)
}

func limitedBy(name string, from certcheck.Profile, e forge.Ext, names ...[]byte) (all []deviation) {
	for _, p := range []place{middle, root} {
		all = append(all, deviation{p.String() + ": " + name, from, func(s *specimen) {
			s.cert(p).Replace(e)
			if len(names) > 0 {
				s.Leaf.Replace(forge.SAN(append([][]byte{forge.DNS("example.com")}, names...)...))
			}
		}})
	}
	return all
}

// list is a list of bases.
func list(bases ...[]byte) [][]byte { return bases }

func constraintDeviations() []deviation {
	country := func(c string) []byte { return forge.Directory(forge.Names([]int{2, 5, 4, 6}, c)) }
	common := func(name string) []byte { return forge.Directory(forge.Name(name)) }
	other := forge.Tagged(0xa0, forge.OID(1, 2, 3), forge.Tagged(0xa0, forge.Tagged(12, []byte("x"))))
	registered := forge.Tagged(0x88, []byte{0x2a, 3})
	ip := func(b ...byte) []byte { return forge.IP(b) }
	v6 := []byte{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
	raw := func(parts ...[]byte) forge.Ext {
		return with(forge.NameConstraints(nil, nil), forge.Sequence(parts...))
	}
	dns := forge.DNS("example.com")
	tree := func(parts ...[]byte) []byte { return forge.Tagged(0xa0, forge.Sequence(parts...)) }
	return slices.Concat(
		limited("the name permitted", never, list(dns), nil),
		limited("the name permitted in capitals", never, list(forge.DNS("EXAMPLE.com")), nil),
		limited("another name permitted", inter, list(forge.DNS("example.org")), nil),
		limited("a part of a label permitted", inter, list(forge.DNS("ample.com")), nil),
		limited("the top-level domain permitted", never, list(forge.DNS("com")), nil),
		limited("every name permitted", never, list(forge.DNS("")), nil),
		limited("a base with a dot permitted", inter, list(forge.DNS(".example.com")), nil),
		limited("a base with a dot permitted above", rfc, list(forge.DNS(".com")), nil),
		limited("a base with a star permitted", inter, list(forge.DNS("*.com")), nil),
		limited("a base that is no name permitted", inter, list(forge.DNS("exam ple.com")), nil),
		limited("the name excluded", inter, nil, list(dns)),
		limited("a name above excluded", inter, nil, list(forge.DNS("com"))),
		limited("every name excluded", inter, nil, list(forge.DNS(""))),
		limited("a name below excluded", never, nil, list(forge.DNS("a.example.com"))),
		limited("a star over an excluded name", inter, nil, list(forge.DNS("secret.example.com")), forge.DNS("*.example.com")),
		limited("a star beside an excluded name", never, nil, list(forge.DNS("a.secret.example.com")), forge.DNS("*.example.com")),
		limited("a star over a permitted name", inter, list(dns, forge.DNS("w.example.org")), nil, forge.DNS("*.example.org")),
		limited("permitted and excluded at once", inter, list(dns), list(dns)),
		limited("the address permitted", never, list(dns, forge.Net("192.0.2.0/24")), nil, ip(192, 0, 2, 7)),
		limited("another address permitted", inter, list(dns, forge.Net("198.51.100.0/24")), nil, ip(192, 0, 2, 7)),
		limited("the address excluded", inter, nil, list(forge.Net("192.0.2.0/24")), ip(192, 0, 2, 7)),
		limited("another address excluded", never, nil, list(forge.Net("198.51.100.0/24")), ip(192, 0, 2, 7)),
		limited("addresses of version 6 permitted, one of version 4", inter, list(dns, forge.Net("2001:db8::/32")), nil, ip(192, 0, 2, 7)),
		limited("the address of version 6 permitted", never, list(dns, forge.Net("2001:db8::/32")), nil, ip(v6...)),
		limited("the address of version 6 excluded", inter, nil, list(forge.Net("2001:db8::/32")), ip(v6...)),
		limited("a mask with a hole", inter, list(dns, ip(192, 0, 2, 0, 255, 0, 255, 0)), nil, ip(192, 0, 2, 7)),
		limited("an address without a mask", inter, list(dns, ip(192, 0, 2, 0)), nil),
		limited("an address of 7 octets", inter, nil, list(ip(192, 0, 2, 0, 255, 255, 255))),
		limited("the mail's domain permitted", web, list(dns, forge.Email("example.com")), nil, forge.Email("me@example.com")),
		limited("another mail domain permitted", inter, list(dns, forge.Email("example.org")), nil, forge.Email("me@example.com")),
		limited("the mail's domain excluded", inter, nil, list(forge.Email("example.com")), forge.Email("me@example.com")),
		limited("the mailbox excluded", inter, nil, list(forge.Email("me@example.com")), forge.Email("me@example.com")),
		limited("another mailbox permitted", inter, list(dns, forge.Email("you@example.com")), nil, forge.Email("me@example.com")),
		limited("domains below excluded, the mail's not", web, nil, list(forge.Email(".example.com")), forge.Email("me@example.com")),
		limited("a mail constraint, and no mail", never, list(forge.Email("example.org")), nil),
		limited("the URI's host permitted", web, list(dns, forge.URI("example.com")), nil, forge.URI("https://example.com/")),
		limited("another URI's host permitted", inter, list(dns, forge.URI("example.org")), nil, forge.URI("https://example.com/")),
		limited("the URI's host excluded", inter, nil, list(forge.URI("example.com")), forge.URI("https://example.com/")),
		limited("a URI with an address, and constraints on URIs", inter, nil, list(forge.URI("example.org")), forge.URI("https://192.0.2.7/")),
		limited("a URI without a host, and constraints on URIs", inter, list(dns, forge.URI("example.org")), nil, forge.URI("urn:x:y")),
		one("intermediate: the directory name permitted", never, func(s *specimen) {
			s.Intermediate.Replace(forge.NameConstraints(list(common("example.com")), nil))
		}),
		one("root: the leaf's directory name permitted, and not the intermediate's", inter, func(s *specimen) {
			s.Root.Replace(forge.NameConstraints(list(common("example.com")), nil))
		}),
		limited("another directory name permitted", inter, list(common("example.org")), nil),
		limited("the directory name excluded", inter, nil, list(common("example.com"))),
		limited("the directory name excluded in capitals", inter, nil, list(common("EXAMPLE.COM"))),
		limited("another directory name excluded", never, nil, list(country("DE"))),
		limited("a directory name in the subjectAltName excluded", inter, nil, list(country("DE")), country("DE")),
		limited("an otherName excluded", inter, nil, list(other), other),
		limited("an otherName permitted, and another", inter, list(dns, other), nil, other),
		limited("an otherName excluded, and none", never, nil, list(other)),
		limited("a registered ID excluded", inter, nil, list(registered), registered),
		limited("a registered ID permitted, and none", never, list(registered), nil),
		limitedBy("constraints not critical, on another name", inter, flagged(forge.NameConstraints(list(forge.DNS("example.org")), nil), false)),
		limitedBy("constraints not critical", rfc, flagged(forge.NameConstraints(list(dns), nil), false)),
		limitedBy("constraints without lists", inter, raw()),
		limitedBy("constraints with an empty list", inter, raw(forge.Tagged(0xa0))),
		limitedBy("constraints with a minimum of 1", inter, raw(tree(dns, []byte{0x80, 1, 1}))),
		limitedBy("constraints with a minimum of 0", inter, raw(tree(dns, []byte{0x80, 1, 0}))),
		limitedBy("constraints with a maximum", inter, raw(tree(dns, []byte{0x81, 1, 9}))),
		limitedBy("constraints that are no sequence", inter, with(forge.NameConstraints(nil, nil), []byte{4, 0})),
		limitedBy("constraints with trailing data", inter, with(forge.NameConstraints(nil, nil), append(forge.NameConstraints(list(dns), nil).Value, 5, 0))),
		limitedBy("constraints with a kind that does not exist", inter, raw(tree(forge.Tagged(0x8a, []byte("x"))))),
		extended("name constraints", rfc, skip, skip, forge.NameConstraints(list(dns), nil)),
	)
}

func authorityDeviations() []deviation {
	basic := func(parts ...[]byte) forge.Ext {
		return with(forge.BasicConstraints(true, -1), forge.Sequence(parts...))
	}
	yes, no, loose := []byte{1, 1, 0xff}, []byte{1, 1, 0}, []byte{1, 1, 1}
	usage := func(content ...byte) forge.Ext { return with(forge.KeyUsage(0), forge.Tagged(3, content)) }
	return slices.Concat(
		changed("no basicConstraints", skip, inter, inter, remove(forge.IDBasicConstraints)),
		changed("basicConstraints not critical", skip, rfc, rfc, flip(forge.IDBasicConstraints)),
		extended("basicConstraints: no authority", never, inter, inter, forge.BasicConstraints(false, -1)),
		extended("basicConstraints: an authority", web, never, never, forge.BasicConstraints(true, -1)),
		extended("basicConstraints with FALSE written out", rfc, inter, inter, basic(no)),
		extended("basicConstraints with a loose TRUE", inter, inter, inter, basic(loose)),
		extended("basicConstraints with a path length below 0", inter, inter, inter, basic(yes, []byte{2, 1, 0xff})),
		extended("basicConstraints with a path length of 10 octets", inter, inter, inter, basic(yes, []byte{2, 10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})),
		extended("basicConstraints with a path length and no authority", rfc, inter, inter, forge.BasicConstraints(false, 0)),
		extended("basicConstraints with more behind", inter, inter, inter, basic(yes, []byte{5, 0})),
		extended("basicConstraints that are no sequence", inter, inter, inter, with(forge.BasicConstraints(true, -1), []byte{4, 0})),
		extended("basicConstraints with path length 1", rfc, never, never, forge.BasicConstraints(true, 1)),
		extended("basicConstraints with path length 0", rfc, never, inter, forge.BasicConstraints(true, 0)),
		one("intermediate: path length 0 and an authority below", inter, func(s *specimen) {
			s.lengthen(1, func(_ int, c *forge.Cert) { c.Replace(forge.BasicConstraints(true, 0)) })
		}),
		one("intermediate: path length 0 and itself below", web, func(s *specimen) {
			s.Root.Replace(forge.BasicConstraints(true, 1))
			s.Intermediate.Subject, s.Leaf.Issuer = forge.Name("Link 0"), forge.Name("Link 0")
			s.lengthen(1, nil)
		}),
		changed("no keyUsage", never, rfc, rfc, remove(forge.IDKeyUsage)),
		changed("keyUsage not critical", web, web, web, flip(forge.IDKeyUsage)),
		extended("keyUsage without keyCertSign", skip, inter, inter, forge.KeyUsage(6)),
		extended("keyUsage with keyCertSign", rfc, skip, skip, forge.KeyUsage(0, 5)),
		extended("keyUsage with keyEncipherment alone", never, skip, skip, forge.KeyUsage(2)),
		extended("keyUsage with decipherOnly", never, skip, skip, forge.KeyUsage(0, 4, 8)),
		extended("keyUsage without bits", rfc, inter, inter, usage(0)),
		extended("keyUsage with bits that are zero", rfc, rfc, rfc, usage(0, 0x86)),
		extended("keyUsage with bits behind the last", inter, inter, inter, usage(1, 0x87)),
		extended("keyUsage with more bits than are defined", rfc, never, never, usage(0, 0x86, 0x80, 0x01)),
		extended("keyUsage that is no BIT STRING", inter, inter, inter, with(forge.KeyUsage(0), []byte{4, 1, 0x86})),
	)
}

func usageDeviations() []deviation {
	unknown := []int{1, 2, 3, 4}
	return slices.Concat(
		changed("no extended key usage", web, web, skip, remove(forge.IDExtKeyUsage)),
		extended("extended key usage of clients", inter, inter, inter, forge.ExtKeyUsage(forge.ClientAuth)),
		extended("extended key usage of servers and clients", never, never, never, forge.ExtKeyUsage(forge.ServerAuth, forge.ClientAuth)),
		extended("any extended key usage", web, web, never, forge.ExtKeyUsage(forge.AnyUsage)),
		extended("extended key usage of servers, and any", web, web, never, forge.ExtKeyUsage(forge.ServerAuth, forge.AnyUsage)),
		extended("unknown extended key usage", inter, inter, inter, forge.ExtKeyUsage(unknown)),
		extended("extended key usage of servers twice", never, never, never, forge.ExtKeyUsage(forge.ServerAuth, forge.ServerAuth)),
		extended("critical extended key usage", never, never, never, flagged(forge.ExtKeyUsage(forge.ServerAuth), true)),
		extended("empty extended key usage", inter, inter, inter, forge.ExtKeyUsage()),
		extended("extended key usage of OCSP", inter, inter, inter, forge.ExtKeyUsage(forge.OCSPSigning)),
		extended("extended key usage that is no sequence", inter, inter, inter, with(forge.ExtKeyUsage(), []byte{4, 0})),
	)
}

func extensionDeviations() []deviation {
	unknown := forge.Ext{ID: []int{1, 2, 3, 4, 5}, Value: []byte{5, 0}}
	add := func(e forge.Ext) func(*forge.Cert) {
		return func(c *forge.Cert) { c.Extensions = append(c.Extensions, e) }
	}
	twice := func(id []int) func(*forge.Cert) { return func(c *forge.Cert) { add(get(c, id))(c) } }
	constraint := func(parts ...[]byte) forge.Ext {
		return forge.Ext{ID: forge.IDPolicyConstraint, Critical: true, Value: forge.Sequence(parts...)}
	}
	mapping := func(from, to []int) forge.Ext {
		return forge.Ext{ID: forge.IDPolicyMappings, Critical: true, Value: forge.Sequence(forge.Sequence(forge.OID(from...), forge.OID(to...)))}
	}
	mine, yours, anyPolicy := []int{1, 2, 3}, []int{1, 2, 4}, []int{2, 5, 29, 32, 0}
	poison := forge.Ext{ID: []int{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}, Critical: true, Value: []byte{5, 0}}
	return slices.Concat(
		changed("an unknown critical extension", inter, inter, inter, add(flagged(unknown, true))),
		changed("an unknown extension", never, never, never, add(unknown)),
		changed("an unknown extension twice", inter, inter, inter, func(c *forge.Cert) { add(unknown)(c); add(unknown)(c) }),
		changed("keyUsage twice", inter, inter, inter, twice(forge.IDKeyUsage)),
		changed("basicConstraints twice", skip, inter, inter, twice(forge.IDBasicConstraints)),
		changed("subjectAltName twice", inter, skip, skip, twice(forge.IDSAN)),
		changed("extended key usage twice", inter, inter, skip, twice(forge.IDExtKeyUsage)),
		changed("authority key identifier twice", inter, inter, skip, twice(forge.IDAuthorityKey)),
		changed("an extension without content", never, never, never, add(forge.Ext{ID: unknown.ID, Value: []byte{}})),
		changed("keyUsage without content", inter, inter, inter, func(c *forge.Cert) { c.Replace(with(forge.KeyUsage(0), []byte{})) }),
		extended("a precertificate", inter, inter, skip, poison),
		extended("a precertificate's poison, not critical", inter, inter, skip, flagged(poison, false)),
		extended("must-staple", never, inter, inter, forge.MustStaple()),
		extended("critical must-staple", inter, inter, inter, flagged(forge.MustStaple(), true)),
		extended("CRL distribution points that are no sequence", inter, inter, inter, forge.Ext{ID: forge.IDCRLDistribution, Value: []byte{4, 0}}),
		changed("no CRL distribution point", web, web, skip, remove(forge.IDCRLDistribution)),
		extended("authority information that is no sequence", inter, inter, inter, forge.Ext{ID: forge.IDAuthorityInfo, Value: []byte{4, 0}}),
		changed("critical authority information", inter, inter, skip, flip(forge.IDAuthorityInfo)),
		changed("critical CRL distribution points", never, never, skip, flip(forge.IDCRLDistribution)),
		changed("no policies", web, never, skip, remove(forge.IDPolicies)),
		changed("critical policies", never, never, skip, flip(forge.IDPolicies)),
		extended("another policy", web, never, skip, forge.Policies(mine)),
		extended("a policy twice", inter, inter, skip, forge.Policies(mine, mine)),
		extended("critical policies with a qualifier that nobody knows", inter, inter, inter, forge.Ext{ID: forge.IDPolicies, Critical: true,
			Value: forge.Sequence(forge.Sequence(forge.OID(2, 23, 140, 1, 2, 1), forge.Sequence(forge.Sequence(forge.OID(1, 2, 3), []byte{5, 0}))))}),
		extended("policies that are no sequence", inter, inter, inter, with(forge.Policies(), []byte{4, 0})),
		one("root: an explicit policy required, and all have it", web, func(s *specimen) {
			s.Root.Replace(constraint([]byte{0x80, 1, 0}))
			for _, c := range []*forge.Cert{&s.Leaf, &s.Intermediate} {
				c.Replace(forge.Policies(mine))
			}
		}),
		one("intermediate: an explicit policy required, and it has another", inter, func(s *specimen) {
			s.Intermediate.Replace(constraint([]byte{0x80, 1, 0}))
			s.Intermediate.Replace(forge.Policies(yours))
			s.Leaf.Replace(forge.Policies(mine))
		}),
		one("intermediate: an explicit policy required, the leaf has none", inter, func(s *specimen) {
			s.Intermediate.Replace(constraint([]byte{0x80, 1, 0}))
			s.Leaf.Remove(forge.IDPolicies)
		}),
		one("intermediate: an explicit policy required, by any policy", web, func(s *specimen) {
			s.Intermediate.Replace(constraint([]byte{0x80, 1, 0}))
			s.Intermediate.Replace(forge.Policies(anyPolicy))
			s.Leaf.Replace(forge.Policies(mine))
		}),
		one("intermediate: an explicit policy required, any policy inhibited", inter, func(s *specimen) {
			s.Intermediate.Replace(constraint([]byte{0x80, 1, 0}))
			s.Intermediate.Replace(forge.Ext{ID: forge.IDInhibitAnyPolicy, Critical: true, Value: []byte{2, 1, 0}})
			s.Leaf.Replace(forge.Policies(anyPolicy))
		}),
		one("intermediate: an explicit policy required, and mapped", web, func(s *specimen) {
			s.Intermediate.Replace(constraint([]byte{0x80, 1, 0}))
			s.Intermediate.Replace(forge.Policies(mine))
			s.Intermediate.Replace(mapping(mine, yours))
			s.Leaf.Replace(forge.Policies(yours))
		}),
		extended("any policy mapped", rfc, inter, skip, mapping(anyPolicy, mine)),
		extended("empty policy constraints", rfc, rfc, rfc, constraint()),
		extended("policy constraints below 0", inter, inter, inter, constraint([]byte{0x80, 1, 0xff})),
		extended("policy constraints not critical", rfc, rfc, rfc, flagged(constraint([]byte{0x81, 1, 5}), false)),
		extended("any policy inhibited, not critical", rfc, rfc, rfc, forge.Ext{ID: forge.IDInhibitAnyPolicy, Value: []byte{2, 1, 5}}),
		extended("any policy inhibited below 0", inter, inter, inter, forge.Ext{ID: forge.IDInhibitAnyPolicy, Critical: true, Value: []byte{2, 1, 0xff}}),
	)
}
