package vocabulary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// schemes are those of the default, those that have to be named, and those that need a
// switch.
var schemes = []struct {
	scheme     wire.SignatureScheme
	field, why string // the switch that it needs
}{
	{wire.ECDSAP256SHA256, "", ""}, {wire.Ed25519, "", ""}, {wire.RSAPSSRSAESHA256, "", ""},
	{wire.ECDSAP384SHA384, "", ""}, {wire.ECDSAP521SHA512, "", ""}, {wire.RSAPSSRSAESHA384, "", ""}, {wire.RSAPSSRSAESHA512, "", ""},
	{wire.RSAPKCS1SHA256, "", ""}, {wire.RSAPKCS1SHA384, "", ""}, {wire.RSAPKCS1SHA512, "", ""},
	{wire.RSAPSSPSSSHA256, "", ""}, {wire.RSAPSSPSSSHA384, "", ""}, {wire.RSAPSSPSSSHA512, "", ""}, {wire.Ed448, "", ""},
	{wire.MLDSA44, "", ""}, {wire.MLDSA65, "", ""}, {wire.MLDSA87, "", ""},
	{wire.RSAPKCS1SHA256Legacy, byName, ""}, {wire.RSAPKCS1SHA384Legacy, byName, ""}, {wire.RSAPKCS1SHA512Legacy, byName, ""},
	{wire.ECDSASHA1, "SHA1Signatures", sha1Off}, {wire.RSAPKCS1SHA1, "SHA1Signatures", sha1Off},
	{wire.ECDSASHA224, "SHA224Signatures", sha224Off}, {wire.RSAPKCS1SHA224, "SHA224Signatures", sha224Off},
}

const (
	byName    = "-" // no switch, and not in all either: of old keys of clients
	sha1Off   = "signatures over SHA-1 are off because they can be forged (SLOTH)"
	sha224Off = "signatures over SHA-224 are off because nothing else is as weak"
)

// AllSchemes are those that need no switch, the ones too that are off unless they are named.
func AllSchemes() []tls.SignatureScheme {
	var all []tls.SignatureScheme
	for _, s := range schemes {
		if s.field == "" {
			all = append(all, tls.SignatureScheme(s.scheme))
		}
	}
	return all
}

// SchemeNames are the words that Schemes takes.
func SchemeNames() []string {
	var names []string
	for _, s := range schemes {
		names = append(names, s.scheme.String())
	}
	return append(names, "all")
}

// Schemes are those that a word names: one, or AllSchemes for all.
func Schemes(word string) ([]tls.SignatureScheme, error) {
	if strings.EqualFold(word, "all") {
		return AllSchemes(), nil
	}
	for _, s := range schemes {
		if plain(s.scheme.String()) == plain(word) {
			return []tls.SignatureScheme{tls.SignatureScheme(s.scheme)}, nil
		}
	}
	return nil, fmt.Errorf("%q is not a signature scheme that vitrine has; choose from %s", word, strings.Join(SchemeNames(), ", "))
}

// schemeNeeds are the switches that schemes need, and why those are off.
func schemeNeeds(list []tls.SignatureScheme, need func(why string, fields ...string)) {
	for _, s := range schemes {
		if s.field != "" && s.field != byName && slices.Contains(list, tls.SignatureScheme(s.scheme)) {
			need(s.why, s.field)
		}
	}
}
