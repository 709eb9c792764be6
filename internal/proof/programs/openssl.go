package programs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// OpenSSL35 returns a function that prepares commands of OpenSSL 3.5 or newer: the installed
// one, or that which bench/openssl/newer keeps in the user's cache. Without either the test
// ends, as Missing says.
func OpenSSL35(t testing.TB) func(args ...string) *exec.Cmd {
	t.Helper()
	SkipIfOff(t)
	if path, err := exec.LookPath("openssl"); err == nil && recent(exec.Command(path, "version")) {
		return func(args ...string) *exec.Cmd { return exec.Command(path, args...) }
	}
	cache, _ := os.UserCacheDir() // without one nothing is found
	root := filepath.Join(cache, "vitrine-bench", "openssl")
	for _, library := range matches(filepath.Join(root, "usr/lib/*/libssl.so.3")) {
		folder := filepath.Dir(library)
		for _, loader := range matches(filepath.Join(folder, "ld-linux*.so.*")) {
			command := func(args ...string) *exec.Cmd {
				c := exec.Command(loader, append([]string{"--library-path", folder, filepath.Join(root, "usr/bin/openssl")}, args...)...)
				c.Env = append(os.Environ(), "OPENSSL_CONF=/dev/null", "OPENSSL_MODULES="+filepath.Join(folder, "ossl-modules"))
				return c
			}
			if recent(command("version")) {
				return command
			}
		}
	}
	Missing(t, "OpenSSL 3.5 is not installed, nor where bench/openssl/newer puts it")
	return nil
}

func matches(pattern string) []string {
	found, _ := filepath.Glob(pattern) // it errs for a bad pattern alone
	return found
}

// recent reports that a command's version is 3.5 or newer.
func recent(version *exec.Cmd) bool {
	out, err := version.Output()
	var major, minor int
	_, scanErr := fmt.Sscanf(string(out), "OpenSSL %d.%d", &major, &minor)
	return err == nil && scanErr == nil && (major > 3 || major == 3 && minor >= 5)
}
