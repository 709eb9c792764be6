package scan

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// files writes a certificate with its chain, and its key.
func files(t testing.TB, c tls.Certificate) (chain, key string) {
	t.Helper()
	dir := t.TempDir()
	chain, key = filepath.Join(dir, "chain.pem"), filepath.Join(dir, "key.pem")
	var b bytes.Buffer
	for _, der := range c.Certificate {
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	k := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for name, content := range map[string][]byte{chain: b.Bytes(), key: k} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return chain, key
}

// opensslServer runs openssl s_server, and returns where.
func opensslServer(t testing.TB, c tls.Certificate, args ...string) Target {
	t.Helper()
	chain, key := files(t, c)
	if !slices.Contains(args, "-early_data") { // of which -www knows nothing
		args = append(args, "-www")
	}
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", chain, "-cert_chain", chain, "-key", key}, args...)...)
	in, err := cmd.StdinPipe() // at whose end it would end
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if at, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			_, port, err := net.SplitHostPort(strings.TrimSpace(at))
			if err != nil {
				t.Fatalf("openssl says %q", lines.Text())
			}
			go func() { // until the process ends
				for lines.Scan() {
				}
			}()
			return Target{Address: net.JoinHostPort("127.0.0.1", port), Name: "example.test"}
		}
	}
	t.Fatalf("openssl does not listen (%v)", lines.Err())
	return Target{}
}
