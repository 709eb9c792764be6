package devca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"time"
)

// mustStaple is the TLS feature status_request. RFC 7633 §6.
var mustStaple = pkix.Extension{Id: []int{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}}

// delegationUsage lets a key sign delegated credentials: NULL. RFC 9345 §4.2.
var delegationUsage = pkix.Extension{Id: []int{1, 3, 6, 1, 4, 1, 44363, 44}, Value: []byte{5, 0}}

// longestCommonName is ub-common-name. RFC 5280 appendix A.1.
const longestCommonName = 64

func (ca *CA) template(leaf Leaf) (*x509.Certificate, error) {
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: newSerial(),
		Subject:      pkix.Name{CommonName: leaf.Names[0], Organization: []string{"vitrine development certificate"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     earlier(now.Add(leafLifetime), ca.issuer().cert.NotAfter),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if !leaf.Client && len(leaf.Names[0]) > longestCommonName {
		t.Subject.CommonName = ""
	}
	if len(t.Subject.CommonName) > longestCommonName {
		return nil, fmt.Errorf("devca: the name %.20q... is too long for a client: the most is %d bytes (RFC 5280 appendix A.1)", leaf.Names[0], longestCommonName)
	}
	if !leaf.NotBefore.IsZero() {
		t.NotBefore = leaf.NotBefore
	}
	if !leaf.NotAfter.IsZero() {
		t.NotAfter = leaf.NotAfter
	}
	if leaf.Key == RSA && leaf.Request == nil || leaf.Request != nil && leaf.Request.PublicKeyAlgorithm == x509.RSA {
		// For the static RSA key exchange of TLS 1.2. RFC 5246 §7.4.2.
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	if leaf.MustStaple {
		t.ExtraExtensions = append(t.ExtraExtensions, mustStaple)
	}
	if leaf.Delegation {
		t.ExtraExtensions = append(t.ExtraExtensions, delegationUsage)
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if leaf.Client {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if err := ca.point(t, ca.intermediate == nil); err != nil {
		return nil, err
	}
	return t, ca.alternatives(t, leaf)
}

// alternatives sets the subject's alternative names, all of which the authority must
// permit.
func (ca *CA) alternatives(t *x509.Certificate, leaf Leaf) error {
	names := leaf.Names
	switch {
	case leaf.Client && len(names) == 1:
		return nil
	case leaf.Client && !ca.Permits(names[0]):
		names = names[1:]
	}
	for _, name := range names {
		if !ca.Permits(name) {
			return fmt.Errorf("devca: the development CA may not certify %q: it is limited to this machine's names and to private addresses", name)
		}
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		}
	}
	t.DNSNames = wildcardNames(names)
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// RequestedNames are the names of a request: the alternative ones, or else the
// subject's.
func RequestedNames(r *x509.CertificateRequest) []string {
	names := append([]string(nil), r.DNSNames...)
	for _, ip := range r.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 && r.Subject.CommonName != "" {
		names = append(names, r.Subject.CommonName)
	}
	return names
}
