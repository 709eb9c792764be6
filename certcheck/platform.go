package certcheck

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/wire"
)

// ask has crypto/x509, or the operating system by it, find the paths, and refuse what it
// refuses. Our rules then judge each.
func (s *search) ask() *Error {
	o, intermediates := s.path.o, x509.NewCertPool()
	for _, c := range s.sent[1:] {
		intermediates.AddCert(c)
	}
	chains, err := s.sent[0].Verify(x509.VerifyOptions{
		DNSName: o.Name, Roots: o.Roots, Intermediates: intermediates, CurrentTime: o.Time, KeyUsages: o.Usages,
	})
	if err != nil {
		return s.diagnose(err)
	}
	for _, chain := range chains {
		s.asked = append(s.asked, way{chain, nil})
	}
	return nil
}

// findAsked is find among what crypto/x509 has found.
func (s *search) findAsked() []way {
	for _, w := range s.asked {
		s.path.chain, s.path.left = w.chain, maxComparisons
		if !s.strict || s.path.refusal(allRules) == nil {
			s.ways = append(s.ways, w)
		}
	}
	return s.ways
}

// diagnose turns an error of crypto/x509 into an alert and plain words.
func (s *search) diagnose(err error) *Error {
	e := &Error{Err: verification(s.sent, err)}
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
		if invalid.Cert != s.sent[0] {
			what = "the authority " + subject(invalid.Cert)
		}
		e.Reason, e.Hint = wrongTime(what, invalid.Cert, s.path.o.Time)
	case errors.As(err, &invalid):
		e.invalid(invalid)
	case errors.As(err, &unknown):
		e.untrusted(s)
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
