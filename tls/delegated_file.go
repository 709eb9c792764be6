package tls

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// pemDelegated is the block of a file with a delegated credential. Its key stands before
// it, as a PRIVATE KEY.
const pemDelegated = "DELEGATED CREDENTIAL"

// MarshalDelegatedCredential writes a credential as PEM: its PRIVATE KEY and, after it, the
// DELEGATED CREDENTIAL with the bytes of the extension. No RFC has a format for files.
func MarshalDelegatedCredential(d *DelegatedCredential) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(d.own.PrivateKey)
	if err != nil {
		return nil, misuse("the key of the delegated credential has no form in PKCS #8: %v", err)
	}
	b := pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der})
	return append(b, pem.EncodeToMemory(&pem.Block{Type: pemDelegated, Bytes: d.own.Raw})...), nil
}

// ParseDelegatedCredential reads what [MarshalDelegatedCredential] has written, and checks
// it as [NewDelegatedCredential] does. The file may have other blocks, which are passed
// over, and one credential. Whether it has expired is not looked at.
func ParseDelegatedCredential(cert *Certificate, text []byte) (*DelegatedCredential, error) {
	var key crypto.Signer
	var raw []byte
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case pemPrivateKey:
			read, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the PRIVATE KEY cannot be read: %w", err)
			}
			signer, ok := read.(crypto.Signer)
			if !ok {
				return nil, fmt.Errorf("the PRIVATE KEY, a %T, cannot sign", read)
			}
			if key == nil {
				key = signer
			}
		case pemDelegated:
			if raw != nil {
				return nil, errors.New("there are two DELEGATED CREDENTIALs in the file; give each a file of its own")
			}
			raw = block.Bytes
		}
	}
	switch {
	case raw == nil:
		return nil, errors.New("there is no DELEGATED CREDENTIAL in the file; `vitrine cert delegate` makes one")
	case key == nil:
		return nil, errors.New("there is no PRIVATE KEY in the file beside the DELEGATED CREDENTIAL")
	}
	return NewDelegatedCredential(cert, raw, key)
}
