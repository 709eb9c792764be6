// Package devca is a certificate authority for development: in memory for one
// run ([New]), or kept in a folder so that it need be trusted only once
// ([Open]).
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
)

var newKey = map[KeyType]func() (crypto.Signer, error){
	ECDSA: func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	RSA:   func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
	Ed25519: func() (crypto.Signer, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	},
	DSA: func() (crypto.Signer, error) { return NewDSAKey() },
}

// CA is a development authority. It is safe for concurrent use.
type CA struct {
	Cert *x509.Certificate
	key  crypto.Signer
	dir  string // empty: in memory
}

// Leaf says what to certify.
type Leaf struct {
	// Names are DNS names and IP addresses; the first is also the common name.
	Names []string
	Key   KeyType
	// Client makes a client's certificate; its names need not be DNS names and
	// stand in the subject only.
	Client bool
	// NotBefore and NotAfter are for tests that need an expired certificate;
	// zero: from an hour ago, for 90 days.
	NotBefore, NotAfter time.Time
}

// New makes an authority that exists in memory only. It permits localhost, test,
// local, home.arpa, internal and the DNS names in extra with what is below them, and
// the loopback and private addresses.
func New(extra ...string) (*CA, error) {
	key, err := newKey[ECDSA]()
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
		MaxPathLenZero:              true,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         append(privateDomains(), dnsNames(extra)...),
		PermittedIPRanges:           privateRanges(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
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

// Issue certifies leaf with a new key. The chain in the result is the leaf
// alone: the root is what the other side trusts already.
func (ca *CA) Issue(leaf Leaf) (tls.Certificate, error) {
	if len(leaf.Names) == 0 {
		return tls.Certificate{}, fmt.Errorf("devca: a certificate needs at least one name")
	}
	key, err := newKey[leaf.Key]()
	if err != nil {
		return tls.Certificate{}, err
	}
	template, err := ca.template(leaf)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := Certify(template, ca.Cert, key, ca.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: cert}, nil
}

func (ca *CA) template(leaf Leaf) (*x509.Certificate, error) {
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: leaf.Names[0], Organization: []string{"vitrine development certificate"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(leafLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if !leaf.NotBefore.IsZero() {
		t.NotBefore = leaf.NotBefore
	}
	if !leaf.NotAfter.IsZero() {
		t.NotAfter = leaf.NotAfter
	}
	if leaf.Key == RSA {
		// For the static RSA key exchange of TLS 1.2. RFC 5246 §7.4.2.
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	if leaf.Client {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		return t, nil
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, name := range leaf.Names {
		if !ca.Permits(name) {
			return nil, fmt.Errorf("devca: the development CA may not certify %q: it is limited to this machine's names and to private addresses", name)
		}
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		}
	}
	t.DNSNames = dnsNames(leaf.Names)
	return t, nil
}
