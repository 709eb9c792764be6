package devca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// idNonce is id-pkix-ocsp-nonce. RFC 9654 §2.1.
var idNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}

// maxNonce is how long a nonce may be, with its own tag and length. RFC 9654 §2.1 has 128
// bytes.
const maxNonce = 131

func explicit(n uint8) casn1.Tag { return casn1.Tag(n).Constructed().ContextSpecific() }

// nonceOf returns the value of a request's nonce, as it stands there; nil for none, and for
// one that is longer than a nonce may be.
func nonceOf(request []byte) []byte {
	s := cryptobyte.String(request)
	var body, tbs, list cryptobyte.String
	var present bool
	if !s.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1(&tbs, casn1.SEQUENCE) || !tbs.SkipOptionalASN1(explicit(0)) ||
		!tbs.SkipOptionalASN1(explicit(1)) || !tbs.SkipASN1(casn1.SEQUENCE) || !tbs.ReadOptionalASN1(&list, &present, explicit(2)) ||
		!present || !list.ReadASN1(&list, casn1.SEQUENCE) {
		return nil
	}
	for !list.Empty() {
		var extension, value cryptobyte.String
		var id asn1.ObjectIdentifier
		if !list.ReadASN1(&extension, casn1.SEQUENCE) || !extension.ReadASN1ObjectIdentifier(&id) ||
			!extension.SkipOptionalASN1(casn1.BOOLEAN) || !extension.ReadASN1(&value, casn1.OCTET_STRING) {
			return nil
		}
		if id.Equal(idNonce) && len(value) <= maxNonce {
			return value
		}
	}
	return nil
}

// withNonce puts a nonce into a response, and signs it anew with an ECDSA key.
func withNonce(response, nonce []byte, key crypto.Signer) ([]byte, error) {
	s := cryptobyte.String(response)
	var all, outer, inner, basic, content, tbs, algorithm cryptobyte.String
	var kind asn1.ObjectIdentifier
	var certs cryptobyte.String
	if !s.ReadASN1(&all, casn1.SEQUENCE) || !all.SkipASN1(casn1.ENUM) || !all.ReadASN1(&outer, explicit(0)) || !outer.ReadASN1(&inner, casn1.SEQUENCE) ||
		!inner.ReadASN1ObjectIdentifier(&kind) || !inner.ReadASN1(&basic, casn1.OCTET_STRING) || !basic.ReadASN1(&content, casn1.SEQUENCE) ||
		!content.ReadASN1(&tbs, casn1.SEQUENCE) || !content.ReadASN1Element(&algorithm, casn1.SEQUENCE) || !content.SkipASN1(casn1.BIT_STRING) {
		return nil, errors.New("an OCSP response of our own cannot be read")
	}
	certs = content // what is left: the signer's certificate
	signed, err := sequence(func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(idNonce)
					b.AddASN1OctetString(nonce)
				})
			})
		})
	})
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(signed)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	body, err := sequence(func(b *cryptobyte.Builder) {
		b.AddBytes(signed)
		b.AddBytes(algorithm)
		b.AddASN1BitString(signature)
		b.AddBytes(certs)
	})
	if err != nil {
		return nil, err
	}
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0) // successful
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(kind)
				b.AddASN1OctetString(body)
			})
		})
	})
}

func sequence(content cryptobyte.BuilderContinuation) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, content)
	return b.Bytes()
}
