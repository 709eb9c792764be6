package engine

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// began feeds the first bytes of a peer to the side that role is, n at a time.
func began(role wire.Role, first string, n int) *side {
	h := newClientHost()
	if role == wire.Server {
		h = newServerHost()
	}
	s := alone(role, h)
	s.take()
	s.feed([]byte(first), func(int) int { return n })
	return s
}

// Another protocol is named, with a remedy for the side that we are, and is sent
// no alert.
func TestOtherProtocolsAreNamed(t *testing.T) {
	for _, test := range []struct {
		we           wire.Role
		first        string
		named, hints string
	}{
		{wire.Server, "GET / HTTP/1.1\r\n\r\n", "speaks HTTP here", "https://"},
		{wire.Server, "OPTIONS * HTTP/1.1\r\n", "speaks HTTP here", "https://"},
		{wire.Server, "PROPFIND / HTTP/1.1\r\n", "speaks HTTP here", "https://"},
		{wire.Server, "CONNECT example.com:443 HTTP/1.1\r\n", "HTTP to a proxy", "proxy settings"},
		{wire.Server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "speaks HTTP/2 without TLS", "h2c"},
		{wire.Server, "SSH-2.0-OpenSSH_9.9\r\n", "speaks SSH", "22"},
		{wire.Server, "HELO there\r\n", "speaks SMTP here", "STARTTLS"},
		{wire.Server, "EHLO there\r\n", "speaks SMTP here", "STARTTLS"},
		{wire.Server, "CAPA\r\n", "speaks POP3 here", "STARTTLS"},
		{wire.Server, "USER jane\r\n", "speaks POP3 or FTP", "STARTTLS"},
		{wire.Server, "AUTH TLS\r\n", "speaks FTP here", "STARTTLS"},
		{wire.Server, "a001 CAPABILITY\r\n", "speaks IMAP here", "STARTTLS"},
		{wire.Server, "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "speaks the PROXY protocol", "before the handshake"},
		{wire.Server, "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", "speaks the PROXY protocol", "before the handshake"},
		{wire.Server, "<?xml version='1.0'?><stream:stream>", "speaks XMPP", "STARTTLS"},
		{wire.Server, "\x00\x00\x00\x08\x04\xd2\x16\x2f", "speaks PostgreSQL's", "sslnegotiation=direct"},
		{wire.Server, "\x00\x00\x00\x29\x00\x03\x00\x00user\x00jane\x00", "speaks PostgreSQL's", "sslnegotiation=direct"},
		{wire.Server, "QUIT IT, ALL IN CAPITALS", "does not speak TLS", "speak TLS"},
		{wire.Server, "\x16\x04\x00\x00\x01", "does not speak TLS", "speak TLS"},
		{wire.Client, "HTTP/1.1 400 Bad Request\r\n", "speaks HTTP here", "443"},
		{wire.Client, "\x00\x00\x12\x04\x00\x00\x00\x00\x00", "speaks HTTP/2 without TLS", "443"},
		{wire.Client, "220 mail.example ESMTP\r\n", "speaks SMTP here", "465"},
		{wire.Client, "220 (vsFTPd 3.0.5)\r\n", "speaks FTP here", "990"},
		{wire.Client, "220-Welcome", "speaks SMTP or FTP", "465 (SMTP) or 990 (FTP)"},
		{wire.Client, "* OK [CAPABILITY IMAP4rev1] ready\r\n", "speaks IMAP", "993"},
		{wire.Client, "+OK ready\r\n", "speaks POP3", "995"},
		{wire.Client, "SSH-2.0-OpenSSH_9.9\r\n", "speaks SSH", "never"},
		{wire.Client, "PROXY TCP4 ", "speaks the PROXY protocol", "port"},
		{wire.Client, "<stream:stream xmlns=", "speaks XMPP", "5223"},
		{wire.Client, "E\x00\x00\x00\x8dSFATAL\x00", "speaks PostgreSQL's", "SSLRequest"},
		{wire.Client, "\x4a\x00\x00\x00\x0a9.4.0\x00", "speaks MySQL's", "SSLRequest"},
		{wire.Client, "QUIT IT", "does not speak TLS", "STARTTLS"},
	} {
		s := began(test.we, test.first, len(test.first))
		var not *NotTLSError
		if !errors.As(s.err, &not) || !strings.Contains(not.Reason, test.named) || !strings.Contains(not.Hint, test.hints) || string(not.Header[:]) != test.first[:5] {
			t.Errorf("%v, %q: %v", test.we, test.first, s.err)
			continue
		}
		if want := "tls: " + not.Reason + "; " + not.Hint; s.err.Error() != want || strings.Contains(not.Hint, ";") {
			t.Errorf("%v, %q: reads %q", test.we, test.first, s.err)
		}
		if out := s.take(); len(out) > 0 || len(s.sent) > 0 {
			t.Errorf("%q was answered with %x", test.first, out)
		}
	}
}

// Five bytes are enough to tell that it is not TLS, and nobody waits for more.
func TestOtherProtocolsByFiveBytes(t *testing.T) {
	for first, named := range map[string]string{
		"220 m": "SMTP or FTP", "HTTP/": "HTTP", "* OK ": "IMAP", "\x4a\x00\x00\x00\x0a": "MySQL's protocol",
		"\x00\x00\x00\x00\x00": "", "E\x00\x00\x00\x8d": "PostgreSQL's protocol",
	} {
		s := began(wire.Client, first, 1)
		var not *NotTLSError
		if !errors.As(s.err, &not) || named != "" && !strings.Contains(not.Reason, "speaks "+named+" here") || named == "" && strings.Contains(not.Reason, "speaks") {
			t.Errorf("%q: %v", first, s.err)
		}
	}
}

// What a client asks for may be secret, and stays out of the log. A server's
// greeting is shown to the end of its line, and no longer than 40 bytes.
func TestWhatIsShownOfFirstBytes(t *testing.T) {
	for _, test := range []struct {
		we           wire.Role
		first, shown string
	}{
		{wire.Server, "GET /secret HTTP/1.1\r\n", ""},
		{wire.Server, "AUTH PLAIN c2VjcmV0\r\n", ""},
		{wire.Server, "secret\r\n", "secre"},
		{wire.Client, "220 mail.example ESMTP\r\n220 more\r\n", "220 mail.example ESMTP"},
		{wire.Client, "220 " + strings.Repeat("x", 99), "220 " + strings.Repeat("x", 36)},
	} {
		s := began(test.we, test.first, len(test.first))
		if got := fmt.Sprint(s.err); test.shown != "" && !strings.Contains(got, fmt.Sprintf(" are %q; ", test.shown)) || test.shown == "" && strings.Contains(got, " are ") {
			t.Errorf("%q: %v", test.first, got)
		}
	}
}

// A hello in the format of SSL 2.0 is a hello: it is named, with the switch that
// accepts it, and answered with an alert.
func TestSSL2HelloIsToldOfItsSwitch(t *testing.T) {
	s := began(wire.Server, "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10", 1)
	if alert, sent := s.alertOf(); !sent || alert != wire.AlertProtocolVersion {
		t.Errorf("%v was sent: %v", alert, sent)
	}
	if out := s.take(); !bytes.Equal(out, []byte{21, 3, 1, 0, 2, 2, byte(wire.AlertProtocolVersion)}) {
		t.Errorf("it was answered with %x", out)
	}
	if got := fmt.Sprint(s.err); !strings.Contains(got, "the format of SSL 2.0") || !strings.Contains(got, "Legacy.SSL2Hello") || !strings.Contains(got, "asks for SSL 2.0") {
		t.Error(got)
	}
}
