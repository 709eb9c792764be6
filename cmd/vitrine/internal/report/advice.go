package report

import (
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A fault has one cause and one remedy. What TLS refuses, the library has explained:
// its hint becomes the advice, in the words of the command. Only for what the library
// does not see does the command know better.

// adviceFor says what to change; empty where there is nothing to say.
func adviceFor(err error, we wire.Role) string {
	if errors.Is(err, ErrNoAnswer) {
		return pick(we, "check that the input is what the server expects, to its last empty line; if no answer is due, say --half-close", "")
	}
	if lack, ok := errors.AsType[*noCertificateError](err); ok {
		return lack.advice()
	}
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		_, hint := cutHint(header.Msg)
		return inFlags(hint, we)
	}
	h, _ := errors.AsType[*tls.HandshakeError](err)
	early, _ := errors.AsType[*starttls.Error](err)
	trouble, _ := troubleOf(err)
	switch {
	case errors.Is(err, starttls.ErrInjected):
		return "do not trust this way to the server: what came would have counted as said under TLS"
	case early != nil:
		return "check that this port speaks " + early.Protocol + " before TLS; --starttls says which protocol, or none for TLS from the first byte"
	case h != nil && h.Hint != "" && !isTimeout(err): // how long to wait is for the command to say
		return inFlags(h.Hint, we)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return pick(we, "the server closed the connection without saying that it was done: data may be missing",
			"the client closed the connection without saying that it was done: what it sent may not be all")
	}
	return trouble.advice(we)
}

func pick(we wire.Role, forClient, forServer string) string {
	if we == wire.Client {
		return forClient
	}
	return forServer
}
