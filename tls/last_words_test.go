package tls

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// slowWrites takes a while for each Write, once it is told to; a Close meanwhile comes
// first.
type slowWrites struct {
	net.Conn
	slow atomic.Bool
}

func (c *slowWrites) Write(b []byte) (int, error) {
	if c.slow.Load() {
		time.Sleep(5 * time.Millisecond) // much less than patience, on a busy machine too
	}
	return c.Conn.Write(b)
}

// A server that is told that a client has shown no certificate closes the connection at once.
// The alert that says why has been sent then, though sending takes its time.
func TestCloseWaitsForLastWords(t *testing.T) {
	client, server := askable(VersionTLS13)
	client.Certificates, server.ClientAuth = nil, NoClientCert
	for range 5 {
		a, b := tcpPair(t)
		slow := &slowWrites{Conn: b}
		c, s := Client(a, client), Server(slow, server.Clone())
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
		}
		s.config.ClientAuth = RequireAnyClientCert
		testDeadline(t, c)
		told := make(chan error, 1)
		go func() {
			_, err := c.Read(make([]byte, 1))
			told <- err
			c.Close()
		}()
		slow.slow.Store(true)
		err := s.RequestClientCertificate(context.Background())
		s.Close()
		if err == nil {
			t.Fatal("a client without a certificate is let through")
		}
		var alert AlertError
		if err := <-told; !errors.As(err, &alert) || alert != AlertError(wire.AlertCertificateRequired) {
			t.Fatalf("the client is told %v", err)
		}
	}
}
