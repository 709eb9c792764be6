package certcheck

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

const defaultRSABits = 2048

// strengthRules are about what a stranger could forge, or make us compute.
var strengthRules = []Rule{
	{
		Name:    "depth",
		Demands: fmt.Sprintf("the path has at most %d certificates", MaxDepth),
		Source:  "a limit of this library",
		Alert:   wire.AlertBadCertificate,
		Hint:    "use an authority closer to its root",
		on:      onPath,
		check: func(p *path, _ *x509.Certificate) string {
			if len(p.chain) <= MaxDepth {
				return ""
			}
			return fmt.Sprintf("the chain has %d certificates from leaf to root, at most %d are followed", len(p.chain), MaxDepth)
		},
	},
	{
		// The root is trusted as it is; but a leaf is asked even if it is itself a
		// root, for its key signs the handshake.
		Name:    "rsa-size",
		Demands: "RSA keys have at least 2048 bits, or what Options.MinRSABits says",
		Source:  "CA/Browser Forum BR §6.1.5",
		Alert:   wire.AlertUnsupportedCertificate,
		Hint:    "have it issued for an RSA key of 2048 bits or more, or for ECDSA",
		on:      onIssued,
		check: func(p *path, c *x509.Certificate) string {
			key := otherkeys.RSA(c)
			if key == nil || key.N.BitLen() >= p.o.MinRSABits {
				return ""
			}
			return fmt.Sprintf("the RSA key of %s has %d bits, which is too weak: at least %d are needed",
				subject(c), key.N.BitLen(), p.o.MinRSABits)
		},
	},
	{
		Name: "rsa-exponent", Demands: "the public exponent of RSA keys is odd and above 1",
		Source: "RFC 8017 §3.1", Alert: wire.AlertUnsupportedCertificate, Hint: "have it issued for a key with the exponent 65537", on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			key := otherkeys.RSA(c)
			return broken(key != nil && (key.E < 3 || key.E%2 == 0), "the RSA key of %s can be forged: its exponent is 1 or even", c)
		},
	},
	{
		Name: "signature-hash", Demands: "no certificate but the root is signed over MD5 or SHA-1 (Options.LegacySignatures)",
		Source: "RFC 6151 §2, RFC 9155", Alert: wire.AlertBadCertificate, Hint: "have it issued again with SHA-256 or better", on: onIssued,
		check: func(p *path, c *x509.Certificate) string {
			trusted := len(p.chain) == 1 && !p.open // a leaf that needs no signature
			if trusted || p.o.LegacySignatures {
				return ""
			}
			return forgeable(c)
		},
		account: func(_ *path, c *x509.Certificate) (string, error) {
			return "", x509.InsecureAlgorithmError(c.SignatureAlgorithm)
		},
	},
	{
		Name: "signature-named", Demands: "keys of RSASSA-PSS, Ed448, ML-DSA and SHA-224 sign certificates only where Options.Schemes names them",
		Source: "a limit of this library", Alert: wire.AlertBadCertificate, Hint: "have it issued by an authority with an RSA or ECDSA key, or name the scheme in SignatureSchemes", on: onIssued, whole: true,
		check: func(p *path, c *x509.Certificate) string {
			trusted := len(p.chain) == 1 && !p.open // a leaf that needs no signature
			scheme := p.named(c)
			if scheme == 0 || trusted || slices.Contains(p.o.Schemes, scheme) {
				return ""
			}
			return fmt.Sprintf("%s is signed by %v, which is off unless it is named", subject(c), scheme)
		},
	},
	{
		Name: "web-signature", Demands: "certificates are signed by RSA or ECDSA over SHA-256, SHA-384 or SHA-512", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.3.2", Alert: wire.AlertBadCertificate, Hint: "have it issued again with SHA-256 or better", on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			if a := algorithmOf(c); a != nil && (a.hash == 0 || a.hash == crypto.SHA224) {
				return fmt.Sprintf("%s is signed with %v", subject(c), a)
			}
			return forgeable(c)
		},
	},
	{
		Name: "web-key", Demands: "keys are RSA of 2048 bits or more, or ECDSA on P-256, P-384 or P-521", Profile: WebPKI,
		Source: "CA/Browser Forum BR §6.1.5", Alert: wire.AlertUnsupportedCertificate, Hint: "have it issued for RSA of 2048 bits or more, or for ECDSA on P-256", on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			switch key := c.PublicKey.(type) {
			case *rsa.PublicKey:
				return broken(key.N.BitLen() < 2048 || key.N.BitLen()%8 != 0, "the size of the RSA key of %s is not one of the web's", c)
			case *ecdsa.PublicKey:
				return broken(key.Curve == elliptic.P224(), "the key of %s is on P-224", c)
			}
			return broken(true, "the key of %s is neither RSA nor ECDSA", c)
		},
	},
}

// forgeable says that c's signature is over a hash for which two messages can be made.
func forgeable(c *x509.Certificate) string {
	if a := algorithmOf(c); a == nil || !a.forgeable {
		return ""
	}
	return fmt.Sprintf("%s is signed with %v, which can be forged", subject(c), c.SignatureAlgorithm)
}

// StrongKey checks the size of c's key alone: a leaf's signs the handshake, also
// where nobody asks which authority issued it. minRSABits is as in [Options]. The error
// is an [*Error].
func StrongKey(c *x509.Certificate, minRSABits int) error {
	p := path{chain: []*x509.Certificate{c}, o: &Options{MinRSABits: minRSABits}}
	p.o.setDefaults()
	for i := range strengthRules {
		if r := &strengthRules[i]; r.on&onLeaf != 0 && r.Profile == Interoperable {
			if breach := r.check(&p, c); breach != "" {
				return r.because(breach)
			}
		}
	}
	return nil
}
