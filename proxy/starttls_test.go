package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/starttls/front"
	"github.com/vitrine-tls/vitrine/tls"
)

// A server of mail in the clear is reached after STARTTLS, and offers it no more.
func TestStartTLSInFront(t *testing.T) {
	mail := backend(t, nil, func(conn net.Conn) {
		io.WriteString(conn, "220 behind\r\n")
		for in := bufio.NewScanner(conn); in.Scan(); {
			io.WriteString(conn, "250-behind heard "+in.Text()+"\r\n250-STARTTLS\r\n250 HELP\r\n")
		}
	})
	_, address := begin(t, at(config.Listener{StartTLS: "smtp", TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{mail}}))
	raw := dial(t, address, nil)
	if err := starttls.Upgrade(t.Context(), raw, "smtp", starttls.Options{Name: "me"}); err != nil {
		t.Fatal(err)
	}
	conn := tls.Client(raw, onePKI().client("front.test"))
	io.WriteString(conn, "EHLO me\r\n")
	in := bufio.NewReader(conn)
	for _, want := range []string{"250-behind heard EHLO me\r\n", "250 HELP\r\n"} {
		if line, err := in.ReadString('\n'); line != want {
			t.Errorf("%q, %v", line, err)
		}
	}
}

// A client of PostgreSQL may ask for TLS, or begin with it and agree on the protocol.
func TestPostgresDirect(t *testing.T) {
	const start = "\x00\x00\x00\x08\x00\x03\x00\x00" // the message that follows TLS
	server := backend(t, nil, func(conn net.Conn) {
		b := make([]byte, len(start))
		if _, err := io.ReadFull(conn, b); err == nil && string(b) == start {
			io.WriteString(conn, "R")
		}
	})
	for name, alpn := range map[string][]string{"default": nil, "set": {"postgresql", "other"}} {
		refused := make(chan event.Reason, 10)
		front := serverTLS(t, "front.test")
		front.ALPN = alpn
		_, address := begin(t, at(config.Listener{StartTLS: "postgres", TLS: front}, config.Target{Addresses: []string{server}}),
			event.Hooks{Refused: func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why }})
		for _, c := range []struct {
			asks   bool
			offers []string
			in     bool
		}{
			{asks: true, in: true}, {asks: true, offers: []string{"postgresql"}, in: true}, {offers: []string{"postgresql"}, in: true},
			{}, {offers: []string{"other"}},
		} {
			raw := dial(t, address, nil)
			if c.asks {
				if err := starttls.Upgrade(t.Context(), raw, "postgres", starttls.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			own := onePKI().client("front.test")
			own.NextProtos = c.offers
			conn := tls.Client(raw, own)
			io.WriteString(conn, start)
			got, err := io.ReadAll(conn)
			if in := string(got) == "R"; in != c.in {
				t.Errorf("%s: %+v gets %q, %v", name, c, got, err)
			}
			if !c.in && (len(c.offers) == 0 || alpn != nil) {
				select { // it was told of before the connection was closed
				case why := <-refused:
					if why != event.BadStartTLS {
						t.Errorf("%s: %+v is refused because of %s", name, c, why)
					}
				default:
					t.Errorf("%s: %+v is not refused", name, c)
				}
			}
		}
		raw := dial(t, address, nil) // a client that says nothing, and leaves
		closeWrite(raw)
		if got, _ := io.ReadAll(raw); len(got) > 0 {
			t.Errorf("it is told %q", got)
		}
	}
}

// Files go over connections of their own, for which the listener's TLS holds too.
func TestFTPInFront(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	vsftpd, curl := programs.Need(t, "vsftpd", "vsftpd"), programs.Need(t, "curl", "curl")
	if os.Getuid() != 0 {
		t.Skip("vsftpd changes to another user, which takes root")
	}
	dir, err := os.MkdirTemp("", "proxy-ftp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(target)
	conf := filepath.Join(dir, "conf")
	text := "listen=YES\nlisten_address=127.0.0.1\nlisten_port=" + port + "\nbackground=NO\nanonymous_enable=YES\nno_anon_password=YES\nanon_root=" + dir + "/files\n" +
		"secure_chroot_dir=" + dir + "/empty\nseccomp_sandbox=NO\nnopriv_user=nobody\n"
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(dir+"/files", 0o755), os.Mkdir(dir+"/empty", 0o755), os.WriteFile(dir+"/files/greeting", []byte("hello\n"), 0o644), os.WriteFile(conf, []byte(text), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	server := exec.Command(vsftpd, conf)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Process.Kill()
		server.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", target); err == nil {
			conn.Close()
			break
		} else if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	for protocol, scheme := range map[string]string{"ftp": "ftp", "ftps": "ftps"} {
		_, address := begin(t, at(config.Listener{StartTLS: protocol, TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{target}}))
		url := fmt.Sprintf("%s://%s/greeting", scheme, address)
		out, err := exec.CommandContext(t.Context(), curl, "-qsSk", "--max-time", "30", "--ssl-reqd", url, url).CombinedOutput()
		if err != nil || string(out) != strings.Repeat("hello\n", 2) {
			t.Errorf("%s: %s, %v", protocol, out, err)
		}
	}
}

// A client in the clear that waits for a greeting reaches a server that wants STARTTLS.
func TestStartTLSBehind(t *testing.T) {
	own := &tls.Config{Certificates: []tls.Certificate{onePKI().pair(t, "behind.test")}}
	mail := backend(t, nil, func(conn net.Conn) {
		if err := front.Greet(t.Context(), "smtp", conn, front.Options{}); err != nil {
			return
		}
		conn = tls.Server(conn, own)
		for in := bufio.NewScanner(conn); in.Scan(); {
			io.WriteString(conn, "250 heard "+in.Text()+"\r\n")
		}
	})
	_, address := begin(t, at(config.Listener{}, config.Target{Addresses: []string{mail}, StartTLS: "smtp",
		TLS: &config.ClientTLS{CA: onePKI().folder + "/ca.pem", Name: "behind.test"}}))
	conn := dial(t, address, nil)
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); !strings.HasPrefix(line, "220 ") {
		t.Fatalf("%q, %v", line, err)
	}
	io.WriteString(conn, "EHLO me\r\n")
	if line, err := in.ReadString('\n'); line != "250 heard EHLO me\r\n" {
		t.Errorf("%q, %v", line, err)
	}
}
