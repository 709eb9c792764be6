package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

type all struct{}

func (all) meets(c *client) (string, bool, error) { return c.best(), c.leaf != nil, nil }

type commonName string

func parseCN(value string) (rule, error) { return commonName(value), nil }

func (r commonName) meets(c *client) (string, bool, error) {
	return "cn:" + string(r), c.read().cn() == string(r), nil
}

type unit string

func parseOU(value string) (rule, error) { return unit(value), nil }

func (r unit) meets(c *client) (string, bool, error) {
	return "ou:" + string(r), slices.Contains(c.read().ous, string(r)), nil
}

// dnsName is a name in lower case; below is set where one label stands before it.
type dnsName struct {
	name  string
	below bool
}

func parseDNS(value string) (rule, error) {
	name, below := strings.CutPrefix(value, "*.")
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil && isHostName(name) { // an underscore, which IDNA does not know
		ascii, err = name, nil
	}
	switch {
	case strings.HasSuffix(name, "."):
		return nil, errors.New("a name in a certificate has no dot at its end; leave it out")
	case strings.Contains(name, "*"):
		return nil, errors.New("an asterisk may stand for the first label alone, as in dns:*.example.com")
	case err != nil || !isHostName(ascii):
		return nil, errors.New("that is not a DNS name")
	}
	if _, err := netip.ParseAddr(ascii); err == nil {
		return nil, errors.New("that is an address; write ip: before it")
	}
	return dnsName{lower(ascii), below}, nil
}

func (r dnsName) meets(c *client) (string, bool, error) {
	for _, name := range c.read().dns {
		rest := name
		if r.below {
			_, rest, _ = strings.Cut(name, ".")
		}
		if rest == r.name {
			return "dns:" + name, true, nil
		}
	}
	return "", false, nil
}

// isHostName reports labels of letters, digits, hyphens and underscores between dots.
func isHostName(name string) bool {
	if len(name) == 0 || len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if len(label) == 0 || len(label) > 63 || strings.ContainsFunc(label, func(r rune) bool { return !isLetter(r) && !isDigit(r) && r != '-' && r != '_' }) {
			return false
		}
	}
	return true
}

func isLetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
func isDigit(r rune) bool  { return r >= '0' && r <= '9' }

// lower is s with ASCII letters in lower case; other characters are never folded.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// uri is the whole, or what stands before the segments of a wildcard, with the slash.
type uri struct {
	text string
	most int // segments that follow text
}

func parseURI(value string) (rule, error) {
	r := uri{text: value}
	if before, ok := strings.CutSuffix(value, "/**"); ok {
		r = uri{before + "/", 1 << 16}
	} else if before, ok := strings.CutSuffix(value, "/*"); ok {
		r = uri{before + "/", 1}
	}
	u, err := url.Parse(r.text)
	switch {
	case err != nil || u.Scheme == "":
		return nil, errors.New("that is not a URI; it is like uri:spiffe://example.org/service")
	case strings.Contains(r.text, "*"):
		return nil, errors.New("an asterisk may stand for whole segments at the end alone, as in uri:spiffe://example.org/team/*")
	case r.most > 0 && (u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(r.text, "?#%")):
		return nil, errors.New("a URI with segments to choose has a host and a plain path")
	case !strings.HasPrefix(strings.ToLower(value), "spiffe:"):
	case !strings.HasPrefix(value, "spiffe://") || u.Host != strings.ToLower(u.Host) || u.Host == "" || u.Port() != "" || u.User != nil:
		return nil, errors.New("a SPIFFE ID is spiffe://DOMAIN/PATH in lower case up to the path, without user and port")
	case r.most == 0 && strings.HasSuffix(value, "/") || strings.ContainsAny(r.text, "?#%"):
		return nil, errors.New("the path of a SPIFFE ID has no slash at its end, no query and no percent sign")
	}
	return r, nil
}

func (r uri) meets(c *client) (string, bool, error) {
	uris := c.read().uris
	if len(uris) > 1 && slices.ContainsFunc(uris, func(u string) bool { return strings.HasPrefix(lower(u), "spiffe:") }) {
		return "", false, nil
	}
	for _, u := range uris {
		if r.fits(u) {
			return "uri:" + u, true, nil
		}
	}
	return "", false, nil
}

func (r uri) fits(u string) bool {
	if r.most == 0 {
		return u == r.text
	}
	path, ok := strings.CutPrefix(u, r.text)
	if !ok {
		return false
	}
	segments := strings.Split(path, "/")
	return len(segments) <= r.most && !slices.ContainsFunc(segments, func(s string) bool { return !isSegment(s) })
}

func isSegment(s string) bool {
	return s != "" && s != "." && s != ".." &&
		!strings.ContainsFunc(s, func(r rune) bool { return !isLetter(r) && !isDigit(r) && !strings.ContainsRune(".-_~", r) })
}

// network reads an address or a CIDR network.
func network(value string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(value); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		return p, errors.New("that is not an address or a network like 10.1.0.0/16")
	case p.Addr().Is4In6():
		return p, errors.New("write the network as IPv4")
	case p.Masked() != p:
		return p, fmt.Errorf("the network has bits beside its prefix; write %v, or the address alone", p.Masked())
	}
	return p, nil
}

type address struct{ netip.Prefix }

func parseIP(value string) (rule, error) {
	p, err := network(value)
	return address{p}, err
}

func (r address) meets(c *client) (string, bool, error) {
	for _, ip := range c.read().ips {
		if r.Contains(ip) {
			return "ip:" + ip.String(), true, nil
		}
	}
	return "", false, nil
}

type peer struct {
	netip.Prefix
	unix bool
}

func parsePeer(value string) (rule, error) {
	if value == "unix" {
		return peer{unix: true}, nil
	}
	p, err := network(value)
	return peer{Prefix: p}, err
}

func (r peer) meets(c *client) (string, bool, error) {
	return c.best(), r.unix && c.unix || !r.unix && c.addr.IsValid() && r.Contains(c.addr), nil
}

type identity string

func parsePSK(value string) (rule, error) { return identity(value), nil }

func (r identity) meets(c *client) (string, bool, error) {
	return "psk:" + string(r), c.psk == string(r), nil
}

type pin [sha256.Size]byte

func parsePin(value string) (rule, error) {
	text, ok := strings.CutPrefix(value, "sha256/")
	sum, err := base64.StdEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(sum) != sha256.Size {
		return nil, errors.New("a pin is sha256/ and 44 characters of Base64: openssl x509 -pubkey -noout -in CERT | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64")
	}
	return pin(sum), nil
}

func (r pin) meets(c *client) (string, bool, error) {
	sum := sha256.Sum256(c.shown.RawSubjectPublicKeyInfo)
	return "spki:" + pinOf(c.shown), subtle.ConstantTimeCompare(sum[:], r[:]) == 1, nil
}
