package diagnose_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience is how long a side waits for what never comes.
const patience = 10 * time.Second

// both returns the two ends of a connection over loopback.
func both(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		done <- c
	}()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server = <-done
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

// A scene is a client and a server that meet once.
type scene struct {
	client, server *tls.Config
}

// side is what one of them knows afterwards.
type side struct {
	account   *explain.Connection
	err       error
	collector *explain.Collector
}

func (s side) verdict() *diagnose.Verdict {
	return diagnose.Account(s.account, diagnose.Also{Err: s.err})
}

// ordinary is a scene in which nothing is wrong.
func ordinary(p *pki) *scene {
	return &scene{
		client: &tls.Config{ServerName: "a.test", RootCAs: p.trust()},
		server: &tls.Config{Certificates: []tls.Certificate{p.leaf()}},
	}
}

// play lets them meet, and say a word each.
func (s *scene) play(t testing.TB) (client, server side) {
	t.Helper()
	ours, theirs := both(t)
	done := make(chan side, 1)
	go func() { done <- act(tls.Server, theirs, s.server) }()
	client = act(tls.Client, ours, s.client)
	return client, <-done
}

// act shakes hands, says a word, hears one, and closes.
func act(as func(net.Conn, *tls.Config) *tls.Conn, raw net.Conn, config *tls.Config) side {
	c := explain.Collector{}
	config = config.Clone()
	config.Trace = c.Hooks()
	conn := as(raw, config)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	raw.SetDeadline(time.Now().Add(patience))
	err := conn.HandshakeContext(ctx)
	if err == nil {
		if _, err = conn.Write([]byte("hello")); err == nil {
			_, err = io.ReadFull(conn, make([]byte, 5))
		}
	}
	if err == nil {
		err = conn.CloseWrite()
	}
	if err == nil {
		if _, err = conn.Read(make([]byte, 1)); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	raw.Close()
	return side{c.Connection(explain.About{Err: err}), err, &c}
}

// at is the side of a role.
func at(role wire.Role, client, server side) side {
	if role == wire.Server {
		return server
	}
	return client
}
