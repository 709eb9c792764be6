package scan

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	stdtls "crypto/tls"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// everything has every switch by which package tls becomes a server of old.
var everything = tls.Legacy{RSAKeyExchange: true, SSL30: true, SSL2Hello: true, DSSSigning: true, DES: true, TripleDES: true, RC4: true,
	NullCiphers: true, Anonymous: true, MD5: true, SmallDH: true, SHA1Signatures: true}

var authority = sync.OnceValue(func() *devca.CA {
	ca, err := devca.New("example.test")
	if err != nil {
		panic(err)
	}
	return ca
})

var issued sync.Map

// certificate is one of the test's authority for example.test.
func certificate(t testing.TB, of devca.KeyType) tls.Certificate {
	t.Helper()
	if c, ok := issued.Load(of); ok {
		return c.(stdtls.Certificate)
	}
	c, err := authority().Issue(devca.Leaf{Names: []string{"example.test"}, Key: of})
	if err != nil {
		t.Fatal(err)
	}
	issued.Store(of, c)
	return c
}

// serveTLS runs a server of package tls that answers HTTP, and returns where.
func serveTLS(t testing.TB, config *tls.Config) Target {
	t.Helper()
	return serve(t, func(raw net.Conn) {
		conn := tls.Server(raw, config)
		if conn.Handshake() != nil {
			return
		}
		in := bufio.NewReader(conn)
		for last := false; ; {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch strings.TrimSpace(line) {
			case "Connection: close":
				last = true
			case "":
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				if last {
					conn.Close()
					return
				}
			}
		}
	})
}

// serve calls handle with each connection that comes, and returns where they come. At
// the end of the test all end.
func serve(t testing.TB, handle func(net.Conn)) Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var wait sync.WaitGroup
	open, over := map[net.Conn]bool{}, false
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			if over {
				conn.Close()
			}
			mu.Unlock()
			wait.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(30 * time.Second))
				handle(conn)
				mu.Lock()
				delete(open, conn)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		over = true
		for conn := range open {
			conn.Close()
		}
		mu.Unlock()
		wait.Wait()
	})
	return Target{Address: l.Addr().String(), Name: "example.test"}
}

// old is the configuration of a server for one version and one suite.
func old(t testing.TB, v wire.Version, suites ...wire.CipherSuite) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.RSA), certificate(t, devca.ECDSA), certificate(t, devca.DSA)},
		MinVersion: uint16(v), MaxVersion: uint16(v), Legacy: everything}
	for _, s := range suites {
		c.CipherSuites = append(c.CipherSuites, uint16(s))
	}
	return c
}

// probe carries one probe out and expects no error of ours.
func probe(t testing.TB, p *Prober, at Target, what Probe) *Answer {
	t.Helper()
	a, err := p.Do(t.Context(), at, what)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
