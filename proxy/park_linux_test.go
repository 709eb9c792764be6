package proxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// beginParking runs a proxy whose links park at once when nothing comes.
func beginParking(t *testing.T, c config.Config, hooks ...event.Hooks) (*Proxy, string) {
	t.Helper()
	p, err := New(c, Options{Hooks: hooks})
	if err != nil {
		t.Fatal(err)
	}
	p.lot.quiet = time.Millisecond
	runUntilEnd(t, p)
	return p, p.Addrs()[c.Listeners[0].Listen[0]][0].String()
}

// waitParked waits until n ways are parked, and no goroutine passes anything on.
func waitParked(t *testing.T, p *Proxy, n int64) {
	t.Helper()
	waitFor(t, func() bool { return p.lot.count.Load() == n }, func() string {
		return fmt.Sprintf("%d ways are parked, and %d should be", p.lot.count.Load(), n)
	})
}

func waitFor(t *testing.T, done func() bool, what func() string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal(what())
		}
		time.Sleep(50 * time.Microsecond) // leaves the processor to those who are waited for
	}
}

// passing are the goroutines that pass bytes on.
func passing() int {
	all := make([]byte, 1<<20)
	return bytes.Count(all[:runtime.Stack(all, true)], []byte("proxy.(*link).pass("))
}

// A pair of ends of one link: a test talks on both.
type parkedLink struct{ client, target net.Conn }

// setups are the kinds of links that park.
var setups = map[string]struct{ tlsIn, tlsOut, unix bool }{
	"TLS to clear": {tlsIn: true}, "TLS to TLS": {tlsIn: true, tlsOut: true}, "clear to clear": {}, "unix sockets": {tlsIn: true, tlsOut: true, unix: true},
}

// parkedSetup runs a proxy, and returns how to open a link through it.
func parkedSetup(t *testing.T, name string, change func(*config.Config), hooks ...event.Hooks) (*Proxy, func() parkedLink) {
	s := setups[name]
	var front, back *tls.Config
	listener, target := config.Listener{}, config.Target{}
	if s.tlsIn {
		listener.TLS, front = serverTLS(t, "front.test"), onePKI().client("front.test")
	}
	if s.tlsOut {
		target.TLS = &config.ClientTLS{Insecure: true}
		back = &tls.Config{Certificates: []tls.Certificate{onePKI().pair(t, "back.test")}}
	}
	network, folder := "tcp", t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	target.Addresses = []string{l.Addr().String()}
	if s.unix {
		l.Close()
		network = "unix"
		listener.Listen = []string{"unix:" + filepath.Join(folder, "in")}
		l, err = net.Listen("unix", filepath.Join(folder, "out"))
		target.Addresses = []string{"unix:" + filepath.Join(folder, "out")}
	}
	if err != nil {
		t.Fatal(err)
	}
	reached := make(chan net.Conn, 100)
	over := make(chan struct{})
	serveOn(t, l, nil, func(conn net.Conn) {
		if back != nil {
			over := tls.Server(&cutter{Conn: conn}, back)
			if over.Handshake() != nil {
				return
			}
			conn = over
		}
		reached <- conn
		<-over
	})
	t.Cleanup(func() { close(over) }) // before those are waited for
	c := at(listener, target)
	if change != nil {
		change(&c)
	}
	p, address := beginParking(t, c, hooks...)
	return p, func() parkedLink {
		conn, err := net.Dial(network, strings.TrimPrefix(address, "unix:"))
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		if front != nil {
			over := tls.Client(&cutter{Conn: conn}, front)
			if err := over.Handshake(); err != nil {
				t.Fatal(err)
			}
			conn = over
		}
		t.Cleanup(func() { conn.Close() })
		target := <-reached
		target.SetDeadline(time.Now().Add(time.Minute))
		return parkedLink{conn, target}
	}
}

// cutter is what TLS stands on in these tests: it can hold back the rest of what it is to write.
type cutter struct {
	net.Conn
	cut     int // how many bytes go at first; 0 for all
	between func()
}

func (c *cutter) NetConn() net.Conn { return c.Conn }

func (c *cutter) Write(b []byte) (int, error) {
	cut := c.cut
	if c.cut = 0; cut == 0 || cut >= len(b) {
		return c.Conn.Write(b)
	}
	n, err := c.Conn.Write(b[:cut])
	if err != nil {
		return n, err
	}
	c.between()
	m, err := c.Conn.Write(b[cut:])
	return n + m, err
}

// say sends a word from one end to the other.
func say(from, to net.Conn, word string) error {
	if _, err := io.WriteString(from, word); err != nil {
		return err
	}
	got := make([]byte, len(word))
	if _, err := io.ReadFull(to, got); err != nil {
		return err
	}
	if string(got) != word {
		return fmt.Errorf("%q came as %q", word, got)
	}
	return nil
}

// What comes from either side wakes a link that is parked, again and again: data in one piece
// and in many, and what TLS says for itself. Parked, it has no goroutine.
func TestParkAndWake(t *testing.T) {
	rounds := 400
	if programs.Brief() {
		rounds = 60
	}
	for name := range setups {
		t.Run(name, func(t *testing.T) {
			p, open := parkedSetup(t, name, nil)
			links := []parkedLink{open(), open(), open()}
			for round := range rounds {
				waitParked(t, p, int64(2*len(links)))
				if n := passing(); n > 0 && round%10 == 0 {
					t.Fatalf("%d goroutines pass something on while all is parked", n)
				}
				l := links[round%len(links)]
				from, to := l.client, l.target
				if rand.N(2) == 0 {
					from, to = to, from
				}
				var err error
				switch over, is := from.(*tls.Conn); {
				case is && round%4 == 0: // KeyUpdate alone, and data under the new keys
					err = over.KeyUpdate(true)
					waitParked(t, p, int64(2*len(links)))
					err = errors.Join(err, say(from, to, "after a KeyUpdate"), say(to, from, "and back"))
				case round%4 == 1: // more than any buffer
					big := strings.Repeat("0123456789abcdef", 64<<10)
					sent := make(chan error, 1)
					go func() { _, err := io.WriteString(from, big); sent <- err }()
					got := make([]byte, len(big))
					_, err = io.ReadFull(to, got)
					if err = errors.Join(err, <-sent); err == nil && string(got) != big {
						err = errors.New("much data came changed")
					}
				default:
					err = errors.Join(say(from, to, fmt.Sprint("round ", round)), say(to, from, "x"))
				}
				if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
			}
		})
	}
}

// A record that comes in two parts, with the link parked in between.
func TestParkInTheMiddleOfARecord(t *testing.T) {
	p, open := parkedSetup(t, "TLS to TLS", func(c *config.Config) { c.Limits.IdleTimeout = config.Duration(time.Hour) })
	l := open()
	waitParked(t, p, 2)
	active := &p.links.all()[0].idler.active
	for _, ends := range [][2]net.Conn{{l.client, l.target}, {l.target, l.client}} {
		for _, cut := range []int{1, 5, 6, 20} {
			below := ends[0].(*tls.Conn).NetConn().(*cutter)
			waitParked(t, p, 2)
			before := active.Load()
			below.cut, below.between = cut, func() {
				waitFor(t, func() bool { return active.Load() != before }, func() string { return "the first part wakes nobody" })
				waitParked(t, p, 2)
			}
			if err := say(ends[0], ends[1], "a word in two parts"); err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			if below.cut != 0 {
				t.Fatal("nothing was cut")
			}
		}
	}
}

// What ends a parked link is passed on as it is without parking: an orderly end of one side, which
// leaves the other way parked, and a reset.
func TestEndsOfParkedLinks(t *testing.T) {
	for name, s := range setups {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			p, open := parkedSetup(t, name, nil, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
			for _, turned := range []bool{false, true} {
				l := open()
				first, second := l.client, l.target
				if turned {
					first, second = second, first
				}
				waitParked(t, p, 2)
				if err := closeWrite(first); err != nil {
					t.Fatal(err)
				}
				if rest, err := io.ReadAll(second); len(rest) > 0 || err != nil {
					t.Fatalf("turned %t: at the end of the other side: %q, %v", turned, rest, err)
				}
				waitParked(t, p, 1)
				if err := say(second, first, "goes on"); err != nil {
					t.Fatal(err)
				}
				waitParked(t, p, 1)
				if err := closeWrite(second); err != nil {
					t.Fatal(err)
				}
				if rest, err := io.ReadAll(first); len(rest) > 0 || err != nil {
					t.Fatalf("turned %t: at the end of both: %q, %v", turned, rest, err)
				}
				if err := <-closed; err != nil {
					t.Errorf("turned %t: the link ended with %v", turned, err)
				}
				waitParked(t, p, 0)
				if s.unix { // where there is no reset
					continue
				}
				l = open()
				first, second = l.client, l.target
				if turned {
					first, second = second, first
				}
				waitParked(t, p, 2)
				reset(first)
				if _, err := second.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("turned %t: a reset comes as %v", turned, err)
				}
				if err := <-closed; !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("turned %t: the link that was reset ended with %v", turned, err)
				}
			}
		})
	}
}

// The idle timeout ends a parked link.
func TestIdleTimeoutOfAParkedLink(t *testing.T) {
	closed := make(chan error, 1)
	p, open := parkedSetup(t, "TLS to clear", func(c *config.Config) { c.Limits.IdleTimeout = config.Duration(time.Second) },
		event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
	l := open()
	waitParked(t, p, 2)
	if err := <-closed; !errors.Is(err, ErrIdle) {
		t.Errorf("it ends with %v", err)
	}
	if _, err := l.target.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target sees %v", err)
	}
	waitParked(t, p, 0)
}

// A parked link goes through reloads and a patient stop, and an impatient one cuts it off.
func TestStopOfParkedLinks(t *testing.T) {
	for _, patient := range []bool{true, false} {
		closed := make(chan error, 1)
		var c config.Config
		p, open := parkedSetup(t, "TLS to TLS", func(own *config.Config) { c = *own },
			event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
		l := open()
		waitParked(t, p, 2)
		for range 3 {
			if err := p.Reload(c); err != nil {
				t.Fatal(err)
			}
		}
		waitParked(t, p, 2)
		if err := say(l.client, l.target, "after reloads"); err != nil {
			t.Fatal(err)
		}
		waitParked(t, p, 2)
		ctx, cancel := contextOf(t, patient)
		stopped := make(chan error, 1)
		go func() { stopped <- p.Shutdown(ctx) }()
		<-p.stop
		if patient {
			if err := say(l.target, l.client, "during the stop"); err != nil {
				t.Error(err)
			}
			waitParked(t, p, 2)
			l.client.Close()
			closeWrite(l.target)
		}
		err := <-stopped
		cancel()
		if (err == nil) != patient {
			t.Errorf("patient %t: Shutdown: %v", patient, err)
		}
		if err := <-closed; (err == nil) != patient {
			t.Errorf("patient %t: the link ended with %v", patient, err)
		}
		waitParked(t, p, 0)
		if p.lot.file != nil {
			t.Errorf("patient %t: the lot is open after the stop", patient)
		}
	}
}

// Where the watching fails, links go on with goroutines.
func TestParkingThatFails(t *testing.T) {
	p, open := parkedSetup(t, "TLS to clear", nil)
	l := open()
	waitParked(t, p, 2)
	p.lot.mutex.Lock()
	file := p.lot.file
	p.lot.mutex.Unlock()
	file.Close()
	waitParked(t, p, 0)
	if err := errors.Join(say(l.client, l.target, "goes on"), say(l.target, l.client, "both ways")); err != nil {
		t.Error(err)
	}
	if n := p.lot.count.Load(); n != 0 {
		t.Errorf("%d ways are parked", n)
	}
}

// Many links park, wake, end and are reset while others do, and the proxy stops in the middle of
// it: nothing is left.
func TestParkingRaces(t *testing.T) {
	rounds := 20
	if programs.Brief() {
		rounds = 5
	}
	var before int
	for round := range rounds {
		if round == 1 { // the first has opened what stays
			before = watched(t)
		}
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			var accepted, closed sync.WaitGroup
			c := at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}})
			c.Limits.IdleTimeout = config.Duration(30 * time.Millisecond) // some are cut off by that
			p, address := beginParking(t, c, event.Hooks{
				Accepted: func(*event.Connection) { closed.Add(1) },
				Closed:   func(*event.Connection, event.Result) { closed.Done() },
			})
			for i := range 24 {
				accepted.Go(func() { live(address, i) })
			}
			time.Sleep(rand.N(60 * time.Millisecond)) // at any moment
			ctx, cancel := context.WithTimeout(t.Context(), rand.N(20*time.Millisecond))
			defer cancel()
			_ = p.Shutdown(ctx)
			accepted.Wait()
			closed.Wait()
			if n, open := p.lot.count.Load(), p.limits.open.Load(); n != 0 || open != 0 {
				t.Errorf("%d ways are parked, %d connections are counted", n, open)
			}
			if n := passing(); n != 0 {
				t.Errorf("%d goroutines pass something on", n)
			}
		})
	}
	if after := watched(t); after > before {
		t.Errorf("%d sockets and epoll instances were open, and %d are", before, after)
	}
}

// watched counts the sockets and epoll instances that are open.
func watched(t *testing.T) int { return openFiles(t, "socket:", "anon_inode:[eventpoll]") }

// live makes connections, talks now and then and ends them in some way, until none is taken.
func live(address string, i int) {
	for {
		raw, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		raw.SetDeadline(time.Now().Add(10 * time.Second))
		conn := tls.Client(raw, onePKI().client("front.test"))
		for range rand.N(5) {
			if say(conn, conn, "word") != nil {
				break
			}
			time.Sleep(rand.N(4 * time.Millisecond))
		}
		switch i % 3 {
		case 0:
			raw.(*net.TCPConn).SetLinger(0)
			raw.Close()
		case 1:
			conn.CloseWrite()
			io.Copy(io.Discard, conn)
		}
		conn.Close()
	}
}
