package proxy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/certs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/session/fleet"
	"github.com/vitrine-tls/vitrine/tls"
)

// A plan is what one configuration has been made into. A reload makes another; connections go
// on under the one that they began with.
type plan struct {
	p        *Proxy
	config   config.Config
	doors    []*door
	targets  map[string]*target
	queue    *queue
	sessions *fleet.Sessions // nil where TLS is nowhere ended
	sources  []*certs.Source // of certificates

	ctx    context.Context // of what runs beside the connections
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	closes []func() // in the order of opening

	mutex   sync.Mutex
	users   int  // connections
	retired bool // another plan has taken its place
	ended   bool
}

// A door is what holds for the connections of one listener of the configuration.
type door struct {
	plan      *plan
	config    *config.Listener
	tls       *tls.Config // nil: TLS is not ended here
	trust     trust
	routes    []*route
	fallback  *route          // nil refuses what no route fits
	protocols map[string]bool // that routes ask for
	http      *httpSide       // nil for TCP mode
	looks     bool            // the ClientHello is looked at first
	front     *tls.ECHFront   // opens encrypted ones for routes that pass TLS on; nil where there is none
	public    map[string]bool // the names that clients show in their place
	shown     sync.Map        // see showing; by net.Conn

	handshakeTimeout, idleTimeout time.Duration
}

const defaultHandshakeTimeout = 10 * time.Second

// build makes a plan of cfg, or says what is wrong with it. Nothing runs before start, and end
// closes what was opened.
func (p *Proxy) build(cfg config.Config) (*plan, error) {
	n := &plan{p: p, config: cfg, targets: make(map[string]*target), queue: newQueue(cfg.Limits.Handshakes)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	err := n.make()
	if err != nil {
		n.end()
		return nil, fmt.Errorf("proxy: %w", err)
	}
	return n, nil
}

func (n *plan) make() error {
	if err := config.Check(&n.config, config.Rules(access.CheckRule), config.Files()).Err(); err != nil {
		return err
	}
	for name, c := range n.config.Targets {
		t, err := newTarget(name, &c, n.p.options.pairs())
		if err != nil {
			return fmt.Errorf("targets.%s: %w", name, err)
		}
		t.report = func(address string, up bool, why error) {
			if n.p.hooks.Health != nil {
				n.p.hooks.Health(name, address, up, why)
			}
		}
		n.targets[name] = t
	}
	for i := range n.config.Listeners {
		c := &n.config.Listeners[i]
		d, err := n.door(c)
		if err != nil {
			return fmt.Errorf("listeners[%d]: %w", i, err)
		}
		n.doors = append(n.doors, d)
	}
	return nil
}

func (n *plan) door(c *config.Listener) (*door, error) {
	limits := &n.config.Limits
	d := &door{
		plan: n, config: c, protocols: make(map[string]bool),
		handshakeTimeout: limits.HandshakeTimeout.Or(defaultHandshakeTimeout), idleTimeout: time.Duration(limits.IdleTimeout),
	}
	var err error
	if d.trust, err = newTrust(c.ProxyProtocol.From); err != nil {
		return nil, fmt.Errorf("proxy-protocol.from: %w", err)
	}
	if err := n.route(d); err != nil {
		return nil, err
	}
	if c.TLS != nil {
		if d.tls, err = n.serverTLS(d); err != nil {
			return nil, fmt.Errorf("tls.%w", err)
		}
		if err := d.openForOthers(); err != nil {
			return nil, err
		}
	}
	if c.Mode == config.ModeHTTP {
		d.http, err = n.newHTTP(d)
	}
	return d, err
}

// route makes the door's routes.
func (n *plan) route(d *door) error {
	all, err := parsePolicy(d.config.Allow)
	if err != nil {
		return fmt.Errorf("allow: %w", err)
	}
	for i := range d.config.Routes {
		c := &d.config.Routes[i]
		t := n.targets[c.Target]
		if t == nil {
			return fmt.Errorf("routes[%d].target: there is no target %q", i, c.Target)
		}
		allow := all
		if len(c.Allow) > 0 {
			if allow, err = parsePolicy(c.Allow); err != nil {
				return fmt.Errorf("routes[%d].allow: %w", i, err)
			}
		}
		d.routes = append(d.routes, newRoute(c, t, allow))
		d.looks = d.looks || c.Passthrough || len(c.ALPN) > 0
		for _, protocol := range c.ALPN {
			d.protocols[protocol] = true
		}
	}
	if d.config.Target != "" {
		t := n.targets[d.config.Target]
		if t == nil {
			return fmt.Errorf("target: there is no target %q", d.config.Target)
		}
		d.fallback = &route{allow: all, target: t}
	}
	return nil
}

// onlyHandshake reports that a connection with this protocol ends after its handshake.
func onlyHandshake(protocol string) bool {
	return protocol == acmeProtocol // which config refuses to agree on for a target
}

// acmeProtocol is that of ACME's challenge by TLS. RFC 8737 §6.2.
const acmeProtocol = "acme-tls/1"

// start runs what works beside the connections.
func (n *plan) start(running bool) {
	if !running {
		return
	}
	n.p.live.add(n)
	for _, d := range n.doors {
		if d.http != nil {
			n.tasks.Go(d.http.run)
		}
	}
	for _, t := range n.targets {
		if t.config.Health == nil {
			continue
		}
		for _, at := range t.places {
			n.tasks.Go(func() { t.check(n.ctx, at) })
		}
	}
}

// enter counts a connection in. It reports false where the plan has ended: then the socket has
// another door.
func (n *plan) enter() bool {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.ended {
		return false
	}
	n.users++
	return true
}

// leave counts a connection out. The last one of a retired plan ends it.
func (n *plan) leave() {
	n.mutex.Lock()
	n.users--
	last := n.retired && n.users == 0 && !n.ended
	n.ended = n.ended || last
	n.mutex.Unlock()
	if last {
		n.end()
	}
}

// retire ends what runs beside the connections, and the plan with its last connection.
func (n *plan) retire() {
	n.cancel()
	n.mutex.Lock()
	n.retired = true
	last := n.users == 0 && !n.ended
	n.ended = n.ended || last
	n.mutex.Unlock()
	if last {
		n.end()
	}
}

// end stops what start began, and closes what was opened.
func (n *plan) end() {
	n.cancel()
	for _, d := range n.doors {
		if d.http != nil {
			d.http.inbox.Close()
		}
	}
	n.tasks.Wait()
	for _, t := range n.targets {
		for _, at := range t.places {
			if idle, is := at.web.(interface{ CloseIdleConnections() }); is {
				idle.CloseIdleConnections()
			}
		}
	}
	for _, f := range slices.Backward(n.closes) {
		f()
	}
	n.p.live.remove(n)
}

// shutdownHTTP has the servers of HTTP mode end their connections: idle ones at once, others
// after the answers under way, up to ctx's end.
func (n *plan) shutdownHTTP(ctx context.Context) {
	for _, d := range n.doors {
		switch {
		case d.http == nil:
		case d.http.over != nil:
			_ = d.http.over.Shutdown(ctx) // what is left is cut off later
		default:
			_ = d.http.server.Shutdown(ctx)
		}
	}
}

// plans are those that have connections, or will.
type plans struct {
	mutex sync.Mutex
	all   map[*plan]struct{}
}

func (s *plans) add(n *plan) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.all == nil {
		s.all = make(map[*plan]struct{})
	}
	s.all[n] = struct{}{}
}

func (s *plans) remove(n *plan) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.all, n)
}

func (s *plans) list() []*plan {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return slices.Collect(maps.Keys(s.all))
}
