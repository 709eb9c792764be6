package scan

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/vitrine-tls/vitrine/starttls"
)

// A Target is a server.
type Target struct {
	// Address is HOST:PORT, where to connect to, or unix:PATH.
	Address string
	// Name is what the hello asks for (server_name); empty for the host of Address, if
	// that is a name.
	Name string
	// StartTLS is the protocol by which the server turns to TLS, one of
	// starttls.Protocols; empty where TLS begins at once.
	StartTLS string
}

// ServerName is the name that hellos ask for; empty for an address.
func (t Target) ServerName() string {
	name := t.Name
	if name == "" {
		name = t.host()
	}
	if isAddress(name) {
		return ""
	}
	return name
}

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}

func (t Target) host() string {
	if t.socket() != "" {
		return "localhost"
	}
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil {
		return t.Address
	}
	return host
}

// machine is what has the limits of connections: the host, in one spelling, or a socket.
func (t Target) machine() string {
	if t.socket() != "" {
		return t.Address
	}
	return strings.ToLower(strings.TrimSuffix(t.host(), "."))
}

// socket is the path of a unix socket; empty for other addresses.
func (t Target) socket() string {
	path, _ := strings.CutPrefix(t.Address, "unix:")
	if path == t.Address {
		return ""
	}
	return path
}

// dial connects, and has the server turn to TLS.
func dial(ctx context.Context, t Target) (net.Conn, error) {
	network, address := "tcp", t.Address
	if path := t.socket(); path != "" {
		network, address = "unix", path
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil || t.StartTLS == "" {
		return conn, err
	}
	host := t.ServerName()
	if host == "" {
		host = t.host()
	}
	if err := starttls.Upgrade(ctx, conn, t.StartTLS, starttls.Options{Host: host}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
