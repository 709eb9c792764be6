package tls

import (
	stdtls "crypto/tls"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// plainCache is a cache as applications write them.
type plainCache struct{ sync.Map }

func (p *plainCache) Get(key string) (*ClientSessionState, bool) {
	cs, ok := p.Load(key)
	if !ok || cs.(*ClientSessionState) == nil {
		return nil, false
	}
	return cs.(*ClientSessionState), true
}

func (p *plainCache) Put(key string, cs *ClientSessionState) { p.Store(key, cs) }

// offeredPSKs are the PSKs that clients of a Config offer, each with how often.
type offeredPSKs struct {
	mutex   sync.Mutex
	offered map[string]int
	order   []string
}

func watchPSKs(c *Config) *offeredPSKs {
	seen := &offeredPSKs{offered: map[string]int{}}
	c.Trace = traceMessages(func(m wire.Message) {
		hello, ok := m.(*wire.ClientHello)
		if !ok {
			return
		}
		var psks wire.OfferedPSKs
		hello.Extensions.Read(wire.ExtPreSharedKey, psks.Read)
		seen.mutex.Lock()
		defer seen.mutex.Unlock()
		for _, id := range psks.Identities {
			seen.offered[string(id.Identity)]++
			seen.order = append(seen.order, string(id.Identity))
		}
	})
	return seen
}

// dialTogether connects n clients whose handshakes run at the same time, and returns how
// many were resumed.
func dialTogether(t *testing.T, n int, dial func() (resumed bool, err error)) int {
	t.Helper()
	var resumed atomic.Int32
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			is, err := dial()
			if err != nil {
				t.Error(err)
			}
			if is {
				resumed.Add(1)
			}
		})
	}
	group.Wait()
	return int(resumed.Load())
}

// Ten connections that begin together after one that brought tickets are all resumed, as
// with crypto/tls, whatever the cache. With SingleUse only as many as there were tickets.
func TestParallelDialsResume(t *testing.T) {
	const n = 10
	for _, single := range []bool{false, true} {
		for _, tickets := range []int{0, 1, 4} {
			for name, cache := range map[string]ClientSessionCache{"ours": NewLRUClientSessionCache(0), "a plain one": new(plainCache)} {
				if single && name != "ours" {
					continue // between its Get and its Put others get the same
				}
				t.Run(fmt.Sprintf("%v/%d/%s", single, tickets, name), func(t *testing.T) {
					client, server := resumable(VersionTLS13, func(c *Config) { c.Resumption.Tickets = tickets })
					client.ClientSessionCache, client.Resumption.SingleUse = cache, single
					resumption(t, client, server)
					got := dialTogether(t, n, func() (bool, error) {
						c, _, err, _ := connectInMemory(client, server)
						return c.State().Resumption == "psk", err
					})
					want := n
					if single {
						want = map[int]int{0: 2, 1: 1, 4: 4}[tickets]
					}
					if got != want {
						t.Errorf("%d of %d were resumed, want %d", got, n, want)
					}
				})
			}
		}
	}
	client, server := resumable(VersionTLS13, func(*Config) {})
	std, stdServer := toStd(client), toStd(server)
	std.ClientSessionCache = stdtls.NewLRUClientSessionCache(0)
	dial := func(read bool) func() (bool, error) {
		return func() (bool, error) {
			a, b := memoryPipe()
			c, s := stdtls.Client(a, std), stdtls.Server(b, stdServer)
			err, serverErr := shake(c, s)
			if read && err == nil && serverErr == nil {
				bringTickets(t, c, s)
			}
			return c.ConnectionState().DidResume, err
		}
	}
	dialTogether(t, 1, dial(true))
	if got := dialTogether(t, n, dial(false)); got != n {
		t.Errorf("crypto/tls resumes %d of %d: this test compares with something else", got, n)
	}
}

// Connections that only write get no tickets: an upload by FTPS is one, whose server
// demands that each continues a session. A fresh ticket goes before one that was used,
// and new ones put that out.
func TestConnectionsThatNeverReadResume(t *testing.T) {
	for name, cache := range map[string]ClientSessionCache{"ours": NewLRUClientSessionCache(0), "a plain one": new(plainCache)} {
		t.Run(name, func(t *testing.T) {
			client, server := resumable(VersionTLS13, func(*Config) {})
			client.ClientSessionCache = cache
			seen := watchPSKs(client)
			upload := func() {
				t.Helper()
				c, s := mustConnect(t, client, server)
				io.WriteString(c, "data")
				c.Close()
				if data, err := io.ReadAll(s); string(data) != "data" || err != nil || s.State().Resumption != "psk" {
					t.Errorf("%q, %v, resumed by %s", data, err, s.State().Resumption)
				}
			}
			resumption(t, client, server) // the control connection
			for range 4 {
				upload()
			}
			if len(seen.offered) != 2 || seen.offered[seen.order[0]] != 1 {
				t.Errorf("of two tickets %d were offered, the first %d times", len(seen.offered), seen.offered[seen.order[0]])
			}
			used := slices.Clone(seen.order)
			resumption(t, client, server) // brings two more
			for range 3 {
				upload()
			}
			for _, id := range seen.order[len(used)+1:] {
				if slices.Contains(used, id) {
					t.Error("a ticket is used again though there are newer ones")
				}
			}
			if len(seen.offered) != 4 {
				t.Errorf("of four tickets %d were offered", len(seen.offered))
			}
		})
	}
}

// A server sends as many tickets as it is told to, full handshake or not, each with a
// PSK of its own.
func TestHowManyTickets(t *testing.T) {
	for set, want := range map[int]int{0: 2, 1: 1, 3: 3, 16: 16} {
		client, server := resumable(VersionTLS13, func(c *Config) { c.Resumption.Tickets = set })
		var tickets, nonces []string
		client.Trace = traceMessages(func(m wire.Message) {
			if m, ok := m.(*wire.NewSessionTicket); ok {
				tickets, nonces = append(tickets, string(m.Ticket)), append(nonces, string(m.Nonce))
			}
		})
		for range 2 {
			tickets, nonces = nil, nil
			resumption(t, client, server)
			slices.Sort(nonces)
			slices.Sort(tickets)
			if len(tickets) != want || len(slices.Compact(nonces)) != want || len(slices.Compact(tickets)) != want {
				t.Errorf("Tickets %d: %d tickets with the nonces %x", set, len(tickets), nonces)
			}
		}
	}
	for _, set := range []int{-1, 17} {
		client, server := resumable(VersionTLS13, func(c *Config) { c.Resumption.Tickets = set })
		if _, _, _, err := connectInMemory(client, server); err == nil {
			t.Errorf("Tickets %d is taken", set)
		}
	}
}

// Tickets that come while others are on offer stay when those fail; those that were kept
// beside them go.
func TestTheStockThatFailedIsDropped(t *testing.T) {
	for _, cache := range []ClientSessionCache{NewLRUClientSessionCache(0), new(plainCache)} {
		c := &Conn{config: &Config{ClientSessionCache: cache}, scratch: &scratch{cacheKey: "x", hasKey: true}}
		var offered *ClientSessionState
		put := func(ticket byte) {
			restock(cache, "x", func(now *ClientSessionState) *ClientSessionState { return now.with(stocked(wire.TLS13, ticket)) })
		}
		put('1')
		put('2')
		restock(cache, "x", func(now *ClientSessionState) *ClientSessionState {
			offered = now
			return now.offered(false)
		})
		put('3')
		c.drop(offered)
		cs, _ := cache.Get("x")
		if string(cs.ticketOf()) != "3" || len(cs.all()) != 1 {
			t.Errorf("%T: left are %q and %d in all", cache, cs.ticketOf(), len(cs.all()))
		}
	}
}
