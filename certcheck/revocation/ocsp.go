package revocation

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // the hash of most CertIDs
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxOCSP is the size of the largest OCSP response that is read, in bytes.
const MaxOCSP = 1 << 20

// An OCSPResponse has been read, and not yet been believed; see [OCSPResponse.About].
// RFC 6960 §4.2.1.
type OCSPResponse struct {
	ProducedAt time.Time

	tbs, signature []byte
	algorithm      method
	byName, byKey  []byte // the ResponderID: a name in DER, or a SHA-1 of a key
	singles        []single
	nonce          []byte
	certs          [][]byte
}

// single is what a response says of one certificate.
type single struct {
	hash              crypto.Hash
	nameHash, keyHash []byte
	serial            []byte
	answer            Answer
	scts              []byte
}

const (
	maxSingles    = 64 // certificates in one response
	maxResponders = 8  // certificates that a response brings
)

var (
	oidBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidSCTs  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 5} // RFC 6962 §3.3
)

var errTruncated = errors.New("it is not an OCSP response: its DER is malformed or cut off")

// ocspStatuses are the values of OCSPResponseStatus. RFC 6960 §4.2.1.
var ocspStatuses = map[int]string{
	1: "the request was malformed", 2: "an internal error", 3: "try again later",
	5: "the request must be signed", 6: "the request was not authorized",
}

// ParseOCSP reads an OCSP response in DER. It keeps der. Nothing is verified, and what
// a response does not have to be believed for is its NextUpdate.
func ParseOCSP(der []byte) (*OCSPResponse, error) {
	if len(der) > MaxOCSP {
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", len(der), MaxOCSP)
	}
	input := cryptobyte.String(der)
	var outer, typed, body cryptobyte.String
	var status int
	if !input.ReadASN1(&outer, casn1.SEQUENCE) || !input.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, errTruncated
	}
	if status != 0 {
		text, known := ocspStatuses[status]
		if !known {
			text = fmt.Sprintf("status %d, which does not exist", status)
		}
		return nil, errors.New("the responder says: " + text)
	}
	var kind asn1.ObjectIdentifier
	if !outer.ReadASN1(&typed, explicit(0)) || !outer.Empty() || !typed.ReadASN1(&typed, casn1.SEQUENCE) ||
		!typed.ReadASN1ObjectIdentifier(&kind) || !typed.ReadASN1(&body, casn1.OCTET_STRING) || !typed.Empty() {
		return nil, errTruncated
	}
	if !kind.Equal(oidBasic) {
		return nil, fmt.Errorf("its type is %v; only the basic one is known", kind)
	}
	return parseBasic(body)
}

func explicit(n uint8) casn1.Tag { return casn1.Tag(n).ContextSpecific().Constructed() }

func parseBasic(body cryptobyte.String) (*OCSPResponse, error) {
	r := new(OCSPResponse)
	var tbs, algorithm cryptobyte.String
	var certs cryptobyte.String
	var some bool
	if !body.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1Element(&tbs, casn1.SEQUENCE) ||
		!body.ReadASN1Element(&algorithm, casn1.SEQUENCE) || !body.ReadASN1BitStringAsBytes(&r.signature) ||
		!body.ReadOptionalASN1(&certs, &some, explicit(0)) || !body.Empty() {
		return nil, errTruncated
	}
	r.tbs, r.algorithm = tbs, signatureAlgorithm(algorithm)
	if some {
		if !certs.ReadASN1(&certs, casn1.SEQUENCE) {
			return nil, errTruncated
		}
		for !certs.Empty() {
			var c cryptobyte.String
			if !certs.ReadASN1Element(&c, casn1.SEQUENCE) {
				return nil, errTruncated
			}
			if r.certs = append(r.certs, c); len(r.certs) > maxResponders {
				return nil, fmt.Errorf("it brings more than %d certificates", maxResponders)
			}
		}
	}
	return r, r.parseData(tbs)
}

// parseData reads ResponseData.
func (r *OCSPResponse) parseData(tbs cryptobyte.String) error {
	var data, id, singles, extensions cryptobyte.String
	var versioned, extended bool
	var version cryptobyte.String
	if !tbs.ReadASN1(&data, casn1.SEQUENCE) || !data.ReadOptionalASN1(&version, &versioned, explicit(0)) {
		return errTruncated
	}
	if versioned && !bytes.Equal(version, []byte{2, 1, 0}) {
		return errors.New("its version is not 1")
	}
	switch {
	case data.PeekASN1Tag(explicit(1)):
		if !data.ReadASN1(&id, explicit(1)) || !id.ReadASN1Element((*cryptobyte.String)(&r.byName), casn1.SEQUENCE) || !id.Empty() {
			return errTruncated
		}
	case !data.ReadASN1(&id, explicit(2)) || !id.ReadASN1Bytes(&r.byKey, casn1.OCTET_STRING) || !id.Empty():
		return errTruncated
	}
	if !data.ReadASN1GeneralizedTime(&r.ProducedAt) || !data.ReadASN1(&singles, casn1.SEQUENCE) ||
		!data.ReadOptionalASN1(&extensions, &extended, explicit(1)) || !data.Empty() {
		return errTruncated
	}
	for !singles.Empty() {
		s, err := parseSingle(&singles)
		if err != nil {
			return err
		}
		if r.singles = append(r.singles, s); len(r.singles) > maxSingles {
			return fmt.Errorf("it speaks of more than %d certificates", maxSingles)
		}
	}
	if !extended {
		return nil
	}
	return eachExtension(extensions, func(id asn1.ObjectIdentifier, critical bool, value []byte) error {
		if id.Equal(oidNonce) {
			nonce := cryptobyte.String(value)
			if !nonce.ReadASN1Bytes(&r.nonce, casn1.OCTET_STRING) || !nonce.Empty() {
				return errors.New("its nonce is malformed")
			}
			return nil
		}
		return refuseCritical(id, critical)
	})
}

func refuseCritical(id asn1.ObjectIdentifier, critical bool) error {
	if critical {
		return fmt.Errorf("it has the critical extension %v, which is not known here", id)
	}
	return nil
}

func parseSingle(from *cryptobyte.String) (s single, err error) {
	var one, id, algorithm, status, next, extensions cryptobyte.String
	var oid asn1.ObjectIdentifier
	var some, extended bool
	if !from.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1(&id, casn1.SEQUENCE) || !id.ReadASN1(&algorithm, casn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !id.ReadASN1Bytes(&s.nameHash, casn1.OCTET_STRING) ||
		!id.ReadASN1Bytes(&s.keyHash, casn1.OCTET_STRING) || !id.ReadASN1Bytes(&s.serial, casn1.INTEGER) || !id.Empty() {
		return s, errTruncated
	}
	s.hash = certIDHashes[oid.String()]
	var tag casn1.Tag
	if !one.ReadAnyASN1(&status, &tag) {
		return s, errTruncated
	}
	switch tag {
	case casn1.Tag(0).ContextSpecific():
		s.answer.Status = Good
	case explicit(1):
		s.answer.Status = Revoked
		if !status.ReadASN1GeneralizedTime(&s.answer.RevokedAt) {
			return s, errTruncated
		}
		var reason cryptobyte.String
		if !status.ReadOptionalASN1(&reason, &some, explicit(0)) || !status.Empty() {
			return s, errTruncated
		}
		var n int
		if some && (!reason.ReadASN1Enum(&n) || !reason.Empty() || n < 0 || n > 255) {
			return s, errTruncated
		}
		s.answer.Reason = Reason(n)
	case casn1.Tag(2).ContextSpecific():
	default:
		return s, errTruncated
	}
	if !one.ReadASN1GeneralizedTime(&s.answer.ThisUpdate) || !one.ReadOptionalASN1(&next, &some, explicit(0)) {
		return s, errTruncated
	}
	if some && (!next.ReadASN1GeneralizedTime(&s.answer.NextUpdate) || !next.Empty()) {
		return s, errTruncated
	}
	if !one.ReadOptionalASN1(&extensions, &extended, explicit(1)) || !one.Empty() {
		return s, errTruncated
	}
	if extended {
		err = eachExtension(extensions, func(id asn1.ObjectIdentifier, critical bool, value []byte) error {
			if id.Equal(oidSCTs) {
				s.scts = value
				return nil
			}
			return refuseCritical(id, critical)
		})
	}
	return s, err
}

// certIDHashes are the hashes in which a CertID may name an issuer.
var certIDHashes = map[string]crypto.Hash{
	"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// SCTs are the timestamps of logs that the response has for a certificate: an OCTET STRING
// in DER with a SignedCertificateTimestampList, nil if there are none. The serial number
// alone finds the certificate. RFC 6962 §3.3.
func (r *OCSPResponse) SCTs(c *x509.Certificate) []byte {
	for _, s := range r.singles {
		if s.scts != nil && bytes.Equal(bytes.TrimLeft(s.serial, "\x00"), c.SerialNumber.Bytes()) {
			return s.scts
		}
	}
	return nil
}

// names reports whether a CertID is that of a certificate: by the issuer's name and key,
// and by the serial number. RFC 6960 §4.1.1.
func (s *single) names(c, issuer *x509.Certificate) bool {
	if s.hash == 0 || !bytes.Equal(bytes.TrimLeft(s.serial, "\x00"), c.SerialNumber.Bytes()) || len(s.serial) > 0 && s.serial[0] >= 0x80 {
		return false
	}
	return bytes.Equal(s.nameHash, digest(s.hash, c.RawIssuer)) && bytes.Equal(s.keyHash, digest(s.hash, keyBits(issuer)))
}

func digest(h crypto.Hash, of []byte) []byte {
	d := h.New()
	d.Write(of)
	return d.Sum(nil)
}

// keyBits returns the content of the subjectPublicKey of c, without the count of unused
// bits.
func keyBits(c *x509.Certificate) []byte {
	info := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var key []byte
	if !info.ReadASN1(&info, casn1.SEQUENCE) || !info.SkipASN1(casn1.SEQUENCE) || !info.ReadASN1BitStringAsBytes(&key) {
		return nil
	}
	return key
}

// NextUpdate is the earliest moment at which something in the response is out of date;
// zero where one of its entries does not say.
func (r *OCSPResponse) NextUpdate() (next time.Time) {
	for i, s := range r.singles {
		if s.answer.NextUpdate.IsZero() {
			return time.Time{}
		}
		if i == 0 || s.answer.NextUpdate.Before(next) {
			next = s.answer.NextUpdate
		}
	}
	return next
}

// About returns what the response says of c, once it has been verified. It must have
// exactly one entry for c, and be of now, give or take skew. issuer must have signed it, or
// a responder that issuer has authorized. A responder that has no opinion is an error. RFC 6960 §3.2.
func (r *OCSPResponse) About(c, issuer *x509.Certificate, now time.Time, skew time.Duration) (Answer, error) {
	var entries []single
	for _, s := range r.singles {
		if s.names(c, issuer) {
			entries = append(entries, s)
		}
	}
	switch {
	case len(entries) == 0:
		return Answer{}, errors.New("it is about other certificates")
	case len(entries) > 1:
		return Answer{}, fmt.Errorf("it has %d entries for the certificate", len(entries))
	}
	if err := r.signedFor(issuer, now); err != nil {
		return Answer{}, err
	}
	a := entries[0].answer
	if r.ProducedAt.After(now.Add(skew)) {
		return Answer{}, fmt.Errorf("it was made in the future, on %s", stamp(r.ProducedAt))
	}
	if err := current(a.ThisUpdate, a.NextUpdate, now, skew); err != nil {
		return Answer{}, err
	}
	if a.Status == Unknown {
		return Answer{}, errors.New("the responder does not know the certificate")
	}
	return a, nil
}

// maxAge is how old an answer may be that does not say until when it holds: newer
// information is then always available. RFC 6960 §4.2.2.1.
const maxAge = 24 * time.Hour

// current checks that now is between this and next.
func current(this, next, now time.Time, skew time.Duration) error {
	switch {
	case this.After(now.Add(skew)):
		return fmt.Errorf("it is of the future: it holds from %s", stamp(this))
	case next.IsZero() && this.Add(maxAge+skew).Before(now):
		return fmt.Errorf("it is of %s and does not say how long it holds", stamp(this))
	case !next.IsZero() && next.Before(this):
		return errors.New("it ends before it begins")
	case !next.IsZero() && next.Add(skew).Before(now):
		return fmt.Errorf("it is out of date: it held until %s", stamp(next))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.DateTime) + " UTC" }

// signedFor verifies the signature: the issuer's own, or that of a responder to which
// the issuer gave a certificate for it. RFC 6960 §4.2.2.2.
func (r *OCSPResponse) signedFor(issuer *x509.Certificate, now time.Time) error {
	if r.isResponder(issuer) {
		return r.signedBy(issuer)
	}
	for _, der := range r.certs {
		c, err := x509.ParseCertificate(der)
		if err != nil || !r.isResponder(c) {
			continue
		}
		if bytes.Equal(c.Raw, issuer.Raw) {
			return r.signedBy(c)
		}
		if err := authorized(c, issuer, now); err != nil {
			return err
		}
		return r.signedBy(c)
	}
	return errors.New("it is signed neither by the certificate's authority nor by a responder whose certificate it brings")
}

func (r *OCSPResponse) isResponder(c *x509.Certificate) bool {
	if r.byKey != nil {
		return bytes.Equal(r.byKey, digest(crypto.SHA1, keyBits(c)))
	}
	return bytes.Equal(r.byName, c.RawSubject)
}

func (r *OCSPResponse) signedBy(c *x509.Certificate) error {
	if err := checkSignature(c, r.algorithm, r.tbs, r.signature); err != nil {
		return fmt.Errorf("its signature is not good: %w", err)
	}
	return nil
}

// authorized checks a responder that is not the authority itself.
func authorized(c, issuer *x509.Certificate, now time.Time) error {
	switch {
	case !bytes.Equal(c.RawIssuer, issuer.RawSubject):
		return errors.New("the responder's certificate is of another authority")
	case !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return errors.New("the responder's certificate is not for signing OCSP responses")
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return errors.New("the responder's key is not for signing")
	case now.Before(c.NotBefore) || now.After(c.NotAfter):
		return fmt.Errorf("the responder's certificate is valid from %s to %s only", stamp(c.NotBefore), stamp(c.NotAfter))
	case len(c.UnhandledCriticalExtensions) > 0:
		return errors.New("the responder's certificate has a critical extension that is not known here")
	}
	if err := checkSignature(issuer, methodOf(c), c.RawTBSCertificate, c.Signature); err != nil {
		return fmt.Errorf("the responder's certificate is not from the authority: %w", err)
	}
	return nil
}
