//go:build linux

package proxy

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// A second process takes over at load: no connection is refused, none is cut off, and the
// first process ends.
func TestHandover(t *testing.T) {
	folder := t.TempDir()
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}})
	c.Listeners[0].Listen = []string{"127.0.0.1:0", "unix:" + filepath.Join(folder, "in")}
	c.Process.Handover = filepath.Join(folder, "handover")
	p, address := begin(t, c)
	long := dial(t, address, onePKI().client("front.test"))
	io.WriteString(long, "before")
	var stop atomic.Bool
	var done atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
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
	end := succeed(t, c)
	<-p.stop // the first is told that the second accepts
	for before := done.Load(); done.Load() < before+20 && !t.Failed(); {
		tryRoundTrip(address, onePKI().client("front.test"))
	}
	stop.Store(true)
	clients.Wait()
	io.WriteString(long, " and after")
	closeWrite(long)
	if got, err := io.ReadAll(long); string(got) != "before and after" || err != nil {
		t.Errorf("a connection of the first process: %q, %v", got, err)
	}
	<-p.stopped
	conn, err := net.Dial("unix", filepath.Join(folder, "in"))
	if err != nil {
		t.Errorf("the unix socket: %v", err)
	} else {
		conn.Close()
	}
	end()
	if _, err := os.Lstat(filepath.Join(folder, "in")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file of the unix socket is left behind: %v", err)
	}
}

// The address for http-01 is handed over too, where the second process could not listen.
func TestHandoverOfHTTP01(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	folder, authority := t.TempDir(), l.Addr().String()
	own := serverTLS(t, "front.test")
	for _, name := range []string{"a.test", "b.test"} { // two that share the address
		own.Certificates = append(own.Certificates, config.Certificate{ACME: &config.ACME{
			Names: []string{name}, Email: "a@a.test", Directory: "https://127.0.0.1:1/", Storage: folder, AgreeToS: true, Challenge: "http-01", HTTPListen: authority,
		}})
	}
	c := at(config.Listener{TLS: own}, saying(t, nil, "in"))
	c.Process.Handover = filepath.Join(folder, "handover")
	p, address := begin(t, c)
	second := succeed(t, c)
	<-p.stopped
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(httptest.NewRequest(http.MethodGet, "http://"+authority+"/", nil))
	if err != nil {
		t.Fatalf("nobody answers http-01: %v", err)
	}
	answer.Body.Close()
	conn := dial(t, address, onePKI().client("front.test"))
	if got, err := io.ReadAll(conn); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
	conn.Close()
	second()
}

// succeed starts a second process, which takes over. end ends it, and it must end well.
func succeed(t *testing.T, c config.Config) (end func()) {
	t.Helper()
	text, err := config.Write(&c)
	if err != nil {
		t.Fatal(err)
	}
	second := exec.Command(os.Args[0])
	second.Env = append(os.Environ(), childConfig+"="+string(text))
	var said bytes.Buffer
	second.Stdout, second.Stderr = &said, &said
	in, err := second.StdinPipe()
	if err == nil {
		err = second.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		in.Close()
		if err := second.Wait(); err != nil {
			t.Errorf("the second process: %v\n%s", err, &said)
		}
	}
}

// A process that asks and goes away changes nothing.
func TestHandoverThatIsGivenUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handover")
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Process.Handover = path
	_, address := begin(t, c)
	for { // until Run has begun
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			break
		}
		runtime.Gosched()
	}
	for _, said := range []string{"", "n", "nn", "r", "x", strings.Repeat("n", 100)} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, said)
		conn.(*net.UnixConn).CloseWrite()
		io.Copy(io.Discard, conn)
		conn.Close()
	}
	if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := New(at(config.Listener{}, saying(t, nil, "")), Options{TakeOver: true}); err == nil {
		t.Error("a process takes over from nobody")
	}
}

// asking is a process that has asked for all that p hands over, and has said nothing yet.
func asking(t *testing.T, p *Proxy, path string) *net.UnixConn {
	t.Helper()
	var conn *net.UnixConn
	for conn == nil { // until Run has begun
		if c, err := net.Dial("unix", path); err == nil {
			conn = c.(*net.UnixConn)
		}
		runtime.Gosched()
	}
	t.Cleanup(func() { conn.Close() })
	for {
		_, l, err := nextSocket(conn)
		if err != nil {
			t.Fatal(err)
		}
		if l == nil {
			break
		}
		l.Close()
	}
	if _, err := nextKeys(conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

// While a reload takes its time, the process that said it is ready goes away: the old one goes on.
func TestHandoverToNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handover")
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Process.Handover = path
	p, address := begin(t, c)
	conn := asking(t, p, path)
	p.mutex.Lock()
	conn.Write([]byte{sayReady})
	conn.Close()
	p.mutex.Unlock()
	asking(t, p, path) // which is served after the other
	if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
}

// A process that has not got all sockets does not get the connections.
func TestHandoverBesideAReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handover")
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Process.Handover = path
	p, address := begin(t, c)
	conn := asking(t, p, path)
	c.Listeners[0].Listen = append(c.Listeners[0].Listen, "unix:"+filepath.Join(t.TempDir(), "more"))
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	h := handover{from: conn}
	if err := h.ready(); err != errChanged {
		t.Errorf("the new process is told %v", err)
	}
	if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
}

// An old process that dies when it should say that it stops leaves a new one that serves.
func TestTakeOverFromOneThatDies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handover")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var old sync.WaitGroup
	old.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for ask := make([]byte, 1); ; {
			if _, err := io.ReadFull(conn, ask); err != nil || ask[0] == sayReady {
				return
			}
			conn.Write(map[byte][]byte{askNext: []byte("{}"), askKeys: {0, 0}}[ask[0]])
		}
	})
	t.Cleanup(func() { l.Close(); old.Wait() })
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Process.Handover = path
	told := make(chan error, 1)
	p, err := New(c, Options{TakeOver: true, TookOver: func(err error) { told <- err }})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, p)
	if err := <-told; err == nil {
		t.Error("nobody is told that the old process said nothing")
	}
	address := p.Addrs()[c.Listeners[0].Listen[0]][0].String()
	if got, err := io.ReadAll(dial(t, address, onePKI().client("front.test"))); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
}

// A process whose folder for the hand-over has become unfit does not serve in secret.
func TestAnOfferThatCannotBeMade(t *testing.T) {
	folder := t.TempDir()
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Process.Handover = filepath.Join(folder, "handover")
	p, err := New(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	address := p.Addrs()[c.Listeners[0].Listen[0]][0].String()
	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder + ".away")
	if err := p.Run(t.Context()); err == nil {
		t.Error("Run says nothing")
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Error("it listens on")
	}
}

// The operators' socket is handed over under the address that it has, whatever a reload has named.
func TestTheOperatorsSocketKeepsItsName(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "in"))
	c.Admin.Listen = "127.0.0.1:1"
	p, err := New(c, Options{Operators: func(net.Listener) (net.Listener, error) { return l, nil }})
	if err != nil {
		t.Fatal(err)
	}
	runUntilEnd(t, p)
	c.Admin.Listen = "127.0.0.1:2"
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	for _, offer := range p.listeners() {
		if offer.Listener == l && offer.name != forOperators+"127.0.0.1:1" {
			t.Errorf("it is offered as %q", offer.name)
		}
	}
}
