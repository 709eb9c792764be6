package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// How many connections of each sort there are at a time. The slow and the
// hostile ones that the server has ended connect again, so a few are always on
// their way: there are some more than 10,000 in all.
const (
	slowPeers    = 8600
	hostilePeers = 1150
	honestPeers  = 1000
	socketsLeast = 10000
)

// What is wanted.
const (
	residentMost  = 400 << 10 // KiB
	latencyMost   = 500 * time.Millisecond
	handshakeMost = 30*time.Second + 5*time.Second // the library's timeout, and what it takes to see it
	residueMost   = 32 << 10                       // KiB of resident memory that may stay: see calm
)

const ramp = 15 * time.Second // until all slow and hostile peers are connected

var loadtime = flag.Duration("loadtime", time.Minute, "how long the section load keeps all its sockets connected")

// storm is the load on one server.
type storm struct {
	*report
	addrs  []string
	client tls.Config // that trusts the server
	next   atomic.Uint32

	slow, hostile, honest tally
}

// tally is what became of the connections of one sort.
type tally struct {
	mu        sync.Mutex
	ran       map[string]int           // how many, by kind
	longest   map[string]time.Duration // by kind
	errs      []error
	latencies []time.Duration
}

// runLoad measures a server with 10,000 sockets, most of whose peers are up to
// no good.
func runLoad(ctx context.Context, r *report) error {
	if err := needFiles(slowPeers + hostilePeers + honestPeers + 1000); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ca, _, err := devca.Open(dir)
	if err != nil {
		return err
	}
	server, err := startLoadServer(ctx, dir)
	if err != nil {
		return err
	}
	s := &storm{report: r, addrs: server.addrs, client: tls.Config{RootCAs: ca.Pool(), ServerName: loadName}}
	return errors.Join(s.run(ctx, server), server.stop())
}

func (s *storm) run(ctx context.Context, server *loadChild) error {
	s.Figure("cores", "%d", runtime.NumCPU())
	for range 3 { // what the first connections make for all later ones is no leak
		for i := range len(honestKinds) {
			if err := s.visit(ctx, &honestKinds[i], 0); err != nil {
				return fmt.Errorf("before the storm: %w", err)
			}
		}
	}
	s.honest = tally{}
	base, err := s.calm(ctx, server, standing{})
	if err != nil {
		return err
	}
	s.Logf("base line: %v", base)
	if err := s.rage(ctx, server, base.files); err != nil {
		return err
	}
	s.judge()
	began := time.Now()
	after, err := s.calm(ctx, server, base)
	if err != nil {
		return err
	}
	back := time.Since(began).Round(100 * time.Millisecond)
	s.Logf("after the storm: %v", after)
	s.Figure("goroutines after the storm", "%d", after.Goroutines).Want(after.Goroutines <= base.Goroutines, "%d, as before", base.Goroutines)
	s.Figure("open files after the storm", "%d", after.files).Want(after.files <= base.files, "%d, as before", base.files)
	s.Figure("resident memory after the storm", "%d MiB, %v later", after.resident>>10, back).
		Want(after.resident <= base.resident+residueMost, "at most %d MiB above the %d before", residueMost>>10, base.resident>>10)
	return nil
}

// standing is how the server stands, asked and seen from outside.
type standing struct {
	serverStats
	usage
}

func (s standing) String() string {
	return fmt.Sprintf("%d MiB resident (most %d), heap %d MiB, free %d MiB, stacks %d MiB, %d goroutines, %d files, %d handshakes",
		s.resident>>10, s.peak>>10, s.Heap>>20, (s.Idle-s.Released)>>20, s.Stacks>>20, s.Goroutines, s.files, s.Handshakes)
}

func (c *loadChild) standing(command string) (s standing, err error) {
	if s.serverStats, err = c.stats(command); err == nil {
		s.usage, err = c.usage()
	}
	return s, err
}

// calm waits until the server is back where it was before or, where there is no
// before, just for a moment. It has the server return memory to the system again
// and again, since pools are emptied by the second time. What stays is, for every
// goroutine there ever was at once, its descriptor, of which the runtime frees
// none, and the heap's fragmentation.
func (s *storm) calm(ctx context.Context, server *loadChild, before standing) (now standing, err error) {
	for range 2 * int(handshakeMost/time.Second) {
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		now, err = server.standing("free")
		if err != nil || before.files == 0 || now.Goroutines <= before.Goroutines && now.files <= before.files && now.resident <= before.resident+residueMost {
			break
		}
	}
	return now, err
}

// rage lets the storm loose for its time and watches the server meanwhile, which
// had so many files open before.
func (s *storm) rage(ctx context.Context, server *loadChild, files int) error {
	ctx, stop := context.WithCancel(ctx) // a deadline would fail what is under way before it is over
	defer stop()
	defer time.AfterFunc(ramp+*loadtime, stop).Stop()
	var all sync.WaitGroup
	launch(ctx, &all, slowPeers, ramp, func(i int) { s.repeat(ctx, &s.slow, slowKinds, i) })
	launch(ctx, &all, hostilePeers, ramp, func(i int) { s.repeat(ctx, &s.hostile, hostileKinds, i) })
	all.Go(func() {
		if sleep(ctx, ramp) {
			launch(ctx, &all, honestPeers, visitTime, func(i int) { s.keepVisiting(ctx, &honestKinds[i%len(honestKinds)]) })
		}
	})
	err := s.watch(ctx, server, files)
	stop()
	all.Wait()
	return err
}

// launch starts n peers, spread over a time.
func launch(ctx context.Context, all *sync.WaitGroup, n int, over time.Duration, peer func(i int)) {
	for i := range n {
		all.Go(func() {
			if sleep(ctx, over*time.Duration(i)/time.Duration(n)) {
				peer(i)
			}
		})
	}
}

// sleep reports whether the storm still goes on afterwards.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// watch looks at the server until the storm's end, and notes the figures.
func (s *storm) watch(ctx context.Context, server *loadChild, files int) error {
	var sockets []int
	var resident, peak int
	var worst standing
	began := time.Now()
	for n := 0; sleep(ctx, 500*time.Millisecond); n++ {
		now, err := server.standing("")
		if err != nil {
			return fmt.Errorf("the server is gone: %w", err)
		}
		if now.resident > worst.resident {
			worst = now
		}
		if resident, peak = max(resident, now.resident), now.peak; n%20 == 0 {
			s.Logf("%v", now)
		}
		if time.Since(began) > ramp+visitTime { // the honest have come too
			sockets = append(sockets, now.files-files)
		}
	}
	slices.Sort(sockets)
	if len(sockets) == 0 {
		return errors.New("the storm was too short to be measured")
	}
	s.Logf("at its most: %v", worst)
	median := sockets[len(sockets)/2]
	s.Figure("sockets of the server at once, in the median", "%d", median).Want(median >= socketsLeast, "at least %d", socketsLeast)
	s.Figure("resident memory of the server at its most", "%d MiB", peak>>10).Want(peak <= residentMost, "at most %d MiB", residentMost>>10)
	return nil
}

// judge notes what became of the connections.
func (s *storm) judge() {
	h := &s.honest
	s.Figure("honest handshakes, TLS 1.2 and 1.3", "%d", len(h.latencies)).Want(len(h.latencies) >= 1000, "at least 1000")
	s.Figure("honest connections that failed", "%d", len(h.errs)).Want(len(h.errs) == 0, "none")
	for i, err := range h.errs[:min(5, len(h.errs))] {
		s.Logf("honest failure %d: %v", i+1, err)
	}
	slices.Sort(h.latencies)
	at := func(percent int) time.Duration {
		if len(h.latencies) == 0 {
			return 0
		}
		return h.latencies[(len(h.latencies)-1)*percent/100].Round(100 * time.Microsecond)
	}
	s.Figure("from dialling to a complete handshake: p50, p90, most", "%v, %v, %v", at(50), at(90), at(100))
	s.Figure("p99", "%v", at(99)).Want(at(99) <= latencyMost, "at most %v", latencyMost)
	for _, sort := range []struct {
		name string
		*tally
	}{{"byte-a-second", &s.slow}, {"hostile", &s.hostile}} {
		n, longest := 0, time.Duration(0)
		for _, kind := range slices.Sorted(maps.Keys(sort.ran)) {
			s.Logf("%s, %s: %d, the longest %v", sort.name, kind, sort.ran[kind], sort.longest[kind])
			n, longest = n+sort.ran[kind], max(longest, sort.longest[kind])
		}
		s.Figure(sort.name+" connections that the server ended", "%d", n)
		s.Figure("the longest of them", "%v", longest.Round(100*time.Millisecond)).Want(longest <= handshakeMost, "at most %v", handshakeMost)
	}
}

// A kind is one way to behave.
type kind struct {
	name  string
	share int // of those of its sort
	// play behaves so on a new connection until the server ends it.
	play func(s *storm, conn net.Conn) error
	// hold: the connection is idle for a while before, so that it is there.
	hold bool
}

// repeat has a peer behave in its way again and again.
func (s *storm) repeat(ctx context.Context, into *tally, kinds []kind, i int) {
	k := pick(kinds, i)
	for ctx.Err() == nil {
		conn, err := s.dial(ctx)
		if err != nil {
			if !sleep(ctx, time.Second) {
				return
			}
			continue
		}
		close := context.AfterFunc(ctx, func() { conn.Close() })
		if k.hold {
			sleep(ctx, rand.N(5*time.Second))
		}
		began := time.Now()
		k.play(s, conn) // it is to fail
		conn.Close()
		close()
		if ctx.Err() == nil {
			into.add(k.name, time.Since(began))
		}
	}
}

// pick spreads peers over kinds by their shares.
func pick(kinds []kind, i int) *kind {
	total := 0
	for _, k := range kinds {
		total += k.share
	}
	i %= total
	for n := range kinds {
		if i -= kinds[n].share; i < 0 {
			return &kinds[n]
		}
	}
	return nil
}

func (t *tally) add(kind string, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ran == nil {
		t.ran, t.longest = map[string]int{}, map[string]time.Duration{}
	}
	t.ran[kind]++
	t.longest[kind] = max(t.longest[kind], took)
}

// dial connects to one of the server's addresses after the other.
func (s *storm) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", s.addrs[int(s.next.Add(1))%len(s.addrs)])
}
