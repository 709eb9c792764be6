package engine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// NotTLSError is a first record that is none.
type NotTLSError struct {
	Header [record.HeaderLen]byte
	// Reason says what came instead, and Hint what to do. Neither has a semicolon.
	Reason, Hint string
	// Alert is what a peer that understands one is sent; 0 for none.
	Alert wire.AlertCode
}

func (e *NotTLSError) Error() string { return "tls: " + e.Reason + "; " + e.Hint }

// notTLSIn is the NotTLSError in err, or nil.
func notTLSIn(err error) *NotTLSError {
	not, _ := errors.AsType[*NotTLSError](err)
	return not
}

// protocol is what a peer may speak where TLS is expected.
type protocol struct {
	name string
	// client and server are how that side begins. A dot stands for any byte.
	client, server []string
	// words, one of which must be in what has come, where the beginning alone
	// does not say it; none for no such demand.
	words []string
	// toClient and toServer are the remedies for the side that we are.
	toClient, toServer string
}

const (
	otherPort   = "connect to a port that speaks TLS"
	otherClient = "have the client speak TLS, or use another port"
)

// implicit is the remedy where a protocol can switch to TLS on its ordinary port.
func implicit(port string) string {
	return "this port switches to TLS by a command of the protocol, like STARTTLS: send that first, or connect to the port that begins with TLS, mostly " + port
}

// explicit is the same for a server.
const explicit = "this port begins with TLS: have the client do so too, and send no STARTTLS"

// others are recognised by what came first, of which only five bytes are sure
// to be there: waiting for more might take for ever. The first row that fits counts.
var others = []protocol{
	{name: "HTTP/2 without TLS", client: []string{"PRI *"}, server: []string{"\x00\x00.\x04\x00"},
		toClient: "connect to the port of HTTPS, mostly 443", toServer: "have the client speak HTTP/2 over TLS (h2), not in the clear (h2c)"},
	{name: "HTTP to a proxy", client: []string{"CONNE"}, toServer: "the client takes this server for its HTTP proxy: check its proxy settings"},
	{name: "HTTP", server: []string{"HTTP/"},
		client: []string{"GET ", "HEAD ", "POST ", "PUT ", "DELET", "OPTIO", "TRACE", "PATCH",
			"PROPF", "PROPP", "MKCOL", "COPY ", "MOVE ", "LOCK ", "UNLOC", "REPOR", "SEARC", "PURGE"},
		toClient: "connect to the port of HTTPS, mostly 443", toServer: "have the client use https:// in the URL"},
	{name: "the PROXY protocol", client: []string{"PROXY", "\r\n\r\n\x00"}, server: []string{"PROXY", "\r\n\r\n\x00"}, toClient: otherPort,
		toServer: "a proxy in front of the server sends a header: switch that off there, or take the header off before the handshake"},
	{name: "SSH", client: []string{"SSH-"}, server: []string{"SSH-"}, toClient: "it never speaks TLS: " + otherPort, toServer: "it never speaks TLS: have the client use the port of SSH, mostly 22"},
	{name: "SMTP", server: []string{"220", "421", "554"}, words: []string{"SMTP", "smtp"}, toClient: implicit("465")},
	{name: "FTP", server: []string{"220", "120", "421"}, words: []string{"FTP", "ftp"}, toClient: implicit("990")},
	{name: "SMTP or FTP", server: []string{"220", "120", "421", "554"}, toClient: implicit("465 (SMTP) or 990 (FTP)")},
	{name: "SMTP", client: []string{"HELO", "helo", "EHLO", "ehlo", "LHLO"}, toServer: explicit},
	{name: "IMAP", client: []string{"a1 CA", "a001 ", "A001 ", "a0001", "A0001"}, server: []string{"* OK", "* PRE", "* BYE"}, toClient: implicit("993"), toServer: explicit},
	{name: "POP3", client: []string{"CAPA", "capa", "STLS", "APOP "}, server: []string{"+OK"}, toClient: implicit("995"), toServer: explicit},
	{name: "POP3 or FTP", client: []string{"USER ", "user "}, toServer: explicit},
	{name: "FTP", client: []string{"AUTH ", "auth ", "FEAT"}, toServer: explicit},
	{name: "NNTP", server: []string{"200 ", "201 "}, toClient: implicit("563")},
	{name: "XMPP", client: []string{"<?xml", "<stre"}, server: []string{"<?xml", "<stre"}, toClient: implicit("5223"), toServer: explicit},
	{name: "PostgreSQL's protocol", client: []string{"\x00\x00..\x00\x03\x00", "\x00\x00\x00\x08\x04"}, server: []string{"E\x00\x00\x00"},
		toClient: "send its SSLRequest first, and begin TLS when the server answers S", toServer: "this port begins with TLS: have the client do so too (sslnegotiation=direct)"},
	{name: "MySQL's protocol", server: []string{".\x00\x00\x00\x0a", ".\x00\x00\x00\xff", "..\x00\x00\x0a"},
		toClient: "answer its greeting with an SSLRequest first, and begin TLS then"},
	{name: "LDAP", client: []string{"0.\x02\x01"}, server: []string{"0.\x02\x01"}, toClient: implicit("636"), toServer: explicit},
	{name: "Redis's protocol", client: []string{"*1\r\n$", "*2\r\n$", "*3\r\n$"}, server: []string{"-ERR"}, toClient: otherPort, toServer: otherClient},
	{name: "VNC", server: []string{"RFB "}, toClient: otherPort},
	{name: "AMQP", client: []string{"AMQP"}, server: []string{"AMQP"}, toClient: otherPort, toServer: otherClient},
}

// stranger is for whatever is not among them.
var stranger = protocol{toClient: "check the port, and whether the protocol begins TLS later (STARTTLS)", toServer: otherClient}

// begins reports whether raw begins as the protocol does for that side.
func (p *protocol) begins(from wire.Role, raw []byte) bool {
	starts := p.client
	if from == wire.Server {
		starts = p.server
	}
	return slices.ContainsFunc(starts, func(start string) bool { return like(raw, start) }) &&
		(p.words == nil || slices.ContainsFunc(p.words, func(word string) bool { return bytes.Contains(raw, []byte(word)) }))
}

func like(raw []byte, start string) bool {
	if len(raw) < len(start) {
		return false
	}
	for i := range len(start) {
		if start[i] != '.' && raw[i] != start[i] {
			return false
		}
	}
	return true
}

// notTLS says in plain words what came in place of a first record, and what to do.
// There are at least as many bytes as a header has.
func notTLS(from wire.Role, raw []byte) error {
	e := &NotTLSError{Reason: "the " + from.String() + " does not speak TLS here"}
	copy(e.Header[:], raw)
	if from == wire.Client && wire.SSL2HelloLen(raw) > 0 {
		e.Alert, e.Hint = wire.AlertProtocolVersion, "have the client send one of TLS, or set Legacy.SSL2Hello"
		e.Reason = "the client sent a ClientHello in the format of SSL 2.0, which is off, and asks for " + (wire.Version(raw[3])<<8 | wire.Version(raw[4])).String()
		return e
	}
	p := stranger
	if i := slices.IndexFunc(others, func(p protocol) bool { return p.begins(from, raw) }); i >= 0 {
		p = others[i]
		e.Reason = "the " + from.String() + " speaks " + p.name + " here, not TLS"
	}
	e.Hint = p.toServer
	switch {
	case from == wire.Server:
		e.Hint = p.toClient
		e.Reason += fmt.Sprintf(": its first bytes are %q", firstLine(raw))
	case p.name == "": // what a client asks for in a protocol that we know is not for a log
		e.Reason += fmt.Sprintf(": its first bytes are %q", e.Header[:])
	}
	return e
}

// firstLine is what to show of raw: to the end of its first line, and not much.
func firstLine(raw []byte) []byte {
	const most = 40
	raw = raw[:min(len(raw), most)]
	if i := bytes.IndexAny(raw[record.HeaderLen:], "\r\n\x00"); i >= 0 {
		raw = raw[:record.HeaderLen+i]
	}
	return raw
}
