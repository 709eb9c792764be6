package certcheck

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// Verdict is what [Judge] found out: not only whether a peer is accepted, but why.
type Verdict struct {
	// Refused is why the certificates were refused; nil where they were accepted.
	Refused *Error
	// Paths are the ways to a trusted root, first those that every rule lets pass, at most
	// [MaxPaths] of these and as many others. There is none where no certificate leads to a
	// root.
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
	s, err := o.search(certs)
	if err != nil {
		v.Refused = err
		return v
	}
	ways := s.good(ctx)
	good := len(ways)
	for _, w := range s.find(false) {
		if !slices.ContainsFunc(ways[:good], func(o way) bool { return slices.Equal(o.chain, w.chain) }) {
			ways = append(ways, w)
		}
	}
	revoked := inquiry{o: &s.o, sent: certs, shared: len(ways) > 1}
	for i, w := range ways {
		p := s.path
		p.chain, p.condition, p.open, p.left = w.chain, w.condition, false, maxComparisons
		judged := Path{Certificates: w.chain}
		judged.Checks, judged.Refused = p.examine()
		if judged.Refused == nil {
			judged.Revocation, judged.Refused = revoked.ask(ctx, w.chain, nil)
		}
		v.Paths = append(v.Paths, judged)
		if judged.Refused == nil && v.Taken < 0 {
			v.Taken = i
		}
	}
	switch {
	case v.Taken >= 0:
	case len(v.Paths) > 0:
		v.Refused = v.Paths[0].Refused
	default:
		v.Refused = s.explain()
	}
	return v
}
