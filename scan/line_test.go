package scan

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// gated is a connection on which nothing is read until another was begun.
type gated struct {
	net.Conn
	another chan struct{}
}

func (g *gated) Read(b []byte) (int, error) {
	select {
	case <-g.another:
		return g.Conn.Read(b)
	case <-time.After(5 * time.Second):
		return 0, net.ErrClosed
	}
}

// While a probe of a line runs, the connection for the next is made: the answer to the second
// is there only once the third connection was begun. What is left over is closed.
func TestLinesConnectAhead(t *testing.T) {
	at := serveTLS(t, old(t, wire.TLS12, wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256))
	var dialled atomic.Int32
	third := make(chan struct{})
	p := &Prober{Strict: true, Connections: 2, Rate: 1e6, Dial: func(ctx context.Context, t Target) (net.Conn, error) {
		n := dialled.Add(1)
		if n == 3 {
			close(third)
		}
		conn, err := dial(ctx, t)
		if n == 2 && err == nil {
			conn = &gated{conn, third}
		}
		return conn, err
	}}
	l := (&audit{p: p, at: at, r: &Report{}}).line()
	for n := range 2 {
		if a := l.do(t.Context(), Probe{Hello: Modern()}); a == nil || a.End != Reached {
			t.Fatalf("probe %d: %+v", n+1, a)
		}
	}
	l.end()
	if n := dialled.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
	// Both places are free again.
	for range 2 {
		if c := p.open(t.Context(), at); c.err != nil {
			t.Fatal(c.err)
		}
	}
}

// A server that gives one place gets a whole scan all the same: none waits for a place that it
// holds itself. Its certificate is seen without a signature, behind a line of signatures.
func TestOnePlaceIsEnough(t *testing.T) {
	c := old(t, wire.TLS12, wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_RSA_WITH_AES_256_CBC_SHA)
	c.MaxVersion = uint16(wire.TLS13)
	c.PreferClientCipherSuites = true // the order is asked for twice because of ChaCha20
	c.CipherSuites = append(c.CipherSuites, uint16(wire.TLS_AES_128_GCM_SHA256), uint16(wire.TLS_AES_256_GCM_SHA384), uint16(wire.TLS_CHACHA20_POLY1305_SHA256))
	c.Certificates = []tls.Certificate{certificate(t, devca.RSA)}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	r, err := (&Prober{Strict: true, Connections: 1, Rate: 1e6}).Scan(ctx, serveTLS(t, c), Options{Roots: authority().Pool(), ConfigurationOnly: true})
	if err != nil || !r.Offers("TLS 1.3") || !r.Offers("TLS 1.2") || len(r.Chains) != 1 {
		t.Errorf("%v; %d chains", err, len(r.Chains))
	}
}
