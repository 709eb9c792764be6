package forge

import (
	"encoding/asn1"
	"net"
	"net/netip"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Identifiers of extensions. RFC 5280 §4.2.
var (
	IDSubjectKey       = asn1.ObjectIdentifier{2, 5, 29, 14}
	IDKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
	IDSAN              = asn1.ObjectIdentifier{2, 5, 29, 17}
	IDBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	IDNameConstraints  = asn1.ObjectIdentifier{2, 5, 29, 30}
	IDPolicies         = asn1.ObjectIdentifier{2, 5, 29, 32}
	IDPolicyMappings   = asn1.ObjectIdentifier{2, 5, 29, 33}
	IDAuthorityKey     = asn1.ObjectIdentifier{2, 5, 29, 35}
	IDPolicyConstraint = asn1.ObjectIdentifier{2, 5, 29, 36}
	IDExtKeyUsage      = asn1.ObjectIdentifier{2, 5, 29, 37}
	IDInhibitAnyPolicy = asn1.ObjectIdentifier{2, 5, 29, 54}
	IDCRLDistribution  = asn1.ObjectIdentifier{2, 5, 29, 31}
	IDAuthorityInfo    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	IDTLSFeature       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
)

// Extended key usages.
var (
	ServerAuth  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}
	ClientAuth  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}
	OCSPSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
	AnyUsage    = asn1.ObjectIdentifier{2, 5, 29, 37, 0}
)

// BasicConstraints is critical; pathLen below 0 leaves it out.
func BasicConstraints(ca bool, pathLen int) Ext {
	var parts [][]byte
	if ca {
		parts = append(parts, Tagged(casn1.BOOLEAN, []byte{0xff}))
	}
	if pathLen >= 0 {
		parts = append(parts, build(func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(pathLen)) }))
	}
	return Ext{IDBasicConstraints, true, Sequence(parts...)}
}

// KeyUsage is critical and has the bits of these numbers: 0 digitalSignature,
// 2 keyEncipherment, 5 keyCertSign, 6 cRLSign.
func KeyUsage(bits ...int) Ext {
	var octets [2]byte
	last := 0
	for _, n := range bits {
		octets[n/8] |= 0x80 >> (n % 8)
		last = max(last, n)
	}
	used := octets[:last/8+1]
	return Ext{IDKeyUsage, true, Tagged(casn1.BIT_STRING, []byte{byte(7 - last%8)}, used)}
}

// ExtKeyUsage lists purposes.
func ExtKeyUsage(purposes ...asn1.ObjectIdentifier) Ext {
	var parts [][]byte
	for _, p := range purposes {
		parts = append(parts, OID(p...))
	}
	return Ext{IDExtKeyUsage, false, Sequence(parts...)}
}

// SAN lists GeneralNames, see DNS, Email, URI, IP, Directory.
func SAN(names ...[]byte) Ext { return Ext{IDSAN, false, Sequence(names...)} }

func general(tag uint8, value []byte) []byte {
	return Tagged(casn1.Tag(tag).ContextSpecific(), value)
}

// Email, DNS, URI and IP are GeneralNames, or the base of a subtree. RFC 5280 §4.2.1.6.
func Email(s string) []byte { return general(1, []byte(s)) }
func DNS(s string) []byte   { return general(2, []byte(s)) }
func URI(s string) []byte   { return general(6, []byte(s)) }
func IP(b []byte) []byte    { return general(7, b) }

// Directory is a directoryName, from a name in DER.
func Directory(name []byte) []byte {
	return Tagged(casn1.Tag(4).Constructed().ContextSpecific(), name)
}

// Net is the base of a subtree of addresses: "192.0.2.0/24".
func Net(cidr string) []byte {
	n := must(netip.ParsePrefix(cidr))
	address := n.Masked().Addr().AsSlice()
	return IP(append(address, net.CIDRMask(n.Bits(), 8*len(address))...))
}

// NameConstraints is critical; each subtree is the GeneralName of its base. An empty list
// leaves the field out.
func NameConstraints(permitted, excluded [][]byte) Ext {
	var parts [][]byte
	for tag, bases := range [][][]byte{permitted, excluded} {
		var trees [][]byte
		for _, base := range bases {
			trees = append(trees, Sequence(base))
		}
		if len(trees) > 0 {
			parts = append(parts, Tagged(casn1.Tag(tag).Constructed().ContextSpecific(), trees...))
		}
	}
	return Ext{IDNameConstraints, true, Sequence(parts...)}
}

// SubjectKey is the identifier of the certificate's own key.
func SubjectKey(id []byte) Ext { return Ext{IDSubjectKey, false, Tagged(casn1.OCTET_STRING, id)} }

// AuthorityKey is the identifier of the key that signed.
func AuthorityKey(id []byte) Ext { return Ext{IDAuthorityKey, false, Sequence(general(0, id))} }

// Policies lists certificate policies.
func Policies(ids ...asn1.ObjectIdentifier) Ext {
	var parts [][]byte
	for _, id := range ids {
		parts = append(parts, Sequence(OID(id...)))
	}
	return Ext{IDPolicies, false, Sequence(parts...)}
}

// MustStaple is the TLS feature status_request. RFC 7633.
func MustStaple() Ext { return Ext{IDTLSFeature, false, []byte{0x30, 3, 2, 1, 5}} }

// CRLAt is where to find the list of revoked certificates.
func CRLAt(url string) Ext {
	full := Tagged(casn1.Tag(0).Constructed().ContextSpecific(), URI(url))
	return Ext{IDCRLDistribution, false, Sequence(Sequence(Tagged(casn1.Tag(0).Constructed().ContextSpecific(), full)))}
}

// issuerAt is where to find the authority's certificate.
func issuerAt(url string) Ext {
	return Ext{IDAuthorityInfo, false, Sequence(Sequence(OID(1, 3, 6, 1, 5, 5, 7, 48, 2), URI(url)))}
}

func set(parts ...[]byte) []byte { return Tagged(casn1.SET, parts...) }

func text(tag uint8, s string) []byte { return Tagged(casn1.Tag(tag), []byte(s)) }
