package policy_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

func ExamplePolicy_Check() {
	p, err := policy.Parse([]byte("versions: [TLS 1.2, TLS 1.3]"))
	if err != nil {
		return
	}
	report := &scan.Report{Versions: []scan.VersionReport{{Version: "TLS 1.0", Offered: true}}}
	for _, d := range p.Check(report) {
		fmt.Println(d)
	}
	// Output: versions: TLS 1.0; allowed are TLS 1.2, TLS 1.3
}
