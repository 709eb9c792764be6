package interop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
)

// A clearServer is a real server that begins in the clear.
type clearServer struct {
	name, program, pkg string
	// files are what it is configured with, by name: {DIR}, {CERT}, {KEY} and {PORT}, {PORT1}
	// and so on stand for what the test chooses, {PKI} for the folder of all certificates,
	// {DH1024} for a file of parameters.
	files map[string]string
	// before are commands, and run is the server, that stay in the foreground.
	before [][]string
	run    []string
	// ready is what it prints when it will serve; empty where an open port says so.
	ready string
	// turns are what its ports speak, in the order of {PORT}, {PORT1}; a line of talk under
	// TLS is answered with something that holds the word behind it.
	turns []clearTurn
}

type clearTurn struct{ protocol, say, hear string }

var clearServers = []clearServer{
	{name: "Postfix", program: "postfix", pkg: "postfix",
		files: map[string]string{
			"main.cf": "compatibility_level = 3.6\nqueue_directory = {DIR}/queue\ndata_directory = {DIR}/data\nmail_owner = postfix\nmyhostname = localhost\n" +
				"inet_interfaces = 127.0.0.1\nmaillog_file = /dev/stdout\nmaillog_file_prefixes = /dev\nsmtpd_tls_security_level = may\nsmtpd_tls_cert_file = {CERT}\nsmtpd_tls_key_file = {KEY}\n",
			"master.cf": "127.0.0.1:{PORT} inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\ntlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\nrewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\n",
		},
		before: [][]string{{"sh", "-c", "mkdir -p {DIR}/queue {DIR}/data && chown postfix {DIR}/data && postfix -c {DIR} check"}},
		run:    []string{"postfix", "-c", "{DIR}", "start-fg"},
		turns:  []clearTurn{{"smtp", "EHLO me\r\n", "250 "}}},
	{name: "Dovecot", program: "dovecot", pkg: "dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved",
		files: map[string]string{"dovecot.conf": `base_dir = {DIR}/run
state_dir = {DIR}/state
log_path = /dev/stderr
protocols = imap pop3 lmtp sieve
ssl = yes
ssl_cert = <{CERT}
ssl_key = <{KEY}
listen = 127.0.0.1
service imap-login {
  inet_listener imap {
    port = {PORT}
  }
  inet_listener imaps {
    port = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = {PORT1}
  }
  inet_listener pop3s {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    port = {PORT2}
  }
}
service managesieve-login {
  inet_listener sieve {
    port = {PORT3}
  }
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home={DIR}
}
`},
		run: []string{"dovecot", "-F", "-c", "{DIR}/dovecot.conf"},
		turns: []clearTurn{{"imap", "a CAPABILITY\r\n", "a OK"}, {"pop3", "CAPA\r\n", "USER"}, {"lmtp", "LHLO me\r\n", "250 "},
			{"sieve", "CAPABILITY\r\n", "IMPLEMENTATION"}}},
	{name: "OpenLDAP", program: "slapd", pkg: "slapd",
		files: map[string]string{"slapd.conf": "pidfile {DIR}/pid\nTLSCertificateFile {CERT}\nTLSCertificateKeyFile {KEY}\ndatabase config\n"},
		run:   []string{"slapd", "-d", "0", "-f", "{DIR}/slapd.conf", "-h", "ldap://127.0.0.1:{PORT}"},
		// a bind without a name, and its answer: result 0
		turns: []clearTurn{{"ldap", "\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\x00\x80\x00", "\x61\x07\x0a\x01\x00"}}},
	{name: "PostgreSQL", program: "postgres", pkg: "postgresql",
		before: [][]string{{"sh", "-c", "chown -R postgres {DIR} && runuser -u postgres -- initdb -A trust -D {DIR}/data >/dev/null && cp {CERT} {KEY} {DIR}/data && chown postgres {DIR}/data/*.pem {DIR}/data/*.key && chmod 600 {DIR}/data/*.key"}},
		run: []string{"runuser", "-u", "postgres", "--", "postgres", "-D", "{DIR}/data", "-p", "{PORT}", "-h", "127.0.0.1", "-k", "{DIR}",
			"-c", "ssl=on", "-c", "ssl_cert_file={CERTNAME}", "-c", "ssl_key_file={KEYNAME}"},
		ready: "ready to accept connections",
		// the start of version 3 for the user postgres, and an answer: authentication is well
		turns: []clearTurn{{"postgres", "\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00", "R\x00\x00\x00\x08\x00\x00\x00\x00"}}},
	{name: "MariaDB", program: "mariadbd", pkg: "mariadb-server",
		before: [][]string{{"sh", "-c", "mariadb-install-db --no-defaults --datadir={DIR}/data --user=root --auth-root-authentication-method=normal >/dev/null"}},
		run: []string{"mariadbd", "--no-defaults", "--datadir={DIR}/data", "--user=root", "--port={PORT}", "--bind-address=127.0.0.1",
			"--socket={DIR}/socket", "--ssl-cert={CERT}", "--ssl-key={KEY}"},
		// the login of root without a password by native passwords, and the answer: OK
		turns: []clearTurn{{"mysql", "\x26\x00\x00\x02\x00\x8a\x08\x00\x00\x00\x00\x01\x2d" + strings.Repeat("\x00", 23) + "root\x00\x00", "\x00\x00\x00\x02\x00"}}},
	{name: "Prosody", program: "prosody", pkg: "prosody",
		files: map[string]string{"prosody.cfg.lua": `run_as_root = true
data_path = "{DIR}"
pidfile = "{DIR}/pid"
log = { info = "*console" }
interfaces = { "127.0.0.1" }
c2s_ports = { {PORT} }
s2s_ports = { {PORT1} }
modules_enabled = { "tls", "saslauth", "dialback" }
c2s_require_encryption = true
ssl = { certificate = "{CERT}", key = "{KEY}" }
VirtualHost "localhost"
`},
		run: []string{"prosody", "--config", "{DIR}/prosody.cfg.lua", "-F"},
		turns: []clearTurn{{"xmpp", "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>", "mechanisms"},
			{"xmpp-server", "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>", "features"}}},
	{name: "vsftpd", program: "vsftpd", pkg: "vsftpd",
		files: map[string]string{"vsftpd.conf": "listen=YES\nlisten_address=127.0.0.1\nlisten_port={PORT}\nbackground=NO\nanonymous_enable=YES\nallow_anon_ssl=YES\nanon_root={DIR}/files\nno_anon_password=YES\n" +
			"ssl_enable=YES\nrequire_ssl_reuse=YES\nforce_anon_data_ssl=YES\nforce_anon_logins_ssl=YES\nrsa_cert_file={CERT}\nrsa_private_key_file={KEY}\nsecure_chroot_dir={DIR}/empty\nseccomp_sandbox=NO\nnopriv_user=nobody\nssl_ciphers=HIGH\n"},
		before: [][]string{{"sh", "-c", "mkdir -p {DIR}/files {DIR}/empty && echo hello from the shelf > {DIR}/files/greeting && chmod -R a+rX {DIR}/files"}},
		run:    []string{"vsftpd", "{DIR}/vsftpd.conf"},
		turns:  []clearTurn{{"ftp", "USER anonymous\r\n", "230"}}},
}

// Real servers turn to TLS when package starttls asks them, and speak their protocol in it.
func TestStartTLS(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:"+strings.Join(globbed("/usr/lib/postgresql/*/bin"), ":"))
	for _, s := range clearServers {
		t.Run(s.name, func(t *testing.T) {
			if _, err := exec.LookPath(s.program); err != nil {
				need(t, s.program, s.pkg)
			}
			if os.Getuid() != 0 {
				t.Skip("such servers change to another user, which takes root")
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			ports, p := s.start(ctx, t, material)
			for i, turn := range s.turns {
				if err := turn.play(ctx, ports[i], material); err != nil {
					t.Errorf("%s: %v\n%s", turn.protocol, err, p.text())
				}
			}
			if s.name == "vsftpd" {
				if err := fetchByFTP(ctx, ports[0], material); err != nil {
					t.Errorf("a file: %v\n%s", err, p.text())
				}
			}
		})
	}
}

func globbed(pattern string) []string {
	found, _ := filepath.Glob(pattern) // the pattern is right
	return found
}

// start starts the server and waits until its ports are open.
func (s *clearServer) start(ctx context.Context, t *testing.T, material *pki) (ports []int, p *proc) {
	t.Helper()
	dir, err := os.MkdirTemp("", "vitrine-starttls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // for the users that they change to
		t.Fatal(err)
	}
	words := []string{"{DIR}", dir, "{PKI}", material.dir, "{DH1024}", material.dhFile(cell{DH: 1024}), "{CERT}", filepath.Join(dir, "rsa.pem"), "{KEY}", filepath.Join(dir, "rsa.key"), "{CERTNAME}", "rsa.pem", "{KEYNAME}", "rsa.key"}
	for from, to := range map[string]string{material.certFile(keyRSA): "rsa.pem", material.keyFile(keyRSA): "rsa.key"} {
		content, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range s.turns {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, port)
		name := "{PORT" + strings.TrimPrefix(strconv.Itoa(i), "0") + "}"
		words = append(words, name, strconv.Itoa(port))
	}
	fill := strings.NewReplacer(words...)
	for name, content := range s.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fill.Replace(content)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	filled := func(args []string) (out []string) {
		for _, a := range args {
			out = append(out, fill.Replace(a))
		}
		return out
	}
	for _, args := range s.before {
		args = filled(args)
		if out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	args := filled(s.run)
	life, end := context.WithCancel(context.Background())
	p, err = start(life, dir, args[0], args[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.program == "postfix" { // whose master has children that a signal to it alone leaves
			exec.Command("postfix", "-c", dir, "stop").Run()
		}
		end()
		<-p.done
	})
	if err := p.awaitCount(ctx, fill.Replace(s.ready), min(len(s.ready), 1)); err != nil {
		t.Fatal(err)
	}
	for _, port := range ports {
		if err := awaitPort(ctx, p, port); err != nil {
			t.Fatalf("%v\n%s", err, p.text())
		}
	}
	return ports, p
}

// awaitPort waits until something listens.
func awaitPort(ctx context.Context, p *proc, port int) error {
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-p.done:
			return fmt.Errorf("the server ended: %v", p.ended)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// play turns a connection to TLS, and says a line in it.
func (c clearTurn) play(ctx context.Context, port int, material *pki) error {
	conn, err := c.dial(ctx, port, &tls.Config{ServerName: serverName, RootCAs: material.pool})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(c.say)); err != nil {
		return err
	}
	var heard []byte
	for buffer := make([]byte, 4096); !bytes.Contains(heard, []byte(c.hear)); {
		n, err := conn.Read(buffer)
		heard = append(heard, buffer[:n]...)
		if err != nil {
			return fmt.Errorf("heard %q: %w", heard, err)
		}
	}
	return nil
}

func (c clearTurn) dial(ctx context.Context, port int, config *tls.Config) (*tls.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	raw.SetDeadline(deadline)
	if err := starttls.Upgrade(ctx, raw, c.protocol, starttls.Options{Host: "localhost", Name: "localhost"}); err != nil {
		raw.Close()
		return nil, err
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// fetchByFTP brings a file over a data connection of its own, which must resume the session
// of the control connection. RFC 4217.
func fetchByFTP(ctx context.Context, port int, material *pki) error {
	config := &tls.Config{ServerName: serverName, RootCAs: material.pool, ClientSessionCache: tls.NewLRUClientSessionCache(4), MaxVersion: tls.VersionTLS12}
	control, err := clearTurn{protocol: "ftp"}.dial(ctx, port, config)
	if err != nil {
		return err
	}
	defer control.Close()
	in := bufio.NewReader(control)
	ask := func(line, want string) (string, error) {
		if _, err := fmt.Fprintf(control, "%s\r\n", line); err != nil {
			return "", err
		}
		answer, err := in.ReadString('\n')
		if err == nil && !strings.HasPrefix(answer, want) {
			err = fmt.Errorf("%s: %q", line, answer)
		}
		return answer, err
	}
	for _, step := range [][2]string{{"USER anonymous", "230"}, {"PBSZ 0", "200"}, {"PROT P", "200"}} {
		if _, err := ask(step[0], step[1]); err != nil {
			return err
		}
	}
	answer, err := ask("PASV", "227")
	if err != nil {
		return err
	}
	var a, b, c, d, high, low int
	if _, err := fmt.Sscanf(answer[strings.IndexByte(answer, '('):], "(%d,%d,%d,%d,%d,%d)", &a, &b, &c, &d, &high, &low); err != nil {
		return err
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", high<<8|low))
	if err != nil {
		return err
	}
	defer raw.Close()
	if _, err := ask("RETR greeting", "150"); err != nil {
		return err
	}
	data := tls.Client(raw, config)
	if err := data.HandshakeContext(ctx); err != nil {
		return err
	}
	file, err := bufio.NewReader(data).ReadString('\n')
	switch {
	case err != nil:
		return err
	case !data.ConnectionState().DidResume:
		return fmt.Errorf("the data connection did not resume the session")
	case file != "hello from the shelf\n":
		return fmt.Errorf("the file is %q", file)
	}
	return nil
}
