package certs

import "crypto"

// samePublic reports that private is the key of public.
func samePublic(private, public any) bool {
	signer, ok := private.(crypto.Signer)
	if !ok {
		return false
	}
	own, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && own.Equal(public)
}
