package handshake

import (
	"errors"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// Error is why a handshake or a connection ended. It is the one error type of
// the engine; package tls shows it as HandshakeError.
type Error struct {
	// Alert is the alert that was sent, or received where Received is set.
	Alert    wire.AlertCode
	Received bool
	// Rule says what was broken or could not be agreed, as a clause for people.
	Rule string
	// Ref is where the rule stands, like "RFC 8446 §4.1.3".
	Ref string
	// What, Ours and Theirs are set where a negotiation failed: what was to be
	// agreed on, and each side's offer, best first.
	What         string
	Ours, Theirs []string
	// Hint is what to do about it, a sentence without its full stop.
	Hint string
	// Err is the cause, mostly nil.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("tls: ")
	b.WriteString(e.Rule)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(strings.TrimPrefix(strings.TrimPrefix(e.Err.Error(), "tls: "), "certificate refused: "))
	}
	if e.What != "" {
		b.WriteString("; we accept " + list(e.Ours) + ", the peer offers " + list(e.Theirs))
	}
	if e.Hint != "" {
		b.WriteString("; " + e.Hint)
	}
	if e.Ref != "" {
		b.WriteString(" (" + e.Ref + ")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// fault makes the error with which a handler stops. The engine sends the alert.
func fault(alert wire.AlertCode, rule, ref string, err error) error {
	return &Error{Alert: alert, Rule: rule, Ref: ref, Err: err}
}

// refusedBy is the fault for the error of one of the application's functions.
func refusedBy(function string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return fault(wire.AlertInternalError, function+" failed for this client", "", err)
}

// syntax turns a codec's error into a fault.
func syntax(err error) error {
	if err == nil {
		return nil
	}
	var broken *wire.SyntaxError
	if errors.As(err, &broken) && broken.Illegal {
		return fault(wire.AlertIllegalParameter, "the peer sent a value that is not allowed", "RFC 8446 §6.2", err)
	}
	return fault(wire.AlertDecodeError, "the peer sent a message that does not parse", "RFC 8446 §6.2", err)
}

// disagreeOn makes the error of a negotiation that failed on what, for a reason of
// its own that is the rule.
func disagreeOn[A, B any](what, rule, ref string, ours []A, theirs []B, hint string) error {
	return &Error{
		Alert: wire.AlertHandshakeFailure, Rule: rule, Ref: ref, What: what,
		Ours: names(ours), Theirs: names(theirs), Hint: hint,
	}
}

// disagree makes the error of a failed negotiation.
func disagree[A, B any](alert wire.AlertCode, what, ref string, ours []A, theirs []B, hint string) error {
	return &Error{
		Alert: alert, Rule: "no " + what + " in common", Ref: ref, What: what,
		Ours: names(ours), Theirs: names(theirs), Hint: hint,
	}
}
