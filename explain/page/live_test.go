package page

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// run is a connection to make: what is special about its two ends, and what is said on it.
type run struct {
	change func(client, server *tls.Config)
	key    devca.KeyType
	talk   func(client *tls.Conn) error // empty: "hello", and what comes back
	fails  bool
	budget int // of the collector
	about  explain.About
	server bool // seen from the server's side
	twice  bool // explain a second one, which resumes
	keep   func(*explain.Collector, explain.About)
}

var authority = sync.OnceValues(func() (*devca.CA, error) { return devca.New() })

// account makes the connection.
func (r run) account(t *testing.T) *explain.Connection {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: r.key})
	if err != nil {
		t.Fatal(err)
	}
	client := &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), ClientSessionCache: tls.NewLRUClientSessionCache(1), NextProtos: []string{"http/1.1"}}
	server := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"http/1.1"}}
	if r.change != nil {
		r.change(client, server)
	}
	about := r.about
	if r.twice {
		about.Previous = r.connect(t, client, server, explain.About{Target: "localhost"})
	}
	about.Target = "localhost"
	return r.connect(t, client, server, about)
}

func (r run) connect(t *testing.T, client, server *tls.Config, about explain.About) *explain.Connection {
	ours, theirs := &explain.Collector{Budget: r.budget}, new(explain.Collector)
	left, right := tcp(t)
	served := make(chan struct{})
	go func() {
		defer close(served)
		config := server.Clone()
		config.Trace = theirs.Hooks()
		config.SetSessionTicketKeys([][32]byte{{1}})
		conn := tls.Server(right, config)
		defer conn.Close()
		io.Copy(conn, conn)
	}()
	config := client.Clone()
	config.Trace = ours.Hooks()
	conn := tls.Client(left, config)
	err := r.speak(conn)
	conn.Close()
	<-served
	if (err != nil) != r.fails {
		t.Fatal(err)
	}
	about.Err = err
	if r.keep != nil {
		r.keep(ours, about)
	}
	if r.server {
		return theirs.Connection(about)
	}
	return ours.Connection(about)
}

// speak says something, closes, and reads until the other side has closed too.
func (r run) speak(conn *tls.Conn) error {
	if err := conn.Handshake(); err != nil {
		return err
	}
	talk := r.talk
	if talk == nil {
		talk = func(c *tls.Conn) error {
			_, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
			return err
		}
	}
	if err := errors.Join(talk(conn), conn.CloseWrite()); err != nil {
		return err
	}
	_, err := io.ReadAll(conn)
	return err
}

// tcp are the two ends of a connection.
func tcp(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(accepted)
			return
		}
		accepted <- c
	}()
	client, err = new(net.Dialer).DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return client, <-accepted
}
