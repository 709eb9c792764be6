package revocation

import (
	"crypto/x509"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// distributionPoints returns the URIs of c's extension id, which is of the form of
// cRLDistributionPoints. Points of an indirect list (cRLIssuer) are left out. RFC 5280
// §4.2.1.13.
func distributionPoints(c *x509.Certificate, id asn1.ObjectIdentifier) (found []string) {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return pointURIs(e.Value)
		}
	}
	return nil
}

// pointURIs returns the URIs of CRLDistributionPoints.
func pointURIs(points cryptobyte.String) (found []string) {
	if !points.ReadASN1(&points, casn1.SEQUENCE) {
		return nil
	}
	for !points.Empty() {
		var point, name, full, issuer cryptobyte.String
		var some, other, whole bool
		if !points.ReadASN1(&point, casn1.SEQUENCE) || !point.ReadOptionalASN1(&name, &some, explicit(0)) ||
			!point.SkipOptionalASN1(casn1.Tag(1).ContextSpecific()) || !point.ReadOptionalASN1(&issuer, &other, explicit(2)) {
			return found
		}
		if some && !other && name.ReadOptionalASN1(&full, &whole, explicit(0)) {
			found = append(found, uris(full)...)
		}
	}
	return found
}
