package certcheck

import (
	"context"
	"crypto/x509"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
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
	// Profile is how strict the rules are; [Interoperable] by default.
	Profile Profile
	// PublicSuffix reports whether everybody can register names directly below a
	// domain, as publicsuffix of golang.org/x/net knows. A certificate with a star
	// below such a domain is refused. nil knows only that top-level domains are.
	PublicSuffix func(domain string) bool
	// Revocation asks whether the certificates of a path are revoked; nil asks nobody.
	Revocation *revocation.Checker
	// Staples are the OCSP responses that came with the peer's certificates, in their
	// order; an empty one, or none at the end, for a certificate without.
	Staples [][]byte
	// MustStaple refuses a leaf that demands a stapled response (RFC 7633) and comes
	// without. Set it where the peer was asked for one.
	MustStaple bool
	// Anew has every signature verified and every constraint asked, even where that
	// was done within the last minute ([MaxRemembered]), and nothing is remembered.
	Anew bool
	// Answers, unless nil, gets what Revocation has learnt of the certificates of the first
	// chain that Verify returns, leaf first and without its root; nil where that is nothing.
	Answers *[]revocation.Answer
}

// Verify checks the peer's certificates, leaf first, and returns every chain
// from the leaf to a trusted root that satisfies o. There is at least one
// where err is nil. The order of the other certificates is free. The error is
// an [*Error]. The context bounds what Revocation fetches. RFC 5280 §6, RFC 9525.
func Verify(ctx context.Context, certs []*x509.Certificate, o Options) (chains [][]*x509.Certificate, err error) {
	candidates, refused := o.candidates(certs)
	if refused != nil {
		return nil, refused
	}
	revoked := inquiry{o: &o, sent: certs, shared: len(candidates) > 1}
	var room [4]revocation.Answer // enough for most, so that nothing is allocated
	for _, chain := range candidates {
		p := path{chain, &o}
		answers, r := room[:0], p.judge()
		if r == nil {
			answers, r = revoked.ask(ctx, chain, answers)
		}
		if r == nil && len(chains) == 0 {
			o.tell(answers)
		}
		if r == nil {
			chains = append(chains, chain)
		} else if refused == nil {
			refused = r
		}
	}
	if len(chains) == 0 {
		return nil, refused
	}
	return chains, nil
}

// tell gives answers to the caller, if there is something in them.
func (o *Options) tell(answers []revocation.Answer) {
	if o.Answers == nil {
		return
	}
	*o.Answers = nil
	if slices.ContainsFunc(answers, func(a revocation.Answer) bool { return a.Status != revocation.Unknown || len(a.Doubts) > 0 }) {
		*o.Answers = slices.Clone(answers)
	}
}

// setDefaults fills in what zero stands for.
func (o *Options) setDefaults() {
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	o.Time = o.Time.Truncate(time.Second) // a certificate is good through the whole of its last second
	if len(o.Usages) == 0 {
		o.Usages = serverAuth
	}
	if o.MinRSABits == 0 {
		o.MinRSABits = defaultRSABits
	}
}

var serverAuth = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}

// candidates returns the paths that crypto/x509 accepts, at least one where the error is
// nil. Our own rules then judge each.
func (o *Options) candidates(certs []*x509.Certificate) ([][]*x509.Certificate, *Error) {
	o.setDefaults()
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
	chains, err := build(certs, *o)
	if err != nil {
		return nil, diagnose(certs, *o, err)
	}
	return chains, nil
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
