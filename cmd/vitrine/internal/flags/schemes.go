package flags

import (
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// schemeList are the values of --sigalgs: those of the default, those that have to be
// named, and those that need a switch.
var schemeList = []struct {
	scheme     wire.SignatureScheme
	field, why string // the switch that it needs
}{
	{wire.ECDSAP256SHA256, "", ""}, {wire.Ed25519, "", ""}, {wire.RSAPSSRSAESHA256, "", ""},
	{wire.ECDSAP384SHA384, "", ""}, {wire.ECDSAP521SHA512, "", ""}, {wire.RSAPSSRSAESHA384, "", ""}, {wire.RSAPSSRSAESHA512, "", ""},
	{wire.RSAPKCS1SHA256, "", ""}, {wire.RSAPKCS1SHA384, "", ""}, {wire.RSAPKCS1SHA512, "", ""},
	{wire.RSAPSSPSSSHA256, "", ""}, {wire.RSAPSSPSSSHA384, "", ""}, {wire.RSAPSSPSSSHA512, "", ""}, {wire.Ed448, "", ""},
	{wire.ECDSASHA1, "SHA1Signatures", sha1Off}, {wire.RSAPKCS1SHA1, "SHA1Signatures", sha1Off},
	{wire.ECDSASHA224, "SHA224Signatures", sha224Off}, {wire.RSAPKCS1SHA224, "SHA224Signatures", sha224Off},
}

const (
	sha1Off   = "signatures over SHA-1 are off because they can be forged (SLOTH)"
	sha224Off = "signatures over SHA-224 are off because nothing else is as weak"
)

// AllSchemes are those that need no switch, the ones too that are off unless they are named.
func AllSchemes() []tls.SignatureScheme {
	var all []tls.SignatureScheme
	for _, s := range schemeList {
		if s.field == "" {
			all = append(all, tls.SignatureScheme(s.scheme))
		}
	}
	return all
}

func schemeNames() []string {
	var names []string
	for _, s := range schemeList {
		names = append(names, s.scheme.String())
	}
	return append(names, "all")
}

// applySchemes sets what the peer may sign with.
func (f *TLS) applySchemes(config *tls.Config) error {
	config.SignatureSchemes = nil
	for _, name := range splitColons(f.schemes) {
		if strings.EqualFold(name, "all") {
			config.SignatureSchemes = append(config.SignatureSchemes, AllSchemes()...)
			continue
		}
		i := slices.IndexFunc(schemeNames(), func(n string) bool { return plain(n) == plain(name) })
		if i < 0 {
			return report.Usagef("--sigalgs %q is not a signature scheme that vitrine has; choose from %s", name, strings.Join(schemeNames(), ", "))
		}
		config.SignatureSchemes = append(config.SignatureSchemes, tls.SignatureScheme(schemeList[i].scheme))
	}
	return nil
}
