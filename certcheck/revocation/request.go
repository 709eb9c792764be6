package revocation

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var oidNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}

// newNonce is of the length that RFC 8954 §2.1 prefers.
func newNonce() []byte {
	n := make([]byte, 32)
	rand.Read(n)
	return n
}

// OCSPRequest returns a request about c in DER. Its CertID is of SHA-1, which every
// responder knows and which need not be strong here. A nonce of nil is left out.
// RFC 6960 §4.1, RFC 8954.
func OCSPRequest(c, issuer *x509.Certificate, nonce []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { addCertID(b, c, issuer) })
			})
			if nonce != nil {
				b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { addNonce(b, nonce) })
			}
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil // no certificate makes it so long
	}
	return der
}

func addCertID(b *cryptobyte.Builder, c, issuer *x509.Certificate) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26})
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest(crypto.SHA1, c.RawIssuer))
		b.AddASN1OctetString(digest(crypto.SHA1, keyBits(issuer)))
		b.AddASN1BigInt(c.SerialNumber)
	})
}

func addNonce(b *cryptobyte.Builder, nonce []byte) {
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidNonce)
			b.AddASN1(casn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
		})
	})
}
