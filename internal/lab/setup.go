package lab

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Setup says what kind of connection to make. The zero value is a connection with the
// defaults of the library. What is dangerous need not be allowed: to name it is enough.
type Setup struct {
	// Min and Max are the versions of both sides, like "TLS 1.2"; empty for what the
	// rest asks for, and where it asks for nothing TLS 1.2 to 1.3.
	Min string `json:"min,omitempty"`
	Max string `json:"max,omitempty"`
	// Suites and Groups are names, best first; empty for the defaults.
	Suites []string `json:"suites,omitempty"`
	Groups []string `json:"groups,omitempty"`
	// Key is the kind of the server's key: "ecdsa", "rsa" or "dsa"; empty for what the
	// suites need.
	Key string `json:"key,omitempty"`
	// Authority is who made the server's certificate: empty for the one that the client
	// trusts, "stranger" for the server's owner alone.
	Authority string `json:"authority,omitempty"`
	// ClientCertificate: empty for none, "asked" where the client has none to show,
	// "shown", or "later" for one that is shown after the handshake.
	ClientCertificate string `json:"client_certificate,omitempty"`
	// Resume makes a connection before this one, and resumes it: "id", "ticket" or "psk".
	Resume string `json:"resume,omitempty"`
	// Renegotiate is the side that begins a handshake inside the connection; "allowed" for
	// none where a client might.
	Renegotiate string `json:"renegotiate,omitempty"`
	PSK         bool   `json:"psk,omitempty"`
	Compression bool   `json:"compression,omitempty"`
	// Retry has the server ask for another group first, in TLS 1.3.
	Retry bool `json:"retry,omitempty"`
	// Client and Server are settings of one side, which come before those of both.
	Client Settings `json:"client,omitzero"`
	Server Settings `json:"server,omitzero"`
	// Request and Answer are what the client says and what the server says to that;
	// empty for something.
	Request string `json:"request,omitempty"`
	Answer  string `json:"answer,omitempty"`
}

// Settings are those of one side.
type Settings struct {
	Min    string   `json:"min,omitempty"`
	Max    string   `json:"max,omitempty"`
	Suites []string `json:"suites,omitempty"`
	Groups []string `json:"groups,omitempty"`
	// Legacy are switches of tls.Legacy by their names.
	Legacy []string `json:"legacy,omitempty"`
	// Insecure has a client take any certificate.
	Insecure bool `json:"insecure,omitempty"`
	// DHBits is the size of a server's group for DHE, and the least that a client takes:
	// 1024, 2048, or 0 for the default.
	DHBits int `json:"dh_bits,omitempty"`
	// Fragment is the most that a record holds, in bytes; 0 for the most there is.
	Fragment int `json:"fragment,omitempty"`
}

// What a Setup may ask for.
const (
	maxNames = 64
	maxData  = 1 << 16
)

// Versions are all, oldest first.
var Versions = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

// version reads a name as people write it: TLS 1.2, tls1.2, TLSv1.2.
func version(name string) (wire.Version, error) {
	given := plain(strings.ReplaceAll(strings.ToLower(name), "v", ""))
	for _, v := range Versions {
		if given == plain(v.String()) {
			return v, nil
		}
	}
	return 0, fmt.Errorf("%q is not a version; choose from SSL 3.0, TLS 1.0, TLS 1.1, TLS 1.2 and TLS 1.3", name)
}

// plain is what is left when people write a name in their own way.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" ._-", c) {
			return -1
		}
		return c
	}, strings.ToLower(s))
}

func suites(names []string) (rows []*suite.Suite, err error) {
	for _, name := range names {
		s := suite.ByName(name)
		if s == nil {
			return nil, fmt.Errorf("%q is not a cipher suite that vitrine has", name)
		}
		rows = append(rows, s)
	}
	return rows, nil
}

// Groups are those that can be named, best first.
var Groups = []wire.NamedGroup{
	wire.GroupX25519MLKEM768, wire.GroupSecP256r1MLKEM768, wire.GroupSecP384r1MLKEM1024, wire.GroupMLKEM1024,
	wire.GroupX25519, wire.GroupP256, wire.GroupP384, wire.GroupP521, wire.GroupX448,
	wire.GroupFFDHE2048, wire.GroupFFDHE3072, wire.GroupFFDHE4096, wire.GroupFFDHE6144, wire.GroupFFDHE8192,
}

// aliases are NIST's names of curves.
var aliases = map[string]string{"p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1"}

func groups(names []string) (ids []wire.NamedGroup, err error) {
	for _, name := range names {
		i := slices.IndexFunc(Groups, func(g wire.NamedGroup) bool { return plain(g.String()) == cmp.Or(aliases[plain(name)], plain(name)) })
		if i < 0 {
			return nil, fmt.Errorf("%q is not a group that vitrine has", name)
		}
		ids = append(ids, Groups[i])
	}
	return ids, nil
}

// Keys are the kinds of keys that a server can have.
var Keys = map[string]devca.KeyType{"ecdsa": devca.ECDSA, "rsa": devca.RSA, "dsa": devca.DSA}

// choices are the fields that are one of a few words.
func (s *Setup) choices() error {
	for _, f := range []struct {
		name, value string
		words       []string
	}{
		{"key", s.Key, []string{"", "ecdsa", "rsa", "dsa"}},
		{"authority", s.Authority, []string{"", stranger}},
		{"client certificate", s.ClientCertificate, []string{"", "asked", "shown", "later"}},
		{"resumption", s.Resume, []string{"", "id", "ticket", "psk"}},
		{"renegotiation", s.Renegotiate, []string{"", "client", "server", "allowed"}},
	} {
		if !slices.Contains(f.words, f.value) {
			return fmt.Errorf("%q is not a choice for the %s; choose from %s, or leave it out", f.value, f.name, strings.Join(f.words[1:], ", "))
		}
	}
	for _, x := range []Settings{s.Client, s.Server} {
		switch {
		case x.DHBits != 0 && x.DHBits != 1024 && x.DHBits != 2048:
			return fmt.Errorf("%d is not a size for a DHE group here; choose 1024 or 2048", x.DHBits)
		case x.Fragment < 0 || x.Fragment > 1<<14:
			return fmt.Errorf("a record cannot hold %d bytes; choose from 1 to 16384, or 0 for the most there is", x.Fragment)
		case len(x.Suites) > maxNames || len(x.Groups) > maxNames || len(x.Legacy) > maxNames:
			return fmt.Errorf("that are too many names; %d are the most", maxNames)
		}
	}
	if len(s.Suites) > maxNames || len(s.Groups) > maxNames {
		return fmt.Errorf("that are too many names; %d are the most", maxNames)
	}
	if len(s.Request) > maxData || len(s.Answer) > maxData {
		return fmt.Errorf("that is too much to say; %d bytes are the most", maxData)
	}
	return nil
}

// A span are the versions in which something exists.
type span struct {
	by        string
	low, high wire.Version
}

// spans are those of what the setup asks for.
func (s *Setup) spans(rows []*suite.Suite) (all []span) {
	add := func(when bool, by string, low, high wire.Version) {
		if when {
			all = append(all, span{by, low, high})
		}
	}
	add(s.Resume == "id", "resumption by ID", wire.SSL30, wire.TLS12)
	add(s.Resume == "ticket", "resumption by ticket", wire.TLS10, wire.TLS12)
	add(s.Resume == "psk", "resumption by PSK", wire.TLS13, wire.TLS13)
	add(s.Renegotiate != "", "renegotiation", wire.SSL30, wire.TLS12)
	add(s.Compression, "compression", wire.TLS10, wire.TLS12)
	add(s.Retry, "a retry", wire.TLS13, wire.TLS13)
	add(s.PSK, "a pre-shared key", wire.TLS10, wire.TLS12)
	if len(rows) > 0 {
		low := slices.MinFunc(rows, func(a, b *suite.Suite) int { return cmp.Compare(a.Min, b.Min) }).Min
		high := slices.MaxFunc(rows, func(a, b *suite.Suite) int { return cmp.Compare(a.Max, b.Max) }).Max
		add(true, "the choice of suites", low, high)
	}
	return all
}

// bounds are the versions of a side.
func (s *Setup) bounds(x Settings, rows []*suite.Suite) (low, high wire.Version, err error) {
	low, high = wire.TLS12, wire.TLS13
	minName, maxName := cmp.Or(x.Min, s.Min), cmp.Or(x.Max, s.Max)
	if minName != "" {
		if low, err = version(minName); err != nil {
			return 0, 0, err
		}
	}
	if maxName != "" {
		if high, err = version(maxName); err != nil {
			return 0, 0, err
		}
	}
	if minName != "" && maxName != "" && low > high {
		return 0, 0, fmt.Errorf("%v is above %v; swap the lowest and the highest version", low, high)
	}
	for _, n := range s.spans(rows) {
		if maxName == "" {
			high = min(high, n.high)
		}
		if minName == "" {
			low = max(low, n.low)
		}
	}
	if low > high && minName == "" {
		low = high
	}
	for _, n := range s.spans(rows) {
		if n.high < low || n.low > high || low > high {
			return 0, 0, fmt.Errorf("no version is left: %s is for %v to %v", n.by, n.low, n.high)
		}
	}
	return low, high, nil
}
