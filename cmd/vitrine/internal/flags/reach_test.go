package flags

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// How TLS begins: the flag counts first, then a URL, then the port.
func TestStartTLSProtocol(t *testing.T) {
	for _, c := range []struct{ flag, target, want string }{
		{"", "example.com", ""},
		{"", "example.com:587", "smtp"},
		{"", "example.com:5432", "postgres"},
		{"", "example.com:993", ""},
		{"", "imap://example.com:993", "imap"},
		{"", "imaps://example.com:143", ""},
		{"", "https://example.com:25", ""},
		{"", "ldap://example.com", "ldap"},
		{"", "mariadb://example.com", "mysql"},
		{"none", "smtp://example.com", ""},
		{"pop3", "smtp://example.com:25", "pop3"},
	} {
		at, err := ParseTarget(c.target)
		if err != nil {
			t.Fatal(err)
		}
		r := Reach{startTLS: c.flag}
		if err := r.Check(); err != nil {
			t.Errorf("%v: %v", c, err)
		}
		if got := r.Protocol(at); got != c.want {
			t.Errorf("--starttls %q with %s: %q, want %q", c.flag, c.target, got, c.want)
		}
	}
}

// The name goes to a SOCKS proxy as it is: the proxy looks it up. RFC 1928 §4.
func TestSOCKS(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		greeting := make([]byte, 3) // version, one method: none
		io.ReadFull(conn, greeting)
		conn.Write([]byte{5, 0})
		head := make([]byte, 5) // version, connect, reserved, a name, its length
		io.ReadFull(conn, head)
		rest := make([]byte, int(head[4])+2)
		io.ReadFull(conn, rest)
		asked <- string(rest[:head[4]])
		conn.Write([]byte{5, 0, 0, 1, 127, 0, 0, 1, 0, 80})
		io.WriteString(conn, "hello")
	}()
	r := Reach{proxy: "socks5://" + l.Addr().String()}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := r.Dial(ctx, Target{Host: "name.example", Port: "443"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, err := io.ReadAll(conn)
	if name := <-asked; name != "name.example" || string(got) != "hello" || err != nil {
		t.Errorf("asked for %q, read %q, %v", name, got, err)
	}
}

// A unix socket is reached as a target and by --connect-to; what leads elsewhere is refused.
func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := ParseTarget("unix:" + path)
	if err != nil || socket.Host != "localhost" {
		t.Fatalf("%+v, %v", socket, err)
	}
	for _, c := range []struct {
		r       Reach
		at      Target
		reached bool
	}{
		{Reach{}, socket, true},
		{Reach{connectTo: "unix:" + path}, Target{Host: "example.com", Port: "443"}, true},
		{Reach{only4: true}, socket, false},
		{Reach{proxy: "http://127.0.0.1:1"}, socket, false},
		{Reach{proxy: "http://127.0.0.1:1", connectTo: "unix:" + path}, Target{Host: "example.com", Port: "443"}, false},
	} {
		conn, err := c.r.Dial(t.Context(), c.at)
		if c.reached != (err == nil) || !c.reached && report.ExitCode(err) != report.ExitUsage {
			t.Errorf("%+v to %v: %v", c.r, c.at, err)
		}
		if conn != nil {
			conn.Close()
		}
		if all := c.r.Addresses(t.Context(), socket); all != nil {
			t.Errorf("a socket has the addresses %v", all)
		}
	}
}
