package forge

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Response is the content of an OCSP response. RFC 6960 §4.2.1.
type Response struct {
	Status     int    // OCSPResponseStatus; anything but 0 has no body
	Type       []int  // nil for the basic one
	Responder  []byte // ResponderID in DER, see ByKey and ByName
	ProducedAt time.Time
	Singles    []Single
	Extensions []Ext
	Certs      [][]byte
	Algorithm  []byte              // nil for the key's
	Damage     func([]byte) []byte // of the signature
}

// Single is what a response says of one certificate.
type Single struct {
	CertID     []byte    // see CertID
	Status     []byte    // see Good, Revoked, Unknown
	This, Next time.Time // a zero Next is left out
	Extensions []Ext
}

// Good and Unknown are values of CertStatus.
var (
	Good    = []byte{0x80, 0}
	Unknown = []byte{0x82, 0}
)

// Revoked is a CertStatus; a reason below 0 is left out.
func Revoked(at time.Time, reason int) []byte {
	parts := [][]byte{GeneralizedTime(at)}
	if reason >= 0 {
		parts = append(parts, tagged(0, Tagged(casn1.ENUM, []byte{byte(reason)})))
	}
	return tagged(1, parts...)
}

func tagged(n uint8, parts ...[]byte) []byte {
	return Tagged(casn1.Tag(n).Constructed().ContextSpecific(), parts...)
}

// SHA1 is the identifier of the hash of most CertIDs.
var SHA1 = []int{1, 3, 14, 3, 2, 26}

// CertID names a certificate as a responder knows it, with a hash of one's own choice.
func CertID(algorithm []int, hash crypto.Hash, c, issuer *x509.Certificate) []byte {
	sum := func(b []byte) []byte { h := hash.New(); h.Write(b); return h.Sum(nil) }
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	must(asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &info))
	return Sequence(Sequence(OID(algorithm...), []byte{5, 0}), Tagged(casn1.OCTET_STRING, sum(c.RawIssuer)),
		Tagged(casn1.OCTET_STRING, sum(info.Key.Bytes)), build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(c.SerialNumber) }))
}

// ByKey and ByName are ResponderIDs.
func ByKey(key crypto.PublicKey) []byte { return tagged(2, Tagged(casn1.OCTET_STRING, KeyID(key))) }
func ByName(name []byte) []byte         { return tagged(1, name) }

// Nonce is the extension with which a responder repeats a value.
func Nonce(value []byte) Ext {
	return Ext{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}, false, Tagged(casn1.OCTET_STRING, value)}
}

func extensions(list []Ext) []byte {
	var parts [][]byte
	for _, e := range list {
		parts = append(parts, e.der())
	}
	return Sequence(parts...)
}

func (e Ext) der() []byte {
	parts := [][]byte{OID(e.ID...)}
	if e.Critical {
		parts = append(parts, Tagged(casn1.BOOLEAN, []byte{0xff}))
	}
	return Sequence(append(parts, Tagged(casn1.OCTET_STRING, e.Value))...)
}

// Sign returns the response in DER, signed by key.
func (r Response) Sign(key crypto.Signer) []byte {
	status := Tagged(casn1.ENUM, []byte{byte(r.Status)})
	if r.Status != 0 {
		return Sequence(status)
	}
	var singles [][]byte
	for _, s := range r.Singles {
		singles = append(singles, s.der())
	}
	data := [][]byte{r.Responder, GeneralizedTime(r.ProducedAt), Sequence(singles...)}
	if r.Responder == nil {
		data[0] = ByKey(key.Public())
	}
	if r.Extensions != nil {
		data = append(data, tagged(1, extensions(r.Extensions)))
	}
	tbs := Sequence(data...)
	parts := [][]byte{tbs, or(r.Algorithm, Algorithm(key)), r.damaged(sign(key, tbs, 0))}
	if r.Certs != nil {
		parts = append(parts, tagged(0, Sequence(r.Certs...)))
	}
	kind := []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	if r.Type != nil {
		kind = r.Type
	}
	return Sequence(status, tagged(0, Sequence(OID(kind...), Tagged(casn1.OCTET_STRING, Sequence(parts...)))))
}

func (r Response) damaged(signature []byte) []byte {
	if r.Damage != nil {
		signature = r.Damage(signature)
	}
	return Tagged(casn1.BIT_STRING, []byte{0}, signature)
}

func (s Single) der() []byte {
	parts := [][]byte{s.CertID, s.Status, GeneralizedTime(s.This)}
	if !s.Next.IsZero() {
		parts = append(parts, tagged(0, GeneralizedTime(s.Next)))
	}
	if s.Extensions != nil {
		parts = append(parts, tagged(1, extensions(s.Extensions)))
	}
	return Sequence(parts...)
}
