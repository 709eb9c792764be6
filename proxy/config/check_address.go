package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// What an address is for.
type purpose int

const (
	toListen purpose = iota // systemd:NAME, a host may be missing
	toServe                 // as toListen, without systemd:NAME
	toReach
)

// maxSocketPath is the longest path of a unix socket on each system, in bytes.
const maxSocketPath = 103

// address reports what is wrong with an address; it returns false then.
func (k *checker) address(path, address string, to purpose) bool {
	if socket, ok := strings.CutPrefix(address, "unix:"); ok {
		return k.socket(path, socket)
	}
	if name, ok := strings.CutPrefix(address, "systemd:"); ok && to == toListen {
		if !targetName.MatchString(name) {
			k.wrong(path, "%q is not the name of a socket of systemd; give that of FileDescriptorName in the unit", name)
		}
		return targetName.MatchString(name)
	}
	example := ":443, 127.0.0.1:8443 or unix:/run/app.sock"
	if to == toReach {
		example = "app.example.com:8080, 127.0.0.1:8080 or unix:/run/app.sock"
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		k.wrong(path, "%q is not an address with a port; write it like %s", address, example)
		return false
	}
	n, err := strconv.Atoi(port)
	_, notIP := netip.ParseAddr(host)
	switch {
	case err != nil:
		k.wrong(path, "the port %q is not a number; write it like %s", port, example)
	case n < 0 || n > 65535 || n == 0 && to == toReach:
		k.wrong(path, "there is no port %d; give one from 1 to 65535", n)
	case host == "" && to == toReach:
		k.wrong(path, "%q has no host; write it like %s", address, example)
	case host != "" && notIP != nil && (wrongName(host) != "" || strings.HasPrefix(host, "*")):
		k.wrong(path, "%q is not a host; write it like %s", host, example)
	default:
		return true
	}
	return false
}

// socket looks at the path of a unix socket.
func (k *checker) socket(path, socket string) bool {
	switch {
	case socket == "":
		k.wrong(path, "the unix socket has no path; write it like unix:/run/app.sock")
	case strings.ContainsRune(socket, 0):
		k.wrong(path, "the path of the unix socket has a zero byte in it; leave it out")
	case len(socket) > maxSocketPath:
		k.wrong(path, "the path of the unix socket has %d bytes, and systems take %d; choose a shorter one, as under /run", len(socket), maxSocketPath)
	default:
		return true
	}
	return false
}

// parseNetwork reads a CIDR network or an address.
func parseNetwork(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	return netip.ParsePrefix(s)
}

// A claim is an address that something listens on.
type claim struct{ path, address string }

// addresses finds two that want the same address, or one inside the other's.
func (k *checker) addresses() {
	var claims []claim
	for i, l := range k.Listeners {
		for j, address := range l.Listen {
			claims = append(claims, claim{fmt.Sprintf("listeners[%d].listen[%d]", i, j), address})
		}
		if l.TLS == nil {
			continue
		}
		for j, cert := range l.TLS.Certificates {
			if a := cert.ACME; a != nil && a.Challenge == "http-01" {
				claims = append(claims, claim{fmt.Sprintf("listeners[%d].tls.certificates[%d].acme.http-listen", i, j), cmp.Or(a.HTTPListen, ":80")})
			}
		}
	}
	if k.Admin.Listen != "" {
		claims = append(claims, claim{"admin.listen", k.Admin.Listen})
	}
	if k.Process.Handover != "" {
		claims = append(claims, claim{"process.handover", "unix:" + k.Process.Handover})
	}
	for i, one := range claims {
		for _, other := range claims[:i] {
			if strings.HasSuffix(one.path, ".http-listen") && strings.HasSuffix(other.path, ".http-listen") {
				continue // which is one server for all
			}
			if overlap(one.address, other.address) {
				k.wrong(one.path, "%q and %q of %s are the same place, or one covers the other; choose another port, or leave one out", one.address, other.address, other.path)
				break
			}
		}
	}
}

// overlap reports that not both addresses can be listened on.
func overlap(a, b string) bool {
	if a == b {
		return !strings.HasSuffix(a, ":0") || strings.HasPrefix(a, "unix:")
	}
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" || strings.HasPrefix(a, "unix:") || strings.HasPrefix(b, "unix:") {
		return false
	}
	ipA, ipB := listenIP(hostA), listenIP(hostB)
	switch {
	case !ipA.IsValid() || !ipB.IsValid(): // names that are not looked up
		return strings.EqualFold(hostA, hostB)
	case ipA.IsUnspecified() && ipB.IsUnspecified():
		return ipA.Is4() == ipB.Is4() || hostA == "" || hostB == "" || ipA.Is6() || ipB.Is6()
	case ipA.IsUnspecified():
		return ipA.Is6() || ipB.Is4()
	case ipB.IsUnspecified():
		return ipB.Is6() || ipA.Is4()
	}
	return ipA == ipB
}

// listenIP is the address of a host to listen on: empty is all, of both families.
func listenIP(host string) netip.Addr {
	switch host {
	case "":
		return netip.IPv6Unspecified()
	case "localhost":
		host = "127.0.0.1"
	}
	ip, _ := netip.ParseAddr(host)
	return ip.Unmap()
}

func sortedNames[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
