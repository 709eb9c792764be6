package interop

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-smtp"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// wrapped is a server of plainServers at whose ports TLS begins at once, as at 465, 993 and 995.
func wrapped(s plainServer) clearServer {
	c := s.clearServer
	c.files = maps.Clone(c.files)
	for name, content := range c.files {
		c.files[name] = strings.NewReplacer(
			" smtpd\npostlog", " smtpd -o smtpd_tls_wrappermode=yes\npostlog",
			"ssl = no\n", "ssl = required\nssl_cert = <{CERT}\nssl_key = <{KEY}\n",
			"    port = {PORT}\n", "    port = {PORT}\n    ssl = yes\n",
			"    port = {PORT1}\n", "    port = {PORT1}\n    ssl = yes\n",
			"service imap-login {\n", "service imap-login {\n  inet_listener imaps {\n    port = 0\n  }\n",
			"service pop3-login {\n", "service pop3-login {\n  inet_listener pop3s {\n    port = 0\n  }\n",
		).Replace(content)
	}
	return c
}

// go-smtp and go-imap speak with Postfix and Dovecot at ports where TLS comes first, on plain
// connections of this module: a letter is queued, another one is found.
func TestMailAtPortsOfTLS(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		t.Skip("such servers change to another user, which takes root")
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for i, exercise := range []func(dial func(at int) *tls.Conn) error{sendMail, readMail} {
		s := wrapped(plainServers[i])
		t.Run(s.name, func(t *testing.T) {
			programs.Need(t, s.program, s.pkg)
			ports, p := s.start(ctx, t, material)
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				own := &tls.Config{ServerName: serverName, RootCAs: material.pool, MinVersion: version, MaxVersion: version}
				dial := func(at int) *tls.Conn {
					conn, err := (&tls.Dialer{Config: own}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", ports[at]))
					if err != nil {
						t.Fatalf("%v\n%s", err, p.text())
					}
					deadline, _ := ctx.Deadline()
					conn.SetDeadline(deadline)
					t.Cleanup(func() { conn.Close() })
					return conn.(*tls.Conn)
				}
				if err := exercise(dial); err != nil {
					t.Errorf("%s: %v\n%s", tls.VersionName(version), err, p.text())
				}
			}
		})
	}
}

func sendMail(dial func(int) *tls.Conn) error {
	client := smtp.NewClient(dial(0))
	if err := client.SendMail("me@localhost", []string{"you@localhost"}, strings.NewReader(letter)); err != nil {
		return err
	}
	return client.Quit()
}

func readMail(dial func(int) *tls.Conn) error {
	client := imapclient.New(dial(0), nil)
	defer client.Close()
	if err := client.Login("me", "secret").Wait(); err != nil {
		return err
	}
	inbox, err := client.Select("INBOX", nil).Wait()
	if err == nil && inbox.NumMessages != 1 {
		err = fmt.Errorf("there are %d messages", inbox.NumMessages)
	}
	if err != nil {
		return err
	}
	greeting, err := bufio.NewReader(dial(1)).ReadString('\n') // POP3S
	if err == nil && !strings.HasPrefix(greeting, "+OK") {
		err = fmt.Errorf("POP3 greets with %q", greeting)
	}
	return err
}
