package interop

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	vitrine "github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// mldsaSets are the names of the sets for OpenSSL, and their schemes.
var mldsaSets = map[string]vitrine.SignatureScheme{"ML-DSA-44": vitrine.MLDSA44, "ML-DSA-65": vitrine.MLDSA65, "ML-DSA-87": vitrine.MLDSA87}

// mldsaSchemes have the cheap one first: OpenSSL heeds the client's order.
var mldsaSchemes = []vitrine.SignatureScheme{vitrine.MLDSA44, vitrine.MLDSA65, vitrine.MLDSA87, vitrine.ECDSAWithP256AndSHA256}

// mldsaPKI is a folder with an authority and a leaf that OpenSSL 3.5 has made.
type mldsaPKI struct {
	openssl func(args ...string) *exec.Cmd
	dir     string
	roots   *x509.CertPool
}

func (p *mldsaPKI) file(name string) string { return filepath.Join(p.dir, name) }

func (p *mldsaPKI) run(t *testing.T, args ...string) string {
	t.Helper()
	cmd := p.openssl(args...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// newMLDSAPKI makes an authority with a key of one set, and a leaf of another below it. form is
// what the leaf's private key is written as.
func newMLDSAPKI(t *testing.T, authority, leaf, form string) *mldsaPKI {
	p := &mldsaPKI{openssl: programs.OpenSSL35(t), dir: t.TempDir(), roots: x509.NewCertPool()}
	conf := "[req]\ndistinguished_name=n\n[n]\n[ca]\nbasicConstraints=critical,CA:true\nkeyUsage=keyCertSign\nsubjectKeyIdentifier=hash\n" +
		"[leaf]\nsubjectAltName=DNS:" + serverName + "\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
	if err := os.WriteFile(p.file("conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t, "req", "-config", "conf", "-x509", "-newkey", authority, "-noenc", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-extensions", "ca")
	p.run(t, "genpkey", "-algorithm", leaf, "-provparam", "ml-dsa.output_formats="+form, "-out", "leaf.key")
	p.run(t, "req", "-config", "conf", "-new", "-key", "leaf.key", "-subj", "/CN=leaf", "-out", "leaf.csr")
	p.run(t, "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-extfile", "conf", "-extensions", "leaf", "-out", "leaf.pem")
	text, err := os.ReadFile(p.file("ca.pem"))
	if err != nil || !p.roots.AppendCertsFromPEM(text) {
		t.Fatal(err)
	}
	return p
}

// TestMLDSA has OpenSSL 3.5 make authorities and keys of every set, in every form, and speak
// with us in both roles, each side with a certificate.
func TestMLDSA(t *testing.T) {
	for leaf, v := range map[string]struct{ authority, form string }{
		"ML-DSA-44": {"ML-DSA-87", "seed-priv"}, "ML-DSA-65": {"ML-DSA-44", "priv-only"}, "ML-DSA-87": {"ML-DSA-65", "seed-only"},
	} {
		t.Run(leaf+"/"+v.form, func(t *testing.T) {
			p := newMLDSAPKI(t, v.authority, leaf, v.form)
			own, err := vitrine.LoadX509KeyPair(p.file("leaf.pem"), p.file("leaf.key"))
			if err != nil {
				t.Fatal(err)
			}
			config := &vitrine.Config{
				Certificates: []tls.Certificate{own}, RootCAs: p.roots, ClientCAs: p.roots, ServerName: serverName,
				ClientAuth: vitrine.RequireAndVerifyClientCert, SignatureSchemes: mldsaSchemes,
			}
			if got := p.serve(t, config); got != wire.SignatureScheme(mldsaSets[leaf]) {
				t.Errorf("as a client we saw a signature by %v", got)
			}
			p.connect(t, config, strings.ToLower(strings.ReplaceAll(leaf, "-", "")))
		})
	}
}

// serve has s_server show its certificate and ask for ours, and returns what it signed with.
func (p *mldsaPKI) serve(t *testing.T, config *vitrine.Config) wire.SignatureScheme {
	t.Helper()
	cmd := p.openssl("s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", "leaf.pem", "-key", "leaf.key", "-CAfile", "ca.pem", "-Verify", "3", "-verify_return_error")
	cmd.Dir = p.dir
	lines, port := startServer(t, cmd)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	conn := vitrine.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("from us\n")); err != nil { // what it prints shows that it took our certificate
		t.Fatal(err)
	}
	for lines.Scan() {
		if strings.Contains(lines.Text(), "from us") {
			return conn.State().ServerSignature
		}
	}
	t.Error("s_server did not take our certificate", lines.Err())
	return 0
}

// connect has s_client verify our certificate and show its own.
func (p *mldsaPKI) connect(t *testing.T, config *vitrine.Config, scheme string) {
	t.Helper()
	conn, said := welcome(t, config, func(port string) *exec.Cmd {
		cmd := p.openssl("s_client", "-connect", "127.0.0.1:"+port, "-servername", serverName, "-cert", "leaf.pem", "-key", "leaf.key",
			"-CAfile", "ca.pem", "-verify_return_error", "-verify_hostname", serverName)
		cmd.Dir = p.dir
		return cmd
	})
	if signed := conn.State().ClientSignature.String(); signed != scheme {
		t.Errorf("s_client signed with %s", signed)
	}
	for _, want := range []string{"Verification: OK", "Peer signature type: " + scheme} {
		if !strings.Contains(said, want) {
			t.Errorf("s_client does not say %q:\n%s", want, said)
		}
	}
}

// TestMLDSASignatures compares with OpenSSL what signs and verifies, key by key.
func TestMLDSASignatures(t *testing.T) {
	for set := otherkeys.MLDSA44; set <= otherkeys.MLDSA87; set++ {
		p := newMLDSAPKI(t, "ML-DSA-44", set.String(), "seed-priv")
		text, err := os.ReadFile(p.file("leaf.key"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		key, err := otherkeys.ParsePrivate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		p.run(t, "pkey", "-in", "leaf.key", "-pubout", "-out", "leaf.pub")
		for _, message := range []string{"x", strings.Repeat("a vitrine is a glass case ", 400)} {
			write := func(name, text string) {
				if err := os.WriteFile(p.file(name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("message", message)
			p.run(t, "pkeyutl", "-sign", "-rawin", "-inkey", "leaf.key", "-in", "message", "-out", "theirs")
			theirs, err := os.ReadFile(p.file("theirs"))
			if err != nil || !key.Public().(otherkeys.MLDSAPublicKey).Verify([]byte(message), theirs) {
				t.Errorf("%v: OpenSSL's signature of %d bytes is refused: %v", set, len(message), err)
			}
			ours, err := key.Sign(nil, []byte(message), crypto.Hash(0))
			if err != nil {
				t.Fatal(err)
			}
			write("ours", string(ours))
			p.run(t, "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "leaf.pub", "-in", "message", "-sigfile", "ours")
		}
	}
}

// TestMLDSAAuthority has OpenSSL 3.5 verify what the development authority issues and revokes,
// and the authority certify a request of OpenSSL's.
func TestMLDSAAuthority(t *testing.T) {
	p := newMLDSAPKI(t, "ML-DSA-44", "ML-DSA-65", "seed-priv")
	for i, kind := range []devca.KeyType{devca.MLDSA44, devca.MLDSA65, devca.MLDSA87} {
		ca, err := devca.InitOf(kind, filepath.Join(p.dir, "ca"+string(rune('0'+i))), "", serverName)
		if err != nil {
			t.Fatal(err)
		}
		request, err := os.ReadFile(p.file("leaf.csr"))
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(request)
		asked, err := x509.ParseCertificateRequest(block.Bytes)
		if err != nil || devca.VerifyRequest(asked) != nil {
			t.Fatal(err)
		}
		keep := func(name, kind string, ders ...[]byte) {
			var text []byte
			for _, der := range ders {
				text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
			}
			if err := os.WriteFile(p.file(name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		keep("root", "CERTIFICATE", ca.Cert.Raw)
		for _, leaf := range []devca.Leaf{{Names: []string{serverName}, Key: kind}, {Names: []string{serverName}}, {Names: []string{serverName}, Request: asked}} {
			issued, err := ca.Issue(leaf)
			if err != nil {
				t.Fatal(err)
			}
			keep("chain", "CERTIFICATE", issued.Certificate...)
			p.run(t, "verify", "-x509_strict", "-CAfile", "root", "-untrusted", "chain", "-verify_hostname", serverName, "chain")
			if _, err := ca.Revoke(issued.Leaf.SerialNumber.Text(16), 1); err != nil {
				t.Fatal(err)
			}
		}
		list, err := ca.CRL(false, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		keep("list", "X509 CRL", list)
		keep("issuer", "CERTIFICATE", ca.Intermediate().Raw)
		if said := p.run(t, "crl", "-in", "list", "-noout", "-CAfile", "issuer", "-text"); !strings.Contains(said, "verify OK") || strings.Count(said, "Serial Number") != 3 {
			t.Errorf("OpenSSL on the list:\n%s", said)
		}
	}
}
