// Package report says how a command ended: errors in plain words, advice, exit
// codes, JSON.
package report

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// The exit codes are a promise to scripts: a number never changes its meaning.
const (
	ExitOK          = 0
	ExitFindings    = 1
	ExitUsage       = 2
	ExitNetwork     = 3
	ExitHandshake   = 4
	ExitCertificate = 5
)

// exitCodes maps errors to codes; the first row that matches counts.
var exitCodes = []struct {
	code  int
	match func(error) bool
}{
	{ExitUsage, isA[*usageError]},
	{ExitUsage, IsMisuse},
	{ExitFindings, isFailedWrite},
	{ExitUsage, isA[*fs.PathError]},
	{ExitCertificate, IsCertificateError},
	{ExitNetwork, isNetworkError},
	{ExitHandshake, IsHandshakeError},
}

// ExitCode is the code for err; ExitOK for nil.
func ExitCode(err error) int {
	if err == nil {
		return ExitOK
	}
	for _, row := range exitCodes {
		if row.match(err) {
			return row.code
		}
	}
	return ExitFindings
}

func isA[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

// isFailedWrite reports a file that cannot be written to, as where the disk is full:
// no mistake on the command line, as one is that cannot be opened.
func isFailedWrite(err error) bool {
	path, ok := errors.AsType[*fs.PathError](err)
	return ok && path.Op == "write"
}

// certificateAlerts are those by which one side refuses the other's certificate,
// or its having none.
var certificateAlerts = []wire.AlertCode{
	wire.AlertNoCertificate, wire.AlertBadCertificate, wire.AlertUnsupportedCertificate, wire.AlertCertificateRevoked,
	wire.AlertCertificateExpired, wire.AlertCertificateUnknown, wire.AlertUnknownCA, wire.AlertCertificateRequired,
}

// IsCertificateError reports that a certificate, or its absence, is the reason.
func IsCertificateError(err error) bool {
	alert, _ := errors.AsType[tls.AlertError](err)
	h, _ := errors.AsType[*tls.HandshakeError](err)
	return isA[*noCertificateError](err) || slices.Contains(certificateAlerts, wire.AlertCode(alert)) ||
		h != nil && slices.Contains(certificateAlerts, h.Alert) ||
		isA[*tls.CertificateVerificationError](err) || isA[*certcheck.Error](err) ||
		isA[x509.HostnameError](err) || isA[x509.UnknownAuthorityError](err) || isA[x509.CertificateInvalidError](err)
}

func isNetworkError(err error) bool {
	if isA[tls.AlertError](err) || isA[tls.RecordHeaderError](err) {
		return false
	}
	// An EOF without an announcement is the peer's answer to a handshake, and a
	// broken connection later.
	cut := errors.Is(err, io.ErrUnexpectedEOF) && !isA[*handshakeError](err)
	return cut || errors.Is(err, ErrNoAnswer) || isA[net.Error](err) || isA[*diagnose.ProxyError](err) || errors.Is(err, context.DeadlineExceeded)
}

// IsHandshakeError reports that the two sides did not agree, or one broke a rule.
func IsHandshakeError(err error) bool {
	return isA[*handshakeError](err) || isA[*starttls.Error](err) || isA[*tls.HandshakeError](err) || isA[tls.AlertError](err) || isA[tls.RecordHeaderError](err)
}

// IsHandshakeFailure reports the alert handshake_failure, which has many reasons.
func IsHandshakeFailure(err error) bool {
	alert, ok := errors.AsType[tls.AlertError](err)
	return ok && wire.AlertCode(alert) == wire.AlertHandshakeFailure
}

// ErrNoAnswer is for a peer that ended the connection in good order, and without a
// byte in answer to what we sent.
var ErrNoAnswer = errors.New("the server ended the connection without an answer")

// usageError is a mistake on the command line. Its text says what to do.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// Usagef returns a mistake on the command line; the text says what to do. Where one of args is
// the error of a file, it says so without the names of system calls.
func Usagef(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			text = inWords(text, err)
		}
	}
	return &usageError{text}
}

// handshakeError is an error that came while shaking hands: even an EOF is the
// peer's answer then.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return e.err.Error() }
func (e *handshakeError) Unwrap() error { return e.err }

// WhileShakingHands marks err as one that came during the handshake.
func WhileShakingHands(err error) error { return &handshakeError{err} }

// noCertificateError is a refusal after the server asked for a
// certificate that we do not have: TLS 1.2 has no alert of its own for that.
// RFC 5246 §7.4.6.
type noCertificateError struct {
	err    error
	misfit string
}

func (e *noCertificateError) Error() string { return e.err.Error() }
func (e *noCertificateError) Unwrap() error { return e.err }

// advice says what to change, and what the server would take.
func (e *noCertificateError) advice() string {
	if accepted, none := strings.CutPrefix(e.misfit, "no certificate is at hand"); none {
		return "the server asks for a client certificate; give one with --cert and --key" + accepted
	}
	return "give another client certificate with --cert and --key: " + e.misfit
}

// forCertificate reports that the peer may have meant our certificate, or its
// absence, by err.
func forCertificate(err error) bool {
	return isA[tls.AlertError](err) && (IsHandshakeFailure(err) || IsCertificateError(err))
}

// ForClientCertificate says why the server refuses us with err, which it returns as
// it is where the reason is another one. choice is what became of our certificate:
// nil where the server did not ask for one.
func ForClientCertificate(err error, choice *trace.Choice) error {
	misfit := Misfit(choice)
	if choice == nil || choice.Picked != "" && misfit == "" || !forCertificate(err) {
		return err
	}
	return &noCertificateError{err, misfit}
}

// Misfit is why a client's certificate does not fit, by the trace of its choice;
// empty where it fits.
func Misfit(choice *trace.Choice) string {
	if choice == nil {
		return ""
	}
	if choice.Picked == "" {
		return choice.Why
	}
	_, misfit, _ := strings.Cut(choice.Why, "; but ")
	return misfit
}

// reportedError is an error which its verb has written already, in a form of its
// own.
type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// Reported marks err as written already.
func Reported(err error) error { return reportedError{err} }

// IsReported reports that the verb has written err already.
func IsReported(err error) bool { return isA[reportedError](err) }
