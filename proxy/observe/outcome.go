package observe

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// An outcome is how a handshake ended, in one of a few dozen words: the label of a metric,
// and what the log counts repetitions by. No peer can make a new one.
type outcome string

const (
	ok      outcome = "ok"
	timeout outcome = "timeout"
	cut     outcome = "closed"  // without a word
	notTLS  outcome = "not_tls" // another protocol, or noise
	stopped outcome = "stopped" // by this proxy
	network outcome = "network"
	failed  outcome = "failed" // none of these
)

// outcomeOf finds the word for the error of a handshake.
func outcomeOf(err error) outcome {
	if err == nil {
		return ok
	}
	if h, is := errors.AsType[*tls.HandshakeError](err); is {
		return outcomeOfHandshake(h)
	}
	if _, is := errors.AsType[tls.RecordHeaderError](err); is {
		return notTLS
	}
	if e, is := errors.AsType[net.Error](err); is && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return timeout
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return cut
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
		return stopped
	}
	if _, is := errors.AsType[*net.OpError](err); is {
		return network
	}
	return failed
}

// outcomeOfHandshake tells what could not be agreed on from what the client said, and that
// from what we said.
func outcomeOfHandshake(h *tls.HandshakeError) outcome {
	switch {
	case h.Received && errors.Is(h.Err, io.ErrUnexpectedEOF): // no alert has come
		return cut
	case h.Received:
		return outcome("client_says_" + alertName(h.Alert))
	case h.What != "":
		return outcome("no_common_" + strings.ReplaceAll(strings.ToLower(h.What), " ", "_"))
	case h.Alert != 0:
		return outcome("we_say_" + alertName(h.Alert))
	case h.Err != nil:
		return outcomeOf(h.Err)
	}
	return failed
}

// alertName is the name of an alert. A peer may send any number; those without a name share
// one.
func alertName(a wire.AlertCode) string {
	name := a.String()
	if strings.ContainsAny(name, " (0123456789") {
		return "unassigned"
	}
	return name
}
