package tls

import (
	"crypto/x509"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// helloInfo copies an offer for the application.
func helloInfo(o *handshake.Offer) *ClientHelloInfo {
	info := &ClientHelloInfo{
		CipherSuites: convert[uint16](o.Suites), ServerName: o.ServerName, SupportedCurves: convert[CurveID](o.Groups),
		SupportedPoints: slices.Clone(o.Points), SignatureSchemes: convert[SignatureScheme](o.Schemes),
		SupportedVersions: convert[uint16](o.Versions),
	}
	for _, p := range o.ALPN {
		info.SupportedProtos = append(info.SupportedProtos, string(p))
	}
	for _, x := range o.Hello.Extensions {
		info.Extensions = append(info.Extensions, uint16(x.Type))
	}
	return info
}

func convert[To, From ~uint16](list []From) []To {
	out := make([]To, len(list))
	for i, v := range list {
		out[i] = To(v)
	}
	return out
}

// pickCertificate is the best certificate whose key the client can verify, or
// the first where there is none: being for the name counts most, then that the
// client can verify the certificate's own signature.
func (c *Config) pickCertificate(s *handshake.State) (*Certificate, error) {
	if len(c.Certificates) == 0 {
		return nil, misuse("there is no certificate for the name %q", s.Offer.ServerName)
	}
	if cert := c.byName(s.Offer.ServerName); cert != nil {
		return cert, nil
	}
	if len(c.Certificates) == 1 {
		return &c.Certificates[0], nil
	}
	best, picked := 0, &c.Certificates[0]
	for i := range c.Certificates {
		cert := &c.Certificates[i]
		if !s.CanUse(cert) {
			continue
		}
		leaf, err := leafOf(cert)
		if err != nil {
			return nil, misuse("a certificate does not parse: %v", err)
		}
		score := 1
		if s.CanVerify(leaf) {
			score++
		}
		if s.Offer.ServerName != "" && leaf.VerifyHostname(s.Offer.ServerName) == nil {
			score += 2
		}
		if score > best {
			best, picked = score, cert
		}
	}
	return picked, nil
}

// byName looks into the deprecated NameToCertificate.
func (c *Config) byName(name string) *Certificate {
	if c.NameToCertificate == nil || name == "" {
		return nil
	}
	name = strings.ToLower(strings.TrimRight(name, "."))
	if cert := c.NameToCertificate[name]; cert != nil {
		return cert
	}
	if _, rest, ok := strings.Cut(name, "."); ok {
		return c.NameToCertificate["*."+rest]
	}
	return nil
}

// leafOf returns the parsed leaf of one of our own certificates.
func leafOf(c *Certificate) (*x509.Certificate, error) {
	if c.Leaf != nil {
		return c.Leaf, nil
	}
	if len(c.Certificate) == 0 {
		return nil, misuse("a Certificate is empty")
	}
	return x509.ParseCertificate(c.Certificate[0])
}
