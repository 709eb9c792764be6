package flags

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/proxy"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/starttls"
)

// Reach are the flags on the way to a server, up to the first byte of TLS.
type Reach struct {
	startTLS, proxy, connectTo string
	only4, only6               bool
}

// Register adds the flags to a verb.
func (r *Reach) Register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.StringVar(&r.startTLS, "starttls", "", "have the server turn to TLS by this `protocol`: "+OneOf(startTLSNames())+" (default: by a URL like smtp:// or the port, else none)")
	set.StringVar(&r.connectTo, "connect-to", "", "connect to this `address` instead, or to unix:PATH; the name to ask for and to verify stays")
	set.StringVar(&r.proxy, "proxy", "", "go through this proxy, a `URL`: http://HOST:PORT or socks5://HOST:PORT")
	set.BoolVarP(&r.only4, "ipv4", "4", false, "use IPv4 alone")
	set.BoolVarP(&r.only6, "ipv6", "6", false, "use IPv6 alone")
	CompleteFrom(cmd, "starttls", startTLSNames())
}

// Given reports that one of the flags was given.
func (r *Reach) Given(cmd *cobra.Command) bool {
	return slices.ContainsFunc([]string{"starttls", "connect-to", "proxy", "ipv4", "ipv6"}, cmd.Flags().Changed)
}

// Check finds what is wrong with the flags.
func (r *Reach) Check() error {
	if r.startTLS != "" && !slices.Contains(startTLSNames(), r.startTLS) {
		return report.Usagef("--starttls %q is not a protocol; choose %s", r.startTLS, OneOf(startTLSNames()))
	}
	if r.only4 && r.only6 {
		return report.Usagef("-4 and -6 contradict each other; leave one out")
	}
	if r.connectTo != "" {
		if _, err := ParseTarget(r.connectTo); err != nil {
			return err
		}
	}
	_, err := r.through()
	return err
}

// through reads --proxy; nil without one.
func (r *Reach) through() (*url.URL, error) {
	if r.proxy == "" {
		return nil, nil
	}
	u, err := url.Parse(r.proxy)
	if err != nil || u.Port() == "" || u.Scheme != "http" && u.Scheme != "socks5" {
		return nil, report.Usagef("--proxy %q is not http://HOST:PORT or socks5://HOST:PORT", r.proxy)
	}
	return u, nil
}

// Protocol is that by which the server turns to TLS; empty where TLS begins at once. The
// flag counts first, then a URL, then the port.
func (r *Reach) Protocol(at Target) string {
	port, _ := strconv.Atoi(at.Port)
	if p := cmp.Or(r.startTLS, at.StartTLS, starttls.ProtocolOf(port)); p != none {
		return p
	}
	return ""
}

// Dial connects to a target, and has the server turn to TLS where that is its protocol's
// way.
func (r *Reach) Dial(ctx context.Context, at Target) (net.Conn, error) {
	conn, err := r.dial(ctx, at)
	if err != nil {
		return nil, err
	}
	protocol := r.Protocol(at)
	if protocol == "" {
		return conn, nil
	}
	if err := starttls.Upgrade(ctx, conn, protocol, starttls.Options{Host: at.Host}); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// DialTo is Dial for one of Addresses; "" is for any.
func (r *Reach) DialTo(ctx context.Context, at Target, address string) (net.Conn, error) {
	one := *r
	if address != "" {
		one.connectTo = address
	}
	return one.Dial(ctx, at)
}

// Addresses are all to which the name of a target leads, with its port; none where the flags
// choose, it is an address itself, or it is this machine.
func (r *Reach) Addresses(ctx context.Context, at Target) (all []string) {
	if r.proxy != "" || r.connectTo != "" || at.Path != "" || net.ParseIP(at.Host) != nil {
		return nil
	}
	network := "ip"
	switch {
	case r.only4:
		network = "ip4"
	case r.only6:
		network = "ip6"
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, network, at.Host)
	if err != nil {
		return nil
	}
	for _, ip := range found {
		if !ip.IsLoopback() {
			all = append(all, net.JoinHostPort(ip.Unmap().String(), at.Port))
		}
	}
	return all
}

func (r *Reach) dial(ctx context.Context, at Target) (net.Conn, error) {
	network := "tcp"
	switch {
	case r.only4:
		network = "tcp4"
	case r.only6:
		network = "tcp6"
	}
	if r.connectTo != "" {
		to, err := ParseTarget(r.connectTo)
		if err != nil {
			return nil, err
		}
		at = to
	}
	if at.Path != "" {
		if r.proxy != "" || r.only4 || r.only6 {
			return nil, report.Usagef("%s is on this machine; leave --proxy, -4 and -6 out", at)
		}
		return new(net.Dialer).DialContext(ctx, "unix", at.Path)
	}
	if ip := net.ParseIP(at.Host); ip != nil && (r.only4 && ip.To4() == nil || r.only6 && ip.To4() != nil) {
		return nil, report.Usagef("%s is an address of the other kind than -4 or -6 asks for; leave the flag out, or give a name", at.Host)
	}
	address := at.String()
	via, err := r.through()
	switch {
	case err != nil:
		return nil, err
	case via == nil:
		return new(net.Dialer).DialContext(ctx, network, address)
	case via.Scheme == "http":
		return tunnel(ctx, network, via, address)
	}
	socks, err := proxy.FromURL(via, fixedNetwork(network))
	if err != nil {
		return nil, report.Usagef("--proxy: %v", err)
	}
	conn, err := socks.(proxy.ContextDialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, atProxy(via, err)
	}
	return conn, nil
}

// fixedNetwork dials by one network, whatever it is asked for.
type fixedNetwork string

func (n fixedNetwork) Dial(_, address string) (net.Conn, error) {
	return n.DialContext(context.Background(), "", address)
}

func (n fixedNetwork) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, string(n), address)
	if err != nil {
		return nil, &diagnose.ProxyError{Proxy: address, Err: err}
	}
	return conn, nil
}

// tunnel asks an HTTP proxy for a connection. RFC 9110 §9.3.6.
func tunnel(ctx context.Context, network string, via *url.URL, address string) (net.Conn, error) {
	conn, err := fixedNetwork(network).DialContext(ctx, "", via.Host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	in, err := askTunnel(conn, via, address)
	if !stop() {
		err = cmp.Or(ctx.Err(), err)
	}
	if err != nil {
		conn.Close()
		return nil, atProxy(via, err)
	}
	if in.Buffered() > 0 { // the server speaks first, and its words came with the answer
		return &primed{conn, in}, nil
	}
	return conn, nil
}

// atProxy is the error of a proxy that was reached, unless err says that it was not.
func atProxy(via *url.URL, err error) error {
	if e, ok := errors.AsType[*diagnose.ProxyError](err); ok {
		return e
	}
	return &diagnose.ProxyError{Proxy: via.Host, Reached: true, Err: err}
}

// primed is a connection of which something was read already.
type primed struct {
	net.Conn
	in *bufio.Reader
}

func (p *primed) Read(b []byte) (int, error) { return p.in.Read(b) }

func askTunnel(conn net.Conn, via *url.URL, address string) (*bufio.Reader, error) {
	request := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: address}, Host: address, Header: http.Header{}}
	if via.User != nil {
		password, _ := via.User.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(via.User.Username() + ":" + password))
		request.Header.Set("Proxy-Authorization", "Basic "+credentials)
	}
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	response, err := http.ReadResponse(in, request)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode/100 != 2:
		return nil, fmt.Errorf("it refuses the connection to %s: %s", address, response.Status)
	}
	return in, nil
}
