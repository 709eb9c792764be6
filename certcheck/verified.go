package certcheck

import (
	"crypto/x509"
	"runtime"
	"slices"
	"sync"
	"time"
)

// verified remembers which chains crypto/x509 has built, because their
// signatures are the dearest part of a handshake and of a resumption, where the
// chain is verified again. What can change is checked each time: the name, the
// times, and our own rules. Certificates are immutable, and a CertPool only ever
// grows; but the system's authorities may change, and a constraint that was put on
// a root (x509.CertPool.AddCertWithConstraint) may refuse tomorrow what it allows
// today. So a proof counts for no longer than MaxRemembered.
//
// Refusals are not remembered, so a peer cannot fill it with what fails; it is
// bounded anyway.
type verified struct {
	mu     sync.Mutex
	byLeaf map[*x509.Certificate]*proof
}

// proof is what one successful verification has shown.
type proof struct {
	certs  []*x509.Certificate // as the peer sent them
	roots  *x509.CertPool
	usages []x509.ExtKeyUsage
	chains [][]*x509.Certificate
	// All the chains' certificates are valid from notBefore to notAfter.
	notBefore, notAfter time.Time
	made                time.Time // by the wall, whose clock also runs while the machine sleeps
}

// MaxRemembered is how long it is remembered that crypto/x509 has built a chain.
// During that time a change in the system's authorities, and in what a constraint
// of x509.CertPool.AddCertWithConstraint would answer, may go unnoticed; see
// [Options.Anew].
const MaxRemembered = time.Minute

const maxProofs = 256

var proofs = verified{byLeaf: map[*x509.Certificate]*proof{}}

// remembers reports whether the verifier may be remembered: the operating system's
// own may change its mind at any time.
func remembers(o Options) bool {
	if o.Anew {
		return false
	}
	return o.Roots != nil || runtime.GOOS != "windows" && runtime.GOOS != "darwin" && runtime.GOOS != "ios"
}

// find returns the chains of an earlier verification under the same rules, or
// nil. Equal certificates are the same pointer, see Parse.
func (v *verified) find(certs []*x509.Certificate, o Options) [][]*x509.Certificate {
	v.mu.Lock()
	p := v.byLeaf[certs[0]]
	v.mu.Unlock()
	if p == nil || !p.fresh() {
		return nil
	}
	if p.roots != o.Roots || o.Time.Before(p.notBefore) || o.Time.After(p.notAfter) ||
		!slices.Equal(p.usages, o.Usages) || !slices.Equal(p.certs, certs) {
		return nil
	}
	return slices.Clone(p.chains)
}

// fresh asks our own clock, not Options.Time: that is the moment to verify for. Where
// the clock was set back, the age is not known.
func (p *proof) fresh() bool {
	age := time.Now().Round(0).Sub(p.made)
	return age >= 0 && age < MaxRemembered
}

func (v *verified) keep(certs []*x509.Certificate, o Options, chains [][]*x509.Certificate) {
	p := &proof{certs: slices.Clone(certs), roots: o.Roots, usages: slices.Clone(o.Usages), chains: slices.Clone(chains), made: time.Now().Round(0)}
	for _, chain := range chains {
		for _, c := range chain {
			if p.notBefore.Before(c.NotBefore) {
				p.notBefore = c.NotBefore
			}
			if p.notAfter.IsZero() || c.NotAfter.Before(p.notAfter) {
				p.notAfter = c.NotAfter
			}
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.byLeaf) >= maxProofs {
		for leaf := range v.byLeaf { // any one
			delete(v.byLeaf, leaf)
			break
		}
	}
	v.byLeaf[certs[0]] = p
}
