package interop

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// opensslConfig is for `openssl ca`. The responder's URL is put in.
const opensslConfig = `[req]
distinguished_name = dn
[dn]
[ca]
default_ca = here
[here]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
certificate = root.pem
private_key = root.key
default_md = sha256
default_days = 30
default_crl_days = 7
policy = any
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
authorityInfoAccess = OCSP;URI:%s
subjectAltName = DNS:leaf.test
[responder]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = OCSPSigning
`

// TestTheirAuthority judges what `openssl ca`, `openssl ocsp` and certtool make.
func TestTheirAuthority(t *testing.T) {
	programs.SkipIfOff(t)
	if _, err := exec.LookPath("openssl"); err != nil {
		need(t, "openssl", "openssl")
	}
	a := &authority{dir: t.TempDir()}
	a.vitrine = builtCommand(t, a.dir)
	at := freeAddress(t)
	a.responder = "http://" + at
	a.write(t, "openssl.cnf", fmt.Sprintf(opensslConfig, a.responder))
	a.write(t, "index.txt", "")
	a.write(t, "serial", "1000")
	key := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "openssl.cnf"}
	a.must(t, "openssl", append([]string{"req", "-x509", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=OpenSSL CA", "-days", "30", "-extensions", "authority"}, key...)...)
	for name, kind := range map[string]string{goodCert: "server", badCert: "server", "responder": "responder"} {
		a.must(t, "openssl", append([]string{"req", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name}, key...)...)
		a.must(t, "openssl", "ca", "-batch", "-config", "openssl.cnf", "-in", name+".csr", "-out", name+".pem", "-notext", "-extensions", kind)
	}
	a.must(t, "openssl", "ca", "-config", "openssl.cnf", "-revoke", "bad.pem", "-crl_reason", "keyCompromise")
	a.must(t, "openssl", "ca", "-config", "openssl.cnf", "-gencrl", "-out", "list.pem")
	_, port, _ := strings.Cut(at, ":")
	a.begin(t, "waiting for OCSP client connections", "openssl", "ocsp", "-index", "index.txt", "-port", port,
		"-rsigner", "responder.pem", "-rkey", "responder.key", "-CA", "root.pem", "-ndays", "1")

	verify := func(flags ...string) func(string) []string {
		return func(cert string) []string {
			return append([]string{"cert", "verify", cert + ".pem", "--ca", "root.pem", "--name", "leaf.test"}, flags...)
		}
	}
	t.Run("openssl ocsp", func(t *testing.T) {
		a.says(t, [2]string{"not revoked (OCSP of", "key compromise (OCSP)"}, a.vitrine, verify("--revocation", "hard"))
	})
	t.Run("openssl ca -gencrl", func(t *testing.T) {
		a.says(t, [2]string{"not revoked (CRL of", "key compromise (CRL)"}, a.vitrine, verify("--crl", "list.pem"))
	})
	t.Run("certtool --generate-crl", func(t *testing.T) {
		if _, err := exec.LookPath("certtool"); err != nil {
			need(t, "certtool", "gnutls-bin")
		}
		a.write(t, "template", "crl_next_update = 7\ncrl_number = 5\n")
		a.must(t, "certtool", "--generate-crl", "--load-ca-privkey", "root.key", "--load-ca-certificate", "root.pem", "--load-certificate", "bad.pem",
			"--template", "template", "--outfile", "gnutls.pem")
		a.says(t, [2]string{"not revoked (CRL of", `"bad" was revoked on`}, a.vitrine, verify("--crl", "gnutls.pem"))
	})
}
