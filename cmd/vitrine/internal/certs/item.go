package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ocsp"
)

// Kind is what an Item is.
type Kind string

const (
	ACertificate Kind = "certificate"
	APrivateKey  Kind = "private key"
	ARequest     Kind = "certificate request"
	ACRL         Kind = "certificate revocation list"
	AnOCSP       Kind = "OCSP response"
)

// Item is one thing in a file.
type Item struct {
	Kind Kind
	Form string // how it was written: "PEM", "DER", "PKCS#12", ...
	DER  []byte
	// Certificate is nil where crypto/x509 refuses to read it; Err is why.
	Certificate *x509.Certificate
	Err         error
	// Key is a private key; nil for an encrypted one without its password, whose cipher
	// Encryption names.
	Key        any
	Encryption string
	Request    *x509.CertificateRequest
	CRL        *x509.RevocationList
	OCSP       *ocsp.Response
}

// errPassword is for what is encrypted, with a password that is missing or wrong.
var errPassword = errors.New("it is encrypted, and its password was not given or is wrong; give it with --password-file FILE")

// format is a form of one kind of item.
type format struct {
	name string
	pem  []string // the types of its PEM blocks
	// is tells by the first look that der is of this format, so that no other is tried;
	// nil where only read can tell.
	is   func(der []byte) bool
	read func(der, password []byte) ([]Item, error)
}

// formats are in the order in which they are tried.
var formats = []format{
	{"PKCS#7", []string{"PKCS7", "CMS"}, isPKCS7, readPKCS7},
	{"PKCS#12", []string{"PKCS12"}, isPKCS12, readPKCS12},
	{"encrypted PKCS#8", []string{"ENCRYPTED PRIVATE KEY"}, isEncryptedPKCS8, readEncryptedPKCS8},
	{"", []string{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}, nil, readCertificate},
	{"", []string{"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"}, nil, readRequest},
	{"", []string{"X509 CRL"}, nil, readCRL},
	{"", []string{"OCSP RESPONSE"}, nil, readOCSP},
	{"PKCS#8", []string{"PRIVATE KEY"}, nil, readPKCS8},
	{"PKCS#1", []string{"RSA PRIVATE KEY"}, nil, readPKCS1},
	{"SEC 1", []string{"EC PRIVATE KEY"}, nil, readSEC1},
}

// Parse finds everything in a file: blocks of PEM, or one thing in DER. password is for
// what is encrypted; empty for none. An error says which part is not understood.
func Parse(data, password []byte) (items []Item, err error) {
	if !bytes.Contains(data, []byte("-----BEGIN ")) {
		return parseDER(data, password)
	}
	n := 0
	for rest := data; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		found, err := parseBlock(block, password)
		if err != nil {
			return nil, fmt.Errorf("block %d (%s): %w", n+1, block.Type, err)
		}
		items = append(items, found...)
	}
	if n == 0 {
		return nil, errors.New("its PEM is broken: no block in it is whole")
	}
	if len(items) == 0 {
		return nil, errors.New("it holds no certificate, key, request, list or OCSP response")
	}
	return items, nil
}

func parseBlock(block *pem.Block, password []byte) ([]Item, error) {
	if block.Headers["DEK-Info"] != "" {
		return []Item{{Kind: APrivateKey, Form: "PEM", DER: block.Bytes, Encryption: "by OpenSSL's old format, which anyone can undo who tries passwords"}}, nil
	}
	for _, f := range formats {
		for _, t := range f.pem {
			if t == block.Type {
				return f.items(block.Bytes, password, "PEM")
			}
		}
	}
	return nil, nil // "DH PARAMETERS", "EC PARAMETERS" and the like stand beside keys
}

func parseDER(der, password []byte) ([]Item, error) {
	for _, f := range formats {
		if f.is != nil && !f.is(der) {
			continue
		}
		if items, err := f.items(der, password, "DER"); err == nil || f.is != nil {
			return items, err
		}
	}
	if _, err := x509.ParseCertificate(der); len(der) > 0 && der[0] == 0x30 {
		return nil, fmt.Errorf("its format is not known; as a certificate: %w", err)
	}
	return nil, errors.New("it is neither PEM nor DER")
}

func (f *format) items(der, password []byte, form string) ([]Item, error) {
	items, err := f.read(der, password)
	if f.name != "" {
		form += ", " + f.name
	}
	for i := range items {
		items[i].Form = form
	}
	return items, err
}
