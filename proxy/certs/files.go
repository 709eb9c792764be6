package certs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// maxFile bounds a PKCS#12 file and its password, in bytes.
const maxFile = 1 << 20

// pairOf is the pair that a certificate of the configuration stands for.
func pairOf(c config.Certificate, o Options) (p certstore.Pair, err error) {
	ways := 0
	for _, given := range []bool{c.Cert != "", c.PKCS12 != "", len(c.Development) > 0} {
		if given {
			ways++
		}
	}
	switch {
	case ways != 1 || c.ACME != nil:
		return p, errors.New("give one of cert, pkcs12, acme and development")
	case c.Cert != "":
		p = certstore.Pair{Cert: c.Cert, Key: c.Key}
		if p.Key == "" {
			p.Key = p.Cert
		}
		if o.LoadPair != nil {
			cert, key := p.Cert, p.Key
			p.Load = func() (tls.Certificate, error) { return o.LoadPair(cert, key) }
		}
		return p, nil
	case c.PKCS12 != "":
		return certstore.Pair{Cert: c.PKCS12, Key: c.PasswordFile, Load: func() (tls.Certificate, error) { return loadPKCS12(c.PKCS12, c.PasswordFile) }}, nil
	case o.Development == nil:
		return p, errors.New("development: there is no development authority here")
	}
	return certstore.Pair{
		Cert: c.Sources()[0], NoFiles: true,
		Load: func() (tls.Certificate, error) { return o.Development(c.Development) },
	}, nil
}

// loadPKCS12 reads a certificate with its chain and key. RFC 7292. The password is the first
// line of its file, and empty without one.
func loadPKCS12(file, passwordFile string) (cert tls.Certificate, err error) {
	der, err := readFile(file)
	if err != nil {
		return cert, err
	}
	var password []byte
	if passwordFile != "" {
		if password, err = readFile(passwordFile); err != nil {
			return cert, fmt.Errorf("password-file: %w", err)
		}
		password, _, _ = bytes.Cut(password, []byte("\n"))
		password = bytes.TrimSuffix(password, []byte("\r"))
	}
	key, leaf, chain, err := pkcs12.DecodeChain(der, string(password))
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption):
		return cert, errors.New("the password does not open it; put the right one into the first line of password-file")
	case err != nil:
		return cert, fmt.Errorf("it is not PKCS#12 with a certificate and its key: %w", err)
	}
	cert = tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, c := range chain {
		cert.Certificate = append(cert.Certificate, c.Raw)
	}
	if !samePublic(key, leaf.PublicKey) {
		return cert, errors.New("its private key does not belong to its certificate")
	}
	return cert, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s is larger than %d KiB", name, maxFile>>10)
	}
	return text, err
}
