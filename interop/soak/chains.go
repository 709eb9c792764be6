package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
)

// wantChains is how many chains are judged by everybody.
const wantChains = 25_000

var differed = regexp.MustCompile(`(\d+) chains of (\d+) deviations: (\d+) disagreements of (\d+) kinds`)

// runChains has certcheck, crypto/x509, OpenSSL and GnuTLS judge chains that deviate from
// a good one.
func runChains(ctx context.Context, r *report) error {
	out, err := goTool(ctx, "test", "-count=1", "-v", "-timeout=0", "./certcheck/internal/differ", "-chains="+strconv.Itoa(wantChains))
	if err != nil {
		return err
	}
	m := differed.FindStringSubmatch(out)
	if m == nil {
		return fmt.Errorf("nothing was compared:\n%s", out)
	}
	n, _ := strconv.Atoi(m[1])
	r.Figure("chains, of "+m[2]+" deviations alone and in pairs", "%s", m[1]).Want(n >= wantChains, "at least %d", wantChains)
	r.Figure("disagreements with one of three verifiers", "%s of %s kinds, each with a row in docs/conformance.md", m[3], m[4])
	return nil
}
