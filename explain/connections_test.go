package explain

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// A Config that is used again mixes no events: each connection has an account, in
// which all agrees, and that of the first says that there are others.
func TestCollectorKeepsConnectionsApart(t *testing.T) {
	for _, side := range []string{"client", "server"} {
		var c Collector
		p := newPair(t)
		if side == "client" {
			p.client.Trace = c.Hooks()
		} else {
			p.server.Trace = c.Hooks()
		}
		const used = maxConnections + 2
		var all sync.WaitGroup
		for range used {
			all.Go(func() { connectOnce(t, p) })
		}
		all.Wait()
		accounts := c.Connections(About{})
		if len(accounts) != maxConnections {
			t.Errorf("%s: %d accounts of %d connections", side, len(accounts), used)
		}
		for i, account := range accounts {
			if !account.Checks.OK() || account.Summary.Version == "" || len(account.Warnings) > 0 {
				t.Errorf("%s: account %d: %s; %q", side, i, account.Checks.Sentence(), account.Warnings)
			}
		}
		first := c.Connection(About{})
		if !first.Checks.OK() || len(first.Warnings) != 1 || !strings.Contains(first.Warnings[0], "used for 10 connections") {
			t.Errorf("%s: the first account: %s; %q", side, first.Checks.Sentence(), first.Warnings)
		}
	}
}

// A Collector for one connection says nothing of others.
func TestCollectorOfOneConnection(t *testing.T) {
	var c Collector
	p := newPair(t)
	p.client.Trace = c.Hooks()
	connectOnce(t, p)
	if account, all := c.Connection(About{}), c.Connections(About{}); len(account.Warnings) > 0 || len(all) != 1 || len(all[0].Events) != len(account.Events) {
		t.Errorf("%d accounts, warnings %q", len(all), account.Warnings)
	}
}

// connectOnce makes a connection of p, sends a word, and closes it.
func connectOnce(t *testing.T, p *pair) {
	left, right := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn := tls.Server(right, p.server)
		defer conn.Close()
		io.Copy(io.Discard, conn)
	}()
	conn := tls.Client(left, p.client)
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Error(err)
	}
	go io.Copy(io.Discard, left) // what the server says last, or its Close would wait
	conn.Close()
	left.Close()
	<-done
}
