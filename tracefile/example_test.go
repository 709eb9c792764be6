package tracefile_test

import (
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// The alerts of a trace.
func ExampleReader() {
	const file = `{"connection":{"format":"vitrine.trace/1","target":"example.com:443","secrets":false}}
{"at_ns":1500000,"alert":{"dir":"received","level":2,"code":40}}
`
	r := tracefile.NewReader(strings.NewReader(file))
	for {
		h, e, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			break
		}
		if h != nil {
			fmt.Println(h.Target)
		}
		if a, ok := e.What.(trace.Alert); ok {
			fmt.Println(e.At, a.Dir, a.Code)
		}
	}
	// Output:
	// example.com:443
	// 1.5ms received handshake_failure
}
