package certcheck

import (
	"bytes"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// formRules are about how a certificate is written. crypto/x509 passes over what stands
// behind a field that it knows, and two readers of such bytes may see different things.
var formRules = []Rule{
	{
		Name: "certificate-form", Demands: "a certificate has the fields that it has to have, and nothing behind them",
		Source: "RFC 5280 §4.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, fixed: true,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(!wellFormed(c), "%s has bytes that belong to no field", c)
		},
	},
	{
		Name: "extension-form", Demands: "the extensions that decide follow their grammar, and nothing stands behind them",
		Source: "RFC 5280 §4.2", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, fixed: true,
		check: func(_ *path, c *x509.Certificate) string {
			for _, e := range c.Extensions {
				for _, g := range extensionGrammars {
					if e.Id.Equal(g.id) && !g.keeps(e.Value) {
						return fmt.Sprintf("the %s of %s is malformed", g.name, subject(c))
					}
				}
			}
			return ""
		},
	},
	{
		Name: "policy-qualifiers", Demands: "where policies are critical, their qualifiers are known: a statement's URI and a notice",
		Source: "RFC 5280 §4.2.1.4", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			for _, e := range c.Extensions {
				if e.Id.Equal(idPolicies) && e.Critical && !knownQualifiers(e.Value) {
					return broken(true, "the policies of %s are critical, and say what is not known here", c)
				}
			}
			return ""
		},
	},
	{
		Name: "der", Demands: "nothing is written that DER leaves out: a default, bits of zero behind the last, an empty list",
		Source: "RFC 5280 §4.1, X.690 §11", Profile: RFC5280, Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, fixed: true,
		check: func(_ *path, c *x509.Certificate) string {
			if what := notDER(c); what != "" {
				return fmt.Sprintf("the %s of %s is not in DER", what, subject(c))
			}
			return ""
		},
	},
	{
		Name: "algorithm-form", Demands: "a signature algorithm has the parameters of its kind: NULL for RSA PKCS #1, none for ECDSA and Ed25519",
		Source: "RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3", Profile: RFC5280, Alert: wire.AlertBadCertificate, Hint: reissue, on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			want, known := parametersOf[c.SignatureAlgorithm]
			return broken(known && !bytes.Equal(want, scan(c).parameters), "the signature algorithm of %s has other parameters than it has to have", c)
		},
	},
	{
		Name: "key-usable", Demands: "the key of the leaf is one with which a handshake can be signed: RSA, RSASSA-PSS, ECDSA, Ed25519, Ed448, ML-DSA or DSA",
		Source: "a limit of this library", Alert: wire.AlertUnsupportedCertificate, Hint: "have it issued for an ECDSA key on P-256, or an RSA key", on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			switch otherkeys.Of(c).(type) {
			case *rsa.PublicKey, *otherkeys.PSSPublicKey, *ecdsa.PublicKey, ed25519.PublicKey, otherkeys.Ed448PublicKey, otherkeys.MLDSAPublicKey, *dsa.PublicKey:
				return ""
			}
			if name := otherkeys.ShownKey(c); name != "" {
				return fmt.Sprintf("the key of %s, %s, is of a kind that is shown and not used", subject(c), name)
			}
			return broken(true, "the key of %s is of a kind that is not supported", c)
		},
	},
	{
		Name: "san-syntax", Demands: "mail addresses in a subjectAltName have a domain, and URIs a scheme",
		Source: "RFC 5280 §4.2.1.6", Profile: RFC5280, Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			for _, mail := range c.EmailAddresses {
				if !(general{kind: emailName, value: []byte(mail)}).prepared().ok {
					return fmt.Sprintf("%s is not a mail address", quote(mail))
				}
			}
			for _, u := range c.URIs {
				if !u.IsAbs() {
					return fmt.Sprintf("%s is a URI without a scheme", quote(u.String()))
				}
			}
			return ""
		},
	},
	{
		Name: "common-name", Demands: "a server's common name, where it has one, is among the names of its subjectAltName",
		Source: "CA/Browser Forum BR §7.1.4.3", Profile: WebPKI, Alert: wire.AlertBadCertificate, Hint: reissue, on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			name := c.Subject.CommonName
			among := slices.ContainsFunc(c.DNSNames, func(s string) bool { return strings.EqualFold(s, name) })
			for _, ip := range c.IPAddresses {
				among = among || ip.String() == name
			}
			return broken(name != "" && !among, "the common name of %s is not among its names", c)
		},
	},
}

// wellFormed reports whether c has its fields alone. RFC 5280 §4.1.
func wellFormed(c *x509.Certificate) bool {
	var all, tbs, validity, key cryptobyte.String
	outer := cryptobyte.String(c.Raw)
	ok := outer.ReadASN1(&all, casn1.SEQUENCE) && outer.Empty() && all.ReadASN1(&tbs, casn1.SEQUENCE) &&
		all.SkipASN1(casn1.SEQUENCE) && all.SkipASN1(casn1.BIT_STRING) && all.Empty() &&
		tbs.SkipOptionalASN1(tagged(0)) && tbs.SkipASN1(casn1.INTEGER) && tbs.SkipASN1(casn1.SEQUENCE) && tbs.SkipASN1(casn1.SEQUENCE) &&
		tbs.ReadASN1(&validity, casn1.SEQUENCE) && tbs.SkipASN1(casn1.SEQUENCE) && tbs.ReadASN1(&key, casn1.SEQUENCE)
	if !ok || !key.SkipASN1(casn1.SEQUENCE) || !key.SkipASN1(casn1.BIT_STRING) || !key.Empty() {
		return false
	}
	var tag casn1.Tag
	for range 2 {
		if !validity.ReadAnyASN1(&all, &tag) {
			return false
		}
	}
	return validity.Empty() && tbs.SkipOptionalASN1(casn1.Tag(1).ContextSpecific()) && tbs.SkipOptionalASN1(casn1.Tag(2).ContextSpecific()) &&
		tbs.SkipOptionalASN1(tagged(3)) && tbs.Empty()
}

// extensionGrammars are those of the extensions by which a path is judged, where
// crypto/x509 is not strict.
var extensionGrammars = []struct {
	id    asn1.ObjectIdentifier
	name  string
	keeps func(value cryptobyte.String) bool
}{
	{idBasicConstraints, "basicConstraints", func(v cryptobyte.String) bool {
		return v.ReadASN1(&v, casn1.SEQUENCE) && v.SkipOptionalASN1(casn1.BOOLEAN) && v.SkipOptionalASN1(casn1.INTEGER) && v.Empty()
	}},
	{idSAN, "subjectAltName", func(v cryptobyte.String) bool {
		return oneSequence(v, func(names *cryptobyte.String) bool { _, ok := readGeneral(names); return ok })
	}},
	{idExtKeyUsage, "extended key usage", func(v cryptobyte.String) bool {
		return len(v) > 2 && oneSequence(v, func(ids *cryptobyte.String) bool { return ids.SkipASN1(casn1.OBJECT_IDENTIFIER) })
	}},
	{idPolicyConstraints, "policyConstraints", func(v cryptobyte.String) bool {
		last := -1
		return oneSequence(v, func(fields *cryptobyte.String) bool {
			var n cryptobyte.String
			var tag casn1.Tag
			ok := fields.ReadAnyASN1(&n, &tag) && isCount(n)
			at := int(tag) - 0x80
			ok, last = ok && at > last && at <= 1, at
			return ok
		})
	}},
	{idInhibitAnyPolicy, "inhibitAnyPolicy", func(v cryptobyte.String) bool {
		var n cryptobyte.String
		return v.ReadASN1(&n, casn1.INTEGER) && v.Empty() && isCount(n)
	}},
}

var (
	idExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}
	idPolicies    = asn1.ObjectIdentifier{2, 5, 29, 32}
	idStatement   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	idNotice      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
)

// knownQualifiers reports whether certificate policies have no other qualifiers than RFC
// 5280 §4.2.1.4 has.
func knownQualifiers(policies cryptobyte.String) bool {
	return oneSequence(policies, func(all *cryptobyte.String) bool {
		var policy, qualifiers cryptobyte.String
		var some bool
		if !all.ReadASN1(&policy, casn1.SEQUENCE) || !policy.SkipASN1(casn1.OBJECT_IDENTIFIER) ||
			!policy.ReadOptionalASN1(&qualifiers, &some, casn1.SEQUENCE) || !policy.Empty() {
			return false
		}
		for !qualifiers.Empty() {
			var one cryptobyte.String
			var id asn1.ObjectIdentifier
			if !qualifiers.ReadASN1(&one, casn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&id) || !id.Equal(idStatement) && !id.Equal(idNotice) {
				return false
			}
		}
		return true
	})
}

// oneSequence reports whether v is a SEQUENCE of elements, and no more.
func oneSequence(v cryptobyte.String, element func(*cryptobyte.String) bool) bool {
	var all cryptobyte.String
	if !v.ReadASN1(&all, casn1.SEQUENCE) || !v.Empty() {
		return false
	}
	for !all.Empty() {
		if !element(&all) {
			return false
		}
	}
	return true
}

// isCount reports whether the content of an INTEGER is that of a number not below zero.
func isCount(content []byte) bool { return len(content) > 0 && content[0] < 0x80 }

// notDER says what in c is written otherwise than DER has it; "" for nothing that
// crypto/x509 would not refuse by itself.
func notDER(c *x509.Certificate) string {
	s := scan(c)
	switch {
	case s.firstVersion:
		return "version"
	case s.flagWritten:
		return "flag of an extension that is not critical"
	}
	for _, e := range c.Extensions {
		v := e.Value
		switch {
		case e.Id.Equal(idBasicConstraints) && bytes.HasPrefix(v[min(2, len(v)):], []byte{1, 1, 0}):
			return "basicConstraints"
		case e.Id.Equal(idKeyUsage) && len(v) > 3 && v[len(v)-1]>>min(v[2], 7)&1 == 0 && c.KeyUsage != 0:
			return "key usage"
		case e.Id.Equal(idPolicyConstraints) && len(v) <= 2:
			return "policyConstraints, which is empty,"
		}
	}
	return ""
}

// parametersOf are those of signature algorithms, in DER. PSS has others.
var parametersOf = map[x509.SignatureAlgorithm][]byte{
	x509.SHA256WithRSA: {5, 0}, x509.SHA384WithRSA: {5, 0}, x509.SHA512WithRSA: {5, 0},
	x509.ECDSAWithSHA256: {}, x509.ECDSAWithSHA384: {}, x509.ECDSAWithSHA512: {}, x509.PureEd25519: {},
}

// scanned is what crypto/x509 does not keep of a certificate.
type scanned struct {
	notBefore, notAfter   []byte // in DER, with their tags
	parameters            []byte // of the signature algorithm, in DER
	uniqueIDs, extensions bool
	// What DER leaves out: a version 1 and a flag FALSE that are written.
	firstVersion, flagWritten bool
}

// scan reads a certificate that crypto/x509 has parsed. What it cannot read stays zero.
func scan(c *x509.Certificate) (s scanned) {
	tbs := cryptobyte.String(c.RawTBSCertificate)
	var version, algorithm, validity, from, to cryptobyte.String
	var has bool
	if !tbs.ReadASN1(&tbs, casn1.SEQUENCE) || !tbs.ReadOptionalASN1(&version, &has, tagged(0)) ||
		!tbs.SkipASN1(casn1.INTEGER) || !tbs.ReadASN1(&algorithm, casn1.SEQUENCE) || !tbs.SkipASN1(casn1.SEQUENCE) ||
		!tbs.ReadASN1(&validity, casn1.SEQUENCE) || !tbs.SkipASN1(casn1.SEQUENCE) || !tbs.SkipASN1(casn1.SEQUENCE) {
		return s
	}
	s.firstVersion = has && c.Version == 1
	if algorithm.SkipASN1(casn1.OBJECT_IDENTIFIER) {
		s.parameters = algorithm
	}
	var tag casn1.Tag
	if validity.ReadAnyASN1Element(&from, &tag) && validity.ReadAnyASN1Element(&to, &tag) {
		s.notBefore, s.notAfter = from, to
	}
	for !tbs.Empty() {
		var part cryptobyte.String
		if !tbs.ReadAnyASN1(&part, &tag) {
			return s
		}
		if tag != tagged(3) {
			s.uniqueIDs = true
			continue
		}
		s.extensions = true
		s.flagWritten = flagWritten(part)
	}
	return s
}

// flagWritten reports whether an extension of a list says that it is not critical, which
// is the default.
func flagWritten(list cryptobyte.String) bool {
	var e, flag cryptobyte.String
	var has bool
	if !list.ReadASN1(&list, casn1.SEQUENCE) {
		return false
	}
	for list.ReadASN1(&e, casn1.SEQUENCE) {
		if e.SkipASN1(casn1.OBJECT_IDENTIFIER) && e.ReadOptionalASN1(&flag, &has, casn1.BOOLEAN) && has && bytes.Equal(flag, []byte{0}) {
			return true
		}
	}
	return false
}

// namesIssuer reports whether c's authority key identifier, where it names a certificate
// by issuer and serial number, names that of issuer. RFC 5280 §4.2.1.1.
func namesIssuer(c, issuer *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if !e.Id.Equal(idAuthorityKey) {
			continue
		}
		id := cryptobyte.String(e.Value)
		var names, serial cryptobyte.String
		var some, numbered bool
		if !id.ReadASN1(&id, casn1.SEQUENCE) || !id.SkipOptionalASN1(casn1.Tag(0).ContextSpecific()) ||
			!id.ReadOptionalASN1(&names, &some, tagged(1)) || !id.ReadOptionalASN1(&serial, &numbered, casn1.Tag(2).ContextSpecific()) || !id.Empty() {
			return false
		}
		if some != numbered || numbered && !bytes.Equal(bytes.TrimLeft(serial, "\x00"), issuer.SerialNumber.Bytes()) {
			return false
		}
		for some && !names.Empty() {
			if g, ok := readGeneral(&names); !ok || g.kind == directoryName && !sameName(g.value, issuer.RawIssuer) {
				return false
			}
		}
	}
	return true
}

// sameName compares two names. RFC 5280 §7.1.
func sameName(a, b []byte) bool {
	one, ok := attributes(a)
	other, good := attributes(b)
	return ok && good && directoryHolds(one, other) && directoryHolds(other, one)
}
