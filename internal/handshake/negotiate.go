package handshake

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// The functions of this file are pure: they look at two offers and pick.

// offeredVersions is what a ClientHello stands for. Without supported_versions
// it is everything up to legacy_version. RFC 8446 §4.2.1.
func offeredVersions(legacy wire.Version, listed []wire.Version, dst []wire.Version) []wire.Version {
	if listed != nil {
		return listed
	}
	for v := min(legacy, wire.TLS12); v >= wire.SSL30; v-- {
		dst = append(dst, v)
	}
	return dst
}

// offers12 reports whether our ClientHello offers a version before TLS 1.3, and
// offers13 whether it offers that.
func (s *State) offers12() bool { return s.Config.Versions[len(s.Config.Versions)-1] < wire.TLS13 }
func (s *State) offers13() bool { return s.Config.Has13() }

// bareHello: what is for SSL 3.0 alone has no extensions.
func (s *State) bareHello() bool { return s.Config.newest() == wire.SSL30 }

// HelloVersion is what the record header of a ClientHello says: the oldest
// servers take TLS 1.0. RFC 8446 §5.1.
func (s *State) HelloVersion() wire.Version { return min(s.Config.newest(), wire.TLS10) }

// offersSchemes: a client that offers nothing from TLS 1.2 on must not name schemes.
// RFC 5246 §7.4.1.4.1.
func (s *State) offersSchemes() bool { return s.Config.newest() >= wire.TLS12 }

// isPSK reports whether a session is offered as a PSK of TLS 1.3, and not as a
// ticket or an ID.
func (c *ClientSession) isPSK() bool { return IsPSK(c.Session) }

// IsPSK reports whether a session of that version stands for a PSK of TLS 1.3.
func IsPSK(c *session.Session) bool { return c.Version >= wire.TLS13 }

// Only13 leaves nothing but TLS 1.3; false where it is not switched on.
func (c *Config) Only13() bool {
	if c.newest() < wire.TLS13 {
		return false
	}
	c.Versions = c.Versions[:1]
	return true
}

// Has13 reports whether TLS 1.3 is switched on.
func (c *Config) Has13() bool { return c.newest() >= wire.TLS13 }

// pickVersion is the newest of ours that the peer has too; 0 for none.
func pickVersion(ours, theirs []wire.Version) wire.Version {
	for _, v := range ours {
		if slices.Contains(theirs, v) {
			return v
		}
	}
	return 0
}

// checkLegacyVersion: a hello of our time does not say SSL 3.0 or less, whatever its
// supported_versions says. RFC 8446 §D.5.
func checkLegacyVersion(from wire.Role, legacy wire.Version) error {
	if legacy > wire.SSL30 {
		return nil
	}
	return fault(wire.AlertProtocolVersion, "the "+from.String()+"'s legacy_version is "+legacy.String()+", beside supported_versions", "RFC 8446 §D.5", nil)
}

// selectedVersion is the version that a server picked. RFC 8446 §4.1.3.
func selectedVersion(m *wire.ServerHello) (wire.Version, error) {
	v := m.LegacyVersion
	found, err := m.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { v = wire.U16[wire.Version](r, "selected_version") })
	if err != nil {
		return 0, syntax(err)
	}
	if found {
		if err := checkLegacyVersion(wire.Server, m.LegacyVersion); err != nil {
			return 0, err
		}
	}
	if found && v < wire.TLS13 {
		return 0, fault(wire.AlertIllegalParameter, "the server selected "+v.String()+" through supported_versions, which is for TLS 1.3", "RFC 8446 §4.2.1", nil)
	}
	if found && m.LegacyVersion != wire.TLS12 {
		return 0, fault(wire.AlertIllegalParameter, "the server's legacy_version is not TLS 1.2", "RFC 8446 §4.1.3", nil)
	}
	if !found && v > wire.TLS12 {
		return 0, fault(wire.AlertProtocolVersion, "the server selected a version above TLS 1.2 without supported_versions", "RFC 8446 §4.2.1", nil)
	}
	return v, nil
}

// downgraded checks the sentinel by which a server that could do better says
// so. RFC 8446 §4.1.3.
func downgraded(best, v wire.Version, random []byte) error {
	tail := string(random[24:])
	if best == wire.TLS13 && v <= wire.TLS12 && (tail == wire.DowngradeTLS12 || tail == wire.DowngradeTLS11) ||
		best == wire.TLS12 && v < wire.TLS12 && tail == wire.DowngradeTLS11 {
		return fault(wire.AlertIllegalParameter, "the server's random says that it could do better than "+v.String()+": someone in between has changed the hello", "RFC 8446 §4.1.3", nil)
	}
	return nil
}

// sentinel marks random where a server with best negotiates v only.
func sentinel(best, v wire.Version, random []byte) {
	switch {
	case best == wire.TLS13 && v == wire.TLS12:
		copy(random[24:], wire.DowngradeTLS12)
	case best >= wire.TLS12 && v < wire.TLS12:
		copy(random[24:], wire.DowngradeTLS11)
	}
}

// usable reports whether a suite exists in version v.
func usable(s *suite.Suite, v wire.Version) bool { return s.Min <= v && v <= s.Max }

// pickSuite is the first of ours that the client has, that exists in v, and
// that fits (which may be nil).
func pickSuite(ours []*suite.Suite, theirs []wire.CipherSuite, v wire.Version, fits func(*suite.Suite) bool) *suite.Suite {
	for _, s := range ours {
		if usable(s, v) && slices.Contains(theirs, s.ID) && (fits == nil || fits(s)) {
			return s
		}
	}
	return nil
}

// forClient is our order of suites for a client: one that lists ChaCha20 before
// AES has no AES instructions, so it gets what is fast for it.
func forClient(ours []*suite.Suite, theirs []wire.CipherSuite) []*suite.Suite {
	first := slices.IndexFunc(theirs, func(id wire.CipherSuite) bool { s := suite.ByID(id); return s != nil && slices.Contains(ours, s) })
	if first < 0 || !isChaCha(suite.ByID(theirs[first])) {
		return ours
	}
	sorted := slices.Clone(ours)
	slices.SortStableFunc(sorted, func(a, b *suite.Suite) int {
		switch {
		case isChaCha(a) == isChaCha(b):
			return 0
		case isChaCha(a):
			return -1
		}
		return 1
	})
	return sorted
}

func isChaCha(s *suite.Suite) bool { return s.Cipher.Name == "ChaCha20-Poly1305" }

// pickGroup is our best group that the peer has; among them one with a share
// is taken before a better one without, where both are post-quantum or neither is:
// a round trip buys nothing but post-quantum safety. ok is false for none.
func pickGroup(ours, theirs []wire.NamedGroup, shares []wire.KeyShareEntry) (g wire.NamedGroup, share []byte, ok bool) {
	best := wire.NamedGroup(0)
	for _, o := range ours {
		if !slices.Contains(theirs, o) {
			continue
		}
		if best == 0 {
			best = o
		}
		if postQuantum(o) != postQuantum(best) {
			continue
		}
		for i := range shares {
			if shares[i].Group == o {
				return o, shares[i].Share, true
			}
		}
	}
	return best, nil, best != 0
}

func postQuantum(id wire.NamedGroup) bool {
	g := kex.Lookup(id)
	return g != nil && g.PostQuantum
}

// inOrderOf sorts ours as the peer lists them.
func inOrderOf(theirs []wire.CipherSuite, ours []*suite.Suite) []*suite.Suite {
	sorted := make([]*suite.Suite, 0, len(ours))
	for _, id := range theirs {
		if s := suite.ByID(id); s != nil && slices.Contains(ours, s) && !slices.Contains(sorted, s) {
			sorted = append(sorted, s)
		}
	}
	return sorted
}

// dheGroups are our groups of RFC 7919 for DHE: where none is listed in our Config,
// all of up to 4096 bits.
func dheGroups(ours []wire.NamedGroup) []wire.NamedGroup {
	if !slices.ContainsFunc(ours, kex.IsFF) {
		return usualDHE
	}
	return slices.DeleteFunc(slices.Clone(ours), func(g wire.NamedGroup) bool { return !kex.IsFF(g) })
}

var usualDHE = []wire.NamedGroup{wire.GroupFFDHE2048, wire.GroupFFDHE3072, wire.GroupFFDHE4096}

// pickDHE is our best group of RFC 7919 that the client lists; 0 for none.
func pickDHE(ours, theirs []wire.NamedGroup) wire.NamedGroup {
	for _, g := range dheGroups(ours) {
		if slices.Contains(theirs, g) {
			return g
		}
	}
	return 0
}

// pickECDHE is the group of a TLS 1.2 key exchange: post-quantum ones are TLS 1.3's.
// A client that sends no list has left the choice to us. RFC 8422 §4.
func pickECDHE(ours, theirs []wire.NamedGroup) wire.NamedGroup {
	for _, g := range ours {
		if !postQuantum(g) && !kex.IsFF(g) && (len(theirs) == 0 || slices.Contains(theirs, g)) {
			return g
		}
	}
	return 0
}

// pickALPN is the first of ours that the peer has. none is set where the peer
// asked and nothing fits, which ends the handshake. RFC 7301 §3.2.
func pickALPN(ours []string, theirs [][]byte) (picked string, none bool) {
	if len(ours) == 0 || len(theirs) == 0 {
		return "", false
	}
	for _, o := range ours {
		for _, t := range theirs {
			if o == string(t) {
				return o, false
			}
		}
	}
	return "", true
}

// signer is a row of the table of signature schemes.
type signer struct {
	scheme wire.SignatureScheme
	kind   keyKind
	hash   crypto.Hash    // 0: the message itself is signed
	curve  elliptic.Curve // where TLS 1.3 fixes it
	in13   bool           // allowed for CertificateVerify of TLS 1.3
	minRSA int            // bytes that the padding needs
	set    otherkeys.MLDSA
}

type keyKind uint8

const (
	keyRSA    keyKind = iota + 1 // PKCS #1 v1.5
	keyRSAPSS                    // PSS with an rsaEncryption key
	keyECDSA
	keyEd25519
	keyDSA
	keyPSS // RSASSA-PSS with a key that is for nothing else
	keyEd448
	keyMLDSA
	keyRSAOld // PKCS #1 v1.5 in TLS 1.3, by clients
)

// signers holds every scheme we can sign and verify with. RFC 8446 §4.2.3,
// draft-ietf-tls-mldsa §3.
var signers = []signer{
	{scheme: wire.ECDSAP256SHA256, kind: keyECDSA, hash: crypto.SHA256, curve: elliptic.P256(), in13: true},
	{scheme: wire.ECDSAP384SHA384, kind: keyECDSA, hash: crypto.SHA384, curve: elliptic.P384(), in13: true},
	{scheme: wire.ECDSAP521SHA512, kind: keyECDSA, hash: crypto.SHA512, curve: elliptic.P521(), in13: true},
	{scheme: wire.Ed25519, kind: keyEd25519, in13: true},
	{scheme: wire.RSAPSSRSAESHA256, kind: keyRSAPSS, hash: crypto.SHA256, in13: true, minRSA: 32*2 + 2},
	{scheme: wire.RSAPSSRSAESHA384, kind: keyRSAPSS, hash: crypto.SHA384, in13: true, minRSA: 48*2 + 2},
	{scheme: wire.RSAPSSRSAESHA512, kind: keyRSAPSS, hash: crypto.SHA512, in13: true, minRSA: 64*2 + 2},
	{scheme: wire.RSAPSSPSSSHA256, kind: keyPSS, hash: crypto.SHA256, in13: true, minRSA: 32*2 + 2},
	{scheme: wire.RSAPSSPSSSHA384, kind: keyPSS, hash: crypto.SHA384, in13: true, minRSA: 48*2 + 2},
	{scheme: wire.RSAPSSPSSSHA512, kind: keyPSS, hash: crypto.SHA512, in13: true, minRSA: 64*2 + 2},
	{scheme: wire.Ed448, kind: keyEd448, in13: true},
	{scheme: wire.MLDSA44, kind: keyMLDSA, in13: true, set: otherkeys.MLDSA44},
	{scheme: wire.MLDSA65, kind: keyMLDSA, in13: true, set: otherkeys.MLDSA65},
	{scheme: wire.MLDSA87, kind: keyMLDSA, in13: true, set: otherkeys.MLDSA87},
	{scheme: wire.RSAPKCS1SHA256, kind: keyRSA, hash: crypto.SHA256, minRSA: 19 + 32 + 11},
	{scheme: wire.RSAPKCS1SHA384, kind: keyRSA, hash: crypto.SHA384, minRSA: 19 + 48 + 11},
	{scheme: wire.RSAPKCS1SHA512, kind: keyRSA, hash: crypto.SHA512, minRSA: 19 + 64 + 11},
	{scheme: wire.RSAPKCS1SHA256Legacy, kind: keyRSAOld, hash: crypto.SHA256, in13: true, minRSA: 19 + 32 + 11},
	{scheme: wire.RSAPKCS1SHA384Legacy, kind: keyRSAOld, hash: crypto.SHA384, in13: true, minRSA: 19 + 48 + 11},
	{scheme: wire.RSAPKCS1SHA512Legacy, kind: keyRSAOld, hash: crypto.SHA512, in13: true, minRSA: 19 + 64 + 11},
	{scheme: wire.ECDSASHA224, kind: keyECDSA, hash: crypto.SHA224},
	{scheme: wire.RSAPKCS1SHA224, kind: keyRSA, hash: crypto.SHA224, minRSA: 19 + 28 + 11},
	{scheme: wire.ECDSASHA1, kind: keyECDSA, hash: crypto.SHA1},
	{scheme: wire.RSAPKCS1SHA1, kind: keyRSA, hash: crypto.SHA1, minRSA: 15 + 20 + 11},
	{scheme: wire.RSAMD5SHA1, kind: keyRSA, hash: crypto.MD5SHA1, minRSA: 36 + 11},
	{scheme: wire.DSASHA256, kind: keyDSA, hash: crypto.SHA256},
	{scheme: wire.DSASHA1, kind: keyDSA, hash: crypto.SHA1},
}

func signerOf(scheme wire.SignatureScheme) *signer {
	for i := range signers {
		if signers[i].scheme == scheme {
			return &signers[i]
		}
	}
	return nil
}

// fits reports whether the scheme can be used with the key. curveBound is TLS 1.3's rule, and
// ML-DSA is for that version alone: draft-ietf-tls-mldsa §3.
func (g *signer) fits(pub crypto.PublicKey, curveBound bool) bool {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return (g.kind == keyRSA && !curveBound || g.kind == keyRSAPSS || g.kind == keyRSAOld && curveBound) && pub.Size() >= g.minRSA
	case *ecdsa.PublicKey:
		return g.kind == keyECDSA && (!curveBound || g.curve == pub.Curve)
	case ed25519.PublicKey:
		return g.kind == keyEd25519
	case *dsa.PublicKey:
		return g.kind == keyDSA && !curveBound
	case *otherkeys.PSSPublicKey:
		return g.kind == keyPSS && pub.Key.Size() >= g.minRSA && pub.Limits.Allow(g.hash, g.hash.Size())
	case otherkeys.Ed448PublicKey:
		return g.kind == keyEd448
	case otherkeys.MLDSAPublicKey:
		return g.kind == keyMLDSA && g.set == pub.Set && curveBound
	}
	return false
}

// before13 are those of schemes that versions before TLS 1.3 have too.
func before13(schemes []wire.SignatureScheme) []wire.SignatureScheme {
	late := func(scheme wire.SignatureScheme) bool {
		g := signerOf(scheme)
		return g != nil && (g.kind == keyMLDSA || g.kind == keyRSAOld)
	}
	if !slices.ContainsFunc(schemes, late) {
		return schemes
	}
	return slices.DeleteFunc(slices.Clone(schemes), late)
}

// ofClients reports that scheme is for the signatures of clients alone: PKCS #1 v1.5 in TLS
// 1.3, for keys that can do nothing newer. draft-ietf-tls-tls13-pkcs1 §2.
func ofClients(scheme wire.SignatureScheme) bool {
	g := signerOf(scheme)
	return g != nil && g.kind == keyRSAOld
}

// WithoutOfClients are those of schemes by which servers sign too.
func WithoutOfClients(schemes []wire.SignatureScheme) []wire.SignatureScheme {
	if !slices.ContainsFunc(schemes, ofClients) {
		return schemes
	}
	return slices.DeleteFunc(slices.Clone(schemes), ofClients)
}

// SchemesFor are those of schemes that exist where newest is the newest version.
func SchemesFor(newest wire.Version, schemes []wire.SignatureScheme) []wire.SignatureScheme {
	if newest < wire.TLS13 {
		return before13(schemes)
	}
	return schemes
}

// pickScheme is the first of the peer's schemes that our key, and anyone who
// restricts it, allows; one over SHA-1 only where there is no other, whatever the
// peer's order is. curveBound is TLS 1.3's rule. RFC 9155 §4.
func pickScheme(pub crypto.PublicKey, theirs []wire.SignatureScheme, allowed []stdtls.SignatureScheme, curveBound bool) (last wire.SignatureScheme) {
	for _, scheme := range theirs {
		g := signerOf(scheme)
		if g == nil || curveBound && !g.in13 || !g.fits(pub, curveBound) || allowed != nil && !slices.Contains(allowed, stdtls.SignatureScheme(scheme)) {
			continue
		}
		if g.kind == keyRSAOld && allowed == nil {
			continue // only a certificate that names it signs so
		}
		if g.hash != crypto.SHA1 {
			return scheme
		}
		if last == 0 {
			last = scheme
		}
	}
	return last
}

// verifiable are the schemes that we verify in the version agreed on.
func (s *State) verifiable() []wire.SignatureScheme {
	if s.profile.schemes != nil {
		return s.profile.schemes
	}
	if s.exported {
		return in13(s.Config.Schemes)
	}
	return s.Config.Schemes
}

// namedScheme is what the peer signed with: what its message says or, where it
// says nothing, what its key stands for.
func (s *State) namedScheme(said wire.SignatureScheme) wire.SignatureScheme {
	if s.profile.schemes == nil {
		return said
	}
	return pickScheme(s.Result.Peer.key(), s.profile.schemes, nil, false)
}

// certificateSignatures are the schemes that stand for the signature on a
// certificate. RFC 8446 §4.2.3.
var certificateSignatures = map[x509.SignatureAlgorithm][]wire.SignatureScheme{
	x509.SHA1WithRSA:      {wire.RSAPKCS1SHA1},
	x509.SHA256WithRSA:    {wire.RSAPKCS1SHA256},
	x509.SHA384WithRSA:    {wire.RSAPKCS1SHA384},
	x509.SHA512WithRSA:    {wire.RSAPKCS1SHA512},
	x509.SHA256WithRSAPSS: {wire.RSAPSSRSAESHA256, wire.RSAPSSPSSSHA256},
	x509.SHA384WithRSAPSS: {wire.RSAPSSRSAESHA384, wire.RSAPSSPSSSHA384},
	x509.SHA512WithRSAPSS: {wire.RSAPSSRSAESHA512, wire.RSAPSSPSSSHA512},
	x509.ECDSAWithSHA1:    {wire.ECDSASHA1},
	x509.ECDSAWithSHA256:  {wire.ECDSAP256SHA256},
	x509.ECDSAWithSHA384:  {wire.ECDSAP384SHA384},
	x509.ECDSAWithSHA512:  {wire.ECDSAP521SHA512},
	x509.PureEd25519:      {wire.Ed25519},
}

// signedWithAny reports whether the signature on a certificate is by one of
// the schemes.
func signedWithAny(c *x509.Certificate, schemes []wire.SignatureScheme) bool {
	if named := certcheck.NamedScheme(c); named != 0 {
		return slices.Contains(schemes, named)
	}
	return slices.ContainsFunc(certificateSignatures[c.SignatureAlgorithm], func(x wire.SignatureScheme) bool {
		return slices.Contains(schemes, x)
	})
}

// authOf is the kind of suite that a certificate key serves up to TLS 1.2: for ML-DSA there
// is none.
func authOf(pub crypto.PublicKey) suite.Auth {
	switch pub.(type) {
	case *rsa.PublicKey, *otherkeys.PSSPublicKey:
		return suite.AuthRSA
	case *dsa.PublicKey:
		return suite.AuthDSS
	case otherkeys.MLDSAPublicKey:
		return suite.AuthAny
	}
	return suite.AuthECDSA
}
