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
// times, and our own rules. Nothing else can turn a yes into a no: certificates
// are immutable, and a CertPool only ever grows.
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
}

const maxProofs = 256

var proofs = verified{byLeaf: map[*x509.Certificate]*proof{}}

// remembers reports whether the verifier is one that may be remembered: the
// operating system's own may change its mind at any time.
func remembers(o Options) bool {
	return o.Roots != nil || runtime.GOOS != "windows" && runtime.GOOS != "darwin" && runtime.GOOS != "ios"
}

// find returns the chains of an earlier verification under the same rules, or
// nil. Equal certificates are the same pointer, see Parse.
func (v *verified) find(certs []*x509.Certificate, o Options) [][]*x509.Certificate {
	v.mu.Lock()
	p := v.byLeaf[certs[0]]
	v.mu.Unlock()
	if p == nil || p.roots != o.Roots || o.Time.Before(p.notBefore) || o.Time.After(p.notAfter) ||
		!slices.Equal(p.usages, o.Usages) || !slices.Equal(p.certs, certs) {
		return nil
	}
	return slices.Clone(p.chains)
}

func (v *verified) keep(certs []*x509.Certificate, o Options, chains [][]*x509.Certificate) {
	p := &proof{certs: slices.Clone(certs), roots: o.Roots, usages: slices.Clone(o.Usages), chains: slices.Clone(chains)}
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
