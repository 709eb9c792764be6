package interop

import "strings"

// ossl is OpenSSL's s_server with an RSA certificate, unless args name another.
func ossl(name, args string) scanRow {
	run := strings.Fields("s_server -accept 127.0.0.1:{PORT} " + args)
	if !strings.Contains(args, "-early_data") { // with which it serves no pages
		run = append(run, "-www")
	}
	if !strings.Contains(" "+args, " -cert ") && !strings.Contains(args, "-nocert") {
		run = append(run, "-cert", "{CERT}", "-key", "{KEY}")
	}
	return scanned("openssl: "+name, "openssl", "openssl", run...).prints("ACCEPT")
}

// opensslStaple has OpenSSL sign that the RSA certificate is good.
const opensslStaple = "printf 'V\\t%s\\t\\t02\\tunknown\\t/CN=rsa\\n' $(date -u -d '+2 days' +%y%m%d%H%M%SZ) > {DIR}/index && " +
	"openssl ocsp -index {DIR}/index -rsigner {PKI}/ca.pem -rkey {PKI}/ca.key -CA {PKI}/ca.pem -issuer {PKI}/ca.pem -cert {PKI}/rsa.pem -respout {DIR}/staple -ndays 1 -noverify"

// all13 are the suites of TLS 1.3 that OpenSSL has by default, sorted.
const all13 = "AES_128_GCM_SHA256 AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256"

var scanOpenSSL = []scanRow{
	ossl("as installed", "").says(`
TLS 1.3: client: `+all13+`
TLS 1.2: client: DHE_RSA_WITH_AES_128_CBC_SHA DHE_RSA_WITH_AES_128_CBC_SHA256 DHE_RSA_WITH_AES_128_GCM_SHA256
	DHE_RSA_WITH_AES_256_CBC_SHA DHE_RSA_WITH_AES_256_CBC_SHA256 DHE_RSA_WITH_AES_256_GCM_SHA384 DHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA256 ECDHE_RSA_WITH_AES_128_GCM_SHA256
	ECDHE_RSA_WITH_AES_256_CBC_SHA ECDHE_RSA_WITH_AES_256_CBC_SHA384 ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_128_CBC_SHA256 RSA_WITH_AES_128_GCM_SHA256 RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_256_CBC_SHA256 RSA_WITH_AES_256_GCM_SHA384
groups of TLS 1.3: ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192 secp256r1 secp384r1 secp521r1 x25519 x448
groups of TLS 1.2: secp256r1 secp384r1 secp521r1 x25519 x448
trusted: yes
keys: RSA, 2048 bits
client certificate: no
TLS compression: no
TLS_FALLBACK_SCSV: heeded
downgrade sentinel: yes
extended master secret: yes
encrypt-then-MAC: yes
secure renegotiation (RFC 5746): yes
renegotiation by the client: no
session IDs: yes; taken again
session tickets up to TLS 1.2: yes, for 2 hours; taken again
tickets of TLS 1.3: yes, for 2 hours; taken again
early data (0-RTT): no
stapled OCSP response: no
unknown values: passed over
HelloRetryRequest: yes: it asks for a group that it likes
`).finding("suites-cbc suites-no-forward-secrecy no-hybrid no-hsts", "suites-null suites-anon tls10 no-tls13 no-ems"),

	ossl("TLS 1.0 alone", "-tls1 -cipher AES128-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0").says(`
TLS 1.0: client: ECDHE_RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA
client certificate: no
`).finding("tls10 beast no-tls12", "no-tls13 tls11 ssl3"),

	ossl("TLS 1.1 alone", "-tls1_1 -serverpref -cipher AES256-SHA:AES128-SHA:@SECLEVEL=0").says(`
TLS 1.1: server: RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA
`).finding("tls11 no-tls12 suites-no-forward-secrecy", "tls10 beast"),

	ossl("TLS 1.2 alone, one suite, one curve", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 -groups P-521").says(`
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: secp521r1
`).finding("no-tls13", "no-tls12 suites-cbc suites-no-forward-secrecy"),

	ossl("TLS 1.3 alone, CCM too", "-tls1_3 -serverpref -ciphersuites TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384 -groups X448:ffdhe3072").says(`
TLS 1.3: server: AES_128_CCM_SHA256 AES_128_CCM_8_SHA256 AES_256_GCM_SHA384
groups of TLS 1.3: ffdhe3072 x448
`),

	ossl("TLS 1.0 to 1.3 in the server's order", "-min_protocol TLSv1 -serverpref -ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256 -cipher AES256-SHA:ECDHE-RSA-CHACHA20-POLY1305:AES128-GCM-SHA256:@SECLEVEL=0").says(`
TLS 1.3: server: CHACHA20_POLY1305_SHA256 AES_128_GCM_SHA256
TLS 1.2: server: RSA_WITH_AES_256_CBC_SHA ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 RSA_WITH_AES_128_GCM_SHA256
TLS 1.1: RSA_WITH_AES_256_CBC_SHA
TLS 1.0: RSA_WITH_AES_256_CBC_SHA
`).finding("tls10 tls11 beast", "no-tls12 suites-order"),

	ossl("nothing encrypted, nobody authenticated", "-nocert -tls1_2 -cipher AECDH-NULL-SHA:ADH-AES128-SHA:ADH-CAMELLIA256-SHA256:@SECLEVEL=0").says(`
TLS 1.2: client: DH_anon_WITH_AES_128_CBC_SHA DH_anon_WITH_CAMELLIA_256_CBC_SHA256 ECDH_anon_WITH_NULL_SHA
`).finding("suites-null suites-anon", ""),

	ossl("NULL, ARIA, Camellia, CCM and CHACHA20 with RSA", "-tls1_2 -cipher NULL-SHA256:NULL-MD5:ARIA256-GCM-SHA384:ECDHE-ARIA128-GCM-SHA256:CAMELLIA128-SHA256:AES256-CCM8:DHE-RSA-AES128-CCM:@SECLEVEL=0").says(`
TLS 1.2: client: DHE_RSA_WITH_AES_128_CCM ECDHE_RSA_WITH_ARIA_128_GCM_SHA256 RSA_WITH_AES_256_CCM_8 RSA_WITH_ARIA_256_GCM_SHA384 RSA_WITH_CAMELLIA_128_CBC_SHA256 RSA_WITH_NULL_MD5 RSA_WITH_NULL_SHA256
`).finding("suites-null suites-no-forward-secrecy", "suites-anon"),

	ossl("DHE of 1024 bits", "-tls1_2 -cipher DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0 -dhparam {DH1024}").says(`
TLS 1.2: DHE_RSA_WITH_AES_256_GCM_SHA384
DH: 1024 bits RFC 2409 group 2
`).finding("dh-1024", "dh-small dh-unsafe dh-not-prime"),

	ossl("no DHE, no tickets, no session IDs", "-no_dhe -no_ticket -no_cache -tls1_2").says(`
TLS 1.2: client: ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA256 ECDHE_RSA_WITH_AES_128_GCM_SHA256
	ECDHE_RSA_WITH_AES_256_CBC_SHA ECDHE_RSA_WITH_AES_256_CBC_SHA384 ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
	RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_128_CBC_SHA256 RSA_WITH_AES_128_GCM_SHA256 RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_256_CBC_SHA256 RSA_WITH_AES_256_GCM_SHA384
session IDs: no
session tickets up to TLS 1.2: no
DH: 
`),

	ossl("no encrypt-then-MAC, the client may renegotiate", "-tls1_2 -no_etm -client_renegotiation -cipher ECDHE-RSA-AES128-SHA").says(`
TLS 1.2: ECDHE_RSA_WITH_AES_128_CBC_SHA
encrypt-then-MAC: no
renegotiation by the client: yes
without a name: 
`).finding("reneg-client suites-cbc", "reneg-unannounced"),

	ossl("renegotiation without RFC 5746", "-tls1_2 -legacy_renegotiation -client_renegotiation -cipher ECDHE-RSA-AES128-GCM-SHA256").says(`
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
`).finding("reneg-insecure reneg-client", ""),

	ossl("asks for a certificate", "-verify 3 -CAfile {PKI}/ca.pem -ciphersuites TLS_AES_128_GCM_SHA256 -cipher ECDHE-RSA-AES128-GCM-SHA256").says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
client certificate: asked for
`),

	ossl("demands a certificate", "-Verify 3 -verify_return_error -CAfile {PKI}/ca.pem -ciphersuites TLS_AES_128_GCM_SHA256 -cipher ECDHE-RSA-AES128-GCM-SHA256").says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
client certificate: required
`),

	ossl("a stapled response", "-status_file {DIR}/staple -ciphersuites TLS_AES_128_GCM_SHA256 -cipher ECDHE-RSA-AES128-GCM-SHA256").with("", "", opensslStaple).says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
stapled OCSP response: yes
trusted: yes
`),

	ossl("two certificates", "-cert {PKI}/rsa.pem -key {PKI}/rsa.key -dcert {PKI}/p384.pem -dkey {PKI}/p384.key -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256:AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256").says(`
TLS 1.2: client: ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 ECDHE_RSA_WITH_AES_128_GCM_SHA256 RSA_WITH_AES_128_GCM_SHA256
keys: ECDSA, P-384, RSA, 2048 bits
trusted: yes
`),

	ossl("Ed25519, ALPN", "-cert {PKI}/ed25519.pem -key {PKI}/ed25519.key -ciphersuites TLS_AES_128_GCM_SHA256 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 -alpn h2,http/1.1").says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
keys: Ed25519
schemes: ed25519
ALPN: h2 http/1.1
trusted: yes
`),

	ossl("an RSA key for PSS alone", "-cert {PKI}/rsassa-pss.pem -key {PKI}/rsassa-pss.key -ciphersuites TLS_AES_128_GCM_SHA256 -cipher ECDHE-RSA-AES128-GCM-SHA256").says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
schemes: rsa_pss_pss_sha256 rsa_pss_pss_sha384 rsa_pss_pss_sha512
`),

	ossl("Ed448", "-cert {PKI}/ed448.pem -key {PKI}/ed448.key -tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256").says(`
TLS 1.3: AES_128_GCM_SHA256
schemes: ed448
`),

	ossl("early data", "-tls1_3 -early_data -max_early_data 4096 -ciphersuites TLS_AES_128_GCM_SHA256").says(`
TLS 1.3: AES_128_GCM_SHA256
early data (0-RTT): yes, up to 4096 bytes
`).finding("early-data", ""),

	ossl("brainpool and binary curves", "-tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -groups brainpoolP384r1:secp256k1:sect283k1:P-192").says(`
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: brainpoolP384r1 secp192r1 secp256k1 sect283k1
keys: RSA, 2048 bits
trusted: yes
unknown values: passed over
without a name: 
`).finding("group-weak", ""),

	ossl("a key of 1024 bits, signatures over SHA-1 alone", "-cert {PKI}/rsa1024.pem -key {PKI}/rsa1024.key -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0 -sigalgs RSA+SHA1").says(`
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
keys: RSA, 1024 bits
schemes: rsa_pkcs1_sha1
`).finding("signature-sha1 chain", ""),

	ossl("pre-shared keys", "-nocert -tls1_2 -psk 0102030405060708090a0b0c0d0e0f10 -cipher PSK-AES128-GCM-SHA256:ECDHE-PSK-AES128-CBC-SHA256:DHE-PSK-AES256-GCM-SHA384").says(`
TLS 1.2: client: DHE_PSK_WITH_AES_256_GCM_SHA384 ECDHE_PSK_WITH_AES_128_CBC_SHA256 PSK_WITH_AES_128_GCM_SHA256
`),
}
