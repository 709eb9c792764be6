package scan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// A shownChain is one chain that the server has shown.
type shownChain struct {
	raw    [][]byte
	staple []byte
	to     []string // to whom
	a      *Answer
}

// certificates finds the schemes by which the server signs, one after the other, and so a
// certificate for each kind of key.
func (x *audit) certificates(ctx context.Context) {
	line := x.line()
	defer line.end()
	for _, v := range []wire.Version{wire.TLS13, x.best12()} {
		suites := x.with(v, func(name string) bool { return v >= wire.TLS13 || signed(name) })
		if len(suites) == 0 {
			x.unsigned(ctx, line, v)
			continue
		}
		left := slices.Clone(schemes)
		for len(left) > 0 {
			h := x.offer(v, suites...)
			h.Schemes = left
			if v < wire.TLS12 {
				h.Schemes = nil
			}
			a := line.do(ctx, Probe{Name: "a signature", Hello: h, Until: Flight})
			if a == nil || len(a.Certificates) == 0 || a.End != Reached {
				break
			}
			x.shown(a, "with the name")
			if !slices.Contains(left, a.Scheme) {
				break
			}
			x.scheme(a.Scheme, v, a)
			left = slices.DeleteFunc(slices.Clone(left), func(s wire.SignatureScheme) bool { return s == a.Scheme })
		}
	}
}

// unsigned looks at the certificate where no suite has the server sign.
func (x *audit) unsigned(ctx context.Context, line *line, v wire.Version) {
	if !x.speaks(v) {
		return
	}
	if a := line.do(ctx, Probe{Name: "the certificate", Hello: x.offer(v, x.suites[v]...), Until: Flight}); a != nil && len(a.Certificates) > 0 {
		x.shown(a, "with the name")
	}
}

// signed reports that the server signs its key exchange.
func signed(name string) bool {
	return (strings.HasPrefix(name, "TLS_ECDHE_") || strings.HasPrefix(name, "TLS_DHE_")) && !strings.Contains(name, "_PSK_")
}

func (x *audit) scheme(s wire.SignatureScheme, v wire.Version, a *Answer) {
	x.mu.Lock()
	i := slices.IndexFunc(x.r.Schemes, func(r SchemeReport) bool { return r.Name == s.String() })
	if i < 0 {
		i = len(x.r.Schemes)
		x.r.Schemes = append(x.r.Schemes, SchemeReport{Name: s.String()})
	}
	x.r.Schemes[i].Versions = append(x.r.Schemes[i].Versions, v.String())
	x.mu.Unlock()
	switch s {
	case wire.RSAPKCS1SHA1, wire.ECDSASHA1, wire.DSASHA1:
		x.found("signature-sha1", a, fmt.Sprintf("offered it last, the server signs by %v", s))
	}
}

// otherName looks at what a client without a name is shown.
func (x *audit) otherName(ctx context.Context) {
	if x.at.ServerName() == "" {
		return
	}
	h := x.modern()
	h.NoName = true
	a := x.do(ctx, Probe{Name: "no name", Hello: h, Until: Flight})
	switch {
	case a == nil:
	case len(a.Certificates) > 0:
		x.shown(a, "without a name")
	case unanswered(a):
		x.set("without a name", notAnswered)
	default:
		x.set("without a name", answerOf(a))
	}
}

// shown keeps a chain.
func (x *audit) shown(a *Answer, to string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, have := range x.chains {
		if slices.Equal(have.raw[0], a.Certificates[0]) {
			if !slices.Contains(have.to, to) {
				have.to = append(have.to, to)
			}
			if have.staple == nil {
				have.staple = a.Staple
			}
			return
		}
	}
	if len(x.chains) < maxChains {
		x.chains = append(x.chains, &shownChain{a.Certificates, a.Staple, []string{to}, a})
	}
}

// maxChains is how many chains of one server are looked at.
const maxChains = 8

// soon is how long before its end a certificate is told of, at most: one that holds for a few
// days is renewed in its last third.
const soon = 21 * 24 * time.Hour

// endsSoon reports that a certificate should have been renewed.
func endsSoon(leaf *x509.Certificate, now time.Time) bool {
	return leaf.NotAfter.Sub(now) < min(soon, leaf.NotAfter.Sub(leaf.NotBefore)/3)
}

// judgeChains has certcheck judge what was shown.
func (x *audit) judgeChains(ctx context.Context) {
	for _, c := range x.chains {
		slices.Sort(c.to) // parts end in any order
	}
	slices.SortFunc(x.chains, func(a, b *shownChain) int { return bytes.Compare(a.raw[0], b.raw[0]) })
	for _, shown := range x.chains {
		r := ChainReport{Sent: len(shown.raw), For: shown.to, Stapled: len(shown.staple) > 0, SHA256: fmt.Sprintf("%x", sha256.Sum256(shown.raw[0]))}
		certs, err := certcheck.Parse(shown.raw)
		if err != nil {
			r.Problem = err.Error()
			x.r.Chains = append(x.r.Chains, r)
			x.r.found("chain", shown.a, r.Problem)
			continue
		}
		describeLeaf(&r, certs[0])
		o := certcheck.Options{Roots: x.o.Roots, Time: x.o.Now, Name: x.at.ServerName(), Staples: [][]byte{shown.staple},
			Revocation: x.o.Revocation, Issuers: x.o.Issuers, Schemes: rareSchemes}
		if o.Revocation == nil {
			o.Revocation = &revocation.Checker{Mode: revocation.Soft}
		}
		if o.Name == "" {
			o.Name = x.at.host()
		}
		verdict := certcheck.Judge(ctx, certs, o)
		r.Trusted = verdict.Refused == nil
		r.Revoked = answerFor(verdict).Status == revocation.Revoked
		if !r.Trusted {
			r.Problem, r.Hint = verdict.Refused.Reason, verdict.Refused.Hint
		}
		x.r.Chains = append(x.r.Chains, r)
		x.judgeChain(shown, certs[0], r)
		x.judgeRevocation(shown, certs[0], verdict, r)
		x.judgeCT(shown, certs[0], r)
	}
}

func (x *audit) judgeChain(shown *shownChain, leaf *x509.Certificate, r ChainReport) {
	named := slices.Contains(r.For, "with the name") || x.at.ServerName() == ""
	switch {
	case !r.Trusted && named && !r.Revoked:
		x.r.found("chain", shown.a, r.Problem)
		x.r.advise("chain", r.Hint)
	case named && endsSoon(leaf, x.o.Now):
		days := int(math.Floor(leaf.NotAfter.Sub(x.o.Now).Hours() / 24))
		x.r.found("expires", shown.a, fmt.Sprintf("in %d days, on %s", days, leaf.NotAfter.Format(time.DateOnly)))
	}
	if r.MustStaple && !r.Stapled && named {
		x.r.found("must-staple", shown.a, "the certificate has the TLS feature status_request; the server answers without a response")
	}
}

// rareSchemes may sign certificates beside the usual ones: what clients of ours make of them is
// no finding about the server.
var rareSchemes = []wire.SignatureScheme{wire.MLDSA44, wire.MLDSA65, wire.MLDSA87}

var (
	oidFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}       // RFC 7633
	oidSCTs    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2} // RFC 6962 §3.3
)

func describeLeaf(r *ChainReport, c *x509.Certificate) {
	r.Subject, r.Issuer, r.Names = c.Subject.String(), c.Issuer.String(), slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		r.Names = append(r.Names, ip.String())
	}
	r.NotBefore, r.NotAfter, r.Signature = c.NotBefore, c.NotAfter, c.SignatureAlgorithm.String()
	if rare := certcheck.NamedScheme(c); rare != 0 {
		r.Signature = rare.String()
	}
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		r.KeyBits = key.N.BitLen()
		r.Key = fmt.Sprintf("RSA, %d bits", r.KeyBits)
	case *ecdsa.PublicKey:
		r.Key, r.KeyBits = "ECDSA, "+key.Curve.Params().Name, key.Curve.Params().BitSize
	default:
		r.Key = cmp.Or(otherkeys.Name(c), otherkeys.ShownKey(c), c.PublicKeyAlgorithm.String())
	}
	for _, e := range c.Extensions {
		switch {
		case e.Id.Equal(oidFeature):
			var features []int
			_, err := asn1.Unmarshal(e.Value, &features)
			r.MustStaple = err == nil && slices.Contains(features, int(wire.ExtStatusRequest))
		case e.Id.Equal(oidSCTs):
			r.SCTs = countSCTs(e.Value)
		}
	}
}

// countSCTs counts what an OCTET STRING holds.
func countSCTs(der []byte) int {
	var list []byte
	if _, err := asn1.Unmarshal(der, &list); err != nil {
		return 0
	}
	r := wire.NewReader(list, nil)
	n := len(wire.ReadSCTs(&r, nil))
	if r.Err() != nil {
		return 0
	}
	return n
}
