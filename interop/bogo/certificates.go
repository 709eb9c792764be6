package main

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// loadKey reads a private key in PKCS #8.
func loadKey(file string) (crypto.Signer, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM in " + file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	return key.(crypto.Signer), nil
}

// authentications are all settings of certificates and what stands in their place.
func (o *options) authentications(c *tls.Config, w *watch) error {
	o.compressions(c)
	o.rawKeys(c, w)
	err := o.certificates(c, w)
	if len(c.RawPublicKeys.Show) == 1 { // what is shown before a server has said what it wants
		w.clientType = c.RawPublicKeys.Show[0]
	}
	return err
}

// show adds the type of a credential to those that we show, in their order.
func (o *options) show(c *tls.Config, raw bool) {
	t := tls.CertificateTypeX509
	if raw {
		t = tls.CertificateTypeRawPublicKey
	}
	if len(o.availableTypes) == 0 && !slices.Contains(c.RawPublicKeys.Show, t) {
		c.RawPublicKeys.Show = append(c.RawPublicKeys.Show, t)
	}
}

// rawKeys says which types of certificate are shown and taken.
func (o *options) rawKeys(c *tls.Config, w *watch) {
	for _, t := range o.availableTypes {
		c.RawPublicKeys.Show = append(c.RawPublicKeys.Show, tls.CertificateType(t))
	}
	for _, t := range o.acceptedTypes {
		c.RawPublicKeys.Accept = append(c.RawPublicKeys.Accept, tls.CertificateType(t))
	}
	if slices.Contains(c.RawPublicKeys.Accept, tls.CertificateTypeRawPublicKey) {
		c.RawPublicKeys.Verify = func(tls.PeerKey) error {
			if o.verifyFail && (w.peerShowed || o.reverifyOnResume) {
				return &tls.HandshakeError{Alert: wire.AlertHandshakeFailure, Rule: "the verify callback refuses the certificate"}
			}
			return nil
		}
	}
}

// peerKey checks how the peer has shown its key.
func (e *expectations) peerKeyOf(state *tls.State, server bool) error {
	shown := state.ServerCertificateType
	if server {
		shown = state.ClientCertificateType
	}
	key := state.PeerRawPublicKey
	switch {
	case e.peerTypeSet && state.Resumption == "none" && int(shown) != e.peerType:
		return fmt.Errorf("the peer showed a %v", shown)
	case e.peerKey == nil:
		return nil
	case key == nil:
		return errors.New("the peer showed no raw public key")
	}
	if digest := sha256.Sum256(key.Info); !bytes.Equal(digest[:], e.peerKey) {
		return fmt.Errorf("the peer's raw public key is %x, wanted %x", digest, e.peerKey)
	}
	return nil
}

// delegates are delegated credentials, in the order of the flags.
type delegates []*tls.DelegatedCredential

func (d delegates) get(*tls.Certificate) []*tls.DelegatedCredential { return d }

func (d *delegates) add(from *credential, cert *tls.Certificate, used func()) error {
	key, err := loadKey(from.keyFile)
	if err != nil {
		return err
	}
	one, err := tls.NewDelegatedCredential(cert, from.delegated, signer{key, used})
	*d = append(*d, one)
	return err
}

// delegator is the certificate of a delegated credential, whose own key is not at hand.
func (c *credential) delegator() (cert tls.Certificate, err error) {
	text, err := os.ReadFile(c.certFile)
	if err != nil {
		return cert, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		cert.Certificate = append(cert.Certificate, block.Bytes)
	}
	if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
		return cert, err
	}
	// The runner's certificates lack DelegationUsage, without which every client of ours
	// refuses a credential; so the shim lends them one.
	cert.Leaf.KeyUsage |= x509.KeyUsageDigitalSignature
	cert.Leaf.Extensions = append(cert.Leaf.Extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 44363, 44}})
	cert.PrivateKey = absent{cert.Leaf.PublicKey}
	return cert, nil
}

// absent is a key that others have.
type absent struct{ public crypto.PublicKey }

func (a absent) Public() crypto.PublicKey { return a.public }

func (a absent) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is not at hand")
}

// The runner's algorithms, and their numbers.
const (
	shrinking wire.CertificateCompression = 0xff01
	expanding wire.CertificateCompression = 0xff02
	random    wire.CertificateCompression = 0xff03
)

var errCompressed = errors.New("the compressed certificate is wrong")

// prefixed has a prefix in one of the two forms only.
func prefixed(id wire.CertificateCompression, compressed, plain []byte) certcompress.Algorithm {
	swap := func(b, from, to []byte) ([]byte, error) {
		if !bytes.HasPrefix(b, from) {
			return nil, errCompressed
		}
		return append(bytes.Clone(to), b[len(from):]...), nil
	}
	return certcompress.Algorithm{
		ID: id, Always: true,
		Compress: func(src []byte) ([]byte, error) { return swap(src, plain, compressed) },
		Decompress: func(dst, src []byte) error {
			b, err := swap(src, compressed, plain)
			if err == nil && copy(dst, b) != len(b) || len(b) != len(dst) {
				return errCompressed
			}
			return err
		},
	}
}

// compressions are those that the flags install, best first.
func (o *options) compressions(c *tls.Config) {
	for _, a := range []certcompress.Algorithm{
		prefixed(expanding, []byte{1, 2, 3, 4}, nil), prefixed(shrinking, nil, []byte{0, 0}), prefixed(random, []byte{7}, nil),
	} {
		if o.compressAll || int(a.ID) == o.compressBy {
			c.CertificateCompression = append(c.CertificateCompression, a)
		}
	}
}
