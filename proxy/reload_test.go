package proxy

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// Reloads at load fail no request and no connection, in TCP mode and in HTTP mode.
func TestReloadUnderLoad(t *testing.T) {
	reloads := 100
	if programs.Brief() {
		reloads = 20
	}
	site := website(t, "main")
	c := config.Config{
		Listeners: []config.Listener{
			{Listen: []string{"127.0.0.1:0"}, TLS: serverTLS(t, "front.test"), Target: "echo"},
			{Listen: []string{"localhost:0"}, Mode: config.ModeHTTP, TLS: serverTLS(t, "front.test"), Target: "site"},
		},
		Targets: map[string]config.Target{"echo": {Addresses: []string{backend(t, nil, echo)}}, "site": {Addresses: []string{site}}},
	}
	p, address := begin(t, c)
	web := p.Addrs()["localhost:0"][0].String()
	long := dial(t, address, onePKI().client("front.test"))
	io.WriteString(long, "before")
	var stop atomic.Bool
	var done atomic.Int64
	var clients sync.WaitGroup
	for i := range 4 {
		b := browser(t, web, i%2 == 0)
		clients.Go(func() {
			for !stop.Load() {
				if got, code, err := get(b, "https://front.test/"); err != nil || code != 200 {
					t.Errorf("a request failed: %q, %d, %v", got, code, err)
					return
				}
				done.Add(1)
			}
		})
		clients.Go(func() {
			for !stop.Load() {
				if err := tryRoundTrip(address, onePKI().client("front.test")); err != nil {
					t.Errorf("a connection failed: %v", err)
					return
				}
				done.Add(1)
			}
		})
	}
	for i := range reloads {
		for before := done.Load(); done.Load() < before+4 && !t.Failed(); { // some of them see each
			tryRoundTrip(address, onePKI().client("front.test"))
		}
		if err := p.Reload(c); err != nil {
			t.Fatalf("reload %d: %v", i, err)
		}
	}
	stop.Store(true)
	clients.Wait()
	io.WriteString(long, " and after")
	closeWrite(long)
	if got, err := io.ReadAll(long); string(got) != "before and after" || err != nil {
		t.Errorf("a connection that went through all reloads: %q, %v", got, err)
	}
}

func tryRoundTrip(address string, own *tls.Config) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	over := tls.Client(conn, own)
	defer over.Close()
	return roundTrip(over, []byte("data"))
}

// What is wrong is refused as a whole: new addresses are not listened on, and the old rules hold.
func TestReloadOfWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "old"))
	reloaded := make(chan error, 10)
	p, address := begin(t, c, event.Hooks{Reloaded: func(err error) { reloaded <- err }})
	change := func(f func(*config.Config)) config.Config {
		next := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "new"))
		f(&next)
		return next
	}
	for name, next := range map[string]config.Config{
		"a file that is not there": change(func(c *config.Config) {
			c.Listeners[0].TLS.Certificates = []config.Certificate{{Cert: "/nowhere/chain.pem"}}
		}),
		"an address in use": change(func(c *config.Config) {
			c.Listeners[0].Listen = []string{"127.0.0.1:0", "127.0.0.2:0", taken.Addr().String()}
		}),
		"a rule that is none":      change(func(c *config.Config) { c.Listeners[0].Allow = []string{"everybody"} }),
		"a target that is nowhere": change(func(c *config.Config) { c.Listeners[0].Target = "nowhere" }),
	} {
		if err := p.Reload(next); err == nil || <-reloaded != err {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(p.Addrs()); n != 1 {
			t.Errorf("%s: %d addresses are listened on", name, n)
		}
		if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "old" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	next := change(func(c *config.Config) { c.Listeners[0].Listen = []string{"127.0.0.1:0", "127.0.0.2:0"} })
	if err := p.Reload(next); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{address, p.Addrs()["127.0.0.2:0"][0].String()} {
		if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "new" {
			t.Errorf("%s: %q, %v", address, got, err)
		}
	}
	gone := p.Addrs()["127.0.0.2:0"][0].String()
	if err := p.Reload(change(func(*config.Config) {})); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", gone); err == nil {
		conn.Close()
		t.Error("an address that was taken out is still listened on")
	}
}

// A unix socket that a dead process has left is taken over; one that lives is not.
func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	c := at(config.Listener{Listen: []string{"unix:" + path}}, saying(t, nil, "in"))
	if _, err := New(c, Options{}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("beside a process that lives: %v", err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	begin(t, c)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got, err := io.ReadAll(conn); string(got) != "in" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// A stop lets connections end, up to its time, and cuts off what is left.
func TestShutdown(t *testing.T) {
	for _, patient := range []bool{true, false} {
		closed := make(chan error, 1)
		p, address := begin(t, at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}}),
			event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
		conn := dial(t, address, onePKI().client("front.test"))
		io.WriteString(conn, "x")
		io.ReadFull(conn, make([]byte, 1))
		ctx, cancel := contextOf(t, patient)
		stopped := make(chan error, 1)
		go func() { stopped <- p.Shutdown(ctx) }()
		<-p.stop
		for { // the listener is closed at once
			other, err := net.Dial("tcp", address)
			if err != nil {
				break
			}
			other.Close()
		}
		if patient {
			if err := roundTrip(conn, []byte("goes on")); err != nil {
				t.Errorf("a connection during the stop: %v", err)
			}
		}
		err := <-stopped
		cancel()
		if (err == nil) != patient {
			t.Errorf("patient %t: Shutdown: %v", patient, err)
		}
		if err := <-closed; (err == nil) != patient {
			t.Errorf("patient %t: the connection ended with %v", patient, err)
		}
	}
}

// openFiles counts the descriptors of these kinds.
func openFiles(t *testing.T, kinds ...string) (n int) {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("this system does not show a process's descriptors")
	}
	for _, e := range list {
		to, _ := os.Readlink("/proc/self/fd/" + e.Name())
		for _, kind := range kinds {
			if strings.HasPrefix(to, kind) {
				n++
			}
		}
	}
	return n
}

// The proxy leaves no socket open.
func TestSockets(t *testing.T) {
	open := func() int { return openFiles(t, "socket:") } // the runtime keeps pipes for later
	run := func(t *testing.T, n int) {
		p, address := begin(t, at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}}))
		var clients sync.WaitGroup
		for range n {
			clients.Go(func() {
				if err := tryRoundTrip(address, onePKI().client("front.test")); err != nil {
					t.Error(err)
				}
			})
		}
		clients.Wait()
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
	t.Run("first", func(t *testing.T) { run(t, 10) })
	before := open()
	t.Run("more", func(t *testing.T) { run(t, 50) })
	if after := open(); after > before {
		t.Errorf("%d sockets were open, and %d are", before, after)
	}
}
