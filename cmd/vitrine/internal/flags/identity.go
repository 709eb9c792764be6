package flags

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/tls"
)

// Identity names our own certificate.
type Identity struct{ Cert, key string }

func (f *Identity) Register(cmd *cobra.Command, whose string) {
	cmd.Flags().StringVar(&f.Cert, "cert", "", whose+" certificate chain, a PEM `file`")
	cmd.Flags().StringVar(&f.key, "key", "", "its private key, a PEM `file` (default: in the file of --cert)")
}

// Load returns the certificate, or ok false without the flags.
func (f *Identity) Load() (cert tls.Certificate, ok bool, err error) {
	switch {
	case f.Cert == "" && f.key == "":
		return tls.Certificate{}, false, nil
	case f.Cert == "":
		return tls.Certificate{}, false, report.Usagef("--key needs --cert beside it")
	}
	chain, err := readPEM("cert", f.Cert)
	if err != nil {
		return tls.Certificate{}, false, err
	}
	certs, err := chain.certificates()
	if err != nil {
		return tls.Certificate{}, false, err
	}
	keys := chain
	if f.key != "" {
		if keys, err = readPEM("key", f.key); err != nil {
			return tls.Certificate{}, false, err
		}
	}
	switch key := keys.of("PRIVATE KEY"); {
	case len(key) == 0 && f.key == "":
		return tls.Certificate{}, false, report.Usagef("--cert: %s holds no private key; give it with --key FILE", f.Cert)
	case len(key) == 0:
		return tls.Certificate{}, false, keys.without("private key")
	}
	cert, err = tls.X509KeyPair(chain.data, keys.data)
	if err != nil {
		return tls.Certificate{}, false, mismatch(chain, keys, certs)
	}
	return cert, true, nil
}

// RSA returns the RSA private keys in the file of --key, none without the flag: what opens
// captures of key exchanges by RSA.
func (f *Identity) RSA() (keys []*rsa.PrivateKey, err error) {
	if f.key == "" {
		return nil, nil
	}
	file, err := readPEM("key", f.key)
	if err != nil {
		return nil, err
	}
	blocks := file.of("PRIVATE KEY")
	if len(blocks) == 0 {
		return nil, file.without("private key")
	}
	for _, block := range blocks {
		if is, do := unusable(block); is != "" {
			return nil, file.fault(is, do)
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			keys = append(keys, key)
		} else if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := key.(*rsa.PrivateKey); ok {
				keys = append(keys, key)
			}
		}
	}
	if len(keys) == 0 {
		return nil, report.Usagef("--key: %s holds no RSA key; only a key exchange by RSA can be opened with a private key", f.key)
	}
	return keys, nil
}

// Show lets config show the certificate to a server that asks for one, whichever
// authorities that names: only the certificate's key must be able to sign as it asks.
// It reports whether there is a certificate.
func (f *Identity) Show(config *tls.Config) (given bool, err error) {
	cert, given, err := f.Load()
	if err != nil || !given {
		return false, err
	}
	config.Certificates = []tls.Certificate{cert}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	return true, nil
}

// mismatch says why certificate and key are no pair.
func mismatch(chain, keys *pemFile, certs []*x509.Certificate) error {
	block := keys.of("PRIVATE KEY")[0]
	if is, do := unusable(block); is != "" {
		return keys.fault(is, do)
	}
	for i, c := range certs[1:] {
		if _, err := tls.X509KeyPair(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), keys.data); err == nil {
			return chain.fault("begins with the certificate of "+named(certs[0])+", and the key is that of "+named(c),
				"put certificate "+strconv.Itoa(i+2)+" of the file first, then those of the authorities above it, each before the one that signed it")
		}
	}
	return report.Usagef("the private key of --%s %s does not match the certificate of %s in --cert %s; give the key that was made with it",
		keys.flag, keys.name, named(certs[0]), chain.name)
}

// named is a certificate's subject, quoted: a file may come from anywhere.
func named(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return strconv.Quote(c.Subject.CommonName)
	}
	return strconv.Quote(c.Subject.String())
}

func parseKey(der []byte) bool {
	_, pkcs8 := x509.ParsePKCS8PrivateKey(der)
	_, pkcs1 := x509.ParsePKCS1PrivateKey(der)
	_, sec1 := x509.ParseECPrivateKey(der)
	_, other := otherkeys.ParsePrivate(der)
	return pkcs8 == nil || pkcs1 == nil || sec1 == nil || other == nil
}

// limited is for an RSASSA-PSS key that cannot sign as TLS wants.
func limited(der []byte) bool {
	key, err := otherkeys.ParsePrivate(der)
	return err == nil && !otherkeys.SignsTLS(key)
}

// unusable says what a key is that cannot be used; empty for one that can.
func unusable(block *pem.Block) (is, do string) {
	switch {
	case strings.HasPrefix(block.Type, "ENCRYPTED") || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
		return "holds a private key that is encrypted", "take the password off: openssl pkey -in FILE -out new.pem"
	case block.Type == "OPENSSH PRIVATE KEY":
		return "holds a key of SSH", "give the key that the certificate was made with"
	case limited(block.Bytes):
		return "holds a private key of the kind RSASSA-PSS whose parameters allow none of TLS's signatures", "have a certificate issued for a key without parameters, or for SHA-256 with a salt of 32 bytes"
	case parseKey(block.Bytes), strings.HasPrefix(block.Type, "DSA "):
		return "", ""
	}
	var key struct {
		Version   int
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Key []byte
	}
	if _, err := asn1.Unmarshal(block.Bytes, &key); err != nil {
		return "holds a private key that is damaged", "copy it anew"
	}
	if key.Algorithm.OID.Equal(dsaOID) {
		return "", ""
	}
	kind := "of a kind that vitrine does not have (" + key.Algorithm.OID.String() + ")"
	if name := otherkeys.AlgorithmName(key.Algorithm.OID.String()); name != "" {
		kind = "of the kind " + name + ", which is shown and not used"
	}
	if name, ok := keyKinds[key.Algorithm.OID.String()]; ok {
		kind = name
	}
	return "holds a private key " + kind, "have a certificate issued for an RSA, ECDSA (P-256, P-384, P-521) or Ed25519 key"
}

// dsaOID is that of DSA keys, which package tls reads and crypto/x509 does not.
// RFC 3279 §2.3.2.
var dsaOID = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}

// keyKinds are keys for which vitrine has no use, by their algorithm.
var keyKinds = map[string]string{
	"1.2.840.113549.1.1.10": "of the kind RSASSA-PSS with parameters that vitrine does not have",
	"1.3.101.113":           "of the kind Ed448 that is damaged",

	"2.16.840.1.101.3.4.3.17": "of the kind ML-DSA-44 that is damaged",
	"2.16.840.1.101.3.4.3.18": "of the kind ML-DSA-65 that is damaged",
	"2.16.840.1.101.3.4.3.19": "of the kind ML-DSA-87 that is damaged",

	"1.3.101.110":       "of the kind X25519, which cannot sign",
	"1.3.101.111":       "of the kind X448, which cannot sign",
	"1.2.840.10045.2.1": "on an elliptic curve that vitrine does not have",
}

// Authorities reads the certificates to trust from a PEM file, of which each must be
// readable: one that was left out would be missed in silence.
func Authorities(flag, file string) ([]*x509.Certificate, error) {
	f, err := readPEM(flag, file)
	if err != nil {
		return nil, err
	}
	return f.certificates()
}

// Pool is a pool of [Authorities].
func Pool(flag, file string) (*x509.CertPool, error) {
	certs, err := Authorities(flag, file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}
