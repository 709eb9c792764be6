package tls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// A trap is a callback that does not return, once.
type trap struct {
	ours     bool // only on a goroutine of our own, else only on one of the caller's
	anywhere bool // on any
	fail     func()
	armed    atomic.Bool
	hits     atomic.Int32
}

func (p *trap) hit() {
	if !p.armed.Load() || !p.anywhere && p.ours != strings.Contains(string(debug.Stack()), "(*Conn).alone") {
		return
	}
	if p.armed.CompareAndSwap(true, false) {
		p.hits.Add(1)
		p.fail()
	}
}

// mine is what the callbacks panic with.
const mine = "the application's own panic"

// call runs f as an application does, and tells how it ended.
func call(f func() error) (panicked any, returned bool, err error) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() { panicked = recover() }()
		err = f()
		returned = true
	}()
	<-over
	return panicked, returned, err
}

// A use is a call in which callbacks are called. begin, if it is set, has the peer do
// what leads to it; the handshake is complete, unless the call is the handshake.
type use struct {
	name  string
	begin func(own, peer *Conn)
	call  func(own *Conn) error
}

// alone is the use in which the call waits, and a goroutine of ours does the work.
const alone = "own"

var uses = []use{
	{"Handshake", nil, (*Conn).Handshake},
	{"Read", func(own, peer *Conn) {
		io.WriteString(peer, "with tickets before it")
		anew(peer)
		peer.CloseWrite()
	}, func(own *Conn) error { _, err := io.Copy(io.Discard, own); return cmp.Or(err, io.EOF) }},
	{"Write", nil, func(own *Conn) error { _, err := own.Write([]byte("data")); return err }},
	{"KeyUpdate", nil, func(own *Conn) error { return own.KeyUpdate(true) }},
	{"Renegotiate", nil, anew},
	{"CloseWrite", nil, (*Conn).CloseWrite},
	{"Close", nil, (*Conn).Close},
	{alone, nil, anew},
}

// anew begins what there is of a further handshake.
func anew(c *Conn) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	switch {
	case c.role == wire.Server:
		return c.RequestClientCertificate(ctx)
	case c.engine.Result().Version == wire.TLS13:
		return c.KeyUpdate(true)
	}
	return c.Renegotiate(ctx)
}

// needs reports that the callback is not to be had there: some are of TLS
// 1.3, and what is rejected has no more than a handshake.
func (cb callback) needs(version uint16, u use, resumed bool) bool {
	later := strings.Contains(cb.name, "EncryptedClientHello") || cb.name == "Trace.Inner" || cb.name == "PSK.ExternalServer" || cb.name == "EarlyData.Replay"
	return later && version != VersionTLS13 || cb.name == "EncryptedClientHelloRejectionVerify" && (u.name != "Handshake" || resumed)
}

// trapped is a pair of connections, of which own has the trap.
func trapped(t *testing.T, cb callback, version uint16, u use, p *trap, resumed bool) (own, peer *Conn, cache *oneCache) {
	client, server := askable(version)
	cache = &oneCache{ClientSessionCache: NewLRUClientSessionCache(1)}
	client.ClientSessionCache, client.VerifyAnew, server.VerifyAnew = cache, true, true
	server.ClientAuth = RequireAndVerifyClientCert
	mine, its := client, server
	if cb.role == wire.Server {
		mine, its = its, mine
	}
	cb.set(mine, its, p.hit)
	if resumed {
		c, s := open(t, "TCP", client, server)
		exchange(t, c, s)
	}
	a, b := tcpPair(t)
	if cb.name == netConn && cb.role == wire.Client {
		a = hitConn{a, p.hit}
	} else if cb.name == netConn {
		b = hitConn{b, p.hit}
	}
	own, peer = of(cb.role, Client(a, client), Server(b, server))
	if u.name != "Handshake" {
		if ownErr, peerErr := shake(own, peer); ownErr != nil || peerErr != nil {
			t.Fatal(ownErr, peerErr)
		}
	}
	return own, peer, cache
}

// oneCache remembers its last key.
type oneCache struct {
	ClientSessionCache
	key atomic.Pointer[string]
}

func (c *oneCache) Put(key string, s *ClientSessionState) {
	c.key.Store(&key)
	c.ClientSessionCache.Put(key, s)
}

func (c *oneCache) empty() bool {
	key := c.key.Load()
	if key == nil {
		return true
	}
	s, ok := c.Get(*key)
	return !ok || s == nil
}

// how a callback does not return.
var ways = map[string]func(){"panic": func() { panic(mine) }, "Goexit": runtime.Goexit}

// A callback that panics, or ends its goroutine, costs its connection and nothing
// else: it is closed, no lock is left, and every call afterwards says why. On the
// goroutine of the application's call the panic goes on; on one of ours it does not.
// docs/callbacks.md says in which calls each is called.
func TestCallbacksThatDoNotReturn(t *testing.T) {
	var mutex sync.Mutex
	seen := map[string][]string{}
	t.Run("all", func(t *testing.T) {
		for _, cb := range callbacks {
			if cb.set == nil {
				continue
			}
			t.Run(fmt.Sprintf("%s/%v", cb.name, cb.role), func(t *testing.T) {
				t.Parallel()
				for _, version := range bothVersions {
					for _, u := range uses {
						for how, fail := range ways {
							for _, resumed := range []bool{false, true} {
								if resumed && u.name != "Handshake" || version == VersionTLS13 && (cb.name == "PSK.Client" || cb.name == "PSK.Server") || cb.needs(version, u, resumed) {
									continue
								}
								where := fmt.Sprintf("%s in %s, %s, resumed %v", how, u.name, VersionName(version), resumed)
								if springs(t, where, cb, version, u, resumed, fail) {
									mutex.Lock()
									seen[cb.name] = append(seen[cb.name], u.name)
									mutex.Unlock()
								}
							}
						}
					}
				}
			})
		}
	})
	documented := callbackTable(t)
	for _, cb := range callbacks {
		var want []string
		for _, u := range uses {
			if slices.Contains(seen[cb.name], u.name) {
				want = append(want, u.name)
			}
		}
		row, ok := documented[cb.name]
		if got := strings.Join(want, ", "); !ok || row != got {
			t.Errorf("docs/callbacks.md has %q for %s, which is called in %q", row, cb.name, got)
		}
	}
	for _, cb := range callbacks {
		delete(documented, cb.name)
	}
	for name := range documented {
		t.Errorf("docs/callbacks.md has a row for %s, which is no callback", name)
	}
}

// springs uses a connection with a trap, and reports whether it was hit.
func springs(t *testing.T, where string, cb callback, version uint16, u use, resumed bool, fail func()) bool {
	t.Helper()
	p := &trap{ours: u.name == alone, fail: fail}
	own, peer, cache := trapped(t, cb, version, u, p, resumed)
	defer peer.Close()
	defer own.Close()
	p.armed.Store(true)
	go func() {
		if u.name != "Handshake" && u.begin != nil {
			go u.begin(own, peer)
		}
		io.Copy(io.Discard, peer)
	}()
	var err error
	var panicked any
	var returned bool
	within(t, 10*time.Second, where, func() { panicked, returned, err = call(func() error { return u.call(own) }) })
	if p.armed.Swap(false) {
		return false
	}
	if p.hits.Load() != 1 {
		t.Errorf("%s: %d hits", where, p.hits.Load())
	}
	switch {
	case p.ours && (!returned || !tells(err)):
		t.Errorf("%s: the call ends with %v, a panic with %v, returned %v", where, err, panicked, returned)
	case !p.ours && (returned || panicked != nil && panicked != mine):
		t.Errorf("%s: the call returned %v, panicked with %v", where, returned, panicked)
	}
	raw := own.NetConn()
	if hit, is := raw.(hitConn); is {
		raw = hit.Conn
	}
	within(t, 5*time.Second, where, func() {
		for n := 0; n < 1000; n++ { // Goexit is seen before what is deferred is over
			if _, err = raw.Write([]byte{1}); err != nil {
				break
			}
			time.Sleep(time.Millisecond)
		}
	})
	if !errors.Is(err, net.ErrClosed) {
		t.Errorf("%s: the connection is open: %v", where, err)
	}
	afterwards(t, where, own)
	if u.name == "Handshake" && cb.role == wire.Client && strings.HasPrefix(cb.name, "Verify") && resumed && !cache.empty() {
		t.Errorf("%s: the session that was on offer stays", where)
	}
	return true
}

// tells reports that an error says that a callback did not return, and what it
// panicked with.
func tells(err error) bool {
	var failed *HandshakeError
	return errors.As(err, &failed) && (strings.Contains(err.Error(), mine) || strings.Contains(err.Error(), "ended its goroutine"))
}

// afterwards has every method of a connection return.
func afterwards(t *testing.T, where string, c *Conn) {
	t.Helper()
	for name, f := range map[string]func() error{
		"Read":       func() error { _, err := c.Read(make([]byte, 10)); return err },
		"Write":      func() error { _, err := c.Write([]byte("more")); return err },
		"CloseWrite": c.CloseWrite,
		"KeyUpdate":  func() error { return c.KeyUpdate(false) },
		"Renegotiate": func() error {
			if c.role == wire.Server {
				return c.RequestClientCertificate(context.Background())
			}
			return c.Renegotiate(context.Background())
		},
		"ConnectionState": func() error { c.ConnectionState(); return nil },
	} {
		var err error
		within(t, 5*time.Second, where+": "+name+" afterwards", func() { err = f() })
		if (name == "Read" || name == "Write") && !tells(err) {
			t.Errorf("%s: %s afterwards gives %v", where, name, err)
		}
	}
	within(t, 5*time.Second, where+": Close afterwards", func() { c.Close() })
}

// callbackTable reads docs/callbacks.md: the calls of each callback.
func callbackTable(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../docs/callbacks.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		calls := strings.ReplaceAll(strings.TrimSpace(cells[2]), "`", "")
		if strings.HasPrefix(calls, "never") {
			calls = ""
		}
		if strings.TrimSpace(cells[3]) != "" {
			calls = strings.TrimPrefix(calls+", "+alone, ", ")
		}
		for _, name := range strings.Split(cells[1], ",") {
			name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
			table[strings.Trim(name, "`")] = calls
		}
	}
	return table
}
