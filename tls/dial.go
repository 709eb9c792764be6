package tls

import (
	"context"
	"net"

	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// Dialer dials TLS connections with a given Config and Dialer for the
// connections below. For HTTP use httptls.Transport: http.Transport.DialTLSContext
// with a Conn of this package speaks HTTP/1.1 only, so Config must not offer h2 there.
type Dialer struct {
	// NetDialer is for the TCP connection; nil for a zero net.Dialer.
	NetDialer *net.Dialer
	// Config is for the TLS connection; nil for a zero Config. Where it has no
	// ServerName, that is the host of the address.
	Config *Config
}

// Dial connects and completes the handshake. The net.Conn is a *Conn.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext is Dial under a context, which bounds the handshake too.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := dial(ctx, d.NetDialer, network, addr, d.Config)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Dial connects to addr and completes the handshake. A nil config is a zero
// one; where it has no ServerName, that is the host of addr.
func Dial(network, addr string, config *Config) (*Conn, error) {
	return dial(context.Background(), nil, network, addr, config)
}

// DialWithDialer is Dial with a given Dialer, whose Timeout and Deadline bound
// the handshake too.
func DialWithDialer(dialer *net.Dialer, network, addr string, config *Config) (*Conn, error) {
	return dial(context.Background(), dialer, network, addr, config)
}

func dial(ctx context.Context, d *net.Dialer, network, addr string, config *Config) (*Conn, error) {
	if d == nil {
		d = new(net.Dialer)
	}
	if d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	if !d.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, d.Deadline)
		defer cancel()
	}
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := Client(conn, withName(config, addr))
	if err := c.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// withName gives a config without ServerName the host of addr.
func withName(config *Config, addr string) *Config {
	if config == nil {
		config = &emptyConfig
	}
	if config.ServerName != "" {
		return config
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	named := config.Clone()
	named.ServerName = host
	named.sameEndpoint(config)
	return named
}

// Listen listens on addr; Accept returns *Conn values, the handshake still to
// be done. It refuses a config that no handshake could be made with. For HTTP use
// httptls.Server in its place, which also speaks HTTP/2.
func Listen(network, addr string, config *Config) (net.Listener, error) {
	if config == nil {
		config = &emptyConfig
	}
	if err := config.resolveServer(new(handshake.Config), nil); err != nil {
		return nil, err
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, err
	}
	return NewListener(l, config), nil
}

// NewListener has inner's connections speak TLS. The config must have a
// certificate, or the means to get one, or suites that need none. For HTTP use
// httptls.Server in its place, which also speaks HTTP/2. HTTP in the clear is answered
// with 400 when Read finds it in the place of a handshake.
func NewListener(inner net.Listener, config *Config) net.Listener {
	return &listener{inner, config}
}

type listener struct {
	net.Listener
	config *Config
}

func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := Server(conn, l.config)
	c.listened = true
	return c, nil
}
