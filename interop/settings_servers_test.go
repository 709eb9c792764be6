package interop

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// settingChecks are the programs that check a file by themselves, and the libraries that read
// settings when they start.
var settingChecks = []settingCheck{
	{"nginx", "nginx", "nginx", checkNginx},
	{"apache", "apache2", "apache2", checkApache},
	{"haproxy", "haproxy", "haproxy", checkHAProxy},
	{"caddy", "caddy", "caddy", checkCaddy},
	{"stunnel", "stunnel", "stunnel4", checkStunnel},
	{"postfix", "postconf", "postfix", checkPostfix},
	{"dovecot", "doveconf", "dovecot-core", checkDovecot},
	{"postgresql", "postgres", "postgresql", checkPostgreSQL},
	{"openssl", "openssl", "openssl", checkOpenSSL},
	{"gnutls", "gnutls-cli", "gnutls-bin", checkGnuTLS},
	{"curl", "curl", "curl", checkCurl},
	{"go", "go", "golang", checkGo},
	{"java", "java", "default-jdk-headless", checkJava},
	{"node", "node", "nodejs", checkNode},
}

// byCommand reports lines that are a command of certbot's or of a running server.
func byCommand(lines string) bool {
	return strings.HasPrefix(lines, "certbot ") || strings.HasPrefix(lines, "kill ") || strings.HasPrefix(lines, "pg_ctl ")
}

var (
	ownCertificate = regexp.MustCompile(`(?m)^ssl_certificate `)
	ownKey         = regexp.MustCompile(`(?m)^ssl_certificate_key `)
)

func checkNginx(t *testing.T, dir, _, lines string) {
	if byCommand(lines) {
		return
	}
	server, rest := blocks(lines, "server")
	if !ownCertificate.MatchString(rest) {
		rest += "ssl_certificate " + writtenPEM(t, dir) + ";\n"
	}
	if !ownKey.MatchString(rest) {
		rest += "ssl_certificate_key " + writtenPEM(t, dir) + ";\n"
	}
	if !strings.Contains(rest, "listen") {
		rest += "listen 127.0.0.1:65533 ssl;\n"
	}
	conf := "pid " + dir + "/pid;\nevents {}\nhttp {\n" + server["server"] + "server {\n" + rest + "location / { return 200; }\n}\n}\n"
	mustRun(t, dir, nil, "nginx", "-t", "-e", "stderr", "-p", dir, "-c", written(t, dir, "nginx.conf", conf))
}

// writtenPEM writes a certificate and its key as one file of dir.
func writtenPEM(t *testing.T, dir string) string {
	t.Helper()
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return written(t, dir, "default.pem", string(contentOf(t, material, "default.pem")))
}

func checkApache(t *testing.T, dir, setting, lines string) {
	var modules strings.Builder
	for m := range strings.FieldsSeq("mpm_event authz_core alias ssl socache_shmcb headers http2 md") {
		modules.WriteString("LoadModule " + m + "_module /usr/lib/apache2/modules/mod_" + m + ".so\n")
	}
	pem := writtenPEM(t, dir)
	conf := modules.String() + "ServerRoot " + dir + "\nDefaultRuntimeDir " + dir + "\nServerName localhost\nPidFile " + dir + "/pid\nErrorLog /dev/stderr\nMDStoreDir " + dir + "/md\n" +
		"SSLCertificateFile " + pem + "\nSSLCertificateKeyFile " + pem + "\n" + strings.ReplaceAll(lines, "/run/ocsp", dir+"/ocsp") + "\n"
	if !strings.Contains(conf, "Listen ") {
		conf += "Listen 127.0.0.1:65533\n"
	}
	if !strings.Contains(lines, "<VirtualHost") && setting != "renewal" {
		conf += "<VirtualHost *:65533>\nSSLEngine on\n</VirtualHost>\n"
	}
	mustRun(t, dir, nil, "apache2", "-t", "-f", written(t, dir, "apache.conf", conf))
}

func checkHAProxy(t *testing.T, dir, _, lines string) {
	if byCommand(lines) {
		return
	}
	found, rest := blocks(lines, "global", "bind", "server", "http-response", "http-request")
	if strings.TrimSpace(regexp.MustCompile(`(?m)^#.*$`).ReplaceAllString(rest, "")) != "" {
		t.Errorf("nobody knows where these lines belong: %s", rest)
	}
	bind := found["bind"]
	if bind == "" {
		bind = "bind :443 ssl crt " + writtenPEM(t, dir) + "\n"
	}
	conf := strings.TrimPrefix("global\n"+strings.TrimPrefix(found["global"], "global\n"), "\n") +
		"defaults\n  mode http\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\nfrontend all\n  " + bind + found["http-request"] + found["http-response"] + "  default_backend back\nbackend back\n  " + found["server"] + "\n"
	// beside a bundle stands a file for each kind of key
	if strings.Contains(lines, ".ecdsa") {
		for _, kind := range []string{"rsa", "ecdsa"} {
			material, _ := shared()
			written(t, dir, "site.pem."+kind, string(contentOf(t, material, kind+".pem")))
		}
	}
	conf = strings.ReplaceAll(conf, "back.example.com", "127.0.0.1")
	conf = strings.ReplaceAll(conf, " crt site.pem", " crt "+filepath.Join(dir, "site.pem"))
	mustRun(t, dir, nil, "haproxy", "-c", "-f", written(t, dir, "haproxy.cfg", conf))
}

// checkStunnel starts it: it has no check of its own. It ends for want of a port that it can
// listen at, once it has read its file.
func checkStunnel(t *testing.T, dir, _, lines string) {
	if byCommand(lines) {
		return
	}
	service := "[https]\naccept = 127.0.0.1:1x\nconnect = 127.0.0.1:9\n"
	if !strings.Contains(lines, "cert = ") && !strings.Contains(lines, "PSKsecrets") || strings.HasPrefix(lines, "[") {
		service += "cert = " + writtenPEM(t, dir) + "\n"
	}
	if strings.HasPrefix(lines, "[https]") {
		service = "[a]\ncert = " + writtenPEM(t, dir) + "\naccept = 127.0.0.1:9\nconnect = 127.0.0.1:9\n"
		lines += "\ncert = " + writtenPEM(t, dir)
	}
	if lines == "sni = example.com" || strings.HasPrefix(lines, "protocol = ") {
		lines += "\nclient = yes"
	}
	hex := "00112233445566778899aabbccddeeff"
	lines = strings.Replace(lines, "ticketKeySecret = HEX", "ticketKeySecret = "+hex+hex, 1)
	lines = strings.Replace(lines, "ticketMacSecret = HEX", "ticketMacSecret = "+hex+hex, 1)
	service = strings.Replace(service, ":1x", ":0", 1)
	p, err := start(t.Context(), dir, "stunnel", written(t, dir, "stunnel.conf", "foreground = yes\npid =\nsyslog = no\n"+service+lines+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.await(t.Context(), regexp.MustCompile(`Configuration successful|Configuration failed|\[!\].*`)); err != nil || !strings.Contains(p.text(), "Configuration successful") {
		t.Errorf("%v\n%s", err, p.text())
	}
}

func checkPostfix(t *testing.T, dir, setting, lines string) {
	if byCommand(lines) {
		return
	}
	main := "compatibility_level = 3.6\nmyhostname = localhost\n"
	if setting == "listen-tls" {
		service, _ := strings.CutPrefix(lines, "# in master.cf:\n")
		written(t, dir, "main.cf", main)
		written(t, dir, "master.cf", service+"\n")
		if out := mustRun(t, dir, nil, "postconf", "-c", dir, "-M"); !strings.Contains(string(out), "smtpd_tls_wrappermode=yes") {
			t.Errorf("it reads %s", out)
		}
		return
	}
	written(t, dir, "main.cf", main+lines+"\n")
	written(t, dir, "master.cf", "smtp inet n - n - - smtpd\n")
	out := mustRun(t, dir, nil, "postconf", "-c", dir, "-n")
	if strings.Contains(string(out), "warning:") {
		t.Errorf("it says %s", out)
	}
	for line := range strings.SplitSeq(lines, "\n") {
		if name, _, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, "#") && !strings.Contains(string(mustRun(t, dir, nil, "postconf", "-d", name)), name+" =") {
			t.Errorf("it does not know %s", name)
		}
	}
}

func checkDovecot(t *testing.T, dir, setting, lines string) {
	if byCommand(lines) {
		return
	}
	if setting == "listen-tls" {
		lines = "service imap-login {\n" + lines + "\n}"
	}
	out := mustRun(t, dir, nil, "doveconf", "-n", "-c", written(t, dir, "dovecot.conf", "ssl = yes\n"+lines+"\n"))
	if strings.Contains(string(out), "Error") || strings.Contains(string(out), "Obsolete setting") {
		t.Errorf("it says %s", out)
	}
}

func checkPostgreSQL(t *testing.T, dir, _, lines string) {
	if byCommand(lines) {
		return
	}
	if strings.HasPrefix(lines, "ssl") && strings.Contains(lines, " = ") {
		written(t, dir, "postgresql.conf", lines+"\n")
		mustRun(t, dir, nil, "postgres", "-C", "ssl", "-D", dir)
		return
	}
	// what clients say: it gets as far as to connect
	if out, err := runTool(t, dir, []string{"PGCONNECT_TIMEOUT=2"}, "psql", "port=1 "+strings.ReplaceAll(lines, "192.0.2.1", "127.0.0.1")+hostIfNone(lines)); err == nil || !strings.Contains(string(out), "refused") {
		t.Errorf("%v\n%s", err, out)
	}
}

func hostIfNone(lines string) string {
	if strings.Contains(lines, "host=") {
		return ""
	}
	return " host=127.0.0.1"
}
