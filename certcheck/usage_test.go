package certcheck

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func TestKeyUsage(t *testing.T) {
	root := authority(t, "Root", nil)
	with := func(u x509.KeyUsage) change { return func(c *x509.Certificate) { c.KeyUsage = u } }
	ed25519 := func(u x509.KeyUsage) *x509.Certificate { return server(t, root, with(u)).Certificate }
	rsa := func(u x509.KeyUsage) *x509.Certificate {
		return sign(t, template("RSA", []change{with(u)}), rsa1024(), rsa1024().Public(), root).Certificate
	}
	const digital, encipher = x509.KeyUsageDigitalSignature, x509.KeyUsageKeyEncipherment
	for name, tc := range map[string]struct {
		cert            *x509.Certificate
		signs, decrypts bool
	}{
		"RSA without the extension":     {rsa(0), true, true},
		"RSA for signatures":            {rsa(digital), true, false},
		"RSA for encryption":            {rsa(encipher), false, true},
		"RSA for both":                  {rsa(digital | encipher), true, true},
		"RSA for neither":               {rsa(x509.KeyUsageCertSign), false, false},
		"Ed25519 without the extension": {ed25519(0), true, false},
		"Ed25519 for signatures":        {ed25519(digital), true, false},
		"Ed25519 for encryption":        {ed25519(encipher), false, false},
	} {
		for _, check := range []struct {
			what string
			err  error
			good bool
		}{{"signs", SignatureKeyUsage(tc.cert), tc.signs}, {"decrypts", EncryptionKeyUsage(tc.cert), tc.decrypts}} {
			var e *Error
			if check.good != (check.err == nil) || !check.good && (!errors.As(check.err, &e) || e.Alert != wire.AlertUnsupportedCertificate || e.Hint == "") {
				t.Errorf("%s, %s: got %v, want good: %v", name, check.what, check.err, check.good)
			}
		}
	}
}
