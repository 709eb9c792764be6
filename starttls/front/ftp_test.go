package front

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// ftpConfig is a server's configuration with a certificate.
var ftpConfig = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ftp"}, DNSNames: []string{"ftp.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
})

// startFTP serves FTP over TLS in front of the server at backend, and returns its address.
func startFTP(t *testing.T, backend string, o FTPOptions) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if o.TLS == nil {
		o.TLS = ftpConfig()
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			tasks.Go(func() {
				defer raw.Close()
				if err := serveFTP(ctx, raw, backend, o); err != nil && ctx.Err() == nil {
					t.Log(err)
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		cancel()
		tasks.Wait()
	})
	return l.Addr().String()
}

func serveFTP(ctx context.Context, raw net.Conn, backend string, o FTPOptions) error {
	if !o.Implicit {
		if err := Greet(ctx, "ftp", raw, Options{}); err != nil {
			return err
		}
	}
	f := NewFTP(o)
	client := tls.Server(raw, f.Config())
	defer client.Close()
	if err := client.HandshakeContext(ctx); err != nil {
		return err
	}
	server, err := net.Dial("tcp", backend)
	if err != nil {
		return err
	}
	defer server.Close()
	if !o.Implicit {
		if server, err = Join(ctx, "ftp", server); err != nil {
			return err
		}
	}
	return f.Relay(ctx, client, server)
}

// vsftpd starts the server in the clear, and returns its address and the folder for uploads.
func vsftpd(t *testing.T) (addr, files string) {
	t.Helper()
	path := os.Getenv("PATH") + ":/usr/sbin"
	t.Setenv("PATH", path)
	program := programs.Need(t, "vsftpd", "vsftpd")
	if os.Getuid() != 0 {
		t.Skip("vsftpd changes to another user, which takes root")
	}
	dir, err := os.MkdirTemp("", "front-ftp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	files = filepath.Join(dir, "files", "up")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	config := "listen=YES\nlisten_address=127.0.0.1\nlisten_port=" + port + "\nbackground=NO\nanonymous_enable=YES\nno_anon_password=YES\nanon_root=" + dir + "/files\n" +
		"write_enable=YES\nanon_upload_enable=YES\nanon_umask=022\nsecure_chroot_dir=" + dir + "/empty\nseccomp_sandbox=NO\nnopriv_user=nobody\nconnect_from_port_20=NO\n"
	for _, folder := range []string{files, filepath.Join(dir, "empty")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{os.WriteFile(dir+"/conf", []byte(config), 0o600), os.Chmod(dir, 0o755), os.Chmod(files, 0o777),
		os.WriteFile(dir+"/files/greeting", []byte("hello from the shelf\n"), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, dir+"/conf")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	for end := time.Now().Add(20 * time.Second); ; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr, files
		}
		if time.Now().After(end) {
			t.Fatalf("vsftpd does not listen: %v\n%s", err, &out)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// curl fetches and stores over TLS, with both versions, in front of vsftpd in the clear. Active
// mode is in TestFTPActive: curl 7.88 never begins TLS on such a connection, whatever the server.
func TestCurlInFrontOfVsftpd(t *testing.T) {
	curl := programs.Need(t, "curl", "curl")
	backend, files := vsftpd(t)
	large := make([]byte, 3<<20)
	rand.Read(large)
	source := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(source, large, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		name, scheme string
		args         []string
	}{
		{"explicit, EPSV", "ftp", nil},
		{"explicit, PASV", "ftp", []string{"--disable-epsv"}},
		{"explicit, TLS 1.2", "ftp", []string{"--tls-max", "1.2"}},
		{"implicit", "ftps", nil},
		{"implicit, PASV, TLS 1.2", "ftps", []string{"--disable-epsv", "--tls-max", "1.2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := startFTP(t, backend, FTPOptions{Implicit: c.scheme == "ftps"})
			run := func(args ...string) []byte {
				t.Helper()
				ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
				defer cancel()
				cmd := exec.CommandContext(ctx, curl, append(append([]string{"-q", "-sSvk", "--ssl-reqd"}, c.args...), args...)...)
				var said bytes.Buffer
				cmd.Stderr = &said
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v: %v\n%s", args, err, &said)
				}
				return out
			}
			url := c.scheme + "://" + addr
			// two at once, for which the second data connection needs a ticket of its own
			if got := run(url+"/greeting", url+"/greeting"); string(got) != strings.Repeat("hello from the shelf\n", 2) {
				t.Errorf("fetched %q", got)
			}
			name := fmt.Sprintf("large%d", i)
			run("-T", source, url+"/up/"+name)
			if stored, err := os.ReadFile(filepath.Join(files, name)); err != nil || !bytes.Equal(stored, large) {
				t.Errorf("stored %d bytes, %v", len(stored), err)
			}
			if got := run(url + "/up/" + name); !bytes.Equal(got, large) {
				t.Errorf("fetched %d bytes", len(got))
			}
			if got := run(url + "/up/"); !strings.Contains(string(got), name) {
				t.Errorf("listed %q", got)
			}
		})
	}
}

// dialogue is a client's side of the control connection.
type dialogue struct {
	t    *testing.T
	conn *tls.Conn
	in   *bufio.Reader
	own  *tls.Config
}

func talkFTP(t *testing.T, addr string, own *tls.Config) *dialogue {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(raw)
	if line, _ := in.ReadString('\n'); !strings.HasPrefix(line, "220") {
		t.Fatalf("%q", line)
	}
	io.WriteString(raw, "AUTH TLS\r\n")
	if line, _ := in.ReadString('\n'); !strings.HasPrefix(line, "234") {
		t.Fatalf("%q", line)
	}
	own.InsecureSkipVerify = true
	own.ServerName = "ftp.test"
	conn := tls.Client(raw, own)
	t.Cleanup(func() { conn.Close() })
	return &dialogue{t, conn, bufio.NewReader(conn), own}
}

// ask says a line, and returns the answer, whose last line must begin with want.
func (d *dialogue) ask(line, want string) string {
	d.t.Helper()
	if line != "" {
		io.WriteString(d.conn, line+"\r\n")
	}
	var all string
	for {
		answer, err := d.in.ReadString('\n')
		all += answer
		if err != nil {
			d.t.Fatalf("%s: %q, %v", line, all, err)
		}
		if len(answer) > 3 && answer[3] == ' ' && answer[0] != ' ' {
			if !strings.HasPrefix(answer, want) {
				d.t.Errorf("%s: %q, not %s", line, all, want)
			}
			return all
		}
	}
}

// data opens a data connection by EPSV.
func (d *dialogue) data(own *tls.Config) net.Conn {
	d.t.Helper()
	host, _, _ := net.SplitHostPort(d.conn.RemoteAddr().String())
	conn, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(portOfEPSV(d.ask("EPSV", "229")))))
	if err != nil {
		d.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	if own == nil {
		return conn
	}
	return tls.Client(conn, own)
}

// What would open a way past TLS, or to others, is refused.
func TestFTPRules(t *testing.T) {
	backend, files := vsftpd(t)
	addr := startFTP(t, backend, FTPOptions{})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		own := &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(8), MaxVersion: version}
		d := talkFTP(t, addr, own)
		d.ask("PASV", "521") // before PROT P
		for _, turn := range [][2]string{
			{"PROT P", "503"}, {"PBSZ 0", "200"}, {"USER anonymous", "230"}, {"AUTH TLS", "503"}, {"CCC", "533"}, {"PORT 127,0,0,1,200,200", "521"},
			{"PROT C", "534"}, {"PROT E", "536"}, {"PROT P", "200"}, {"TYPE I", "200"},
			{"PORT 127,0,0,2,200,200", "500"}, {"PORT 127,0,0,1,0,25", "500"}, {"PORT 127,0,0,1,200", "501"}, {"EPRT |1|10.0.0.1|2000|", "500"}, {"EPRT |2|127.0.0.1|2000|", "501"},
			{"EPRT |", "501"}, {"EPSV 2", "522"}, {"CPSV", "502"}, {"NOOP x\ry", "501"}, {"\xff\xf4\xff\xf2NOOP", "200"},
		} {
			d.ask(turn[0], turn[1])
		}
		if features := d.ask("FEAT", "211"); strings.Count(features, " PROT\r\n") != 1 || strings.Count(features, "AUTH") != 1 {
			t.Errorf("FEAT: %q", features)
		}
		// no session: the client hears it, and has nothing
		d.data(nil).Close()
		other := own.Clone()
		other.ClientSessionCache = nil
		data := d.data(other)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if b, err := io.ReadAll(data); len(b) > 0 || err == nil {
				t.Errorf("without the session %q came, %v", b, err)
			}
		}()
		d.ask("RETR greeting", "150")
		if answer := d.ask("", ""); answer[0] != '5' && answer[0] != '4' {
			t.Errorf("%x: a refused data connection ends with %q", version, answer)
		}
		<-done
		data.Close()
		// with the session, and pipelined commands, whose answers come in their order
		data = d.data(own)
		io.WriteString(d.conn, "RETR greeting\r\nPBSZ 0\r\nNOOP\r\n")
		d.ask("", "150")
		if b, err := io.ReadAll(data); string(b) != "hello from the shelf\n" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		data.Close()
		for _, want := range []string{"226", "200 PBSZ", "200 "} {
			d.ask("", want)
		}
		// an upload that is cut off is not taken for a whole one
		data = d.data(own)
		d.ask(fmt.Sprintf("STOR up/cut%d", version), "150")
		io.WriteString(data, "half of")
		data.(*tls.Conn).NetConn().Close() // without close_notify
		if answer := d.ask("", "4"); answer[0] == '2' {
			t.Errorf("%q after a cut; %v", answer, files)
		}
		d.ask("QUIT", "221")
	}
}

// The server connects to the client, through us, for files both ways.
func TestFTPActive(t *testing.T) {
	backend, files := vsftpd(t)
	addr := startFTP(t, backend, FTPOptions{})
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		own := &tls.Config{ClientSessionCache: tls.NewLRUClientSessionCache(8), MaxVersion: version}
		d := talkFTP(t, addr, own)
		for _, turn := range [][2]string{{"USER anonymous", "230"}, {"PBSZ 0", "200"}, {"PROT P", "200"}, {"TYPE I", "200"}} {
			d.ask(turn[0], turn[1])
		}
		for _, verb := range []string{"PORT", "EPRT"} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			port := l.Addr().(*net.TCPAddr).Port
			here := fmt.Sprintf("PORT 127,0,0,1,%d,%d", port>>8, port&255)
			if verb == "EPRT" {
				here = fmt.Sprintf("EPRT |1|127.0.0.1|%d|", port)
			}
			name := fmt.Sprintf("up/active-%s-%x", verb, version)
			content := strings.Repeat(name, 40000)
			for _, command := range []string{"STOR ", "RETR "} {
				d.ask(here, "200")
				d.ask(command+name, "150")
				raw, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				raw.SetDeadline(time.Now().Add(30 * time.Second))
				data := tls.Client(raw, own)
				if command == "STOR " {
					io.WriteString(data, content)
					data.CloseWrite()
				}
				got, err := io.ReadAll(data)
				if err != nil || command == "RETR " && string(got) != content {
					t.Errorf("%s%s: %d bytes, %v", command, name, len(got), err)
				}
				data.Close()
				d.ask("", "226")
			}
			if stored, err := os.ReadFile(filepath.Join(files, "..", name)); string(stored) != content {
				t.Errorf("%s: %d bytes, %v", name, len(stored), err)
			}
		}
		d.ask("QUIT", "221")
	}
}

// Nobody but the client's own address gets a data connection, and EPSV ALL is kept.
func TestFTPStrangers(t *testing.T) {
	backend, _ := vsftpd(t)
	addr := startFTP(t, backend, FTPOptions{AnySession: true, ClearData: true})
	d := talkFTP(t, addr, &tls.Config{})
	d.ask("USER anonymous", "230")
	port := portOfEPSV(d.ask("EPSV", "229"))
	stranger, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}}).Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Skip("there is no other address of this machine:", err)
	}
	stranger.SetDeadline(time.Now().Add(20 * time.Second))
	if b, err := io.ReadAll(stranger); err == nil || len(b) > 0 {
		t.Errorf("a stranger got %q, %v", b, err)
	}
	stranger.Close()
	own, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	own.SetDeadline(time.Now().Add(20 * time.Second))
	d.ask("RETR greeting", "150")
	if b, err := io.ReadAll(own); string(b) != "hello from the shelf\n" {
		t.Errorf("%q, %v", b, err)
	}
	d.ask("", "226")
	for _, turn := range [][2]string{{"EPSV ALL", "200"}, {"PASV", "501"}, {"PORT 127,0,0,1,200,200", "501"}, {"QUIT", "221"}} {
		d.ask(turn[0], turn[1])
	}
}
