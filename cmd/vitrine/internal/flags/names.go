package flags

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

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

// parseSuites returns the suites of that name; all stands for those that config
// allows.
func parseSuites(names []string, config *tls.Config) ([]*suite.Suite, error) {
	var list []*suite.Suite
	for _, name := range names {
		if strings.EqualFold(name, "all") {
			list = append(list, allowedSuites(config)...)
			continue
		}
		s := suite.ByName(name)
		if s == nil {
			return nil, report.Usagef("--suites %q is not a suite that vitrine has; 'vitrine suites --all' lists them", name)
		}
		list = append(list, s)
	}
	return list, nil
}

// allowedSuites are all whose switches are on, and whose keys we have.
func allowedSuites(config *tls.Config) []*suite.Suite {
	return slices.DeleteFunc(suite.All(), func(s *suite.Suite) bool {
		return len(missing(&config.Legacy, s.Switches)) > 0 || s.KeyExchange.PSK() && config.PSK.Client == nil
	})
}

// CertificateKeys are the kinds of keys that a server needs for its suites; none
// where it authenticates by other means or not at all.
func (f *TLS) CertificateKeys() []devca.KeyType {
	if len(f.Listed) == 0 {
		if f.high == wire.SSL30 { // which has no elliptic curves
			return []devca.KeyType{devca.RSA}
		}
		return []devca.KeyType{devca.ECDSA}
	}
	var keys []devca.KeyType
	for _, s := range f.Listed {
		if key, ok := keyOf[s.Auth]; ok && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// CertifiedSuites are those of Listed that exist in v and need a certificate.
func (f *TLS) CertifiedSuites(v wire.Version) (ids []uint16) {
	for _, s := range f.Listed {
		if s.Auth != suite.AuthPSK && s.Auth != suite.AuthAnon && s.Min <= v && v <= s.Max {
			ids = append(ids, uint16(s.ID))
		}
	}
	return ids
}

// LacksCertificate reports that no suite has a certificate.
func (f *TLS) LacksCertificate() bool { return len(f.CertificateKeys()) == 0 }

// MayAsk errs where no server can ask for a client certificate: only a server that
// shows one itself does, without a pre-shared key. RFC 5246 §7.4.4, RFC 4279 §4.
func (f *TLS) MayAsk() error {
	if f.onlyPSK() {
		return report.Usagef("a server with pre-shared keys asks for no client certificate; %s leaves no other suite", cmp.Or(strings.Join(f.Suites, ","), "--psk"))
	}
	if f.LacksCertificate() {
		return report.Usagef("a server asks for a client certificate only if it shows one itself, and %s has none", f.Listed[0])
	}
	return nil
}

var keyOf = map[suite.Auth]devca.KeyType{
	suite.AuthAny: devca.ECDSA, suite.AuthECDSA: devca.ECDSA, suite.AuthRSA: devca.RSA, suite.AuthDSS: devca.DSA,
}

// ClientKey is the kind of key that every version has for a client.
func (f *TLS) ClientKey() devca.KeyType {
	if f.Low < wire.TLS12 {
		return devca.RSA
	}
	return devca.ECDSA
}

// groupList are the values of --groups, best first; the aliases are the names
// that NIST and OpenSSL gave.
var groupList = []struct {
	group   wire.NamedGroup
	aliases []string
}{
	{wire.GroupX25519MLKEM768, nil},
	{wire.GroupSecP256r1MLKEM768, nil},
	{wire.GroupSecP384r1MLKEM1024, nil},
	{wire.GroupMLKEM1024, nil},
	{wire.GroupX25519, nil},
	{wire.GroupP256, []string{"p256", "prime256v1"}},
	{wire.GroupP384, []string{"p384"}},
	{wire.GroupP521, []string{"p521"}},
	{wire.GroupX448, nil},
	{wire.GroupFFDHE2048, nil},
	{wire.GroupFFDHE3072, nil},
	{wire.GroupFFDHE4096, nil},
	{wire.GroupFFDHE6144, nil},
	{wire.GroupFFDHE8192, nil},
}

func groupNames() []string {
	var names []string
	for _, g := range groupList {
		names = append(names, g.group.String())
	}
	return names
}

func parseGroups(names []string) ([]tls.CurveID, error) {
	var ids []tls.CurveID
next:
	for _, name := range names {
		for _, g := range groupList {
			if plain(g.group.String()) == plain(name) || slices.Contains(g.aliases, plain(name)) {
				ids = append(ids, tls.CurveID(g.group))
				continue next
			}
		}
		return nil, report.Usagef("--groups %q is not a group that vitrine has; choose from %s", name, strings.Join(groupNames(), ", "))
	}
	return ids, nil
}

// GroupName is the name of id; empty where no group was used.
func GroupName(id tls.CurveID) string {
	if id == 0 {
		return ""
	}
	return wire.NamedGroup(id).String()
}
