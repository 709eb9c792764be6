package certcheck

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

// revocationRules cannot be asked of a path alone, as the others are: their answers may
// have to be fetched. They stand here for their sources and remedies.
var (
	revokedRule = Rule{
		Name: "revoked", Demands: "no certificate of the path is revoked, or on the deny list",
		Source: "RFC 5280 §6.3, RFC 6960", Alert: wire.AlertCertificateRevoked, Hint: "have a new certificate issued, for a new key",
	}
	unknownRule = Rule{
		Name: "revocation-known", Demands: "of every certificate but the root somebody says that it is not revoked (revocation hard)",
		Source: "RFC 5280 §6.1.3 (a) (3)", Alert: wire.AlertCertificateUnknown,
		Hint: "have the server staple an OCSP response, give the authority's CRL, or let answers be fetched",
	}
	stapleRule = Rule{
		Name: "must-staple", Demands: "a peer whose certificate says so staples a good OCSP response, where it is asked for one",
		Source: "RFC 7633 §4.2.3", Alert: wire.AlertBadCertificateStatusResponse,
		Hint: "turn on OCSP stapling at the server, or give the client a response to staple to its certificate",
	}
)

// inquiry asks about the certificates of one verification. Where there are several paths
// they share most of them, so answers are kept.
type inquiry struct {
	o      *Options
	sent   []*x509.Certificate
	shared bool // there are several paths
	known  map[link]revocation.Answer
}

// ask appends what is known of each certificate of the chain but the root, and says why
// the chain is refused for it.
func (q *inquiry) ask(ctx context.Context, chain []*x509.Certificate, answers []revocation.Answer) (_ []revocation.Answer, refused *Error) {
	k := q.o.Revocation
	if k == nil {
		return nil, nil
	}
	for i, c := range chain[:len(chain)-1] {
		l := link{c, chain[i+1]}
		a, asked := q.known[l]
		if !asked {
			a = k.Check(ctx, q.query(l))
		}
		if q.shared && !asked {
			if q.known == nil {
				q.known = map[link]revocation.Answer{}
			}
			q.known[l] = a
		}
		answers = append(answers, a)
		if refused == nil {
			refused = q.judge(k.Mode, i == 0, c, a)
		}
	}
	return answers, refused
}

func (q *inquiry) query(l link) revocation.Query {
	return revocation.Query{Certificate: l.certificate, Issuer: l.issuer, Staple: q.staple(l.certificate), Time: q.o.Time}
}

// judge says why a certificate is refused for an answer.
func (q *inquiry) judge(mode revocation.Mode, leaf bool, c *x509.Certificate, a revocation.Answer) *Error {
	switch {
	case a.Status == revocation.Revoked && a.Source == revocation.DenyList:
		return revokedRule.because(subject(c) + " is on the deny list")
	case a.Status == revocation.Revoked:
		return revokedRule.because(subject(c) + " was " + a.String())
	case mode != revocation.Off && leaf && q.o.MustStaple && revocation.MustStaple(c) && a.Source != revocation.Stapled:
		return stapleRule.because(subject(c) + " demands a stapled OCSP response, and " + withDoubt("none came", a, revocation.Stapled))
	case a.Refuses(mode):
		return unknownRule.because("nobody says whether " + subject(c) + " is revoked: " + withDoubt("no source is at hand", a, revocation.Nowhere))
	}
	return nil
}

// withDoubt gives the first reason why a source could not answer, from source alone
// unless that is Nowhere; and what to say where there is none.
func withDoubt(none string, a revocation.Answer, source revocation.Source) string {
	for _, d := range a.Doubts {
		if source == revocation.Nowhere || d.Source == source {
			return quoted(d)
		}
	}
	return none
}

// quoted makes safe what a responder or a certificate had a say in.
func quoted(d revocation.Doubt) string {
	if d.URL == "" {
		return d.Source.String() + ": " + d.Err.Error()
	}
	return d.Source.String() + " from " + quote(d.URL) + ": " + d.Err.Error()
}

// staple returns the OCSP response that came with c.
func (q *inquiry) staple(c *x509.Certificate) []byte {
	i := slices.Index(q.sent, c)
	if i < 0 || i >= len(q.o.Staples) {
		return nil
	}
	return q.o.Staples[i]
}
