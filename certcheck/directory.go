package certcheck

import (
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// attribute is one part of a distinguished name.
type attribute struct {
	id   asn1.ObjectIdentifier
	tag  casn1.Tag
	text string
	last bool // of its RDN
}

// attributes reads a Name in DER. RFC 5280 §4.1.2.4.
func attributes(der []byte) (parts []attribute, ok bool) {
	name := cryptobyte.String(der)
	if !name.ReadASN1(&name, casn1.SEQUENCE) {
		return nil, false
	}
	for !name.Empty() {
		var rdn, one, value cryptobyte.String
		if !name.ReadASN1(&rdn, casn1.SET) || rdn.Empty() {
			return nil, false
		}
		for !rdn.Empty() {
			var a attribute
			if !rdn.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&a.id) ||
				!one.ReadAnyASN1(&value, &a.tag) || !one.Empty() {
				return nil, false
			}
			a.text, a.last = string(value), rdn.Empty()
			parts = append(parts, a)
		}
	}
	return parts, true
}

// directoryHolds reports whether a name begins with all parts of a base. RFC 5280 §7.1.
func directoryHolds(want, have []attribute) bool {
	if len(have) < len(want) {
		return false
	}
	for i, w := range want {
		if h := have[i]; !w.id.Equal(h.id) || w.last != h.last || !sameText(w, h) {
			return false
		}
	}
	return true
}

// sameText compares as RFC 5280 §7.1 demands at least: without regard to case, and to
// how many spaces there are, where both are text; else byte by byte.
func sameText(a, b attribute) bool {
	if !isText(a.tag) || !isText(b.tag) {
		return a.tag == b.tag && a.text == b.text
	}
	return strings.EqualFold(strings.Join(strings.Fields(a.text), " "), strings.Join(strings.Fields(b.text), " "))
}

func isText(t casn1.Tag) bool {
	return t == casn1.UTF8String || t == casn1.PrintableString || t == casn1.IA5String
}
