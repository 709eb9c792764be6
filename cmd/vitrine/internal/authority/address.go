package authority

import (
	"net"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
)

// mostAddresses is how many of this machine's addresses a certificate is for.
const mostAddresses = 16

// Hosts are the names and addresses by which a client may reach what listens on addr,
// best first; names are further ones.
func Hosts(addr net.Addr, names []string) (list []string) {
	switch ip := addr.(*net.TCPAddr).IP; {
	case ip.IsLoopback():
		list = []string{"localhost", ip.String()}
	case ip.IsUnspecified():
		list = []string{"localhost"}
		if host, err := os.Hostname(); err == nil {
			list = append(list, host)
		}
		list = append(list, ownAddresses()...)
	default:
		list = []string{ip.String()}
	}
	return append(list, names...)
}

// ownAddresses are this machine's, without those that mean something only here or on
// one link.
func ownAddresses() (list []string) {
	all, _ := net.InterfaceAddrs() // without them there are the names
	for _, a := range all {
		n, ok := a.(*net.IPNet)
		if ok && !n.IP.IsLoopback() && !n.IP.IsLinkLocalUnicast() && len(list) < mostAddresses {
			list = append(list, n.IP.String())
		}
	}
	return list
}

// Split parts the hosts for which one of the certificates is good from the others. A
// server without certificates has only good ones.
func Split(hosts []string, certs []tls.Certificate) (good, bad []string) {
	for _, host := range hosts {
		if isFor(host, certs) {
			good = append(good, host)
		} else {
			bad = append(bad, host)
		}
	}
	return good, bad
}

func isFor(host string, certs []tls.Certificate) bool {
	for _, cert := range certs {
		if cert.Leaf != nil && cert.Leaf.VerifyHostname(host) == nil {
			return true
		}
	}
	return len(certs) == 0
}

// URLs returns the URLs that work, best first. Where a certificate is for none of
// the hosts they are by a name of its own, which some resolver will know.
func URLs(addr net.Addr, hosts []string, certs []tls.Certificate) (urls []string) {
	good, _ := Split(hosts, certs)
	if len(good) == 0 {
		good = hosts[:1]
		for _, cert := range certs {
			if cert.Leaf != nil && len(cert.Leaf.DNSNames) > 0 {
				good = []string{strings.Replace(cert.Leaf.DNSNames[0], "*", "www", 1)}
			}
		}
	}
	_, port, _ := net.SplitHostPort(addr.String()) // a TCPAddr has a port
	for _, host := range good {
		urls = append(urls, "https://"+net.JoinHostPort(host, port)+"/")
	}
	return urls
}
