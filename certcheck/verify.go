package certcheck

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Options say against what a chain is verified.
type Options struct {
	// Roots are the authorities trusted; nil for the system's.
	Roots *x509.CertPool
	// Time is the moment to verify for; zero for now.
	Time time.Time
	// Name is the server's DNS name, or its IP address, in brackets or not.
	// It may be empty only where Usages is without ServerAuth.
	Name string
	// Usages are the extended key usages of which one must be allowed all
	// along the chain; nil for x509.ExtKeyUsageServerAuth alone.
	Usages []x509.ExtKeyUsage
	// MinRSABits is the size an RSA key must have in every certificate except
	// a root that is trusted already; 0 for 2048. It is at least [MinRSABits].
	MinRSABits int
	// Anew has every signature verified and every constraint asked, even where that
	// was done within the last minute ([MaxRemembered]), and nothing is remembered.
	Anew bool
}

const defaultRSABits = 2048

// Verify checks the peer's certificates, leaf first, and returns every chain
// from the leaf to a trusted root that satisfies o. There is at least one
// where err is nil. The order of the other certificates is free. The error is
// an [*Error]. RFC 5280 §6, RFC 9525.
func Verify(certs []*x509.Certificate, o Options) (chains [][]*x509.Certificate, err error) {
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	if len(o.Usages) == 0 {
		o.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	if o.MinRSABits == 0 {
		o.MinRSABits = defaultRSABits
	}
	switch {
	case len(certs) == 0:
		return nil, &Error{Alert: wire.AlertBadCertificate, Reason: "the peer sent no certificate"}
	case len(certs) > MaxChain:
		return nil, tooMany(len(certs))
	case o.Name == "" && slices.Contains(o.Usages, x509.ExtKeyUsageServerAuth):
		return nil, &Error{
			Alert:  wire.AlertInternalError,
			Reason: "there is no name to check the server's certificate against",
			Hint:   "set ServerName to the name you mean to reach",
		}
	}
	chains, err = build(certs, o)
	if err != nil {
		return nil, diagnose(certs, o, err)
	}
	return acceptable(chains, o)
}

func build(certs []*x509.Certificate, o Options) ([][]*x509.Certificate, error) {
	if remembers(o) {
		if chains := proofs.find(certs, o); chains != nil {
			if o.Name == "" {
				return chains, nil
			}
			return chains, certs[0].VerifyHostname(o.Name)
		}
	}
	intermediates := x509.NewCertPool()
	for _, c := range certs[1:] {
		intermediates.AddCert(c)
	}
	chains, err := certs[0].Verify(x509.VerifyOptions{
		DNSName: o.Name, Roots: o.Roots, Intermediates: intermediates, CurrentTime: o.Time, KeyUsages: o.Usages,
	})
	if err == nil && remembers(o) {
		proofs.keep(certs, o, chains)
	}
	return chains, err
}

// acceptable keeps the chains that meet our own rules on top of crypto/x509's.
func acceptable(chains [][]*x509.Certificate, o Options) ([][]*x509.Certificate, error) {
	var firstErr error
	chains = slices.DeleteFunc(chains, func(chain []*x509.Certificate) bool {
		err := strong(chain, o.MinRSABits)
		if firstErr == nil {
			firstErr = err
		}
		return err != nil
	})
	if len(chains) == 0 {
		return nil, firstErr
	}
	return chains, nil
}

// strong checks a verified chain. Its root is trusted as it is, but a leaf is
// checked even if it is itself a root: its key signs the handshake.
func strong(chain []*x509.Certificate, minRSABits int) error {
	if len(chain) > MaxDepth {
		return &Error{
			Alert:  wire.AlertBadCertificate,
			Reason: fmt.Sprintf("the chain has %d certificates from leaf to root, at most %d are followed", len(chain), MaxDepth),
			Hint:   "use an authority closer to its root",
		}
	}
	for _, c := range chain[:max(1, len(chain)-1)] {
		if err := StrongKey(c, minRSABits); err != nil {
			return err
		}
	}
	return nil
}

// StrongKey checks the size of c's key alone: a leaf's signs the handshake, also
// where nobody asks who has issued it. minRSABits is as in [Options]. The error is
// an [*Error].
func StrongKey(c *x509.Certificate, minRSABits int) error {
	if minRSABits == 0 {
		minRSABits = defaultRSABits
	}
	key, ok := c.PublicKey.(*rsa.PublicKey)
	if !ok || key.N.BitLen() >= minRSABits {
		return nil
	}
	return &Error{
		Alert: wire.AlertUnsupportedCertificate,
		Reason: fmt.Sprintf("the RSA key of %s has %d bits, which is too weak: at least %d are needed",
			subject(c), key.N.BitLen(), minRSABits),
		Hint: fmt.Sprintf("have it issued for a key of %d bits or more, or for ECDSA", max(minRSABits, defaultRSABits)),
	}
}
