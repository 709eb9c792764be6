package interop

import "strings"

// pemOfBoth joins a certificate and its key in one file, as HAProxy and stunnel want them.
const pemOfBoth = "cat {CERT} {KEY} > {DIR}/both.pem"

// nginxServer is nginx with lines of a server block.
func nginxServer(name, lines string) scanRow {
	return scanned("nginx: "+name, "/usr/sbin/nginx", "nginx", "-p", "{DIR}", "-c", "{DIR}/nginx.conf", "-e", "stderr").with("nginx.conf", `
daemon off;
master_process off;
pid {DIR}/pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path {DIR}/body; proxy_temp_path {DIR}/proxy; fastcgi_temp_path {DIR}/fastcgi; uwsgi_temp_path {DIR}/uwsgi; scgi_temp_path {DIR}/scgi;
  server {
    listen 127.0.0.1:{PORT} ssl LISTEN;
    ssl_certificate {CERT}; ssl_certificate_key {KEY};
    location / { return 200 "fine"; default_type text/plain; }
`+lines+"\n  }\n}\n")
}

// apacheServer is Apache with lines of a virtual host.
func apacheServer(name, lines string) scanRow {
	var modules strings.Builder
	for _, m := range strings.Fields("mpm_event authz_core ssl socache_shmcb alias headers") {
		modules.WriteString("LoadModule " + m + "_module /usr/lib/apache2/modules/mod_" + m + ".so\n")
	}
	row := scanned("Apache: "+name, "/usr/sbin/apache2", "apache2", "-X", "-f", "{DIR}/apache.conf").with("apache.conf", modules.String()+`
ServerRoot {DIR}
DefaultRuntimeDir {DIR}
ServerName localhost
PidFile {DIR}/pid
User www-data
Group www-data
ErrorLog /dev/stderr
Listen 127.0.0.1:{PORT}
SSLSessionCache shmcb:{DIR}/cache(512000)
SSLStaplingCache shmcb:{DIR}/stapling(128000)
<VirtualHost 127.0.0.1:{PORT}>
  SSLEngine on
  SSLCertificateFile {CERT}
  SSLCertificateKeyFile {KEY}
  Redirect /there https://localhost/
`+lines+"\n</VirtualHost>\n")
	row.root = true
	return row
}

func haproxyServer(name, bind string) scanRow {
	return scanned("HAProxy: "+name, "/usr/sbin/haproxy", "haproxy", "-db", "-f", "{DIR}/haproxy.cfg").with("haproxy.cfg", `
global
  maxconn 200
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 10s
frontend all
  bind 127.0.0.1:{PORT} ssl crt {DIR}/both.pem `+bind+`
  http-request return status 200 content-type text/plain string "fine"
`, pemOfBoth)
}

func stunnelServer(name, lines string) scanRow {
	return scanned("stunnel: "+name, "/usr/bin/stunnel", "stunnel4", "{DIR}/stunnel.conf").with("stunnel.conf", `
foreground = yes
pid =
[all]
accept = 127.0.0.1:{PORT}
exec = /bin/cat
execArgs = cat
cert = {DIR}/both.pem
`+lines+"\n", pemOfBoth)
}

var scanHTTP = []scanRow{
	nginxServer("intermediate", `
    ssl_protocols TLSv1.2 TLSv1.3; ssl_prefer_server_ciphers on; ssl_session_tickets off; ssl_session_cache shared:a:1m; ssl_session_timeout 10m;
    ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305;
    ssl_ecdh_curve X25519:P-256:P-384;
    add_header Strict-Transport-Security "max-age=63072000" always;`).listening("http2").says(`
TLS 1.3: server: AES_256_GCM_SHA384 CHACHA20_POLY1305_SHA256 AES_128_GCM_SHA256
TLS 1.2: server: ECDHE_RSA_WITH_AES_128_GCM_SHA256 ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
groups of TLS 1.3: secp256r1 secp384r1 x25519
groups of TLS 1.2: secp256r1 secp384r1 x25519
ALPN: h2 http/1.1 http/1.0 http/0.9
software: nginx/1.22.1
session tickets up to TLS 1.2: no
session IDs: yes; taken again
trusted: yes
renegotiation by the client: no
`).finding("no-hybrid", "no-hsts suites-cbc suites-no-forward-secrecy suites-order dh-1024"),
	nginxServer("of yesterday", `
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2; ssl_prefer_server_ciphers on; ssl_session_cache off;
    ssl_ciphers DHE-RSA-AES128-SHA:AES256-SHA:ECDHE-RSA-AES128-SHA256@SECLEVEL=0; ssl_dhparam {DH1024};`).listening("").says(`
TLS 1.2: server: DHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA ECDHE_RSA_WITH_AES_128_CBC_SHA256
TLS 1.1: server: DHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA
TLS 1.0: server: DHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA
DH: 1024 bits RFC 2409 group 2
session IDs: no
ALPN: http/1.1 http/1.0 http/0.9
`).finding("dh-1024 beast tls10 tls11 no-tls13 suites-cbc no-hsts", "dh-small dh-not-prime dh-unsafe no-tls12"),
	nginxServer("a certificate of the client", `
    ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384; ssl_client_certificate {PKI}/ca.pem; ssl_verify_client on;`).listening("").says(`
TLS 1.2: ECDHE_RSA_WITH_AES_256_GCM_SHA384
client certificate: asked for
`),
	nginxServer("a stapled response, a prime that is not safe", `
    ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES256-GCM-SHA384@SECLEVEL=0; ssl_dhparam {DIR}/dh;
    ssl_stapling on; ssl_stapling_file {DIR}/staple;`).with("", "", opensslStaple, "openssl dhparam -dsaparam -out {DIR}/dh 1024 2>/dev/null").listening("").says(`
TLS 1.2: DHE_RSA_WITH_AES_256_GCM_SHA384
DH: 1024 bits
stapled OCSP response: yes
`).finding("dh-unsafe dh-1024", "dh-not-prime"),

	apacheServer("in the server's order", `
  SSLProtocol -all +TLSv1.2 +TLSv1.3
  SSLHonorCipherOrder on
  SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:AES128-SHA256
  SSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384
  SSLSessionTickets off
  Header always set Strict-Transport-Security "max-age=31536000"`).says(`
TLS 1.3: server: AES_128_GCM_SHA256 AES_256_GCM_SHA384
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 DHE_RSA_WITH_AES_128_GCM_SHA256 RSA_WITH_AES_128_CBC_SHA256
session tickets up to TLS 1.2: no
session IDs: yes; taken again
client certificate: no
trusted: yes
`).finding("suites-no-forward-secrecy suites-cbc", "no-hsts suites-order reneg-client"),
	apacheServer("demands a certificate, TLS 1.1 too", `
  SSLProtocol -all +TLSv1.1 +TLSv1.2
  SSLHonorCipherOrder off
  SSLCipherSuite ECDHE-RSA-AES128-SHA:AES256-SHA:@SECLEVEL=0
  SSLVerifyClient require
  SSLCACertificateFile {PKI}/ca.pem`).says(`
TLS 1.2: client: ECDHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA
TLS 1.1: client: ECDHE_RSA_WITH_AES_128_CBC_SHA RSA_WITH_AES_256_CBC_SHA
client certificate: required
`).finding("tls11 suites-order", "tls10"),

	haproxyServer("the server's order, HTTP/2", "alpn h2,http/1.1 ssl-min-ver TLSv1.2 no-tls-tickets ciphers ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256 ciphersuites TLS_AES_128_GCM_SHA256 curves P-256:X25519").says(`
TLS 1.3: AES_128_GCM_SHA256
TLS 1.2: server: ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.3: secp256r1 x25519
groups of TLS 1.2: secp256r1 x25519
ALPN: h2 http/1.1
session tickets up to TLS 1.2: no
trusted: yes
`).finding("no-hsts", "suites-cbc suites-order"),
	haproxyServer("TLS 1.0 to 1.2 in the client's order", "ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.2 prefer-client-ciphers ciphers DHE-RSA-AES256-SHA:AES128-SHA@SECLEVEL=0").says(`
TLS 1.2: client: DHE_RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA
TLS 1.1: client: DHE_RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA
TLS 1.0: client: DHE_RSA_WITH_AES_256_CBC_SHA RSA_WITH_AES_128_CBC_SHA
`).finding("tls10 tls11 beast suites-order", "dh-small dh-1024"),

	stunnelServer("TLS 1.2 alone", "sslVersion = TLSv1.2\nciphers = ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256\ncurves = P-384\noptions = CIPHER_SERVER_PREFERENCE\noptions = NO_TICKET").says(`
TLS 1.2: server: ECDHE_RSA_WITH_AES_256_GCM_SHA384 ECDHE_RSA_WITH_AES_128_GCM_SHA256
groups of TLS 1.2: secp384r1
session tickets up to TLS 1.2: no
trusted: yes
`).finding("no-tls13", "no-hsts suites-cbc"),
	stunnelServer("demands a certificate", "sslVersionMin = TLSv1.2\nciphers = ECDHE-RSA-AES256-GCM-SHA384\nciphersuites = TLS_AES_256_GCM_SHA384\nverifyChain = yes\nCAfile = {PKI}/ca.pem").says(`
TLS 1.3: AES_256_GCM_SHA384
TLS 1.2: ECDHE_RSA_WITH_AES_256_GCM_SHA384
client certificate: required
`),
}

// listening fills in what nginx's listen has besides ssl.
func (r scanRow) listening(how string) scanRow {
	for name, content := range r.files {
		r.files[name] = strings.Replace(content, " LISTEN", strings.TrimRight(" "+how, " "), 1)
	}
	return r
}
