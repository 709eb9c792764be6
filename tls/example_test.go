package tls_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
)

// A server that echoes, and a client that knows its authority.
func Example() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.Copy(conn, conn)
	}()

	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{ServerName: "example.com", RootCAs: roots})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "hello")
	conn.CloseWrite()
	reply, err := io.ReadAll(conn)
	state := conn.State()
	fmt.Println(string(reply), err, state.Version, state.Group)
	// Output:
	// hello <nil> TLS 1.3 X25519MLKEM768
}

// A failed negotiation says what each side offered.
func ExampleHandshakeError() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	left, right := net.Pipe()
	defer left.Close()
	client := tls.Client(left, &tls.Config{ServerName: "example.com", RootCAs: roots, NextProtos: []string{"h2"}})
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
	go client.Handshake()

	var failure *tls.HandshakeError
	if errors.As(server.Handshake(), &failure) {
		fmt.Println(failure.Rule)
		fmt.Println("server:", failure.Ours, "client:", failure.Theirs)
		fmt.Println(failure.Hint)
		fmt.Println("alert:", failure.Alert)
	}
	// Output:
	// no application protocol in common
	// server: [http/1.1] client: ["h2"]
	// add the client's protocol to NextProtos, or have the client ask for ours
	// alert: no_application_protocol
}

// Keys for another protocol, bound to the connection.
func ExampleConn_ChannelBinding() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	left, right := net.Pipe()
	defer left.Close()
	client := tls.Client(left, &tls.Config{ServerName: "example.com", RootCAs: roots})
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}, SessionTicketsDisabled: true})
	go server.Handshake()
	if err := client.Handshake(); err != nil {
		fmt.Println(err)
		return
	}
	binding, err := client.ChannelBinding("tls-exporter") // RFC 9266
	fmt.Println(len(binding), "bytes,", err)
	// Output:
	// 32 bytes, <nil>
}

// A certificate for each name that is asked for, as autocert's Manager makes them:
// its GetCertificate method goes in as it is.
func ExampleConfig_getCertificate() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if hello.ServerName != "example.com" {
			return nil, fmt.Errorf("no certificate for %q", hello.ServerName)
		}
		return &cert, nil
	}}
	for _, name := range []string{"example.com", "c.example"} {
		left, right := net.Pipe()
		server := tls.Server(right, config)
		served := make(chan error, 1)
		go func() { served <- server.Handshake() }()
		client := tls.Client(left, &tls.Config{ServerName: name, RootCAs: roots})
		if client.Handshake() == nil {
			fmt.Println(client.ConnectionState().PeerCertificates[0].DNSNames[0])
		}
		if err := <-served; err != nil {
			fmt.Println(err)
		}
		left.Close()
	}
	// Output:
	// example.com
	// tls: GetCertificate failed for this client: no certificate for "c.example"
}

// What was agreed, and why: the hooks tell each choice as it is made.
func ExampleConfig_trace() {
	site := httptest.NewTLSServer(nil) // its certificate, for example.com, stands for yours
	defer site.Close()
	cert, roots := site.TLS.Certificates[0], x509.NewCertPool()
	roots.AddCert(site.Certificate())
	left, right := net.Pipe()
	defer left.Close()
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
	go server.Handshake()
	client := tls.Client(left, &tls.Config{
		ServerName: "example.com", RootCAs: roots, NextProtos: []string{"h2", "http/1.1"},
		Trace: &trace.Hooks{Choice: func(c trace.Choice) {
			if c.What == "version" || c.What == "ALPN" {
				fmt.Printf("%s: %s (%s)\n", c.What, c.Picked, c.Why)
			}
		}},
	})
	if err := client.Handshake(); err != nil {
		fmt.Println(err)
		return
	}
	state := client.State()
	fmt.Println(state.Version, state.ALPN, "resumption:", state.Resumption)
	// Output:
	// version: TLS 1.3 (the newest that both sides speak)
	// ALPN: http/1.1 (the first of the server's protocols that the client offers)
	// TLS 1.3 http/1.1 resumption: none
}
