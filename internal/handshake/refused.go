package handshake

import (
	stdtls "crypto/tls"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// hints say what a peer may have meant by an alert, and what to do.
var hints = map[wire.AlertCode]string{
	wire.AlertHandshakeFailure:       "it found no version, cipher suite, group or signature scheme that it accepts in our offer, or wants a client certificate: offer more, or ask what it allows",
	wire.AlertProtocolVersion:        "it does not speak the versions on offer: widen MinVersion and MaxVersion",
	wire.AlertInsufficientSecurity:   "it wants stronger cipher suites or groups than were on offer",
	wire.AlertBadCertificate:         "it does not accept our certificate: check that the chain is whole and the name is right",
	wire.AlertUnsupportedCertificate: "it does not support our certificate's type of key",
	wire.AlertCertificateExpired:     "our certificate is outside its validity: renew it, or check the clocks",
	wire.AlertCertificateRevoked:     "our certificate was revoked: get a new one",
	wire.AlertCertificateUnknown:     "it could not judge our certificate",
	wire.AlertUnknownCA:              "it does not know the authority that signed our certificate: it must trust that authority, or we need another certificate",
	wire.AlertCertificateRequired:    "it wants a client certificate: set Certificates or GetClientCertificate",
	wire.AlertUnrecognizedName:       "it serves no such name: check ServerName",
	wire.AlertNoApplicationProtocol:  "it speaks none of the protocols in NextProtos",
	wire.AlertInappropriateFallback:  "it could do better than the version on offer: do not fall back",
	wire.AlertDecryptError:           "it could not verify our signature or Finished",
	wire.AlertBadRecordMAC:           "a record was changed on the way, or the two sides have different keys",
	wire.AlertUnknownPSKIdentity:     "it does not know our PSK",
	wire.AlertInternalError:          "something failed on its side",
	wire.AlertAccessDenied:           "our certificate is valid, but has no access there",
	wire.AlertUnexpectedMessage:      "it got a message that it did not expect at that point",
	wire.AlertMissingExtension:       "our hello lacks an extension that it needs",
	wire.AlertUnsupportedExtension:   "we answered with an extension that it did not ask for",
	wire.AlertIllegalParameter:       "a field of our messages has a value that it does not allow",
	wire.AlertDecodeError:            "it could not parse one of our messages",
	wire.AlertRecordOverflow:         "a record was longer than it allows",
	wire.AlertNoRenegotiation:        "it does not renegotiate",
	wire.AlertUserCanceled:           "its user gave up",
}

// Refused is the error for an alert that ends the connection. It is a
// crypto/tls.AlertError for errors.As. role is ours, and r what is known of the
// connection.
func Refused(role wire.Role, a wire.Alert, r *Result) error {
	return &Error{
		Alert: a.Code, Received: true, Ref: "RFC 8446 §6", Hint: hintFor(a.Code, r), Err: received(a.Code),
		Rule: fmt.Sprintf("the %s ended the connection with the alert %s", role.Peer(), a.Code),
	}
}

// aboutCertificates are the alerts by which a server may refuse a client's
// certificate, or its having none.
var aboutCertificates = []wire.AlertCode{
	wire.AlertHandshakeFailure, wire.AlertNoCertificate, wire.AlertBadCertificate, wire.AlertUnsupportedCertificate,
	wire.AlertCertificateUnknown, wire.AlertUnknownCA, wire.AlertAccessDenied, wire.AlertCertificateRequired,
}

// hintFor is hints, but where our certificate did not fit what the server asked for:
// that is the reason then.
func hintFor(alert wire.AlertCode, r *Result) string {
	switch {
	case r.ClientMisfit == "" || !slices.Contains(aboutCertificates, alert):
		return hints[alert]
	case r.ClientScheme != 0:
		return hints[alert] + "; it was sent, though " + r.ClientMisfit
	}
	return "it asked for a client certificate, and none was sent: " + r.ClientMisfit + "; set Certificates or GetClientCertificate to one that fits"
}

// received is an alert whose text is already in the rule.
type received wire.AlertCode

func (r received) Error() string { return fmt.Sprintf("remote error, alert %d", uint8(r)) }

// As gives the alert to those who know it as crypto/tls's.
func (r received) As(target any) bool {
	t, ok := target.(*stdtls.AlertError)
	if ok {
		*t = stdtls.AlertError(r)
	}
	return ok
}
