package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/starttls/front"
	"github.com/vitrine-tls/vitrine/tls"
)

// defaultConnectTimeout bounds reaching one address, TLS with it included.
const defaultConnectTimeout = 5 * time.Second

// A target is a service at some addresses.
type target struct {
	name   string
	config *config.Target
	places []*place
	turn   atomic.Uint64 // of round robin
	report func(address string, up bool, why error)
}

// A place is one address of a target.
type place struct {
	name, network, address string      // as configured, and as net.Dial takes it
	tls                    *tls.Config // nil for none
	active                 atomic.Int64
	web                    http.RoundTripper // for HTTP mode; nil where nobody needs it
	down                   atomic.Bool
}

func (at *place) leave() { at.active.Add(-1) }

func newTarget(name string, c *config.Target, load pairLoader) (*target, error) {
	t := &target{name: name, config: c}
	if len(c.Addresses) == 0 {
		return nil, errors.New("it has no addresses")
	}
	if c.StartTLS != "" && c.TLS == nil {
		return nil, errors.New("starttls: it needs tls beside it, which says whom to trust")
	}
	shared, err := clientTLS(c.TLS, load)
	if err != nil {
		return nil, err
	}
	for _, a := range c.Addresses {
		at := &place{name: a, network: "tcp", address: a}
		if path, is := strings.CutPrefix(a, "unix:"); is {
			at.network, at.address = "unix", path
		}
		if shared != nil {
			if at.tls, err = at.named(shared, c.TLS); err != nil {
				return nil, err
			}
		}
		t.places = append(t.places, at)
	}
	return t, nil
}

// named is the configuration for one address: the name in its certificate is that address's,
// where none is given.
func (at *place) named(shared *tls.Config, c *config.ClientTLS) (*tls.Config, error) {
	name := c.Name
	if host, _, err := net.SplitHostPort(at.address); name == "" && at.network == "tcp" && err == nil {
		name = host
	}
	if name == "" && !c.Insecure {
		return nil, fmt.Errorf("tls.name is needed for %s: it has no host whose name the certificate could have", at.name)
	}
	own := shared.Clone()
	own.ServerName = name
	return own, nil
}

// connect reaches for the addresses in turn, until one takes the connection. The error is
// that of the last one. l is nil for requests of HTTP mode. joins is the protocol whose
// greeting is read, where a listener spoke it; empty for none.
func (t *target) connect(ctx context.Context, l *link, joins string) (net.Conn, *place, error) {
	var last error
	var tried *place
	for _, at := range t.order() {
		at.active.Add(1)
		conn, err := t.reach(ctx, at, l, joins)
		if err == nil {
			return conn, at, nil
		}
		at.leave()
		last, tried = err, at
		if ctx.Err() != nil {
			break
		}
	}
	return nil, tried, last
}

// dialFor connects to one address for requests of HTTP mode, which speaks TLS itself.
func (t *target) dialFor(ctx context.Context, at *place) (net.Conn, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, t.config.ConnectTimeout.Or(defaultConnectTimeout))
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, at.network, at.address)
	if err == nil {
		err = t.announce(ctx, raw, nil)
		if err != nil {
			raw.Close()
		}
	}
	if err != nil {
		err = fmt.Errorf("the target %s at %s: %w", t.name, at.name, plainError(err))
	}
	if l := linkOf(ctx); l != nil {
		l.reached(event.Target{Name: t.name, Address: at.name, Took: time.Since(began), Err: err})
	}
	return raw, err
}

// reach connects to one address: the socket, the header, STARTTLS and TLS.
func (t *target) reach(ctx context.Context, at *place, l *link, joins string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.config.ConnectTimeout.Or(defaultConnectTimeout))
	defer cancel()
	var dialer net.Dialer
	raw, err := dialer.DialContext(ctx, at.network, at.address)
	if err != nil {
		return nil, fmt.Errorf("the target %s at %s: %w", t.name, at.name, plainError(err))
	}
	conn, err := t.greet(ctx, raw, at, l)
	if err == nil && joins != "" {
		conn, err = front.Join(ctx, joins, conn)
	}
	if err != nil {
		raw.Close()
		return nil, fmt.Errorf("the target %s at %s: %w", t.name, at.name, err)
	}
	return conn, nil
}

func (t *target) greet(ctx context.Context, raw net.Conn, at *place, l *link) (net.Conn, error) {
	if err := t.announce(ctx, raw, l); err != nil {
		return nil, err
	}
	if t.config.StartTLS != "" {
		if err := starttls.Upgrade(ctx, raw, t.config.StartTLS, starttls.Options{Host: cmp.Or(at.tls.ServerName, at.address)}); err != nil {
			return nil, err
		}
	}
	if at.tls == nil {
		return raw, nil
	}
	conn := tls.Client(raw, at.tls)
	if err := conn.HandshakeContext(ctx); err != nil || t.config.StartTLS == "" {
		return conn, err
	}
	return front.Greeted(t.config.StartTLS, conn), nil
}

// announce writes the header of the PROXY protocol, where the target gets one.
func (t *target) announce(ctx context.Context, raw net.Conn, l *link) error {
	header, err := writeHeader(t.config.ProxyProtocol, l)
	if err != nil || len(header) == 0 {
		return err
	}
	limit, _ := ctx.Deadline()
	raw.SetWriteDeadline(limit)
	defer raw.SetWriteDeadline(noDeadline)
	_, err = raw.Write(header)
	return err
}
