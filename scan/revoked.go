package scan

import (
	"crypto/x509"
	"fmt"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

// answerFor is what is known of the leaf: the answer of the first path that was asked about,
// one of no status where none was.
func answerFor(v *certcheck.Verdict) revocation.Answer {
	for _, p := range v.Paths {
		if len(p.Revocation) > 0 {
			return p.Revocation[0]
		}
	}
	return revocation.Answer{}
}

// judgeRevocation notes what the authority says of a certificate, and what is wrong with the
// response that the server staples.
func (x *audit) judgeRevocation(shown *shownChain, leaf *x509.Certificate, v *certcheck.Verdict, r ChainReport) {
	a := answerFor(v)
	if a.Status == revocation.Unknown && (len(a.Doubts) > 0 || x.asksOf(leaf)) {
		x.lacks("revocation of the certificate " + r.SHA256[:16])
	}
	if r.Revoked {
		x.r.found("revoked", shown.a, a.String())
		return
	}
	for _, d := range a.Doubts {
		if d.Source == revocation.Stapled && r.Stapled {
			x.r.found("staple-bad", shown.a, d.String()+": "+hexOf(shown.staple))
		}
	}
	if x.o.Revocation != nil && x.o.Revocation.Fetcher != nil {
		x.set("revocation", a.String())
	}
}

// asksOf reports that the authority of a certificate is asked: the certificate says where. No answer is known
// either where there is no path to that authority.
func (x *audit) asksOf(leaf *x509.Certificate) bool {
	k := x.o.Revocation
	return k != nil && k.Fetcher != nil && k.Mode != revocation.Off && len(leaf.OCSPServer)+len(leaf.CRLDistributionPoints) > 0
}

// judgeCT looks for timestamps of Certificate Transparency, without which browsers refuse
// certificates of public authorities. They come in the certificate, in the handshake, or in
// the stapled response. Only with the system's authorities is a certificate taken for public.
func (x *audit) judgeCT(shown *shownChain, leaf *x509.Certificate, r ChainReport) {
	if r.SCTs > 0 || stapledSCTs(shown.staple, leaf) > 0 || shown.a.Has(wire.ExtSCT) || !r.Trusted || x.o.Roots != nil || len(r.For) == 0 {
		return
	}
	x.r.found("no-ct", shown.a, fmt.Sprintf("neither the certificate %s, nor the handshake, nor a stapled response has a timestamp of a log", r.SHA256))
}

// stapledSCTs counts the timestamps that a stapled response has. RFC 6962 §3.3.
func stapledSCTs(staple []byte, leaf *x509.Certificate) int {
	response, err := revocation.ParseOCSP(staple)
	if err != nil {
		return 0
	}
	return countSCTs(response.SCTs(leaf))
}
