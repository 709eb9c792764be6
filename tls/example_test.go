package tls_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
)

// A server that echoes, and a client that knows its authority.
func Example() {
	ca, err := devca.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.ServerCertificate("localhost")
	if err != nil {
		fmt.Println(err)
		return
	}
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

	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{ServerName: "localhost", RootCAs: ca.Pool()})
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
	ca, err := devca.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.ServerCertificate("localhost")
	if err != nil {
		fmt.Println(err)
		return
	}
	left, right := net.Pipe()
	defer left.Close()
	client := tls.Client(left, &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), NextProtos: []string{"h2"}})
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
	ca, err := devca.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.ServerCertificate("localhost")
	if err != nil {
		fmt.Println(err)
		return
	}
	left, right := net.Pipe()
	defer left.Close()
	client := tls.Client(left, &tls.Config{ServerName: "localhost", RootCAs: ca.Pool()})
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

// A certificate for whatever name is asked for, as autocert's Manager makes them:
// its GetCertificate method goes in as it is.
func ExampleConfig_getCertificate() {
	ca, err := devca.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		if !strings.HasSuffix(hello.ServerName, ".localhost") {
			return nil, fmt.Errorf("no certificate for %q", hello.ServerName)
		}
		cert, err := ca.ServerCertificate(hello.ServerName)
		return &cert, err
	}}
	for _, name := range []string{"a.localhost", "b.localhost", "c.example"} {
		left, right := net.Pipe()
		server := tls.Server(right, config)
		served := make(chan error, 1)
		go func() { served <- server.Handshake() }()
		client := tls.Client(left, &tls.Config{ServerName: name, RootCAs: ca.Pool()})
		if client.Handshake() == nil {
			fmt.Println(client.ConnectionState().PeerCertificates[0].DNSNames)
		}
		if err := <-served; err != nil {
			fmt.Println(err)
		}
		left.Close()
	}
	// Output:
	// [a.localhost]
	// [b.localhost]
	// tls: GetCertificate failed for this client: no certificate for "c.example"
}

// What was agreed, and why: the hooks tell each choice as it is made.
func ExampleConfig_trace() {
	ca, err := devca.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := ca.ServerCertificate("localhost")
	if err != nil {
		fmt.Println(err)
		return
	}
	left, right := net.Pipe()
	defer left.Close()
	server := tls.Server(right, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}})
	go server.Handshake()
	client := tls.Client(left, &tls.Config{
		ServerName: "localhost", RootCAs: ca.Pool(), NextProtos: []string{"h2", "http/1.1"},
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
