package main

import (
	"context"
	stdtls "crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// visitorKind is a client that comes back, each time to another member.
type visitorKind struct {
	name   string
	stored bool // its session is in the store even where tickets are not for a single use
	begin  func(roots *x509.CertPool, pin bool) connector
}

// connector begins a connection, and tells afterwards whether it was resumed. One that pins offers its first session
// again and again.
type connector func(net.Conn) (c client, resumed func() bool)

// client is a connection of ours, or of crypto/tls.
type client interface {
	net.Conn
	HandshakeContext(ctx context.Context) error
}

var visitorKinds = []visitorKind{
	{"TLS 1.3 tickets", false, ourVisitor(tls.VersionTLS13, true)},
	{"TLS 1.3 tickets, crypto/tls", false, stdVisitor(tls.VersionTLS13)},
	{"TLS 1.2 tickets", false, ourVisitor(tls.VersionTLS12, true)},
	{"TLS 1.2 tickets, crypto/tls", false, stdVisitor(tls.VersionTLS12)},
	{"TLS 1.2 IDs", true, ourVisitor(tls.VersionTLS12, false)},
}

func ourVisitor(version uint16, tickets bool) func(*x509.CertPool, bool) connector {
	return func(roots *x509.CertPool, pin bool) connector {
		config := &tls.Config{RootCAs: roots, ServerName: loadName, MinVersion: version, MaxVersion: version,
			SessionTicketsDisabled: !tickets, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		if pin {
			config.ClientSessionCache = new(pinned[tls.ClientSessionState])
		}
		return func(conn net.Conn) (client, func() bool) {
			c := tls.Client(conn, config)
			return c, func() bool { return c.ConnectionState().DidResume }
		}
	}
}

func stdVisitor(version uint16) func(*x509.CertPool, bool) connector {
	return func(roots *x509.CertPool, pin bool) connector {
		config := &stdtls.Config{RootCAs: roots, ServerName: loadName, MinVersion: version, MaxVersion: version,
			ClientSessionCache: stdtls.NewLRUClientSessionCache(1)}
		if pin {
			config.ClientSessionCache = new(pinned[stdtls.ClientSessionState])
		}
		return func(conn net.Conn) (client, func() bool) {
			c := stdtls.Client(conn, config)
			return c, func() bool { return c.ConnectionState().DidResume }
		}
	}
}

// slice is the grain of what a crowd remembers.
const slice = 100 * time.Millisecond

// crowd are visitors of all kinds, and what became of their connections.
type crowd struct {
	kinds     []visitorKind
	roots     *x509.CertPool
	workers   int
	pause     atomic.Int64 // of each visitor between two connections, in nanoseconds
	addresses atomic.Pointer[[]string]
	forgetful atomic.Bool // visitors come as if for the first time

	began    time.Time
	mu       sync.Mutex
	slices   []tallies
	failures map[string]int
}

// tallies are the connections that began in one slice, by kind.
type tallies []count

type count struct {
	all, resumed, failed int
	spent                time.Duration
}

func newCrowd(roots *x509.CertPool, kinds []visitorKind, workers, rate int, addresses []string) *crowd {
	c := &crowd{kinds: kinds, roots: roots, workers: workers, failures: map[string]int{}}
	c.pace(rate)
	c.addresses.Store(&addresses)
	return c
}

// pace is how many connections a second all make together, so far as there is time for them.
func (c *crowd) pace(rate int) {
	c.pause.Store(int64(time.Second) * int64(c.workers) / int64(rate))
}

// run has all visitors come again and again until ctx is done.
func (c *crowd) run(ctx context.Context) (done <-chan struct{}) {
	c.began = time.Now()
	var all sync.WaitGroup
	launch(ctx, &all, c.workers, time.Duration(c.pause.Load()), func(i int) { c.come(ctx, i) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		all.Wait()
	}()
	return ended
}

// come is one visitor. The first connection of all, which has nothing to resume, is not counted.
func (c *crowd) come(ctx context.Context, i int) {
	next := time.Now()
	kind := i % len(c.kinds)
	connect := c.kinds[kind].begin(c.roots, false)
	for n := 0; ; n++ {
		if c.forgetful.Load() {
			connect = c.kinds[kind].begin(c.roots, false)
		}
		addresses := *c.addresses.Load()
		began := time.Now()
		resumed, err := visit(ctx, addresses[(i+n)%len(addresses)], connect)
		if ctx.Err() != nil {
			return
		}
		if n > 0 || err != nil {
			c.note(kind, began, resumed, err)
		}
		if next = next.Add(time.Duration(c.pause.Load())); time.Until(next) < -time.Second {
			next = time.Now() // what was missed for long is not made up for
		}
		if !sleep(ctx, time.Until(next)) {
			return
		}
	}
}

// visit makes a connection and a request.
func visit(ctx context.Context, address string, connect connector) (resumed bool, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	c, did := connect(conn)
	if err := c.HandshakeContext(ctx); err != nil {
		return false, err
	}
	if err := exchangeLine(c); err != nil { // by then the tickets of TLS 1.3 are here
		return false, err
	}
	return did(), c.Close()
}

func (c *crowd) note(kind int, began time.Time, resumed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := int(began.Sub(c.began) / slice)
	for at >= len(c.slices) {
		c.slices = append(c.slices, make(tallies, len(c.kinds)))
	}
	n := &c.slices[at][kind]
	n.all++
	n.spent += time.Since(began)
	if resumed {
		n.resumed++
	}
	if err != nil {
		n.failed++
		if len(c.failures) < 100 {
			c.failures[err.Error()]++
		}
	}
}

// between counts the connections that began in a time, of the kinds for which of is true.
func (c *crowd) between(from, to time.Time, of func(visitorKind) bool) (sum count) {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, last := c.at(from), c.at(to)
	for at := first; at < min(last, len(c.slices)); at++ {
		for k, n := range c.slices[at] {
			if of == nil || of(c.kinds[k]) {
				sum.all, sum.resumed, sum.failed, sum.spent = sum.all+n.all, sum.resumed+n.resumed, sum.failed+n.failed, sum.spent+n.spent
			}
		}
	}
	return sum
}

// at is the first slice that begins at a time or later.
func (c *crowd) at(when time.Time) int { return int((when.Sub(c.began) + slice - 1) / slice) }

func (n count) share() float64 {
	if n.all == 0 {
		return 0
	}
	return float64(n.resumed) / float64(n.all)
}

func (c *crowd) reasons() (all []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for text := range c.failures {
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}
