package interop

import (
	"bytes"
	"context"
	std "crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/starttls/front"
	"github.com/vitrine-tls/vitrine/tls"
)

// dialFTP connects github.com/jlaffaye/ftp over this module's TLS. That package makes its own
// TLS from a crypto/tls.Config. Given a function to dial with as well, it leaves TLS to that on
// all connections, and the Config only has it say PBSZ and PROT. So explicit TLS is begun in
// the function, and the greeting that the package waits for is put in front.
func dialFTP(ctx context.Context, addr string, explicit bool, own *tls.Config) (*ftp.ServerConn, error) {
	control := true
	dial := func(network, address string) (net.Conn, error) {
		raw, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		if deadline, ok := ctx.Deadline(); ok {
			raw.SetDeadline(deadline)
		}
		first := control
		control = false
		if first && explicit {
			if err := starttls.Upgrade(ctx, raw, "ftp", starttls.Options{}); err != nil {
				raw.Close()
				return nil, err
			}
			return &greeted{Conn: tls.Client(raw, own), greeting: strings.NewReader("220 TLS is on\r\n")}, nil
		}
		return tls.Client(raw, own), nil // its handshake comes with the first byte, as servers expect on data connections
	}
	return ftp.Dial(addr, ftp.DialWithTLS(new(std.Config)), ftp.DialWithDialFunc(dial))
}

// greeted is a connection in front of which stands a greeting.
type greeted struct {
	*tls.Conn
	greeting *strings.Reader
}

func (g *greeted) Read(b []byte) (int, error) {
	if g.greeting.Len() > 0 {
		return g.greeting.Read(b)
	}
	return g.Conn.Read(b)
}

// jlaffaye/ftp fetches and stores on this module's TLS: at vsftpd, and at front.FTP before vsftpd
// in the clear, both of which want data connections to resume the control connection's session.
// github.com/fclairamb/ftpserverlib is not among this module's dependencies, so no server of Go's is here.
func TestFTPLibrary(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	if _, err := exec.LookPath("vsftpd"); err != nil {
		need(t, "vsftpd", "vsftpd")
	}
	if os.Getuid() != 0 {
		t.Skip("vsftpd changes to another user, which takes root")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	secure := ftpServer(ctx, t, material, "ssl_enable=YES\nrequire_ssl_reuse=YES\nallow_anon_ssl=YES\nforce_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\nrsa_cert_file={CERT}\nrsa_private_key_file={KEY}\nssl_ciphers=HIGH\n")
	implicit := ftpServer(ctx, t, material, "ssl_enable=YES\nimplicit_ssl=YES\nrequire_ssl_reuse=YES\nallow_anon_ssl=YES\nforce_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\nrsa_cert_file={CERT}\nrsa_private_key_file={KEY}\nssl_ciphers=HIGH\n")
	plain := ftpServer(ctx, t, material, "")
	for _, c := range []struct {
		name     string
		addr     string
		explicit bool
		version  uint16
	}{
		{"vsftpd, explicit, TLS 1.2", secure, true, tls.VersionTLS12},
		{"vsftpd, implicit, TLS 1.2", implicit, false, tls.VersionTLS12},
		{"front, explicit, TLS 1.2", frontOf(t, material, plain, false), true, tls.VersionTLS12},
		{"front, explicit, TLS 1.3", frontOf(t, material, plain, false), true, tls.VersionTLS13},
		{"front, implicit, TLS 1.3", frontOf(t, material, plain, true), false, tls.VersionTLS13},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := &tls.Config{ServerName: serverName, RootCAs: material.pool, ClientSessionCache: tls.NewLRUClientSessionCache(8), MinVersion: c.version, MaxVersion: c.version}
			if err := exerciseFTP(ctx, c.addr, c.explicit, own); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(c.name, "front") {
				return
			}
			own.ClientSessionCache = nil
			if err := exerciseFTP(ctx, c.addr, c.explicit, own); err == nil {
				t.Error("data came without the session of the control connection")
			}
		})
	}
}

// ftpServer starts vsftpd with lines of its own, and returns its address.
func ftpServer(ctx context.Context, t *testing.T, material *pki, lines string) string {
	t.Helper()
	s := clearServer{name: "vsftpd", program: "vsftpd", pkg: "vsftpd", turns: []clearTurn{{protocol: "ftp"}},
		files: map[string]string{"vsftpd.conf": "listen=YES\nlisten_address=127.0.0.1\nlisten_port={PORT}\nbackground=NO\nanonymous_enable=YES\nanon_root={DIR}/files\nno_anon_password=YES\n" +
			"write_enable=YES\nanon_upload_enable=YES\nanon_umask=022\nsecure_chroot_dir={DIR}/empty\nseccomp_sandbox=NO\nnopriv_user=nobody\n" + lines},
		before: [][]string{{"sh", "-c", "mkdir -p {DIR}/files/up {DIR}/empty && chmod a+rX {DIR}/files && chmod 777 {DIR}/files/up"}},
		run:    []string{"vsftpd", "{DIR}/vsftpd.conf"}}
	ports, _ := s.start(ctx, t, material)
	return fmt.Sprintf("127.0.0.1:%d", ports[0])
}

// frontOf puts TLS in front of a server of FTP in the clear.
func frontOf(t *testing.T, material *pki, backend string, implicit bool) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			if err := serveFront(ctx, raw, backend, implicit, material); err != nil && ctx.Err() == nil {
				t.Log(err)
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		cancel()
		<-ended
	})
	return l.Addr().String()
}

func serveFront(ctx context.Context, raw net.Conn, backend string, implicit bool, material *pki) error {
	defer raw.Close()
	if !implicit {
		if err := front.Greet(ctx, "ftp", raw, front.Options{}); err != nil {
			return err
		}
	}
	f := front.NewFTP(front.FTPOptions{TLS: &tls.Config{Certificates: []tls.Certificate{material.certs[keyRSA]}}, Implicit: implicit})
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
	if !implicit {
		if server, err = front.Join(ctx, "ftp", server); err != nil {
			return err
		}
	}
	return f.Relay(ctx, client, server)
}

// exerciseFTP stores a file, fetches it, and lists it.
func exerciseFTP(ctx context.Context, addr string, explicit bool, own *tls.Config) error {
	c, err := dialFTP(ctx, addr, explicit, own)
	if err != nil {
		return err
	}
	defer c.Quit()
	if err := c.Login("anonymous", "me@example.test"); err != nil {
		return err
	}
	content := bytes.Repeat([]byte("what is stored "), 20000)
	name := fmt.Sprintf("up/%x-%v-%d", own.MaxVersion, explicit, time.Now().UnixNano())
	if err := c.Stor(name, bytes.NewReader(content)); err != nil {
		return fmt.Errorf("storing: %w", err)
	}
	response, err := c.Retr(name)
	if err != nil {
		return fmt.Errorf("fetching: %w", err)
	}
	got, err := io.ReadAll(response)
	if closeErr := response.Close(); err == nil {
		err = closeErr
	}
	if err != nil || !bytes.Equal(got, content) {
		return fmt.Errorf("fetched %d bytes of %d: %w", len(got), len(content), err)
	}
	names, err := c.NameList("up")
	if err == nil && !strings.Contains(strings.Join(names, " "), strings.TrimPrefix(name, "up/")) {
		err = fmt.Errorf("listed %q", names)
	}
	return err
}
