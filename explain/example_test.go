package explain_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/text"
	"github.com/vitrine-tls/vitrine/tls"
)

// Explain a connection: collect what it reports, then ask for the account.
func Example() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	left, right := net.Pipe()
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}})
	go server.Handshake()

	var seen explain.Collector
	client := tls.Client(left, &tls.Config{ServerName: "example.com", RootCAs: roots, Trace: seen.Hooks()})
	err := client.Handshake()

	account := seen.Connection(explain.About{Target: "localhost", Err: err})
	fmt.Println("everything that could be computed again agrees:", account.Checks.OK())

	var out strings.Builder
	if err := text.Write(&out, account, text.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("it tells of the ClientHello:", strings.Contains(out.String(), "ClientHello"))
	// Output:
	// everything that could be computed again agrees: true
	// it tells of the ClientHello: true
}
