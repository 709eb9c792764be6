// Package programs says what tests do when a program of others, which they run beside the
// library, is not installed. VITRINE_INTEROP decides:
//
//	off      no such program is run: the test is skipped
//	require  a missing program fails the test; so it is with CI=true
//	(unset)  a missing program skips the test
package programs

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// Off reports that no program of others may be run.
func Off() bool { return os.Getenv("VITRINE_INTEROP") == "off" }

// Required reports that none may be missing, and that nothing may be left out to save time.
func Required() bool {
	return !Off() && (os.Getenv("VITRINE_INTEROP") == "require" || os.Getenv("CI") == "true")
}

// Brief reports that what takes long is left out: with -short, and wherever a program may be
// missing, as in a developer's go test ./... CI leaves nothing out.
func Brief() bool { return testing.Short() || !Required() }

// SkipIfOff skips the test where no program of others may be run.
func SkipIfOff(t testing.TB) {
	t.Helper()
	if Off() {
		t.Skip("VITRINE_INTEROP=off")
	}
}

// Missing skips the test, or fails it where nothing may be missing. why says what is missing.
func Missing(t testing.TB, why string) {
	t.Helper()
	SkipIfOff(t)
	if Required() {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Need returns the path of a program, which the Debian package pkg brings. Without it the
// test ends, as Missing says.
func Need(t testing.TB, name, pkg string) string {
	t.Helper()
	SkipIfOff(t)
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, NotInstalled(name, pkg))
	}
	return path
}

// NotInstalled says that a program is missing, and how to get it.
func NotInstalled(name, pkg string) string {
	return fmt.Sprintf("%s is not installed (Debian: apt-get install %s)", name, pkg)
}
