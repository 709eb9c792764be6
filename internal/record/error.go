package record

import "github.com/vitrine-tls/vitrine/wire"

// Error is why a record was refused, and the alert that says so to the peer.
type Error struct {
	Alert wire.AlertCode
	// Rule is what was broken, as a clause for people.
	Rule string
	// Ref is where the rule stands, like "RFC 8446 §5.2"; empty for a fault of our own.
	Ref string
	// Err is the cause below this package, mostly nil.
	Err error
}

func (e *Error) Error() string {
	text := "record: " + e.Rule
	if e.Ref != "" {
		text += " (" + e.Ref + ")"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// errBadMAC is the only answer to a record that does not open. Whatever differs
// between two failures (padding or MAC, short or long) would be an oracle.
var errBadMAC = &Error{Alert: wire.AlertBadRecordMAC, Rule: "the record does not open: it was damaged, or sealed with other keys", Ref: "RFC 8446 §5.2, RFC 5246 §7.2.2"}

// What the peer can get wrong in the open.
var (
	errOverflow      = &Error{Alert: wire.AlertRecordOverflow, Rule: "the record is longer than its version allows", Ref: "RFC 8446 §5.2, RFC 5246 §6.2.3"}
	errInnerOverflow = &Error{Alert: wire.AlertRecordOverflow, Rule: "the record holds more than 16384 bytes, or than the limit that was agreed on", Ref: "RFC 8446 §5.4, RFC 5246 §6.2.1, RFC 8449 §4"}
	errInflate       = &Error{Alert: wire.AlertDecompressionFailure, Rule: "the record does not decompress, or to more than 16384 bytes", Ref: "RFC 3749 §2, RFC 5246 §7.2.2"}
	errOuterType     = &Error{Alert: wire.AlertUnexpectedMessage, Rule: "a protected record must call itself application_data", Ref: "RFC 8446 §5.2"}
	errNoInnerType   = &Error{Alert: wire.AlertUnexpectedMessage, Rule: "the record holds only padding, and no content type", Ref: "RFC 8446 §5.4"}
	errSpent         = &Error{Alert: wire.AlertInternalError, Rule: "the keys of this epoch have protected as many records as they may", Ref: "RFC 8446 §5.3, RFC 5246 §6.1; for 64-bit blocks, CVE-2016-2183"}
)

// What only our own code can get wrong.
var (
	errNotWhole = &Error{Alert: wire.AlertInternalError, Rule: "the bytes to open are not exactly one record"}
	errTooLong  = &Error{Alert: wire.AlertInternalError, Rule: "more content than one record can hold"}
	errUnknown  = &Error{Alert: wire.AlertInternalError, Rule: "no record protection fits this version, suite and keys"}
)

func errBuild(err error) error {
	return &Error{Alert: wire.AlertInternalError, Rule: "the cipher cannot be built", Err: err}
}
