package certs

import (
	"cmp"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// outline is what every certificate has, whatever its key and its numbers are. It is for
// showing those that no parser takes. RFC 5280 §4.1.
type outline struct {
	TBS struct {
		Version    int `asn1:"optional,explicit,default:0,tag:0"`
		Serial     *big.Int
		Algorithm  pkix.AlgorithmIdentifier
		Issuer     pkix.RDNSequence
		Validity   struct{ NotBefore, NotAfter time.Time }
		Subject    pkix.RDNSequence
		Key        spki
		IssuerID   asn1.BitString   `asn1:"optional,tag:1"`
		SubjectID  asn1.BitString   `asn1:"optional,tag:2"`
		Extensions []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
	}
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// spki is a SubjectPublicKeyInfo.
type spki struct {
	Raw       asn1.RawContent
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

func readOutline(der []byte) (o outline, err error) {
	_, err = asn1.Unmarshal(der, &o)
	return o, err
}

// describe says what the outline of der tells, and why no more is read.
func (o *outline) describe(der []byte, why error, now time.Time) Certificate {
	var subject, issuer pkix.Name
	subject.FillFromRDNSequence(&o.TBS.Subject)
	issuer.FillFromRDNSequence(&o.TBS.Issuer)
	d := Certificate{
		Subject: nameOr(subject.String(), "(no subject)"), Issuer: nameOr(issuer.String(), "(no issuer)"),
		Key: o.TBS.Key.kind(), SignedWith: algorithmName(o.Algorithm.Algorithm), Serial: Serial(o.TBS.Serial),
		NotBefore: o.TBS.Validity.NotBefore, NotAfter: o.TBS.Validity.NotAfter, DaysLeft: DaysLeft(o.TBS.Validity.NotAfter, now),
		SelfIssued: subject.String() == issuer.String(), SHA256: digest(der), Pin: digest(o.TBS.Key.Raw), Unreadable: why.Error(),
	}
	for _, e := range o.TBS.Extensions {
		if e.Id.Equal(oidSubjectAltName) {
			d.Names = alternativeNames(e.Value)
		}
	}
	return d
}

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// alternativeNames are the DNS names and addresses of a subjectAltName. RFC 5280 §4.2.1.6.
func alternativeNames(value []byte) (names []string) {
	var all []asn1.RawValue
	if _, err := asn1.Unmarshal(value, &all); err != nil {
		return nil
	}
	for _, n := range all {
		switch {
		case n.Class == asn1.ClassContextSpecific && n.Tag == 2:
			names = append(names, string(n.Bytes))
		case n.Class == asn1.ClassContextSpecific && n.Tag == 7:
			names = append(names, net.IP(n.Bytes).String())
		}
	}
	return names
}

// kind names the algorithm of a key that has no type in Go, and its curve.
func (k *spki) kind() string {
	name := algorithmName(k.Algorithm.Algorithm)
	var curve asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(k.Algorithm.Parameters.FullBytes, &curve); err == nil && len(rest) == 0 {
		name += " " + algorithmName(curve)
	} else if k.Algorithm.Algorithm.String() == idECPublicKey {
		name += " with explicit parameters"
	}
	return name
}

// unknownKey names a key by its SubjectPublicKeyInfo.
func unknownKey(der []byte) string {
	var k spki
	if _, err := asn1.Unmarshal(der, &k); err != nil {
		return "unknown"
	}
	return k.kind()
}

const idECPublicKey = "1.2.840.10045.2.1"

// algorithms are those that crypto/x509 has no name for.
var algorithms = map[string]string{
	"1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.10": "RSA-PSS", idECPublicKey: "ECDSA", "1.2.840.10040.4.1": "DSA",
	"1.3.101.110": "X25519", "1.3.101.111": "X448", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
	"1.3.132.0.10": "secp256k1", "1.2.840.10045.3.1.1": "P-192", "1.3.132.0.33": "P-224", "1.2.840.10045.3.1.7": "P-256",
	"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
	"1.2.156.10197.1.301": "SM2", "1.2.156.10197.1.501": "SM2-SM3",
	"1.2.840.10045.4.3.2": "ECDSA-SHA256", "1.2.840.10045.4.3.3": "ECDSA-SHA384", "1.2.840.10045.4.3.4": "ECDSA-SHA512",
	"1.2.840.113549.1.1.4": "MD5-RSA", "1.2.840.113549.1.1.5": "SHA1-RSA", "1.2.840.113549.1.1.11": "SHA256-RSA",
}

func algorithmName(id asn1.ObjectIdentifier) string {
	return cmp.Or(algorithms[id.String()], otherkeys.AlgorithmName(id.String()), id.String())
}
