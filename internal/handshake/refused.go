package handshake

import (
	stdtls "crypto/tls"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// Refused is the error for an alert that ends the connection. It is a
// crypto/tls.AlertError for errors.As. role is ours, and r what is known of the
// connection.
func Refused(role wire.Role, a wire.Alert, r *Result) error {
	return &Error{
		Alert: a.Code, Received: true, Ref: "RFC 8446 §6", Hint: hintFor(role, a.Code, r), Err: received(a.Code),
		Rule: fmt.Sprintf("the %s ended the connection with the alert %s", role.Peer(), strings.TrimPrefix(a.Code.String(), "alert ")),
	}
}

// aboutCertificates are the alerts by which a server may refuse a client's
// certificate, or its having none.
var aboutCertificates = []wire.AlertCode{
	wire.AlertHandshakeFailure, wire.AlertNoCertificate, wire.AlertBadCertificate, wire.AlertUnsupportedCertificate,
	wire.AlertCertificateUnknown, wire.AlertUnknownCA, wire.AlertAccessDenied, wire.AlertCertificateRequired,
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
