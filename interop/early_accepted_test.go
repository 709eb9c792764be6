package interop

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// takesEarly is a server's Config that takes early data.
func takesEarly(t *testing.T, p *pki) *tls.Config {
	cert, err := tls.LoadX509KeyPair(p.certFile(keyP256), p.keyFile(keyP256))
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, EarlyData: tls.EarlyData{
		MaxBytes: 16 << 10, Protocols: []string{""}, Replay: session.SingleUse(session.NewMemory(1 << 20)),
	}}
}

// Early data of OpenSSL and GnuTLS is taken by our server, which answers at once. RFC 8446 §2.3.
func TestEarlyDataIsTaken(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, client := range hastyClients {
		t.Run(client.name, func(t *testing.T) {
			command := client.command(t)
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
			defer cancel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "early"), []byte(earlyPayload), 0o600); err != nil {
				t.Fatal(err)
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			got := make(chan []byte, 1)
			go serveEarly(l, takesEarly(t, material), got)
			child, err := client.connect(ctx, command, material, dir, l.Addr().(*net.TCPAddr).Port, nil) // once for a ticket, and once more
			if err != nil {
				t.Fatal(err)
			}
			if err := child.awaitPayload(ctx, []byte("the answer to EARLY DATA THAT")); err != nil {
				t.Errorf("%v: %s", err, child.text())
			}
			child.Close()
			select {
			case early := <-got:
				if string(early) != earlyPayload {
					t.Errorf("the server got %q", early)
				}
			case <-ctx.Done():
				t.Error("no early data came")
			}
		})
	}
}

// serveEarly answers early data at once, and says "behind the ticket" on a connection without.
func serveEarly(l net.Listener, config *tls.Config, got chan<- []byte) {
	for {
		raw, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer raw.Close()
			raw.SetDeadline(time.Now().Add(cellTimeout))
			c := tls.Server(raw, config)
			early, err := c.AcceptEarly(context.Background())
			if err != nil {
				return
			}
			if early == nil {
				io.WriteString(c, "behind the ticket\n")
			} else {
				data, _ := io.ReadAll(early)
				got <- data
				io.WriteString(early, "the answer to "+strings.ToUpper(string(data)))
			}
			io.Copy(io.Discard, c)
		}()
	}
}

// Our client's early data is taken by OpenSSL's and GnuTLS's servers.
func TestEarlyDataIsTakenByOthers(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []struct {
		name    string
		command func(testing.TB) []string
		echoes  bool // what does not come early; else it prints what comes, and sends what it is told to
		serve   func(ctx context.Context, command []string, p *pki, dir string, port int) (*proc, error)
	}{
		{"openssl", installed("openssl", "openssl"), false, serveOpenSSL}, {"openssl 3.5", openssl35, false, serveOpenSSL},
		{"gnutls", installed("gnutls-serv", "gnutls-bin"), true, serveGnuTLS},
	} {
		t.Run(server.name, func(t *testing.T) {
			command := server.command(t)
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
			defer cancel()
			port, err := freePort()
			if err != nil {
				t.Fatal(err)
			}
			child, err := server.serve(ctx, command, material, t.TempDir(), port)
			if err != nil {
				t.Fatal(err)
			}
			defer child.Close()
			config := &tls.Config{RootCAs: material.pool, ServerName: serverName, ClientSessionCache: tls.NewLRUClientSessionCache(0)}
			for i, want := range []bool{false, true} {
				raw, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
				if err != nil {
					t.Fatal(err)
				}
				raw.SetDeadline(time.Now().Add(cellTimeout))
				c := tls.Client(raw, config)
				taken, err := c.HandshakeEarly(ctx, []byte(earlyPayload))
				if err != nil || taken != want {
					t.Fatalf("connection %d: taken %v, %v: %s", i, taken, err, child.text())
				}
				if !taken {
					io.WriteString(c, earlyPayload)
				}
				if server.echoes {
					io.WriteString(c, "for you\n")
				} else {
					if err := child.awaitCount(ctx, strings.TrimSpace(earlyPayload), i+1); err != nil {
						t.Errorf("%v: %s", err, child.text())
					}
					io.WriteString(child, "for you\n")
				}
				buf := make([]byte, 100)
				if n, err := c.Read(buf); err != nil || !bytes.Contains(buf[:n], []byte("for you")) && !bytes.Contains(buf[:n], []byte("early data")) {
					t.Errorf("read %q, %v", buf[:n], err)
				}
				c.Close()
			}
		})
	}
}
