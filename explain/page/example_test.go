package page_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/page"
)

// An account becomes a page that needs nothing else.
func Example() {
	var collector explain.Collector // its hooks go into the configuration of a connection
	account := collector.Connection(explain.About{Target: "example.com:443"})
	var out bytes.Buffer
	if err := page.Write(&out, page.Page{Connections: []*explain.Connection{account}}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(strings.HasPrefix(out.String(), "<!doctype html>"))
	// Output: true
}
