package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// Options are what a Config does not say.
type Options struct {
	// Hooks are told of what happens, in their order.
	Hooks []event.Hooks
	// Trace, if not nil, may set hooks of package trace in a Config for clients before it
	// is used.
	Trace func(*tls.Config)
	// Development makes a certificate for names by a development authority; nil where there is none.
	Development func(names []string) (tls.Certificate, error)
	// LoadPair reads a server's chain and key in place of this process, as
	// keyprocess.Process.Load does; nil for this process.
	LoadPair func(cert, key string) (tls.Certificate, error)
	// TakeOver gets the listening sockets from the process that runs under the same
	// Process.Handover, and without a session store its ticket keys. That one stops once Run of
	// this one listens.
	TakeOver bool
	// Operators returns the listener at Admin.Listen, which is handed over beside the others:
	// taken is that of the process before, nil where there is none. Nil hands none over. The
	// listener stays the caller's.
	Operators func(taken net.Listener) (net.Listener, error)
	// HandedOver is told that another process has the sockets; pid is 0 where the system does
	// not say which. Its caller answers operators no longer, and the proxy stops.
	HandedOver func(pid int)
	// TookOver is told, after TakeOver, that this process serves. err, if not nil, says what
	// the operator has to look after: the old process may still be there, for example.
	TookOver func(err error)
}

// Proxy serves what a configuration says. Its methods may be called from many goroutines.
type Proxy struct {
	hooks    event.Hooks
	trace    func(*tls.Config)
	options  Options
	ids      atomic.Uint64
	limits   limits
	links    links
	arriving sync.WaitGroup // connections of HTTP mode whose first request has not come yet
	lot      lot
	shared   shared
	live     plans
	stopping atomic.Bool

	mutex     sync.Mutex // of what follows: reload and stop
	plan      *plan
	sockets   map[string]*socket // by address, as the configuration writes it
	handover  *handover          // nil where there is none
	operators net.Listener       // nil where there is none
	// operatorsAt is where the operators' socket is, whatever a reload says.
	operatorsAt string
	inherited   []byte    // ticket keys of the process before; cleared once New is done
	taken       inherited // listeners of the process before, or of systemd, until New is done
	running     bool
	begins      []func()      // what waits for Run
	stopped     chan struct{} // closed when a stop is complete
	stop        chan struct{} // closed when one begins
}

// New makes a proxy: it checks cfg, opens what that names, and listens. Nothing is accepted
// before Run. On an error nothing is left open.
func New(cfg config.Config, o Options) (*Proxy, error) {
	p := &Proxy{
		hooks: event.Join(o.Hooks...), trace: o.Trace, options: o, sockets: make(map[string]*socket),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	from, err := systemdSockets()
	if err == nil && o.TakeOver {
		err = p.takeOver(cfg.Process.Handover, cfg.Process.User, from)
	}
	var next *plan
	p.taken = from
	if err == nil {
		next, err = p.build(cfg)
	}
	clear(p.inherited)
	p.inherited, p.taken = nil, nil
	if err == nil {
		err = p.openOperators(cfg.Admin.Listen, from)
	}
	if err == nil {
		err = p.openAll(next, from)
	}
	if err == nil && cfg.Process.Handover != "" {
		err = p.offerHandover(cfg.Process.Handover, cfg.Process.User)
	}
	from.close() // what nobody has taken
	if err != nil {
		p.handover.close()
		closeSockets(p.sockets)
		if next != nil {
			next.end()
		}
		return nil, err
	}
	p.limits.set(cfg.Limits)
	p.plan = next
	return p, nil
}

// Names among the listeners that are handed over: that at Admin.Listen, and those that answer http-01.
const (
	forOperators = "admin:"
	forHTTP01    = "http-01:"
)

func (p *Proxy) openOperators(where string, from inherited) (err error) {
	if p.options.Operators == nil {
		return nil
	}
	var taken net.Listener
	if where != "" {
		if list := from.take(forOperators + where); len(list) > 0 {
			taken = list[0]
		}
	}
	p.operators, err = p.options.Operators(taken)
	p.operatorsAt = where
	return err
}

// Addrs are the addresses of the sockets that p listens on, by the address that the
// configuration writes.
func (p *Proxy) Addrs() map[string][]net.Addr {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	addrs := make(map[string][]net.Addr)
	for name, s := range p.sockets {
		for _, l := range s.listeners {
			addrs[name] = append(addrs[name], l.Addr())
		}
	}
	return addrs
}

// Run serves until ctx ends; then it stops as Shutdown does, within Process.Grace. It returns
// nil after a stop, also after one that Shutdown began. It may be called once.
func (p *Proxy) Run(ctx context.Context) error {
	begun, err := p.begin()
	if err == nil && begun {
		err = p.publish()
	}
	if err != nil && begun { // it accepts already, and must not go on
		p.stopWithinGrace(context.WithoutCancel(ctx))
	}
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		p.stopWithinGrace(context.WithoutCancel(ctx))
	case <-p.stop:
	}
	<-p.stopped
	return nil
}

func (p *Proxy) stopWithinGrace(ctx context.Context) {
	p.mutex.Lock()
	grace := p.plan.config.Process.Grace.Or(defaultGrace)
	p.mutex.Unlock()
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	_ = p.Shutdown(ctx) // what was cut off is told by Closed
}

// begin starts to accept, and reports whether it did: a stop may have come first.
func (p *Proxy) begin() (begun bool, err error) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	switch {
	case p.running:
		return false, errors.New("proxy: Run was called twice")
	case p.stopping.Load():
		return false, nil
	}
	p.running = true
	for _, f := range p.begins {
		f()
	}
	p.begins = nil
	p.plan.start(true)
	for _, s := range p.sockets {
		s.start()
	}
	return true, nil
}

// onceRunning calls f when Run has begun, at once where it has, and never after ctx's end. By then the
// process has given up the rights that it does not need: what f writes it can read again. The mutex is
// held then.
func (p *Proxy) onceRunning(ctx context.Context, f func()) {
	if p.running {
		f()
		return
	}
	p.begins = append(p.begins, func() {
		if ctx.Err() == nil {
			f()
		}
	})
}

// defaultGrace is how long connections may go on after a stop.
const defaultGrace = 30 * time.Second
