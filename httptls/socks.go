package httptls

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"time"

	"golang.org/x/net/proxy"
)

// dialFunc is a way to dial, as package proxy wants it.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

func (f dialFunc) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return f(ctx, network, addr)
}

// Dial is for proxy.Dialer, which package proxy does not use of a ContextDialer.
func (f dialFunc) Dial(network, addr string) (net.Conn, error) {
	return f(context.Background(), network, addr)
}

// socks returns a connection to addr through the SOCKS5 proxy at the address via,
// which also looks the name up (RFC 1928). user may be nil (RFC 1929).
func (t *Transport) socks(ctx context.Context, user *url.Userinfo, network, via, addr string) (net.Conn, error) {
	limit := cmp.Or(t.proxyTimeout, proxyTimeout)
	// Without a deadline: the connection would get it, and might end before ctx, which says why.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer time.AfterFunc(limit, func() { cancel(&timeoutError{"the proxy's answer", limit}) }).Stop()
	var auth *proxy.Auth
	if user != nil {
		password, _ := user.Password()
		auth = &proxy.Auth{User: user.Username(), Password: password}
	}
	// What the dialer returns hides the connection's type, by which TLS reads faster.
	var raw net.Conn
	dialer, err := proxy.SOCKS5(network, via, auth, dialFunc(func(ctx context.Context, network, addr string) (net.Conn, error) {
		var err error
		raw, err = t.connect(ctx, network, addr)
		return raw, err
	}))
	if err != nil {
		return nil, err
	}
	// It closes the connection where it fails.
	if _, err := dialer.(proxy.ContextDialer).DialContext(ctx, network, addr); err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	return raw, nil
}
