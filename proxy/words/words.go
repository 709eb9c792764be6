// Package words turns the words of a configuration, "tls1.2" or "x25519", into what package
// tls takes.
package words

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Agreement is what a side agrees to. Its fields are those of config.Versions.
type Agreement struct {
	Min, Max                        string
	Suites, Groups, SigAlgs, Legacy []string
}

// Apply sets in c what a says. An error begins with the name of the field that is wrong.
func (a Agreement) Apply(c *tls.Config) error {
	for _, step := range []struct {
		field string
		apply func(*tls.Config) error
	}{{"legacy", a.legacy}, {"min", a.min}, {"max", a.max}, {"suites", a.suites}, {"groups", a.groups}, {"sigalgs", a.sigAlgs}} {
		if err := step.apply(c); err != nil {
			return fmt.Errorf("%s: %w", step.field, err)
		}
	}
	return nil
}

func (a Agreement) legacy(c *tls.Config) error {
	for _, word := range a.Legacy {
		field, err := Legacy(word)
		if err != nil {
			return err
		}
		reflect.ValueOf(&c.Legacy).Elem().FieldByName(field).SetBool(true)
	}
	return nil
}

func (a Agreement) min(c *tls.Config) (err error) {
	c.MinVersion = tls.VersionTLS12
	if a.Min != "" {
		c.MinVersion, err = Version(a.Min)
	} else if top, err := Version(a.Max); err == nil { // to name a version is to allow it
		c.MinVersion = min(c.MinVersion, top)
	}
	if err == nil && c.MinVersion == tls.VersionSSL30 && !c.Legacy.SSL30 {
		return fmt.Errorf("SSL 3.0 is off because its padding is not authenticated (POODLE); if you must, add legacy: [ssl30]")
	}
	return err
}

func (a Agreement) max(c *tls.Config) (err error) {
	c.MaxVersion = tls.VersionTLS13
	if a.Max != "" {
		c.MaxVersion, err = Version(a.Max)
	}
	if err == nil && c.MinVersion > c.MaxVersion {
		return fmt.Errorf("%q is below min, %q; swap them", a.Max, a.Min)
	}
	return err
}

func (a Agreement) suites(c *tls.Config) error {
	for _, name := range a.Suites {
		s, err := Suite(name)
		if err != nil {
			return err
		}
		for _, field := range s.Switches {
			if !reflect.ValueOf(&c.Legacy).Elem().FieldByName(field).Bool() {
				return fmt.Errorf("%s is off because %s; if you must, add legacy: [%s]", s.Name, s.WhyNot, strings.ToLower(field))
			}
		}
		c.CipherSuites = append(c.CipherSuites, uint16(s.ID))
	}
	return nil
}

func (a Agreement) groups(c *tls.Config) error {
	for _, name := range a.Groups {
		g, err := Group(name)
		if err != nil {
			return err
		}
		c.CurvePreferences = append(c.CurvePreferences, g)
	}
	return nil
}

func (a Agreement) sigAlgs(c *tls.Config) error {
	for _, name := range a.SigAlgs {
		s, err := SigAlg(name)
		if err != nil {
			return err
		}
		c.SignatureSchemes = append(c.SignatureSchemes, s)
	}
	return nil
}

var versions = []struct {
	name    string
	version uint16
}{
	{"ssl3.0", tls.VersionSSL30}, {"tls1.0", tls.VersionTLS10}, {"tls1.1", tls.VersionTLS11},
	{"tls1.2", tls.VersionTLS12}, {"tls1.3", tls.VersionTLS13},
}

// Version reads tls1.2, TLSv1.2, tls12 and the like.
func Version(name string) (uint16, error) {
	for _, row := range versions {
		if given := strings.Replace(plain(name), "v", "", 1); given == plain(row.name) || given == strings.TrimLeft(plain(row.name), "tsl") {
			return row.version, nil
		}
	}
	return 0, fmt.Errorf("%q is not a version; choose ssl3.0, tls1.0, tls1.1, tls1.2 or tls1.3", name)
}

// Suite finds a cipher suite by IANA's or OpenSSL's name.
func Suite(name string) (*suite.Suite, error) {
	if s := suite.ByName(name); s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%q is not a cipher suite that vitrine has; 'vitrine suites --all' lists them", name)
}

var groups = []struct {
	group   wire.NamedGroup
	aliases []string
}{
	{wire.GroupX25519MLKEM768, nil}, {wire.GroupSecP256r1MLKEM768, nil}, {wire.GroupSecP384r1MLKEM1024, nil}, {wire.GroupMLKEM1024, nil},
	{wire.GroupX25519, nil}, {wire.GroupP256, []string{"p256", "prime256v1"}}, {wire.GroupP384, []string{"p384"}}, {wire.GroupP521, []string{"p521"}},
	{wire.GroupX448, nil}, {wire.GroupFFDHE2048, nil}, {wire.GroupFFDHE3072, nil}, {wire.GroupFFDHE4096, nil}, {wire.GroupFFDHE6144, nil}, {wire.GroupFFDHE8192, nil},
}

// Group finds a key-exchange group by name.
func Group(name string) (tls.CurveID, error) {
	var names []string
	for _, g := range groups {
		if plain(g.group.String()) == plain(name) || slices.Contains(g.aliases, plain(name)) {
			return tls.CurveID(g.group), nil
		}
		names = append(names, g.group.String())
	}
	return 0, fmt.Errorf("%q is not a group that vitrine has; choose from %s", name, strings.Join(names, ", "))
}

var sigAlgs = []wire.SignatureScheme{
	wire.ECDSAP256SHA256, wire.Ed25519, wire.RSAPSSRSAESHA256, wire.ECDSAP384SHA384, wire.ECDSAP521SHA512, wire.RSAPSSRSAESHA384,
	wire.RSAPSSRSAESHA512, wire.RSAPKCS1SHA256, wire.RSAPKCS1SHA384, wire.RSAPKCS1SHA512, wire.RSAPSSPSSSHA256, wire.RSAPSSPSSSHA384,
	wire.RSAPSSPSSSHA512, wire.Ed448, wire.ECDSASHA1, wire.RSAPKCS1SHA1, wire.ECDSASHA224, wire.RSAPKCS1SHA224,
}

// SigAlg finds a signature scheme by name.
func SigAlg(name string) (tls.SignatureScheme, error) {
	var names []string
	for _, s := range sigAlgs {
		if plain(s.String()) == plain(name) {
			return tls.SignatureScheme(s), nil
		}
		names = append(names, s.String())
	}
	return 0, fmt.Errorf("%q is not a signature scheme that vitrine has; choose from %s", name, strings.Join(names, ", "))
}

// Legacy finds the field of tls.Legacy that a word like rc4 or small-dh names.
func Legacy(word string) (field string, err error) {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[tls.Legacy]()) {
		if plain(f.Name) == plain(word) {
			return f.Name, nil
		}
		names = append(names, strings.ToLower(f.Name))
	}
	return "", fmt.Errorf("%q is not a switch; choose from %s", word, strings.Join(names, ", "))
}

// plain is the letters and digits of s, in lower case.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
