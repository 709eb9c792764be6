package handshake

import (
	"bytes"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/wire"
)

// Bounds of what Misfit lists, most of which the server chose.
const (
	misfitNames   = 3   // of certificates and authorities
	misfitNameLen = 100 // bytes of each
)

// Misfit says which certificates a client has at hand, why none of them fits what a
// server asks for, and what would: one sentence without its full stop, empty where
// one of them fits. RFC 8446 §4.4.2.3, RFC 5246 §7.4.6.
func Misfit(info *stdtls.CertificateRequestInfo, atHand ...*stdtls.Certificate) string {
	var problems []string
	accepted := acceptedAuthorities(info)
	for _, c := range atHand {
		if len(c.Certificate) == 0 {
			continue
		}
		problem := ""
		switch {
		case !canAnswer(info, c):
			problem, accepted = "its key, "+nameOfKey(c)+", cannot sign as the server asks", acceptedKeys(info)
		case !isAccepted(info, c):
			problem = "the server does not name its issuer, " + shortName(issuerOf(c))
		default:
			return ""
		}
		problems = append(problems, fmt.Sprintf("that of %s does not fit: %s", shortName(subjectOf(c)), problem))
	}
	if len(problems) == 0 {
		problems = []string{"no certificate is at hand"}
	}
	what := strings.Join(atMost(problems), "; ")
	if accepted != "" {
		what += "; the server accepts " + accepted
	}
	return what
}

// CanAnswer reports that the key of c can sign as the server asks.
func CanAnswer(info *stdtls.CertificateRequestInfo, c *stdtls.Certificate) bool {
	return canAnswer(info, c)
}

// canAnswer reports that a certificate's key can sign as the server asks.
func canAnswer(info *stdtls.CertificateRequestInfo, c *stdtls.Certificate) bool {
	pub, err := publicKey(c)
	if err != nil {
		return false
	}
	profile := ProfileOf(wire.Version(info.Version))
	theirs, own := schemesOf(info), c.SupportedSignatureAlgorithms
	if profile.schemes != nil { // then a scheme is nothing but the kind of a key
		theirs, own = ofKinds(profile.schemes, keyKinds(theirs)), nil
	}
	return pickScheme(pub, theirs, own, profile.curveBound) != 0
}

func nameOfKey(c *stdtls.Certificate) string {
	pub, err := publicKey(c)
	if err != nil {
		return fmt.Sprintf("a %T", c.PrivateKey)
	}
	return keyName(pub)
}

// isAccepted reports that the server names an authority of the chain, or none at all.
func isAccepted(info *stdtls.CertificateRequestInfo, c *stdtls.Certificate) bool {
	chain, err := certcheck.Parse(c.Certificate)
	return err != nil || len(info.AcceptableCAs) == 0 || slices.ContainsFunc(chain, func(link *x509.Certificate) bool {
		return slices.ContainsFunc(info.AcceptableCAs, func(name []byte) bool { return bytes.Equal(name, link.RawIssuer) })
	})
}

// acceptedKeys lists the keys that the server takes.
func acceptedKeys(info *stdtls.CertificateRequestInfo) string {
	if ProfileOf(wire.Version(info.Version)).schemes != nil {
		return "keys of the kind " + list(keyKinds(schemesOf(info)))
	}
	return "signatures by " + list(names(schemesOf(info)))
}

// acceptedAuthorities lists those that the server names; empty for any.
func acceptedAuthorities(info *stdtls.CertificateRequestInfo) string {
	var authorities []string
	for _, name := range info.AcceptableCAs {
		authorities = append(authorities, shortName(name))
	}
	if len(authorities) == 0 {
		return ""
	}
	return "certificates of " + strings.Join(atMost(authorities), ", ")
}

func schemesOf(info *stdtls.CertificateRequestInfo) []wire.SignatureScheme {
	out := make([]wire.SignatureScheme, len(info.SignatureSchemes))
	for i, scheme := range info.SignatureSchemes {
		out[i] = wire.SignatureScheme(scheme)
	}
	return out
}

// keyKinds are the certificate types that stand for schemes. RFC 5246 §7.4.4.
func keyKinds(schemes []wire.SignatureScheme) (kinds []string) {
	for _, scheme := range schemes {
		g := signerOf(scheme)
		if g == nil {
			continue
		}
		if kind := certificateTypes[g.kind].String(); !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// ofKinds are those of schemes that keys of the kinds sign with.
func ofKinds(schemes []wire.SignatureScheme, kinds []string) (out []wire.SignatureScheme) {
	for _, scheme := range schemes {
		if slices.ContainsFunc(keyKinds([]wire.SignatureScheme{scheme}), func(k string) bool { return slices.Contains(kinds, k) }) {
			out = append(out, scheme)
		}
	}
	return out
}

// atMost cuts a list, and counts what is missing.
func atMost(list []string) []string {
	if more := len(list) - misfitNames; more > 0 {
		return append(slices.Clone(list[:misfitNames]), fmt.Sprintf("%d more", more))
	}
	return list
}

// subjectOf and issuerOf are names in DER: the leaf's own, and that of the last
// link's issuer.
func subjectOf(c *stdtls.Certificate) []byte {
	chain, err := certcheck.Parse(c.Certificate)
	if err != nil {
		return nil
	}
	return chain[0].RawSubject
}

func issuerOf(c *stdtls.Certificate) []byte {
	chain, err := certcheck.Parse(c.Certificate)
	if err != nil {
		return nil
	}
	return chain[len(chain)-1].RawIssuer
}

// shortName quotes a distinguished name in DER, and cuts it.
func shortName(der []byte) string {
	var sequence pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &sequence); err != nil {
		return "a name that cannot be read"
	}
	name := sequence.String()
	if len(name) > misfitNameLen {
		name = strings.ToValidUTF8(name[:misfitNameLen], "") + "…"
	}
	return fmt.Sprintf("%q", name)
}

// certificateOutcome notes why a certificate at hand does not fit the request,
// whether it is sent all the same or not.
func (s *State) certificateOutcome(info *stdtls.CertificateRequestInfo, picked *stdtls.Certificate, others []stdtls.Certificate) {
	var atHand []*stdtls.Certificate
	if picked != nil {
		atHand = append(atHand, picked)
	}
	for i := range others {
		atHand = append(atHand, &others[i])
	}
	s.Result.ClientMisfit = Misfit(info, atHand...)
	if s.Result.ClientMisfit == "" && len(s.certificate.Certificate) == 0 {
		s.Result.ClientMisfit = "the certificate at hand cannot sign as the server asks"
	}
	s.choseClientCertificate()
}
