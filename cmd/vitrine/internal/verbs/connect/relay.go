package connect

import (
	"io"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// relay sends what in holds and writes what the peer sends to out, until the
// peer has closed its direction. The end of in closes ours.
func (o *options) relay(conn *tls.Conn, in io.Reader, out io.Writer) error {
	answer := &awaited{Writer: out, begun: make(chan struct{})}
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(conn, in)
		if err == nil {
			if o.mayFollow(conn.State()) { // a handshake needs both directions
				answer.wait(o.timeout.Duration)
			}
			err = conn.CloseWrite()
		}
		sent <- err
	}()
	_, err := io.Copy(answer, conn)
	if err != nil {
		return err
	}
	select {
	case err := <-sent:
		return err
	default:
		return nil // the peer closed before our input ended
	}
}

// mayFollow reports that the server may begin a handshake inside the connection.
func (o *options) mayFollow(s tls.State) bool {
	if s.Version >= wire.TLS13 {
		return o.tls.PostHandshakeAuth
	}
	return o.tls.Renegotiate == "server"
}

// awaited is a Writer that lets others wait for the first write.
type awaited struct {
	io.Writer
	once  sync.Once
	begun chan struct{}
}

func (a *awaited) Write(p []byte) (int, error) {
	a.once.Do(func() { close(a.begun) })
	return a.Writer.Write(p)
}

func (a *awaited) wait(most time.Duration) {
	select {
	case <-a.begun:
	case <-time.After(most):
	}
}
