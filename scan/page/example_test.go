package page_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/page"
)

// What a scan has found becomes a page that needs nothing else.
func Example() {
	report := &scan.Report{Target: "example.com:443"} // of Prober.Scan
	var out bytes.Buffer
	if err := page.Write(&out, page.Page{Servers: []page.Server{{Report: report}}}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.Contains(out.String(), "It is all right"))
	// Output: true
}
