package suite

import "github.com/vitrine-tls/vitrine/wire"

// exchange is how a suite's keys come to be, and who is authenticated by what.
type exchange struct {
	kx   wire.KeyExchange
	auth Auth
}

var (
	unbound    = exchange{wire.KeyExchangeNone, AuthAny} // TLS 1.3 negotiates both apart from the suite
	ecdheECDSA = exchange{wire.KeyExchangeECDHE, AuthECDSA}
	ecdheRSA   = exchange{wire.KeyExchangeECDHE, AuthRSA}
	ecdhePSK   = exchange{wire.KeyExchangeECDHEPSK, AuthPSK}
	ecdhAnon   = exchange{wire.KeyExchangeECDHAnon, AuthAnon}
	dheRSA     = exchange{wire.KeyExchangeDHE, AuthRSA}
	dheDSS     = exchange{wire.KeyExchangeDHE, AuthDSS}
	dhePSK     = exchange{wire.KeyExchangeDHEPSK, AuthPSK}
	dhAnon     = exchange{wire.KeyExchangeDHAnon, AuthAnon}
	rsa        = exchange{wire.KeyExchangeRSA, AuthRSA}
	rsaPSK     = exchange{wire.KeyExchangeRSAPSK, AuthRSA}
	psk        = exchange{wire.KeyExchangePSK, AuthPSK}
)

// versions are those that may negotiate a suite, the first and the last.
type versions [2]wire.Version

var (
	in13    = versions{wire.TLS13, wire.TLS13}
	in12    = versions{wire.TLS12, wire.TLS12} // AEAD, and MACs with SHA-2: RFC 5246 §A.5, RFC 5289 §3
	from10  = versions{wire.TLS10, wire.TLS12} // elliptic curves and PSK came as extensions of TLS: RFC 8422, RFC 4279
	from30  = versions{wire.SSL30, wire.TLS12}
	until11 = versions{wire.SSL30, wire.TLS11} // DES is not for TLS 1.2: RFC 5469 §1
)

// table has every suite of the IANA registry "TLS Cipher Suites" that is made of
// these parts, strongest first. Export suites are left out for good.
//
// A suite whose name ends in _SHA or _MD5 names its MAC alone: TLS 1.2 runs
// SHA-256 in the PRF for it, RFC 5246 §5; so does AES-CCM, RFC 6655 §3. PSK with
// a MAC of SHA-2 is for every version of TLS, RFC 5487 §1.1 and RFC 5489 §3.
var table = [...]struct {
	id      wire.CipherSuite
	openSSL string // empty where OpenSSL never had it
	exchange
	cipher *Cipher
	mac    *MAC // nil for an AEAD
	hash   *Hash
	versions
}{
	// Forward secret, AEAD.
	{wire.TLS_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", unbound, aes128GCM13, nil, SHA256, in13},
	{wire.TLS_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", unbound, aes256GCM13, nil, SHA384, in13},
	{wire.TLS_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", unbound, chacha20, nil, SHA256, in13},
	{wire.TLS_AES_128_CCM_SHA256, "TLS_AES_128_CCM_SHA256", unbound, aes128CCM13, nil, SHA256, in13},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", ecdheECDSA, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", ecdheRSA, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", ecdheECDSA, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", ecdheRSA, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", ecdheECDSA, chacha20, nil, SHA256, in12},
	{wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", ecdheRSA, chacha20, nil, SHA256, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, "ECDHE-ECDSA-AES128-CCM", ecdheECDSA, aes128CCM12, nil, SHA256, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_256_CCM, "ECDHE-ECDSA-AES256-CCM", ecdheECDSA, aes256CCM12, nil, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, "DHE-RSA-AES128-GCM-SHA256", dheRSA, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, "DHE-RSA-AES256-GCM-SHA384", dheRSA, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "DHE-RSA-CHACHA20-POLY1305", dheRSA, chacha20, nil, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_128_CCM, "DHE-RSA-AES128-CCM", dheRSA, aes128CCM12, nil, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_256_CCM, "DHE-RSA-AES256-CCM", dheRSA, aes256CCM12, nil, SHA256, in12},
	{wire.TLS_DHE_DSS_WITH_AES_128_GCM_SHA256, "DHE-DSS-AES128-GCM-SHA256", dheDSS, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_DHE_DSS_WITH_AES_256_GCM_SHA384, "DHE-DSS-AES256-GCM-SHA384", dheDSS, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, "", ecdhePSK, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384, "", ecdhePSK, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-PSK-CHACHA20-POLY1305", ecdhePSK, chacha20, nil, SHA256, in12},
	{wire.TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256, "", ecdhePSK, aes128CCM12, nil, SHA256, in12},
	{wire.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, "DHE-PSK-AES128-GCM-SHA256", dhePSK, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_DHE_PSK_WITH_AES_256_GCM_SHA384, "DHE-PSK-AES256-GCM-SHA384", dhePSK, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256, "DHE-PSK-CHACHA20-POLY1305", dhePSK, chacha20, nil, SHA256, in12},
	{wire.TLS_DHE_PSK_WITH_AES_128_CCM, "DHE-PSK-AES128-CCM", dhePSK, aes128CCM12, nil, SHA256, in12},
	{wire.TLS_DHE_PSK_WITH_AES_256_CCM, "DHE-PSK-AES256-CCM", dhePSK, aes256CCM12, nil, SHA256, in12},

	// Forward secret, AEAD with a tag of 8 bytes.
	{wire.TLS_AES_128_CCM_8_SHA256, "TLS_AES_128_CCM_8_SHA256", unbound, aes128ShortCCM13, nil, SHA256, in13},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, "ECDHE-ECDSA-AES128-CCM8", ecdheECDSA, aes128ShortCCM12, nil, SHA256, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8, "ECDHE-ECDSA-AES256-CCM8", ecdheECDSA, aes256ShortCCM12, nil, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_128_CCM_8, "DHE-RSA-AES128-CCM8", dheRSA, aes128ShortCCM12, nil, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_256_CCM_8, "DHE-RSA-AES256-CCM8", dheRSA, aes256ShortCCM12, nil, SHA256, in12},
	{wire.TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256, "", ecdhePSK, aes128ShortCCM12, nil, SHA256, in12},
	{wire.TLS_PSK_DHE_WITH_AES_128_CCM_8, "DHE-PSK-AES128-CCM8", dhePSK, aes128ShortCCM12, nil, SHA256, in12},
	{wire.TLS_PSK_DHE_WITH_AES_256_CCM_8, "DHE-PSK-AES256-CCM8", dhePSK, aes256ShortCCM12, nil, SHA256, in12},

	// Forward secret, CBC.
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", ecdheECDSA, aes128CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", ecdheRSA, aes128CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, "ECDHE-ECDSA-AES256-SHA384", ecdheECDSA, aes256CBC, hmacSHA384, SHA384, in12},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, "ECDHE-RSA-AES256-SHA384", ecdheRSA, aes256CBC, hmacSHA384, SHA384, in12},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", ecdheECDSA, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", ecdheRSA, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", ecdheECDSA, aes256CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", ecdheRSA, aes256CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA256, "DHE-RSA-AES128-SHA256", dheRSA, aes128CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_256_CBC_SHA256, "DHE-RSA-AES256-SHA256", dheRSA, aes256CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, "DHE-RSA-AES128-SHA", dheRSA, aes128CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_DHE_RSA_WITH_AES_256_CBC_SHA, "DHE-RSA-AES256-SHA", dheRSA, aes256CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_DHE_DSS_WITH_AES_128_CBC_SHA256, "DHE-DSS-AES128-SHA256", dheDSS, aes128CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_DHE_DSS_WITH_AES_256_CBC_SHA256, "DHE-DSS-AES256-SHA256", dheDSS, aes256CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_DHE_DSS_WITH_AES_128_CBC_SHA, "DHE-DSS-AES128-SHA", dheDSS, aes128CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_DHE_DSS_WITH_AES_256_CBC_SHA, "DHE-DSS-AES256-SHA", dheDSS, aes256CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256, "ECDHE-PSK-AES128-CBC-SHA256", ecdhePSK, aes128CBC, hmacSHA256, SHA256, from10},
	{wire.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384, "ECDHE-PSK-AES256-CBC-SHA384", ecdhePSK, aes256CBC, hmacSHA384, SHA384, from10},
	{wire.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA, "ECDHE-PSK-AES128-CBC-SHA", ecdhePSK, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA, "ECDHE-PSK-AES256-CBC-SHA", ecdhePSK, aes256CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_AES_128_CBC_SHA256, "DHE-PSK-AES128-CBC-SHA256", dhePSK, aes128CBC, hmacSHA256, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_AES_256_CBC_SHA384, "DHE-PSK-AES256-CBC-SHA384", dhePSK, aes256CBC, hmacSHA384, SHA384, from10},
	{wire.TLS_DHE_PSK_WITH_AES_128_CBC_SHA, "DHE-PSK-AES128-CBC-SHA", dhePSK, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_AES_256_CBC_SHA, "DHE-PSK-AES256-CBC-SHA", dhePSK, aes256CBC, hmacSHA1, SHA256, from10},

	// Without forward secrecy, AEAD.
	{wire.TLS_PSK_WITH_AES_128_GCM_SHA256, "PSK-AES128-GCM-SHA256", psk, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_PSK_WITH_AES_256_GCM_SHA384, "PSK-AES256-GCM-SHA384", psk, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, "PSK-CHACHA20-POLY1305", psk, chacha20, nil, SHA256, in12},
	{wire.TLS_PSK_WITH_AES_128_CCM, "PSK-AES128-CCM", psk, aes128CCM12, nil, SHA256, in12},
	{wire.TLS_PSK_WITH_AES_256_CCM, "PSK-AES256-CCM", psk, aes256CCM12, nil, SHA256, in12},
	{wire.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256, "RSA-PSK-AES128-GCM-SHA256", rsaPSK, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_RSA_PSK_WITH_AES_256_GCM_SHA384, "RSA-PSK-AES256-GCM-SHA384", rsaPSK, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256, "RSA-PSK-CHACHA20-POLY1305", rsaPSK, chacha20, nil, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", rsa, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", rsa, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_RSA_WITH_AES_128_CCM, "AES128-CCM", rsa, aes128CCM12, nil, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_256_CCM, "AES256-CCM", rsa, aes256CCM12, nil, SHA256, in12},

	// Without forward secrecy, AEAD with a tag of 8 bytes.
	{wire.TLS_PSK_WITH_AES_128_CCM_8, "PSK-AES128-CCM8", psk, aes128ShortCCM12, nil, SHA256, in12},
	{wire.TLS_PSK_WITH_AES_256_CCM_8, "PSK-AES256-CCM8", psk, aes256ShortCCM12, nil, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_128_CCM_8, "AES128-CCM8", rsa, aes128ShortCCM12, nil, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_256_CCM_8, "AES256-CCM8", rsa, aes256ShortCCM12, nil, SHA256, in12},

	// Without forward secrecy, CBC.
	{wire.TLS_PSK_WITH_AES_128_CBC_SHA256, "PSK-AES128-CBC-SHA256", psk, aes128CBC, hmacSHA256, SHA256, from10},
	{wire.TLS_PSK_WITH_AES_256_CBC_SHA384, "PSK-AES256-CBC-SHA384", psk, aes256CBC, hmacSHA384, SHA384, from10},
	{wire.TLS_PSK_WITH_AES_128_CBC_SHA, "PSK-AES128-CBC-SHA", psk, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_PSK_WITH_AES_256_CBC_SHA, "PSK-AES256-CBC-SHA", psk, aes256CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_AES_128_CBC_SHA256, "RSA-PSK-AES128-CBC-SHA256", rsaPSK, aes128CBC, hmacSHA256, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_AES_256_CBC_SHA384, "RSA-PSK-AES256-CBC-SHA384", rsaPSK, aes256CBC, hmacSHA384, SHA384, from10},
	{wire.TLS_RSA_PSK_WITH_AES_128_CBC_SHA, "RSA-PSK-AES128-CBC-SHA", rsaPSK, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_AES_256_CBC_SHA, "RSA-PSK-AES256-CBC-SHA", rsaPSK, aes256CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", rsa, aes128CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_256_CBC_SHA256, "AES256-SHA256", rsa, aes256CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", rsa, aes128CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", rsa, aes256CBC, hmacSHA1, SHA256, from30},

	// Weak ciphers, forward secret.
	{wire.TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA, "ECDHE-ECDSA-DES-CBC3-SHA", ecdheECDSA, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, "ECDHE-RSA-DES-CBC3-SHA", ecdheRSA, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA, "DHE-RSA-DES-CBC3-SHA", dheRSA, tripleDES, hmacSHA1, SHA256, from30},
	{wire.TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA, "DHE-DSS-DES-CBC3-SHA", dheDSS, tripleDES, hmacSHA1, SHA256, from30},
	{wire.TLS_ECDHE_PSK_WITH_3DES_EDE_CBC_SHA, "ECDHE-PSK-3DES-EDE-CBC-SHA", ecdhePSK, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_3DES_EDE_CBC_SHA, "DHE-PSK-3DES-EDE-CBC-SHA", dhePSK, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, "ECDHE-ECDSA-RC4-SHA", ecdheECDSA, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_RSA_WITH_RC4_128_SHA, "ECDHE-RSA-RC4-SHA", ecdheRSA, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_PSK_WITH_RC4_128_SHA, "ECDHE-PSK-RC4-SHA", ecdhePSK, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_RC4_128_SHA, "DHE-PSK-RC4-SHA", dhePSK, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_RSA_WITH_DES_CBC_SHA, "DHE-RSA-DES-CBC-SHA", dheRSA, singleDES, hmacSHA1, SHA256, until11},
	{wire.TLS_DHE_DSS_WITH_DES_CBC_SHA, "DHE-DSS-DES-CBC-SHA", dheDSS, singleDES, hmacSHA1, SHA256, until11},

	// Weak ciphers.
	{wire.TLS_PSK_WITH_3DES_EDE_CBC_SHA, "PSK-3DES-EDE-CBC-SHA", psk, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_3DES_EDE_CBC_SHA, "RSA-PSK-3DES-EDE-CBC-SHA", rsaPSK, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_WITH_3DES_EDE_CBC_SHA, "DES-CBC3-SHA", rsa, tripleDES, hmacSHA1, SHA256, from30},
	{wire.TLS_PSK_WITH_RC4_128_SHA, "PSK-RC4-SHA", psk, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_RC4_128_SHA, "RSA-PSK-RC4-SHA", rsaPSK, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_WITH_RC4_128_SHA, "RC4-SHA", rsa, rc4128, hmacSHA1, SHA256, from30},
	{wire.TLS_RSA_WITH_RC4_128_MD5, "RC4-MD5", rsa, rc4128, hmacMD5, SHA256, from30},
	{wire.TLS_RSA_WITH_DES_CBC_SHA, "DES-CBC-SHA", rsa, singleDES, hmacSHA1, SHA256, until11},

	// Nobody is authenticated.
	{wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256, "ADH-AES128-GCM-SHA256", dhAnon, aes128GCM12, nil, SHA256, in12},
	{wire.TLS_DH_anon_WITH_AES_256_GCM_SHA384, "ADH-AES256-GCM-SHA384", dhAnon, aes256GCM12, nil, SHA384, in12},
	{wire.TLS_ECDH_anon_WITH_AES_128_CBC_SHA, "AECDH-AES128-SHA", ecdhAnon, aes128CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDH_anon_WITH_AES_256_CBC_SHA, "AECDH-AES256-SHA", ecdhAnon, aes256CBC, hmacSHA1, SHA256, from10},
	{wire.TLS_DH_anon_WITH_AES_128_CBC_SHA256, "ADH-AES128-SHA256", dhAnon, aes128CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_DH_anon_WITH_AES_256_CBC_SHA256, "ADH-AES256-SHA256", dhAnon, aes256CBC, hmacSHA256, SHA256, in12},
	{wire.TLS_DH_anon_WITH_AES_128_CBC_SHA, "ADH-AES128-SHA", dhAnon, aes128CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_DH_anon_WITH_AES_256_CBC_SHA, "ADH-AES256-SHA", dhAnon, aes256CBC, hmacSHA1, SHA256, from30},
	{wire.TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA, "AECDH-DES-CBC3-SHA", ecdhAnon, tripleDES, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDH_anon_WITH_RC4_128_SHA, "AECDH-RC4-SHA", ecdhAnon, rc4128, hmacSHA1, SHA256, from10},
	{wire.TLS_DH_anon_WITH_3DES_EDE_CBC_SHA, "ADH-DES-CBC3-SHA", dhAnon, tripleDES, hmacSHA1, SHA256, from30},
	{wire.TLS_DH_anon_WITH_RC4_128_MD5, "ADH-RC4-MD5", dhAnon, rc4128, hmacMD5, SHA256, from30},
	{wire.TLS_DH_anon_WITH_DES_CBC_SHA, "ADH-DES-CBC-SHA", dhAnon, singleDES, hmacSHA1, SHA256, until11},

	// Nothing is encrypted.
	{wire.TLS_ECDHE_ECDSA_WITH_NULL_SHA, "ECDHE-ECDSA-NULL-SHA", ecdheECDSA, null, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_RSA_WITH_NULL_SHA, "ECDHE-RSA-NULL-SHA", ecdheRSA, null, hmacSHA1, SHA256, from10},
	{wire.TLS_ECDHE_PSK_WITH_NULL_SHA384, "ECDHE-PSK-NULL-SHA384", ecdhePSK, null, hmacSHA384, SHA384, from10},
	{wire.TLS_ECDHE_PSK_WITH_NULL_SHA256, "ECDHE-PSK-NULL-SHA256", ecdhePSK, null, hmacSHA256, SHA256, from10},
	{wire.TLS_ECDHE_PSK_WITH_NULL_SHA, "ECDHE-PSK-NULL-SHA", ecdhePSK, null, hmacSHA1, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_NULL_SHA384, "DHE-PSK-NULL-SHA384", dhePSK, null, hmacSHA384, SHA384, from10},
	{wire.TLS_DHE_PSK_WITH_NULL_SHA256, "DHE-PSK-NULL-SHA256", dhePSK, null, hmacSHA256, SHA256, from10},
	{wire.TLS_DHE_PSK_WITH_NULL_SHA, "DHE-PSK-NULL-SHA", dhePSK, null, hmacSHA1, SHA256, from10},
	{wire.TLS_PSK_WITH_NULL_SHA384, "PSK-NULL-SHA384", psk, null, hmacSHA384, SHA384, from10},
	{wire.TLS_PSK_WITH_NULL_SHA256, "PSK-NULL-SHA256", psk, null, hmacSHA256, SHA256, from10},
	{wire.TLS_PSK_WITH_NULL_SHA, "PSK-NULL-SHA", psk, null, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_NULL_SHA384, "RSA-PSK-NULL-SHA384", rsaPSK, null, hmacSHA384, SHA384, from10},
	{wire.TLS_RSA_PSK_WITH_NULL_SHA256, "RSA-PSK-NULL-SHA256", rsaPSK, null, hmacSHA256, SHA256, from10},
	{wire.TLS_RSA_PSK_WITH_NULL_SHA, "RSA-PSK-NULL-SHA", rsaPSK, null, hmacSHA1, SHA256, from10},
	{wire.TLS_RSA_WITH_NULL_SHA256, "NULL-SHA256", rsa, null, hmacSHA256, SHA256, in12},
	{wire.TLS_RSA_WITH_NULL_SHA, "NULL-SHA", rsa, null, hmacSHA1, SHA256, from30},
	{wire.TLS_RSA_WITH_NULL_MD5, "NULL-MD5", rsa, null, hmacMD5, SHA256, from30},
	{wire.TLS_ECDH_anon_WITH_NULL_SHA, "AECDH-NULL-SHA", ecdhAnon, null, hmacSHA1, SHA256, from10},
}

var suites = func() []Suite {
	all := make([]Suite, len(table))
	for i, row := range table {
		s := &all[i]
		*s = Suite{
			ID: row.id, Name: row.id.String(), OpenSSLName: row.openSSL,
			KeyExchange: row.kx, Auth: row.auth, Cipher: row.cipher, MAC: row.mac, Hash: row.hash,
			Min: row.versions[0], Max: row.versions[1],
		}
		s.judge()
	}
	return all
}()
