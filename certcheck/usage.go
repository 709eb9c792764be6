package certcheck

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// SignatureKeyUsage checks that c's key may sign a handshake: every TLS 1.3
// certificate, (EC)DHE in TLS 1.2, and a client's CertificateVerify. A
// certificate without the key usage extension may do all. RFC 8446 §4.4.2.2.
func SignatureKeyUsage(c *x509.Certificate) error {
	return keyUsage(c, x509.KeyUsageDigitalSignature, "signing", "digitalSignature")
}

// EncryptionKeyUsage checks that c's key may decrypt a premaster secret, as
// RSA key exchange has it do. RFC 5246 §7.4.2.
func EncryptionKeyUsage(c *x509.Certificate) error {
	if _, ok := c.PublicKey.(*rsa.PublicKey); !ok {
		return &Error{
			Alert:  wire.AlertUnsupportedCertificate,
			Reason: fmt.Sprintf("RSA key exchange needs an RSA key; that of %s is %s", subject(c), cmp.Or(otherkeys.Name(c), c.PublicKeyAlgorithm.String())),
			Hint:   "agree on an ECDHE cipher suite, or use a certificate with an RSA key",
		}
	}
	return keyUsage(c, x509.KeyUsageKeyEncipherment, "encryption", "keyEncipherment")
}

func keyUsage(c *x509.Certificate, bit x509.KeyUsage, what, name string) error {
	if c.KeyUsage == 0 || c.KeyUsage&bit != 0 {
		return nil
	}
	return &Error{
		Alert:  wire.AlertUnsupportedCertificate,
		Reason: fmt.Sprintf("the key of %s is not meant for %s (its key usage lacks %s)", subject(c), what, name),
		Hint:   "have it issued with " + name + ", or agree on a cipher suite that uses the key as it may be used; Legacy.AnyKeyUsage takes it even so",
	}
}
