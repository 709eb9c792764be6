package devca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1" // of a public key, to name it by: RFC 5280 §4.2.1.2
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// ecdsaSHA256 is the AlgorithmIdentifier of signatures with a key of P-256. RFC 5758 §3.2.
var ecdsaSHA256 = []byte{0x30, 0x0a, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2}

// Certify is x509.CreateCertificate for any key and any issuer's, DSA and ML-DSA included.
// An issuer's key for a DSA key must be one of P-256 or of ML-DSA.
func Certify(template, issuer *x509.Certificate, key crypto.Signer, issuerKey crypto.Signer) ([]byte, error) {
	info, err := otherInfo(key)
	if err != nil {
		return nil, err
	}
	return certifyInfo(template, issuer, key.Public(), info, issuerKey)
}

// CertifyRequest is [Certify] for the key of a request, which crypto/x509 need not know.
func CertifyRequest(template, issuer *x509.Certificate, request *x509.CertificateRequest, issuerKey crypto.Signer) ([]byte, error) {
	if request.PublicKey != nil && request.PublicKeyAlgorithm <= x509.Ed25519 {
		return certifyInfo(template, issuer, request.PublicKey, nil, issuerKey)
	}
	return certifyInfo(template, issuer, nil, request.RawSubjectPublicKeyInfo, issuerKey)
}

// otherInfo is the SubjectPublicKeyInfo of a key that crypto/x509 does not write; nil for
// one that it does.
func otherInfo(key crypto.Signer) ([]byte, error) {
	switch key := key.(type) {
	case *DSAKey:
		return key.info()
	case *otherkeys.MLDSAPrivateKey:
		return key.Public().(otherkeys.MLDSAPublicKey).Info(), nil
	}
	return nil, nil
}

// certifyInfo certifies a public key, which stands in info where crypto/x509 cannot write it.
func certifyInfo(template, issuer *x509.Certificate, public crypto.PublicKey, info []byte, issuerKey crypto.Signer) ([]byte, error) {
	_, byMLDSA := issuerKey.(*otherkeys.MLDSAPrivateKey)
	if info == nil && !byMLDSA {
		return x509.CreateCertificate(rand.Reader, template, issuer, public, issuerKey)
	}
	if _, _, err := signing(issuerKey); err != nil {
		return nil, err
	}
	// crypto/x509 has another key signed, and perhaps by another: both are replaced.
	standIn, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	signer := issuerKey
	if byMLDSA {
		signer = standIn
	}
	if info != nil {
		public = standIn.Public()
		own := *template
		own.SubjectKeyId, template = keyID(info), &own
	}
	der, err := x509.CreateCertificate(rand.Reader, template, unkeyed(issuer), public, signer)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return resign(der, issuerKey, func(field []byte) []byte {
		if info != nil && bytes.Equal(field, cert.RawSubjectPublicKeyInfo) {
			return info
		}
		return field
	})
}

// unkeyed is an issuer whose key crypto/x509 does not compare with the one that signs.
func unkeyed(issuer *x509.Certificate) *x509.Certificate {
	if issuer.PublicKey == nil || issuer.PublicKeyAlgorithm <= x509.Ed25519 {
		return issuer
	}
	own := *issuer
	own.PublicKey = nil
	return &own
}

// keyID names a key. RFC 5280 §4.2.1.2 (1).
func keyID(info []byte) []byte {
	var key struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(info, &key); err != nil {
		return nil
	}
	id := sha1.Sum(key.Key.RightAlign())
	return id[:]
}

// resign signs a certificate or a CRL anew, with its fields as change has them.
func resign(der []byte, by crypto.Signer, change func(field []byte) []byte) ([]byte, error) {
	var whole struct {
		TBS       []asn1.RawValue
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		return nil, err
	}
	algorithm, sign, err := signing(by)
	if err != nil {
		return nil, err
	}
	for i, field := range whole.TBS {
		if bytes.Equal(field.FullBytes, whole.Algorithm.FullBytes) {
			whole.TBS[i] = asn1.RawValue{FullBytes: algorithm}
		} else {
			whole.TBS[i] = asn1.RawValue{FullBytes: change(field.FullBytes)}
		}
	}
	whole.Algorithm = asn1.RawValue{FullBytes: algorithm}
	tbs, err := asn1.Marshal(whole.TBS)
	if err != nil {
		return nil, err
	}
	signature, err := sign(tbs)
	if err != nil {
		return nil, err
	}
	whole.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(whole)
}

// signing is how a key signs certificates: its AlgorithmIdentifier, and what does it.
func signing(by crypto.Signer) (algorithm []byte, sign func(tbs []byte) ([]byte, error), err error) {
	switch key := by.(type) {
	case *otherkeys.MLDSAPrivateKey:
		return key.Public().(otherkeys.MLDSAPublicKey).Set.Algorithm(), func(tbs []byte) ([]byte, error) { return key.Sign(nil, tbs, crypto.Hash(0)) }, nil
	case *ecdsa.PrivateKey:
		if key.Curve == elliptic.P256() {
			return ecdsaSHA256, func(tbs []byte) ([]byte, error) {
				digest := sha256.Sum256(tbs)
				return key.Sign(rand.Reader, digest[:], crypto.SHA256)
			}, nil
		}
	}
	return nil, nil, errors.New("devca: keys of DSA and ML-DSA are certified with a key of P-256 only, or of ML-DSA")
}

// issuedBy verifies the signature on a certificate.
func issuedBy(cert, issuer *x509.Certificate) error {
	key, ok := otherkeys.Of(issuer).(otherkeys.MLDSAPublicKey)
	if !ok {
		return cert.CheckSignatureFrom(issuer)
	}
	if !key.Verify(cert.RawTBSCertificate, cert.Signature) {
		return fmt.Errorf("the signature is not one by the key of %q", issuer.Subject.CommonName)
	}
	return nil
}

// VerifyRequest verifies that a request is signed with the key that it is about.
func VerifyRequest(r *x509.CertificateRequest) error {
	key, err := otherkeys.ParsePublic(r.RawSubjectPublicKeyInfo)
	public, ok := key.(otherkeys.MLDSAPublicKey)
	if err != nil || !ok {
		return r.CheckSignature()
	}
	if !public.Verify(r.RawTBSCertificateRequest, r.Signature) {
		return errors.New("its signature is not one by its own key")
	}
	return nil
}

// MarshalKey is a private key in PKCS #8.
func MarshalKey(key crypto.PrivateKey) ([]byte, error) {
	switch key := key.(type) {
	case *otherkeys.MLDSAPrivateKey:
		return key.PKCS8(), nil
	case *DSAKey:
		return key.PKCS8()
	}
	return x509.MarshalPKCS8PrivateKey(key)
}
