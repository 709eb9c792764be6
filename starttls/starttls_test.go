package starttls

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A turn is what a server hears, as a whole, and what it says to that.
type turn struct{ hears, says string }

// bytesOf is text, with hex where it begins so.
func bytesOf(s string) string {
	if digits, ok := strings.CutPrefix(s, "hex:"); ok {
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			panic(err)
		}
		return string(b)
	}
	return s
}

const (
	xmppOpen  = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.com' version='1.0'>"
	xmppStart = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	xmppReply = "<?xml version='1.0'?><stream:stream id='1' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xmlns='jabber:client'>"
	greeting  = "hex:28000000 0a 31302e3131 00 01000000 6162636465666768 00 ffff 2d 0200 ffff 15 00000000000000000000 00 00"
	noTLS     = "hex:28000000 0a 31302e3131 00 01000000 6162636465666768 00 fff7 2d 0200 ffff 15 00000000000000000000 00 00"
	mysqlAsk  = "hex:20000001 008a0800 00000001 2d 0000000000000000000000000000000000000000000000"
	rdpAsk    = "hex:03000013 0ee00000000000 01000800 03000000"
	ldapAsk   = "hex:301d020101 7718 8016 312e332e362e312e342e312e313436362e3230303337"
)

// willing has a server for each protocol that turns to TLS.
var willing = map[string][]turn{
	"smtp":        {{"", "220-mail\r\n220 ready\r\n"}, {"EHLO me\r\n", "250-mail\r\n250-SIZE 1\r\n250-STARTTLS\r\n250 HELP\r\n"}, {"STARTTLS\r\n", "220 go\r\n"}},
	"lmtp":        {{"", "220 ready\r\n"}, {"LHLO me\r\n", "250 STARTTLS\r\n"}, {"STARTTLS\r\n", "220\r\n"}},
	"imap":        {{"", "* OK [CAPABILITY IMAP4rev1] ready\r\n"}, {"v1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1 starttls\r\nv1 OK done\r\n"}, {"v2 STARTTLS\r\n", "v2 OK go\r\n"}},
	"pop3":        {{"", "+OK ready\r\n"}, {"CAPA\r\n", "+OK\r\nUIDL\r\nSTLS\r\n.\r\n"}, {"STLS\r\n", "+OK go\r\n"}},
	"ftp":         {{"", "220-welcome\r\n to this\r\n220 server\r\n"}, {"AUTH TLS\r\n", "234 go\r\n"}},
	"nntp":        {{"", "201 ready\r\n"}, {"CAPABILITIES\r\n", "101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"}, {"STARTTLS\r\n", "382 go\r\n"}},
	"sieve":       {{"", "\"IMPLEMENTATION\" \"x\"\r\n\"STARTTLS\"\r\nOK\r\n"}, {"STARTTLS\r\n", "OK \"go\"\r\n"}},
	"irc":         {{"STARTTLS\r\n", ":s NOTICE * :looking up\r\n:s 670 me :go\r\n"}},
	"ldap":        {{ldapAsk, "hex:300c020101 7807 0a0100 0400 0400"}},
	"xmpp":        {{xmppOpen, xmppReply + "<stream:features>" + xmppStart + "</stream:features>"}, {xmppStart, "<proceed xmlns='" + xmppTLS + "'/>"}},
	"xmpp-server": {{strings.ReplaceAll(xmppOpen, ":client", ":server"), xmppReply + "<stream:features>" + xmppStart + "</stream:features>"}, {xmppStart, "<proceed xmlns='" + xmppTLS + "'/>"}},
	"postgres":    {{"hex:00000008 04d2162f", "S"}},
	"mysql":       {{"", greeting}, {mysqlAsk, ""}},
	"rdp":         {{rdpAsk, "hex:03000013 0ed00000123400 02000800 01000000"}},
}

// play is a server. It closes its end where it hears something else, or at the end.
func play(conn net.Conn, turns []turn) {
	defer conn.Close()
	for _, turn := range turns {
		want := bytesOf(turn.hears)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			return
		}
		if _, err := io.WriteString(conn, bytesOf(turn.says)); err != nil {
			return
		}
	}
	io.Copy(io.Discard, conn)
}

func upgrade(protocol string, turns []turn, said func(Line)) error {
	ours, theirs := net.Pipe()
	defer ours.Close()
	go play(theirs, turns)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return Upgrade(ctx, ours, protocol, Options{Host: "example.com", Name: "me", Said: said})
}

func TestEveryProtocolTurns(t *testing.T) {
	for _, name := range Protocols() {
		var heard, said int
		if err := upgrade(name, willing[name], func(l Line) {
			if l.FromServer {
				heard++
			} else {
				said++
			}
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if heard == 0 || said == 0 {
			t.Errorf("%s: %d lines of the server, %d of ours", name, heard, said)
		}
		if ProtocolOf(PortOf(name)) != name {
			t.Errorf("%s: port %d is %q", name, PortOf(name), ProtocolOf(PortOf(name)))
		}
	}
}

// What comes behind the agreement in the clear is never taken over into TLS.
func TestInjectedBytesAreRefused(t *testing.T) {
	for name, turns := range willing {
		turns := append([]turn(nil), turns...)
		last := &turns[len(turns)-1]
		if name == "mysql" { // our request is the last word: what is early stands behind the greeting
			last = &turns[0]
		}
		last.says = bytesOf(last.says) + "\x00injected\r\n"
		err := upgrade(name, turns, nil)
		if !errors.Is(err, ErrInjected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServersThatDoNotTurn(t *testing.T) {
	for _, c := range []struct {
		protocol string
		turns    []turn
		want     string
	}{
		{"smtp", []turn{{"", "220 ready\r\n"}, {"EHLO me\r\n", "250-XSTARTTLS\r\n250 SIZE\r\n"}}, "does not offer STARTTLS"},
		{"smtp", []turn{{"", "220 ready\r\n"}, {"EHLO me\r\n", "250 STARTTLS\r\n"}, {"STARTTLS\r\n", "454 not now\r\n"}}, `refuses; the server said "454 not now" to "STARTTLS"`},
		{"smtp", []turn{{"", "554 go away\r\n"}}, "refuses"},
		{"smtp", []turn{{"", "220 ready\r\n"}, {"EHLO us\r\n", ""}}, "closed the connection"},
		{"imap", []turn{{"", "* PREAUTH hello\r\n"}}, "refuses"},
		{"imap", []turn{{"", "* OK\r\n"}, {"v1 CAPABILITY\r\n", "* CAPABILITY IMAP4rev1\r\nv1 OK\r\n"}}, "does not offer STARTTLS"},
		{"imap", []turn{{"", "* OK\r\n"}, {"v1 CAPABILITY\r\n", "* CAPABILITY STARTTLS\r\nv1 OK\r\n"}, {"v2 STARTTLS\r\n", "v2 BAD no\r\n"}}, "refuses"},
		{"pop3", []turn{{"", "+OK\r\n"}, {"CAPA\r\n", "+OK\r\nUIDL\r\n.\r\n"}}, "does not offer STLS"},
		{"pop3", []turn{{"", "+OK\r\n"}, {"CAPA\r\n", "-ERR what?\r\n"}, {"STLS\r\n", "-ERR no\r\n"}}, "refuses"},
		{"ftp", []turn{{"", "220 x\r\n"}, {"AUTH TLS\r\n", "530 log in\r\n"}}, "refuses"},
		{"nntp", []turn{{"", "200 x\r\n"}, {"CAPABILITIES\r\n", "101\r\nVERSION 2\r\n.\r\n"}}, "does not offer STARTTLS"},
		{"sieve", []turn{{"", "\"SIEVE\" \"x\"\r\nOK\r\n"}}, "does not offer STARTTLS"},
		{"irc", []turn{{"STARTTLS\r\n", ":s 691 me :no\r\n"}}, "refuses"},
		{"ldap", []turn{{ldapAsk, "hex:300e020101 7809 0a0134 0400 04026e6f"}}, `[result 52] no`},
		{"ldap", []turn{{ldapAsk, "hex:300c020101 6507 0a0100 0400 0400"}}, "not an answer of LDAP"},
		{"ldap", []turn{{ldapAsk, "hex:3085ffffffffff"}}, "not an answer of LDAP"},
		{"ldap", []turn{{ldapAsk, "hex:3084ffffffff"}}, "not an answer of LDAP"},
		{"xmpp", []turn{{xmppOpen, xmppReply + "<stream:features><bind xmlns='x'/></stream:features>"}}, "does not offer starttls"},
		{"xmpp", []turn{{xmppOpen, xmppReply + "<stream:features>" + xmppStart + "</stream:features>"}, {xmppStart, "<failure xmlns='" + xmppTLS + "'/>"}}, "refuses"},
		{"xmpp", []turn{{xmppOpen, xmppReply + "<stream:error><x/></stream:error>"}}, "refuses the stream"},
		{"postgres", []turn{{"hex:00000008 04d2162f", "N"}}, "ssl is off"},
		{"postgres", []turn{{"hex:00000008 04d2162f", "E"}}, "error (E)"},
		{"postgres", []turn{{"hex:00000008 04d2162f", "H"}}, "not a server of PostgreSQL"},
		{"mysql", []turn{{"", noTLS}}, "no TLS"},
		{"mysql", []turn{{"", "hex:0a000000 ff 1504 6e6f20726f6f6d"}}, `refuses the connection; the server said "no room"`},
		{"mysql", []turn{{"", "hex:00000000"}}, "not a server of MySQL"},
		{"mysql", []turn{{"", "hex:01000000 0a"}}, "not a server of MySQL"},
		{"rdp", []turn{{rdpAsk, "hex:0300000b 06d00000123400"}}, "own encryption alone"},
		{"rdp", []turn{{rdpAsk, "hex:03000013 0ed00000123400 03000800 05000000"}}, "the code 5"},
		{"rdp", []turn{{rdpAsk, "hex:03000013 0ed00000123400 02000800 00000000"}}, "something else than TLS"},
		{"rdp", []turn{{rdpAsk, "hex:0300ffff"}}, "not a server of RDP"},
		{"gopher", nil, "no protocol of that name"},
	} {
		err := upgrade(c.protocol, c.turns, nil)
		var e *Error
		if !errors.As(err, &e) || e.Protocol != c.protocol || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q: %v", c.protocol, c.want, err)
		}
	}
}

// A server that talks without end, or not at all, holds nobody up.
func TestServersWithoutEnd(t *testing.T) {
	for name, line := range map[string]string{
		"short lines": "220-more\r\n", "one line": "more", "marks": "<a>", "zeros": "\x00",
	} {
		for _, protocol := range Protocols() {
			ours, theirs := net.Pipe()
			go io.Copy(io.Discard, theirs)
			go func() {
				w := bufio.NewWriterSize(theirs, 4096)
				for {
					if _, err := w.WriteString(line); err != nil {
						return
					}
				}
			}()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			err := Upgrade(ctx, ours, protocol, Options{})
			if cancel(); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s of %s: %v", name, protocol, err)
			}
			ours.Close()
			theirs.Close()
		}
	}
	synctest.Test(t, func(t *testing.T) {
		for _, protocol := range Protocols() {
			ours, theirs := net.Pipe()
			go io.Copy(io.Discard, theirs)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			if err := Upgrade(ctx, ours, protocol, Options{Name: "me"}); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a silent server of %s: %v", protocol, err)
			}
			cancel()
			ours.Close()
			theirs.Close()
		}
	})
}

func FuzzUpgrade(f *testing.F) {
	for name, turns := range willing {
		var says string
		for _, turn := range turns {
			says += bytesOf(turn.says)
		}
		f.Add(name, []byte(says))
	}
	f.Fuzz(func(t *testing.T, name string, says []byte) {
		ours, theirs := net.Pipe()
		go func() {
			theirs.Write(says)
			theirs.Close()
		}()
		go io.Copy(io.Discard, theirs)
		err := Upgrade(context.Background(), ours, name, Options{Name: "me"})
		if len(says) == 0 && err == nil {
			t.Error("a server that said nothing agreed")
		}
		ours.Close()
	})
}
