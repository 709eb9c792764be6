package diagnose_test

import (
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
)

func init() { calls = append(calls, plainCalls...) }

// answering is a server that asks for a certificate or does not, takes whatever comes, and says
// what it thinks of it in HTTP, as nginx does.
func answering(asks, show bool, answer string) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		way.HTTP = true
		if asks {
			server.ClientAuth = tls.RequestClientCert
		}
		if show {
			client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
		}
		return s.open(func(conn net.Conn) {
			c := tls.Server(conn, server)
			if c.Handshake() == nil {
				c.Read(make([]byte, 4096))
				io.WriteString(c, "HTTP/1.1 "+answer)
			}
			c.Close()
		})
	}
}

// drips sends the head of a record a byte at a time, and never the record.
func drips(conn net.Conn, s *street) {
	for _, b := range []byte{22, 3, 3, 1, 0, 2, 0} {
		conn.Write([]byte{b})
		select {
		case <-s.done:
			return
		case <-time.After(time.Millisecond):
		}
	}
	keepsSilent(conn, s)
}

var plainCalls = []call{
	{"a page that says that a client certificate is missing", answering(true, false, "400 Bad Request\r\n\r\n<title>400 No required SSL certificate was sent</title>"), "client-certificate-missing", diagnose.Certain, diagnose.Client},
	{"a page that refuses, of a server that asked for a certificate", answering(true, false, "403 Forbidden\r\n\r\n"), "client-certificate-missing", diagnose.Likely, diagnose.Client},
	{"a page that refuses, of a server that did not ask", answering(false, false, "403 Forbidden\r\n\r\n"), "nothing", "", ""},
	{"a page that says that a client certificate is refused", answering(true, true, "400 Bad Request\r\n\r\n<title>400 The SSL certificate error</title>"), "client-certificate-refused", diagnose.Certain, ""},
	{"a page that is found, of a server that asked", answering(true, false, "200 OK\r\n\r\n400 things"), "nothing", "", ""},
	{"a page without a head", plain("<!DOCTYPE HTML>\n<html>", ""), "tls-on-plain-port", diagnose.Certain, diagnose.Client},
	{"drips, and never ends a record", func(s *street, _ *pki, _, _ *tls.Config, way *diagnose.Way) string {
		way.Patience = short
		return s.open(func(conn net.Conn) { drips(conn, s) })
	}, "stall", diagnose.Likely, ""},
	{"takes pre-shared keys alone", func(s *street, _ *pki, _, server *tls.Config, _ *diagnose.Way) string {
		sc := &scene{&tls.Config{}, server}
		pskOnly(sc, func(string) ([]byte, error) { return []byte("0123456789abcdef"), nil })
		server.Certificates = nil
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "psk-missing", diagnose.Likely, diagnose.Client},
}

// What speaks another protocol is named.
func TestOtherProtocolsAreNamed(t *testing.T) {
	p := newPKI(t)
	scene := ordinary(p)
	var way diagnose.Way
	address := plain("SSH-2.0-OpenSSH_9.2p1\r\n", "")(newStreet(t), p, scene.client, scene.server, &way)
	v := visit(t, scene.client, way, address)
	judge(t, v, "not-tls", "", "")
	if want := `the server speaks SSH, and not TLS: "SSH-2.0-OpenSSH_9.2p1"`; v.Sentence != want {
		t.Errorf("it says %q, want %q", v.Sentence, want)
	}
}
