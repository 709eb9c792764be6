package flags

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
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

// A proxy that does not run is no fault of the server, and neither is one that refuses.
func TestProxyFailuresAreTheProxys(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	l.Close()
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			head := make([]byte, 3)
			io.ReadFull(conn, head)
			if head[0] == 5 { // SOCKS: no method, then a refusal
				conn.Write([]byte{5, 0})
				io.ReadFull(conn, make([]byte, 10))
				conn.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
			} else {
				io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
			}
			conn.Close()
		}
	}()
	at := Target{Host: "127.0.0.1", Port: "443", StartTLS: "none"}
	for _, scheme := range []string{"http://", "socks5://"} {
		for address, cause := range map[string]string{closed: "proxy-closed", l.Addr().String(): "proxy-refused"} {
			_, err := (&Reach{proxy: scheme + address}).Dial(t.Context(), at)
			if v := diagnose.Account(nil, diagnose.Also{Err: err}); v.Cause != cause || v.Sentence == "" || report.ExitCode(err) != report.ExitNetwork {
				t.Errorf("%s%s: %s, %q; %v", scheme, address, v.Cause, v.Sentence, err)
			}
		}
	}
}

// An address of the other family is a wrong use of -4 and -6.
func TestFamilyOfAnAddress(t *testing.T) {
	for _, c := range []struct {
		r    Reach
		host string
	}{{Reach{only4: true}, "::1"}, {Reach{only6: true}, "127.0.0.1"}} {
		if _, err := c.r.Dial(t.Context(), Target{Host: c.host, Port: "1"}); report.ExitCode(err) != report.ExitUsage {
			t.Errorf("%s: %v", c.host, err)
		}
	}
}
