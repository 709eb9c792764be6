package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// proxy2 is how a PROXY header of version 2 starts.
// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt
const proxy2 = "\r\n\r\n\x00\r\nQUIT\n"

// proxy2Len is the length of the PROXY header, of version 2, that b starts with; 0 for none.
func proxy2Len(b []byte) int {
	if len(b) < 16 || string(b[:12]) != proxy2 {
		return 0
	}
	return 16 + int(binary.BigEndian.Uint16(b[14:]))
}

// openings are how protocols that go over to TLS may begin, on either side.
var openings = []string{
	"220", "* OK", "* PREAUTH", "+OK", "200 ", "201 ", "EHLO", "HELO", "LHLO", "CONNECT ", "PROXY ", proxy2, "<?xml", "<stream:stream", "\x30", `"IMPLEMENTATION"`,
}

// upgrades reports whether text is the beginning of a protocol that goes over to TLS.
func upgrades(text []byte) bool {
	for _, o := range openings {
		if bytes.HasPrefix(text, []byte(o)) {
			return true
		}
	}
	return false
}

// postgres is PostgreSQL's SSLRequest.
const postgres = "\x00\x00\x00\x08\x04\xd2\x16\x2f"

// startTLS is the name of LDAP's operation. RFC 4511 §4.14.1.
const startTLS = "1.3.6.1.4.1.1466.20037"

// A way is a protocol's way to go over to TLS: what the client asks for it with, and what
// the server begins with.
type way struct {
	name   string
	asks   string // in upper case
	server []string
}

var ways = []way{
	{"SMTP's STARTTLS", "STARTTLS", []string{"220"}},
	{"IMAP's STARTTLS", " STARTTLS", []string{"* "}},
	{"NNTP's STARTTLS", "STARTTLS", []string{"200", "201"}},
	{"Sieve's STARTTLS", "STARTTLS", []string{`"`}},
	{"POP3's STLS", "STLS", []string{"+OK"}},
	{"FTP's AUTH", "AUTH TLS", []string{"220"}},
	{"FTP's AUTH", "AUTH SSL", []string{"220"}},
	{"XMPP's starttls", "<STARTTLS", []string{"<", ""}},
	{"LDAP's StartTLS", startTLS, []string{"\x30", ""}},
	{"PostgreSQL's SSLRequest", postgres, []string{"S", "G", ""}},
	{"STARTTLS", "STARTTLS", []string{""}},
}

// beginning says how TLS began, after what the client and the server had said; nothing for
// at once. answered is set where the server's TLS begins at once too: where nothing was
// asked that it has to answer first.
func beginning(client, server []byte) (how string, answered bool) {
	var before []string
	header, rest := proxyHeader(client)
	if header != "" {
		before = append(before, header)
	}
	if len(rest) == 0 {
		if len(server) > 0 {
			before = append(before, fmt.Sprintf("%d bytes of another protocol, which the server began", len(server)))
		}
		return strings.Join(before, ", "), true
	}
	return strings.Join(append(before, upgrade(rest, server)), ", "), false
}

func isConnect(client []byte) bool { return bytes.HasPrefix(client, []byte("CONNECT ")) }

// upgrade names the way in which the two went over to TLS.
func upgrade(client, server []byte) string {
	if isConnect(client) {
		target, _, _ := bytes.Cut(client[len("CONNECT "):], []byte(" "))
		return fmt.Sprintf("HTTP CONNECT to %s", bounded(target))
	}
	asked := upper(client)
	for _, w := range ways {
		if !bytes.Contains(asked, []byte(w.asks)) {
			continue
		}
		for _, s := range w.server {
			if bytes.HasPrefix(server, []byte(s)) {
				return w.name
			}
		}
	}
	return fmt.Sprintf("%d bytes of another protocol", len(client))
}

// upper is b with ASCII letters in upper case; other bytes stay as they are.
func upper(b []byte) []byte {
	b = bytes.Clone(b)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return b
}

// bounded is text of a peer, in printable ASCII and not without end.
func bounded(b []byte) string {
	const most = 100
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, string(b[:min(len(b), most)]))
}

// proxyHeader names the PROXY header that the client's bytes start with, and returns what
// is behind it.
func proxyHeader(b []byte) (name string, rest []byte) {
	if n := proxy2Len(b); n > 0 && n <= len(b) {
		name = "a PROXY header, version 2"
		if src, ok := proxy2Source(b[:n]); ok {
			name += " (from " + src.String() + ")"
		}
		return name, b[n:]
	}
	line, rest, whole := bytes.Cut(b, []byte("\r\n"))
	if !whole || !bytes.HasPrefix(line, []byte("PROXY ")) {
		return "", b
	}
	name = "a PROXY header, version 1"
	if words := strings.Fields(string(line)); len(words) == 6 {
		if src, err := netip.ParseAddrPort(netipJoin(words[2], words[4])); err == nil {
			name += " (from " + src.String() + ")"
		}
	}
	return name, rest
}

func netipJoin(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + port
}

// proxy2Source is the address in a header of version 2 for TCP.
func proxy2Source(h []byte) (src netip.AddrPort, ok bool) {
	switch body := h[16:]; {
	case h[13] == 0x11 && len(body) >= 12:
		a, _ := netip.AddrFromSlice(body[:4])
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(body[8:])), true
	case h[13] == 0x21 && len(body) >= 36:
		a, _ := netip.AddrFromSlice(body[:16])
		return netip.AddrPortFrom(a, binary.BigEndian.Uint16(body[32:])), true
	}
	return netip.AddrPort{}, false
}
