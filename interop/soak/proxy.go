package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

var proxytime = flag.Duration("proxytime", 20*time.Minute, "how long the section proxy lasts")

// siege is how much the proxy has to bear, and what it does meanwhile.
type siege struct {
	slow, hostile, strange int // peers; strange ones go to services that hang, reset or end early
	workers                int // honest clients
	rate                   int // requests a second of them all
	reloads                int // in all; each second one brings a new certificate and key
	over                   time.Duration
}

// runProxy lays siege to vitrine proxy while it reads its configuration and certificates again and again.
func runProxy(ctx context.Context, r *report) error {
	return besiege(ctx, r, siege{slow: 8600, hostile: 1000, strange: 400, workers: 100, rate: 2000, reloads: 500, over: *proxytime})
}

// besieged is a proxy with services behind it.
type besieged struct {
	*storm
	siege   siege
	ca      *devca.CA
	proxy   *proxyChild
	strange string // the address for services that misbehave

	asked, failed atomic.Int64
	failures      sync.Map // texts
	times         [][]time.Duration
}

func besiege(ctx context.Context, r *report, s siege) error {
	if err := needFiles(uint64(s.slow+s.hostile+s.strange+s.workers)*2/3*2 + 1000); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ca, err := devca.New(loadName)
	if err != nil {
		return err
	}
	b := &besieged{siege: s, ca: ca, times: make([][]time.Duration, s.workers)}
	b.storm = &storm{report: r, client: tls.Config{RootCAs: ca.Pool(), ServerName: loadName}}
	services, err := startServices()
	if err != nil {
		return err
	}
	defer services.stop()
	if b.proxy, err = newProxyChild(ctx, dir, services, b.rotate); err != nil {
		return err
	}
	defer b.proxy.kill()
	if err := b.proxy.start(ctx); err != nil {
		return err
	}
	b.addrs, b.strange = []string{b.proxy.address("web")}, b.proxy.address("strange")
	return b.run(ctx)
}

// rotate writes a new certificate and key in place of the old ones: the kinds of keys take turns.
func (b *besieged) rotate(dir string, n int) error {
	pair, err := b.ca.Issue(devca.Leaf{Names: []string{loadName}, Key: []devca.KeyType{devca.ECDSA, devca.RSA}[n/10%2]})
	if err != nil {
		return err
	}
	text, err := pemOf(pair)
	if err != nil {
		return err
	}
	next := filepath.Join(dir, "pair.new")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, filepath.Join(dir, "pair.pem"))
}

func (b *besieged) run(ctx context.Context) error {
	if err := b.ask(ctx); err != nil {
		return fmt.Errorf("before the siege: %w", err)
	}
	before, err := b.proxy.usage()
	if err != nil {
		return err
	}
	during, stop := context.WithTimeout(ctx, b.siege.over)
	defer stop()
	var all sync.WaitGroup
	lead := min(ramp, b.siege.over/4)
	launch(during, &all, b.siege.slow, lead, func(i int) { b.repeat(during, &b.storm.slow, slowKinds, i) })
	launch(during, &all, b.siege.hostile, lead, func(i int) { b.repeat(during, &b.storm.hostile, hostileKinds, i) })
	launch(during, &all, b.siege.strange, lead, func(int) { b.visitStrange(during) })
	launch(during, &all, b.siege.workers, lead, func(i int) { b.work(during, i) })
	var most int
	all.Go(func() {
		for sleep(during, 500*time.Millisecond) {
			if now, err := b.proxy.usage(); err == nil {
				most = max(most, now.files)
			}
		}
	})
	err = b.reload(during)
	stop()
	all.Wait()
	if err != nil {
		return err
	}
	b.figures(most - before.files)
	return b.aftermath(ctx, before)
}

// reload has the proxy read its files again, b.siege.reloads times over the siege.
func (b *besieged) reload(ctx context.Context) error {
	pause := b.siege.over * 9 / 10 / time.Duration(b.siege.reloads)
	taken, rotations := 0, 0
	for sleep(ctx, pause) && taken < b.siege.reloads {
		if err := b.rotate(b.proxy.dir, taken); err != nil {
			return err
		}
		rotations++
		if err := b.proxy.reload(taken); err != nil {
			return fmt.Errorf("reload %d: %w", taken+1, err)
		}
		if taken++; taken%50 == 0 {
			b.Logf("%d reloads, %d requests, %d failed", taken, b.asked.Load(), b.failed.Load())
		}
	}
	b.Figure("reloads that were taken, each with a new certificate and key", "%d", taken).Want(taken >= b.siege.reloads, "%d", b.siege.reloads)
	return nil
}

func (b *besieged) figures(sockets int) {
	n, failed := b.asked.Load(), b.failed.Load()
	b.Figure("honest requests", "%d, %.0f a second", n, float64(n)/b.siege.over.Seconds())
	b.Figure("honest requests that failed", "%d", failed).Want(failed == 0 && n > 0, "none")
	b.failures.Range(func(text, _ any) bool { b.Logf("failure: %s", text); return true })
	all := slices.Concat(b.times...)
	slices.Sort(all)
	if len(all) > 0 {
		b.Figure("time of a request, connecting included where it does: p50", "%v", all[len(all)/2].Round(time.Microsecond))
		p99 := all[len(all)*99/100]
		b.Figure("p99", "%v", p99.Round(100*time.Microsecond)).Want(p99 <= latencyMost, "at most %v", latencyMost)
	}
	least := (b.siege.slow + b.siege.hostile) / 2
	b.Figure("sockets of the proxy at its most", "%d", sockets).Want(sockets >= least, "at least %d", least)
}

// aftermath looks whether all is given back, and whether a killed proxy comes back.
func (b *besieged) aftermath(ctx context.Context, before usage) error {
	var after usage
	for range 60 { // the proxy's own limits end what peers have left
		var err error
		if after, err = b.proxy.usage(); err != nil {
			return err
		}
		if after.files <= before.files || !sleep(ctx, time.Second) {
			break
		}
	}
	b.Figure("open files after the siege", "%d", after.files).Want(after.files <= before.files, "%d, as before", before.files)
	b.Figure("resident memory at its most", "%d MiB", after.peak>>10)
	b.proxy.kill()
	if err := b.proxy.start(ctx); err != nil {
		return fmt.Errorf("after kill -9: %w", err)
	}
	b.addrs = []string{b.proxy.address("web")}
	err := b.ask(ctx)
	b.Figure("a request after kill -9 and a new start", "%v", map[bool]string{true: "answered", false: fmt.Sprint(err)}[err == nil]).Want(err == nil, "answered")
	return nil
}

// requestsEach is how many requests are made on a connection before the next one.
const requestsEach = 20

// work makes requests at its share of the rate.
func (b *besieged) work(ctx context.Context, i int) {
	pause := time.Second * time.Duration(b.siege.workers) / time.Duration(b.siege.rate)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	var c *tls.Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c != nil && n%requestsEach == 0 {
			c.Close()
			c = nil
		}
		began := time.Now()
		var err error
		if c == nil {
			c, err = b.connect(ctx)
		}
		if err == nil {
			err = exchangeLine(c)
		}
		if ctx.Err() != nil {
			return
		}
		b.asked.Add(1)
		b.times[i] = append(b.times[i], time.Since(began))
		if err != nil {
			b.failed.Add(1)
			b.failures.Store(err.Error(), true)
			if c != nil {
				c.Close()
				c = nil
			}
		}
	}
}

func (b *besieged) connect(ctx context.Context) (*tls.Conn, error) {
	conn, err := b.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := tls.Client(conn, &b.client)
	if err := c.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (b *besieged) ask(ctx context.Context) error {
	c, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	return exchangeLine(c)
}

// visitStrange goes to services that hang, reset or half-close, again and again, and leaves after a while.
func (b *besieged) visitStrange(ctx context.Context) {
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", b.strange)
		if err == nil {
			c := tls.Client(conn, &b.client)
			conn.SetDeadline(time.Now().Add(3 * time.Second))
			if c.HandshakeContext(ctx) == nil {
				_ = exchangeLine(c) // it is to fail
			}
			conn.Close()
		}
		if !sleep(ctx, time.Second/4) {
			return
		}
	}
}
