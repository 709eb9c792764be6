package devca

import (
	"crypto/rand"
	"math/big"
	"net"
	"strings"
	"time"
)

// privateRanges are the addresses that never belong to a public site: loopback,
// RFC 1918, RFC 4193 and link-local ones.
func privateRanges() []*net.IPNet {
	var ranges []*net.IPNet
	for _, cidr := range []string{
		"127.0.0.0/8", "::1/128",
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
		"169.254.0.0/16", "fe80::/10",
	} {
		_, r, err := net.ParseCIDR(cidr)
		if err != nil {
			panic(err) // a constant above is wrong
		}
		ranges = append(ranges, r)
	}
	return ranges
}

// privateDomains are those that never belong to a public site: RFC 6761 §6.2, §6.3,
// RFC 6762 §3, RFC 8375, and ICANN's resolution 2024.07.29.06.
func privateDomains() []string {
	return []string{"localhost", "test", "local", "home.arpa", "internal"}
}

// dnsNames returns those of names that are DNS names, in lower case. A machine's
// own name may hold what no certificate can; such a name is left out.
func dnsNames(names []string) []string {
	var dns []string
	for _, name := range names {
		if net.ParseIP(name) == nil && isDNSName(name) {
			dns = append(dns, strings.ToLower(name))
		}
	}
	return dns
}

func isDNSName(name string) bool {
	if name == "" || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			letter := 'a' <= c|0x20 && c|0x20 <= 'z'
			if !letter && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// newSerial returns a positive number of 127 bits whose first byte is not zero.
// RFC 5280 §4.1.2.2.
func newSerial() *big.Int {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b)
}

// parseSerial reads hexadecimal digits.
func parseSerial(s string) (*big.Int, bool) { return new(big.Int).SetString(s, 16) }

// listNumber is a CRL's number. The clock's nanoseconds grow with each list, as RFC
// 5280 §5.2.3 demands, and need not be kept.
func listNumber(now time.Time) *big.Int { return big.NewInt(now.UnixNano()) }

// wildcardNames is dnsNames, and lets a wildcard stand in the first label. RFC 9525
// §6.3 wants it there alone.
func wildcardNames(names []string) []string {
	var all []string
	for _, name := range names {
		base, wild := strings.CutPrefix(name, "*.")
		for _, dns := range dnsNames([]string{base}) {
			if wild {
				dns = "*." + dns
			}
			all = append(all, dns)
		}
	}
	return all
}

// IsName reports whether name can stand in a server's certificate: an address, or a
// DNS name, whose first label may be a wildcard over a domain that is not a top-level
// one.
func IsName(name string) bool {
	if net.ParseIP(name) != nil {
		return true
	}
	base, wild := strings.CutPrefix(name, "*.")
	return isDNSName(base) && (!wild || strings.Contains(base, "."))
}
