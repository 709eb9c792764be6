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
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
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
	if k.isRSA() && k != keyRSA1024 && k != keyPSSKey {
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
		if k.other() {
			if err := p.issueByOpenSSL(k, caKey); err != nil {
				return nil, err
			}
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

// issueByOpenSSL makes a certificate for a key that crypto/x509 does not write; without the
// program there is none, and no cell wants it.
func (p *pki) issueByOpenSSL(k keyType, caKey crypto.Signer) error {
	if !haveOpenSSL() {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(caKey)
	if err != nil {
		return err
	}
	request, extensions := p.file(string(k)+".csr"), p.file(string(k)+".ext")
	for name, text := range map[string][]byte{
		p.file("ca.key"): pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		extensions: []byte("subjectAltName=DNS:" + serverName + ",IP:127.0.0.1\nkeyUsage=critical,digitalSignature\n" +
			"extendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=critical,CA:false\n"),
	} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			return err
		}
	}
	genpkey := map[keyType]string{keyPSSKey: "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048", keyEd448: "-algorithm ed448"}
	for _, step := range [][]string{
		append(strings.Fields("genpkey -quiet "+genpkey[k]), "-out", p.keyFile(k)),
		{"req", "-new", "-key", p.keyFile(k), "-subj", "/CN=" + string(k), "-out", request},
		{"x509", "-req", "-in", request, "-CA", p.caFile(), "-CAkey", p.file("ca.key"), "-set_serial", "100",
			"-days", "2", "-extfile", extensions, "-out", p.certFile(k)},
	} {
		if out, err := exec.Command("openssl", step...).CombinedOutput(); err != nil {
			return fmt.Errorf("openssl %s: %w\n%s", strings.Join(step, " "), err, out)
		}
	}
	p.certs[k], err = tls.LoadX509KeyPair(p.certFile(k), p.keyFile(k))
	return err
}

var haveOpenSSL = sync.OnceValue(func() bool {
	_, err := exec.LookPath("openssl")
	return err == nil
})

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
