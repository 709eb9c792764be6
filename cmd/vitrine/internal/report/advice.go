package report

import (
	"errors"
	"io"
	"net"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
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
	case beforeTLS(err):
		return pick(we, diagnose.Account(nil, diagnose.Also{Err: err}).Advice, "")
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

// beforeTLS reports a failure on the way to TLS of which a diagnosis knows more than we do.
func beforeTLS(err error) bool {
	early, ok := errors.AsType[*starttls.Error](err)
	return ok && early.Kind != starttls.Broken || isA[*diagnose.ProxyError](err) || isA[*net.AddrError](err)
}

func pick(we wire.Role, forClient, forServer string) string {
	if we == wire.Client {
		return forClient
	}
	return forServer
}
