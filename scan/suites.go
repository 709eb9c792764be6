package scan

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

//go:embed suites.txt
var suitesText string

// registry is what the suites are called that package wire has no name for.
var registry = sync.OnceValue(func() map[wire.CipherSuite]string {
	names := map[wire.CipherSuite]string{}
	for line := range strings.Lines(suitesText) {
		number, name, ok := strings.Cut(strings.TrimSpace(line), " ")
		if id, err := strconv.ParseUint(number, 16, 16); ok && err == nil {
			names[wire.CipherSuite(id)] = name
		}
	}
	return names
})

// SuiteName is the IANA name of a suite, of those too that package wire does not know.
func SuiteName(id wire.CipherSuite) string {
	if name, ok := registry()[id]; ok {
		return name
	}
	return id.String()
}

// Suites are all cipher suites that a scan offers in a version, those that it can compute in first.
func Suites(v wire.Version) []wire.CipherSuite { return everySuite(v) }

// Groups are all groups that a scan offers, those that it can compute in first.
func Groups() []wire.NamedGroup { return everyGroup(true) }

// everySuite are all suites that a version can have, in a fixed order: those that are
// known to be strongest first. A server's first choice from them all is its own, or the
// first that it has.
func everySuite(v wire.Version) []wire.CipherSuite {
	ids := spoken(v)
	if v >= wire.TLS13 {
		return append(ids, 0x00c6, 0x00c7)
	}
	var more []wire.CipherSuite
	for id, name := range registry() {
		late := strings.Contains(name, "GCM") || strings.Contains(name, "CCM") || strings.HasSuffix(name, "SHA256") || strings.HasSuffix(name, "SHA384")
		curve := strings.Contains(name, "ECDH")
		if strings.Contains(name, "SM3") || late && v < wire.TLS12 || curve && v < wire.TLS10 {
			continue
		}
		more = append(more, id)
	}
	slices.Sort(more)
	return append(ids, more...)
}

// A flaw is what is wrong with a suite, found by a part of its name.
type flaw struct {
	part, exclude string
	what          string
}

// flaws are in the order of what is worst.
var flaws = []flaw{
	{"_WITH_NULL_", "", "does not encrypt"},
	{"_anon_", "", "authenticates nobody"},
	{"_EXPORT", "", "export: keys of 40 or 56 bits"},
	{"_WITH_DES_CBC_", "", "DES: keys of 56 bits"},
	{"_RC4_", "", "RC4: a biased key stream"},
	{"_RC2_", "", "RC2: blocks of 64 bits"},
	{"_3DES_", "", "3DES: blocks of 64 bits"},
	{"_IDEA_", "", "IDEA: blocks of 64 bits"},
	{"_28147_", "", "GOST 28147-89: blocks of 64 bits"},
	{"_MD5", "", "MD5 as its MAC"},
	{"TLS_RSA_", "", "no forward secrecy"},
	{"TLS_DH_", "_anon_", "no forward secrecy"},
	{"TLS_ECDH_", "_anon_", "no forward secrecy"},
	{"_CBC_", "", "CBC with the MAC inside"},
}

// flawsOf says what is wrong with a suite; nil for a sound one.
func flawsOf(name string) (all []string) {
	for _, f := range flaws {
		if strings.Contains(name, f.part) && (f.exclude == "" || !strings.Contains(name, f.exclude)) {
			all = append(all, f.what)
		}
	}
	return all
}

// forwardSecret reports that a stolen key of the certificate opens no old connection.
func forwardSecret(name string) bool {
	return !slices.Contains(flawsOf(name), "no forward secrecy") && !strings.HasPrefix(name, "TLS_PSK_") && !strings.HasPrefix(name, "TLS_KRB5_") &&
		!strings.HasPrefix(name, "TLS_SRP_") && !strings.HasPrefix(name, "TLS_GOST")
}

// bitsOf is a suite's strength against key search; 0 for none or an unknown one.
func bitsOf(id wire.CipherSuite) int {
	if s := suite.ByID(id); s != nil {
		return s.Cipher.Bits
	}
	name := SuiteName(id)
	for _, of := range []struct {
		part string
		bits int
	}{{"_40_", 40}, {"DES40", 40}, {"RC4_56", 56}, {"RC2_CBC_56", 56}, {"_DES_", 56}, {"3DES", 112}, {"RC4_128", 128}, {"IDEA", 128}, {"SEED", 128},
		{"_128_", 128}, {"_256_", 256}, {"SM4", 128}} {
		if strings.Contains(name, of.part) {
			return of.bits
		}
	}
	return 0
}

// exchanges are how the names of suites begin, longer ones first.
var exchanges = []struct {
	prefix string
	kind   wire.KeyExchange
}{
	{"TLS_ECDHE_PSK_", wire.KeyExchangeECDHEPSK}, {"TLS_DHE_PSK_", wire.KeyExchangeDHEPSK}, {"TLS_RSA_PSK_", wire.KeyExchangeRSAPSK},
	{"TLS_PSK_DHE_", wire.KeyExchangeDHEPSK}, {"TLS_PSK_", wire.KeyExchangePSK}, {"TLS_ECDH_anon_", wire.KeyExchangeECDHAnon},
	{"TLS_DH_anon_", wire.KeyExchangeDHAnon}, {"TLS_ECDHE_", wire.KeyExchangeECDHE}, {"TLS_DHE_", wire.KeyExchangeDHE}, {"TLS_RSA_WITH_", wire.KeyExchangeRSA},
}

// exchangeOf is a suite's key exchange, as far as package wire has a grammar for it.
// Export suites with RSA have a temporary key in their ServerKeyExchange, for which there
// is none.
func exchangeOf(id wire.CipherSuite) wire.KeyExchange {
	if s := suite.ByID(id); s != nil {
		return s.KeyExchange
	}
	for _, x := range exchanges {
		if strings.HasPrefix(SuiteName(id), x.prefix) {
			return x.kind
		}
	}
	return wire.KeyExchangeNone
}

// groupNames are those that package wire has no name for. IANA, "TLS Supported Groups".
var groupNames = map[wire.NamedGroup]string{
	1: "sect163k1", 2: "sect163r1", 3: "sect163r2", 4: "sect193r1", 5: "sect193r2", 6: "sect233k1", 7: "sect233r1", 8: "sect239k1",
	9: "sect283k1", 10: "sect283r1", 11: "sect409k1", 12: "sect409r1", 13: "sect571k1", 14: "sect571r1", 15: "secp160k1", 16: "secp160r1",
	17: "secp160r2", 18: "secp192k1", 19: "secp192r1", 20: "secp224k1", 21: "secp224r1", 22: "secp256k1",
	26: "brainpoolP256r1", 27: "brainpoolP384r1", 28: "brainpoolP512r1", 31: "brainpoolP256r1tls13", 32: "brainpoolP384r1tls13",
	33: "brainpoolP512r1tls13", 41: "curveSM2", 0x6399: "X25519Kyber768Draft00",
}

// GroupName is the name of a group, of those too that package wire does not know.
func GroupName(id wire.NamedGroup) string {
	if name, ok := groupNames[id]; ok {
		return name
	}
	return id.String()
}

// weakGroup reports a curve of fewer than 224 bits.
func weakGroup(id wire.NamedGroup) bool { return id >= 1 && id <= 5 || id >= 15 && id <= 19 }

// everyGroup are all groups, those of which this package can make keys first.
func everyGroup(post bool) []wire.NamedGroup {
	ids := classical()
	if post {
		ids = groups()
	}
	var more []wire.NamedGroup
	for id := range groupNames {
		if id != 0x6399 || post {
			more = append(more, id)
		}
	}
	slices.Sort(more)
	return append(ids, more...)
}

func number(id wire.CipherSuite) string { return fmt.Sprintf("0x%04x", uint16(id)) }
