package explain_test

import (
	"fmt"
	"net"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// Explain a connection: collect what it reports, then ask for the account.
func Example() {
	ca, err := devca.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	left, right := net.Pipe()
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}})
	go server.Handshake()

	var seen explain.Collector
	client := tls.Client(left, &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), Trace: seen.Hooks()})
	err = client.Handshake()

	account := seen.Connection(explain.About{Target: "localhost", Err: err})
	fmt.Println("everything that could be computed again agrees:", account.Checks.OK())

	var text strings.Builder
	if err := account.Text(&text, explain.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("it tells of the ClientHello:", strings.Contains(text.String(), "ClientHello"))
	// Output:
	// everything that could be computed again agrees: true
	// it tells of the ClientHello: true
}
