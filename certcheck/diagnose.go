package certcheck

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// explain says why no path was good: what the rules say of the first that leads to a root
// at all; else why there is none.
func (s *search) explain() *Error {
	ways := s.find(false)
	p := s.path
	p.left, p.open = maxComparisons, false
	if len(ways) > 0 {
		p.chain, p.condition = ways[0].chain, ways[0].condition
		if refused := p.refusal(allRules); refused != nil {
			return refused
		}
	}
	p.chain, p.condition, p.open = s.sent[:1], nil, true
	if refused := p.refusal(aloneRules); refused != nil {
		return refused
	}
	if s.spent || s.path.left < 0 {
		return &Error{
			Alert:  wire.AlertBadCertificate,
			Reason: "no path to a trusted root was found among the certificates that were sent without more work than they are worth",
			Hint:   "send only the certificate and the intermediates that lead to its root",
		}
	}
	e := &Error{Err: verification(s.sent, x509.UnknownAuthorityError{Cert: s.sent[0]})}
	e.untrusted(s)
	return e
}

// untrusted fills in why no certificate leads to a trusted root.
func (e *Error) untrusted(s *search) {
	leaf := s.sent[0]
	top, err := s.top()
	if err != nil {
		e.badLink(top, err)
		return
	}
	e.Alert = wire.AlertUnknownCA
	switch {
	case selfIssued(leaf):
		e.Reason = fmt.Sprintf("self-signed by %s and not itself trusted", subject(leaf))
		e.Hint = "if it is yours, give its certificate as a trusted root; else have it issued by an authority"
	case selfIssued(top):
		e.Reason = "signed by an authority that is not trusted: " + subject(top)
		e.Hint = "if you trust it, give its certificate as a trusted root"
	case len(s.roots.above(top, nil)) > 0:
		e.Reason = fmt.Sprintf("%s was not signed by the trusted authority %s, but by another of that name", subject(top), issuer(top))
		e.Hint = "if the authority has a new key, give its new certificate as a trusted root; else somebody may be forging certificates"
	case len(top.IssuingCertificateURL) > 0: // roots have themselves nowhere to be fetched
		e.Reason = fmt.Sprintf("%s was sent without the intermediate %s that issued it", subject(top), issuer(top))
		e.Hint = "install the whole chain at the peer (fullchain.pem); if that authority is a root that you trust, give its certificate as a trusted root"
	default:
		e.Reason = "signed by an authority that is not trusted: " + issuer(top)
		e.Hint = fmt.Sprintf("if that is an intermediate authority, the peer must send its certificate too (fullchain.pem has it; %d came in all); if it is a root that you trust, give its certificate as a trusted root", len(s.sent))
	}
}

// top follows the certificates that were sent, from the leaf to the last that has its issuer
// among them. The error says why that is not signed by one of its issuer's name; nil where
// there is none.
func (s *search) top() (*x509.Certificate, error) {
	top := s.sent[0]
	for range s.sent { // authorities that sign each other make no endless loop
		if selfIssued(top) {
			break
		}
		parent, err := s.parentOf(top)
		if parent == nil {
			return top, err
		}
		top = parent
	}
	return top, nil
}

// badLink fills in why a certificate does not follow from the authority named
// in it, though that authority's certificate was sent.
func (e *Error) badLink(c *x509.Certificate, err error) {
	e.Alert = wire.AlertBadCertificate
	switch {
	case errors.Is(err, x509.ErrUnsupportedAlgorithm):
		e.Alert = wire.AlertUnsupportedCertificate
		e.Reason = fmt.Sprintf("%s is signed with an algorithm that is not supported", subject(c))
		if name := otherkeys.ShownSignature(c); name != "" {
			e.Reason = fmt.Sprintf("%s is signed with %s, which is shown and not used", subject(c), name)
		}
		e.Hint = "have it issued with RSA, ECDSA or Ed25519 signatures"
	case errors.Is(err, errLargeKey):
		e.Alert = wire.AlertUnsupportedCertificate
		e.Reason = fmt.Sprintf("the key of %s, which signed %s, is larger than is followed here", issuer(c), subject(c))
		e.Hint = fmt.Sprintf("use an authority with an RSA key of at most %d bits and the exponent %d, or ECDSA", MaxRSABits, MaxRSAExponent)
	default:
		e.Reason = fmt.Sprintf("the signature of %s on %s is wrong", issuer(c), subject(c))
		e.Hint = "the certificate was altered, or another authority of the same name signed it"
	}
}

// parentOf returns the certificate that signed c, of those that were sent. Where there are
// some of the right name and none signed it, it returns why the first did not.
func (s *search) parentOf(c *x509.Certificate) (parent *x509.Certificate, err error) {
	for _, next := range s.candidates(c, nil) {
		if next.trusted || next.certificate == c {
			continue
		}
		e := s.check(c, next.certificate)
		if e == nil {
			return next.certificate, nil
		}
		if err == nil {
			err = e
		}
	}
	return nil, err
}

// selfIssued tells by names and key identifiers, without a signature check.
func selfIssued(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) &&
		(len(c.AuthorityKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId))
}
