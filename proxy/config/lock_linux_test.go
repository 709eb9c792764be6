package config_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

const lockChild = "VITRINE_TEST_LOCK"

// Keys that cannot be locked are told of before the start, and the limit stays as it was.
func TestKeysThatCannotBeLocked(t *testing.T) {
	if how := os.Getenv(lockChild); how != "" {
		mayLock(t, how)
		return
	}
	for _, how := range []string{"closed", "open"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKeysThatCannotBeLocked$")
		cmd.Env = append(os.Environ(), lockChild+"="+how)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", how, err, out)
		}
	}
}

// mayLock checks a configuration under a limit that this process may raise, or may not.
func mayLock(t *testing.T, how string) {
	limit := unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}
	if how == "open" {
		limit.Max = unix.RLIM_INFINITY
	}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		t.Skip("the limit cannot be set: ", err)
	}
	if os.Geteuid() == 0 { // root would raise it again
		if err := syscall.Setuid(65534); err != nil {
			t.Fatal(err)
		}
	}
	yaml := "listeners: [{listen: [\"127.0.0.1:1\"], target: t}]\ntargets: {t: {addresses: [\"127.0.0.1:2\"]}}\nprocess: {keys: locked}\n"
	c := mustParse(t, yaml)
	err := config.Check(c, config.Rights()).Err()
	if text := "process.keys: this process may lock 64 KiB"; (err != nil && strings.Contains(err.Error(), text)) != (how == "closed") {
		t.Errorf("%s: %v", how, err)
	}
	if err := config.Check(c).Err(); err != nil {
		t.Errorf("for another machine: %v", err)
	}
	var after unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &after); err != nil || after != limit {
		t.Errorf("the limit is %v now, %v", after, err)
	}
}
