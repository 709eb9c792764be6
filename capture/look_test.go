package capture

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func line(from wire.Role, text string) saying { return saying{from, []byte(text)} }

func TestWhereTLSBegins(t *testing.T) {
	s := speak(t, tls.VersionTLS13, devca.ECDSA, "hello", nil)
	const client, server = wire.Client, wire.Server
	proxied := slices.Clone(s.said)
	proxied[0].b = append([]byte("PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n"), proxied[0].b...)
	version2 := slices.Clone(s.said)
	version2[0].b = append([]byte(proxy2+"\x21\x11\x00\x0c\xcb\x00\x71\x09\xc0\x00\x02\x01\x12\x67\x01\xbb"), version2[0].b...)
	eager := slices.Clone(s.said)
	eager[0].b = append([]byte("CONNECT example.com:443 HTTP/1.1\r\n\r\n"), eager[0].b...)
	eager = slices.Insert(eager, 1, line(server, "HTTP/1.1 200 fine\r\nVia: proxy\r\n\r\n"))
	split := slices.Clone(s.said)
	split = append([]saying{{client, split[0].b[:4]}, {client, split[0].b[4:]}}, split[1:]...)
	after := func(before ...saying) []saying { return append(before, s.said...) }
	for _, c := range []struct {
		said []saying
		want string
	}{
		{s.said, ""},
		{split, ""},
		{after(line(server, "220 mail\r\n"), line(client, "EHLO me\r\n"), line(server, "250-mail\r\n250 STARTTLS\r\n"),
			line(client, "STARTTLS\r\n"), line(server, "220 go\r\n")), "SMTP's STARTTLS"},
		{after(line(server, "* OK imap\r\n"), line(client, "a1 starttls\r\n"), line(server, "a1 OK begin\r\n")), "IMAP's STARTTLS"},
		{after(line(server, "+OK pop\r\n"), line(client, "STLS\r\n"), line(server, "+OK begin\r\n")), "POP3's STLS"},
		{after(line(server, "220 ftp\r\n"), line(client, "AUTH TLS\r\n"), line(server, "234 begin\r\n")), "FTP's AUTH"},
		{after(line(client, "\x30\x1d\x02\x01\x01\x77\x18\x80\x16"+startTLS), line(server, "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00")), "LDAP's StartTLS"},
		{after(line(client, "<?xml version='1.0'?><stream:stream to='x'>"), line(server, "<?xml version='1.0'?><stream:stream><stream:features><starttls/></stream:features>"),
			line(client, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), line(server, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")), "XMPP's starttls"},
		{after(line(client, postgres), line(server, "S")), "PostgreSQL's SSLRequest"},
		{after(line(client, "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"), line(server, "HTTP/1.1 200 fine\r\n\r\n")), "HTTP CONNECT to example.com:443"},
		{eager, "HTTP CONNECT to example.com:443"},
		{proxied, "a PROXY header, version 1 (from 203.0.113.9:4711)"},
		{version2, "a PROXY header, version 2 (from 203.0.113.9:4711)"},
		{after(line(server, "\x4a\x00\x00\x00\x0a8.0"), line(client, "\x20\x00\x00\x01ssl")), "7 bytes of another protocol"},
	} {
		t.Run(c.want, func(t *testing.T) {
			f := one(t, pcapOf(t, linkRaw, testEnds().frames(t, segments(c.said))...), s.log)
			f.wants(t, "hello")
			if f.Began != c.want || f.Client != testEnds().client || f.Gaps != 0 {
				t.Errorf("it began after %q; client %v, %d gaps", f.Began, f.Client, f.Gaps)
			}
		})
	}
}

func TestSSL2Hello(t *testing.T) {
	m := wire.SSL2ClientHello{Version: wire.TLS10, CipherSpecs: []wire.SSL2CipherSpec{0x2f, 0x35}, Challenge: make([]byte, 32)}
	b := m.Append([]byte{0x80, 0}, wire.Context{})
	b[1] = byte(len(b) - 2)
	f := one(t, pcapOf(t, linkRaw, testEnds().frames(t, segments([]saying{{wire.Client, b}}))...), nil)
	if f.Client != testEnds().client || f.ClientSent.Records != 1 {
		t.Errorf("%+v", f.Connection)
	}
	b[1]++ // the length does not fit
	if all, _, _ := readAll(t, pcapOf(t, linkRaw, testEnds().frames(t, segments([]saying{{wire.Client, b}}))...), nil); len(all) != 0 {
		t.Error("a hello of which the lengths contradict each other was found")
	}
}

// Other protocols are none, and hold no memory.
func TestOtherProtocols(t *testing.T) {
	for name, said := range map[string][]saying{
		"HTTP":       {line(wire.Client, "GET / HTTP/1.1\r\n\r\n"), {wire.Server, bytes.Repeat([]byte("\x16 text\n"), 2000)}},
		"mail":       {line(wire.Server, "220 mail\r\n"), line(wire.Client, "EHLO me\r\n"), {wire.Client, bytes.Repeat([]byte("\x16\x03\n"), 40000)}},
		"zeros":      {{wire.Client, make([]byte, 100000)}},
		"almost TLS": {{wire.Client, bytes.Repeat([]byte{0x16, 3, 1, 0, 0, 1}, 2000)}},
	} {
		tr := newTracker(&Options{Keys: &Keys{}})
		for _, f := range testEnds().frames(t, segments(said)) {
			tr.packet(&packet{data: f.b, length: f.length, link: linkRaw, at: f.at.UnixNano()})
		}
		if tr.totals.TLS != 0 || tr.left != (budget{maxAllWaiting, maxAllHistory, maxAllPrelude}) {
			t.Errorf("%s: %d with TLS; left: %+v", name, tr.totals.TLS, tr.left)
		}
	}
}
