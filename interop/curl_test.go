package interop

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// curl is curl with OpenSSL, as client.
var curl = &peer{
	Name: "curl", Programs: []string{"curl"}, Package: "curl",
	Connect: curlConnect, suites: opensslList,
	ClientLacks: map[string]string{
		"*MLKEM*": noMLKEM, "ssl3.0": opensslSSL3, "unsafe": alwaysSecure,
		"*PSK*": "curl has no pre-shared keys", "*_anon_*": "curl demands a certificate",
		"keyupdate:theirs": noKeyUpdate, "renegotiate:theirs": "curl renegotiates only when asked",
		"tls1.3+later:*": noLater,
		"max-fragment:*": "curl cannot ask for shorter records", "size-limit:*": "OpenSSL has no record_size_limit",
		"resume:ticket": "curl refuses tickets before TLS 1.3",
		"re*:rsa1024":   "curl loads no certificate as weak as that",
		"key:rsa-*":     "curl cannot choose signature schemes",
		"re*:rsa-*":     "curl cannot choose signature schemes",
	},
}

// curlConnect posts our data, more than once in one process where it takes
// rounds or connections: our server closes after the last round.
func curlConnect(r *run, port int) ([]facts, error) {
	upload := filepath.Join(r.dir, "upload")
	if err := os.WriteFile(upload, r.payload, 0o600); err != nil {
		return nil, err
	}
	args := []string{"-q", "-v", "--no-progress-meter", "--max-time", "15", "--http1.1", "--cacert", r.pki.caFile(),
		"--curves", strings.Join(mapped(r.clientGroups(), opensslGroups), ":"),
		"--resolve", fmt.Sprintf("%s:%d:127.0.0.1", serverName, port), "--noproxy", "*",
		"-H", "Expect:", "-H", "Content-Type: text/plain", "--data-binary", "@" + upload}
	if r.Version == wire.TLS13 {
		args = append(args, "--tlsv1.3", "--tls13-ciphers", opensslSuite(r.Suite))
	} else {
		version := strings.TrimPrefix(versionNames[r.Version], "tls")
		args = append(args, "--tlsv"+version, "--tls-max", version, "--ciphers", opensslSuite(r.Suite)+":@SECLEVEL=0")
	}
	if r.ClientKey != "" {
		args = append(args, "--cert", r.pki.certFile(r.ClientKey), "--key", r.pki.keyFile(r.ClientKey))
	}
	if !r.ALPN {
		args = append(args, "--no-alpn")
	}
	for range r.connections() * r.rounds() {
		args = append(args, fmt.Sprintf("https://%s:%d/", serverName, port))
	}
	p, err := r.start("curl", args...)
	if err != nil {
		return nil, err
	}
	if err := p.wait(r.ctx); err != nil {
		return nil, err
	}
	if n := bytes.Count([]byte(p.text()), r.payload); n != r.connections()*r.rounds() {
		return nil, fmt.Errorf("curl printed our data %d times", n)
	}
	return curlFacts(p.text()), nil
}

var (
	curlCipher = regexp.MustCompile(`\* SSL connection using (TLSv\S+) / (\S+)`)
	curlALPN   = regexp.MustCompile(`\* ALPN: server accepted (\S+)`)
)

func curlFacts(text string) (list []facts) {
	for _, about := range strings.Split(text, "* Connected to ")[1:] {
		f := facts{"alpn": ""}
		if m := curlCipher.FindStringSubmatch(about); m != nil {
			f["version"] = opensslVersions[strings.TrimSuffix(m[1], ".0")].String()
			f["suite"] = opensslSuites(m[2])
		}
		if m := curlALPN.FindStringSubmatch(about); m != nil {
			f["alpn"] = m[1]
		}
		// With a session that the server did not resume there is a certificate.
		if strings.Contains(about, "* SSL re-using session ID") {
			f["reused"] = yes(!strings.Contains(about, "handshake, Certificate (11)"))
		}
		list = append(list, f)
	}
	return list
}
