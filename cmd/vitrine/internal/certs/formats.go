package certs

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/ocsp"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

func readCertificate(der, _ []byte) ([]Item, error) {
	c, err := x509.ParseCertificate(der)
	if err == nil {
		return []Item{{Kind: ACertificate, DER: der, Certificate: c}}, nil
	}
	if _, shown := readOutline(der); shown == nil {
		return []Item{{Kind: ACertificate, DER: der, Err: err}}, nil
	}
	return nil, err
}

func readRequest(der, _ []byte) ([]Item, error) {
	r, err := x509.ParseCertificateRequest(der)
	return []Item{{Kind: ARequest, DER: der, Request: r}}, err
}

func readCRL(der, _ []byte) ([]Item, error) {
	l, err := x509.ParseRevocationList(der)
	return []Item{{Kind: ACRL, DER: der, CRL: l}}, err
}

// readOCSP reads a response for one certificate; its signature is not verified.
func readOCSP(der, _ []byte) ([]Item, error) {
	r, err := ocsp.ParseResponse(der, nil)
	if refusal, ok := errors.AsType[ocsp.ResponseError](err); ok {
		err = fmt.Errorf("the responder refused to answer: %v", refusal.Status)
	}
	return []Item{{Kind: AnOCSP, DER: der, OCSP: r}}, err
}

func readPKCS8(der, _ []byte) ([]Item, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if other, otherErr := otherkeys.ParsePrivate(der); otherErr == nil {
		key, err = other, nil
	}
	return []Item{{Kind: APrivateKey, DER: der, Key: key}}, err
}

func readPKCS1(der, _ []byte) ([]Item, error) {
	key, err := x509.ParsePKCS1PrivateKey(der)
	return []Item{{Kind: APrivateKey, DER: der, Key: key}}, err
}

func readSEC1(der, _ []byte) ([]Item, error) {
	key, err := x509.ParseECPrivateKey(der)
	return []Item{{Kind: APrivateKey, DER: der, Key: key}}, err
}

// encryptedKey is an EncryptedPrivateKeyInfo. RFC 5958 §3.
type encryptedKey struct {
	Algorithm pkix.AlgorithmIdentifier
	Data      []byte
}

func isEncryptedPKCS8(der []byte) bool {
	var k encryptedKey
	rest, err := asn1.Unmarshal(der, &k)
	return err == nil && len(rest) == 0 && len(k.Data) > 0
}

var encryptions = map[string]string{
	"1.2.840.113549.1.5.13":   "PBES2",
	"1.2.840.113549.1.5.3":    "PBES1 with MD5 and DES, which is weak",
	"1.2.840.113549.1.5.10":   "PBES1 with SHA-1 and DES, which is weak",
	"1.2.840.113549.1.12.1.3": "PBES1 with SHA-1 and 3DES",
}

// readEncryptedPKCS8 decrypts where there is a password, and else says how the key is
// encrypted.
func readEncryptedPKCS8(der, password []byte) ([]Item, error) {
	var k encryptedKey
	if _, err := asn1.Unmarshal(der, &k); err != nil {
		return nil, err
	}
	id := k.Algorithm.Algorithm.String()
	item := Item{Kind: APrivateKey, DER: der, Encryption: encryptions[id]}
	if item.Encryption == "" {
		item.Encryption = "algorithm " + id
	}
	if len(password) > 0 {
		key, err := pkcs8.ParsePKCS8PrivateKey(der, password)
		if err != nil {
			return nil, errPassword
		}
		item.Key = key
	}
	return []Item{item}, nil
}

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
)

// contentInfo is a ContentInfo. RFC 5652 §3.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,tag:0,optional"`
}

func isPKCS7(der []byte) bool {
	var c contentInfo
	_, err := asn1.Unmarshal(der, &c)
	return err == nil && c.Type.Equal(oidSignedData)
}

// readPKCS7 takes the certificates and lists of a SignedData, and ignores what it signs.
// RFC 5652 §5.1.
func readPKCS7(der, _ []byte) (items []Item, err error) {
	var c contentInfo
	var signed struct {
		Version      int
		Digests      asn1.RawValue
		Content      asn1.RawValue
		Certificates asn1.RawValue   `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue   `asn1:"optional,tag:1"`
		Signers      []asn1.RawValue `asn1:"set"`
	}
	if _, err = asn1.Unmarshal(der, &c); err == nil {
		_, err = asn1.Unmarshal(c.Content.Bytes, &signed)
	}
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		der  []byte
		read func(der, _ []byte) ([]Item, error)
	}{{signed.Certificates.Bytes, readCertificate}, {signed.CRLs.Bytes, readCRL}} {
		for rest := part.der; len(rest) > 0; {
			var one asn1.RawValue
			if rest, err = asn1.Unmarshal(rest, &one); err != nil {
				return nil, err
			}
			found, err := part.read(one.FullBytes, nil)
			if err != nil {
				return nil, err
			}
			items = append(items, found...)
		}
	}
	if len(items) == 0 {
		return nil, errors.New("the PKCS#7 holds no certificate")
	}
	return items, nil
}

// isPKCS12 looks at the beginning of a PFX. RFC 7292 §4.
func isPKCS12(der []byte) bool {
	var pfx struct {
		Version int
		Safe    contentInfo
		MAC     asn1.RawValue `asn1:"optional"`
	}
	_, err := asn1.Unmarshal(der, &pfx)
	return err == nil && pfx.Version == 3 && (pfx.Safe.Type.Equal(oidData) || pfx.Safe.Type.Equal(oidSignedData))
}

func readPKCS12(der, password []byte) (items []Item, err error) {
	key, leaf, others, err := pkcs12.DecodeChain(der, string(password))
	if err != nil && !isWrongPassword(err) {
		if trusted, err := pkcs12.DecodeTrustStore(der, string(password)); err == nil {
			key, leaf, others = nil, nil, trusted
		} else {
			return nil, err
		}
	} else if err != nil {
		return nil, errPassword
	}
	if leaf != nil {
		others = append([]*x509.Certificate{leaf}, others...)
	}
	for _, c := range others {
		items = append(items, Item{Kind: ACertificate, DER: c.Raw, Certificate: c})
	}
	if key != nil {
		items = append(items, Item{Kind: APrivateKey, Key: key, Encryption: "in PKCS#12"})
	}
	return items, nil
}

func isWrongPassword(err error) bool {
	return errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption)
}
