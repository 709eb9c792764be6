package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// folder makes the empty files that the bench looks for.
func folder(t *testing.T, files ...string) string {
	root := t.TempDir()
	for _, name := range files {
		name = filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// The folder that is named comes first, then what the environment chooses, then the
// user's cache folder, then the system.
func TestOpenSSLRoot(t *testing.T) {
	named := folder(t, "usr/lib/some-triplet/libssl.so.3")
	cache := folder(t, "vitrine-bench/openssl/usr/lib/some-triplet/libssl.so.3")
	cached := filepath.Join(cache, "vitrine-bench", "openssl")
	for _, c := range []struct{ flag, cflags, cache, want string }{
		{"", "", t.TempDir(), ""},
		{"", "", cache, cached},
		{"", "-I/opt", cache, ""},
		{systemOpenSSL, "", cache, ""},
		{named, "", cache, named},
		{named, "-I/opt", cache, named},
	} {
		t.Setenv("CFLAGS", c.cflags)
		t.Setenv("LDFLAGS", "")
		t.Setenv("XDG_CACHE_HOME", c.cache)
		t.Setenv("LocalAppData", c.cache)
		t.Setenv("HOME", c.cache)
		if dir, err := os.UserCacheDir(); c.want == cached && (err != nil || dir != c.cache) {
			continue // this system derives the cache folder from another variable
		}
		if got, err := opensslRoot(c.flag); err != nil || got != c.want {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
	if _, err := opensslRoot(t.TempDir()); err == nil || !strings.Contains(err.Error(), "bench/openssl/newer") {
		t.Errorf("a folder without libssl: %v", err)
	}
}

// The newer libssl comes with its own libc: headers, libraries and the dynamic linker
// are all from one folder.
func TestOpenSSLFlags(t *testing.T) {
	const libraries = "usr/lib/some-triplet"
	root := folder(t, libraries+"/libssl.so.3", libraries+"/ld-linux-x.so.2")
	compile, link, err := opensslFlags(root)
	if err != nil {
		t.Fatal(err)
	}
	in := filepath.Join(root, filepath.FromSlash(libraries))
	for _, want := range []string{"-I" + filepath.Join(root, "usr", "include", "some-triplet"), "-Wl,-rpath," + in,
		"-Wl,--dynamic-linker=" + filepath.Join(in, "ld-linux-x.so.2")} {
		if !slices.Contains(slices.Concat(compile, link), want) {
			t.Errorf("no %s in %q, %q", want, compile, link)
		}
	}
	if _, _, err := opensslFlags(folder(t, libraries+"/libssl.so.3")); err == nil {
		t.Error("a folder without a dynamic linker was taken")
	}
}

// A report says which library was met, and warns where it is not that of the headers.
func TestLibSSLIsSaid(t *testing.T) {
	for want, l := range map[string]libssl{
		"libssl: /r/libssl.so.3": {"OpenSSL 3.5.9", "OpenSSL 3.5.9", "/r/libssl.so.3", true},
		"libssl: /r/libssl.so.3, compiled with the headers of OpenSSL 3.5.9":                               {"OpenSSL 3.0.22", "OpenSSL 3.5.9", "/r/libssl.so.3", true},
		"libssl: /libssl.so.3 (the system's; bench/openssl/newer fetches that of the next Debian release)": {"OpenSSL 3.0.22", "OpenSSL 3.0.22", "/libssl.so.3", false},
	} {
		if got := l.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The script says what it does, what it was not asked for, and deletes nothing that it has
// not made. It fetches nothing here.
func TestNewer(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	other := folder(t, "precious")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--help"}, 0, "Nothing of the system changes"},
		{[]string{"--speed"}, 2, "no flag --speed"},
		{[]string{"one", "two"}, 2, "bench/openssl/newer [--suite NAME] [FOLDER]"},
		{[]string{other}, 1, "holds something else"},
	} {
		cmd := exec.Command("bash", append([]string{"openssl/newer"}, c.args...)...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%q: exit %d, %s", c.args, code, out)
		}
	}
	if _, err := os.Stat(filepath.Join(other, "precious")); err != nil {
		t.Error(err)
	}
}
