package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// A connection that comes after the end of all is turned away; the accepting goroutine does not
// wait for rules that never come.
func TestConnectionAfterTheEnd(t *testing.T) {
	p, err := New(at(config.Listener{}, saying(t, nil, "in")), Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := p.sockets["127.0.0.1:0"]
	if err := p.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	ours, theirs := net.Pipe()
	p.welcome(s, theirs)
	if got, err := io.ReadAll(ours); len(got) > 0 || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if n := p.limits.open.Load(); n != 0 {
		t.Errorf("%d connections are counted", n)
	}
}

// lastOne is a listener that accepts one connection just while it is closed.
type lastOne struct {
	net.Listener
	once   sync.Once
	conns  chan net.Conn
	closed chan struct{}
}

func (l *lastOne) Accept() (net.Conn, error) {
	<-l.closed
	conn, more := <-l.conns
	if !more {
		return nil, net.ErrClosed
	}
	time.Sleep(20 * time.Millisecond) // so that a stop that does not wait is over first
	return conn, nil
}

func (l *lastOne) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// What was accepted while a socket closes is served: at a stop, and where a reload takes an address out.
func TestLastConnection(t *testing.T) {
	end := map[string]func(*Proxy) error{
		"stop": func(p *Proxy) error { return p.Shutdown(t.Context()) },
		"reload": func(p *Proxy) error {
			return p.Reload(at(config.Listener{Listen: []string{"127.0.0.2:0"}}, saying(t, nil, "new")))
		},
	}
	for name, end := range end {
		t.Run(name, func(t *testing.T) {
			p, err := New(at(config.Listener{}, config.Target{Addresses: []string{backend(t, nil, echo)}}), Options{})
			if err != nil {
				t.Fatal(err)
			}
			s := p.sockets["127.0.0.1:0"]
			ours, theirs := pair(t)
			last := &lastOne{Listener: s.listeners[0], conns: make(chan net.Conn, 1), closed: make(chan struct{})}
			last.conns <- theirs
			close(last.conns)
			s.listeners[0] = last
			ran := make(chan error, 1)
			if _, err := p.begin(); err != nil {
				t.Fatal(err)
			}
			go func() { ran <- end(p) }()
			if err := roundTrip(ours, []byte("data")); err != nil {
				t.Error(err)
			}
			if err := <-ran; err != nil {
				t.Error(err)
			}
			_ = p.Shutdown(t.Context()) // after a reload
		})
	}
}

// What a listener in HTTP mode has accepted when a stop begins gets its answer, however late its
// PROXY header or its handshake comes.
func TestLastRequest(t *testing.T) {
	for name, server := range map[string]*config.ServerTLS{"in the clear": nil, "TLS": serverTLS(t, "front.test")} {
		t.Run(name, func(t *testing.T) {
			listener := config.Listener{Mode: config.ModeHTTP, TLS: server}
			if server == nil {
				listener.ProxyProtocol.From = []string{"127.0.0.1"}
			}
			p, address := begin(t, at(listener, config.Target{Addresses: []string{website(t, "in")}}))
			conn := dial(t, address, nil)
			for p.limits.open.Load() == 0 { // until it is accepted
				runtime.Gosched()
			}
			stopped := make(chan error, 1)
			go func() { stopped <- p.Shutdown(t.Context()) }()
			<-p.stop
			for { // until nobody listens any more
				late, err := net.Dial("tcp", address)
				if err != nil {
					break
				}
				late.Close()
			}
			if server == nil {
				io.WriteString(conn, "PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n")
			} else {
				conn = tls.Client(conn, onePKI().client("front.test"))
			}
			io.WriteString(conn, "GET / HTTP/1.1\r\nHost: front.test\r\n\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := io.ReadAll(resp.Body); resp.StatusCode != 200 || !resp.Close || err != nil {
				t.Errorf("%s, %q, %v", resp.Status, body, err)
			}
			if err := <-stopped; err != nil {
				t.Error(err)
			}
		})
	}
}

// pair is a connection over TCP, both ends of it.
func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours = dial(t, l.Addr().String(), nil)
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// A target that is reached after the end of a link is told of to nobody.
func TestReachedLate(t *testing.T) {
	told := 0
	l := &link{p: &Proxy{hooks: event.Hooks{Connected: func(*event.Connection, event.Target) { told++ }}}}
	l.reached(event.Target{Name: "in time"})
	l.cutOff = true
	l.reached(event.Target{Name: "late"})
	if told != 1 || l.About.Target != "in time" {
		t.Errorf("it is told %d times, last of %q", told, l.About.Target)
	}
}

// A stop waits neither for a target that hangs nor for an answer to a check.
func TestStopBesideTargetsThatHang(t *testing.T) {
	const long = config.Duration(10 * time.Minute) // far beyond the time of a test
	for name, target := range map[string]config.Target{
		"handshake": {ConnectTimeout: long, TLS: &config.ClientTLS{Insecure: true}},
		"check":     {Health: &config.Health{Interval: long, Timeout: long, HTTP: "/up"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan bool, 10)
			target.Addresses = []string{backend(t, nil, func(conn net.Conn) {
				conn.Read(make([]byte, 1))
				asked <- true
				io.Copy(io.Discard, conn) // up to the end
			})}
			p, address := begin(t, at(config.Listener{}, target))
			if target.Health == nil {
				dial(t, address, nil)
			}
			<-asked
			over, cancel := contextOf(t, false)
			defer cancel()
			_ = p.Shutdown(over)
		})
	}
}

// A check by HTTP/1.1 does not agree to HTTP/2.
func TestHealthBesideHTTP2(t *testing.T) {
	agreed := make(chan string, 10)
	up := make(chan error, 10)
	own := &tls.Config{Certificates: []tls.Certificate{onePKI().pair(t, "back.test")}, NextProtos: []string{"h2", "http/1.1"}}
	target := config.Target{Addresses: []string{backend(t, own, func(conn net.Conn) {
		conn.Read(make([]byte, 4096))
		agreed <- conn.(*tls.Conn).ConnectionState().NegotiatedProtocol
		io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})}}
	target.TLS = &config.ClientTLS{Insecure: true, ALPN: []string{"h2", "http/1.1"}}
	target.Health = &config.Health{HTTP: "/up", Interval: config.Duration(time.Minute), Timeout: config.Duration(20 * time.Second)}
	begin(t, at(config.Listener{}, target), event.Hooks{Health: func(_, _ string, _ bool, why error) { up <- why }})
	if got := <-agreed; got != "http/1.1" {
		t.Errorf("a check agrees to %q", got)
	}
	if err := <-up; err != nil {
		t.Error(err)
	}
}

// slow is a connection on which each write takes so long that the link looks idle after it.
type slow struct {
	net.Conn
	link  *link
	sizes []int
}

func (s *slow) Write(p []byte) (int, error) {
	s.link.idler.active.Store(0)
	s.sizes = append(s.sizes, len(p))
	return len(p), nil
}

// A link is active after a write too, and after each part of a large one.
func TestSlowWritesAreNotIdle(t *testing.T) {
	l := &link{idler: new(idler)}
	to := &slow{link: l}
	w := &flow{to: to, count: &l.sent, active: l.activity()}
	n, err := w.Write(make([]byte, 40<<10))
	if n != 40<<10 || err != nil || l.sent.Load() != 40<<10 {
		t.Errorf("%d, %v; %d are counted", n, err, l.sent.Load())
	}
	if l.idler.active.Load() == 0 {
		t.Error("a write that has ended counts as idle")
	}
	if !slices.Equal(to.sizes, []int{16 << 10, 16 << 10, 8 << 10}) {
		t.Errorf("it is written in pieces of %d", to.sizes)
	}
}
