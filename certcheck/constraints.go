package certcheck

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// kind is the choice of a GeneralName. RFC 5280 §4.2.1.6.
type kind uint8

const (
	otherName     kind = 0
	emailName     kind = 1
	dnsName       kind = 2
	x400Address   kind = 3
	directoryName kind = 4
	ediPartyName  kind = 5
	uriName       kind = 6
	addressName   kind = 7
	registeredID  kind = 8
)

// general is one GeneralName, or the base of a subtree.
type general struct {
	kind  kind
	value []byte // its content; of a directoryName the Name in DER
	// What follows is made of value, once, for many comparisons.
	text  string
	ok    bool        // it is one of its kind at all
	host  string      // of a URI
	parts []attribute // of a directoryName
}

// prepared reads the value of a name.
func (g general) prepared() general {
	g.text = string(g.value)
	switch g.kind {
	case dnsName:
		g.ok = nameFault(g.text) == ""
	case emailName:
		local, domain, found := strings.Cut(g.text, "@")
		g.ok = found && local != "" && nameFault(domain) == ""
	case uriName:
		g.host, g.ok = uriHost(g.text)
	case addressName:
		g.ok = len(g.value) == 4 || len(g.value) == 16
	case directoryName:
		g.parts, g.ok = attributes(g.value)
	default:
		g.ok = true
	}
	return g
}

// constraints are those of one authority.
type constraints struct {
	permitted, excluded []general
}

var errConstraints = errors.New("malformed name constraints")

// constraintsOf reads c's name constraints; none where it has none.
func constraintsOf(c *x509.Certificate) (limits constraints, err error) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(idNameConstraints) {
			continue
		}
		value := cryptobyte.String(e.Value)
		var v, permitted, excluded cryptobyte.String
		var some, others bool
		if !value.ReadASN1(&v, casn1.SEQUENCE) || !value.Empty() || !v.ReadOptionalASN1(&permitted, &some, tagged(0)) ||
			!v.ReadOptionalASN1(&excluded, &others, tagged(1)) || !v.Empty() || !some && !others {
			return limits, errConstraints
		}
		if limits.permitted, err = subtrees(permitted); err == nil {
			limits.excluded, err = subtrees(excluded)
		}
	}
	return limits, err
}

func tagged(n uint8) casn1.Tag { return casn1.Tag(n).ContextSpecific().Constructed() }

// subtrees reads GeneralSubtrees, the base of each alone: RFC 5280 allows no minimum but 0
// and no maximum.
func subtrees(list cryptobyte.String) (bases []general, err error) {
	for !list.Empty() {
		var tree cryptobyte.String
		if !list.ReadASN1(&tree, casn1.SEQUENCE) {
			return nil, errConstraints
		}
		base, ok := readGeneral(&tree)
		if !ok || !tree.Empty() || !base.isBase() {
			return nil, errConstraints
		}
		bases = append(bases, base.prepared())
	}
	return bases, nil
}

func readGeneral(s *cryptobyte.String) (g general, ok bool) {
	var content cryptobyte.String
	var tag casn1.Tag
	if !s.ReadAnyASN1(&content, &tag) || tag&0xc0 != 0x80 {
		return g, false
	}
	g = general{kind: kind(tag & 0x1f), value: content}
	return g, g.kind <= registeredID
}

// isBase reports whether g can be the base of a subtree: its syntax is that of its kind.
func (g general) isBase() bool {
	switch g.kind {
	case addressName:
		return len(g.value) == 8 && isMask(g.value[4:]) || len(g.value) == 32 && isMask(g.value[16:])
	case dnsName, emailName, uriName:
		host := string(g.value)
		if g.kind == emailName {
			if _, domain, address := strings.Cut(host, "@"); address {
				host = domain
			}
		}
		host = strings.TrimPrefix(host, ".")
		return len(g.value) == 0 || nameFault(host) == "" && !strings.Contains(host, "*")
	case directoryName:
		_, ok := attributes(g.value)
		return ok
	}
	return true
}

// isMask reports whether a mask is ones and then zeros.
func isMask(mask []byte) bool {
	size := len(mask) * 8
	ones, _ := net.IPMask(mask).Size() // 0 for a mask with a hole
	return bytes.Equal(mask, net.CIDRMask(ones, size))
}

// alternatives lists the names of c's subjectAltName.
func alternatives(c *x509.Certificate) (names []general, err error) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(idSAN) {
			continue
		}
		list := cryptobyte.String(e.Value)
		if !list.ReadASN1(&list, casn1.SEQUENCE) {
			return nil, errConstraints
		}
		for !list.Empty() {
			g, ok := readGeneral(&list)
			if !ok {
				return nil, errConstraints
			}
			names = append(names, g.prepared())
		}
	}
	return names, nil
}

// namesIn lists the names of c that constraints are about: subjectAltName and subject, and
// an email address of the subject where there is no other. RFC 5280 §4.2.1.10.
func namesIn(c *x509.Certificate) (names []general, err error) {
	names, err = alternatives(c)
	if err != nil || emptyName(c.RawSubject) {
		return names, err
	}
	emails := slices.ContainsFunc(names, func(g general) bool { return g.kind == emailName })
	names = append(names, general{kind: directoryName, value: c.RawSubject}.prepared())
	parts, ok := attributes(c.RawSubject)
	if !ok {
		return nil, errConstraints
	}
	for _, a := range parts {
		if !emails && a.id.Equal(oidEmail) {
			names = append(names, general{kind: emailName, value: []byte(a.text)}.prepared())
		}
	}
	return names, nil
}

var oidEmail = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}

const (
	// maxComparisons is how many names are held against subtrees in one verification.
	maxComparisons = 250_000
	// maxNames is how many names of one certificate are held against subtrees.
	maxNames = 256
)

// checkConstraints holds c's constraints against every certificate below it that is not
// issued to itself, the leaf always.
func checkConstraints(p *path, c *x509.Certificate) string {
	if !has(c, idNameConstraints) {
		return ""
	}
	limits, err := constraintsOf(c)
	if err != nil || len(limits.permitted)+len(limits.excluded) == 0 {
		return "" // its form is another rule's business
	}
	for i, below := range p.chain {
		if below == c {
			break
		}
		if i > 0 && bytes.Equal(below.RawSubject, below.RawIssuer) {
			continue
		}
		names, err := namesIn(below)
		if err != nil {
			return fmt.Sprintf("the names of %s are malformed, so they cannot be held against the constraints of %s", subject(below), subject(c))
		}
		if len(names) > maxNames {
			return fmt.Sprintf("%s has %d names, and at most %d are held against the constraints of %s", subject(below), len(names), maxNames, subject(c))
		}
		if p.left -= len(names) * (len(limits.permitted) + len(limits.excluded)); p.left < 0 {
			return fmt.Sprintf("the authority %s has too many name constraints for the names below it", subject(c))
		}
		for _, n := range names {
			if why := limits.refuse(n); why != "" {
				return fmt.Sprintf("the authority %s is not allowed to certify %s: %s", subject(c), n, why)
			}
		}
	}
	return ""
}

// refuse says why a name is not allowed; "" where it is.
func (l *constraints) refuse(name general) string {
	for _, base := range l.excluded {
		if base.kind == name.kind && !base.outside(name) {
			return "it is excluded by " + base.String()
		}
	}
	limited := false
	for _, base := range l.permitted {
		if base.kind != name.kind {
			continue
		}
		if limited = true; base.holds(name) {
			return ""
		}
	}
	if limited {
		return "it is not among what is permitted"
	}
	return ""
}

// outside reports whether a name is certainly not in an excluded subtree. What cannot be
// compared may be in it.
func (g general) outside(name general) bool {
	if !comparable(g.kind) || !name.ok || g.holds(name) {
		return false
	}
	// A star may stand for just the label that is excluded.
	parent, wild := strings.CutPrefix(name.text, "*.")
	_, above, _ := strings.Cut(strings.TrimPrefix(g.text, "."), ".")
	return g.kind != dnsName || !wild || !strings.EqualFold(parent, above)
}

// comparable are the kinds for which there is a comparison. RFC 5280 §4.2.1.10 leaves the
// others open, and a certificate with both such a name and such a constraint is refused.
func comparable(k kind) bool {
	return k == dnsName || k == emailName || k == uriName || k == addressName || k == directoryName
}

// uriHost returns the host of a URI, which has to be a DNS name for a constraint to say
// anything.
func uriHost(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", false
	}
	host := u.Hostname()
	return host, nameFault(host) == ""
}

// holds reports whether a name is in the subtree below g.
func (g general) holds(name general) bool {
	if !name.ok {
		return false
	}
	base, text := g.text, name.text
	switch g.kind {
	case dnsName:
		return domainHolds(strings.TrimPrefix(base, "."), text, strings.HasPrefix(base, "."))
	case uriName:
		return hostHolds(base, name.host)
	case emailName:
		local, domain, _ := strings.Cut(text, "@")
		if wantLocal, wantDomain, address := strings.Cut(base, "@"); address {
			return local == wantLocal && strings.EqualFold(domain, wantDomain)
		}
		return hostHolds(base, domain)
	case addressName:
		return addressHolds(g.value, name.value)
	case directoryName:
		return directoryHolds(g.parts, name.parts)
	}
	return false
}

// domainHolds reports whether a DNS name is a domain or below it. A name with a star is
// held if every name that it stands for is.
func domainHolds(base, name string, below bool) bool {
	if base == "" {
		return true
	}
	if strings.EqualFold(name, base) {
		return !below
	}
	return len(name) > len(base) && name[len(name)-len(base)-1] == '.' && strings.EqualFold(name[len(name)-len(base):], base)
}

// hostHolds is the rule for URIs and mail: a base with a dot in front is for all hosts
// below it, and one without is for that host alone.
func hostHolds(base, host string) bool {
	if rest, below := strings.CutPrefix(base, "."); below {
		return domainHolds(rest, host, true)
	}
	return base == "" || strings.EqualFold(base, host)
}

func addressHolds(base, ip []byte) bool {
	half := len(base) / 2
	if len(ip) != half {
		return false
	}
	for i, b := range ip {
		if (b^base[i])&base[half+i] != 0 {
			return false
		}
	}
	return true
}

// String shows a name as evidence, quoted and shortened.
func (g general) String() string {
	switch g.kind {
	case addressName:
		half := len(g.value)
		if half == 8 || half == 32 {
			half /= 2
		}
		if a, ok := netip.AddrFromSlice(g.value[:half]); ok {
			return a.String()
		}
	case directoryName:
		if len(g.parts) > 0 {
			return "the name of " + quote(g.parts[len(g.parts)-1].text)
		}
	}
	return quote(string(g.value))
}
