package certs

import (
	"crypto"
	"crypto/x509"
	"strings"
)

// samePublic reports that private is the key of public.
func samePublic(private, public any) bool {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return false
	}
	own, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}

// nameOf is how a certificate is called where its file is not at hand.
func nameOf(leaf *x509.Certificate) string {
	if len(leaf.DNSNames) > 0 {
		return strings.Join(leaf.DNSNames, ",")
	}
	return leaf.Subject.CommonName
}
