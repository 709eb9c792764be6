package revocation

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxCRL is the size of the largest list that is read, in bytes.
const MaxCRL = 64 << 20

// A List is a certificate revocation list that has been read, and not yet been
// believed; see [List.About]. RFC 5280 §5.1.
type List struct {
	// Issuer is the name of the authority that signed it, in DER.
	Issuer                 []byte
	ThisUpdate, NextUpdate time.Time
	// Number is the CRL number, big-endian; empty where there is none.
	Number []byte
	// Base is, in a delta list, the number of the list to which it adds.
	Base []byte
	// Entries is how many certificates are on it.
	Entries int

	scope          scope
	size           int
	freshest       []string // where a delta list is
	proven         atomic.Pointer[string]
	authorityKey   []byte
	tbs, signature []byte
	algorithm      method
	entries        []byte // the revokedCertificates, one after the other
	index          index
}

// scope is the issuing distribution point: which certificates a list is about. RFC 5280
// §5.2.5.
type scope struct {
	names                           []string // URIs of its distribution point
	named                           bool     // it has a distribution point, with URIs or without
	onlyUser, onlyCA, onlyAttribute bool
	someReasons                     bool // it is silent about the other reasons
}

var (
	oidCRLNumber        = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReason           = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidDeltaIndicator   = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidDistributionPt   = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertIssuer       = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidCRLDistribution  = asn1.ObjectIdentifier{2, 5, 29, 31}
	oidAuthorityKey     = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidFreshest         = asn1.ObjectIdentifier{2, 5, 29, 46}
	errMalformedCRL     = errors.New("it is not a CRL: its DER is malformed or cut off")
	errIndirect         = errors.New("it is an indirect list, with certificates of several authorities; those are not supported")
	errMalformedCRLPart = errors.New("an extension of the list is malformed")
)

// ParseCRL reads a list in DER, or in PEM. It keeps the bytes. Nothing is verified.
func ParseCRL(data []byte) (*List, error) {
	if len(data) > MaxCRL {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(data), MaxCRL)
	}
	if bytes.HasPrefix(data, []byte("-----BEGIN")) {
		block, _ := pem.Decode(data)
		if block == nil || block.Type != "X509 CRL" {
			return nil, errors.New("its PEM holds no X509 CRL")
		}
		data = block.Bytes
	}
	l := &List{size: len(data)}
	input := cryptobyte.String(data)
	var outer, tbs, algorithm cryptobyte.String
	if !input.ReadASN1(&outer, casn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Element(&tbs, casn1.SEQUENCE) ||
		!outer.ReadASN1Element(&algorithm, casn1.SEQUENCE) || !outer.ReadASN1BitStringAsBytes(&l.signature) || !outer.Empty() {
		return nil, errMalformedCRL
	}
	l.tbs, l.algorithm = tbs, signatureAlgorithm(algorithm)
	return l, l.parseTBS(tbs, algorithm)
}

// parseTBS reads TBSCertList.
func (l *List) parseTBS(tbs, outer cryptobyte.String) error {
	var inner, issuer, entries, extensions cryptobyte.String
	var version int
	var listed, extended bool
	if !tbs.ReadASN1(&tbs, casn1.SEQUENCE) || tbs.PeekASN1Tag(casn1.INTEGER) && !tbs.ReadASN1Integer(&version) ||
		!tbs.ReadASN1Element(&inner, casn1.SEQUENCE) || !tbs.ReadASN1Element(&issuer, casn1.SEQUENCE) ||
		!readTime(&tbs, &l.ThisUpdate) || timeFollows(&tbs) && !readTime(&tbs, &l.NextUpdate) ||
		!tbs.ReadOptionalASN1(&entries, &listed, casn1.SEQUENCE) ||
		!tbs.ReadOptionalASN1(&extensions, &extended, explicit(0)) || !tbs.Empty() {
		return errMalformedCRL
	}
	switch {
	case !bytes.Equal(inner, outer):
		return errors.New("the signature's algorithm is not the one within the list")
	case version > 1, version == 0 && extended:
		return errors.New("its version does not fit: it is 2 where there are extensions")
	}
	l.Issuer, l.entries = issuer, entries
	if extended {
		if err := eachExtension(extensions, l.extension); err != nil {
			return err
		}
	}
	var err error
	l.index, l.Entries, err = indexOf(entries)
	return err
}

func timeFollows(s *cryptobyte.String) bool {
	return s.PeekASN1Tag(casn1.UTCTime) || s.PeekASN1Tag(casn1.GeneralizedTime)
}

func readTime(s *cryptobyte.String, t *time.Time) bool {
	if s.PeekASN1Tag(casn1.UTCTime) {
		return s.ReadASN1UTCTime(t)
	}
	return s.ReadASN1GeneralizedTime(t)
}

func (l *List) extension(id asn1.ObjectIdentifier, critical bool, value []byte) error {
	v := cryptobyte.String(value)
	switch {
	case id.Equal(oidCRLNumber):
		if !v.ReadASN1Bytes(&l.Number, casn1.INTEGER) || !v.Empty() {
			return errMalformedCRLPart
		}
	case id.Equal(oidDeltaIndicator):
		if !v.ReadASN1Bytes(&l.Base, casn1.INTEGER) || !v.Empty() {
			return errMalformedCRLPart
		}
	case id.Equal(oidFreshest):
		l.freshest = pointURIs(v)
	case id.Equal(oidAuthorityKey):
		l.authorityKey = keyIdentifier(v)
	case id.Equal(oidDistributionPt):
		return l.scope.parse(v)
	default:
		return refuseCritical(id, critical)
	}
	return nil
}

// keyIdentifier returns the key identifier of an AuthorityKeyIdentifier, or nil.
func keyIdentifier(v cryptobyte.String) (id []byte) {
	var some bool
	var key cryptobyte.String
	if !v.ReadASN1(&v, casn1.SEQUENCE) || !v.ReadOptionalASN1(&key, &some, casn1.Tag(0).ContextSpecific()) || !some {
		return nil
	}
	return key
}

// parse reads IssuingDistributionPoint.
func (s *scope) parse(v cryptobyte.String) error {
	if !v.ReadASN1(&v, casn1.SEQUENCE) {
		return errMalformedCRLPart
	}
	var point, part cryptobyte.String
	if !v.ReadOptionalASN1(&point, &s.named, explicit(0)) {
		return errMalformedCRLPart
	}
	if s.named {
		var full bool
		if !point.ReadOptionalASN1(&part, &full, explicit(0)) {
			return errMalformedCRLPart
		}
		s.names = uris(part)
	}
	indirect := false
	for !v.Empty() {
		var tag casn1.Tag
		if !v.ReadAnyASN1(&part, &tag) {
			return errMalformedCRLPart
		}
		set := len(part) == 1 && part[0] != 0
		switch tag {
		case casn1.Tag(1).ContextSpecific():
			s.onlyUser = set
		case casn1.Tag(2).ContextSpecific():
			s.onlyCA = set
		case casn1.Tag(3).ContextSpecific():
			s.someReasons = true
		case casn1.Tag(4).ContextSpecific():
			indirect = set
		case casn1.Tag(5).ContextSpecific():
			s.onlyAttribute = set
		default:
			return errMalformedCRLPart
		}
	}
	if indirect {
		return errIndirect
	}
	return nil
}

// uris returns the URIs among GeneralNames.
func uris(names cryptobyte.String) (found []string) {
	for !names.Empty() {
		var one cryptobyte.String
		var tag casn1.Tag
		if !names.ReadAnyASN1(&one, &tag) {
			return found
		}
		if tag == casn1.Tag(6).ContextSpecific() {
			found = append(found, string(one))
		}
	}
	return found
}

// covers reports whether the list is about c, and whether it speaks of every reason.
func (s *scope) covers(c *x509.Certificate, points []string) error {
	switch {
	case s.onlyAttribute:
		return errors.New("it is about attribute certificates only")
	case s.onlyUser && c.IsCA:
		return errors.New("it is not about authorities")
	case s.onlyCA && !c.IsCA:
		return errors.New("it is about authorities only")
	case s.named && !slices.ContainsFunc(s.names, func(n string) bool { return slices.Contains(points, n) }):
		return errors.New("it is a part of the authority's lists, and another one is about the certificate")
	}
	return nil
}

// believe verifies that issuer has signed the list, and that it is of now.
func (l *List) believe(issuer *x509.Certificate, now time.Time, skew time.Duration) error {
	switch {
	case !bytes.Equal(l.Issuer, issuer.RawSubject):
		return errors.New("it is the list of another authority")
	case l.authorityKey != nil && issuer.SubjectKeyId != nil && !bytes.Equal(l.authorityKey, issuer.SubjectKeyId):
		return errors.New("it is signed with another key of the authority")
	case issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCRLSign == 0:
		return errors.New("the authority's key is not for signing lists (its key usage lacks cRLSign)")
	case l.NextUpdate.IsZero():
		return errors.New("it does not say how long it holds")
	}
	if err := current(l.ThisUpdate, l.NextUpdate, now, skew); err != nil {
		return err
	}
	return l.signedBy(issuer)
}

// signedBy verifies the signature, once for a key: hashing a long list takes a while.
func (l *List) signedBy(issuer *x509.Certificate) error {
	key := string(issuer.RawSubjectPublicKeyInfo)
	if proven := l.proven.Load(); proven != nil && *proven == key {
		return nil
	}
	if err := checkSignature(issuer, l.algorithm, l.tbs, l.signature); err != nil {
		return fmt.Errorf("its signature is not good: %w", err)
	}
	l.proven.Store(&key)
	return nil
}

// About returns what the list says of c, once it has been verified: issuer signed it, it
// is of now, give or take skew, and c is in its scope. delta is a later list that adds to
// it, or nil. A list that covers some reasons only can say revoked, and
// never good. RFC 5280 §6.3.
func (l *List) About(c, issuer *x509.Certificate, delta *List, now time.Time, skew time.Duration) (Answer, error) {
	if l.Base != nil {
		return Answer{}, errors.New("it is a delta list, which says nothing without the one to which it adds")
	}
	points := append(distributionPoints(c, oidCRLDistribution), distributionPoints(c, oidFreshest)...)
	for _, one := range []*List{l, delta} {
		if one == nil {
			continue
		}
		if err := one.scope.covers(c, points); err != nil {
			return Answer{}, err
		}
		if err := one.believe(issuer, now, skew); err != nil {
			return Answer{}, err
		}
	}
	a := Answer{Status: Good, ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate}
	entry, found := l.find(c.SerialNumber.Bytes())
	if delta != nil {
		if err := delta.addsTo(l); err != nil {
			return Answer{}, fmt.Errorf("the delta list: %w", err)
		}
		if later, listed := delta.find(c.SerialNumber.Bytes()); listed {
			entry, found = later, later.reason != RemoveFromCRL
		}
		a.NextUpdate = delta.NextUpdate
	}
	switch {
	case found:
		a.Status, a.Reason, a.RevokedAt = Revoked, entry.reason, entry.at
	case l.scope.someReasons:
		return Answer{}, errors.New("it covers some reasons only, and the certificate is not on it")
	}
	return a, nil
}

// addsTo checks that a delta list belongs to base. RFC 5280 §5.2.4.
func (l *List) addsTo(base *List) error {
	switch {
	case l.Base == nil:
		return errors.New("it is not a delta list")
	case less(base.Number, l.Base):
		return errors.New("it adds to a later list than the one at hand")
	case less(l.Number, base.Number):
		return errors.New("it is older than the list at hand")
	case !slices.Equal(l.scope.names, base.scope.names) || l.scope.onlyUser != base.scope.onlyUser || l.scope.onlyCA != base.scope.onlyCA:
		return errors.New("it is about other certificates")
	}
	return nil
}

// less compares unsigned numbers, big-endian.
func less(a, b []byte) bool {
	a, b = bytes.TrimLeft(a, "\x00"), bytes.TrimLeft(b, "\x00")
	return len(a) < len(b) || len(a) == len(b) && bytes.Compare(a, b) < 0
}
