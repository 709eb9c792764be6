package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

var wycheproof = vectors{
	name: "wycheproof", env: "VITRINE_WYCHEPROOF",
	url:    "https://github.com/C2SP/wycheproof",
	commit: "dac1dd4729fd1f8dd9e1e9f3dce51d783da6c166",
	paths:  []string{"testvectors_v1"},
}

// verified is what TestWycheproof says at its end, for each package or path.
var verified = regexp.MustCompile(`(\d+) (signatures|ciphertexts) of (\d+) files?`)

// atLeast is how many of a kind Wycheproof has for us, rounded down.
var atLeast = map[string]int{"signatures": 1000, "ciphertexts": 190}

// runWycheproof has the tests that verify signatures and decrypt read those of
// Wycheproof.
func runWycheproof(ctx context.Context, r *report) error {
	dir, err := wycheproof.checkout(ctx, r)
	if err != nil {
		return err
	}
	home, err := root()
	if err != nil {
		return err
	}
	out, err := run(ctx, home, "env", wycheproof.env+"="+dir, "go", "test", "-count=1", "-v", "-run", "^TestWycheproof$", "./internal/handshake", "./certcheck", "./internal/otherkeys", "./internal/primitive/aesgcm", "./internal/primitive/rsa")
	if err != nil {
		return err
	}
	for _, m := range verified.FindAllStringSubmatch(out, -1) {
		n, _ := strconv.Atoi(m[1])
		least := atLeast[m[2]]
		r.Figure(m[2]+", of "+m[3]+" files", "%d", n).Want(n > least, "more than %d, each judged as Wycheproof says", least)
	}
	if len(verified.FindAllString(out, -1)) == 0 {
		return fmt.Errorf("no test has read Wycheproof:\n%s", out)
	}
	return nil
}
