package otherkeys

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
)

// PSSLimits are what the parameters of an RSASSA-PSS key allow it to sign with. The zero
// value allows everything. RFC 4055 §3.1.
type PSSLimits struct {
	// Hash is that of the message and of the mask; 0 for any.
	Hash crypto.Hash
	// MinSalt is the least length of the salt, in bytes.
	MinSalt int
}

// Allow reports whether a signature over hash with a salt of so many bytes may be made.
func (l PSSLimits) Allow(hash crypto.Hash, salt int) bool {
	return (l.Hash == 0 || l.Hash == hash) && salt >= l.MinSalt
}

// and is what both limits allow; ok is false where they demand different hashes.
func (l PSSLimits) and(m PSSLimits) (both PSSLimits, ok bool) {
	return PSSLimits{cmp.Or(l.Hash, m.Hash), max(l.MinSalt, m.MinSalt)}, l.Hash == 0 || m.Hash == 0 || l.Hash == m.Hash
}

// PSSPublicKey is an RSA key that is for RSASSA-PSS alone.
type PSSPublicKey struct {
	Key    *rsa.PublicKey
	Limits PSSLimits
}

// Equal reports whether x is the same key; its limits do not count.
func (k *PSSPublicKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(*PSSPublicKey)
	return ok && k.Key.Equal(other.Key)
}

// Verify checks a signature over a digest, whose salt is as long as that. RFC 8446 §4.2.3.
func (k *PSSPublicKey) Verify(hash crypto.Hash, digest, sig []byte) error {
	if !k.Limits.Allow(hash, hash.Size()) {
		return errLimits
	}
	return fastrsa.Verify(k.Key, digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash})
}

var errLimits = errors.New("the parameters of the RSASSA-PSS key do not allow this signature")

// SignsTLS reports whether key can make a signature of TLS: one of RSASSA-PSS must allow
// SHA-256, SHA-384 or SHA-512 with a salt as long as the hash. RFC 8446 §4.2.3.
func SignsTLS(key crypto.Signer) bool {
	pss, ok := key.(*pssPrivateKey)
	return !ok || slices.ContainsFunc([]crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512}, func(h crypto.Hash) bool {
		return pss.public.Limits.Allow(h, h.Size())
	})
}

// pssPrivateKey signs by RSASSA-PSS, and decrypts nothing.
type pssPrivateKey struct {
	key    *rsa.PrivateKey
	public PSSPublicKey
}

// Public returns a [*PSSPublicKey].
func (k *pssPrivateKey) Public() crypto.PublicKey { return &k.public }

// Sign wants *rsa.PSSOptions that the key's parameters allow, with the salt's length given
// or equal to the hash's.
func (k *pssPrivateKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	o, ok := opts.(*rsa.PSSOptions)
	if !ok {
		return nil, errors.New("an RSASSA-PSS key makes no other signatures")
	}
	salt := o.SaltLength
	if salt == rsa.PSSSaltLengthEqualsHash {
		salt = opts.HashFunc().Size()
	}
	if !k.public.Limits.Allow(opts.HashFunc(), salt) {
		return nil, errLimits
	}
	return fastrsa.Sign(k.key, random, digest, opts)
}

// pssHashes are those of RFC 4055 §2.1.
var pssHashes = []struct {
	id   asn1.ObjectIdentifier
	hash crypto.Hash
}{
	{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, crypto.SHA1},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}, crypto.SHA224},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, crypto.SHA512},
}

var oidMGF1 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}

var asn1NULL = []byte{5, 0}

// hash is what an AlgorithmIdentifier of a hash names.
func (a algorithm) hash() (crypto.Hash, error) {
	if a.given && !bytes.Equal(a.parameters, asn1NULL) {
		return 0, errors.New("a hash with parameters")
	}
	for _, h := range pssHashes {
		if h.id.Equal(a.id) {
			return h.hash, nil
		}
	}
	return 0, fmt.Errorf("the hash %v is not supported", a.id)
}

// maxSalt is far above what any hash makes of it.
const maxSalt = 1 << 12

// limits reads the parameters of an RSASSA-PSS key. None allow everything, and those that
// are left out are SHA-1's. A mask by another hash is refused: no signature of TLS or of
// a certificate that we verify has one. RFC 4055 §3.1, RFC 8446 §4.2.3.
//
//	RSASSA-PSS-params ::= SEQUENCE {
//	  hashAlgorithm [0] AlgorithmIdentifier DEFAULT sha1, maskGenAlgorithm [1] AlgorithmIdentifier DEFAULT mgf1SHA1,
//	  saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 }
func (a algorithm) limits() (PSSLimits, error) {
	if !a.given {
		return PSSLimits{}, nil
	}
	errSyntax := errors.New("the parameters of the RSASSA-PSS key cannot be read")
	var body cryptobyte.String
	if in := a.parameters; !in.ReadASN1(&body, casn1.SEQUENCE) {
		return PSSLimits{}, errSyntax
	}
	l, mask := PSSLimits{Hash: crypto.SHA1}, crypto.SHA1
	var trailer int
	if err := readHash(&body, 0, &l.Hash); err != nil {
		return l, err
	}
	if err := readMask(&body, 1, &mask); err != nil {
		return l, err
	}
	if !body.ReadOptionalASN1Integer(&l.MinSalt, explicit(2), 20) || !body.ReadOptionalASN1Integer(&trailer, explicit(3), 1) || !body.Empty() {
		return l, errSyntax
	}
	switch {
	case l.MinSalt < 0 || l.MinSalt > maxSalt:
		return l, fmt.Errorf("the RSASSA-PSS key wants a salt of %d bytes", l.MinSalt)
	case trailer != 1:
		return l, errors.New("the RSASSA-PSS key has an unknown trailerField")
	case mask != l.Hash:
		return l, errors.New("the RSASSA-PSS key wants a mask by another hash than the message's")
	}
	return l, nil
}

func explicit(tag uint8) casn1.Tag { return casn1.Tag(tag).ContextSpecific().Constructed() }

// readHash reads an optional AlgorithmIdentifier of a hash.
func readHash(in *cryptobyte.String, tag uint8, h *crypto.Hash) error {
	a, present, err := readOptional(in, tag)
	if err == nil && present {
		*h, err = a.hash()
	}
	return err
}

// readMask reads an optional AlgorithmIdentifier of MGF1 with its hash.
func readMask(in *cryptobyte.String, tag uint8, h *crypto.Hash) error {
	a, present, err := readOptional(in, tag)
	if err != nil || !present {
		return err
	}
	if !a.id.Equal(oidMGF1) {
		return errors.New("the RSASSA-PSS key wants a mask that is not MGF1")
	}
	inner, err := readAlgorithm(&a.parameters)
	if err == nil {
		*h, err = inner.hash()
	}
	return err
}

func readOptional(in *cryptobyte.String, tag uint8) (a algorithm, present bool, err error) {
	var body cryptobyte.String
	if !in.ReadOptionalASN1(&body, &present, explicit(tag)) {
		return a, false, errors.New("the parameters of the RSASSA-PSS key cannot be read")
	}
	if !present {
		return a, false, nil
	}
	if a, err = readAlgorithm(&body); err == nil && !body.Empty() {
		err = errors.New("the parameters of the RSASSA-PSS key cannot be read")
	}
	return a, true, err
}
