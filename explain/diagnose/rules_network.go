package diagnose

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/wire"
)

// networkRules are for connections that never came about, or were cut.
var networkRules = []rule{
	{id: "no-such-name", fault: Client, mend: "check the host's name, and this machine's DNS", match: ends(endNoName, Certain, "there is no host of that name")},
	{id: "dns", fault: Network, mend: "check this machine's DNS, or give the address in place of the name", match: ends(endDNS, Certain, "the name could not be looked up")},
	{id: "port-closed", fault: Server, mend: "nothing listens on this port; check the port, and that the server runs",
		match: ends(endRefused, Certain, "the server's machine refused the connection, or a firewall did")},
	{id: "unreachable", fault: Network, mend: "check the address, and this machine's network; it may have no IPv6",
		match: ends(endUnreachable, Certain, "no network leads to the address")},
	{id: "silence", fault: Somebody, mend: "check that the port is a TLS port; a firewall that drops packets looks the same", match: func(f *facts) *found {
		if f.end != endSilent || f.peerSpoke() {
			return nil
		}
		return is(Likely, "the "+f.peer().String()+" took the connection and said nothing until the time was up", f.unanswered())
	}},
	{id: "stall", fault: Somebody, mend: "try again with more time; packets of a certain size may be lost on the way (path MTU)", match: func(f *facts) *found {
		if f.end != endSilent || !f.peerSpoke() || f.c.Summary.Complete {
			return nil
		}
		return is(Likely, "the "+f.peer().String()+" fell silent in the middle of the handshake")
	}},
	{id: "reset-midway", fault: Somebody, mend: "look into the server's log; if it has nothing, look for a firewall or a balancer between the two", match: func(f *facts) *found {
		if f.end != endReset || !f.peerSpoke() {
			return nil
		}
		when := "in the middle of the handshake, after the " + f.peer().String() + " had answered"
		if f.c.Summary.Complete {
			when = "by the " + f.peer().String() + " after the handshake"
		}
		return is(Likely, "the connection was reset "+when,
			f.atEvent(f.answerAt, "", "the server had answered before that"))
	}},
}

// unanswered is what was said last, to which nothing came.
func (f *facts) unanswered() Evidence {
	if e, ok := errors.AsType[*starttls.Error](f.also.Err); ok && f.hello == nil {
		said := "nothing was said yet: in " + e.Protocol + " the server greets first, and it did not"
		if e.Asked != "" {
			said = fmt.Sprintf("%q was sent, before TLS, and nothing came back", e.Asked)
		}
		return Evidence{Says: said, Event: -1}
	}
	if f.hello == nil {
		return Evidence{Says: "no ClientHello was sent or came: it did not come to TLS", Event: -1}
	}
	return f.atEvent(f.helloAt, "", "the ClientHello was sent, and nothing came back")
}

// ends matches how a connection ended.
func ends(end ending, sure Confidence, sentence string) func(*facts) *found {
	return func(f *facts) *found {
		if f.end != end {
			return nil
		}
		return is(sure, sentence)
	}
}

// peerSpoke reports that a record of the traced side's peer came.
func (f *facts) peerSpoke() bool {
	if f.us == wire.Client {
		return f.serverSpoke
	}
	return f.clientSpoke
}

// notTLSRules are for what came in place of TLS.
var notTLSRules = []rule{
	{id: "tls-on-plain-port", fault: Client, mend: "connect to the port of HTTPS, or turn TLS on for this port at the server",
		settings: []string{"listen-tls"}, match: func(f *facts) *found {
			return f.saidPlain(wire.Server, Certain, "the server speaks HTTP in the clear on this port, and the client speaks TLS", isHTTPAnswer)
		}},
	{id: "starttls-forgotten", fault: Client, mend: "have the client turn to TLS by STARTTLS, or connect to the port where TLS begins at once",
		settings: []string{"starttls"}, match: func(f *facts) *found {
			return f.saidPlain(wire.Server, Certain, "the server greets in the clear, as before STARTTLS, and the client begins with TLS", isGreeting)
		}},
	{id: "plain-on-tls-port", fault: Client, mend: "have the client speak TLS (https:// in place of http://), or redirect it from a plain port",
		match: func(f *facts) *found {
			return f.saidPlain(wire.Client, Certain, "the client speaks HTTP in the clear to a port of TLS", isHTTPRequest)
		}},
	{id: "not-tls", fault: Somebody, mend: "check the port: what answers there is something else", match: func(f *facts) *found {
		if f.refused == nil || len(f.refused.Wire) == 0 || f.refused.Type != "" || f.refused.From == f.us.String() {
			return nil
		}
		return is(Likely, "the "+f.refused.From+" "+spoken(f.refused.Wire)+beginning(f.refused.Wire), f.atEvent(f.at, "", "its first bytes are not a record"))
	}},
}

// saidPlain matches what a side sent in place of a record.
func (f *facts) saidPlain(from wire.Role, sure Confidence, sentence string, match func([]byte) bool) *found {
	if f.refused == nil || f.us != from.Peer() || !match(f.refused.Wire) {
		return nil
	}
	return is(sure, sentence, f.atEvent(f.at, "", "the "+from.String()+" sent "+beginning(f.refused.Wire)))
}

// isHTTPAnswer: some servers answer what they do not understand with a page and no head.
func isHTTPAnswer(b []byte) bool {
	page := strings.ToLower(string(b[:min(len(b), len("<!doctype html"))]))
	return bytes.HasPrefix(b, []byte("HTTP/")) || strings.HasPrefix(page, "<!doctype html") || strings.HasPrefix(page, "<html")
}

// others begin what servers of other protocols say first, which never turn to TLS.
var others = []struct{ begin, name string }{{"SSH-", "SSH"}, {"RFB ", "VNC"}, {"AMQP", "AMQP"}}

// spoken says what an answer is that is no TLS.
func spoken(b []byte) string {
	for _, o := range others {
		if bytes.HasPrefix(b, []byte(o.begin)) {
			return "speaks " + o.name + ", and not TLS: "
		}
	}
	return "sends something that is not TLS: "
}

// isHTTPRequest tells by a method in capitals and a path or an address behind it.
func isHTTPRequest(b []byte) bool {
	method, rest, ok := bytes.Cut(b, []byte(" "))
	return ok && len(method) >= 3 && len(method) <= 7 && bytes.IndexFunc(method, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0 &&
		(bytes.HasPrefix(rest, []byte("/")) || bytes.HasPrefix(rest, []byte("http")) || bytes.HasPrefix(rest, []byte("*")))
}

// greetings begin what servers say first, of protocols that turn to TLS later.
var greetings = []string{"220 ", "220-", "* OK", "* PREAUTH", "+OK", "200 ", "201 ", `"IMPLEMENTATION"`, "<stream:stream"}

func isGreeting(b []byte) bool {
	for _, g := range greetings {
		if len(b) >= len(g) && strings.EqualFold(string(b[:len(g)]), g) {
			return true
		}
	}
	return isMySQL(b) || len(b) > 0 && b[0] == ':' && bytes.Contains(b, []byte(" NOTICE ")) // the last is IRC
}

// isMySQL: a packet with its length and the number 0, whose first byte is protocol version 10.
func isMySQL(b []byte) bool {
	return len(b) > 6 && b[3] == 0 && b[4] == 10 && unicode.IsDigit(rune(b[5]))
}

// beginning quotes the first line of something.
func beginning(b []byte) string {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	const most = 60
	return fmt.Sprintf("%q", bytes.TrimRight(line[:min(len(line), most)], "\r"))
}
