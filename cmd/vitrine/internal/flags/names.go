package flags

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// SuiteNames are IANA's and, where they differ, OpenSSL's.
func SuiteNames() []string { return vocabulary.SuiteNames() }

// parseSuites returns the suites of that name; all stands for those that config
// allows.
func parseSuites(names []string, config *tls.Config) ([]*suite.Suite, error) {
	var list []*suite.Suite
	for _, name := range names {
		if strings.EqualFold(name, "all") {
			list = append(list, allowedSuites(config)...)
			continue
		}
		s, err := vocabulary.Suite(name)
		if err != nil {
			return nil, of("suites", err)
		}
		list = append(list, s)
	}
	return list, nil
}

// allowedSuites are all whose switches are on, and whose keys we have.
func allowedSuites(config *tls.Config) []*suite.Suite {
	return slices.DeleteFunc(suite.All(), func(s *suite.Suite) bool {
		return len(vocabulary.Missing(&config.Legacy, s.Switches)) > 0 || s.KeyExchange.PSK() && config.PSK.Client == nil
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

func parseGroups(names []string) ([]tls.CurveID, error) {
	var ids []tls.CurveID
	for _, name := range names {
		id, err := vocabulary.Group(name)
		if err != nil {
			return nil, of("groups", err)
		}
		ids = append(ids, id)
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
