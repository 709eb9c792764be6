package tls

import (
	"cmp"
	stdtls "crypto/tls"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// The types of crypto/tls that are plain values are its own, so that packages
// written for crypto/tls take ours and we theirs: certificate managers, gRPC,
// net/http. See crypto/tls for what their fields mean.
type (
	// AlertError is an alert, ours or the peer's, as an error.
	AlertError = stdtls.AlertError
	// Certificate is a chain, leaf first, and the leaf's private key.
	Certificate = stdtls.Certificate
	// CertificateRequestInfo is what a server asks for in a client's certificate.
	CertificateRequestInfo = stdtls.CertificateRequestInfo
	// CertificateVerificationError says that the peer's chain did not verify.
	CertificateVerificationError = stdtls.CertificateVerificationError
	// CipherSuite describes a cipher suite; see [CipherSuites].
	CipherSuite = stdtls.CipherSuite
	// ClientAuthType says how a server asks for the client's certificate.
	ClientAuthType = stdtls.ClientAuthType
	// ClientHelloInfo is what a client offers.
	ClientHelloInfo = stdtls.ClientHelloInfo
	// ConnectionState is what was agreed on a connection.
	ConnectionState = stdtls.ConnectionState
	// CurveID is the number of a key exchange group, elliptic curve or not.
	CurveID = stdtls.CurveID
	// ECHRejectionError says that the server refused Encrypted Client Hello.
	ECHRejectionError = stdtls.ECHRejectionError
	// EncryptedClientHelloKey is a server's key for Encrypted Client Hello.
	EncryptedClientHelloKey = stdtls.EncryptedClientHelloKey
	// RecordHeaderError says that what came in is not TLS.
	RecordHeaderError = stdtls.RecordHeaderError
	// RenegotiationSupport says what a client does when asked to renegotiate.
	RenegotiationSupport = stdtls.RenegotiationSupport
	// SignatureScheme is the number of a signature algorithm and its hash.
	SignatureScheme = stdtls.SignatureScheme
)

// CipherSuites lists the suites that are on by default, by number: AEAD
// ciphers with forward secrecy. Unlike crypto/tls's list it is without the CBC
// suites with SHA-1, which stand in [InsecureCipherSuites]. The list and what
// it points to are the caller's.
func CipherSuites() []*CipherSuite { return suites(true) }

// InsecureCipherSuites lists the suites that are implemented but used only
// where Config.CipherSuites names them, by number: CBC, and, which needs
// Config.Legacy.RSAKeyExchange too, RSA key exchange. The list and what it
// points to are the caller's.
func InsecureCipherSuites() []*CipherSuite { return suites(false) }

func suites(secure bool) (list []*CipherSuite) {
	for _, s := range suite.All() {
		if s.Default != secure {
			continue
		}
		c := &CipherSuite{ID: uint16(s.ID), Name: s.Name, Insecure: !secure}
		for _, v := range []wire.Version{wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13} {
			if s.Allows(v) {
				c.SupportedVersions = append(c.SupportedVersions, uint16(v))
			}
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *CipherSuite) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// CipherSuiteName returns the IANA name of a suite, such as
// "TLS_AES_128_GCM_SHA256", or its number in hexadecimal if the suite is
// neither ours nor crypto/tls's.
func CipherSuiteName(id uint16) string {
	if s := suite.ByID(wire.CipherSuite(id)); s != nil {
		return s.Name
	}
	return stdtls.CipherSuiteName(id)
}

// VersionName returns the name of a version, such as "TLS 1.3", or its number
// in hexadecimal if there is none.
func VersionName(version uint16) string { return stdtls.VersionName(version) }
