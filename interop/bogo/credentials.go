package main

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// signer notes that a credential was used. It also hides the type of the key,
// as a key in hardware would.
type signer struct {
	crypto.Signer
	used func()
}

func (s signer) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.used()
	return s.Signer.Sign(rand, digest, opts)
}

type decrypter struct {
	signer
	crypto.Decrypter
}

func (d decrypter) Public() crypto.PublicKey { return d.signer.Public() }

func (d decrypter) Decrypt(rand io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	d.used()
	return d.Decrypter.Decrypt(rand, msg, opts)
}

// load reads the certificate and its key; used is called when it signs.
func (c *credential) load(used func()) (cert tls.Certificate, err error) {
	switch {
	case c.raw:
		cert.PrivateKey, err = loadKey(c.keyFile)
	case c.delegated != nil:
		return c.delegator()
	default:
		cert, err = tls.LoadX509KeyPair(c.certFile, c.keyFile)
	}
	if err != nil {
		return cert, err
	}
	key := signer{cert.PrivateKey.(crypto.Signer), used}
	cert.PrivateKey = key
	if d, ok := key.Signer.(crypto.Decrypter); ok {
		cert.PrivateKey = decrypter{key, d}
	}
	for _, scheme := range c.signing {
		cert.SupportedSignatureAlgorithms = append(cert.SupportedSignatureAlgorithms, tls.SignatureScheme(scheme))
	}
	cert.OCSPStaple = c.ocsp
	cert.SignedCertificateTimestamps, err = splitSCTs(c.scts)
	return cert, err
}

// certificates loads the credentials, the default one last.
func (o *options) certificates(c *tls.Config, w *watch) error {
	w.selected = -1
	var matchIssuer []bool
	var delegates delegates
	for i, from := range append(slices.Clone(o.credentials), o.legacy) {
		if from.certFile == "" && !from.raw {
			continue
		}
		if i == len(o.credentials) {
			i = -1
		}
		if len(from.signing) == 0 {
			from.signing = o.signing
		}
		cert, err := from.load(func() { w.selected = i })
		if err != nil {
			return err
		}
		if o.declineOCSP {
			cert.OCSPStaple = nil
		}
		if from.delegated != nil {
			if err := delegates.add(&from, &cert, func() { w.selected = i }); err != nil {
				return err
			}
		}
		o.show(c, from.raw)
		if from.raw && o.server {
			c.RawPublicKeys.Keys = append(c.RawPublicKeys.Keys, cert)
			continue
		}
		c.Certificates, matchIssuer = append(c.Certificates, cert), append(matchIssuer, from.matchIssuer)
	}
	if len(delegates) > 0 {
		c.Delegation.Get = delegates.get
	}
	switch {
	case !o.server:
		c.GetClientCertificate = o.choose(c.Certificates, matchIssuer, w)
	case slices.Contains(matchIssuer, true):
		c.GetCertificate, c.Certificates = chooseByIssuer(c.Certificates, matchIssuer, w), nil
	}
	return nil
}

// chooseByIssuer is a server's choice by what the client says in
// certificate_authorities. The credentials differ in nothing else.
func chooseByIssuer(from []tls.Certificate, matchIssuer []bool, w *watch) func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		for i := range from {
			issued := func(der []byte) bool {
				cert, err := x509.ParseCertificate(der)
				return err == nil && slices.ContainsFunc(w.authorities, func(name []byte) bool { return bytes.Equal(name, cert.RawIssuer) })
			}
			if !matchIssuer[i] || slices.ContainsFunc(from[i].Certificate, issued) {
				return &from[i], nil
			}
		}
		return nil, &tls.HandshakeError{Alert: wire.AlertHandshakeFailure, Rule: "no credential fits the request"}
	}
}

// choose is a client's choice of certificate. BoringSSL looks at the authorities
// that the server names only for credentials that must match one, and fails where
// it has credentials and none of them fits.
//
// Up to TLS 1.1 a CertificateRequest names no schemes, and SupportsCertificate cannot
// tell that Ed25519 came later.
func (o *options) choose(from []tls.Certificate, matchIssuer []bool, w *watch) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if err := o.expect.request(info, w); err != nil {
			return nil, err
		}
		if o.failCertCallback {
			return nil, errors.New("the certificate callback fails")
		}
		for i := range from {
			asked := *info
			if !matchIssuer[i] {
				asked.AcceptableCAs = nil
			}
			if raw := len(from[i].Certificate) == 0; raw != (w.clientType == tls.CertificateTypeRawPublicKey) {
				continue
			}
			_, new12 := from[i].PrivateKey.(crypto.Signer).Public().(ed25519.PublicKey)
			if supports(&asked, &from[i]) && !(new12 && info.Version < tls.VersionTLS12) {
				return &from[i], nil
			}
		}
		if len(from) > 0 {
			return nil, &tls.HandshakeError{Alert: wire.AlertHandshakeFailure, Rule: "no credential fits the request"}
		}
		return new(tls.Certificate), nil
	}
}

// supports is SupportsCertificate, for ML-DSA too, which crypto/tls does not know: its keys
// are for TLS 1.3, whichever authorities the server names.
func supports(info *tls.CertificateRequestInfo, cert *tls.Certificate) bool {
	if s := tls.PKCS1WithSHA256Legacy; info.Version >= tls.VersionTLS13 && slices.Contains(cert.SupportedSignatureAlgorithms, s) && slices.Contains(info.SignatureSchemes, s) {
		return true // which crypto/tls does not know either
	}
	if cert.Leaf == nil { // a raw public key
		return info.SupportsCertificate(cert) == nil
	}
	scheme, mldsa := mldsaSchemes[otherkeys.Name(cert.Leaf)]
	if mldsa {
		return info.Version >= tls.VersionTLS13 && slices.Contains(info.SignatureSchemes, scheme)
	}
	return info.SupportsCertificate(cert) == nil
}

var mldsaSchemes = map[string]tls.SignatureScheme{"ML-DSA-44": tls.MLDSA44, "ML-DSA-65": tls.MLDSA65, "ML-DSA-87": tls.MLDSA87}

// splitSCTs takes a list of certificate timestamps apart. RFC 6962 §3.3.
func splitSCTs(list []byte) (scts [][]byte, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	if len(list) < 4 || int(list[0])<<8|int(list[1]) != len(list)-2 {
		return nil, errors.New("the list of SCTs is empty or cut off")
	}
	for list = list[2:]; len(list) >= 2; {
		n := int(list[0])<<8 | int(list[1])
		if n == 0 || len(list) < 2+n {
			return nil, errors.New("the list of SCTs is empty or cut off")
		}
		scts, list = append(scts, list[2:2+n]), list[2+n:]
	}
	return scts, nil
}
