package diagnose

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// parsed is a certificate of a chain; nil where it does not parse.
type parsed = *x509.Certificate

func readChain(p *wire.Certificate, event int) chain {
	c := chain{event: event, empty: len(p.Entries) == 0}
	for _, e := range p.Entries {
		if cert, err := x509.ParseCertificate(e.DER); err == nil {
			c.certs = append(c.certs, cert)
		}
	}
	if len(p.Entries) > 0 {
		var status wire.CertificateStatus
		_, _ = p.Entries[0].Extensions.Read(wire.ExtStatusRequest, func(r *wire.Reader) { status.Parse(r, wire.Context{Version: wire.TLS13}) })
		c.staple = status.Response
	}
	return c
}

// stapledAt is when the response was made that is stapled to the first certificate; zero for none
// that its issuer, or whom that has authorized, signed.
func (c *chain) stapledAt() time.Time {
	response, err := revocation.ParseOCSP(c.staple)
	if err != nil || len(c.certs) < 2 {
		return time.Time{}
	}
	a, err := response.About(c.certs[0], c.certs[1], response.ProducedAt, time.Hour)
	if err != nil {
		return time.Time{}
	}
	return a.ThisUpdate
}

func suiteOf(id wire.CipherSuite) *suite.Suite { return suite.ByID(id) }

// leaf is the first certificate; nil for none.
func (c *chain) leaf() *x509.Certificate {
	if len(c.certs) == 0 {
		return nil
	}
	return c.certs[0]
}

// expired returns the certificate that has ended at a moment, and early one that has not begun.
func (c *chain) expired(at time.Time) *x509.Certificate {
	return c.find(func(x *x509.Certificate) bool { return at.After(x.NotAfter) })
}

func (c *chain) early(at time.Time) *x509.Certificate {
	return c.find(func(x *x509.Certificate) bool { return at.Before(x.NotBefore) })
}

// weakHash is a certificate, but no root, that is signed over SHA-1 or MD5.
func (c *chain) weakHash() *x509.Certificate {
	return c.find(func(x *x509.Certificate) bool {
		return !selfIssued(x) && slices.Contains([]x509.SignatureAlgorithm{x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA}, x.SignatureAlgorithm)
	})
}

// weakKey is a certificate with a key that most refuse.
func (c *chain) weakKey() *x509.Certificate {
	return c.find(func(x *x509.Certificate) bool {
		switch k := x.PublicKey.(type) {
		case *rsa.PublicKey:
			return k.N.BitLen() < 2048
		case *ecdsa.PublicKey:
			return k.Curve.Params().BitSize < 256
		}
		return false
	})
}

func (c *chain) find(is func(*x509.Certificate) bool) *x509.Certificate {
	if i := slices.IndexFunc(c.certs, is); i >= 0 {
		return c.certs[i]
	}
	return nil
}

// misordered returns the first certificate that does not certify the one before it, where one
// further behind does. RFC 5246 §7.4.2.
func (c *chain) misordered() *x509.Certificate {
	for i := 1; i < len(c.certs); i++ {
		before := c.certs[i-1]
		if selfIssued(before) || issued(c.certs[i], before) {
			continue
		}
		if slices.ContainsFunc(c.certs[i+1:], func(x *x509.Certificate) bool { return issued(x, before) }) {
			return c.certs[i]
		}
	}
	return nil
}

// top follows the issuers from the leaf, as far as they were sent.
func (c *chain) top() *x509.Certificate {
	top := c.leaf()
	for range c.certs {
		if top == nil || selfIssued(top) {
			break
		}
		above := c.find(func(x *x509.Certificate) bool { return x != top && issued(x, top) })
		if above == nil {
			break
		}
		top = above
	}
	return top
}

// forClients reports that the leaf may be used by a client, or does not say.
func (c *chain) forClients() bool {
	leaf := c.leaf()
	return leaf == nil || len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0 ||
		slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// issued tells by names and key identifiers.
func issued(issuer, c *x509.Certificate) bool {
	return bytes.Equal(issuer.RawSubject, c.RawIssuer) &&
		(len(c.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId))
}

func selfIssued(c *x509.Certificate) bool { return issued(c, c) }

// interceptors are words in the names of authorities by which products sign certificates
// anew on the way, as their manuals give them.
var interceptors = []string{
	"zscaler", "fortinet", "fortigate", "palo alto", "blue coat", "bluecoat", "sophos", "kaspersky", "avast", "avg web", "eset ssl",
	"bitdefender", "netskope", "cisco umbrella", "mitmproxy", "charles proxy", "portswigger", "do_not_trust_fiddler", "checkpoint", "check point",
	"barracuda", "watchguard", "untangle", "squid", "sonicwall", "forcepoint", "websense", "cloudflare for teams", "mcafee web gateway", "burp",
}

// interceptor is the issuer in a chain that is known to sign on the way; empty for none.
func (c *chain) interceptor() string {
	for _, x := range c.certs {
		for _, name := range []string{x.Issuer.String(), x.Subject.String()} {
			if slices.ContainsFunc(interceptors, func(w string) bool { return strings.Contains(strings.ToLower(name), w) }) {
				return name
			}
		}
	}
	return ""
}

// who names a certificate, quoted and cut.
func who(c *x509.Certificate) string { return quoted(c.Subject.String(), c.Subject.CommonName) }

func whoIssued(c *x509.Certificate) string { return quoted(c.Issuer.String(), c.Issuer.CommonName) }

func quoted(whole, common string) string {
	if common == "" {
		common = whole
	}
	const most = 60
	if r := []rune(common); len(r) > most {
		common = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", common)
}

const day = "2006-01-02 15:04 UTC"

func onDay(t time.Time) string { return t.UTC().Format(day) }
