package trace_test

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/http/httptest"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Print the messages of a handshake, and the cipher suite and why.
func ExampleHooks() {
	hooks := &trace.Hooks{
		Message: func(m trace.Message) {
			fmt.Printf("%-8s %v\n", m.Dir, wire.HandshakeType(m.Raw[0]))
		},
		Choice: func(c trace.Choice) {
			if c.What == "cipher suite" {
				fmt.Printf("         %s: %s, %s\n", c.What, c.Picked, c.Why)
			}
		},
	}

	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	left, right := net.Pipe()
	suites := []uint16{tls.TLS_AES_128_GCM_SHA256}
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}, CipherSuites: suites, SessionTicketsDisabled: true})
	client := tls.Client(left, &tls.Config{ServerName: "example.com", RootCAs: roots, CipherSuites: suites, Trace: hooks})
	go server.Handshake()
	if err := client.Handshake(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// sent     ClientHello
	// received ServerHello
	//          cipher suite: TLS_AES_128_GCM_SHA256, the server's choice from our list
	// received EncryptedExtensions
	// received Certificate
	// received CertificateVerify
	// received Finished
	// sent     Finished
}
