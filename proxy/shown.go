package proxy

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
)

// A shownCertificate is what a target is told of the certificate that a client was shown.
type shownCertificate struct{ signature, key string }

// showing takes note of certificates where a target is told of them, until seen asks.
func (d *door) showing(own *tls.Config) {
	get := own.GetCertificate
	tells := func(r *route) bool { return r != nil && r.target.config.ProxyProtocol == "v2-tls" }
	if get == nil || !tells(d.fallback) && !slices.ContainsFunc(d.routes, tells) {
		return
	}
	own.GetCertificate = func(info *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := get(info)
		if err == nil && info.Conn != nil {
			d.shown.Store(info.Conn, describe(cert))
		}
		return cert, err
	}
}

// seen is the certificate that was shown on a connection; nil for none.
func (d *door) seen(conn net.Conn) *shownCertificate {
	s, _ := d.shown.LoadAndDelete(conn)
	shown, _ := s.(*shownCertificate)
	return shown
}

// describe names algorithms as the protocol's text does: SHA256, RSA2048; EC256 is what HAProxy says.
func describe(cert *tls.Certificate) *shownCertificate {
	leaf := cert.Leaf
	if leaf == nil && len(cert.Certificate) > 0 {
		leaf, _ = x509.ParseCertificate(cert.Certificate[0])
	}
	if leaf == nil {
		return nil
	}
	signature := leaf.SignatureAlgorithm.String() // like SHA256-RSA, ECDSA-SHA256 or SHA256-RSAPSS
	for part := range strings.SplitSeq(signature, "-") {
		if strings.HasPrefix(part, "SHA") {
			signature = part
		}
	}
	shown := &shownCertificate{signature: strings.ToUpper(signature)}
	switch key := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		shown.key = fmt.Sprintf("RSA%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		shown.key = fmt.Sprintf("EC%d", key.Params().BitSize)
	default:
		shown.key = strings.ToUpper(leaf.PublicKeyAlgorithm.String())
	}
	return shown
}
