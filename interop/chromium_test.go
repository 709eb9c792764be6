package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/wire"
)

// chromium is the headless browser, as client. One process loads a page with a
// script from each cell's server.
var chromium = &peer{
	Name: "chromium", Programs: []string{"chromium", "certutil"}, Package: "chromium libnss3-tools",
	Batch: chromiumBatch, noEtM: true,
	anySuite: func(cell, wire.Role) bool { return true },
	ClientLacks: map[string]string{
		"ssl3.0": chromiumOld, "tls1.[01]": chromiumOld, "ffdhe*": chromiumDH, "dh:*": chromiumDH,
		"*PSK*": chromiumSuites, "*_anon_*": chromiumSuites, "*_CCM*": chromiumSuites, "*_CAMELLIA_*": chromiumSuites,
		"*_3DES_*": chromiumSuites, "*_RC4_*": chromiumSuites, "*_DES_*": chromiumSuites, "*_NULL_*": chromiumSuites,
		"*_DHE_DSS_*":   chromiumSuites,
		"renegotiate:*": "Chromium does not renegotiate", "later:*": chromiumAuth, "unsafe": alwaysSecure,
		"max-fragment:*": "Chromium has no limits on records", "size-limit:*": "Chromium has no limits on records",
		"key:rsa1024":  "Chromium's page shows no weak certificate",
		"*_CBC_SHA256": chromiumCBC, "*_CBC_SHA384": chromiumCBC, "*_ECDSA_WITH_*_CBC_*": chromiumCBC,
		"secp521r1": chromiumP521, "*x448": "Chromium has no X448", "SecP*": "Chromium has X25519MLKEM768 only",
		"key:p521": chromiumP521, "key:ed25519": "Chromium has no Ed25519",
		"key:rsassa-pss": "Chromium has no RSASSA-PSS keys", "key:ed448": "Chromium has no Ed448",
		"key:rsa-*": "Chromium's signature schemes cannot be chosen",
		"request:*": chromiumAuth, "require:*": chromiumAuth,
		"keyupdate:the*": noKeyUpdate,
	},
}

const (
	chromiumOld    = "Chromium has TLS 1.2 and 1.3 only"
	chromiumDH     = "Chromium has no finite-field Diffie-Hellman"
	chromiumSuites = "Chromium has no such suite"
	chromiumP521   = "Chromium has no P-521"
	chromiumCBC    = "Chromium has no such CBC suite"
	chromiumAuth   = "headless Chromium chooses client certificates by policy only"
)

// chromiumHome is a HOME whose certificate database trusts one CA: ignoring
// certificate errors would prove nothing.
func chromiumHome(dir, ca string) (string, error) {
	home := filepath.Join(dir, "home")
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"-N", "-d", "sql:" + db, "--empty-password"},
		{"-A", "-d", "sql:" + db, "-n", "ca", "-t", "C,,", "-i", ca},
	} {
		if out, err := exec.Command("certutil", args...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("certutil: %w\n%s", err, out)
		}
	}
	return home, nil
}

// chromiumDump loads a page and returns the document as it is at the end.
func chromiumDump(ctx context.Context, dir, ca, url string) (string, error) {
	home, err := chromiumHome(dir, ca)
	if err != nil {
		return "", err
	}
	p, err := startWith(ctx, dir, []string{"HOME=" + home}, "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
		"--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-dev-shm-usage", "--user-data-dir="+filepath.Join(dir, "profile"), "--timeout=20000", "--dump-dom", url)
	if err != nil {
		return "", err
	}
	if err := p.wait(ctx); err != nil {
		return "", fmt.Errorf("%w\n%s", err, p.text())
	}
	return p.text(), nil
}

// chromiumPage loads a script from each server, and more of them one after the
// other where the cell takes rounds or connections. A script calls show with what it was asked for.
const chromiumPage = `<!doctype html><title>interop</title><script>
const show = (text) => { const p = document.createElement('p'); p.textContent = text; document.body.append(p); };
const load = (port, left) => {
  const s = document.createElement('script');
  s.src = 'https://localhost:' + port + '/?cell' + port + 'x' + left;
  s.onload = () => { if (left > 1) load(port, left - 1); };
  document.body.append(s);
};
</script><body><script>for (const [port, n] of [%s]) load(port, n);</script>`

func chromiumBatch(ctx context.Context, p *peer, dir string, material *pki, cells []cell) (map[cell]error, error) {
	servers := map[cell]chan error{}
	ports := map[cell]int{}
	var list []string
	for _, c := range cells {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close()
		r := &run{cell: c, ctx: ctx, peer: p, pki: material}
		u := &us{cell: c, pki: material, only: true}
		done := make(chan error, 1)
		go func() { done <- serveAll(r, u, ln) }()
		servers[c], ports[c] = done, ln.Addr().(*net.TCPAddr).Port
		list = append(list, fmt.Sprintf("[%d,%d]", ports[c], c.connections()*c.rounds()))
	}
	page := filepath.Join(dir, "page.html")
	if err := os.WriteFile(page, fmt.Appendf(nil, chromiumPage, strings.Join(list, ",")), 0o600); err != nil {
		return nil, err
	}
	dom, err := chromiumDump(ctx, dir, material.caFile(), "file://"+page)
	results := map[cell]error{}
	for _, c := range cells {
		select {
		case results[c] = <-servers[c]:
		default:
			results[c] = fmt.Errorf("Chromium made too few connections")
		}
		for n := range c.connections() * c.rounds() {
			if mark := fmt.Sprintf("<p>cell%dx%d</p>", ports[c], n+1); results[c] == nil && !strings.Contains(dom, mark) {
				results[c] = fmt.Errorf("the page that Chromium shows lacks %s", mark)
			}
		}
	}
	return results, err
}

// TestChromiumServe has the browser load a page from `vitrine serve`: the page
// says which protocol brought it, and so does the server's log.
func TestChromiumServe(t *testing.T) {
	programs.SkipIfOff(t)
	need(t, chromium.missing(), chromium.Package)
	ctx, cancel := context.WithTimeout(t.Context(), batchTimeout)
	defer cancel()
	dir := t.TempDir()
	program := filepath.Join(dir, "vitrine")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "../cmd/vitrine").CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	site := filepath.Join(dir, "site")
	if err := os.Mkdir(site, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"index.html": `<!doctype html><title>vitrine</title><body><script src="more.js"></script><script>
document.body.append(' page ' + performance.getEntriesByType('navigation')[0].nextHopProtocol);</script>`,
		"more.js": `document.body.append('script loaded;');`,
	} {
		if err := os.WriteFile(filepath.Join(site, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	serve, err := start(ctx, dir, program, "serve", site, "--listen", "127.0.0.1:0", "--ca-dir", filepath.Join(dir, "ca"))
	if err != nil {
		t.Fatal(err)
	}
	at, err := serve.await(ctx, regexp.MustCompile(`on \S*(https://localhost:\d+/)`))
	if err != nil {
		t.Fatal(err)
	}
	dom, err := chromiumDump(ctx, dir, filepath.Join(dir, "ca", "ca.pem"), at[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"</script>script loaded", "</script> page h2"} {
		if !strings.Contains(dom, want) {
			t.Errorf("the page lacks %q:\n%s", want, dom)
		}
	}
	if _, err := serve.await(ctx, regexp.MustCompile(`msg=connection .*alpn=h2`)); err != nil {
		t.Errorf("%v; its log:\n%s", err, serve.text())
	}
}
