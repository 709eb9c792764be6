package otherkeys

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// shown are post-quantum algorithms of certificates that have a name here and are not used:
// neither do their keys sign a handshake, nor is a certificate good that they sign. SLH-DSA's
// signatures have 8 to 50 KB, and no scheme of TLS; a composite one is two signatures in one.
// RFC 9909 §3, draft-ietf-lamps-pq-composite-sigs §6, RFC 9881 §2.
var shown = map[string]string{
	"2.16.840.1.101.3.4.3.20": "SLH-DSA-SHA2-128s", "2.16.840.1.101.3.4.3.21": "SLH-DSA-SHA2-128f",
	"2.16.840.1.101.3.4.3.22": "SLH-DSA-SHA2-192s", "2.16.840.1.101.3.4.3.23": "SLH-DSA-SHA2-192f",
	"2.16.840.1.101.3.4.3.24": "SLH-DSA-SHA2-256s", "2.16.840.1.101.3.4.3.25": "SLH-DSA-SHA2-256f",
	"2.16.840.1.101.3.4.3.26": "SLH-DSA-SHAKE-128s", "2.16.840.1.101.3.4.3.27": "SLH-DSA-SHAKE-128f",
	"2.16.840.1.101.3.4.3.28": "SLH-DSA-SHAKE-192s", "2.16.840.1.101.3.4.3.29": "SLH-DSA-SHAKE-192f",
	"2.16.840.1.101.3.4.3.30": "SLH-DSA-SHAKE-256s", "2.16.840.1.101.3.4.3.31": "SLH-DSA-SHAKE-256f",
	"2.16.840.1.101.3.4.3.32": "HashML-DSA-44 with SHA-512", "2.16.840.1.101.3.4.3.33": "HashML-DSA-65 with SHA-512",
	"2.16.840.1.101.3.4.3.34": "HashML-DSA-87 with SHA-512",
	"1.3.6.1.5.5.7.6.37":      "composite ML-DSA-44 and RSA-PSS 2048", "1.3.6.1.5.5.7.6.38": "composite ML-DSA-44 and RSA 2048",
	"1.3.6.1.5.5.7.6.39": "composite ML-DSA-44 and Ed25519", "1.3.6.1.5.5.7.6.40": "composite ML-DSA-44 and ECDSA P-256",
	"1.3.6.1.5.5.7.6.41": "composite ML-DSA-65 and RSA-PSS 3072", "1.3.6.1.5.5.7.6.42": "composite ML-DSA-65 and RSA 3072",
	"1.3.6.1.5.5.7.6.43": "composite ML-DSA-65 and RSA-PSS 4096", "1.3.6.1.5.5.7.6.44": "composite ML-DSA-65 and RSA 4096",
	"1.3.6.1.5.5.7.6.45": "composite ML-DSA-65 and ECDSA P-256", "1.3.6.1.5.5.7.6.46": "composite ML-DSA-65 and ECDSA P-384",
	"1.3.6.1.5.5.7.6.47": "composite ML-DSA-65 and ECDSA brainpoolP256r1", "1.3.6.1.5.5.7.6.48": "composite ML-DSA-65 and Ed25519",
	"1.3.6.1.5.5.7.6.49": "composite ML-DSA-87 and ECDSA P-384", "1.3.6.1.5.5.7.6.50": "composite ML-DSA-87 and ECDSA brainpoolP384r1",
	"1.3.6.1.5.5.7.6.51": "composite ML-DSA-87 and Ed448", "1.3.6.1.5.5.7.6.52": "composite ML-DSA-87 and RSA-PSS 3072",
	"1.3.6.1.5.5.7.6.53": "composite ML-DSA-87 and RSA-PSS 4096", "1.3.6.1.5.5.7.6.54": "composite ML-DSA-87 and ECDSA P-521",
}

// AlgorithmName names an algorithm of post-quantum certificates by its identifier in dotted
// form; empty for any other.
func AlgorithmName(id string) string {
	for i := range mldsaSets {
		if mldsaSets[i].oid.String() == id {
			return mldsaSets[i].set.String()
		}
	}
	return shown[id]
}

// ShownKey names the algorithm of a certificate's key, where that is one of which the name
// alone is known; empty for any other.
func ShownKey(c *x509.Certificate) string {
	info := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	if !info.ReadASN1(&info, casn1.SEQUENCE) {
		return ""
	}
	return shownIn(&info)
}

// ShownSignature does the same for the algorithm of a certificate's signature.
func ShownSignature(c *x509.Certificate) string {
	all := cryptobyte.String(c.Raw)
	if !all.ReadASN1(&all, casn1.SEQUENCE) || !all.SkipASN1(casn1.SEQUENCE) {
		return ""
	}
	return shownIn(&all)
}

func shownIn(in *cryptobyte.String) string {
	var algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&algorithm, casn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&id) {
		return ""
	}
	return shown[id.String()]
}
