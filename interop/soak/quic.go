package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// quicGo is the version of quic-go whose tests are run.
const quicGo = "github.com/quic-go/quic-go@v0.65.0"

// quicEdits are what is changed of quic-go beside the import of crypto/tls, each with its reason.
var quicEdits = []struct{ file, old, new, why string }{
	{"internal/handshake/tls_config_go127.go", "//go:build go1.27\n", "", "QUICConfig has the fields of Go 1.27"},
	{"integrationtests/tools/crypto.go", "chainLen = 16", "chainLen = 14", "a chain of more than 16 certificates is refused"},
	{"integrationtests/self/close_test.go", "&tls.Config{}", "&tls.Config{NextProtos: []string{\"x\"}}", "QUIC needs an application protocol"},
}

// quicSkipped are the tests of quic-go that are not run.
var quicSkipped = map[string]string{
	"TestHTTP0RTTWithChangedServerSettings": "its second server has a clone of the first one's Config, and a clone shares no ticket keys with it",
	"TestHandshakeCipherSuites":             "it changes crypto/tls's list of cipher suites by go:linkname",
	"TestHandshakeRTTHelloRetryRequest":     "GetCertificate is asked once, on the first ClientHello, before it is known that another will follow",
	"TestNoPacketsSentWhenClientHelloFails": "it compares the words of an error about NextProtos",
}

// runQUIC runs the integration tests of quic-go, HTTP/3 among them, with its import of crypto/tls
// changed to ours. The module is copied from the module cache, or fetched.
func runQUIC(ctx context.Context, r *report) error {
	home, err := root()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vitrine-quic-go")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := copyQUICGo(ctx, dir, home); err != nil {
		return err
	}
	r.Logf("building the tests of %s", quicGo)
	program := filepath.Join(dir, "self.test")
	if _, err := run(ctx, dir, "go", "test", "-mod=mod", "-c", "-o", program, "./integrationtests/self"); err != nil {
		return err
	}
	var skip []string
	for name := range quicSkipped {
		skip = append(skip, name)
	}
	slices.Sort(skip)
	out, err := run(ctx, filepath.Join(dir, "integrationtests", "self"), program, "-test.v", "-test.timeout", "0", "-test.skip", "^("+strings.Join(skip, "|")+")$")
	passed, failed := verdicts(out)
	for _, name := range failed {
		r.Logf("FAILED: %s", name)
	}
	if len(passed)+len(failed) == 0 {
		return err
	}
	r.Figure("tests of quic-go that pass", "%d", len(passed)).Want(len(passed) >= 100, "at least 100")
	r.Figure("tests of quic-go that fail", "%d", len(failed)).Want(len(failed) == 0, "none")
	for _, name := range skip {
		r.Figure("not run: "+name, "%s", quicSkipped[name])
	}
	return nil
}

var verdict = regexp.MustCompile(`(?m)^--- (PASS|FAIL): (\S+)`)

// verdicts reads the output of go test -v.
func verdicts(out string) (passed, failed []string) {
	for _, m := range verdict.FindAllStringSubmatch(out, -1) {
		if m[1] == "PASS" {
			passed = append(passed, m[2])
		} else {
			failed = append(failed, m[2])
		}
	}
	return passed, failed
}

// copyQUICGo puts quic-go, on the module at home, into dir.
func copyQUICGo(ctx context.Context, dir, home string) error {
	out, err := goTool(ctx, "mod", "download", "-json", quicGo)
	if err != nil {
		return err
	}
	from := regexp.MustCompile(`"Dir": "(.*)"`).FindStringSubmatch(out)
	if from == nil {
		return fmt.Errorf("the module is not in the cache: %s", out)
	}
	err = filepath.WalkDir(from[1], func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from[1], path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, name), 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(name, "_go126") { // for want of what we have
			return nil
		}
		return os.WriteFile(filepath.Join(dir, name), editQUICGo(filepath.ToSlash(name), text), 0o644)
	})
	if err != nil {
		return err
	}
	for _, args := range [][]string{
		{"mod", "edit", "-droptool=github.com/jordanlewis/gcassert/cmd/gcassert", "-droptool=go.uber.org/mock/mockgen",
			"-require=github.com/vitrine-tls/vitrine@v0.0.0", "-replace=github.com/vitrine-tls/vitrine=" + home},
		{"mod", "tidy"},
	} {
		if _, err := run(ctx, dir, "go", args...); err != nil {
			return err
		}
	}
	return nil
}

// editQUICGo changes one file.
func editQUICGo(name string, text []byte) []byte {
	s := string(text)
	if strings.HasSuffix(name, ".go") {
		s = strings.ReplaceAll(s, `"crypto/tls"`, `tls "github.com/vitrine-tls/vitrine/tls"`)
	}
	for _, e := range quicEdits {
		if e.file == name {
			s = strings.ReplaceAll(s, e.old, e.new)
		}
	}
	return []byte(s)
}
