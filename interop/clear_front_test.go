package interop

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/proxy"
	"github.com/vitrine-tls/vitrine/proxy/config"
)

// A plainServer stays in the clear, and stands behind a proxy.
type plainServer struct {
	clearServer
	// clients are what people use in front of each of its ports, in the order of turns.
	clients [][]plainClient
}

// A plainClient is a command. {URL} is localhost and the proxy's port, {PORT} that port alone,
// {CA} the file of the authority, and {OTHER} that of another one.
type plainClient struct {
	program, pkg string
	env, args    []string
	input        string
	// hear is a pattern of what it prints when all is well; fail one of why it must fail; never
	// is what it must not print.
	hear, fail, never string
}

const letter = "Subject: hello\r\n\r\nfrom the shelf\r\n"

var plainServers = []plainServer{
	{clearServer: clearServer{name: "Postfix", program: "postfix", pkg: "postfix",
		files: map[string]string{
			"main.cf": "compatibility_level = 3.6\nqueue_directory = {DIR}/queue\ndata_directory = {DIR}/data\nmail_owner = postfix\nmyhostname = localhost\n" +
				// it offers STARTTLS by itself, which the proxy has to take out
				"smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {CERT}\nsmtpd_tls_key_file = {KEY}\n" +
				"inet_interfaces = 127.0.0.1\nmaillog_file = /dev/stdout\nmaillog_file_prefixes = /dev\nmydestination = localhost\nlocal_recipient_maps =\nalias_maps =\n",
			"master.cf": "127.0.0.1:{PORT} inet n - n - - smtpd\npostlog unix-dgram n - n - 1 postlogd\nanvil unix - - n - 1 anvil\nrewrite unix - - n - - trivial-rewrite\n" +
				"tlsmgr unix - - n 1000? 1 tlsmgr\nproxymap unix - - n - - proxymap\ncleanup unix n - n - 0 cleanup\n",
		},
		before: [][]string{{"sh", "-c", "mkdir -p {DIR}/queue {DIR}/data && chown postfix {DIR}/data && postfix -c {DIR} check"}},
		run:    []string{"postfix", "-c", "{DIR}", "start-fg"},
		turns:  []clearTurn{{"smtp", "EHLO me\r\n", "250 "}}},
		clients: [][]plainClient{{
			{program: "curl", pkg: "curl", args: []string{"-qsSv", "--max-time", "30", "--ssl-reqd", "--cacert", "{CA}", "smtp://{URL}", "--mail-from", "me@localhost", "--mail-rcpt", "you@localhost", "-T", "-"},
				input: letter, hear: `SSL connection using(?s).*250 2\.0\.0 Ok: queued as`},
			{program: "curl", pkg: "curl", args: []string{"-qsS", "--max-time", "30", "smtp://{URL}", "--mail-from", "me@localhost", "--mail-rcpt", "you@localhost", "-T", "-"},
				input: letter, fail: `MAIL failed: 530`},
			{program: "openssl", pkg: "openssl", args: []string{"s_client", "-starttls", "smtp", "-quiet", "-CAfile", "{CA}", "-verify_return_error", "-verify_hostname", "localhost", "-connect", "{URL}"},
				input: "EHLO me\r\nQUIT\r\n", hear: `250.PIPELINING(?s).*221 2\.0\.0 Bye`, never: "250-STARTTLS"},
			{program: "openssl", pkg: "openssl", args: []string{"s_client", "-starttls", "smtp", "-CAfile", "{OTHER}", "-verify_return_error", "-connect", "{URL}"}, fail: `certificate verify failed`},
		}}},
	{clearServer: clearServer{name: "Dovecot", program: "dovecot", pkg: "dovecot-imapd dovecot-pop3d",
		files: map[string]string{
			"dovecot.conf": `base_dir = {DIR}/run
state_dir = {DIR}/state
log_path = /dev/stderr
protocols = imap pop3
ssl = no
listen = 127.0.0.1
mail_location = maildir:{DIR}/mail
service imap-login {
  inet_listener imap {
    port = {PORT}
  }
}
service pop3-login {
  inet_listener pop3 {
    port = {PORT1}
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home={DIR}/mail
}
`, "letter": letter},
		before: [][]string{{"sh", "-c", "mkdir -p {DIR}/mail/cur {DIR}/mail/new {DIR}/mail/tmp && cp {DIR}/letter {DIR}/mail/new/1.1.localhost && chown -R 65534:65534 {DIR}/mail"}},
		run:    []string{"dovecot", "-F", "-c", "{DIR}/dovecot.conf"},
		turns:  []clearTurn{{"imap", "a CAPABILITY\r\n", "a OK"}, {"pop3", "CAPA\r\n", "USER"}}},
		clients: [][]plainClient{{
			{program: "curl", pkg: "curl", args: []string{"-qsSv", "--max-time", "30", "--ssl-reqd", "--cacert", "{CA}", "-u", "me:secret", "imap://{URL}/INBOX/;UID=1"}, hear: `SSL connection using(?s).*from the shelf`},
			{program: "curl", pkg: "curl", args: []string{"-qsS", "--max-time", "30", "-u", "me:secret", "imap://{URL}/INBOX/;UID=1"}, fail: `curl: \(67\)|Login denied`},
			{program: "openssl", pkg: "openssl", args: []string{"s_client", "-starttls", "imap", "-quiet", "-CAfile", "{CA}", "-verify_return_error", "-verify_hostname", "localhost", "-connect", "{URL}"},
				input: "a LOGIN me secret\r\nb LOGOUT\r\n", hear: `a OK(?s).*b OK`},
		}, {
			{program: "curl", pkg: "curl", args: []string{"-qsSv", "--max-time", "30", "--ssl-reqd", "--cacert", "{CA}", "-u", "me:secret", "pop3://{URL}/1"}, hear: `SSL connection using(?s).*from the shelf`},
			{program: "curl", pkg: "curl", args: []string{"-qsS", "--max-time", "30", "-u", "me:secret", "pop3://{URL}/1"}, fail: `curl: \(67\)|Access denied|Login denied`},
			{program: "openssl", pkg: "openssl", args: []string{"s_client", "-starttls", "pop3", "-quiet", "-CAfile", "{CA}", "-verify_return_error", "-verify_hostname", "localhost", "-connect", "{URL}"},
				input: "USER me\r\nPASS secret\r\nSTAT\r\nQUIT\r\n", hear: `\+OK 1 \d+\s+\+OK`},
		}}},
	{clearServer: clearServer{name: "OpenLDAP", program: "slapd", pkg: "slapd",
		files: map[string]string{"slapd.conf": "pidfile {DIR}/pid\ndatabase config\nrootpw secret\n"},
		run:   []string{"slapd", "-d", "0", "-f", "{DIR}/slapd.conf", "-h", "ldap://127.0.0.1:{PORT}"},
		turns: []clearTurn{{"ldap", "\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\x00\x80\x00", "\x61\x07\x0a\x01\x00"}}},
		clients: [][]plainClient{{ // these programs put the name of the machine in the place of localhost
			{program: "ldapsearch", pkg: "ldap-utils", env: []string{"LDAPTLS_CACERT={CA}"}, args: []string{"-x", "-ZZ", "-H", "ldap://127.0.0.1:{PORT}", "-b", "", "-s", "base", "supportedLDAPVersion"}, hear: `supportedLDAPVersion: 3`},
			{program: "ldapwhoami", pkg: "ldap-utils", env: []string{"LDAPTLS_CACERT={CA}"}, args: []string{"-x", "-ZZ", "-H", "ldap://127.0.0.1:{PORT}", "-D", "cn=config", "-w", "secret"}, hear: `dn:cn=config`},
			{program: "ldapwhoami", pkg: "ldap-utils", env: []string{"LDAPTLS_CACERT={CA}"}, args: []string{"-x", "-H", "ldap://127.0.0.1:{PORT}", "-D", "cn=config", "-w", "secret"}, fail: `Confidentiality required(?s).*StartTLS comes first`},
			{program: "ldapsearch", pkg: "ldap-utils", env: []string{"LDAPTLS_CACERT={OTHER}"}, args: []string{"-x", "-ZZ", "-H", "ldap://127.0.0.1:{PORT}", "-b", "", "-s", "base"}, fail: `Connect error`},
			{program: "openssl", pkg: "openssl", args: []string{"s_client", "-starttls", "ldap", "-brief", "-CAfile", "{CA}", "-verify_return_error", "-verify_hostname", "localhost", "-connect", "{URL}"}, hear: `Verification: OK`},
		}}},
	{clearServer: clearServer{name: "PostgreSQL", program: "postgres", pkg: "postgresql",
		before: [][]string{{"sh", "-c", "chown -R postgres {DIR} && runuser -u postgres -- initdb -N -A trust -D {DIR}/data >/dev/null"}},
		run:    []string{"runuser", "-u", "postgres", "--", "postgres", "-D", "{DIR}/data", "-p", "{PORT}", "-h", "127.0.0.1", "-k", "{DIR}", "-c", "ssl=off", "-c", "fsync=off"},
		ready:  "ready to accept connections",
		turns:  []clearTurn{{"postgres", "\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00", "R\x00\x00\x00\x08\x00\x00\x00\x00"}}},
		clients: [][]plainClient{{
			{program: "psql", pkg: "postgresql-client", args: []string{"-AtXc", "select 6*7", "host=localhost port={PORT} user=postgres sslmode=require"}, hear: `(?m)^42$`},
			{program: "psql", pkg: "postgresql-client", args: []string{"-AtXc", `\conninfo`, "host=localhost port={PORT} user=postgres sslmode=verify-full sslrootcert={CA}"}, hear: `protocol: TLSv1\.3`},
			{program: "psql", pkg: "postgresql-client", args: []string{"-AtXc", "select 1", "host=localhost port={PORT} user=postgres sslmode=verify-full sslrootcert={OTHER}"}, fail: `certificate verify failed`},
			{program: "psql", pkg: "postgresql-client", args: []string{"-AtXc", "select 1", "host=localhost port={PORT} user=postgres sslmode=disable"}, fail: `TLS is required: connect with sslmode=require or better`},
			{program: "openssl", pkg: "openssl", args: []string{"s_client", "-starttls", "postgres", "-brief", "-CAfile", "{CA}", "-verify_return_error", "-verify_hostname", "localhost", "-connect", "{URL}"}, hear: `Verification: OK`},
		}}},
}

// Real servers that stay in the clear get TLS from a proxy in front, and real clients find it
// there, check its certificate, and are told what to do where they ask for none.
func TestStartTLSInFrontOfServers(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:"+strings.Join(globbed("/usr/lib/postgresql/*/bin"), ":"))
	for _, s := range plainServers {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			programs.Need(t, s.program, s.pkg)
			if os.Getuid() != 0 {
				t.Skip("such servers change to another user, which takes root")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			ports, p := s.start(ctx, t, material)
			for i, turn := range s.turns {
				front := proxyBefore(t, material, turn.protocol, ports[i])
				if err := turn.play(ctx, front, material); err != nil {
					t.Errorf("%s: %v\n%s", turn.protocol, err, p.text())
				}
				if err := injected(ctx, turn, front); err != nil {
					t.Errorf("%s: %v", turn.protocol, err)
				}
				for _, c := range s.clients[i] {
					c.run(ctx, t, material, front)
				}
			}
			if t.Failed() {
				t.Log(p.text())
			}
		})
	}
}

// proxyBefore runs a proxy that puts TLS in front of the server at a port, and returns its own.
func proxyBefore(t *testing.T, material *pki, protocol string, port int) int {
	t.Helper()
	listen := "127.0.0.1:0"
	p, err := proxy.New(config.Config{
		Listeners: []config.Listener{{Listen: []string{listen}, StartTLS: protocol, Target: "plain",
			TLS: &config.ServerTLS{Certificates: []config.Certificate{{Cert: material.certFile(keyRSA), Key: material.keyFile(keyRSA)}}}}},
		Targets: map[string]config.Target{"plain": {Addresses: []string{fmt.Sprintf("127.0.0.1:%d", port)}}},
	}, proxy.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	t.Cleanup(func() {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = p.Shutdown(over)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return p.Addrs()[listen][0].(*net.TCPAddr).Port
}

// injections are how somebody on the way begins TLS in each protocol, with a command behind it.
var injections = map[string]string{
	"smtp": "EHLO me\r\nSTARTTLS\r\nRSET\r\n", "imap": "a STARTTLS\r\nb NOOP\r\n", "pop3": "STLS\r\nCAPA\r\n",
	"ldap":     "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\x00\x80\x00",
	"postgres": "\x00\x00\x00\x08\x04\xd2\x16\x2f\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00",
}

// injected is an error where TLS begins though more came with the request for it (CVE-2011-0411).
func injected(ctx context.Context, turn clearTurn, port int) error {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer raw.Close()
	deadline, _ := ctx.Deadline()
	raw.SetDeadline(deadline)
	if _, err := raw.Write([]byte(injections[turn.protocol])); err != nil {
		return err
	}
	buffer := make([]byte, 4096)
	for err == nil { // a proxy that refuses closes
		var n int
		n, err = raw.Read(buffer)
		for _, yes := range []string{"Ready to start", "Begin TLS", ldapAgreed} {
			if n > 0 && (strings.Contains(string(buffer[:n]), yes) || turn.protocol == "postgres" && buffer[0] == 'S') {
				return fmt.Errorf("TLS begins with commands behind the request: %q", buffer[:n])
			}
		}
	}
	return ctx.Err()
}

// ldapAgreed is in the answer of LDAP that agrees on TLS.
const ldapAgreed = "\x8a\x161.3.6.1.4.1.1466.20037"

// run runs the client to its end.
func (c plainClient) run(ctx context.Context, t *testing.T, material *pki, port int) {
	t.Helper()
	programs.Need(t, c.program, c.pkg)
	fill := strings.NewReplacer("{URL}", fmt.Sprintf("localhost:%d", port), "{PORT}", fmt.Sprint(port), "{CA}", material.caFile(), "{OTHER}", material.certFile(keyEd25519)).Replace
	var args []string
	for _, a := range c.args {
		args = append(args, fill(a))
	}
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Dir, cmd.Stdin = filepath.Dir(material.caFile()), strings.NewReader(c.input)
	cmd.Env, cmd.WaitDelay = append(os.Environ(), "PGCONNECT_TIMEOUT=20", "HOME=/nonexistent"), time.Second
	for _, e := range c.env {
		cmd.Env = append(cmd.Env, fill(e))
	}
	out, err := cmd.CombinedOutput()
	want := c.hear + c.fail
	if (err == nil) != (c.fail == "") || !regexp.MustCompile(want).Match(out) || c.never != "" && strings.Contains(string(out), c.never) {
		t.Errorf("%s %s: %v, and not %s\n%s", c.program, strings.Join(args, " "), err, want, out)
	}
}
