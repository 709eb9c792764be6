package interop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// swap is a Go program for crypto/tls that becomes one for this module by its import
// path. Its own tests must pass then. docs/migrating.md says what each swap showed.
type swap struct {
	module, version string
	packages        []string
	run             string   // its tests, "" for all
	keep            []string // files whose configs go to net/http, so that they stay with crypto/tls
	edits           []edit   // what must be changed beyond the import
}

// edit replaces all of before in a file, which must have it.
type edit struct{ file, before, after string }

var swaps = []swap{
	// Without its test of queries at shutdown, whose deadline of a second passes on a busy machine.
	{module: "github.com/miekg/dns", version: "v1.1.72", packages: []string{"."}, run: "ClientTLS|Serving.*TLS|^TestShutdownTLS|XfrTLS"},
	{module: "github.com/jlaffaye/ftp", version: "v0.2.0", packages: []string{"."}},
	{module: "github.com/emersion/go-smtp", version: "v0.24.0", packages: []string{"."}, edits: []edit{
		{"client_test.go", "testHookStartTLS = func(config *tls.Config) {", "testHookStartTLS = func(config *tls.Config) {\nconfig.Legacy.SmallRSA = true\n"},
	}},
	{module: "github.com/emersion/go-imap", version: "v1.2.1", packages: []string{"./client", "./server"}, edits: []edit{
		{"client/cmd_noauth_test.go", "tlsConfig := &tls.Config{", "tlsConfig := &tls.Config{Legacy: tls.Legacy{SmallRSA: true},"},
		{"server/cmd_noauth_test.go", "tlsConfig := &tls.Config{", "tlsConfig := &tls.Config{Legacy: tls.Legacy{SmallRSA: true},"},
	}},
	{module: "golang.org/x/crypto", version: "v0.58.0", packages: []string{"./acme/autocert"},
		keep:  []string{"acme/autocert/autocert_test.go"},
		edits: []edit{{"acme/autocert/example_test.go", "TLSConfig: m.TLSConfig(),", "Handler: m.HTTPHandler(nil),"}}},
}

const (
	ourModule = "github.com/vitrine-tls/vitrine"
	stdImport = `"crypto/tls"`
	ourImport = `"` + ourModule + `/tls"`
)

// Programs that others have written for crypto/tls work with the import path changed.
func TestSwap(t *testing.T) {
	programs.SkipIfOff(t)
	for _, s := range swaps {
		t.Run(s.module, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			source, err := s.download(t, dir)
			switch {
			case err != nil && programs.Required():
				t.Fatal(err)
			case err != nil:
				t.Skip(err)
			}
			tree := filepath.Join(dir, "program")
			if err := s.copy(source, tree); err != nil {
				t.Fatal(err)
			}
			ours, err := filepath.Abs("..")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := goTool(t, tree, "mod", "edit", "-require="+ourModule+"@v0.0.0", "-replace="+ourModule+"="+ours); err != nil {
				t.Fatal(err)
			}
			// What vet says of older programs is no matter of ours.
			args := append([]string{"test", "-vet=off", "-count=1", "-v", "-run", s.run}, s.packages...)
			out, err := goTool(t, tree, args...)
			if err != nil || !bytes.Contains(out, []byte("--- PASS: ")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// download returns the folder in the module cache that holds the program.
func (s swap) download(t *testing.T, dir string) (string, error) {
	out, err := goTool(t, dir, "mod", "download", "-json", s.module+"@"+s.version)
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	err = json.Unmarshal(out, &module)
	return module.Dir, err
}

// copy copies the program to a folder, with its imports swapped and its edits made.
func (s swap) copy(source, to string) error {
	if err := os.CopyFS(to, os.DirFS(source)); err != nil {
		return err
	}
	err := filepath.WalkDir(to, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755) // of the cache nothing can be written
		}
		name, err := filepath.Rel(to, path)
		if err != nil || slices.Contains(s.keep, filepath.ToSlash(name)) || filepath.Ext(path) != ".go" {
			return err
		}
		return rewrite(path, stdImport, ourImport)
	})
	if err != nil {
		return err
	}
	for _, e := range s.edits {
		path := filepath.Join(to, e.file)
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), e.before) {
			return fmt.Errorf("%s does not have %q: %w", e.file, e.before, err)
		}
		if err := rewrite(path, e.before, e.after); err != nil {
			return err
		}
	}
	return os.Chmod(filepath.Join(to, "go.mod"), 0o644)
}

func rewrite(path, before, after string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.Chmod(path, 0o644); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(text), before, after)), 0o644)
}

// goTool runs the go command in a folder, whose go.mod it may complete.
func goTool(t *testing.T, dir string, args ...string) ([]byte, error) {
	var trouble bytes.Buffer
	c := exec.CommandContext(t.Context(), "go", args...)
	c.Dir, c.Env, c.Stderr = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off"), &trouble
	out, err := c.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, trouble.Bytes())
	}
	return out, err
}
