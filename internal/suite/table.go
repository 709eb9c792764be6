package suite

import "github.com/vitrine-tls/vitrine/wire"

const (
	whyCBC = "CBC mode with MAC-then-encrypt has been broken through its padding again and again (Lucky 13)"
	whyRSA = "RSA key exchange has no forward secrecy, and a server that decrypts is a Bleichenbacher oracle waiting for a slip"
)

var rsaKeyExchange = []string{"RSAKeyExchange"}

// suites is the table, strongest first. Numbers and names: the IANA registry
// "TLS Cipher Suites". RFC 8446 §B.4; RFC 5289 §3 and RFC 7905 §2; RFC 8422 §6;
// RFC 5288 §3 and RFC 5246 §A.5. A suite whose name ends in _SHA names its MAC
// alone: TLS 1.2 runs SHA-256 in the PRF for it, RFC 5246 §5.
var suites = [...]Suite{
	{ID: wire.TLS_AES_128_GCM_SHA256, Name: "TLS_AES_128_GCM_SHA256", OpenSSLName: "TLS_AES_128_GCM_SHA256",
		KeyExchange: wire.KeyExchangeNone, Auth: AuthAny, Cipher: aes128GCM13, Hash: SHA256,
		Min: wire.TLS13, Max: wire.TLS13, Default: true},
	{ID: wire.TLS_AES_256_GCM_SHA384, Name: "TLS_AES_256_GCM_SHA384", OpenSSLName: "TLS_AES_256_GCM_SHA384",
		KeyExchange: wire.KeyExchangeNone, Auth: AuthAny, Cipher: aes256GCM13, Hash: SHA384,
		Min: wire.TLS13, Max: wire.TLS13, Default: true},
	{ID: wire.TLS_CHACHA20_POLY1305_SHA256, Name: "TLS_CHACHA20_POLY1305_SHA256", OpenSSLName: "TLS_CHACHA20_POLY1305_SHA256",
		KeyExchange: wire.KeyExchangeNone, Auth: AuthAny, Cipher: chacha20, Hash: SHA256,
		Min: wire.TLS13, Max: wire.TLS13, Default: true},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, Name: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", OpenSSLName: "ECDHE-ECDSA-AES128-GCM-SHA256",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: aes128GCM12, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Default: true},
	{ID: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", OpenSSLName: "ECDHE-RSA-AES128-GCM-SHA256",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: aes128GCM12, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Default: true},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, Name: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", OpenSSLName: "ECDHE-ECDSA-AES256-GCM-SHA384",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: aes256GCM12, Hash: SHA384,
		Min: wire.TLS12, Max: wire.TLS12, Default: true},
	{ID: wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, Name: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", OpenSSLName: "ECDHE-RSA-AES256-GCM-SHA384",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: aes256GCM12, Hash: SHA384,
		Min: wire.TLS12, Max: wire.TLS12, Default: true},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, Name: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", OpenSSLName: "ECDHE-ECDSA-CHACHA20-POLY1305",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: chacha20, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Default: true},
	{ID: wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, Name: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", OpenSSLName: "ECDHE-RSA-CHACHA20-POLY1305",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: chacha20, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Default: true},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, Name: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", OpenSSLName: "ECDHE-ECDSA-AES128-SHA256",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: aes128CBC, MAC: hmacSHA256, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, Name: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", OpenSSLName: "ECDHE-RSA-AES128-SHA256",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: aes128CBC, MAC: hmacSHA256, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, Name: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", OpenSSLName: "ECDHE-ECDSA-AES256-SHA384",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: aes256CBC, MAC: hmacSHA384, Hash: SHA384,
		Min: wire.TLS12, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, Name: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", OpenSSLName: "ECDHE-RSA-AES256-SHA384",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: aes256CBC, MAC: hmacSHA384, Hash: SHA384,
		Min: wire.TLS12, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, Name: "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", OpenSSLName: "ECDHE-ECDSA-AES128-SHA",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: aes128CBC, MAC: hmacSHA1, Hash: SHA256,
		Min: wire.TLS10, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, Name: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", OpenSSLName: "ECDHE-RSA-AES128-SHA",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: aes128CBC, MAC: hmacSHA1, Hash: SHA256,
		Min: wire.TLS10, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, Name: "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", OpenSSLName: "ECDHE-ECDSA-AES256-SHA",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthECDSA, Cipher: aes256CBC, MAC: hmacSHA1, Hash: SHA256,
		Min: wire.TLS10, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, Name: "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", OpenSSLName: "ECDHE-RSA-AES256-SHA",
		KeyExchange: wire.KeyExchangeECDHE, Auth: AuthRSA, Cipher: aes256CBC, MAC: hmacSHA1, Hash: SHA256,
		Min: wire.TLS10, Max: wire.TLS12, WhyNot: whyCBC},
	{ID: wire.TLS_RSA_WITH_AES_128_GCM_SHA256, Name: "TLS_RSA_WITH_AES_128_GCM_SHA256", OpenSSLName: "AES128-GCM-SHA256",
		KeyExchange: wire.KeyExchangeRSA, Auth: AuthRSA, Cipher: aes128GCM12, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Switches: rsaKeyExchange, WhyNot: whyRSA},
	{ID: wire.TLS_RSA_WITH_AES_256_GCM_SHA384, Name: "TLS_RSA_WITH_AES_256_GCM_SHA384", OpenSSLName: "AES256-GCM-SHA384",
		KeyExchange: wire.KeyExchangeRSA, Auth: AuthRSA, Cipher: aes256GCM12, Hash: SHA384,
		Min: wire.TLS12, Max: wire.TLS12, Switches: rsaKeyExchange, WhyNot: whyRSA},
	{ID: wire.TLS_RSA_WITH_AES_128_CBC_SHA256, Name: "TLS_RSA_WITH_AES_128_CBC_SHA256", OpenSSLName: "AES128-SHA256",
		KeyExchange: wire.KeyExchangeRSA, Auth: AuthRSA, Cipher: aes128CBC, MAC: hmacSHA256, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Switches: rsaKeyExchange, WhyNot: whyRSA},
	{ID: wire.TLS_RSA_WITH_AES_256_CBC_SHA256, Name: "TLS_RSA_WITH_AES_256_CBC_SHA256", OpenSSLName: "AES256-SHA256",
		KeyExchange: wire.KeyExchangeRSA, Auth: AuthRSA, Cipher: aes256CBC, MAC: hmacSHA256, Hash: SHA256,
		Min: wire.TLS12, Max: wire.TLS12, Switches: rsaKeyExchange, WhyNot: whyRSA},
	{ID: wire.TLS_RSA_WITH_AES_128_CBC_SHA, Name: "TLS_RSA_WITH_AES_128_CBC_SHA", OpenSSLName: "AES128-SHA",
		KeyExchange: wire.KeyExchangeRSA, Auth: AuthRSA, Cipher: aes128CBC, MAC: hmacSHA1, Hash: SHA256,
		Min: wire.SSL30, Max: wire.TLS12, Switches: rsaKeyExchange, WhyNot: whyRSA},
	{ID: wire.TLS_RSA_WITH_AES_256_CBC_SHA, Name: "TLS_RSA_WITH_AES_256_CBC_SHA", OpenSSLName: "AES256-SHA",
		KeyExchange: wire.KeyExchangeRSA, Auth: AuthRSA, Cipher: aes256CBC, MAC: hmacSHA1, Hash: SHA256,
		Min: wire.SSL30, Max: wire.TLS12, Switches: rsaKeyExchange, WhyNot: whyRSA},
}
