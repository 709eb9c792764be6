package access

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/tls"
)

// client is what the rules look at.
type client struct {
	state tls.State
	plain bool              // there is no TLS
	shown *x509.Certificate // with a verified signature
	leaf  *x509.Certificate // shown, if its chain is verified
	psk   string
	addr  netip.Addr // zero where the connection has none
	unix  bool

	names *names // of leaf, read when first needed
}

// names are those in a certificate that may be compared.
type names struct {
	cns, ous []string
	dns      []string // well-formed ones, in lower case
	uris     []string // as they stand in the certificate
	ips      []netip.Addr
}

func clientOf(state tls.State, peer net.Addr) *client {
	c := &client{state: state, plain: state.Version == 0, psk: state.PSKIdentity}
	if len(state.PeerCertificates) > 0 {
		c.shown = state.PeerCertificates[0]
	}
	// The first of a verified chain is what was shown; anything else is not to be believed.
	if len(state.VerifiedChains) > 0 && len(state.VerifiedChains[0]) > 0 && state.VerifiedChains[0][0].Equal(c.shown) {
		c.leaf = c.shown
	}
	c.addr, c.unix = addressOf(peer)
	return c
}

func addressOf(peer net.Addr) (addr netip.Addr, unix bool) {
	switch a := peer.(type) {
	case nil:
	case *net.UnixAddr:
		return addr, true
	case *net.TCPAddr:
		addr, _ = netip.AddrFromSlice(a.IP)
	default:
		if p, err := netip.ParseAddrPort(a.String()); err == nil {
			addr = p.Addr()
		}
	}
	return addr.Unmap().WithZone(""), false
}

// known reports that the client is not anonymous.
func (c *client) known() bool { return c.leaf != nil || c.psk != "" }

func (c *client) peerName() string {
	switch {
	case c.unix:
		return "a unix socket"
	case c.addr.IsValid():
		return c.addr.String()
	}
	return "an unknown address"
}

// read returns the names of the verified certificate; none without one.
func (c *client) read() *names {
	if c.names != nil {
		return c.names
	}
	n := &names{}
	c.names = n
	if c.leaf == nil {
		return n
	}
	for _, a := range c.leaf.Subject.Names {
		value, ok := a.Value.(string)
		switch {
		case !ok:
		case a.Type.Equal(oidCN):
			n.cns = append(n.cns, value)
		case a.Type.Equal(oidOU):
			n.ous = append(n.ous, value)
		}
	}
	for _, name := range c.leaf.DNSNames {
		if isHostName(name) {
			n.dns = append(n.dns, lower(name))
		}
	}
	for _, ip := range c.leaf.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			n.ips = append(n.ips, a.Unmap())
		}
	}
	n.uris = urisOf(c.leaf)
	return n
}

var (
	oidCN  = asn1.ObjectIdentifier{2, 5, 4, 3}
	oidOU  = asn1.ObjectIdentifier{2, 5, 4, 11}
	oidSAN = asn1.ObjectIdentifier{2, 5, 29, 17}
)

// urisOf reads the URIs as they stand in the certificate: crypto/x509 has them parsed, and
// to write them again may change them. RFC 5280 §4.2.1.6.
func urisOf(leaf *x509.Certificate) (uris []string) {
	tag := casn1.Tag(6).ContextSpecific()
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oidSAN) {
			continue
		}
		all, list := cryptobyte.String(e.Value), cryptobyte.String(nil)
		if !all.ReadASN1(&list, casn1.SEQUENCE) {
			return nil
		}
		for !list.Empty() {
			var name cryptobyte.String
			var is casn1.Tag
			if !list.ReadAnyASN1(&name, &is) {
				return nil
			}
			if is == tag {
				uris = append(uris, string(name))
			}
		}
	}
	return uris
}

// cn is the common name, empty where there is none or several.
func (n *names) cn() string {
	if len(n.cns) != 1 {
		return ""
	}
	return n.cns[0]
}

// best names the client by the most specific name that it has.
func (c *client) best() string {
	n := c.read()
	var name string
	switch {
	case c.leaf == nil && c.psk != "":
		name = "psk:" + c.psk
	case c.leaf == nil:
		return "peer:" + c.peerName()
	case len(n.uris) == 1:
		name = "uri:" + n.uris[0]
	case len(n.dns) > 0:
		name = "dns:" + n.dns[0]
	case n.cn() != "":
		name = "cn:" + n.cn()
	}
	if name == "" || len(name) > 256 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		if c.shown == nil { // a pre-shared key, whose identity is any bytes
			return fmt.Sprintf("%.256q", name)
		}
		return "spki:" + pinOf(c.shown)
	}
	return name
}

// described says for people whose certificate it is; all of it comes from the client.
func (c *client) described() string {
	n := c.read()
	var parts []string
	add := func(kind string, values []string) {
		if len(values) == 0 {
			return
		}
		text := fmt.Sprintf("%s %.100q", kind, values[0])
		if len(values) > 1 {
			text += " and " + strconv.Itoa(len(values)-1) + " more"
		}
		parts = append(parts, text)
	}
	var ips []string
	for _, ip := range n.ips {
		ips = append(ips, ip.String())
	}
	add("cn", n.cns)
	add("ou", n.ous)
	add("dns", n.dns)
	add("uri", n.uris)
	add("ip", ips)
	if len(parts) == 0 {
		return "no name (spki:" + pinOf(c.shown) + ")"
	}
	return strings.Join(parts, ", ")
}

// pinOf is the pin of a certificate's public key.
func pinOf(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
	return "sha256/" + base64.StdEncoding.EncodeToString(sum[:])
}
