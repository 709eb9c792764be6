package diagnose_test

import (
	"fmt"
	"net"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
)

// Say why a handshake failed.
func ExampleAccount() {
	ours, theirs := net.Pipe()
	go tls.Server(theirs, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{}}}).Handshake()

	var c explain.Collector
	err := tls.Client(ours, &tls.Config{ServerName: "example.com", MaxVersion: tls.VersionTLS12, Trace: c.Hooks()}).Handshake()

	verdict := diagnose.Account(c.Connection(explain.About{Err: err}), diagnose.Also{Err: err})
	fmt.Println(verdict.Cause, "-", verdict.Confidence)
	fmt.Println(verdict.Sentence)
	// Output:
	// no-common-version - certain
	// the server speaks none of the versions that the client offers: TLS 1.2
}
