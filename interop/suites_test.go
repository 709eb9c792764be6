package interop

import (
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// versions are all that the matrix proves, oldest first.
var versions = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

var versionNames = map[wire.Version]string{
	wire.SSL30: "ssl3.0", wire.TLS10: "tls1.0", wire.TLS11: "tls1.1", wire.TLS12: "tls1.2", wire.TLS13: "tls1.3"}

// suitesOf are the implemented suites of a version, strongest first. The
// matrix has a row for each, so that none is without a proof.
func suitesOf(v wire.Version) (list []wire.CipherSuite) {
	for _, s := range suite.All() {
		if s.Allows(v) {
			list = append(list, s.ID)
		}
	}
	return list
}

// parts splits a suite's IANA name into key exchange, cipher and hash. The
// key exchange of a TLS 1.3 suite is "", and so is the hash of a CCM suite.
func parts(s wire.CipherSuite) (kx, cipher, hash string) {
	name := strings.TrimPrefix(s.String(), "TLS_")
	if k, rest, ok := strings.Cut(name, "_WITH_"); ok {
		kx, name = k, rest
	}
	i := strings.LastIndexByte(name, '_')
	if last := name[i+1:]; last == "MD5" || strings.HasPrefix(last, "SHA") {
		return kx, name[:i], last
	}
	return kx, name, ""
}

// kx is the key exchange of the cell's suite.
func (c cell) kx() wire.KeyExchange { return suite.ByID(c.Suite).KeyExchange }

func (c cell) cbc() bool { return strings.Contains(c.Suite.String(), "_CBC_") }

var ecGroups = []wire.NamedGroup{wire.GroupX25519, wire.GroupP256, wire.GroupP384, wire.GroupP521, wire.GroupX448}

var hybridGroups = []wire.NamedGroup{wire.GroupX25519MLKEM768, wire.GroupSecP256r1MLKEM768, wire.GroupSecP384r1MLKEM1024}

// dhGroups are RFC 7919's, with their size; the larger two take seconds.
var (
	dhGroups = []wire.NamedGroup{wire.GroupFFDHE2048, wire.GroupFFDHE3072, wire.GroupFFDHE4096}
	dhBits   = map[wire.NamedGroup]int{wire.GroupFFDHE2048: 2048, wire.GroupFFDHE3072: 3072, wire.GroupFFDHE4096: 4096,
		wire.GroupFFDHE6144: 6144, wire.GroupFFDHE8192: 8192}
)

func isDH(g wire.NamedGroup) bool { return dhBits[g] != 0 }
