package text_test

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Write the account of a connection that ended with an alert.
func ExampleWrite() {
	var seen explain.Collector
	alert := []byte{21, 3, 3, 0, 2, 2, 40}
	seen.Hooks().Record(trace.Record{Dir: trace.Received, Type: wire.ContentAlert, Wire: alert, Plain: alert[5:]})

	var out strings.Builder
	if err := text.Write(&out, seen.Connection(explain.About{Target: "example.com:443"}), text.Options{Summary: true}); err != nil {
		fmt.Println(err)
	}
	fmt.Println("the ladder has the alert:", strings.Contains(out.String(), "◄────── handshake_failure"))
	// Output:
	// the ladder has the alert: true
}
