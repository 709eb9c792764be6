package tls

import (
	stdtls "crypto/tls"

	"github.com/vitrine-tls/vitrine/wire"
)

// The constants of crypto/tls, with its values and types.
const (
	VersionTLS10 = stdtls.VersionTLS10
	VersionTLS11 = stdtls.VersionTLS11
	VersionTLS12 = stdtls.VersionTLS12
	VersionTLS13 = stdtls.VersionTLS13

	// Deprecated: SSL 3.0 is broken (RFC 7568).
	VersionSSL30 = 0x0300
)

// Key exchange groups, for Config.CurvePreferences.
const (
	CurveP256          = stdtls.CurveP256
	CurveP384          = stdtls.CurveP384
	CurveP521          = stdtls.CurveP521
	X25519             = stdtls.X25519
	X25519MLKEM768     = stdtls.X25519MLKEM768
	SecP256r1MLKEM768  = stdtls.SecP256r1MLKEM768
	SecP384r1MLKEM1024 = stdtls.SecP384r1MLKEM1024

	// X448 is off unless it is named: few peers have it. RFC 7748 §6.2.
	X448 CurveID = 0x001e

	// MLKEM1024 is post-quantum alone: if ML-KEM falls, nothing else protects.
	MLKEM1024 CurveID = 0x0202
)

// Signature schemes. RFC 8446 §4.2.3.
const (
	PKCS1WithSHA256        = stdtls.PKCS1WithSHA256
	PKCS1WithSHA384        = stdtls.PKCS1WithSHA384
	PKCS1WithSHA512        = stdtls.PKCS1WithSHA512
	PSSWithSHA256          = stdtls.PSSWithSHA256
	PSSWithSHA384          = stdtls.PSSWithSHA384
	PSSWithSHA512          = stdtls.PSSWithSHA512
	ECDSAWithP256AndSHA256 = stdtls.ECDSAWithP256AndSHA256
	ECDSAWithP384AndSHA384 = stdtls.ECDSAWithP384AndSHA384
	ECDSAWithP521AndSHA512 = stdtls.ECDSAWithP521AndSHA512
	Ed25519                = stdtls.Ed25519
	PKCS1WithSHA1          = stdtls.PKCS1WithSHA1
	ECDSAWithSHA1          = stdtls.ECDSAWithSHA1

	// Over SHA-224, in TLS 1.2: for peers that sign, behind Legacy.SHA224Signatures.
	PKCS1WithSHA224 SignatureScheme = 0x0301
	ECDSAWithSHA224 SignatureScheme = 0x0303

	// By RSA keys that are for RSASSA-PSS alone (id-RSASSA-PSS), and by Ed448: accepted
	// only where SignatureSchemes lists them. RFC 4055, RFC 8032.
	PSSKeyWithSHA256 SignatureScheme = 0x0809
	PSSKeyWithSHA384 SignatureScheme = 0x080a
	PSSKeyWithSHA512 SignatureScheme = 0x080b
	Ed448            SignatureScheme = 0x0808

	// By ML-DSA, in TLS 1.3 alone: accepted only where SignatureSchemes lists them. FIPS 204,
	// draft-ietf-tls-mldsa.
	MLDSA44 SignatureScheme = 0x0904
	MLDSA65 SignatureScheme = 0x0905
	MLDSA87 SignatureScheme = 0x0906

	// By RSA with PKCS #1 v1.5 in TLS 1.3, for the keys of clients alone that can do nothing
	// newer, in old smart cards and TPMs. A server takes them only where SignatureSchemes lists
	// them, and a client signs so only where the certificate's SupportedSignatureAlgorithms
	// does. draft-ietf-tls-tls13-pkcs1.
	PKCS1WithSHA256Legacy SignatureScheme = 0x0420
	PKCS1WithSHA384Legacy SignatureScheme = 0x0520
	PKCS1WithSHA512Legacy SignatureScheme = 0x0620
)

// How a server asks for the client's certificate, for Config.ClientAuth.
const (
	NoClientCert               = stdtls.NoClientCert
	RequestClientCert          = stdtls.RequestClientCert
	RequireAnyClientCert       = stdtls.RequireAnyClientCert
	VerifyClientCertIfGiven    = stdtls.VerifyClientCertIfGiven
	RequireAndVerifyClientCert = stdtls.RequireAndVerifyClientCert
)

// What a client does when asked to renegotiate, for Config.Renegotiation.
const (
	RenegotiateNever          = stdtls.RenegotiateNever
	RenegotiateOnceAsClient   = stdtls.RenegotiateOnceAsClient
	RenegotiateFreelyAsClient = stdtls.RenegotiateFreelyAsClient
)

// Cipher suite numbers. That a suite has a name here does not mean that it is
// implemented: see [CipherSuites] and [InsecureCipherSuites].
const (
	TLS_AES_128_GCM_SHA256                        = stdtls.TLS_AES_128_GCM_SHA256
	TLS_AES_256_GCM_SHA384                        = stdtls.TLS_AES_256_GCM_SHA384
	TLS_CHACHA20_POLY1305_SHA256                  = stdtls.TLS_CHACHA20_POLY1305_SHA256
	TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA          = stdtls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
	TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256       = stdtls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256
	TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256       = stdtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA          = stdtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA
	TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384       = stdtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
	TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305        = stdtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305
	TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 = stdtls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
	TLS_ECDHE_ECDSA_WITH_RC4_128_SHA              = stdtls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA
	TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA           = stdtls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
	TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA            = stdtls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
	TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256         = stdtls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256
	TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256         = stdtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA            = stdtls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA
	TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384         = stdtls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
	TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305          = stdtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305
	TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256   = stdtls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	TLS_ECDHE_RSA_WITH_RC4_128_SHA                = stdtls.TLS_ECDHE_RSA_WITH_RC4_128_SHA
	TLS_FALLBACK_SCSV                             = stdtls.TLS_FALLBACK_SCSV
	TLS_RSA_WITH_3DES_EDE_CBC_SHA                 = stdtls.TLS_RSA_WITH_3DES_EDE_CBC_SHA
	TLS_RSA_WITH_AES_128_CBC_SHA                  = stdtls.TLS_RSA_WITH_AES_128_CBC_SHA
	TLS_RSA_WITH_AES_128_CBC_SHA256               = stdtls.TLS_RSA_WITH_AES_128_CBC_SHA256
	TLS_RSA_WITH_AES_128_GCM_SHA256               = stdtls.TLS_RSA_WITH_AES_128_GCM_SHA256
	TLS_RSA_WITH_AES_256_CBC_SHA                  = stdtls.TLS_RSA_WITH_AES_256_CBC_SHA
	TLS_RSA_WITH_AES_256_GCM_SHA384               = stdtls.TLS_RSA_WITH_AES_256_GCM_SHA384
	TLS_RSA_WITH_RC4_128_SHA                      = stdtls.TLS_RSA_WITH_RC4_128_SHA
)

// The suites of TLS 1.2 with AES-256-CBC, for which crypto/tls has no names. Every
// other suite that we implement has its number in package wire.
const (
	TLS_RSA_WITH_AES_256_CBC_SHA256         = uint16(wire.TLS_RSA_WITH_AES_256_CBC_SHA256)
	TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384 = uint16(wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384)
	TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384   = uint16(wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384)
)
