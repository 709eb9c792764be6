package tls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Delegation is for delegated credentials: keys that the owner of a certificate has signed
// for some days, so that a server needs not hold the certificate's own key. TLS 1.3,
// RFC 9345.
type Delegation struct {
	// Accept are the schemes that a client takes of such keys, of those in
	// SignatureSchemes; nil takes none. Schemes of RSA are for certificates alone.
	Accept []SignatureScheme
	// Get returns a server's credentials for the certificate that was picked, best first. The
	// first that the client takes and that has not expired is used; where there is none,
	// the certificate's own key signs. It is asked in each handshake with a client that takes
	// some. See [Delegates].
	Get func(*Certificate) []*DelegatedCredential
}

// DelegatedCredential is a credential with its key, checked against its certificate.
type DelegatedCredential struct {
	own  handshake.Delegated
	leaf []byte
}

// MaxDelegation is how long a delegated credential may be valid at most. RFC 9345 §4.1.3.
const MaxDelegation = handshake.MaxDelegation

// Expiry is the moment from which clients refuse the credential.
func (d *DelegatedCredential) Expiry() time.Time { return d.own.Expiry }

// Scheme is what its key signs handshakes with.
func (d *DelegatedCredential) Scheme() SignatureScheme { return SignatureScheme(d.own.Scheme) }

// Raw is the credential as it stands in its extension, without the key; a copy.
func (d *DelegatedCredential) Raw() []byte { return bytes.Clone(d.own.Raw) }

// NewDelegatedCredential takes a credential as its extension has it, with the key that is in
// it, for the certificate cert, of which the private key is not needed. It errs where one of
// the three does not belong to the others, or where clients would refuse it at any time.
func NewDelegatedCredential(cert *Certificate, raw []byte, key crypto.Signer) (*DelegatedCredential, error) {
	leaf, err := leafOf(cert)
	switch {
	case err != nil:
		return nil, err
	case key == nil:
		return nil, misuse("a delegated credential needs its private key; nil was given")
	}
	var inside wire.DelegatedCredential
	r := wire.NewReader(raw, nil)
	inside.Read(&r)
	if public, err := handshake.ParseRawKey(inside.PublicKey); err == nil {
		if same, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !same.Equal(public.Public) {
			return nil, misuse("the private key is not that of the delegated credential")
		}
	}
	d, _, err := handshake.ParseDelegated(bytes.Clone(raw), leaf)
	if err != nil {
		return nil, err
	}
	own := handshake.Delegated{Raw: bytes.Clone(raw), DelegatedCredential: *d, PrivateKey: key, Expiry: handshake.DelegatedUntil(d, leaf)}
	return &DelegatedCredential{own, leaf.Raw}, nil
}

// Delegate signs a credential for key with the key of cert, which must be a certificate that
// may delegate: with the extension DelegationUsage and the key usage digitalSignature. It is
// valid from now on for at most [MaxDelegation]. RFC 9345 §4.
func Delegate(cert *Certificate, key crypto.Signer, now time.Time, validFor time.Duration) (*DelegatedCredential, error) {
	leaf, err := leafOf(cert)
	switch {
	case err != nil:
		return nil, err
	case key == nil:
		return nil, misuse("a key is needed to delegate to; nil was given")
	case validFor <= 0 || validFor > MaxDelegation:
		return nil, misuse("a delegated credential cannot be valid for %v; more than nothing, and at most %v, is possible", validFor, MaxDelegation)
	case !handshake.MayDelegate(leaf):
		return nil, misuse("the certificate may not delegate: have it issued with the extension DelegationUsage (1.3.6.1.4.1.44363.44) and the key usage digitalSignature")
	}
	scheme, err := delegateScheme(key.Public())
	if err != nil {
		return nil, err
	}
	until := now.Add(validFor).Sub(leaf.NotBefore) / time.Second
	if until <= 0 || until > 1<<32-1 || now.Add(validFor).After(leaf.NotAfter) {
		return nil, misuse("the certificate is not valid as long as the delegated credential is to be: from %s until %s", leaf.NotBefore.UTC().Format(time.RFC3339), leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	info, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	d := wire.DelegatedCredential{ValidTime: uint32(until), Scheme: scheme, PublicKey: info}
	if d.Algorithm, d.Signature, err = handshake.SignDelegated(cert, &d, leaf.Raw); err != nil {
		return nil, err
	}
	return NewDelegatedCredential(cert, d.Append(nil), key)
}

// delegateScheme is what a key of a delegated credential signs with.
func delegateScheme(public crypto.PublicKey) (wire.SignatureScheme, error) {
	switch key := public.(type) {
	case ed25519.PublicKey:
		return wire.Ed25519, nil
	case *ecdsa.PublicKey:
		for curve, scheme := range map[elliptic.Curve]wire.SignatureScheme{
			elliptic.P256(): wire.ECDSAP256SHA256, elliptic.P384(): wire.ECDSAP384SHA384, elliptic.P521(): wire.ECDSAP521SHA512,
		} {
			if key.Curve == curve {
				return scheme, nil
			}
		}
	}
	return 0, misuse("a key of the type %T cannot be delegated to; ECDSA and Ed25519 are possible", public)
}

// Delegates is the server's credentials in use, which may be replaced at any time, and by
// many goroutines at once: its method For is for Delegation.Get. The zero value has none.
type Delegates struct {
	current atomic.Pointer[[]*DelegatedCredential]
}

// Set replaces all credentials.
func (d *Delegates) Set(all ...*DelegatedCredential) {
	all = slices.Clone(all)
	d.current.Store(&all)
}

// For returns the credentials for cert, those first that are valid longest.
func (d *Delegates) For(cert *Certificate) (list []*DelegatedCredential) {
	all := d.current.Load()
	if all == nil || len(cert.Certificate) == 0 {
		return nil
	}
	for _, one := range *all {
		if one != nil && bytes.Equal(one.leaf, cert.Certificate[0]) {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b *DelegatedCredential) int { return b.own.Expiry.Compare(a.own.Expiry) })
	return list
}

// NewDelegate makes a key and delegates to it; see [Delegate].
func NewDelegate(cert *Certificate, now time.Time, validFor time.Duration) (*DelegatedCredential, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return Delegate(cert, key, now, validFor)
}

// PrivateKey is the credential's key.
func (d *DelegatedCredential) PrivateKey() crypto.Signer { return d.own.PrivateKey }

// Delegated asks Delegation.Get. What is for another certificate does not count.
func (h *host) Delegated(cert *Certificate) (list []*handshake.Delegated) {
	for _, d := range h.config.Delegation.Get(cert) {
		if d != nil && bytes.Equal(d.leaf, cert.Certificate[0]) {
			list = append(list, &d.own)
		}
	}
	return list
}

// resolveDelegation: a client takes schemes that it verifies, and that no RSA key signs with
// that a certificate may have: RFC 9345 §4.1.3 leaves those out.
func (c *Config) resolveDelegation(h *handshake.Config) error {
	h.Delegates = c.Delegation.Get != nil
	for _, id := range c.Delegation.Accept {
		scheme := wire.SignatureScheme(id)
		if !slices.Contains(h.Schemes, scheme) || !handshake.Delegable(scheme) {
			return misuse("Delegation.Accept lists %v, which is not among SignatureSchemes or is not for delegated credentials", scheme)
		}
		h.DelegatedSchemes = append(h.DelegatedSchemes, scheme)
	}
	return nil
}

// delegationGood reports whether the credential that came with a session's chain would be
// taken now.
func (h *host) delegationGood(one *session.Session, leaf *x509.Certificate) bool {
	if len(one.Delegated) == 0 {
		return true
	}
	d, _, err := handshake.ParseDelegated(one.Delegated, leaf)
	return err == nil && slices.Contains(h.config.Delegation.Accept, SignatureScheme(d.Scheme)) && h.config.now().Before(handshake.DelegatedUntil(d, leaf))
}

// String names the credential for people.
func (d *DelegatedCredential) String() string {
	return fmt.Sprintf("delegated credential for %v, valid until %s", d.own.Scheme, d.own.Expiry.UTC().Format(time.RFC3339))
}
