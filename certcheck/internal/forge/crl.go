package forge

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// List is the content of a CRL. RFC 5280 §5.1.
type List struct {
	Version      int // as people count; 0 for 2, 1 leaves the field out
	Inner, Outer []byte
	Issuer       []byte
	This, Next   time.Time // a zero Next is left out
	Entries      []Entry
	Extensions   []Ext
	Damage       func([]byte) []byte // of the signature
}

// Entry is one revoked certificate; a reason below 0 is left out.
type Entry struct {
	Serial     *big.Int
	At         time.Time
	Reason     int
	Extensions []Ext // besides the reason
}

// Sign returns the list in DER, signed by key.
func (l List) Sign(key crypto.Signer) []byte {
	var parts [][]byte
	if l.Version != 1 {
		parts = append(parts, build(func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(max(l.Version, 2) - 1)) }))
	}
	parts = append(parts, or(l.Inner, Algorithm(key)), l.Issuer, Time(l.This))
	if !l.Next.IsZero() {
		parts = append(parts, Time(l.Next))
	}
	var entries [][]byte
	for _, e := range l.Entries {
		entries = append(entries, e.der())
	}
	if entries != nil {
		parts = append(parts, Sequence(entries...))
	}
	if l.Extensions != nil {
		parts = append(parts, tagged(0, extensions(l.Extensions)))
	}
	tbs := Sequence(parts...)
	signature := sign(key, tbs, 0)
	if l.Damage != nil {
		signature = l.Damage(signature)
	}
	return Sequence(tbs, or(l.Outer, Algorithm(key)), Tagged(casn1.BIT_STRING, []byte{0}, signature))
}

func (e Entry) der() []byte {
	parts := [][]byte{build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(e.Serial) }), Time(e.At)}
	all := e.Extensions
	if e.Reason >= 0 {
		all = append([]Ext{{asn1.ObjectIdentifier{2, 5, 29, 21}, false, Tagged(casn1.ENUM, []byte{byte(e.Reason)})}}, all...)
	}
	if all != nil {
		parts = append(parts, extensions(all))
	}
	return Sequence(parts...)
}

// Number and DeltaOf are the numbers of a list, and of the one to which it adds.
func Number(n int64) Ext  { return Ext{asn1.ObjectIdentifier{2, 5, 29, 20}, false, integer(n)} }
func DeltaOf(n int64) Ext { return Ext{asn1.ObjectIdentifier{2, 5, 29, 27}, true, integer(n)} }

func integer(n int64) []byte { return build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }

// Scope is an issuing distribution point: a URI, "" for none, and the numbers of the
// flags that are set: 1 user certificates, 2 authorities, 4 indirect, 5 attributes; 3 has
// the list cover key compromise alone.
func Scope(uri string, flags ...uint8) Ext {
	var parts [][]byte
	if uri != "" {
		parts = append(parts, tagged(0, tagged(0, URI(uri))))
	}
	for _, n := range flags {
		value := []byte{0xff}
		if n == 3 {
			value = []byte{6, 0x40}
		}
		parts = append(parts, general(n, value))
	}
	return Ext{asn1.ObjectIdentifier{2, 5, 29, 28}, true, Sequence(parts...)}
}

// FreshestAt is where a delta list is, in a list or a certificate.
func FreshestAt(uri string) Ext {
	return Ext{asn1.ObjectIdentifier{2, 5, 29, 46}, false, CRLAt(uri).Value}
}

// OCSPAt is where to ask about a certificate.
func OCSPAt(uri string) Ext {
	return Ext{IDAuthorityInfo, false, Sequence(Sequence(OID(1, 3, 6, 1, 5, 5, 7, 48, 1), URI(uri)))}
}
