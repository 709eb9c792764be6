//go:build valgrind && linux && amd64

package main

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// An operation marks what is secret, and then does something with it that the
// library does for a connection. It errs if that comes out wrong, because then
// it was not what it is called. Where the outcome is public, it says so.
type operation struct {
	name string // its group, a slash, and what it is
	run  func() error
}

// main runs the operations of one group. The RSA key comes by standard input,
// since to make one under valgrind would take longer than all the rest. What it
// writes goes where valgrind writes its reports, so that each is found with the
// operation it belongs to.
func main() {
	if len(os.Args) != 2 || !underValgrind() {
		fail("usage: valgrind operations GROUP < RSA-KEY")
	}
	debug.SetGCPercent(-1) // the collector would only take time
	der, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail("the key:", err)
	}
	newKey := func() (*rsa.PrivateKey, error) { return x509.ParsePKCS1PrivateKey(der) }
	ran := 0
	for _, op := range slices.Concat(recordOperations(), kexOperations(newKey), ticketOperations(), handshakeOperations(newKey)) {
		if group, _, _ := strings.Cut(op.name, "/"); group != os.Args[1] {
			continue
		}
		ran++
		fmt.Fprintf(os.Stderr, "begin %s\n", op.name)
		before := reports()
		err := op.run()
		fmt.Fprintf(os.Stderr, "end %d\n", reports()-before)
		if err != nil {
			fail(op.name+":", err)
		}
	}
	if ran == 0 {
		fail("no such group")
	}
}

func fail(args ...any) {
	fmt.Fprintln(os.Stderr, append([]any{"fail"}, args...)...)
	os.Exit(1)
}
