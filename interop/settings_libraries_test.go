package interop

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	stdtls "crypto/tls"
)

// settingServer is a server of HTTPS that the clients of settings come to, and its port.
func settingServer(t *testing.T) string {
	t.Helper()
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &stdtls.Config{Certificates: []stdtls.Certificate{material.certs[keyRSA], material.certs[keyP256]}}
	s.StartTLS()
	t.Cleanup(s.Close)
	_, port, _ := strings.Cut(s.Listener.Addr().String(), ":")
	return port
}

// toHere turns a command that goes to example.com to a server of this machine.
func toHere(command, port string) string {
	r := strings.NewReplacer("-connect example.com:443", "-connect localhost:"+port, "-connect 192.0.2.1:443", "-connect localhost:"+port,
		"https://example.com", "https://localhost:"+port+"/", "--connect-to example.com:443:192.0.2.1:443", "--connect-to localhost:"+port+":localhost:"+port,
		"-servername example.com", "-servername localhost", " example.com", " -p "+port+" localhost", " 192.0.2.1", " -p "+port+" localhost", "--sni-hostname=example.com", "--sni-hostname=localhost")
	return r.Replace(command)
}

// withoutRemark is a line less what stands behind a #.
func withoutRemark(line string) string {
	line, _, _ = strings.Cut(line, "#")
	return strings.TrimSpace(line)
}

// serves starts a server and waits for what it prints when it is ready.
func serves(t *testing.T, dir, ready string, command string) {
	t.Helper()
	p, err := start(t.Context(), dir, "sh", "-c", "exec "+command)
	if err != nil {
		t.Fatal(err)
	}
	found := make(chan error, 1)
	go func() {
		_, err := p.await(t.Context(), regexp.MustCompile(ready))
		found <- err
	}()
	select {
	case err := <-found:
		if err != nil {
			t.Errorf("%s: %v\n%s", command, err, p.text())
		}
	case <-time.After(20 * time.Second):
		t.Errorf("%s is not ready\n%s", command, p.text())
	}
}

func checkOpenSSL(t *testing.T, dir, setting, lines string) {
	if _, section, ok := strings.Cut(lines, "[system_default_sect]\n"); ok {
		conf := written(t, dir, "openssl.cnf", "openssl_conf = main\n[main]\nssl_conf = ssl\n[ssl]\nours = section\n[section]\n"+section+"\n")
		if setting == "server-order" { // no client takes it
			serves(t, dir, "ACCEPT", "env OPENSSL_CONF="+conf+" openssl s_server -ssl_config ours -accept 0 -cert "+writtenPEM(t, dir))
			return
		}
		mustRun(t, dir, []string{"OPENSSL_CONF=" + conf}, "openssl", "s_client", "-ssl_config", "ours", "-connect", "localhost:"+settingServer(t))
		return
	}
	command := withoutRemark(lines)
	switch {
	case command == "", setting == "ocsp-stapling": // the response is not there
	case strings.HasPrefix(command, "openssl s_server"):
		if !strings.Contains(command, "-cert ") && !strings.Contains(command, "-nocert") {
			command += " -cert " + writtenPEM(t, dir)
		}
		serves(t, dir, "ACCEPT", command+" -accept 0")
	case strings.Contains(command, "-starttls"):
		if out, _ := runTool(t, dir, nil, "sh", "-c", strings.Replace(command, "mail.example.com:587", "localhost:1", 1)); !strings.Contains(string(out), "refused") {
			t.Errorf("%s\n%s", command, out)
		}
	default:
		if out, err := runTool(t, dir, nil, "sh", "-c", toHere(command, settingServer(t))); err != nil && !strings.Contains(string(out), "CONNECTED") {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

func checkGnuTLS(t *testing.T, dir, setting, lines string) {
	command := withoutRemark(lines)
	switch {
	case command == "", setting == "ocsp-stapling": // the response is not there
	case strings.HasPrefix(command, "NORMAL"):
		mustRun(t, dir, nil, "gnutls-cli", "--priority", command, "-l")
	case strings.HasPrefix(command, "gnutls-serv"):
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		serves(t, dir, "Server listening on IPv4", command+" -p "+strconv.Itoa(port))
	case strings.Contains(command, "--starttls-proto"):
		if out, _ := runTool(t, dir, nil, "sh", "-c", strings.Replace(command, "-p 587 mail.example.com", "-p 1 localhost", 1)); !strings.Contains(string(out), "refused") {
			t.Errorf("%s\n%s", command, out)
		}
	default:
		if out, err := runTool(t, dir, nil, "sh", "-c", toHere(command, settingServer(t))); err != nil && !strings.Contains(string(out), "certificate is NOT trusted") {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
}

func checkCurl(t *testing.T, dir, _, lines string) {
	command := withoutRemark(lines)
	if strings.Contains(command, "smtp://") {
		if out, _ := runTool(t, dir, nil, "sh", "-c", strings.Replace(command, "mail.example.com:587", "localhost:1", 1)); !strings.Contains(string(out), "Failed to connect") {
			t.Errorf("%s\n%s", command, out)
		}
		return
	}
	mustRun(t, dir, nil, "sh", "-c", toHere(command, settingServer(t))+" -sSk --noproxy '*' -o /dev/null")
}

// checkGo builds the lines as part of a function that has what they use.
func checkGo(t *testing.T, dir, _, lines string) {
	imports := map[string]string{"tls.": "crypto/tls", "http.": "net/http", "autocert.": "golang.org/x/crypto/acme/autocert"}
	source := "package settings\n\nimport (\n\t\"crypto/x509\"\n\t\"net/smtp\"\n"
	for use, path := range imports {
		if strings.Contains(lines, use) || use == "tls." || use == "http." && strings.Contains(lines, "w.Header") {
			source += "\t\"" + path + "\"\n"
		}
	}
	source += ")\n\nfunc set(config *tls.Config, pool *x509.CertPool, client *smtp.Client, response []byte, current, previous [32]byte,\n" +
		"\tclientCertificate, ecdsaCertificate, rsaCertificate, theDefault, another, forExample, forWWW tls.Certificate"
	if strings.Contains(lines, "certificate.") {
		source += ", certificate tls.Certificate"
	}
	if strings.Contains(lines, "handler") {
		source += ", handler http.Handler"
	}
	if strings.Contains(lines, "w.Header") || strings.Contains(lines, "(w, r") {
		source += ", w http.ResponseWriter, r *http.Request"
	}
	source += ") {\n" + lines + "\n"
	for _, name := range []string{"err", "certificate"} {
		if regexp.MustCompile(`\b` + name + `\b.*:=`).MatchString(lines) {
			source += "\t_ = " + name + "\n"
		}
	}
	mustRun(t, "", nil, "go", "build", "-o", os.DevNull, written(t, dir, "settings.go", source+"}\n"))
}

// checkJava looks properties up in the runtime's own code, and compiles what is code.
func checkJava(t *testing.T, dir, _, lines string) {
	var code []string
	for line := range strings.SplitSeq(lines, "\n") {
		switch {
		case strings.HasPrefix(line, "-D"):
			for property := range strings.FieldsSeq(line) {
				name, _, _ := strings.Cut(strings.TrimPrefix(property, "-D"), "=")
				if !strings.Contains(javaNames(t), name) {
					t.Errorf("the runtime does not have %s", name)
				}
			}
		case strings.HasPrefix(line, "parameters."):
			code = append(code, line)
		case strings.HasPrefix(line, "keytool "):
			mustRun(t, dir, nil, "sh", "-c", strings.Replace(line, "keytool ", "keytool -noprompt -storepass PASSWORD ", 1))
		case strings.HasPrefix(line, "openssl "):
			mustRun(t, dir, nil, "sh", "-c", line+" -passout pass:x")
		}
	}
	if len(code) > 0 {
		mustRun(t, dir, nil, "java", written(t, dir, "Set.java", "import java.util.*; import javax.net.ssl.*;\npublic class Set { public static void main(String[] a) {\nSSLParameters parameters = new SSLParameters();\n"+
			strings.Join(code, "\n")+"\n} }\n"))
	}
}

// javaNames is the code of the runtime's libraries, with all names in it.
func javaNames(t *testing.T) string {
	t.Helper()
	names, err := readJava()
	if err != nil {
		t.Fatal(err)
	}
	return names
}

var readJava = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("java", "-XshowSettings:properties", "-version").CombinedOutput()
	if err != nil {
		return "", err
	}
	home := regexp.MustCompile(`java\.home = (.*)`).FindSubmatch(out)
	if home == nil {
		return "", fmt.Errorf("no java.home in %s", out)
	}
	b, err := os.ReadFile(filepath.Join(string(home[1]), "lib", "modules"))
	return string(b), err
})

// checkNode runs the lines, with all that they use.
func checkNode(t *testing.T, dir, _, lines string) {
	if strings.HasPrefix(lines, "NODE_EXTRA_CA_CERTS=") {
		mustRun(t, dir, nil, "sh", "-c", strings.Replace(lines, "node app.js", "node -e 0", 1))
		return
	}
	code, _, _ := strings.Cut(strings.NewReplacer(", ...", "", "listen(443)", "listen(0)", "host: '192.0.2.1'", "host: '127.0.0.1', port: 1").Replace(lines), "    //")
	pem := writtenPEM(t, dir)
	mustRun(t, dir, nil, "node", "-e", `
const tls = require('tls'), https = require('https'), http = require('http'), crypto = require('crypto'), fs = require('fs');
const cert = fs.readFileSync('`+pem+`'), key = cert, response = new http.ServerResponse(new http.IncomingMessage());
const ecdsaChain = cert, rsaChain = cert, ecdsaKey = key, rsaKey = key, clientsCA = cert, authority = cert, ca = cert;
const keys = crypto.randomBytes(48), handler = () => {}, server = tls.createServer({ cert, key }), socket = { disableRenegotiation: tls.TLSSocket.prototype.disableRenegotiation, renegotiate() {} };
const connect = tls.connect; tls.connect = (o) => { tls.createSecureContext(o); return connect(Object.assign({ port: 1 }, o)).on('error', () => {}); };
`+code+`
setImmediate(() => process.exit(0));`)
}
