package differ

import (
	"bytes"
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// encodingDeviations are of bytes that are not DER, or too many.
func encodingDeviations() []deviation {
	damaged := func(name string, from certcheck.Profile, f func([]byte) []byte) []deviation {
		return everywhere(name, from, from, from, func(s *specimen, p place) { s.damage[p] = f })
	}
	return slices.Concat(
		damaged("trailing data", inter, func(b []byte) []byte { return append(b, 0) }),
		damaged("cut short", inter, func(b []byte) []byte { return b[:len(b)-1] }),
		damaged("empty", inter, func([]byte) []byte { return nil }),
		damaged("no certificate", inter, func([]byte) []byte { return []byte("-----BEGIN CERTIFICATE-----") }),
		damaged("of indefinite length", inter, func(b []byte) []byte { return slices.Concat([]byte{0x30, 0x80}, b[4:], []byte{0, 0}) }),
		damaged("with a length of three octets", inter, func(b []byte) []byte { return slices.Concat([]byte{0x30, 0x83, 0}, b[2:]) }),
		changed("trailing data within what is signed", inter, inter, inter, func(c *forge.Cert) {
			c.Change = func(tbs []byte) []byte { return forge.Sequence(tbs[4:], null) }
		}),
		changed("a version that is written though it is 1", inter, inter, rfc, func(c *forge.Cert) {
			c.Extensions, c.Version = nil, 0
			c.Change = func(tbs []byte) []byte {
				return bytes.Replace(tbs, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 0}, 1)
			}
		}),
		changed("an extension that says it is not critical", rfc, rfc, rfc, func(c *forge.Cert) {
			c.Extensions = append(c.Extensions, forge.Ext{ID: []int{1, 2, 3, 4, 6}, Critical: true, Value: null})
			id := forge.OID(1, 2, 3, 4, 6)
			c.Change = func(tbs []byte) []byte {
				return bytes.Replace(tbs, append(slices.Clone(id), 1, 1, 0xff), append(slices.Clone(id), 1, 1, 0), 1)
			}
		}),
	)
}

func pathDeviations() []deviation {
	others := func(name string, from certcheck.Profile, f func(s *specimen, h *handover)) []deviation {
		return one("sent: "+name, from, func(s *specimen) { s.then(func(h *handover) { f(s, h) }) })
	}
	stranger := func(s *specimen) []byte {
		c := authority(forge.Name("Stranger"), forge.Name("Stranger"), forge.Key(50), forge.Key(50))
		return c.Sign(forge.Key(50))
	}
	expired := func(c *forge.Cert) { c.NotAfter = forge.Time(moment.Add(-day)) }
	fresh := func(c *forge.Cert) { c.NotAfter = forge.Time(moment.Add(day)) }
	// crossed hands over another certificate of the intermediate, first or last; its root
	// is trusted, or not.
	crossed := func(name string, from certcheck.Profile, first, trusted bool, change func(*forge.Cert), old func(*specimen)) []deviation {
		return one("sent: "+name, from, func(s *specimen) {
			if old != nil {
				old(s)
			}
			s.then(func(h *handover) {
				key := forge.Key(60)
				other := s.cross("Second Root", key, change)
				if h.others = append(h.others, other); first {
					slices.Reverse(h.others)
				}
				if trusted {
					c := authority(forge.Name("Second Root"), forge.Name("Second Root"), key, key)
					h.roots = append(h.roots, c.Sign(key))
				}
			})
		})
	}
	dropRoot := func(s *specimen) { s.then(func(h *handover) { h.roots = h.roots[1:] }) }
	oldExpired := func(s *specimen) { expired(&s.Intermediate) }
	all := slices.Concat(
		others("no intermediate", inter, func(_ *specimen, h *handover) { h.others = nil }),
		others("the intermediate twice", never, func(_ *specimen, h *handover) { h.others = append(h.others, h.others...) }),
		others("the root too", never, func(_ *specimen, h *handover) { h.others = append(h.others, h.roots...) }),
		others("the root first", never, func(_ *specimen, h *handover) { h.others = slices.Concat(h.roots, h.others) }),
		others("the leaf twice", never, func(_ *specimen, h *handover) { h.others = append([][]byte{h.leaf}, h.others...) }),
		others("a stranger first", never, func(s *specimen, h *handover) { h.others = append([][]byte{stranger(s)}, h.others...) }),
		others("a stranger last", never, func(s *specimen, h *handover) { h.others = append(h.others, stranger(s)) }),
		others("16 certificates", never, func(s *specimen, h *handover) {
			for len(h.others) < 15 {
				h.others = append(h.others, stranger(s))
			}
		}),
		others("17 certificates", inter, func(s *specimen, h *handover) {
			for len(h.others) < 16 {
				h.others = append(h.others, stranger(s))
			}
		}),
		others("the intermediate's certificate of another key first", never, func(s *specimen, h *handover) {
			c := authority(s.Intermediate.Subject, s.Root.Subject, forge.Key(51), s.keys[root])
			h.others = append([][]byte{c.Sign(s.keys[root])}, h.others...)
		}),
		others("the intermediate forged", inter, func(s *specimen, h *handover) {
			c := s.Intermediate
			h.others = [][]byte{c.Sign(forge.Key(52))}
		}),
		others("the intermediate as the leaf", inter, func(_ *specimen, h *handover) { h.leaf = h.others[0] }),
		others("the root as the leaf", inter, func(_ *specimen, h *handover) { h.leaf = h.roots[0] }),
		one("trusted: the leaf alone", never, func(s *specimen) { s.then(func(h *handover) { h.roots = [][]byte{h.leaf} }) }),
		one("trusted: a self-signed leaf", never, func(s *specimen) {
			s.Leaf.Issuer, s.signers[leaf] = s.Leaf.Subject, s.keys[leaf]
			s.then(func(h *handover) { h.roots = [][]byte{h.leaf} })
		}),
		one("trusted: the intermediate alone", never, func(s *specimen) { s.then(func(h *handover) { h.roots = h.others }) }),
		one("trusted: nothing", inter, func(s *specimen) { s.then(func(h *handover) { h.roots = nil }) }),
		one("trusted: another root", inter, func(s *specimen) { s.then(func(h *handover) { h.roots = [][]byte{stranger(s)} }) }),
		one("trusted: a root of the same name and another key", inter, func(s *specimen) {
			s.then(func(h *handover) {
				c := authority(s.Root.Subject, s.Root.Subject, forge.Key(53), forge.Key(53))
				h.roots = [][]byte{c.Sign(forge.Key(53))}
			})
		}),
		one("trusted: also a root of the same name and another key", never, func(s *specimen) {
			s.then(func(h *handover) {
				c := authority(s.Root.Subject, s.Root.Subject, forge.Key(53), forge.Key(53))
				h.roots = append([][]byte{c.Sign(forge.Key(53))}, h.roots...)
			})
		}),
		one("trusted: an expired certificate of the root too", never, func(s *specimen) {
			s.then(func(h *handover) {
				c := s.Root
				expired(&c)
				h.roots = append([][]byte{c.Sign(s.keys[root])}, h.roots...)
			})
		}),
		crossed("cross-signed by a root that is not trusted", never, false, false, nil, nil),
		crossed("cross-signed by a root that is not trusted, first", never, true, false, nil, nil),
		crossed("cross-signed by a root that is trusted too", never, false, true, nil, nil),
		crossed("cross-signed by the one root that is trusted", web, false, true, nil, dropRoot),
		crossed("cross-signed, expired, first", never, true, true, expired, nil),
		crossed("cross-signed, the ordinary one expired", web, false, true, fresh, oldExpired),
		crossed("cross-signed, both expired", inter, false, true, expired, oldExpired),
		crossed("cross-signed, no authority, first", never, true, true, func(c *forge.Cert) { c.Replace(forge.BasicConstraints(false, -1)) }, nil),
		crossed("cross-signed, for another name, first", never, true, true, func(c *forge.Cert) { c.Replace(forge.NameConstraints(list(forge.DNS("example.org")), nil)) }, nil),
		crossed("cross-signed, for clients, first", never, true, true, func(c *forge.Cert) { c.Replace(forge.ExtKeyUsage(forge.ClientAuth)) }, nil),
		one("path: 1 authority more", web, func(s *specimen) { s.lengthen(1, nil) }),
		one("path: 3 authorities more, the wrong way round", web, func(s *specimen) {
			s.lengthen(3, nil)
			s.then(func(h *handover) { slices.Reverse(h.others) })
		}),
		one("path: 7 authorities more", web, func(s *specimen) { s.lengthen(7, nil) }),
		one("path: 8 authorities more", inter, func(s *specimen) { s.lengthen(8, nil) }),
		one("path: one authority in the middle missing", inter, func(s *specimen) {
			s.lengthen(3, nil)
			s.then(func(h *handover) { h.others = slices.Delete(h.others, 2, 3) })
		}),
		one("path: one authority in the middle expired", inter, func(s *specimen) {
			s.lengthen(3, func(i int, c *forge.Cert) {
				if i == 1 {
					expired(c)
				}
			})
		}),
		one("path: a loop of two authorities", inter, func(s *specimen) {
			s.lengthen(1, nil)
			s.then(func(h *handover) {
				c := authority(forge.Name("Link 0"), s.Intermediate.Subject, forge.Key(100), s.keys[middle])
				h.others = append(h.others[:1], c.Sign(s.keys[middle]))
			})
		}),
		one("path: an authority that the leaf's key signed", inter, func(s *specimen) {
			s.then(func(h *handover) {
				c := authority(forge.Name("Below"), s.Leaf.Subject, forge.Key(54), s.keys[leaf])
				l := s.Leaf
				l.Extensions = slices.Clone(l.Extensions)
				l.Issuer = forge.Name("Below")
				l.Replace(forge.AuthorityKey(forge.KeyID(forge.Key(54).Public())))
				h.others = slices.Concat([][]byte{c.Sign(s.keys[leaf]), h.leaf}, h.others)
				h.leaf = l.Sign(forge.Key(54))
			})
		}),
		one("path: straight from the root", never, func(s *specimen) {
			s.Leaf.Issuer, s.signers[leaf] = s.Root.Subject, s.keys[root]
			s.Leaf.Replace(forge.AuthorityKey(forge.KeyID(s.keys[root].Public())))
		}),
		one("path: the key of an authority renewed by itself", web, func(s *specimen) {
			old, fresh := s.keys[middle], crypto.Signer(forge.Key(55))
			s.signers[leaf] = fresh
			s.Leaf.Replace(forge.AuthorityKey(forge.KeyID(fresh.Public())))
			s.then(func(h *handover) {
				c := authority(s.Intermediate.Subject, s.Intermediate.Subject, fresh, old)
				h.others = append([][]byte{c.Sign(old)}, h.others...)
			})
		}),
	)
	return all
}
