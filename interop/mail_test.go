package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// inbox takes one message.
type inbox struct{ messages chan string }

func (b *inbox) Reset()                               {}
func (b *inbox) Logout() error                        { return nil }
func (b *inbox) Mail(string, *smtp.MailOptions) error { return nil }
func (b *inbox) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (b *inbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	b.messages <- string(text)
	return err
}

// serveMail serves on a listener of this module's TLS, and returns its address.
func serveMail(t *testing.T, material *pki, serve func(net.Listener) error, end func() error) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{material.certs[keyP256]}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		serve(l)
	}()
	t.Cleanup(func() {
		end()
		<-ended
	})
	return l.Addr().String()
}

// go-smtp and go-imap, both sides, stand on a listener and on connections of this module's TLS;
// curl sends to such a server.
func TestMailLibraries(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	own := &tls.Config{ServerName: serverName, RootCAs: material.pool}
	box := &inbox{messages: make(chan string, 1)}
	smtpServer := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return box, nil }))
	addr := serveMail(t, material, smtpServer.Serve, smtpServer.Close)
	conn, err := tls.Dial("tcp", addr, own)
	if err != nil {
		t.Fatal(err)
	}
	client := smtp.NewClient(conn)
	defer client.Close()
	if err := client.SendMail("me@example.test", []string{"you@example.test"}, strings.NewReader("from go-smtp\r\n")); err != nil {
		t.Fatal(err)
	}
	if got := <-box.messages; got != "from go-smtp\r\n" {
		t.Errorf("%q", got)
	}
	curl := exec.CommandContext(t.Context(), programs.Need(t, "curl", "curl"), "-qsSk", "--max-time", "30", "smtps://"+addr, "--mail-from", "me@example.test", "--mail-rcpt", "you@example.test", "-T", "-")
	curl.Stdin = strings.NewReader("from curl\r\n")
	if out, err := curl.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := <-box.messages; got != "from curl\r\n" {
		t.Errorf("%q", got)
	}

	users := imapmemserver.New()
	user := imapmemserver.NewUser("me", "secret")
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	users.AddUser(user)
	imapServer := imapserver.New(&imapserver.Options{InsecureAuth: true, // it knows crypto/tls's connections alone
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return users.NewSession(), nil, nil
		}})
	conn, err = tls.Dial("tcp", serveMail(t, material, imapServer.Serve, imapServer.Close), own)
	if err != nil {
		t.Fatal(err)
	}
	reader := imapclient.New(conn, nil)
	defer reader.Close()
	if err := reader.Login("me", "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	if folder, err := reader.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil || folder.NumMessages != 0 {
		t.Errorf("%v, %v", folder, err)
	}
}

// The clients speak with Postfix and Dovecot after STARTTLS. Each library waits for a greeting,
// whose place was before TLS, so one is put in front.
func TestMailClients(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		t.Skip("such servers change to another user, which takes root")
	}
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	own := &tls.Config{ServerName: serverName, RootCAs: material.pool}
	for _, s := range clearServers[:2] { // Postfix, Dovecot
		t.Run(s.name, func(t *testing.T) {
			if _, err := exec.LookPath(s.program); err != nil {
				need(t, s.program, s.pkg)
			}
			ports, p := s.start(ctx, t, material)
			conn, err := s.turns[0].dial(ctx, ports[0], own)
			if err != nil {
				t.Fatalf("%v\n%s", err, p.text())
			}
			if s.name == "Postfix" {
				client := smtp.NewClient(&greeted{Conn: conn, greeting: strings.NewReader("220 TLS is on\r\n")})
				defer client.Close()
				if err := client.Hello("localhost"); err != nil {
					t.Fatal(err)
				}
				if again, _ := client.Extension("STARTTLS"); again {
					t.Error("Postfix offers STARTTLS within TLS")
				}
				return
			}
			reader := imapclient.New(&greeted{Conn: conn, greeting: strings.NewReader("* OK TLS is on\r\n")}, nil)
			defer reader.Close()
			if caps, err := reader.Capability().Wait(); err != nil || !caps.Has(imap.CapIMAP4rev1) {
				t.Error(fmt.Sprint(caps), err)
			}
		})
	}
}
