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
	Group   wire.NamedGroup // of the key exchange; 0 where it has none
	DH      int             // in its place, the size of the server's own Diffie-Hellman parameters
	Key     keyType         // the server's; "" where it has no certificate
	Hint    bool            // the server sends an identity hint for the pre-shared key

	Auth      string  // client certificate: "", "request", "require", or "later": in the middle of the connection
	ClientKey keyType // what the client answers with; "" is an empty certificate list

	Resume      string // the second connection resumes: "id", "ticket", "psk"
	Renegotiate string // begun by "ours" or "theirs"
	Unsafe      bool   // without RFC 5746
	Retry       bool   // the server must ask for another group's share
	Cookie      bool   // we put a cookie into that
	KeyUpdate   string // asked for by "ours" or "theirs"
	MaxFragment int    // max_fragment_length that the client asks for
	SizeLimit   int    // record_size_limit that each side states
	Compress    bool   // DEFLATE, which no peer has
	ALPN        bool
	NoEtM       bool // we leave encrypt-then-MAC out
	NoEMS       bool // we leave extended master secret out
	GREASE      bool // our client sends reserved values
	Padding     bool // we pad records
}

// alpn is the protocol of cells with ALPN: the only one that all peers know.
const alpn = "http/1.1"

// The pre-shared key of cells whose suite has one.
const (
	pskIdentity = "interop"
	pskKey      = "76697472696e6520696e7465726f7021" // in hexadecimal
	pskHint     = "hint of the server"
)

// keyType is a certificate's key, and for RSA which padding may be used with it.
type keyType string

const (
	keyRSA     keyType = "rsa"
	keyPKCS1   keyType = "rsa-pkcs1"
	keyPSS     keyType = "rsa-pss"
	keyRSA1024 keyType = "rsa1024"
	keyP256    keyType = "p256"
	keyP384    keyType = "p384"
	keyP521    keyType = "p521"
	keyEd25519 keyType = "ed25519"
	keyDSA     keyType = "dsa"
	keyPSSKey  keyType = "rsassa-pss" // whose certificate says that it is for nothing else
	keyEd448   keyType = "ed448"
)

var keyTypes = []keyType{keyRSA, keyPKCS1, keyPSS, keyRSA1024, keyP256, keyP384, keyP521, keyEd25519, keyDSA, keyPSSKey, keyEd448}

func (k keyType) isRSA() bool { return strings.HasPrefix(string(k), "rsa") }

// other reports a kind of key that crypto/x509 does not know, and that each side has to name.
func (k keyType) other() bool { return k == keyPSSKey || k == keyEd448 }

// curve returns the group that a peer must list to accept the key, before
// TLS 1.3. RFC 8422 §5.1.
func (k keyType) curve() wire.NamedGroup {
	return map[keyType]wire.NamedGroup{keyP256: wire.GroupP256, keyP384: wire.GroupP384, keyP521: wire.GroupP521}[k]
}

// connections is how many connections the cell needs.
func (c cell) connections() int {
	if c.Resume != "" {
		return 2
	}
	return 1
}

// midway reports that something happens in the middle of the connection.
func (c cell) midway() bool { return c.KeyUpdate != "" || c.Renegotiate != "" || c.Auth == "later" }

// rounds is how often data passes on a connection: around what happens midway
// too, for a peer may do that when it sends next.
func (c cell) rounds() int {
	if c.midway() {
		return 2
	}
	return 1
}

// groups are what both sides list. Before TLS 1.3 they restrict the
// certificates too, so that either may be picked there.
func (c cell) groups() []wire.NamedGroup {
	var list []wire.NamedGroup
	add := func(g wire.NamedGroup) {
		if g != 0 && !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	add(c.Group)
	if c.Version != wire.TLS13 {
		add(c.Key.curve())
		add(c.ClientKey.curve())
	}
	if len(list) == 0 {
		return ecGroups
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

// dhSize is the size of the Diffie-Hellman group before TLS 1.3, or 0.
func (c cell) dhSize() int {
	if c.DH != 0 || c.Version == wire.TLS13 {
		return c.DH
	}
	return dhBits[c.Group]
}

// features names everything that a peer must be able to do, and the pairs that
// some can do apart only, for what a peer lacks.
func (c cell) features() []string {
	version := versionNames[c.Version]
	list := []string{version, c.Suite.String(), version + "+" + c.Suite.String(), "key:" + string(c.Key)}
	if c.Group != 0 {
		list = append(list, c.Group.String(), version+"+"+c.Group.String())
	}
	if c.Retry {
		list = append(list, "retry:"+c.Group.String())
	}
	if c.Resume != "" {
		list = append(list, "resume:"+c.Suite.String())
	}
	if c.Renegotiate != "" && c.Resume != "" {
		list = append(list, "renegotiate:"+c.Renegotiate+"+resume")
	}
	for _, x := range c.extras() {
		list = append(list, x, version+"+"+x)
	}
	return list
}

// extras are the features beyond version, suite, group and key.
func (c cell) extras() []string {
	var list []string
	add := func(on bool, name string) {
		if on {
			list = append(list, name)
		}
	}
	add(c.DH != 0, fmt.Sprintf("dh:%d", c.DH))
	add(c.Hint, "hint")
	add(c.Auth != "" && c.ClientKey == "", c.Auth+":nothing")
	add(c.Auth != "" && c.ClientKey != "", c.Auth+":"+string(c.ClientKey))
	add(c.Resume != "", "resume:"+c.Resume)
	add(c.Renegotiate != "", "renegotiate:"+c.Renegotiate)
	add(c.Unsafe, "unsafe")
	add(c.Retry, "retry")
	add(c.Cookie, "cookie")
	add(c.KeyUpdate != "", "keyupdate:"+c.KeyUpdate)
	add(c.MaxFragment != 0, fmt.Sprintf("max-fragment:%d", c.MaxFragment))
	add(c.SizeLimit != 0, fmt.Sprintf("size-limit:%d", c.SizeLimit))
	add(c.Compress, "compress")
	add(c.ALPN, "alpn")
	add(c.NoEtM, "no-etm")
	add(c.NoEMS, "no-ems")
	add(c.GREASE, "grease")
	add(c.Padding, "padding")
	return list
}

// String is the cell's name in the table and in -run: no spaces, no slashes.
func (c cell) String() string {
	list := []string{versionNames[c.Version], strings.TrimPrefix(c.Suite.String(), "TLS_")}
	if c.Group != 0 {
		list = append(list, c.Group.String())
	}
	if c.Key != "" {
		list = append(list, string(c.Key))
	}
	return strings.Join(append(list, c.extras()...), ",")
}
