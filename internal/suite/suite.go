// Package suite describes cipher suites as rows of independent parts: key
// exchange, authentication, cipher, MAC and the hash of the key schedule.
// Nothing elsewhere branches on a suite's number; code asks for its parts.
package suite

import (
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/vitrine-tls/vitrine/wire"
)

// Auth is the kind of certificate key with which the server of a suite signs
// or decrypts.
type Auth uint8

const (
	AuthAny   Auth = iota // TLS 1.3, where signature_algorithms alone decide
	AuthRSA               // an RSA key
	AuthECDSA             // an ECDSA key, or an Ed25519 or Ed448 key: RFC 8422 §5.10
	AuthDSS               // a DSA key
	AuthPSK               // none: the side that knows the pre-shared key is the peer
	AuthAnon              // none, and nobody is authenticated
)

func (a Auth) String() string {
	return [...]string{AuthAny: "any", AuthRSA: "RSA", AuthECDSA: "ECDSA", AuthDSS: "DSS", AuthPSK: "PSK", AuthAnon: "anonymous"}[a]
}

// Suite is one cipher suite. The values that ByID, ByName and All return are
// shared: compare them by pointer and never change them.
type Suite struct {
	ID wire.CipherSuite
	// Name is the IANA name. OpenSSLName is what "openssl ciphers" calls it, and
	// empty for the few that OpenSSL never had.
	Name, OpenSSLName string
	KeyExchange       wire.KeyExchange
	Auth              Auth
	Cipher            *Cipher
	// MAC is nil for an AEAD.
	MAC *MAC
	// Hash is that of the TLS 1.2 PRF, of HKDF in TLS 1.3, and of the transcript.
	// Versions before TLS 1.2 have a PRF of their own and ignore it.
	Hash *Hash
	// Min and Max are the versions that may negotiate the suite.
	Min, Max wire.Version
	// Switches name the fields of Config.Legacy that must all be set before the
	// suite is offered or accepted at all; empty where none is needed.
	Switches []string
	// Default is set where a Config that lists no suites has this one.
	Default bool
	// WhyNot says why the suite is not a default, as a clause for people.
	WhyNot string
}

// IsAEAD reports whether the cipher authenticates by itself.
func (s *Suite) IsAEAD() bool { return s.MAC == nil }

// ForwardSecret reports whether a stolen certificate key leaves recorded
// connections closed.
func (s *Suite) ForwardSecret() bool {
	return s.KeyExchange == wire.KeyExchangeNone || s.KeyExchange.Share() != wire.ShareNone
}

// Allows reports whether version v may negotiate the suite.
func (s *Suite) Allows(v wire.Version) bool { return s.Min <= v && v <= s.Max }

func (s *Suite) String() string { return s.Name }

// ByID returns the suite with the number id, or nil if it is not implemented.
func ByID(id wire.CipherSuite) *Suite { return byID[id] }

// ByName returns the suite with that IANA or OpenSSL name in any case, or nil.
func ByName(name string) *Suite { return byName[strings.ToLower(name)] }

// All returns every suite, strongest first: sound ciphers, then weak ones, then
// those that authenticate nobody, then NULL; in each of these forward secrecy
// before none, AEAD before CBC. Among equals the cheaper one on a CPU with AES
// instructions is first, because 128 bits are out of reach already; see
// HasAESHardware. The slice is the caller's.
func All() []*Suite {
	all := make([]*Suite, len(suites))
	for i := range suites {
		all[i] = &suites[i]
	}
	return all
}

// HasAESHardware reports whether this CPU runs AES-GCM in hardware. Where it
// does not, ChaCha20-Poly1305 is several times faster, and is safer too: AES
// by table look-up leaks through the cache.
func HasAESHardware() bool { return hasAES }

var hasAES = cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3 ||
	cpu.ARM64.HasAES && cpu.ARM64.HasPMULL ||
	cpu.S390X.HasAES && cpu.S390X.HasAESCBC && cpu.S390X.HasAESCTR && (cpu.S390X.HasGHASH || cpu.S390X.HasAESGCM)

var byID, byName = func() (map[wire.CipherSuite]*Suite, map[string]*Suite) {
	ids := make(map[wire.CipherSuite]*Suite, len(suites))
	names := make(map[string]*Suite, 2*len(suites))
	for _, s := range All() {
		ids[s.ID] = s
		names[strings.ToLower(s.Name)] = s
		names[strings.ToLower(s.OpenSSLName)] = s
	}
	delete(names, "")
	return ids, names
}()
