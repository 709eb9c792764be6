package main

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// opensslSources do the same jobs with libssl; bench.c includes the others.
//
//go:embed openssl/*.c openssl/*.h
var opensslSources embed.FS

// systemOpenSSL as the flag's value asks for the libssl that the compiler finds.
const systemOpenSSL = "system"

// libssl is the library that the OpenSSL contender met.
type libssl struct {
	Version string `json:"version"` // of the library at run time
	Headers string `json:"headers"` // what it was compiled with
	File    string `json:"file"`
	Chosen  bool   `json:"chosen"` // in a folder of openssl/newer, or with CFLAGS and LDFLAGS; else it is the system's
}

// String is the line below a report's first.
func (l libssl) String() string {
	s := "libssl: " + cmp.Or(l.File, "the one that the compiler finds")
	if l.Headers != l.Version {
		s += ", compiled with the headers of " + l.Headers
	}
	if !l.Chosen {
		s += " (the system's; bench/openssl/newer fetches that of the next Debian release)"
	}
	return s
}

// opensslRoot is the folder of openssl/newer that the flag names, or the one in the
// user's cache folder. It is empty where the system's libssl is to be taken; CFLAGS and
// LDFLAGS, which choose one too, come before the cache folder.
func opensslRoot(flag string) (string, error) {
	switch {
	case flag == systemOpenSSL:
		return "", nil
	case flag != "":
		if libraryFolder(flag) == "" {
			return "", fmt.Errorf("no usr/lib/*/libssl.so.3 in %s: bench/openssl/newer %s puts it there", flag, flag)
		}
		return flag, nil
	case os.Getenv("CFLAGS") != "" || os.Getenv("LDFLAGS") != "":
		return "", nil
	}
	cache, err := os.UserCacheDir()
	if root := filepath.Join(cache, "vitrine-bench", "openssl"); err == nil && libraryFolder(root) != "" {
		return root, nil
	}
	return "", nil
}

// libraryFolder is where the libraries of a Debian system are that was unpacked in root.
func libraryFolder(root string) string {
	found, _ := filepath.Glob(filepath.Join(root, "usr", "lib", "*", "libssl.so.3"))
	if len(found) == 0 {
		return ""
	}
	return filepath.Dir(found[0])
}

// opensslFlags are the compiler's for the libssl in root: its headers, its libraries,
// and its own libc and dynamic linker, as a newer libssl wants them.
func opensslFlags(root string) (compile, link []string, err error) {
	root, err = filepath.Abs(root)
	if err != nil {
		return nil, nil, err
	}
	libraries := libraryFolder(root)
	linkers, _ := filepath.Glob(filepath.Join(libraries, "ld-linux*.so*"))
	if len(linkers) == 0 {
		return nil, nil, errors.New("no dynamic linker in " + libraries)
	}
	include := filepath.Join(root, "usr", "include")
	return []string{"-I" + include, "-I" + filepath.Join(include, filepath.Base(libraries))},
		[]string{"-L" + libraries, "-Wl,--unresolved-symbols=ignore-in-shared-libs", "-Wl,-rpath," + libraries, "-Wl,--dynamic-linker=" + linkers[0]}, nil
}

// buildOpenSSL compiles the program into dir, with the libssl in root where that is not
// empty, and returns the contender and the library that it met. The environment variables
// CC, CFLAGS and LDFLAGS choose another compiler or another libssl.
func buildOpenSSL(dir, root string) (contender, libssl) {
	c := contender{name: opensslName}
	program := filepath.Join(dir, "openssl-bench")
	compile, link := strings.Fields(os.Getenv("CFLAGS")), strings.Fields(os.Getenv("LDFLAGS"))
	err := os.CopyFS(dir, opensslSources)
	if root != "" && err == nil {
		compile, link, err = opensslFlags(root)
	}
	if err != nil {
		c.missing = err
		return c, libssl{}
	}
	args := append([]string{"-O2", "-o", program}, compile...)
	args = append(append(args, filepath.Join(dir, "openssl", "bench.c")), link...)
	build := exec.Command(cmp.Or(os.Getenv("CC"), "cc"), append(args, "-lssl", "-lcrypto", "-lpthread", "-ldl")...)
	if out, err := build.CombinedOutput(); err != nil {
		c.missing = unsupported(fmt.Sprintf("not present: %v %s", err, firstLine(string(out))))
		return c, libssl{}
	}
	c.command = func(row) *exec.Cmd { return exec.Command(program, dir) }
	out, err := exec.Command(program).Output()
	met := strings.Split(strings.TrimRight(string(out), "\n"), "\n")
	if err != nil || len(met) != 3 {
		c.missing = fmt.Errorf("the program does not start: %v, %q", err, out)
		return c, libssl{}
	}
	return c, libssl{Version: met[0], Headers: met[1], File: met[2], Chosen: root != "" || len(compile)+len(link) > 0}
}
