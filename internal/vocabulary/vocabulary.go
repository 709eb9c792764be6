// Package vocabulary has the words by which people name versions, cipher suites, groups,
// signature schemes and dangerous switches, on the command line and in configurations.
// Errors do not say where a word was given: that is the caller's.
package vocabulary

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Versions are the protocol's versions by their names, oldest first.
var Versions = []struct {
	Name    string
	Version wire.Version
}{
	{"ssl3.0", wire.SSL30},
	{"tls1.0", wire.TLS10},
	{"tls1.1", wire.TLS11},
	{"tls1.2", wire.TLS12},
	{"tls1.3", wire.TLS13},
}

// VersionNames are the names of Versions, oldest first.
func VersionNames() []string {
	var names []string
	for _, v := range Versions {
		names = append(names, v.Name)
	}
	return names
}

// VersionName is the name of v in Versions.
func VersionName(v wire.Version) string {
	for _, row := range Versions {
		if row.Version == v {
			return row.Name
		}
	}
	return v.String()
}

// Version reads a version as people write it: tls1.2, TLSv1.2, TLS 1.2, tls12, 1.2; tls1 is
// TLS 1.0.
func Version(name string) (wire.Version, error) {
	given := strings.Replace(plain(name), "v", "", 1)
	for _, row := range Versions {
		number := strings.TrimLeft(plain(row.Name), "tsl")
		if is := plain(row.Name); given == is || given == number || given+"0" == is {
			return row.Version, nil
		}
	}
	return 0, fmt.Errorf("%q is not a version; choose %s", name, OneOf(VersionNames()))
}

// plain returns the letters and digits of s, in lower case: what is left when people write
// a name in their own way.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// OneOf lists what there is to choose from, of which there is more than one.
func OneOf(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Suite finds a cipher suite by IANA's name or OpenSSL's.
func Suite(name string) (*suite.Suite, error) {
	s := suite.ByName(name)
	if s == nil {
		return nil, fmt.Errorf("%q is not a suite that vitrine has; 'vitrine suites --all' lists them", name)
	}
	return s, nil
}

// SuiteNames are IANA's and, where they differ, OpenSSL's.
func SuiteNames() []string {
	var names []string
	for _, s := range suite.All() {
		names = append(names, s.Name)
		if s.OpenSSLName != "" && s.OpenSSLName != s.Name {
			names = append(names, s.OpenSSLName)
		}
	}
	return names
}

// groups are what Group finds, best first; the aliases are the names that NIST and OpenSSL
// gave.
var groups = []struct {
	group   wire.NamedGroup
	aliases []string
}{
	{wire.GroupX25519MLKEM768, nil},
	{wire.GroupSecP256r1MLKEM768, nil},
	{wire.GroupSecP384r1MLKEM1024, nil},
	{wire.GroupMLKEM1024, nil},
	{wire.GroupX25519, nil},
	{wire.GroupP256, []string{"p256", "prime256v1", "nistp256"}},
	{wire.GroupP384, []string{"p384", "nistp384"}},
	{wire.GroupP521, []string{"p521", "nistp521"}},
	{wire.GroupX448, nil},
	{wire.GroupFFDHE2048, nil},
	{wire.GroupFFDHE3072, nil},
	{wire.GroupFFDHE4096, nil},
	{wire.GroupFFDHE6144, nil},
	{wire.GroupFFDHE8192, nil},
}

// GroupNames are the names of all groups, best first.
func GroupNames() []string {
	var names []string
	for _, g := range groups {
		names = append(names, g.group.String())
	}
	return names
}

// Group finds a group for the key exchange.
func Group(name string) (tls.CurveID, error) {
	for _, g := range groups {
		if plain(g.group.String()) == plain(name) || slices.Contains(g.aliases, plain(name)) {
			return tls.CurveID(g.group), nil
		}
	}
	return 0, fmt.Errorf("%q is not a group that vitrine has; choose from %s", name, strings.Join(GroupNames(), ", "))
}
