package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// opensslSources do the same jobs with libssl; bench.c includes the others.
//
//go:embed openssl
var opensslSources embed.FS

// buildOpenSSL compiles the program into dir and returns the contender and
// libssl's version. The environment variables CC, CFLAGS and LDFLAGS choose
// another compiler or another libssl.
func buildOpenSSL(dir string) (contender, string) {
	c := contender{name: opensslName}
	source, program := filepath.Join(dir, "openssl", "bench.c"), filepath.Join(dir, "openssl-bench")
	if err := os.CopyFS(dir, opensslSources); err != nil {
		c.missing = err
		return c, ""
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	args := append([]string{"-O2", "-o", program}, strings.Fields(os.Getenv("CFLAGS"))...)
	args = append(append(args, source), strings.Fields(os.Getenv("LDFLAGS"))...)
	build := exec.Command(cc, append(args, "-lssl", "-lcrypto", "-lpthread")...)
	if out, err := build.CombinedOutput(); err != nil {
		c.missing = unsupported(fmt.Sprintf("not present: %v %s", err, firstLine(string(out))))
		return c, ""
	}
	c.command = func(row) *exec.Cmd { return exec.Command(program, dir) }
	version, err := exec.Command(program).Output()
	if err != nil {
		c.missing = err
	}
	return c, strings.TrimSpace(string(version))
}
