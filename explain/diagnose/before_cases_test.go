package diagnose_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
)

func init() { calls = append(calls, beforeCalls...) }

// mail is a server of SMTP that offers something, and answers STARTTLS in some way.
func mail(offer, answer string) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		address := s.open(func(conn net.Conn) {
			io.WriteString(conn, "220 mail.test ESMTP\r\n")
			in := bufio.NewReader(conn)
			for {
				line, err := in.ReadString('\n')
				switch {
				case err != nil:
					return
				case strings.HasPrefix(line, "EHLO"):
					io.WriteString(conn, "250-mail.test\r\n250 "+offer+"\r\n")
				case answer == "":
					io.WriteString(conn, "220 go\r\n")
					closesWithout(conn, server)
					return
				default:
					io.WriteString(conn, answer)
				}
			}
		})
		way.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
			if err != nil {
				return nil, err
			}
			if err := starttls.Upgrade(ctx, conn, "smtp", starttls.Options{}); err != nil {
				conn.Close()
				return nil, err
			}
			return conn, nil
		}
		return address
	}
}

// closesWithout serves TLS until the client closes, and then closes without close_notify.
func closesWithout(conn net.Conn, server *tls.Config) {
	c := tls.Server(conn, server)
	if c.Handshake() == nil {
		io.WriteString(c, "hello")
		io.Copy(io.Discard, c)
	}
	conn.Close()
}

// fails is a way that ends with an error before there is a connection.
func fails(err error) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, _, _ *tls.Config, way *diagnose.Way) string {
		way.Dial = func(context.Context, string) (net.Conn, error) { return nil, err }
		return "127.0.0.1:1"
	}
}

// nobody is the error of a port on which nobody listens.
func nobody(t testing.TB) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = net.Dial("tcp", l.Addr().String())
	return err
}

var beforeCalls = []call{
	{"STARTTLS is not offered", mail("SIZE", "502 no\r\n"), "starttls-not-offered", diagnose.Certain, diagnose.Server},
	{"STARTTLS is refused", mail("STARTTLS", "454 TLS not available\r\n"), "starttls-refused", diagnose.Certain, diagnose.Server},
	{"more comes behind the agreement to STARTTLS", mail("STARTTLS", "220 go\r\n250 injected\r\n"), "starttls-injected", diagnose.Certain, diagnose.Middle},
	{"a proxy that does not run", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		return fails(&diagnose.ProxyError{Proxy: "127.0.0.1:1", Err: nobody(s.t)})(s, p, client, server, way)
	}, "proxy-closed", diagnose.Certain, diagnose.Middle},
	{"a proxy that refuses", fails(&diagnose.ProxyError{Proxy: "127.0.0.1:1", Reached: true, Err: errors.New("502 Bad Gateway")}), "proxy-refused", diagnose.Certain, diagnose.Middle},
	{"an address of the other family", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		_, err := net.Dial("tcp6", "127.0.0.1:1")
		return fails(err)(s, p, client, server, way)
	}, "no-such-family", diagnose.Certain, diagnose.Client},
	{"an error that no rule knows", fails(errors.New("the moon is full")), "unknown", "", ""},
}

// What fails before TLS has a sentence, in each case.
func TestEveryVerdictHasASentence(t *testing.T) {
	for _, c := range beforeCalls {
		p := newPKI(t)
		scene := ordinary(p)
		var way diagnose.Way
		address := c.build(newStreet(t), p, scene.client, scene.server, &way)
		if v := visit(t, scene.client, way, address); v.Sentence == "" {
			t.Errorf("%s: the verdict says nothing: %+v", c.name, v)
		}
	}
}

// A server that closes without close_notify, after the client has closed, does as it may: the
// client waits for nothing. Postfix does so.
func TestTheClientClosesFirst(t *testing.T) {
	p := newPKI(t)
	s := ordinary(p)
	ours, theirs := both(t)
	go closesWithout(theirs, s.server)
	client := act(tls.Client, ours, s.client)
	if client.err == nil {
		t.Error("the server's close without close_notify is not seen")
	}
	judge(t, client.verdict(), "nothing", diagnose.Certain, diagnose.Nobody)
}

// The advice follows the reply by which a server refuses.
func TestAdviceByReply(t *testing.T) {
	for answer, want := range map[string]string{"454 no": "certificate or key", "421 busy": "try again", "502 what": "does not have the command", "599 x": "does not turn to TLS"} {
		err := &starttls.Error{Protocol: "smtp", Kind: starttls.Refused, Why: "the server refuses", Asked: "STARTTLS", Answer: answer}
		v := diagnose.Account(nil, diagnose.Also{Err: err})
		if v.Cause != "starttls-refused" || !strings.Contains(v.Advice, want) {
			t.Errorf("%s: %s, %s", answer, v.Cause, v.Advice)
		}
	}
}
