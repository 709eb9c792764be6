package scan

import (
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
func (x *audit) judgeRevocation(shown *shownChain, v *certcheck.Verdict, r ChainReport) {
	a := answerFor(v)
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

// judgeCT looks for timestamps of Certificate Transparency, without which browsers refuse
// certificates of public authorities. Only with the system's authorities is one taken for
// public.
func (x *audit) judgeCT(shown *shownChain, r ChainReport) {
	if r.SCTs > 0 || shown.a.Has(wire.ExtSCT) || !r.Trusted || x.o.Roots != nil || len(r.For) == 0 {
		return
	}
	x.r.found("no-ct", shown.a, fmt.Sprintf("neither the certificate %s nor the handshake has a timestamp of a log", r.SHA256))
}
