package fetch_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// What asks authorities whether a certificate is revoked, and keeps the answers on disk. It is
// the value of Config.Revocation in package tls.
func ExampleClient() {
	checker := &revocation.Checker{
		Mode:    revocation.Hard,
		Fetcher: &fetch.Client{Dir: "/var/cache/app/revocation"},
	}
	fmt.Println(checker.Mode)
	// Output: hard
}
