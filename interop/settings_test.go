package interop

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan/fix"
)

// A settingCheck lets a program read the lines of package fix, by its own check.
type settingCheck struct {
	software, program, pkg string
	// check makes of lines, which name files in dir, what the program reads, and lets it.
	check func(t *testing.T, dir, setting, lines string)
}

// settingsBeyond are settings that the program of Debian 12 is too old for. Their lines must
// say from which version on they are understood.
var settingsBeyond = map[string]string{
	"alpn/nginx": "nginx 1.25.1", "hybrid-groups/postgresql": "18", "signature-schemes/haproxy": "HAProxy 2.8", "ocsp-stapling/haproxy": "HAProxy 2.8",
	"hybrid-groups/nginx": "OpenSSL 3.5", "hybrid-groups/apache": "OpenSSL 3.5",
	"hybrid-groups/haproxy": "OpenSSL 3.5", "hybrid-groups/stunnel": "OpenSSL 3.5", "hybrid-groups/openssl": "3.5", "hybrid-groups/node": "OpenSSL 3.5",
}

// No line that package fix shows is one that its program refuses.
func TestSettingsAreUnderstood(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:"+strings.Join(globbed("/usr/lib/postgresql/*/bin"), ":"))
	for _, c := range settingChecks {
		t.Run(c.software, func(t *testing.T) {
			t.Parallel()
			programs.Need(t, c.program, c.pkg)
			seen := 0
			for _, s := range fix.Settings() {
				f, ok := fix.For(s.ID, c.software)
				if !ok {
					continue
				}
				seen++
				t.Run(s.ID, func(t *testing.T) {
					if version, beyond := settingsBeyond[s.ID+"/"+c.software]; beyond {
						if !strings.Contains(f.Lines, version) {
							t.Errorf("the lines do not say that they take %s:\n%s", version, f.Lines)
						}
						return
					}
					dir := t.TempDir()
					c.check(t, dir, s.ID, settle(t, material, dir, f.Lines))
				})
			}
			if seen < 5 {
				t.Errorf("%s has %d settings", c.software, seen)
			}
		})
	}
}

// namedFile is a file that lines of a setting name.
var namedFile = regexp.MustCompile(`(/[\w.-]+)*/?\b[\w.-]+\.(pem|key|keys|p12|der|txt|pid)\b`)

// settle gives lines files of dir in the place of those that they name, and makes these. The
// commands of the shell among them, which join files, are carried out.
func settle(t *testing.T, material *pki, dir, lines string) string {
	t.Helper()
	lines = namedFile.ReplaceAllStringFunc(lines, func(name string) string {
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, contentOf(t, material, filepath.Base(name)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	})
	if strings.Contains(lines, "/etc/haproxy/certs/") {
		certs := filepath.Join(dir, "certs")
		if err := os.Mkdir(certs, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(certs, "a.pem"), contentOf(t, material, "a.pem"), 0o600); err != nil {
			t.Fatal(err)
		}
		lines = strings.ReplaceAll(lines, "/etc/haproxy/certs/", certs)
	}
	var rest []string
	for line := range strings.SplitSeq(lines, "\n") {
		if strings.HasPrefix(line, "cat ") {
			mustRun(t, dir, nil, "sh", "-c", line)
			continue
		}
		rest = append(rest, line)
	}
	return strings.Join(rest, "\n")
}

// contentOf is what a file with such a name has in it: of certificates the key as well.
func contentOf(t *testing.T, material *pki, name string) []byte {
	t.Helper()
	kind := keyRSA
	if strings.Contains(name, "ecdsa") {
		kind = keyP256
	}
	read := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	switch {
	case strings.HasPrefix(name, "ffdhe"):
		return mustRun(t, "", nil, "openssl", "genpkey", "-quiet", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048")
	case name == "ticket.keys":
		return bytes.Repeat([]byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n"), 3)
	case name == "psk.txt":
		return []byte("client1:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n")
	case name == "ticket.key", name == "current.key", name == "previous.key":
		return bytes.Repeat([]byte{7}, 48)
	case strings.HasSuffix(name, ".p12"):
		return mustRun(t, "", nil, "openssl", "pkcs12", "-export", "-in", material.certFile(kind), "-inkey", material.keyFile(kind), "-passout", "pass:PASSWORD")
	case strings.HasSuffix(name, "ca.pem"):
		return read(material.caFile())
	case strings.Contains(name, "key"):
		// a key alone, or before its certificate
		if strings.HasSuffix(name, ".key") || name == "key.pem" || strings.HasSuffix(name, "-key.pem") && !strings.Contains(name, "-and-") && !strings.Contains(name, "-with-") {
			return read(material.keyFile(kind))
		}
	}
	return slices.Concat(read(material.keyFile(kind)), read(material.certFile(kind)))
}

// mustRun runs a program to its end, which must be well.
func mustRun(t *testing.T, dir string, env []string, name string, args ...string) []byte {
	t.Helper()
	out, err := runTool(t, dir, env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// runTool runs a program to its end, without input.
func runTool(t *testing.T, dir string, env []string, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(os.Environ(), env...), time.Second
	return cmd.CombinedOutput()
}

// written writes a file of dir and returns its path.
func written(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// blocks parts lines into those that begin with a word, with what is indented below them, and
// the rest.
func blocks(lines string, words ...string) (found map[string]string, rest string) {
	found = map[string]string{}
	in := ""
	for line := range strings.SplitSeq(lines, "\n") {
		word, _, _ := strings.Cut(line, " ")
		switch {
		case slices.Contains(words, word):
			in = word
		case !strings.HasPrefix(line, " ") && line != "}":
			in = ""
		}
		if in == "" {
			rest += line + "\n"
			continue
		}
		found[in] += line + "\n"
	}
	return found, rest
}
