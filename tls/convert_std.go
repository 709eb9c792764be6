package tls

import (
	"reflect"
	"slices"
	"strings"

	stdtls "crypto/tls"

	"github.com/vitrine-tls/vitrine/wire"
)

// FromStd returns a Config with the fields of a crypto/tls.Config. It refuses one with
// fields that cannot be carried over: those that hold crypto/tls's own session and config
// types (ClientSessionCache, GetConfigForClient, WrapSession and UnwrapSession), and
// those that a newer Go has and this package does not know. Keys set by
// SetSessionTicketKeys are not seen. Fields that mean something else here, which
// docs/adr/0008-where-we-differ-from-crypto-tls.md lists, then mean that. nil gives nil.
func FromStd(std *stdtls.Config) (*Config, error) {
	if std == nil {
		return nil, nil
	}
	c := new(Config)
	if left := carry(reflect.ValueOf(std).Elem(), reflect.ValueOf(c).Elem()); len(left) > 0 {
		return nil, misuse("%s of crypto/tls's Config cannot be carried over; set anew what you need of it", strings.Join(left, ", "))
	}
	return c, nil
}

// ToStd is the opposite of [FromStd], for dependencies that take crypto/tls's type. It
// refuses a Config with a setting that crypto/tls does not have or would not heed: fields
// that only this package has, but for switches in Legacy that crypto/tls does without;
// its own session and config types; suites, groups and versions that crypto/tls does not
// implement, or does not let be chosen; keys set by SetSessionTicketKeys. What crypto/tls
// does otherwise by default then holds, and it takes CipherSuites and CurvePreferences
// for sets. nil gives nil.
func ToStd(c *Config) (*stdtls.Config, error) {
	if c == nil {
		return nil, nil
	}
	from := c.Clone()
	from.SessionTicketKey = c.SessionTicketKey
	for _, needless := range []*bool{
		&from.Legacy.RSAKeyExchange, &from.Legacy.TripleDES, &from.Legacy.RC4, // crypto/tls has the suites, for those who list them
		&from.Legacy.SmallRSA, &from.Legacy.AnyKeyUsage, &from.Legacy.UnannouncedEnd, // and always does this
	} {
		*needless = false
	}
	std := new(stdtls.Config)
	left := carry(reflect.ValueOf(from).Elem(), reflect.ValueOf(std).Elem())
	left = append(left, c.beyondStd()...)
	if len(left) > 0 {
		return nil, misuse("%s cannot be carried over to crypto/tls's Config", strings.Join(left, ", "))
	}
	return std, nil
}

// stdGroups are those of crypto/tls.
var stdGroups = []CurveID{
	CurveP256, CurveP384, CurveP521, X25519, X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024,
}

// beyondStd names what c has in fields of the same name and crypto/tls does not.
func (c *Config) beyondStd() (names []string) {
	known := append(stdtls.CipherSuites(), stdtls.InsecureCipherSuites()...)
	for _, id := range c.CipherSuites {
		if !slices.ContainsFunc(known, func(s *stdtls.CipherSuite) bool {
			return s.ID == id && s.SupportedVersions[0] != VersionTLS13 // TLS 1.3's are not for choosing there
		}) {
			names = append(names, CipherSuiteName(id))
		}
	}
	for _, g := range c.CurvePreferences {
		if !slices.Contains(stdGroups, g) {
			names = append(names, wire.NamedGroup(g).String())
		}
	}
	for _, v := range []uint16{c.MinVersion, c.MaxVersion} {
		if v != 0 && v < VersionTLS10 {
			names = append(names, VersionName(v))
		}
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.ticketsGiven {
		names = append(names, "the ticket keys")
	}
	return names
}

// carry sets the fields of one struct from those of the same name and type in another,
// and names those that are set and have no such place.
func carry(from, to reflect.Value) (left []string) {
	for i := range from.NumField() {
		field, value := from.Type().Field(i), from.Field(i)
		if !field.IsExported() || value.IsZero() {
			continue
		}
		place := to.FieldByName(field.Name)
		switch {
		case place.IsValid() && field.Type.AssignableTo(place.Type()):
			place.Set(value)
		case value.Kind() == reflect.Struct:
			for _, name := range carry(value, reflect.ValueOf(struct{}{})) {
				left = append(left, field.Name+"."+name)
			}
		default:
			left = append(left, field.Name)
		}
	}
	return left
}
