package certcheck

import (
	"context"
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// Verdict is what [Judge] found out: not only whether a peer is accepted, but why.
type Verdict struct {
	// Refused is why the certificates were refused; nil where they were accepted.
	Refused *Error
	// Paths are all the ways to a trusted root, in the order in which they were
	// tried. There is none where crypto/x509 found none that it accepts.
	Paths []Path
	// Taken is the first of Paths that was accepted; -1 where none was.
	Taken int
}

// Path is one way from the leaf to a trusted root.
type Path struct {
	// Certificates are the leaf, the authorities, and the root last.
	Certificates []*x509.Certificate
	// Checks are the answers of every rule for every certificate, those of stricter
	// profiles too.
	Checks []Check
	// Revocation is what is known of each certificate but the root; nil where nobody
	// was asked, for no path is asked about that is refused already.
	Revocation []revocation.Answer
	// Refused is the first breach that this profile refuses; nil for a good path.
	Refused *Error
}

// Breaches returns the checks that failed: those that refuse under profile p, and those
// for which only a stricter one would.
func (p *Path) Breaches(profile Profile) (refusals, warnings []Check) {
	for _, c := range p.Checks {
		switch {
		case c.Breach == "":
		case c.Rule.Profile <= profile:
			refusals = append(refusals, c)
		default:
			warnings = append(warnings, c)
		}
	}
	return refusals, warnings
}

// Judge is [Verify] for people: it asks every rule of every path, and keeps the
// answers. It accepts what Verify accepts.
func Judge(ctx context.Context, certs []*x509.Certificate, o Options) *Verdict {
	v := &Verdict{Taken: -1}
	chains, err := o.candidates(certs)
	if err != nil {
		v.Refused = err
		return v
	}
	revoked := inquiry{o: &o, sent: certs, shared: len(chains) > 1}
	for i, chain := range chains {
		p := path{chain, &o}
		judged := Path{Certificates: chain, Checks: p.examine(), Refused: p.judge()}
		if judged.Refused == nil {
			judged.Revocation, judged.Refused = revoked.ask(ctx, chain, nil)
		}
		v.Paths = append(v.Paths, judged)
		if judged.Refused == nil && v.Taken < 0 {
			v.Taken = i
		}
	}
	if v.Taken < 0 {
		v.Refused = v.Paths[0].Refused
	}
	return v
}
