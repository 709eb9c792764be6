// Package devca is a certificate authority for development: in memory for one
// run ([New]), kept in a folder so that it need be trusted only once ([Open]), or
// there as a root with an intermediate, a record of all that was issued, a CRL and
// an OCSP responder ([Init], [Manage]).
//
// The authority is name-constrained (RFC 5280 §4.2.1.10) to this machine and to
// private networks: anyone who steals its key, or trusts it by mistake, cannot be
// shown a forged certificate for a public site.
package devca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

const (
	caLifetime = 10 * 365 * 24 * time.Hour
	// Browsers refuse server certificates of more than 397 days (825 on macOS
	// even from a local authority); a short life costs nothing where renewal is
	// automatic.
	leafLifetime = 90 * 24 * time.Hour
	// backdate forgives a client whose clock is a little slow.
	backdate = time.Hour
)

// KeyType is the kind of key a certificate is issued for.
type KeyType int

const (
	ECDSA   KeyType = iota // P-256
	RSA                    // 2048 bits
	Ed25519                // RFC 8410
	DSA                    // 2048 bits, for DHE_DSS suites
	MLDSA44                // for TLS 1.3 alone, as the next two: RFC 9881
	MLDSA65
	MLDSA87
)

var newKey = map[KeyType]func() (crypto.Signer, error){
	ECDSA: func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	RSA:   func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
	Ed25519: func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	},
	DSA:     func() (crypto.Signer, error) { return NewDSAKey() },
	MLDSA44: newMLDSA(otherkeys.MLDSA44),
	MLDSA65: newMLDSA(otherkeys.MLDSA65),
	MLDSA87: newMLDSA(otherkeys.MLDSA87),
}

func newMLDSA(set otherkeys.MLDSA) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) {
		seed := make([]byte, otherkeys.MLDSASeedSize)
		rand.Read(seed) // which never errs
		return otherkeys.NewMLDSAKey(set, seed), nil
	}
}

// CA is a development authority. It is safe for concurrent use.
type CA struct {
	// Cert is the root's.
	Cert *x509.Certificate
	key  crypto.Signer
	dir  string // empty: in memory
	// intermediate issues; without one the root does.
	intermediate *issuer
}

// issuer is a certificate that signs others, with its key.
type issuer struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// issuer is what signs leaves.
func (ca *CA) issuer() *issuer {
	if ca.intermediate != nil {
		return ca.intermediate
	}
	return ca.root()
}

func (ca *CA) root() *issuer { return &issuer{ca.Cert, ca.key} }

// Leaf says what to certify.
type Leaf struct {
	// Names are DNS names and IP addresses; the first is also the common name.
	Names []string
	Key   KeyType
	// Client makes a client's certificate. A lone name need not be a DNS name and
	// stands in the subject only; of several only the first may be of another kind.
	Client bool
	// MustStaple has clients refuse a server without an OCSP response. RFC 7633.
	MustStaple bool
	// Delegation lets the key delegate to others for some days. RFC 9345 §4.2.
	Delegation bool
	// Request asks for a certificate for a key of its own, and for its names where
	// Names is empty. Its signature must have been checked.
	Request *x509.CertificateRequest
	// NotBefore and NotAfter are for tests that need an expired certificate;
	// zero: from an hour ago, for 90 days.
	NotBefore, NotAfter time.Time
}

// New makes an authority that exists in memory only. It permits localhost, test,
// local, home.arpa, internal and the DNS names in extra with what is below them, and
// the loopback and private addresses.
func New(extra ...string) (*CA, error) { return newRoot(0, ECDSA, extra) }

// newRoot makes a root above depth levels of other authorities.
func newRoot(depth int, kind KeyType, extra []string) (*CA, error) {
	key, err := newKey[kind]()
	if err != nil {
		return nil, err
	}
	serial := newSerial()
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		// The serial number's start tells two authorities of one machine apart
		// in a browser's list.
		Subject: pkix.Name{
			CommonName:   fmt.Sprintf("vitrine development CA %x", serial.Bytes()[:4]),
			Organization: []string{"vitrine development CA"},
		},
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.Add(caLifetime),
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid:       true,
		IsCA:                        true,
		MaxPathLen:                  depth,
		MaxPathLenZero:              depth == 0,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         append(privateDomains(), dnsNames(extra)...),
		PermittedIPRanges:           privateRanges(),
	}
	der, err := Certify(template, template, key, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &CA{Cert: cert, key: key}, nil
}

// PEM returns the authority's certificate, which is what a client has to trust.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw})
}

// Pool returns a new pool that trusts this authority only.
func (ca *CA) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.Cert)
	return pool
}

// Permits reports whether the authority may certify name, a DNS name or an IP
// address.
func (ca *CA) Permits(name string) bool {
	if ip := net.ParseIP(name); ip != nil {
		for _, r := range ca.Cert.PermittedIPRanges {
			if r.Contains(ip) {
				return true
			}
		}
		return false
	}
	name = strings.ToLower(name)
	for _, d := range ca.Cert.PermittedDNSDomains {
		if d = strings.ToLower(d); name == d || strings.HasSuffix(name, "."+d) {
			return true
		}
	}
	return false
}

// Issue certifies leaf with a new key, or with that of its request; then the result
// has no private key. The chain in the result lacks the root, which is what the other
// side trusts already. An authority with a record writes it down there first.
func (ca *CA) Issue(leaf Leaf) (tls.Certificate, error) {
	if len(leaf.Names) == 0 && leaf.Request != nil {
		leaf.Names = RequestedNames(leaf.Request)
	}
	if len(leaf.Names) == 0 {
		return tls.Certificate{}, fmt.Errorf("devca: a certificate needs at least one name")
	}
	template, err := ca.template(leaf)
	if err != nil {
		return tls.Certificate{}, err
	}
	var key crypto.Signer
	var der []byte
	by := ca.issuer()
	if leaf.Request != nil {
		der, err = CertifyRequest(template, by.cert, leaf.Request, by.key)
	} else if key, err = newKey[leaf.Key](); err == nil {
		der, err = Certify(template, by.cert, key, by.key)
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	issued := tls.Certificate{Certificate: [][]byte{der}, Leaf: cert}
	if key != nil {
		issued.PrivateKey = key
	}
	if ca.intermediate != nil {
		issued.Certificate = append(issued.Certificate, ca.intermediate.cert.Raw)
	}
	if err := ca.note(cert); err != nil {
		return tls.Certificate{}, err
	}
	return issued, nil
}
