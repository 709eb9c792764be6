package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// method is how something is signed: in a way that crypto/x509 verifies, or by ML-DSA. The
// zero value is one that is not known here, or too weak.
type method struct {
	known x509.SignatureAlgorithm
	mldsa otherkeys.MLDSA
}

// signatureAlgorithms are those with which an answer may be signed, by their
// AlgorithmIdentifier in DER, and ML-DSA besides. MD5 and SHA-1 can be forged, and are not
// among them.
var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	"300d06092a864886f70d01010b0500": x509.SHA256WithRSA,
	"300d06092a864886f70d01010c0500": x509.SHA384WithRSA,
	"300d06092a864886f70d01010d0500": x509.SHA512WithRSA,
	"300a06082a8648ce3d040302":       x509.ECDSAWithSHA256,
	"300a06082a8648ce3d040303":       x509.ECDSAWithSHA384,
	"300a06082a8648ce3d040304":       x509.ECDSAWithSHA512,
	"300506032b6570":                 x509.PureEd25519,

	"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120": x509.SHA256WithRSAPSS,
	"304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d010108300d06096086480165030402020500a203020130": x509.SHA384WithRSAPSS,
	"304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d010108300d06096086480165030402030500a203020140": x509.SHA512WithRSAPSS,
}

// weakAlgorithms are named where they are refused.
var weakAlgorithms = map[x509.SignatureAlgorithm]bool{
	x509.MD5WithRSA: true, x509.SHA1WithRSA: true, x509.ECDSAWithSHA1: true, x509.DSAWithSHA1: true, x509.DSAWithSHA256: true,
}

func signatureAlgorithm(der []byte) method {
	if known := signatureAlgorithms[hex.EncodeToString(der)]; known != 0 {
		return method{known: known}
	}
	for set := otherkeys.MLDSA44; set <= otherkeys.MLDSA87; set++ {
		if bytes.Equal(der, set.Algorithm()) {
			return method{mldsa: set}
		}
	}
	return method{}
}

// methodOf is how a certificate is signed. crypto/x509 of Go 1.26 does not know ML-DSA.
func methodOf(c *x509.Certificate) method {
	if c.SignatureAlgorithm != x509.UnknownSignatureAlgorithm && c.SignatureAlgorithm <= x509.PureEd25519 {
		return method{known: c.SignatureAlgorithm}
	}
	all := cryptobyte.String(c.Raw)
	var algorithm cryptobyte.String
	if !all.ReadASN1(&all, casn1.SEQUENCE) || !all.SkipASN1(casn1.SEQUENCE) || !all.ReadASN1Element(&algorithm, casn1.SEQUENCE) {
		return method{}
	}
	return signatureAlgorithm(algorithm)
}

// checkSignature verifies one signature of c's key.
func checkSignature(c *x509.Certificate, by method, signed, signature []byte) error {
	switch {
	case by.mldsa != 0:
		if key, ok := otherkeys.Of(c).(otherkeys.MLDSAPublicKey); !ok || key.Set != by.mldsa || !key.Verify(signed, signature) {
			return fmt.Errorf("it is not one by %v of that key", by.mldsa)
		}
		return nil
	case by.known == x509.UnknownSignatureAlgorithm:
		return errors.New("it is made with an algorithm that is not known or too weak")
	case weakAlgorithms[by.known]:
		return fmt.Errorf("it is made with %v, which can be forged", by.known)
	}
	return c.CheckSignature(by.known, signed, signature)
}

// eachExtension calls f for each extension of a list, and refuses a kind that comes
// twice.
func eachExtension(list cryptobyte.String, f func(id asn1.ObjectIdentifier, critical bool, value []byte) error) error {
	malformed := errors.New("its extensions are malformed")
	if !list.ReadASN1(&list, casn1.SEQUENCE) {
		return malformed
	}
	seen := map[string]bool{}
	for !list.Empty() {
		var one cryptobyte.String
		var id asn1.ObjectIdentifier
		var critical bool
		var value []byte
		if !list.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) ||
			one.PeekASN1Tag(casn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) ||
			!one.ReadASN1Bytes(&value, casn1.OCTET_STRING) || !one.Empty() {
			return malformed
		}
		if seen[id.String()] {
			return fmt.Errorf("its extension %v comes twice", id)
		}
		seen[id.String()] = true
		if err := f(id, critical, value); err != nil {
			return err
		}
	}
	return nil
}
