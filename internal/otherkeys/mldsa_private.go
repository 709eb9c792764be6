package otherkeys

import (
	"crypto/subtle"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var mldsaSeedTag = casn1.Tag(0).ContextSpecific()

// parseMLDSAPrivate reads a private key in one of its three forms. RFC 9881 §6.
//
//	ML-DSA-PrivateKey ::= CHOICE {
//	  seed [0] OCTET STRING (SIZE (32)), expandedKey OCTET STRING,
//	  both SEQUENCE { seed OCTET STRING (SIZE (32)), expandedKey OCTET STRING } }
func parseMLDSAPrivate(set MLDSA, alg algorithm, in cryptobyte.String) (*MLDSAPrivateKey, error) {
	errForm := fmt.Errorf("not an %v key of a seed of 32 bytes, an expanded key, or both; openssl pkey writes it anew from a good copy", set)
	var seed, expanded, both cryptobyte.String
	ok := !alg.given
	switch {
	case in.PeekASN1Tag(mldsaSeedTag):
		ok = ok && in.ReadASN1(&seed, mldsaSeedTag)
	case in.PeekASN1Tag(casn1.OCTET_STRING):
		ok = ok && in.ReadASN1(&expanded, casn1.OCTET_STRING)
	default:
		ok = ok && in.ReadASN1(&both, casn1.SEQUENCE) && both.ReadASN1(&seed, casn1.OCTET_STRING) &&
			both.ReadASN1(&expanded, casn1.OCTET_STRING) && both.Empty()
	}
	if !ok || !in.Empty() || seed != nil && len(seed) != MLDSASeedSize || expanded != nil && len(expanded) != mldsaSets[set-1].do.PrivateKeySize() {
		return nil, errForm
	}
	if seed == nil {
		return expandedMLDSA(set, expanded)
	}
	key := NewMLDSAKey(set, seed)
	if expanded != nil {
		own, _ := key.key.MarshalBinary()
		if subtle.ConstantTimeCompare(own, expanded) == 0 {
			return nil, fmt.Errorf("the seed and the expanded form of the %v key are of two different keys: one of them is damaged or was replaced", set)
		}
	}
	return key, nil
}
