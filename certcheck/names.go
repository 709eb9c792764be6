package certcheck

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"strings"
)

// matchesHost reports whether c is for a host: a DNS name or an IP address, in brackets or
// not. The common name does not count. RFC 9525 §6.
func matchesHost(c *x509.Certificate, host string) bool {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "" {
		return false
	}
	if isAddress(host) {
		ip, _ := netip.ParseAddr(host)
		for _, has := range c.IPAddresses {
			if a, ok := netip.AddrFromSlice(has); ok && a.Unmap() == ip.Unmap() && ip.Zone() == "" {
				return true
			}
		}
		return false
	}
	host = strings.TrimSuffix(host, ".") // the root, which no certificate writes
	for _, pattern := range c.DNSNames {
		if matchesName(pattern, host) {
			return true
		}
	}
	return false
}

// matchesName compares label by label, without regard to the case of ASCII letters. A
// star stands for the whole of the leftmost label, above two others at least: "*.com"
// would be for everybody's names.
func matchesName(pattern, host string) bool {
	if nameFault(pattern) != "" || nameFault(host) != "" || strings.HasPrefix(host, "*") {
		return false
	}
	if rest, wild := strings.CutPrefix(pattern, "*."); wild {
		_, parent, _ := strings.Cut(host, ".")
		return strings.Count(rest, ".") >= 1 && strings.EqualFold(rest, parent)
	}
	return strings.EqualFold(pattern, host)
}

const (
	maxName  = 253 // characters of a DNS name
	maxLabel = 63
)

// nameFault says why a string is no DNS name in ASCII, with a star in the place of the
// whole first label or without; "" for one. An underscore is let pass, for some private
// names have it. IDNA names are written as A-labels ("xn--..."). RFC 5890 §2.3.1, RFC 9525
// §2.
func nameFault(name string) string {
	if name == "" || len(name) > maxName {
		return fmt.Sprintf("has %d characters", len(name))
	}
	if isAddress(name) {
		return "is an address"
	}
	for i, rest, more := 0, name, true; more; i++ {
		var label string
		label, rest, more = strings.Cut(rest, ".")
		switch {
		case label == "*" && i == 0 && len(name) > 1:
		case label == "":
			return "has an empty label"
		case len(label) > maxLabel:
			return "has a label of more than 63 characters"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "has a label that begins or ends with a hyphen"
		case strings.ContainsFunc(label, notInName):
			return "has a character that no name has"
		}
	}
	return ""
}

// isAddress asks netip only where the name could be an address, since its errors cost an
// allocation.
func isAddress(name string) bool {
	last := name[len(name)-1]
	if (last < '0' || last > '9') && !strings.Contains(name, ":") {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
