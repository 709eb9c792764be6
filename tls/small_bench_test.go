package tls

import (
	stdtls "crypto/tls"
	"io"
	"net"
	"testing"
)

// BenchmarkSmallMessages sends a message over a socket and takes it at the other end, in
// one goroutine: what is measured is two system calls and what we add to them.
func BenchmarkSmallMessages(b *testing.B) {
	for _, end := range []struct {
		name string
		wrap func(client, server net.Conn) (net.Conn, net.Conn)
	}{
		{"below", func(c, s net.Conn) (net.Conn, net.Conn) { return c, s }},
		{"vitrine", func(c, s net.Conn) (net.Conn, net.Conn) {
			return Client(c, testPKI().client()), Server(s, testPKI().server("ecdsa-p256"))
		}},
		{"crypto-tls", func(c, s net.Conn) (net.Conn, net.Conn) {
			own, peer := testPKI().client(), testPKI().server("ecdsa-p256")
			return stdtls.Client(c, &stdtls.Config{RootCAs: own.RootCAs, ServerName: own.ServerName}),
				stdtls.Server(s, &stdtls.Config{Certificates: peer.Certificates})
		}},
	} {
		for _, size := range []int{64, 1000} {
			b.Run(end.name+"/"+map[int]string{64: "64", 1000: "1000"}[size], func(b *testing.B) {
				c, s := end.wrap(loopback(b))
				if e, is := c.(endpoint); is {
					if clientErr, serverErr := shake(e, s.(endpoint)); clientErr != nil || serverErr != nil {
						b.Fatal(clientErr, serverErr)
					}
				}
				message := make([]byte, size)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := c.Write(message); err != nil {
						b.Fatal(err)
					}
					if _, err := io.ReadFull(s, message); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// loopback returns the ends of a TCP connection.
func loopback(b *testing.B) (client, server net.Conn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		b.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}
