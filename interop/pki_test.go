package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
)

// serverName is what every client asks for and verifies.
const serverName = "localhost"

// pki is the CA and one certificate for each kind of key, in memory and as
// files. One certificate serves both roles.
type pki struct {
	dir   string
	pool  *x509.CertPool
	certs map[keyType]stdtls.Certificate
}

func (p *pki) file(name string) string     { return filepath.Join(p.dir, name) }
func (p *pki) caFile() string              { return p.file("ca.pem") }
func (p *pki) certFile(k keyType) string   { return p.file(string(k.base()) + ".pem") }
func (p *pki) keyFile(k keyType) string    { return p.file(string(k.base()) + ".key") }
func (p *pki) pkcs12File(k keyType) string { return p.file(string(k.base()) + ".p12") }

// base is the key type that has a certificate: the RSA types of one size share it.
func (k keyType) base() keyType {
	if k.isRSA() && k != keyRSA1024 {
		return keyRSA
	}
	return k
}

// shared is the one pki of the test run; TestMain removes its files.
var shared = sync.OnceValues(func() (*pki, error) { return newPKI(workDir) })

func newPKI(dir string) (*pki, error) {
	p := &pki{dir: dir, pool: x509.NewCertPool(), certs: map[keyType]stdtls.Certificate{}}
	caKey, err := newKey(keyP256)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "vitrine interop CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, err
	}
	if ca, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	p.pool.AddCert(ca)
	if err := writePEM(p.caFile(), "CERTIFICATE", der); err != nil {
		return nil, err
	}
	for i, k := range keyTypes {
		if k != k.base() {
			continue
		}
		if err := p.issue(k, int64(i+2), ca, caKey); err != nil {
			return nil, err
		}
	}
	return p, p.writeDH()
}

func (p *pki) issue(k keyType, serial int64, ca *x509.Certificate, caKey crypto.Signer) error {
	key, err := newKey(k)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: string(k)},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		DNSNames: []string{serverName}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if k.isRSA() {
		leaf.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	der, err := devca.Certify(leaf, ca, key, caKey)
	if err != nil {
		return err
	}
	pkcs8, err := pkcs8Of(key)
	if err != nil {
		return err
	}
	p.certs[k] = stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	if err := writePEM(p.keyFile(k), "PRIVATE KEY", pkcs8); err != nil {
		return err
	}
	return writePEM(p.certFile(k), "CERTIFICATE", der)
}

func pkcs8Of(key crypto.Signer) ([]byte, error) {
	if k, ok := key.(*devca.DSAKey); ok {
		return k.PKCS8()
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

func newKey(k keyType) (crypto.Signer, error) {
	switch k {
	case keyRSA1024:
		return rsa.GenerateKey(rand.Reader, 1024)
	case keyDSA:
		return devca.NewDSAKey()
	case keyP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case keyP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case keyP521:
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case keyEd25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
