package httptls

import (
	stdtls "crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// stateLog keeps what ConnState is told of each connection.
type stateLog struct {
	mu     sync.Mutex
	states map[net.Conn][]string
}

func (l *stateLog) add(c net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.states == nil {
		l.states = map[net.Conn][]string{}
	}
	l.states[c] = append(l.states[c], state.String())
}

// lives returns the states of each connection, in alphabetical order.
func (l *stateLog) lives() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, states := range l.states {
		all = append(all, strings.Join(states, " "))
	}
	slices.Sort(all)
	return all
}

// overTLS is net/http on crypto/tls.
type overTLS struct{ *http.Server }

func (s overTLS) Serve(l net.Listener) error { return s.ServeTLS(l, "", "") }

// ConnState is told the same as by net/http on crypto/tls, also of connections whose
// handshake fails. net/http lets the handshake of one that is crowded out time out.
func TestConnStateAsInNetHTTP(t *testing.T) {
	const failed, served = "new closed", "new active idle closed"
	config, trust := serverConfig(t), clientConfig()
	config.NextProtos = []string{"h2", "http/1.1", "acme-tls/1"}
	cert := config.Certificates[0]
	std := &stdtls.Config{NextProtos: config.NextProtos,
		Certificates: []stdtls.Certificate{{Certificate: cert.Certificate, PrivateKey: cert.PrivateKey}}}
	trust.ServerName, trust.Time = "localhost", clockOutside()
	trust.MaxVersion = tls.VersionTLS12 // in TLS 1.3 both sides write at the same time, which a pipe cannot bear
	says := func(proto, words string) func(net.Conn) {
		return func(raw net.Conn) {
			config := trust.Clone()
			config.NextProtos = []string{proto}
			conn := tls.Client(raw, config)
			io.WriteString(conn, words)
			conn.Read(make([]byte, 4096)) // the answer, or the end
		}
	}
	http1 := says("http/1.1", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	garbage := func(raw net.Conn) {
		go io.WriteString(raw, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		io.Copy(io.Discard, raw)
	}
	silent := func(raw net.Conn) { io.Copy(io.Discard, raw) }
	for name, c := range map[string]struct {
		clients []func(net.Conn)
		want    []string
	}{
		"HTTP/1.1":         {[]func(net.Conn){http1}, []string{served}},
		"HTTP/2":           {[]func(net.Conn){says("h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")}, []string{served}},
		"another protocol": {[]func(net.Conn){says("acme-tls/1", "")}, []string{failed}},
		"no TLS":           {[]func(net.Conn){garbage}, []string{failed}},
		"distrust":         {[]func(net.Conn){func(raw net.Conn) { tls.Client(raw, &tls.Config{ServerName: "localhost"}).Handshake() }}, []string{failed}},
		"gone at once":     {[]func(net.Conn){func(net.Conn) {}}, []string{failed}},
		"silent":           {[]func(net.Conn){silent}, []string{failed}},
		"crowded out":      {[]func(net.Conn){silent, http1}, []string{served, failed}},
	} {
		t.Run(name, func(t *testing.T) {
			var ours, theirs stateLog
			var crowdedOut atomic.Int32
			quiet := log.New(io.Discard, "", 0)
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
			talk(t, &Server{TLS: config, MaxHandshakes: 1,
				HTTP: &http.Server{Handler: handler, ErrorLog: quiet, ConnState: ours.add},
				OnHandshake: func(h Handshake) {
					if errors.Is(h.Err, errCrowdedOut) {
						crowdedOut.Add(1)
					}
				}}, c.clients)
			talk(t, overTLS{&http.Server{TLSConfig: std, ReadHeaderTimeout: defaultHandshakeTimeout,
				Handler: handler, ErrorLog: quiet, ConnState: theirs.add}}, c.clients)
			slices.Sort(c.want)
			if got := theirs.lives(); !slices.Equal(got, c.want) {
				t.Errorf("net/http tells %q, and not %q", got, c.want)
			}
			if got := ours.lives(); !slices.Equal(got, c.want) {
				t.Errorf("told %q, want %q", got, c.want)
			}
			if n := int(crowdedOut.Load()); n != len(c.clients)-1 {
				t.Errorf("%d clients were crowded out", n)
			}
		})
	}
}

// talk has the clients connect to s in their order, and returns when all is over.
func talk(t *testing.T, s server, clients []func(net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l, conns := newPipes(len(clients), nil)
		stop := serveOn(t, s, l)
		synctest.Wait() // until all are accepted
		var group sync.WaitGroup
		for i, client := range clients {
			group.Go(func() {
				client(conns[i])
				time.Sleep(time.Millisecond) // of the bubble: the states that follow the answer come first
				conns[i].Close()
			})
		}
		group.Wait()
		stop()
	})
}

// A ConnState that does not return costs the connection that it is told of.
func TestConnStateThatDoesNotReturn(t *testing.T) {
	for name, fail := range map[string]func(){
		"panic":  func() { panic("mine") },
		"Goexit": runtime.Goexit,
	} {
		for when, at := range map[string][]http.ConnState{
			"new": {http.StateNew}, "closed": {http.StateClosed}, "both": {http.StateNew, http.StateClosed},
		} {
			t.Run(name+" "+when, func(t *testing.T) { connStateThat(t, fail, name == "panic", at) })
		}
	}
}

// connStateThat has ConnState fail for the first connection.
func connStateThat(t *testing.T, fail func(), isLogged bool, at []http.ConnState) {
	var logged syncBuffer
	var closed atomic.Int32
	addr := serve(t, &Server{TLS: serverConfig(t), MaxHandshakes: 1, OnHandshake: func(Handshake) {}, HTTP: &http.Server{
		Handler: http.HandlerFunc(describe), ErrorLog: log.New(&logged, "", 0),
		ConnState: func(_ net.Conn, state http.ConnState) {
			first := closed.Load() == 0
			if state == http.StateClosed {
				closed.Add(1)
			}
			if first && slices.Contains(at, state) {
				fail()
			}
		}}})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "this is no TLS")
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) { // it may be reset: what was sent is not read
		t.Errorf("the connection stayed open: %v", err)
	}
	conn.Close()
	eventually(t, func() bool { return closed.Load() == 1 })
	client := &http.Client{Transport: &Transport{TLS: clientConfig()}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	if resp, _ := get(t, client, "https://"+addr); resp.StatusCode != http.StatusOK {
		t.Errorf("the next connection: %s", resp.Status)
	}
	if isLogged {
		eventually(t, func() bool { return strings.Contains(logged.String(), "panic in ConnState") })
	} else if strings.Contains(logged.String(), "panic in ConnState") {
		t.Errorf("logged: %s", logged.String())
	}
}
