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
	// Policies are the certificate policies of which one must hold from the root to the
	// leaf; nil demands one only where an authority of the path does. RFC 5280 §6.1.1 (c).
	Policies []x509.OID
	// LegacySignatures lets signatures over SHA-1 and MD5 stand in a path, which can be
	// forged: somebody may have made an authority's certificate of a harmless one.
	LegacySignatures bool
	// Schemes are those by which certificates may be signed beside the usual ones, and that
	// have to be named: of RSASSA-PSS keys, Ed448, ML-DSA and SHA-224. Others here mean nothing.
	Schemes []wire.SignatureScheme
	// Pins are keys of which one must be in the path, the leaf's or an authority's; none
	// demands nothing.
	Pins []Pin
	// TrustPinned trusts a leaf whose own key is among Pins where it leads to no trusted
	// root, as one that signed itself does not. All other rules count: its name, its time.
	TrustPinned bool
	// MaxValidity is the longest time for which a leaf may be valid in all; 0 for any. The
	// profile WebPKI has the bounds of the baseline requirements besides.
	MaxValidity time.Duration
	// Issuers fetches the certificates of authorities that the peer has not sent, from
	// where those below say (authorityInfoAccess), at most 4 in 3 seconds each. nil fetches
	// none. Where the operating system's own verifier finds the paths, it is not asked.
	Issuers IssuerFetcher
	// Anew has every signature verified, even those that are remembered to be right, and
	// has none remembered.
	Anew bool
	// Answers, unless nil, gets what Revocation has learnt of the certificates of the first
	// chain that Verify returns, leaf first and without its root; nil where that is nothing.
	Answers *[]revocation.Answer
}

// Verify checks the peer's certificates, leaf first, and returns the chains
// from the leaf to a trusted root that satisfy o, at most [MaxPaths]. There is at least one
// where err is nil. The order of the other certificates is free. The error is
// an [*Error]. The context bounds what Revocation and Issuers fetch. RFC 5280 §6, RFC 9525.
func Verify(ctx context.Context, certs []*x509.Certificate, o Options) (chains [][]*x509.Certificate, err error) {
	s, refused := o.search(certs)
	if refused != nil {
		return nil, refused
	}
	defer s.end()
	good := s.good(ctx)
	revoked := inquiry{o: &s.o, sent: certs, shared: len(good) > 1}
	var room [4]revocation.Answer // enough for most, so that nothing is allocated
	for _, w := range good {
		answers, r := revoked.ask(ctx, w.chain, room[:0])
		if r == nil && len(chains) == 0 {
			o.tell(answers)
		}
		if r == nil {
			s.remember(w.chain)
			chains = append(chains, w.chain)
		} else if refused == nil {
			refused = r
		}
	}
	switch {
	case len(chains) > 0:
		return chains, nil
	case refused == nil:
		refused = s.explain()
	}
	return nil, refused
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

// search prepares the search for the paths of certs.
func (o *Options) search(certs []*x509.Certificate) (*search, *Error) {
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
	for _, c := range certs {
		if c == nil || len(c.Raw) == 0 {
			return nil, &Error{Alert: wire.AlertInternalError, Reason: "a certificate was made by hand, and not parsed", Hint: "use Parse"}
		}
	}
	s := newSearch(o, certs)
	if roots, ok := open(o.Roots); ok {
		s.roots = roots
		return s, nil
	}
	return s, s.ask()
}
