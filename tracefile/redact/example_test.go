package redact_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/tracefile/redact"
)

// Make a trace that others may see.
func Example() {
	var whole, shown bytes.Buffer
	w := tracefile.NewWriter(&whole, false)
	if err := w.Begin(tracefile.Header{Target: "intranet.example.com:443", Failure: "intranet.example.com does not answer"}); err != nil {
		fmt.Println(err)
		return
	}
	err := redact.New().Copy(&shown, &whole)
	fmt.Println(err, strings.Contains(shown.String(), "intranet"), strings.Contains(shown.String(), " does not answer"))
	// Output: <nil> false true
}
