package handshake

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
	"github.com/vitrine-tls/vitrine/wire"
)

// A server may sign with a key that the owner of its certificate has delegated for some
// days, so that the certificate's own key need not be where the server is. TLS 1.3,
// RFC 9345.

// Delegated is a delegated credential of ours, with its key.
type Delegated struct {
	Raw []byte // a wire.DelegatedCredential
	wire.DelegatedCredential
	PrivateKey crypto.Signer
	Expiry     time.Time
}

// Delegation is a delegated credential that the peer has shown.
type Delegation struct {
	Raw    []byte
	Scheme wire.SignatureScheme // that its key signs with
	Public crypto.PublicKey
	Expiry time.Time
}

// MaxDelegation is how long a credential may still be valid. RFC 9345 §4.1.3.
const MaxDelegation = 7 * 24 * time.Hour

// delegationUsage is the extension of certificates whose keys may delegate. RFC 9345 §4.2.
var delegationUsage = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 44363, 44}

func offerDelegated(s *State, b []byte) ([]byte, bool) {
	if len(s.Config.DelegatedSchemes) == 0 || !s.offers13() {
		return b, false
	}
	return wire.AppendU16List(b, s.Config.DelegatedSchemes), true
}

func readDelegated(o *Offer, r *wire.Reader) {
	o.Delegated = wire.ReadSignatureAlgorithms(r, o.Delegated[:0])
}

// pickDelegated takes a credential for the certificate picked, where the client verifies
// both what its key signs with and what delegated it. RFC 9345 §4.1.1.
func (s *State) pickDelegated() bool {
	if !s.Config.Delegates || !s.asked(wire.ExtDelegatedCredential) || s.Result.ServerCertificate != wire.CertificateTypeX509 {
		return false
	}
	now, all := s.Config.Time(), s.Config.Delegated(s.certificate)
	i := slices.IndexFunc(all, func(d *Delegated) bool {
		return slices.Contains(s.Offer.Delegated, d.Scheme) && slices.Contains(s.Offer.Schemes, d.Algorithm) && now.Before(d.Expiry)
	})
	if i < 0 {
		return false
	}
	d := all[i]
	own := *s.certificate
	own.PrivateKey, own.SupportedSignatureAlgorithms = d.PrivateKey, nil
	s.certificate, s.delegated, s.scheme, s.Result.ServerScheme = &own, d.Raw, d.Scheme, d.Scheme
	s.choseDelegated(d)
	s.choseScheme(wire.Server, s.Offer.Delegated)
	return true
}

// delegate puts the credential beside our leaf.
func (s *State) delegate(entries []wire.CertificateEntry) {
	if s.isServer() && len(s.delegated) > 0 && len(entries) > 0 {
		entries[0].Extensions = append(entries[0].Extensions, wire.Extension{Type: wire.ExtDelegatedCredential, Data: s.delegated})
	}
}

// takeDelegated verifies the credential that came with the peer's leaf, if there is one.
// Those beside other certificates mean nothing. RFC 9345 §4.1.1.
func (s *State) takeDelegated(x wire.Extensions) error {
	raw, found := x.Find(wire.ExtDelegatedCredential)
	if !found {
		return nil
	}
	return s.verifyDelegated(bytes.Clone(raw))
}

// verifyDelegated holds the rules for a credential, against the leaf that was verified.
// RFC 9345 §4.1.3. raw is kept.
func (s *State) verifyDelegated(raw []byte) error {
	leaf := s.Result.Peer.Certificates[0]
	d, pub, err := ParseDelegated(raw, leaf)
	if err != nil {
		return err
	}
	expiry, now := DelegatedUntil(d, leaf), s.Config.Time()
	switch {
	case !slices.Contains(s.Config.DelegatedSchemes, d.Scheme):
		return badDelegation("its key signs with " + d.Scheme.String() + ", which was not offered for delegated credentials")
	case !slices.Contains(s.Config.Schemes, d.Algorithm):
		return badDelegation("it is signed with " + d.Algorithm.String() + ", which was not offered")
	case !now.Before(expiry):
		return badDelegation("it has expired at " + expiry.UTC().Format(time.RFC3339))
	case delegatedFor(d, leaf).Sub(now) > MaxDelegation:
		return badDelegation(fmt.Sprintf("it is valid until %s, more than seven days from now", delegatedFor(d, leaf).UTC().Format(time.RFC3339)))
	}
	s.Result.Peer.Delegated = &Delegation{raw, d.Scheme, pub, expiry}
	return nil
}

// DelegatedUntil is when a credential for leaf expires, at the latest with leaf itself.
func DelegatedUntil(d *wire.DelegatedCredential, leaf *x509.Certificate) time.Time {
	expiry := delegatedFor(d, leaf)
	if leaf.NotAfter.Before(expiry) {
		return leaf.NotAfter
	}
	return expiry
}

// delegatedFor is when a credential ends by its own word, which may be later than leaf does.
func delegatedFor(d *wire.DelegatedCredential, leaf *x509.Certificate) time.Time {
	return leaf.NotBefore.Add(time.Duration(d.ValidTime) * time.Second)
}

// ParseDelegated reads a credential for leaf and checks what does not depend on the moment
// or on what was offered: leaf's key may delegate and has signed it, and the key in it fits
// the scheme that it names.
func ParseDelegated(raw []byte, leaf *x509.Certificate) (*wire.DelegatedCredential, crypto.PublicKey, error) {
	d, r := new(wire.DelegatedCredential), wire.NewReader(raw, nil)
	d.Read(&r)
	if err := r.Finish("delegated_credential"); err != nil {
		return nil, nil, syntax(err)
	}
	if !MayDelegate(leaf) {
		return nil, nil, badDelegation("its certificate may not delegate: it lacks DelegationUsage, or the key usage digitalSignature")
	}
	key, err := ParseRawKey(d.PublicKey)
	if err != nil {
		return nil, nil, badDelegation("its public key cannot be read")
	}
	g, by := signerOf(d.Scheme), signerOf(d.Algorithm)
	if _, plain := key.Public.(*rsa.PublicKey); plain || g == nil || !g.in13 || !g.fits(key.Public, true) {
		return nil, nil, badDelegation("its key, " + keyName(key.Public) + ", may not sign with " + d.Scheme.String() + " for it")
	}
	owner := otherkeys.Of(leaf)
	if by == nil || !by.in13 || !by.fits(owner, true) {
		return nil, nil, badDelegation("the certificate's key, " + keyName(owner) + ", cannot have signed it with " + d.Algorithm.String())
	}
	if err := by.verify(owner, d.Signature, signed{message: d.AppendSigned(nil, wire.Server, leaf.Raw)}, nil); err != nil {
		return nil, nil, badDelegation("the certificate's key has not signed it")
	}
	return d, key.Public, nil
}

// MayDelegate reports whether leaf's key may sign delegated credentials. RFC 9345 §4.2.
func MayDelegate(leaf *x509.Certificate) bool {
	return leaf.KeyUsage&x509.KeyUsageDigitalSignature != 0 && slices.ContainsFunc(leaf.Extensions, func(x pkix.Extension) bool {
		return x.Id.Equal(delegationUsage)
	})
}

func badDelegation(why string) error {
	return &Error{Alert: wire.AlertIllegalParameter, Ref: "RFC 9345 §4.1.3", Rule: "the server's delegated credential is refused: " + why,
		Hint: "have the server renew it; what is valid for long or for many is not for delegation"}
}

// Delegable reports whether keys of credentials may sign with scheme: none by RSA keys
// that a certificate may have for other uses too. RFC 9345 §4.1.3.
func Delegable(scheme wire.SignatureScheme) bool {
	g := signerOf(scheme)
	return g != nil && g.in13 && g.kind != keyRSA && g.kind != keyRSAPSS
}

// SignDelegated signs d with the key of c, whose leaf is given in DER.
func SignDelegated(c *stdtls.Certificate, d *wire.DelegatedCredential, leaf []byte) (wire.SignatureScheme, []byte, error) {
	pub, err := publicKey(c)
	if err != nil {
		return 0, nil, err
	}
	scheme := pickScheme(pub, schemesFor(pub), c.SupportedSignatureAlgorithms, true)
	key, ok := c.PrivateKey.(crypto.Signer)
	if scheme == 0 || !ok {
		return 0, nil, fault(wire.AlertInternalError, "the certificate's private key cannot sign delegated credentials", "RFC 9345 §4", nil)
	}
	d.Algorithm = scheme
	g := signerOf(scheme)
	sig, err := fastrsa.Sign(key, rand.Reader, g.digest(signed{message: d.AppendSigned(nil, wire.Server, leaf)}, nil), g.opts())
	return scheme, sig, err
}
