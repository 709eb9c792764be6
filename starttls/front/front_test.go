package front

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/starttls"
)

func TestMain(m *testing.M) { leak.Main(m) }

// meet has a client say something to Greet, and returns all that it heard.
func meet(t *testing.T, protocol, say string) (heard string, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	done := make(chan string, 1)
	go func() {
		b, _ := io.ReadAll(theirs)
		done <- string(b)
	}()
	go func() {
		io.WriteString(theirs, say)
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err = Greet(ctx, protocol, ours, Options{Name: "mail.test"})
	ours.Close()
	heard = <-done
	theirs.Close()
	return heard, err
}

// Our own client side and this server side come to TLS.
func TestBothSidesAgree(t *testing.T) {
	for _, protocol := range Protocols() {
		ours, theirs := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- Greet(t.Context(), protocol, ours, Options{Name: "mail.test"}) }()
		if err := starttls.Upgrade(t.Context(), theirs, protocol, starttls.Options{Name: "me"}); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
		if err := <-served; err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
		ours.Close()
		theirs.Close()
	}
}

const (
	ldapStart = "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
	ldapBind  = "\x30\x0c\x02\x01\x02\x60\x07\x02\x01\x03\x04\x00\x80\x00"
	pgSSL     = "\x00\x00\x00\x08\x04\xd2\x16\x2f"
	pgGSS     = "\x00\x00\x00\x08\x04\xd2\x16\x30"
	pgStart   = "\x00\x00\x00\x17\x00\x03\x00\x00user\x00postgres\x00\x00"
	pgCancel  = "\x00\x00\x00\x10\x04\xd2\x16\x2e\x00\x00\x00\x01\x00\x00\x00\x02"
)

func TestWhatIsSaidInTheClear(t *testing.T) {
	for _, c := range []struct{ protocol, say, hear, fail string }{
		{"smtp", "EHLO me\r\nMAIL FROM:<a@b>\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS now\r\nstarttls\r\n", "530 5.7.0 Must issue a STARTTLS command first\r\n530 5.7.0", ""},
		{"smtp", "EHLO me\r\nSTARTTLS\r\n", "250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n220 2.0.0", ""},
		{"smtp", "HELO me\r\nNOOP\r\nRSET\r\nQUIT\r\n", "221 2.0.0 Bye\r\n", "left before TLS"},
		{"smtp", strings.Repeat("NOOP\r\n", 100), "421 4.7.0", "32 commands"},
		{"smtp", strings.Repeat("x", 5000), "220 mail.test", "a line has more"},
		{"imap", "a1 capability\r\na2 LOGIN me secret\r\na3 STARTTLS\r\n", "a1 OK CAPABILITY completed\r\na2 NO [PRIVACYREQUIRED]", ""},
		{"imap", "a1 LOGIN {2+}\r\na2 STARTTLS\r\n", "* BYE No literals", "left before TLS"},
		{"imap", "* STARTTLS\r\nb noop\r\nc LOGOUT\r\n", "* BAD Each command begins with a tag\r\nb OK NOOP", "left before TLS"},
		{"pop3", "CAPA\r\nUSER me\r\nSTLS\r\n", "STLS\r\n.\r\n-ERR Must issue", ""},
		{"ftp", "FEAT\r\nUSER me\r\nAUTH KERBEROS\r\nAUTH TLS\r\n", "530 Must issue AUTH TLS first\r\n504", ""},
		{"ldap", ldapBind + ldapStart, "\x61\x1a\x0a\x01\x0d\x04\x00\x04\x13StartTLS comes first\x30", ""},
		{"ldap", "\x30\x05\x02\x01\x03\x42\x00", "", "left before TLS"},
		{"ldap", "\x30\x84\xff\xff\xff\xff", "", "not a request of LDAP"},
		{"ldap", "\x30\x05\x02\x01\xff\x42\x00", "", "not a request of LDAP"},
		{"ldap", "GET / HTTP/1.1\r\n", "", "not a request of LDAP"},
		{"postgres", pgStart, "TLS is required", "does not ask for TLS"},
		{"postgres", pgCancel, "", "cancel request"},
		{"postgres", "GET / HTTP/1.1\r\n", "", "not a client of PostgreSQL"},
		{"gopher", "", "", "no protocol of that name"},
	} {
		heard, err := meet(t, c.protocol, c.say)
		if (err == nil) != (c.fail == "") || err != nil && !strings.Contains(err.Error(), c.fail) {
			t.Errorf("%s %.40q: %v", c.protocol, c.say, err)
		}
		if !strings.Contains(heard, c.hear) && !(c.protocol == "ldap" && c.fail == "" && strings.Contains(heard, "StartTLS comes first")) {
			t.Errorf("%s %.40q: heard %q", c.protocol, c.say, heard)
		}
	}
}

// What comes behind the request in the clear is never taken over into TLS (CVE-2011-0411).
func TestInjectedBytesAreRefused(t *testing.T) {
	for protocol, say := range map[string]string{
		"smtp": "EHLO me\r\nSTARTTLS\r\nRSET\r\n", "imap": "a STARTTLS\r\nb LOGIN x y\r\n", "pop3": "STLS\r\nUSER x\r\n",
		"ftp": "AUTH TLS\r\nUSER x\r\n", "ldap": ldapStart + ldapBind, "postgres": pgSSL + pgStart,
	} {
		if heard, err := meet(t, protocol, say); !errors.Is(err, starttls.ErrInjected) {
			t.Errorf("%s: %v, after %q", protocol, err, heard)
		}
	}
	if _, err := meet(t, "postgres", pgGSS+pgSSL); !errors.Is(err, starttls.ErrInjected) {
		t.Errorf("postgres, behind the request for GSSAPI: %v", err)
	}
}

// GSSAPI is refused, and TLS may follow.
func TestPostgresAfterGSSAPI(t *testing.T) {
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	served := make(chan error, 1)
	go func() { served <- Greet(t.Context(), "postgres", ours, Options{}) }()
	for _, turn := range [][2]string{{pgGSS, "N"}, {pgSSL, "S"}} {
		io.WriteString(theirs, turn[0])
		var b [1]byte
		if _, err := io.ReadFull(theirs, b[:]); err != nil || string(b[:]) != turn[1] {
			t.Fatalf("%q, %v", b, err)
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A client that says nothing, or one byte a second, is done with when the time ends; so is a
// server behind that does not greet.
func TestTimeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, protocol := range Protocols() {
			for _, drips := range []bool{false, true} {
				ours, theirs := net.Pipe()
				go io.Copy(io.Discard, theirs)
				var dripping sync.WaitGroup
				dripping.Go(func() {
					for drips {
						if _, err := theirs.Write([]byte{0x30}); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				})
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				began := time.Now()
				err := Greet(ctx, protocol, ours, Options{Name: "x"})
				if took := time.Since(began); err == nil || took > 20*time.Second {
					t.Errorf("%s: %v after %v", protocol, err, took)
				}
				if !drips && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a silent client of %s: %v", protocol, err)
				}
				if _, speaks := greetings[protocol]; speaks && !drips {
					ctx, cancel := context.WithTimeout(t.Context(), time.Second)
					ours, theirs := net.Pipe()
					if _, err := Join(ctx, protocol, ours); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("a silent server of %s: %v", protocol, err)
					}
					cancel()
					ours.Close()
					theirs.Close()
				}
				cancel()
				ours.Close()
				theirs.Close()
				dripping.Wait()
			}
		}
	})
}

func join(t *testing.T, protocol, says string, one bool) (string, error) {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		io.Copy(theirs, io.Reader(strings.NewReader(says)))
		theirs.Close()
	}()
	defer ours.Close()
	conn, err := Join(t.Context(), protocol, ours)
	if err != nil {
		return "", err
	}
	var r io.Reader = conn
	if one {
		r = iotest.OneByteReader(conn)
	}
	b, err := io.ReadAll(bufio.NewReader(r))
	return string(b), err
}

func TestServersBehind(t *testing.T) {
	for _, c := range []struct{ protocol, says, passes, fail string }{
		{"smtp", "220-hello\r\n220 mail\r\n250-mail\r\n250-SIZE 1\r\n250-STARTTLS\r\n250 HELP\r\n250 ok\r\n", "250-mail\r\n250-SIZE 1\r\n250 HELP\r\n250 ok\r\n", ""},
		{"smtp", "220 mail\r\n250-mail\r\n250-SIZE 1\r\n250 starttls\r\n354 go\r\n", "250-mail\r\n250 SIZE 1\r\n354 go\r\n", ""},
		{"smtp", "220 mail\r\n250 STARTTLS\r\n", "250 STARTTLS\r\n", ""}, // the name of a server
		{"smtp", "220 mail\r\n250-XSTARTTLS\r\n250 x\r\n250-half", "250-XSTARTTLS\r\n250 x\r\n250-half", ""},
		{"smtp", "220 mail\r\n250-" + strings.Repeat("y", 9000) + "\r\n250 z\r\n", "250-" + strings.Repeat("y", 9000) + "\r\n250 z\r\n", ""},
		{"smtp", "554 no\r\n", "", "does not greet"},
		{"smtp", "2200 no\r\n", "", "does not greet"},
		{"smtp", "", "", "closed"},
		{"imap", "* OK [CAPABILITY IMAP4 STARTTLS] hi\r\n* CAPABILITY IMAP4 STARTTLS AUTH=PLAIN\r\na OK done\r\n", "* CAPABILITY IMAP4 AUTH=PLAIN\r\na OK done\r\n", ""},
		{"imap", "* OK hi\r\n* 1 FETCH (BODY {25}\r\n* CAPABILITY X STARTTLS\r\n)\r\n* CAPABILITY STARTTLS B\r\n", "* 1 FETCH (BODY {25}\r\n* CAPABILITY X STARTTLS\r\n)\r\n* CAPABILITY B\r\n", ""},
		{"imap", "* OK hi\r\n* CAPAB", "* CAPAB", ""},
		{"imap", "* PREAUTH hi\r\n", "", "does not greet"},
		{"imap", "* BYE no\r\n", "", "does not greet"},
		{"pop3", "+OK hi\r\n+OK\r\nSTLS\r\n.\r\n", "+OK\r\nSTLS\r\n.\r\n", ""},
		{"pop3", "-ERR no\r\n", "", "does not greet"},
		{"ftp", "220-a\r\n220 b\r\n331 who\r\n", "331 who\r\n", ""},
		{"ldap", "anything", "anything", ""},
	} {
		for _, one := range []bool{false, true} {
			got, err := join(t, c.protocol, c.says, one)
			if (err == nil) != (c.fail == "") || err != nil && !strings.Contains(err.Error(), c.fail) || got != c.passes {
				t.Errorf("%s %.60q: %.200q, %v", c.protocol, c.says, got, err)
			}
		}
	}
}

// The editors do the same however the bytes are cut.
func FuzzEditors(f *testing.F) {
	f.Add([]byte("250-a\r\n250-STARTTLS\r\n250 b\r\n"), 5)
	f.Add([]byte("* CAPABILITY STARTTLS\r\n* X {3}\r\nabc\r\n"), 9)
	f.Fuzz(func(t *testing.T, says []byte, at int) {
		if at < 0 || at > len(says) {
			return
		}
		for _, e := range [][2]editor{{new(smtpEditor), new(smtpEditor)}, {new(imapEditor), new(imapEditor)}} {
			whole := e[0].rest(e[0].take(nil, says))
			parts := e[1].take(nil, says[:at])
			parts = e[1].rest(e[1].take(parts, says[at:]))
			if string(whole) != string(parts) {
				t.Errorf("%q whole, %q in parts", whole, parts)
			}
		}
	})
}
