package devca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Init makes an authority of a root and an intermediate in dir, with a record of what
// they issue. Beside the names of [New] it permits the host's own and extra. Its
// certificates name url, which may be empty, as the place of their OCSP responder and
// their CRL. A folder that holds an authority, or a part of one, is left as it is.
func Init(dir, url string, extra ...string) (*CA, error) { return InitOf(ECDSA, dir, url, extra...) }

// InitOf is [Init] with keys of a kind for the root and the intermediate.
func InitOf(kind KeyType, dir, url string, extra ...string) (*CA, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{keyFile, caFile, intermediateFile, recordFile} {
		if path := filepath.Join(dir, name); exists(path) {
			return nil, fmt.Errorf("%s is there already, and an authority is never overwritten: give another folder, or delete this one if no client trusts it", path)
		}
	}
	host, _ := os.Hostname() // without a name there is one name fewer
	ca, err := newRoot(1, kind, append([]string{host}, extra...))
	if err != nil {
		return nil, err
	}
	ca.dir = dir
	if err := ca.addIntermediate(kind, url); err != nil {
		return nil, err
	}
	// The root's key comes last: without it there is no authority in the folder.
	if err := keepPair(dir, intermediateFile, ca.intermediate); err != nil {
		return nil, err
	}
	if err := ca.begin(url); err != nil {
		return nil, err
	}
	if err := ca.noteAs(rootIssued, ca.intermediate.cert); err != nil {
		return nil, err
	}
	if err := keepPair(dir, keyFile, ca.root()); err != nil {
		return nil, err
	}
	return ca, ca.publish()
}

// Manage opens the authority in dir, which must exist, and begins its record where
// there is none: one that [Open] made has none.
func Manage(dir string) (*CA, error) {
	if !exists(filepath.Join(dir, keyFile)) {
		if err := keyIsGone(dir); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%s holds no authority: make one with vitrine cert ca init --dir %s", dir, dir)
	}
	ca, _, err := Open(dir)
	if err != nil {
		return nil, err
	}
	if !ca.managed() {
		err = ca.begin("")
	}
	return ca, err
}

// Intermediate returns the certificate that issues leaves, nil where the root does.
func (ca *CA) Intermediate() *x509.Certificate {
	if ca.intermediate == nil {
		return nil
	}
	return ca.intermediate.cert
}

func (ca *CA) addIntermediate(kind KeyType, url string) error {
	key, err := newKey[kind]()
	if err != nil {
		return err
	}
	name := ca.Cert.Subject.CommonName
	template := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject: pkix.Name{
			CommonName:   strings.Replace(name, " CA ", " intermediate CA ", 1),
			Organization: ca.Cert.Subject.Organization,
		},
		NotBefore:             ca.Cert.NotBefore,
		NotAfter:              ca.Cert.NotAfter,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	pointTo(template, url, true)
	der, err := Certify(template, ca.Cert, key, ca.key)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(der)
	ca.intermediate = &issuer{cert, key}
	return err
}

// Where an authority's URL has what, below it. The responder itself is at the URL.
const (
	PathIssuer    = "/issuer.crt" // the certificate that issues leaves, in DER
	PathIssuerCRL = "/issuer.crl" // its CRL, in DER
	PathRoot      = "/root.crt"
	PathRootCRL   = "/root.crl"
)

// pointTo tells in template where its issuer has its certificate, CRL and responder.
func pointTo(template *x509.Certificate, url string, byRoot bool) {
	if url == "" {
		return
	}
	issuer, crl := PathIssuer, PathIssuerCRL
	if byRoot {
		issuer, crl = PathRoot, PathRootCRL
	}
	base := strings.TrimSuffix(url, "/")
	template.OCSPServer = []string{url}
	template.IssuingCertificateURL = []string{base + issuer}
	template.CRLDistributionPoints = []string{base + crl}
}

// point is pointTo with the URL of the record, where there is one.
func (ca *CA) point(template *x509.Certificate, byRoot bool) error {
	if !ca.managed() {
		return nil
	}
	r, err := ca.Record()
	if err != nil {
		return err
	}
	pointTo(template, r.URL, byRoot)
	return nil
}

// keepPair writes a new file, and never over another.
func keepPair(dir, name string, of *issuer) error {
	tmp, err := writePair(dir, of.cert, of.key)
	if err != nil {
		return err
	}
	return errors.Join(os.Link(tmp, filepath.Join(dir, name)), os.Remove(tmp))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
