package certs

import (
	"cmp"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// Certificate is what a certificate says, in words.
type Certificate struct {
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	// Names are the DNS names and addresses that it is for, and others with their kind
	// before them.
	Names []string `json:"names,omitempty"`
	Key   string   `json:"key"`
	// SignedWith is the algorithm of the signature.
	SignedWith string `json:"signed_with"`
	// Serial is in hexadecimal digits.
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	// DaysLeft is counted from the moment that was asked for, and is negative for a
	// certificate that has expired.
	DaysLeft int `json:"days_left"`
	// Authority is set where it may issue others, PathLength says how many levels of
	// authorities may be below it.
	Authority  bool   `json:"authority"`
	PathLength string `json:"path_length,omitempty"`
	SelfIssued bool   `json:"self_issued"`
	// KeyUsage and Purposes are what the key is for; none is anything.
	KeyUsage []string `json:"key_usage,omitempty"`
	Purposes []string `json:"purposes,omitempty"`
	// OCSP, CRL and IssuerAt are where its authority says more.
	OCSP     []string `json:"ocsp,omitempty"`
	CRL      []string `json:"crl,omitempty"`
	IssuerAt []string `json:"issuer_at,omitempty"`
	// MustStaple is set where its server has to staple an OCSP response (RFC 7633).
	MustStaple bool `json:"must_staple,omitempty"`
	// SHA256 is of the certificate, Pin of its public key alone.
	SHA256 string `json:"sha256"`
	Pin    string `json:"pin_sha256"`
	// Unreadable is why crypto/x509 refuses to read it: it is described, and no program
	// in Go will accept it.
	Unreadable string `json:"unreadable,omitempty"`
}

// Describe says what c holds, on the day now.
func Describe(c *x509.Certificate, now time.Time) Certificate {
	d := Certificate{
		Subject: nameOr(c.Subject.String(), "(no subject)"), Issuer: nameOr(c.Issuer.String(), "(no issuer)"),
		Names: NamesOf(c.DNSNames, c.IPAddresses, c.EmailAddresses, c.URIs), Key: KeyName(otherkeys.Of(c), unknownKey(c.RawSubjectPublicKeyInfo)), SignedWith: signedWith(c),
		Serial:    Serial(c.SerialNumber),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, DaysLeft: DaysLeft(c.NotAfter, now),
		Authority: c.BasicConstraintsValid && c.IsCA, SelfIssued: string(c.RawSubject) == string(c.RawIssuer),
		KeyUsage: usages(c.KeyUsage), Purposes: purposes(c),
		OCSP: c.OCSPServer, CRL: c.CRLDistributionPoints, IssuerAt: c.IssuingCertificateURL,
		MustStaple: revocation.MustStaple(c), SHA256: digest(c.Raw), Pin: digest(c.RawSubjectPublicKeyInfo),
	}
	if d.Authority && (c.MaxPathLen > 0 || c.MaxPathLenZero) {
		d.PathLength = fmt.Sprint(c.MaxPathLen)
	}
	return d
}

// signedWith names the algorithm of the signature, one too that crypto/x509 does not know.
func signedWith(c *x509.Certificate) string {
	if c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		if o, err := readOutline(c.Raw); err == nil {
			return algorithmName(o.Algorithm.Algorithm)
		}
	}
	return c.SignatureAlgorithm.String()
}

// DaysLeft are whole days, rounded down: -1 for what expired an hour ago.
func DaysLeft(end, now time.Time) int {
	return int(math.Floor(end.Sub(now).Hours() / 24))
}

// Ago says how long ago something ended, by its DaysLeft, which are negative.
func Ago(daysLeft int) string {
	switch n := -daysLeft - 1; n {
	case 0:
		return "less than a day ago"
	case 1:
		return "1 day ago"
	default:
		return fmt.Sprintf("%d days ago", n)
	}
}

func nameOr(name, none string) string {
	if name == "" {
		return none
	}
	return name
}

func digest(b []byte) string {
	d := sha256.Sum256(b)
	return hex.EncodeToString(d[:])
}

// Serial is a serial number in hexadecimal digits.
func Serial(n *big.Int) string {
	digits := hex.EncodeToString(n.Bytes())
	if digits == "" {
		digits = "00"
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// Pin is the SHA-256 of a public key's SubjectPublicKeyInfo; empty for a key that has none.
func Pin(public any) string {
	if key, ok := public.(otherkeys.MLDSAPublicKey); ok {
		return digest(key.Info())
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	return digest(der)
}

// NamesOf lists what a certificate is for, or a request asks for.
func NamesOf(dns []string, ips []net.IP, mails []string, uris []*url.URL) (names []string) {
	names = append(names, dns...)
	for _, ip := range ips {
		names = append(names, ip.String())
	}
	for _, mail := range mails {
		names = append(names, "email:"+mail)
	}
	for _, uri := range uris {
		names = append(names, uri.String())
	}
	return names
}

// KeyName is the kind of a public key and its size; kind is what to call one that
// crypto/x509 knows no type for.
func KeyName(key any, kind string) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *ecdh.PublicKey:
		return fmt.Sprint(key.Curve())
	}
	return cmp.Or(otherkeys.NameOf(key), kind)
}

var usageNames = []string{
	"digital signature", "content commitment", "key encipherment", "data encipherment", "key agreement",
	"certificate signing", "CRL signing", "encipher only", "decipher only",
}

func usages(u x509.KeyUsage) (names []string) {
	for i, name := range usageNames {
		if u&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

var purposeNames = map[x509.ExtKeyUsage]string{
	x509.ExtKeyUsageAny: "anything", x509.ExtKeyUsageServerAuth: "TLS server", x509.ExtKeyUsageClientAuth: "TLS client",
	x509.ExtKeyUsageCodeSigning: "code signing", x509.ExtKeyUsageEmailProtection: "email",
	x509.ExtKeyUsageTimeStamping: "time stamping", x509.ExtKeyUsageOCSPSigning: "OCSP signing",
}

func purposes(c *x509.Certificate) (names []string) {
	for _, u := range c.ExtKeyUsage {
		name, ok := purposeNames[u]
		if !ok {
			name = u.String()
		}
		names = append(names, name)
	}
	return append(names, dotted(c.UnknownExtKeyUsage)...)
}

func dotted(ids []asn1.ObjectIdentifier) (names []string) {
	for _, id := range ids {
		names = append(names, id.String())
	}
	return names
}

// Common is the common name of a distinguished name in text, or all of it.
func Common(distinguished string) string {
	for part := range strings.SplitSeq(distinguished, ",") {
		if name, ok := strings.CutPrefix(part, "CN="); ok && !strings.HasSuffix(name, `\`) {
			return name
		}
	}
	return distinguished
}
