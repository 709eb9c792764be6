package interop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// authority is what TestAuthority's parts share: the built command, and a folder with a
// development authority, a certificate of it that is good, and one that is revoked.
type authority struct {
	vitrine, dir string
	responder    string // its URL
}

// The certificates of both kinds of authority, and what the peers have to say of them.
const goodCert, badCert = "good", "bad"

// run runs a program in the folder and returns all that it prints.
func (a *authority) run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(a.dir, "home"), "XDG_CACHE_HOME="+filepath.Join(a.dir, "cache"), "JAVA_HOME="+filepath.Join(a.dir, "java"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// must runs a program that has to succeed.
func (a *authority) must(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := a.run(t, program, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
	return out
}

// says runs a program on both certificates: of the good one it says want[0], and of the
// revoked one want[1]. What it exits with, many programs leave to be read.
func (a *authority) says(t *testing.T, want [2]string, program string, args func(cert string) []string) {
	t.Helper()
	for i, cert := range []string{goodCert, badCert} {
		out, _ := a.run(t, program, args(cert)...)
		if !strings.Contains(out, want[i]) || strings.Contains(out, want[1-i]) {
			t.Errorf("%s says of the %s certificate:\n%s\nwant %q", program, cert, out, want[i])
		}
	}
}

// begin starts a program that runs until the test ends, and waits for what it prints.
func (a *authority) begin(t *testing.T, ready string, program string, args ...string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	p, err := start(ctx, a.dir, program, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); <-p.done })
	if _, err := p.await(ctx, regexp.MustCompile(ready)); err != nil {
		t.Fatalf("%v\n%s", err, p.text())
	}
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// builtCommand builds the command into a folder.
func builtCommand(t *testing.T, dir string) string {
	t.Helper()
	program := filepath.Join(dir, "vitrine.exe")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/vitrine").CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	return program
}

// newAuthority has `vitrine cert ca` make all that the peers then judge.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.vitrine = builtCommand(t, a.dir)
	at := freeAddress(t)
	a.responder = "http://" + at
	for _, args := range [][]string{
		{"init", "--dir", "ca", "--url", a.responder},
		{"issue", "--dir", "ca", "--name", "web.test", "--out", goodCert},
		{"issue", "--dir", "ca", "--name", "bad.test", "--out", badCert},
		{"revoke", "--dir", "ca", "bad.pem", "--reason", "key-compromise"},
		{"crl", "--dir", "ca", "--out", "list.pem"}, // and root-list.pem
	} {
		a.must(t, a.vitrine, append([]string{"cert", "ca"}, args...)...)
	}
	a.begin(t, "on "+regexp.QuoteMeta(a.responder), a.vitrine, "cert", "ca", "ocsp", "--dir", "ca", "--listen", at)
	chain, err := os.ReadFile(filepath.Join(a.dir, "good.pem"))
	if err != nil {
		t.Fatal(err)
	}
	_, intermediate, _ := strings.Cut(string(chain), "-----END CERTIFICATE-----\n")
	a.write(t, "intermediate.pem", intermediate)
	for _, cert := range []string{goodCert, badCert} {
		a.write(t, cert+"-chain.pem", a.read(t, cert+".pem")+a.read(t, "ca/ca.pem"))
	}
	a.write(t, "lists.pem", a.read(t, "list.pem")+a.read(t, "root-list.pem"))
	return a
}

func (a *authority) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (a *authority) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(a.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// TestAuthority has real programs judge what `vitrine cert ca` makes: its certificates,
// its lists, its responder, the staple of `vitrine serve`, and the root as it is trusted.
func TestAuthority(t *testing.T) {
	programs.SkipIfOff(t)
	a := newAuthority(t)
	for _, part := range []struct {
		name, program, pkg string
		judge              func(*testing.T, *authority)
	}{
		{"openssl verify", "openssl", "openssl", opensslJudgesLists},
		{"openssl ocsp", "openssl", "openssl", opensslAsks},
		{"certtool", "certtool", "gnutls-bin", certtoolJudgesLists},
		{"ocsptool", "ocsptool", "gnutls-bin", ocsptoolAsks},
		{"vfychain", "vfychain", "libnss3-tools", vfychainJudges},
		{"curl", "curl", "curl", curlWantsAStaple},
		{"chromium", "chromium", "chromium", chromiumTrusts},
		{"keytool", "keytool", "default-jre-headless", keytoolTrusts},
	} {
		t.Run(part.name, func(t *testing.T) {
			if _, err := exec.LookPath(part.program); err != nil {
				need(t, part.program, part.pkg)
			}
			part.judge(t, a)
		})
	}
}

func opensslJudgesLists(t *testing.T, a *authority) {
	a.says(t, [2]string{".pem: OK", "certificate revoked"}, "openssl", func(cert string) []string {
		return []string{"verify", "-x509_strict", "-crl_check_all", "-CAfile", "ca/ca.pem", "-untrusted", "intermediate.pem",
			"-CRLfile", "list.pem", "-CRLfile", "root-list.pem", cert + ".pem"}
	})
}

func opensslAsks(t *testing.T, a *authority) {
	a.says(t, [2]string{"Response verify OK\n" + goodCert + ".pem: good", "Response verify OK\n" + badCert + ".pem: revoked"}, "openssl", func(cert string) []string {
		return []string{"ocsp", "-no_nonce", "-issuer", "intermediate.pem", "-cert", cert + ".pem", "-url", a.responder, "-CAfile", "ca/ca.pem", "-verify_other", "intermediate.pem"}
	})
	if out, _ := a.run(t, "openssl", "ocsp", "-no_nonce", "-issuer", "intermediate.pem", "-cert", "bad.pem", "-url", a.responder, "-CAfile", "ca/ca.pem", "-verify_other", "intermediate.pem"); !strings.Contains(out, "Reason: keyCompromise") {
		t.Errorf("openssl ocsp does not hear the reason:\n%s", out)
	}
}

func certtoolJudgesLists(t *testing.T, a *authority) {
	a.says(t, [2]string{"Chain verification output: Verified. The certificate is trusted.", "The certificate chain is revoked."}, "certtool", func(cert string) []string {
		return []string{"--verify", "--load-ca-certificate", "ca/ca.pem", "--load-crl", "lists.pem", "--infile", cert + "-chain.pem"}
	})
}

func ocsptoolAsks(t *testing.T, a *authority) {
	a.says(t, [2]string{"Certificate Status: good", "Certificate Status: revoked"}, "ocsptool", func(cert string) []string {
		return []string{"--ask=" + a.responder, "--no-nonce", "--load-issuer", "intermediate.pem", "--load-cert", cert + ".pem", "--load-trust", "intermediate.pem"}
	})
	if out, _ := a.run(t, "ocsptool", "--ask="+a.responder, "--no-nonce", "--load-issuer", "intermediate.pem", "--load-cert", "good.pem", "--load-trust", "intermediate.pem"); !strings.Contains(out, "Verifying OCSP Response: Success.") {
		t.Errorf("ocsptool does not believe the responder:\n%s", out)
	}
}

// vfychainJudges asks NSS twice, in its newer way: by our lists, which it has in its
// database, and by our responder, whose address it finds in the certificate.
func vfychainJudges(t *testing.T, a *authority) {
	if err := os.Mkdir(filepath.Join(a.dir, "nss"), 0o700); err != nil {
		t.Fatal(err)
	}
	a.must(t, "certutil", "-N", "-d", "sql:nss", "--empty-password")
	a.must(t, "certutil", "-A", "-d", "sql:nss", "-n", "root", "-t", "C,,", "-i", "ca/ca.pem")
	a.must(t, "certutil", "-A", "-d", "sql:nss", "-n", "intermediate", "-t", ",,", "-i", "intermediate.pem")
	ask := func(method string) {
		a.says(t, [2]string{"Chain is good!", "ERROR -8180: Peer's Certificate has been revoked."}, "vfychain", func(cert string) []string {
			return []string{"-d", "sql:nss", "-pp", "-u", "1", "-g", "leaf", "-m", method, "-s", "failIfNoInfo", "-a", cert + ".pem"}
		})
	}
	ask("ocsp")
	for _, list := range []string{"list", "root-list"} {
		a.must(t, "openssl", "crl", "-in", list+".pem", "-outform", "DER", "-out", list+".der")
		a.must(t, "crlutil", "-I", "-d", "sql:nss", "-t", "1", "-B", "-i", list+".der")
	}
	ask("crl")
}

// serve runs `vitrine serve` with the good certificate, and returns its port once it has
// its staple.
func (a *authority) serve(t *testing.T) (port string) {
	t.Helper()
	a.write(t, "site/index.html", "<!doctype html><title>vitrine</title><body>hello there</body>")
	at := freeAddress(t)
	a.begin(t, "OCSP response stapled", a.vitrine, "serve", "site", "--cert", "good.pem", "--key", "good-key.pem", "--listen", at)
	_, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func curlWantsAStaple(t *testing.T, a *authority) {
	port := a.serve(t)
	for _, version := range []string{"1.2", "1.3"} {
		out := a.must(t, "curl", "-q", "-sv", "--cert-status", "--cacert", "ca/ca.pem", "--noproxy", "*", "--max-time", "15",
			"--tlsv"+version, "--tls-max", version, "--resolve", "web.test:"+port+":127.0.0.1", "https://web.test:"+port+"/")
		if !strings.Contains(out, "SSL certificate status: good") || !strings.Contains(out, "hello there") {
			t.Errorf("curl --cert-status over TLS %s:\n%s", version, out)
		}
	}
}

// chromiumTrusts has `cert ca trust` install the root into the NSS store of a HOME of
// its own. With it the browser shows the page, without it a warning.
func chromiumTrusts(t *testing.T, a *authority) {
	port := a.serve(t)
	db := filepath.Join("home", ".pki", "nssdb")
	if err := os.MkdirAll(filepath.Join(a.dir, db), 0o700); err != nil {
		t.Fatal(err)
	}
	a.must(t, "certutil", "-N", "-d", "sql:"+db, "--empty-password")
	shown := func() bool {
		out, err := a.run(t, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
			"--user-data-dir="+filepath.Join(a.dir, "profile"), "--timeout=20000", "--host-resolver-rules=MAP web.test 127.0.0.1",
			"--dump-dom", fmt.Sprintf("https://web.test:%s/", port))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return strings.Contains(out, "hello there")
	}
	if shown() {
		t.Error("the page is shown without a trusted root")
	}
	a.must(t, a.vitrine, "cert", "ca", "trust", "--dir", "ca", "--store", "nss")
	if !shown() {
		t.Error("the page is not shown, though the root is trusted")
	}
	a.must(t, a.vitrine, "cert", "ca", "untrust", "--dir", "ca", "--store", "nss")
	if out := a.must(t, "certutil", "-L", "-d", "sql:"+db); strings.Contains(out, "vitrine") {
		t.Errorf("the root is still in the store:\n%s", out)
	}
}

// keytoolTrusts has `cert ca trust` install the root into the keystore of a copy of Java's
// folder, and take it out.
func keytoolTrusts(t *testing.T, a *authority) {
	keytool, err := exec.LookPath("keytool")
	if err == nil {
		keytool, err = filepath.EvalSymlinks(keytool)
	}
	if err != nil {
		t.Fatal(err)
	}
	store, err := os.ReadFile(filepath.Join(filepath.Dir(keytool), "..", "lib", "security", "cacerts"))
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, "java/lib/security/cacerts", string(store))
	if err := errors.Join(os.Mkdir(filepath.Join(a.dir, "java", "bin"), 0o700), os.Symlink(keytool, filepath.Join(a.dir, "java", "bin", "keytool"))); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"trust", "untrust"} {
		a.must(t, a.vitrine, "cert", "ca", verb, "--dir", "ca", "--store", "java")
		out := a.must(t, "keytool", "-list", "-keystore", "java/lib/security/cacerts", "-storepass", "changeit")
		if strings.Contains(out, "vitrine development ca") != (verb == "trust") {
			t.Errorf("after cert ca %s the keystore has\n%s", verb, out)
		}
	}
}
