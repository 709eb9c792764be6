package tls

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
)

// A reset that a Write was told of is what Read meets too, and never an end in order,
// even where the peer may end the stream unannounced.
func TestAResetIsNoEnd(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"socket":  func(c net.Conn) net.Conn { return c },
		"wrapped": func(c net.Conn) net.Conn { return struct{ net.Conn }{c} },
	} {
		t.Run(name, func(t *testing.T) {
			far, near := tcpPair(t)
			config := testPKI().server("ecdsa-p256")
			config.Legacy.UnannouncedEnd = true
			client, server := Client(far, testPKI().client()), Server(wrap(near), config)
			if clientErr, serverErr := shake(client, server); clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			far.(*net.TCPConn).SetLinger(0)
			far.Close()
			var err error
			for err == nil {
				_, err = server.Write([]byte("to nobody"))
			}
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Fatalf("Write: %v", err)
			}
			_, err = server.Read(make([]byte, 1))
			var op *net.OpError
			if err == io.EOF || !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &op) {
				t.Errorf("Read: %v", err)
			}
		})
	}
}
