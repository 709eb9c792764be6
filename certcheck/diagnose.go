package certcheck

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// diagnose turns an error of crypto/x509 into an alert and plain words.
func diagnose(certs []*x509.Certificate, o Options, err error) *Error {
	e := &Error{Err: verification(certs, err)}
	var (
		host     x509.HostnameError
		invalid  x509.CertificateInvalidError
		unknown  x509.UnknownAuthorityError
		critical x509.UnhandledCriticalExtension
		system   x509.SystemRootsError
	)
	switch {
	case errors.As(err, &host):
		e.Alert = wire.AlertBadCertificate
		e.Reason, e.Hint = wrongName(host.Certificate, host.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		e.Alert = wire.AlertCertificateExpired
		what := "the certificate"
		if invalid.Cert != certs[0] {
			what = "the authority " + subject(invalid.Cert)
		}
		e.Reason, e.Hint = wrongTime(what, invalid.Cert, o.Time)
	case errors.As(err, &invalid):
		e.invalid(invalid)
	case errors.As(err, &unknown):
		e.untrusted(&links{certs, maxLinks, (*x509.Certificate).CheckSignatureFrom})
	case errors.As(err, &critical):
		e.Alert = wire.AlertUnsupportedCertificate
		e.Reason = "the certificate has a critical extension that is not known here"
		e.Hint = "have it issued without, or with the extension not critical"
	case errors.As(err, &system):
		e.Alert = wire.AlertInternalError
		e.Reason = "this machine's trusted authorities cannot be read: " + quote(err.Error())
		e.Hint = "install the system's CA certificates, or give the roots to trust"
	default:
		e.Alert = wire.AlertCertificateUnknown
		e.Reason = "crypto/x509 refused it: " + quote(err.Error())
	}
	return e
}

// invalid fills in the reasons of crypto/x509 that name one certificate.
func (e *Error) invalid(err x509.CertificateInvalidError) {
	e.Alert = wire.AlertBadCertificate
	switch err.Reason {
	case x509.IncompatibleUsage:
		e.Alert = wire.AlertUnsupportedCertificate
		e.Reason = "the certificate, or an authority above it, is not meant for this use (extended key usage)"
		e.Hint = "servers need one issued for server authentication, clients one for client authentication"
	case x509.CANotAuthorizedForThisName:
		e.Reason = "an authority in the chain is not allowed to certify this name: " + quote(err.Detail)
		e.Hint = "have it issued by an authority whose name constraints allow the name"
	case x509.TooManyIntermediates:
		e.Reason = fmt.Sprintf("the authority %s may have at most %d authorities below it, and has more", subject(err.Cert), err.Cert.MaxPathLen)
		e.Hint = "have it issued by an authority that may have others below it"
	default:
		e.Reason = "crypto/x509 refused it: " + quote(err.Error())
	}
}

// maxLinks is how many signatures are checked to explain a refusal. What a stranger
// sends in a few kilobytes must not cost more than the refusal itself.
const maxLinks = 4

// untrusted finds out why no chain led to a trusted root. crypto/x509 says
// unknown authority in all of these cases and keeps the cause to itself.
func (e *Error) untrusted(l *links) {
	certs, top := l.certs, l.certs[0]
	for range certs { // authorities that sign each other make no endless loop
		if selfIssued(top) {
			break
		}
		parent, err := l.parentOf(top)
		if parent == nil && err != nil {
			e.badLink(top, err)
			return
		}
		if parent == nil {
			break
		}
		top = parent
	}
	e.Alert = wire.AlertUnknownCA
	switch {
	case selfIssued(certs[0]):
		e.Reason = fmt.Sprintf("self-signed by %s and not itself trusted", subject(certs[0]))
		e.Hint = "if it is yours, give its certificate as a trusted root; else have it issued by an authority"
	case selfIssued(top):
		e.Reason = "signed by an authority that is not trusted: " + subject(top)
		e.Hint = "if you trust it, give its certificate as a trusted root"
	default:
		e.Reason = "signed by an authority that is not trusted: " + issuer(top)
		e.Hint = fmt.Sprintf("if that is an intermediate authority, the peer must send its certificate too (it sent %d in all); if it is a root that you trust, give its certificate as a trusted root", len(certs))
	}
}

// badLink fills in why a certificate does not follow from the authority named
// in it, though that authority's certificate was sent.
func (e *Error) badLink(c *x509.Certificate, err error) {
	e.Alert = wire.AlertBadCertificate
	var insecure x509.InsecureAlgorithmError
	var notCA x509.ConstraintViolationError
	switch {
	case errors.As(err, &insecure):
		e.Reason = fmt.Sprintf("%s is signed with %v, which can be forged", subject(c), x509.SignatureAlgorithm(insecure))
		e.Hint = "have it issued again with SHA-256 or better"
	case errors.As(err, &notCA):
		e.Reason = fmt.Sprintf("%s is signed by %s, which is not an authority", subject(c), issuer(c))
		e.Hint = "somebody may be forging certificates with an ordinary one; else set the authority's basic constraints and key usage"
	case errors.Is(err, x509.ErrUnsupportedAlgorithm):
		e.Alert = wire.AlertUnsupportedCertificate
		e.Reason = fmt.Sprintf("%s is signed with an algorithm that is not supported", subject(c))
		e.Hint = "have it issued with RSA, ECDSA or Ed25519 signatures"
	default:
		e.Reason = fmt.Sprintf("the signature of %s on %s is wrong", issuer(c), subject(c))
		e.Hint = "the certificate was altered, or another authority of the same name signed it"
	}
}

// links are the certificates to find authorities among, and how many signatures
// may still be checked for it.
type links struct {
	certs []*x509.Certificate
	left  int
	check func(c, parent *x509.Certificate) error
}

// parentOf returns the certificate that signed c. Where there are some of the
// right name and none signed it, it returns why the first did not. When no more
// signatures may be checked, the name and the key identifier decide.
func (l *links) parentOf(c *x509.Certificate) (parent *x509.Certificate, err error) {
	for _, p := range l.named(c) {
		if l.left == 0 {
			return p, nil
		}
		l.left--
		e := l.check(c, p)
		if e == nil {
			return p, nil
		}
		if err == nil {
			err = e
		}
	}
	return nil, err
}

// named lists the certificates whose name is that of c's issuer, those first that
// have the key identifier too.
func (l *links) named(c *x509.Certificate) (found []*x509.Certificate) {
	for _, p := range l.certs {
		if p != c && bytes.Equal(p.RawSubject, c.RawIssuer) {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b *x509.Certificate) int { return rank(c, a) - rank(c, b) })
	return found
}

// rank is 0 for an authority whose key identifier is the one in c, 1 for any other.
func rank(c, authority *x509.Certificate) int {
	if len(c.AuthorityKeyId) > 0 && bytes.Equal(c.AuthorityKeyId, authority.SubjectKeyId) {
		return 0
	}
	return 1
}

// selfIssued tells by names and key identifiers, without a signature check.
func selfIssued(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) &&
		(len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}
