package diagnose

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// secretRules are for sides that do not share a secret.
var secretRules = []rule{
	{id: "psk-identity", fault: Client, source: "RFC 4279 §2, RFC 8446 §6.2", mend: "use an identity that the server knows, or add it at the server", settings: []string{"psk"},
		match: func(f *facts) *found {
			if !f.sent(wire.Server, wire.AlertUnknownPSKIdentity) && !f.says("does not know the identity", "PSK identity") {
				return nil
			}
			sentence := "the server does not know the identity of the client's pre-shared key"
			if id := f.c.Summary.PSKIdentity; id != "" {
				sentence += fmt.Sprintf(", %q", id)
			}
			return is(Certain, sentence, f.pskShows()...)
		}},
	{id: "psk-wrong", fault: Somebody, source: "RFC 8446 §4.2.11.2, RFC 4279 §2", mend: "give both sides the same key for this identity", settings: []string{"psk"}, match: wrongPSK},
	{id: "broken-rule", last: true, fault: Somebody, mend: "upgrade the side that breaks the rule, and tell those who make it", match: func(f *facts) *found {
		if f.alert == nil || f.alert.From != f.us.String() || f.c.Captured || f.alert.Reason == "" ||
			!f.sent(f.us, wire.AlertIllegalParameter, wire.AlertDecodeError, wire.AlertUnexpectedMessage, wire.AlertUnsupportedExtension, wire.AlertRecordOverflow, wire.AlertDecryptError) {
			return nil
		}
		found := is(Certain, "the "+f.peer().String()+" breaks a rule of the protocol: "+f.alert.Reason, f.alertEvidence())
		found.fault = Party(f.peer().String())
		return found
	}},
	{id: "record-changed", fault: Middle, source: "RFC 8446 §5.2", mend: "try by another way: a record was changed between the two, or one side encrypts wrongly", match: func(f *facts) *found {
		if !f.sent(wire.Client, wire.AlertBadRecordMAC) && !f.sent(wire.Server, wire.AlertBadRecordMAC) || f.usesPSK() {
			return nil
		}
		return is(Likely, "a record does not open: it was changed on the way, or one side encrypts wrongly", f.alertEvidence())
	}},
}

// usesPSK reports that a pre-shared key is the secret: a suite of PSK, or one that is offered
// in TLS 1.3 and is no ticket.
func (f *facts) usesPSK() bool {
	s := suiteOf(f.suite)
	if s != nil && s.KeyExchange.PSK() {
		return true
	}
	return f.hello != nil && f.hello.psk && f.c.Before == ""
}

func (f *facts) pskShows() []Evidence {
	if f.alert == nil {
		return f.helloShows("pre_shared_key")
	}
	return append(f.helloShows("pre_shared_key"), f.alertEvidence())
}

func wrongPSK(f *facts) *found {
	switch {
	case f.says("PSK binder is wrong"):
		return is(Certain, "the two sides have different pre-shared keys for the same identity: the binder is wrong", f.pskShows()...)
	case !f.usesPSK():
		return nil
	case f.sent(wire.Server, wire.AlertDecryptError, wire.AlertBadRecordMAC), f.sent(wire.Client, wire.AlertDecryptError, wire.AlertBadRecordMAC):
		return is(Likely, "the two sides have different pre-shared keys for this identity, or the server has none for it and hides that", f.pskShows()...)
	}
	return nil
}

// endRules are for connections that were made, and ended badly.
var endRules = []rule{
	{id: "truncated", fault: Server, source: "RFC 8446 §6.1", mend: "ask again: what came is not whole; look into the server's log for why it stopped", match: func(f *facts) *found {
		if !f.cut() {
			return nil
		}
		have, want := f.httpBody()
		if want <= 0 || have >= want {
			return nil
		}
		return is(Certain, "the answer is cut: "+strconv.Itoa(have)+" of "+strconv.Itoa(want)+" bytes came, and no close_notify", f.lastRecord()...)
	}},
	{id: "no-close-notify", fault: Server, source: "RFC 8446 §6.1", mend: "have the server send close_notify before it closes; clients cannot tell the end from an attack that cuts it", match: func(f *facts) *found {
		switch {
		case !f.cut() || f.closedFirst || f.hungUp() && f.asked():
			return nil // where the client closed first, it waits for no more
		case f.hungUp():
			return is(Likely, "the server closed the connection after the handshake, and sent neither data nor close_notify", f.lastRecord()...)
		}
		return is(Certain, "the server closed the connection without close_notify, so nobody can tell whether all came", f.lastRecord()...)
	}},
}

// cut reports that the server's direction ended without close_notify, after the handshake.
func (f *facts) cut() bool {
	return f.c.Summary.Complete && !f.c.Summary.ClosedByServer && f.us == wire.Client && f.alert == nil &&
		(f.end == endClosed || strings.Contains(strings.Join(f.c.Warnings, "\n"), "without close_notify"))
}

// lastRecord is the last that the server sent.
func (f *facts) lastRecord() []Evidence {
	for i := len(f.c.Events) - 1; i >= 0; i-- {
		if r := f.c.Events[i].Record; r != nil && r.From == wire.Server.String() {
			return []Evidence{f.atEvent(i, "", "the last record of the server")}
		}
	}
	return nil
}

// httpAnswer is what the server answered in HTTP: its head and as much of the body as came; nil for
// no answer of HTTP.
func (f *facts) httpAnswer() (head, body []byte) {
	var all []byte
	for _, e := range f.c.Events {
		if r := e.Record; r != nil && r.From == wire.Server.String() && r.Type == wire.ContentApplicationData.String() {
			all = append(all, r.Plain...)
		}
	}
	head, body, ok := bytes.Cut(all, []byte("\r\n\r\n"))
	if !ok || !bytes.HasPrefix(all, []byte("HTTP/")) {
		return nil, nil
	}
	return head, body
}

// httpRefuses reports that the server answers in HTTP with 400 or 403, and that the page has
// some words in it. Servers that ask for a certificate after the handshake has ended refuse so.
func (f *facts) httpRefuses(words string) bool {
	head, body := f.httpAnswer()
	_, status, _ := bytes.Cut(head, []byte(" "))
	return (bytes.HasPrefix(status, []byte("400")) || bytes.HasPrefix(status, []byte("403"))) && bytes.Contains(body, []byte(words))
}

// httpBody is how much of the body of an answer of HTTP came, and how much should; 0 for what
// is none, or does not say.
func (f *facts) httpBody() (have, want int) {
	head, body := f.httpAnswer()
	for line := range strings.Lines(string(head)) {
		name, value, _ := strings.Cut(line, ":")
		if http.CanonicalHeaderKey(strings.TrimSpace(name)) == "Content-Length" {
			want, _ = strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return len(body), want
}
