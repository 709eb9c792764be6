package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	vtls "github.com/vitrine-tls/vitrine/tls"
)

const serverName = "bench.test"

// keys are the certificates that every contender uses: each leaf is signed by
// the root of its own kind, as short as a chain can be.
type keys struct {
	certs map[string]tls.Certificate // "ecdsa", "rsa2048", "mldsa44", "client"
	roots *x509.CertPool
	psk   []byte // the same for everybody: it protects nothing
}

// leaves are the files of a key folder besides ca.pem, each holding a
// certificate and its key, and the key type of leaf and root.
var leaves = map[string]func() (crypto.Signer, error){
	"ecdsa":   newECDSA,
	"rsa2048": newRSA,
	"mldsa44": newMLDSA,
	"client":  newECDSA,
}

func newECDSA() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
func newRSA() (crypto.Signer, error)   { return rsa.GenerateKey(rand.Reader, 2048) }

func newMLDSA() (crypto.Signer, error) {
	seed := make([]byte, otherkeys.MLDSASeedSize)
	rand.Read(seed) // which never errs
	return otherkeys.NewMLDSAKey(otherkeys.MLDSA44, seed), nil
}

// writeKeys makes new keys and certificates as PEM files in dir.
func writeKeys(dir string) error {
	var roots []byte
	for name, generate := range leaves {
		rootKey, err := generate()
		if err != nil {
			return err
		}
		root := template("vitrine bench root for " + name)
		root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign
		rootDER, err := devca.Certify(root, root, rootKey, rootKey)
		if err != nil {
			return err
		}
		key, err := generate()
		if err != nil {
			return err
		}
		leaf := template(name)
		leaf.DNSNames, leaf.KeyUsage = []string{serverName}, x509.KeyUsageDigitalSignature
		leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
		leafDER, err := devca.Certify(leaf, root, key, rootKey)
		if err != nil {
			return err
		}
		keyDER, err := devca.MarshalKey(key)
		if err != nil {
			return err
		}
		both := append(block("CERTIFICATE", leafDER), block("PRIVATE KEY", keyDER)...)
		if err := os.WriteFile(filepath.Join(dir, name+".pem"), both, 0o600); err != nil {
			return err
		}
		roots = append(roots, block("CERTIFICATE", rootDER)...)
	}
	if err := writeChains(dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "ca.pem"), roots, 0o600)
}

func template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true,
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// readKeys loads what writeKeys wrote.
func readKeys(dir string) (*keys, error) {
	k := &keys{certs: map[string]tls.Certificate{}, roots: x509.NewCertPool(), psk: make([]byte, 32)}
	for i := range k.psk {
		k.psk[i] = byte(0x5a + i)
	}
	for name := range leaves {
		file := filepath.Join(dir, name+".pem")
		cert, err := vtls.LoadX509KeyPair(file, file)
		if err != nil {
			return nil, err
		}
		k.certs[name] = cert
	}
	roots, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	k.roots.AppendCertsFromPEM(roots)
	return k, nil
}
