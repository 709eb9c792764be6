package interop

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// cell is one combination that a connection is made with. The zero value of a
// field leaves the feature out.
type cell struct {
	Version wire.Version
	Suite   wire.CipherSuite
	Group   wire.NamedGroup // 0 for static RSA
	Key     keyType         // the server's

	Auth      string  // client certificate: "", "request", "require"
	ClientKey keyType // what the client answers with; "" is an empty certificate list

	Resume    string // the second connection resumes: "id", "ticket", "psk"
	Retry     bool   // the server must ask for another group's share
	Cookie    bool   // we put a cookie into that
	KeyUpdate string // asked for by "ours" or "theirs"
	ALPN      bool
	NoEtM     bool // we leave encrypt-then-MAC out
	NoEMS     bool // we leave extended master secret out
	GREASE    bool // our client sends reserved values
	Padding   bool // we pad records
}

// alpn is the protocol of cells with ALPN: the only one that all peers know.
const alpn = "http/1.1"

// keyType is a certificate's key, and for RSA which padding may be used with it.
type keyType string

const (
	keyRSA     keyType = "rsa"
	keyPKCS1   keyType = "rsa-pkcs1"
	keyPSS     keyType = "rsa-pss"
	keyP256    keyType = "p256"
	keyP384    keyType = "p384"
	keyP521    keyType = "p521"
	keyEd25519 keyType = "ed25519"
)

var keyTypes = []keyType{keyRSA, keyPKCS1, keyPSS, keyP256, keyP384, keyP521, keyEd25519}

func (k keyType) isRSA() bool { return strings.HasPrefix(string(k), "rsa") }

// curve returns the group that a TLS 1.2 peer must list to accept the key. RFC 8422 §5.1.
func (k keyType) curve() wire.NamedGroup {
	return map[keyType]wire.NamedGroup{keyP256: wire.GroupP256, keyP384: wire.GroupP384, keyP521: wire.GroupP521}[k]
}

var suites12 = []wire.CipherSuite{
	wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	wire.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
	wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
	wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
	wire.TLS_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_RSA_WITH_AES_256_GCM_SHA384,
	wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_RSA_WITH_AES_256_CBC_SHA,
	wire.TLS_RSA_WITH_AES_128_CBC_SHA256, wire.TLS_RSA_WITH_AES_256_CBC_SHA256,
}

var suites13 = []wire.CipherSuite{
	wire.TLS_AES_128_GCM_SHA256, wire.TLS_AES_256_GCM_SHA384, wire.TLS_CHACHA20_POLY1305_SHA256,
}

var groups12 = []wire.NamedGroup{wire.GroupX25519, wire.GroupP256, wire.GroupP384, wire.GroupP521}

var groups13 = append(slices.Clone(groups12),
	wire.GroupX25519MLKEM768, wire.GroupSecP256r1MLKEM768, wire.GroupSecP384r1MLKEM1024)

// parts splits a suite's IANA name into key exchange, cipher and hash; the
// key exchange of a TLS 1.3 suite is "".
func parts(s wire.CipherSuite) (kx, cipher, hash string) {
	name := strings.TrimPrefix(s.String(), "TLS_")
	if k, rest, ok := strings.Cut(name, "_WITH_"); ok {
		kx, name = k, rest
	}
	i := strings.LastIndexByte(name, '_')
	return kx, name[:i], name[i+1:]
}

func (c cell) cbc() bool { return strings.Contains(c.Suite.String(), "_CBC_") }

// connections is how many connections the cell needs.
func (c cell) connections() int {
	if c.Resume != "" {
		return 2
	}
	return 1
}

// rounds is how often data passes on a connection: around a KeyUpdate too, for
// a peer answers one before it sends next.
func (c cell) rounds() int {
	if c.KeyUpdate != "" {
		return 2
	}
	return 1
}

// groups are what both sides list. In TLS 1.2 they restrict the certificates
// too, so that either may be picked there.
func (c cell) groups() []wire.NamedGroup {
	var list []wire.NamedGroup
	add := func(g wire.NamedGroup) {
		if g != 0 && !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	add(c.Group)
	if c.Version == wire.TLS12 {
		add(c.Key.curve())
		add(c.ClientKey.curve())
	}
	if len(list) == 0 {
		return groups12
	}
	return list
}

// clientGroups are what the client lists: to be asked to retry, it lists first
// a group that the server has not.
func (c cell) clientGroups() []wire.NamedGroup {
	if c.Retry {
		return append([]wire.NamedGroup{wire.GroupX25519}, c.groups()...)
	}
	return c.groups()
}

// features names everything that a peer must be able to do, and the pairs that
// some can do apart only, for what a peer lacks.
func (c cell) features() []string {
	list := []string{versionName(c.Version), c.Suite.String(), "key:" + string(c.Key)}
	if c.Group != 0 {
		list = append(list, c.Group.String())
	}
	if c.Retry {
		list = append(list, "retry:"+c.Group.String())
	}
	if c.Resume != "" {
		list = append(list, "resume:"+c.Suite.String())
	}
	return append(list, c.extras()...)
}

// extras are the features beyond version, suite, group and key.
func (c cell) extras() []string {
	var list []string
	add := func(on bool, name string) {
		if on {
			list = append(list, name)
		}
	}
	add(c.Auth != "" && c.ClientKey == "", c.Auth+":nothing")
	add(c.Auth != "" && c.ClientKey != "", c.Auth+":"+string(c.ClientKey))
	add(c.Resume != "", "resume:"+c.Resume)
	add(c.Retry, "retry")
	add(c.Cookie, "cookie")
	add(c.KeyUpdate != "", "keyupdate:"+c.KeyUpdate)
	add(c.ALPN, "alpn")
	add(c.NoEtM, "no-etm")
	add(c.NoEMS, "no-ems")
	add(c.GREASE, "grease")
	add(c.Padding, "padding")
	return list
}

// String is the cell's name in the table and in -run: no spaces, no slashes.
func (c cell) String() string {
	name := versionName(c.Version) + "," + strings.TrimPrefix(c.Suite.String(), "TLS_")
	if c.Group != 0 {
		name += "," + c.Group.String()
	}
	return strings.Join(append([]string{name + "," + string(c.Key)}, c.extras()...), ",")
}

func versionName(v wire.Version) string {
	return map[wire.Version]string{wire.TLS12: "tls1.2", wire.TLS13: "tls1.3"}[v]
}

// valid reports whether the protocol itself allows the combination.
func (c cell) valid() bool {
	is13 := c.Version == wire.TLS13
	switch {
	case is13 && (c.Key == keyPKCS1 || c.ClientKey == keyPKCS1 || c.NoEMS || c.Resume == "id" || c.Resume == "ticket"),
		!is13 && (c.Retry || c.Padding || c.KeyUpdate != "" || c.Resume == "psk"),
		!is13 && slices.Index(groups13, c.Group) >= len(groups12),
		c.Retry && c.Group == wire.GroupX25519,
		c.Cookie && !c.Retry,
		c.Auth == "" && c.ClientKey != "",
		c.Auth == "require" && c.ClientKey == "":
		return false
	}
	kx, _, _ := parts(c.Suite)
	switch {
	case is13 != (kx == ""),
		kx == "RSA" && (c.Key != keyRSA || c.Group != 0),
		kx != "RSA" && c.Group == 0,
		kx == "ECDHE_RSA" && !c.Key.isRSA(),
		kx == "ECDHE_ECDSA" && c.Key.isRSA(),
		c.NoEtM && !c.cbc():
		return false
	}
	return true
}

// facts is what one side of one connection saw, by name. A name that a peer
// does not print is missing from its map.
type facts map[string]string

// want is what both sides must have seen on connection n (0 or 1); a value may
// list alternatives, separated by "|".
func (c cell) want(n int, p *peer) facts {
	kx, _, _ := parts(c.Suite)
	resumed := c.Resume != "" && n == 1
	f := facts{
		"version": c.Version.String(), "suite": c.Suite.String(), "sni": serverName,
		"reused": yes(resumed), "resumption": "none", "retry": yes(c.Retry), "alpn": "",
		"client certificate": yes(c.ClientKey != ""),
	}
	if resumed {
		f["resumption"] = c.Resume
	}
	if c.ALPN {
		f["alpn"] = alpn
	}
	if kx != "RSA" && (!resumed || c.Version == wire.TLS13) {
		var names []string
		for _, g := range c.groups() {
			names = append(names, g.String())
		}
		f["group"] = strings.Join(names, "|")
	}
	if kx != "RSA" && !resumed {
		f["signature"] = c.Key.signature()
	}
	if c.Version == wire.TLS12 {
		f["ems"] = yes(!c.NoEMS)
		f["etm"] = yes(c.cbc() && !c.NoEtM && !p.noEtM)
	}
	return f
}

// signature is the family of schemes that the key signs with.
func (k keyType) signature() string {
	switch k {
	case keyRSA:
		return "rsa_pkcs1|rsa_pss_rsae"
	case keyPKCS1:
		return "rsa_pkcs1"
	case keyPSS:
		return "rsa_pss_rsae"
	case keyEd25519:
		return "ed25519"
	}
	return "ecdsa"
}

// compare returns what got differs in from want. With all set nothing that is
// wanted may be missing.
func compare(side string, n int, want, got facts, all bool) error {
	var wrong []string
	for name, w := range want {
		g, ok := got[name]
		if (ok || all) && !slices.Contains(strings.Split(w, "|"), g) {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", name, g, w))
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("connection %d seen by %s: %s", n+1, side, strings.Join(wrong, "; "))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
