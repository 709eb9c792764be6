package interop

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// keyFile makes a PKCS #12 file of the RSA certificate.
const keyFile = "openssl pkcs12 -export -in {CERT} -inkey {KEY} -name rsa -passout pass:x -out {DIR}/rsa.p12"

func gnutlsServer(name, priority string, args ...string) scanRow {
	return scanned("GnuTLS: "+name, "gnutls-serv", "gnutls-bin", append([]string{"--http", "-p", "{PORT}", "--priority", priority,
		"--x509certfile", "{CERT}", "--x509keyfile", "{KEY}"}, args...)...).prints("HTTP Server listening on IPv4 0.0.0.0 port {PORT}...done")
}

func nssServer(name, versions, suites string, args ...string) scanRow {
	return scanned("NSS: "+name, "selfserv", "libnss3-tools", append([]string{"-d", "sql:{DIR}/db", "-n", "rsa", "-p", "{PORT}", "-V", versions,
		"-c", suites, "-t", "8"}, args...)...).with("", "", keyFile, "mkdir {DIR}/db && certutil -N -d sql:{DIR}/db --empty-password && pk12util -i {DIR}/rsa.p12 -d sql:{DIR}/db -W x")
}

// javaServer takes no account of what Java itself switches off.
func javaServer(name, protocols, suites, order, client string) scanRow {
	source, _ := filepath.Abs(filepath.Join("testdata", "Serve.java")) // the folder is the package's
	return scanned("Java: "+name, "java", "default-jre-headless", "-XX:TieredStopAtLevel=1", "-Djdk.tls.ephemeralDHKeySize=legacy", "-Djava.security.properties={DIR}/security", source,
		"{PORT}", "{DIR}/rsa.p12", protocols, suites, order, client).
		with("security", "jdk.tls.disabledAlgorithms=\njdk.tls.legacyAlgorithms=\n", keyFile).prints("ready")
}

func nodeServer(name, options string) scanRow {
	return scanned("Node: "+name, "node", "nodejs", "-e", `const fs = require("fs");
require("https").createServer({cert: fs.readFileSync("{CERT}"), key: fs.readFileSync("{KEY}"), `+options+`}, (q, s) => {
  s.setHeader("Strict-Transport-Security", "max-age=31536000"); s.end("fine");
}).listen({PORT}, "127.0.0.1", 200, () => console.log("ready"));`).prints("ready")
}

var scanOthers = []scanRow{
	gnutlsServer("what it has by itself for TLS 1.3", "NORMAL:-VERS-ALL:+VERS-TLS1.3:%SERVER_PRECEDENCE").says(`
TLS 1.3: server: AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256 AES_128_GCM_SHA256 AES_128_CCM_SHA256
groups of TLS 1.3: ffdhe2048 ffdhe3072 ffdhe4096 ffdhe6144 ffdhe8192 secp256r1 secp384r1 secp521r1 x25519 x448
trusted: yes
`),
	gnutlsServer("TLS 1.0 to 1.2", "NONE:+VERS-TLS1.0:+VERS-TLS1.1:+VERS-TLS1.2:+AES-128-CBC:+3DES-CBC:+SHA1:+RSA:+ECDHE-RSA:+COMP-NULL:+SIGN-ALL:+GROUP-SECP256R1:%SERVER_PRECEDENCE", "--noticket").says(`
TLS 1.2: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
TLS 1.1: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
TLS 1.0: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
groups of TLS 1.2: secp256r1
session tickets up to TLS 1.2: no
encrypt-then-MAC: yes
extended master secret: yes
`).finding("suites-64bit beast tls10 tls11", ""),
	gnutlsServer("RC4 and NULL, demands a certificate", "NONE:+VERS-TLS1.2:+ARCFOUR-128:+NULL:+SHA1:+MD5:+RSA:+COMP-NULL:+SIGN-ALL:+GROUP-ALL:%NO_EXTENSIONS:%NO_ETM", "--require-client-cert", "--x509cafile", "{PKI}/ca.pem").says(`
TLS 1.2: client: RSA_WITH_NULL_MD5 RSA_WITH_NULL_SHA RSA_WITH_RC4_128_MD5 RSA_WITH_RC4_128_SHA
client certificate: required
`).finding("suites-rc4 suites-null", ""),

	nssServer("SSL 3.0 to TLS 1.0", "ssl3:tls1.0", ":0005:000A:002F").says(`
TLS 1.0: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
SSL 3.0: server: RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
`).finding("ssl3 tls10 beast suites-rc4 suites-64bit no-tls12", ""),
	nssServer("TLS 1.2 and 1.3, keys used again", "tls1.2:tls1.3", ":1301:1303:C02F:CCA8", "-U", "1", "-u", "-G", "-I", "P256,x25519", "-Q").says(`
TLS 1.3: server: AES_128_GCM_SHA256 CHACHA20_POLY1305_SHA256
TLS 1.2: server: ECDHE_RSA_WITH_AES_128_GCM_SHA256 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
groups of TLS 1.3: secp256r1 x25519
groups of TLS 1.2: secp256r1 x25519
ALPN: http/1.1
extended master secret: yes
`).finding("key-share-reused", "no-ems"),
	nssServer("TLS 1.1, asks for a certificate", "tls1.1:tls1.1", ":0035:C013", "-r").says(`
TLS 1.1: server: ECDHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA
client certificate: asked for
`).finding("tls11 no-tls12", ""),

	javaServer("TLS 1.2 and 1.3 in the server's order", "TLSv1.2,TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256,TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA", "server", "none").says(`
TLS 1.3: server: CHACHA20_POLY1305_SHA256 AES_128_GCM_SHA256
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_128_CBC_SHA
client certificate: no
trusted: yes
`).finding("suites-no-forward-secrecy", "suites-order tls11"),
	javaServer("SSL 3.0 to TLS 1.2, old suites, demands a certificate", "SSLv3,TLSv1,TLSv1.1,TLSv1.2", "SSL_RSA_WITH_3DES_EDE_CBC_SHA,SSL_RSA_EXPORT_WITH_RC4_40_MD5,SSL_RSA_WITH_RC4_128_SHA,SSL_DH_anon_WITH_DES_CBC_SHA,TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "client", "need").says(`
TLS 1.2: client: DHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
TLS 1.1: client: DHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
TLS 1.0: client: DHE_RSA_WITH_AES_128_CBC_SHA RSA_EXPORT_WITH_RC4_40_MD5 RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
SSL 3.0: client: DHE_RSA_WITH_AES_128_CBC_SHA RSA_EXPORT_WITH_RC4_40_MD5 RSA_WITH_3DES_EDE_CBC_SHA RSA_WITH_RC4_128_SHA
client certificate: required
`).finding("dh-small ssl3 suites-export suites-rc4 suites-64bit suites-order beast", ""),

	nodeServer("TLS 1.2 and 1.3", `minVersion: "TLSv1.2", honorCipherOrder: true, ciphers: "TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256", ecdhCurve: "P-384:X25519"`).says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.3: secp384r1 x25519
groups of TLS 1.2: secp384r1 x25519
ALPN: http/1.1
trusted: yes
`).finding("", "no-hsts suites-order"),
	nodeServer("TLS 1.0 to 1.2, demands a certificate", `minVersion: "TLSv1", maxVersion: "TLSv1.2", honorCipherOrder: false, ciphers: "AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0", requestCert: true, rejectUnauthorized: true, ca: fs.readFileSync("{PKI}/ca.pem")`).says(`
TLS 1.2: client: ECDHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_128_CBC_SHA
TLS 1.1: client: ECDHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_128_CBC_SHA
TLS 1.0: client: ECDHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_128_CBC_SHA
client certificate: required
`).finding("tls10 tls11 beast suites-order", ""),
}

// startingAs is a server of TestStartTLS with more arguments, and lines in its file.
func startingAs(name string, turn int, lines string, args ...string) scanRow {
	for _, s := range clearServers {
		if s.name != name {
			continue
		}
		files := map[string]string{}
		for file, content := range s.files {
			if file != "master.cf" {
				content = strings.Replace(content+lines, "ssl_ciphers=HIGH\n", "", 1)
			}
			files[file] = content
		}
		s.files, s.run = files, append(append([]string{}, s.run...), args...)
		s.name += ": " + s.turns[turn].protocol
		s.turns = append([]clearTurn{}, s.turns...)
		return scanRow{clearServer: s, root: true, turn: turn}
	}
	return scanRow{clearServer: clearServer{name: name, program: name}} // which the test misses
}

// newsServer is INN with more lines of its configuration.
func newsServer(lines string) scanRow {
	s := chatServers[slices.IndexFunc(chatServers, func(s clearServer) bool { return s.name == "INN" })]
	s.files = maps.Clone(s.files)
	s.files["inn.conf"] += lines
	return scanRow{clearServer: s, root: true}
}

var scanMail = []scanRow{
	startingAs("Postfix", 0, "smtpd_tls_protocols = TLSv1.2\ntls_preempt_cipherlist = yes\ntls_high_cipherlist = ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256\nsmtpd_tls_ciphers = high\nsmtpd_tls_eecdh_grade = auto\ntls_eecdh_auto_curves = X25519 prime256v1\n").says(`
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: secp256r1 x25519
trusted: yes
`).finding("suites-no-forward-secrecy no-tls13", "no-hsts suites-cbc"),
	startingAs("Dovecot", 0, dovecotTLS).says(`
TLS 1.3: server: `+default13+`
TLS 1.2: server: ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: secp384r1
trusted: yes
`).finding("", "no-hsts suites-cbc"),
	startingAs("OpenLDAP", 0, "TLSCipherSuite NONE:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+AEAD:+ECDHE-RSA:+COMP-NULL:+SIGN-ALL:+GROUP-SECP384R1:+GROUP-X25519:%SERVER_PRECEDENCE\n").says(`
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: secp384r1 x25519
trusted: yes
`),
	startingAs("PostgreSQL", 0, "", "-c", "ssl_ciphers=ECDHE-RSA-AES256-GCM-SHA384:AES256-GCM-SHA384", "-c", "ssl_max_protocol_version=TLSv1.2", "-c", "ssl_ecdh_curve=secp521r1").says(`
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_256_GCM_SHA384
groups of TLS 1.2: secp521r1
trusted: yes
`).finding("suites-no-forward-secrecy", ""),
	startingAs("MariaDB", 0, "", "--tls-version=TLSv1.2,TLSv1.3", "--ssl-cipher=ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256").says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: ECDHE_RSA_WITH_AES_128_GCM_SHA256
trusted: yes
`),
	newsServer("tlsprotocols: [ TLSv1.2 ]\ntlsciphers: \"ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256\"\ntlseccurve: secp384r1\n").says(`
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: secp384r1
trusted: yes
`).finding("suites-no-forward-secrecy no-tls13", "no-hsts suites-cbc"),
	startingAs("vsftpd", 0, "ssl_ciphers=ECDHE-RSA-AES256-GCM-SHA384:AES256-SHA\n").says(`
TLS 1.3: client: `+all13+`
TLS 1.2: client: ECDHE_RSA_WITH_AES_256_GCM_SHA384 RSA_WITH_AES_256_CBC_SHA
trusted: yes
`).finding("suites-cbc", ""),
}

// default13 are the suites of TLS 1.3 that OpenSSL has by default, in its order.
const default13 = "AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256 AES_128_GCM_SHA256"

const dovecotTLS = "ssl_min_protocol = TLSv1.2\nssl_cipher_list = ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256\nssl_prefer_server_ciphers = yes\nssl_curve_list = P-384\n"
