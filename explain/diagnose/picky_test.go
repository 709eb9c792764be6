package diagnose_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// What a picky server, or a box in front of one, does with a hello.
type reaction func(net.Conn, *street)

// street is where the servers of a test stand.
type street struct {
	t    testing.TB
	done chan struct{} // closed at the end of the test
	wg   sync.WaitGroup
	made int // connections
	mu   sync.Mutex
}

func newStreet(t testing.TB) *street {
	s := &street{t: t, done: make(chan struct{})}
	t.Cleanup(func() { close(s.done); s.wg.Wait() })
	return s
}

// count counts connections, and returns the number of this one, from 1.
func (s *street) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	return s.made
}

func (s *street) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made
}

// open has a listener handle connections, and returns where.
func (s *street) open(handle func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.wg.Go(func() { <-s.done; l.Close() })
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer conn.Close()
				stop := make(chan struct{})
				defer close(stop)
				s.wg.Go(func() {
					select {
					case <-s.done:
						conn.Close()
					case <-stop:
					}
				})
				handle(conn)
			})
		}
	})
	return l.Addr().String()
}

// A heard hello is what a picky server looks at.
type heard struct {
	wire.ClientHello
	name    string
	length  int // of the message
	records int
	groups  []wire.NamedGroup
}

func (h *heard) offers13() bool { return h.Extensions.Has(wire.ExtSupportedVersions) }

// listen reads a hello, and returns it and what was read.
func listen(conn net.Conn) (*heard, []byte, error) {
	var raw, message []byte
	h := &heard{}
	for {
		header := make([]byte, wire.RecordHeaderLen)
		if _, err := io.ReadFull(conn, header); err != nil {
			return nil, raw, err
		}
		if header[0] != byte(wire.ContentHandshake) {
			return nil, append(raw, header...), errors.New("no TLS")
		}
		body := make([]byte, int(header[3])<<8|int(header[4]))
		if _, err := io.ReadFull(conn, body); err != nil {
			return nil, raw, err
		}
		raw, message = append(append(raw, header...), body...), append(message, body...)
		h.records++
		if n := wire.MessageLen(message); len(message) >= wire.HeaderLen && n <= len(message) {
			break
		}
	}
	h.length = len(message)
	if err := wire.Decode(&h.ClientHello, message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return nil, raw, err
	}
	h.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { h.name = wire.ReadServerName(r) })
	h.Extensions.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { h.groups = wire.ReadSupportedGroups(r, nil) })
	return h, raw, nil
}

// minds handles connections: what is disliked in a hello gets the reaction, all else a server.
func (s *street) minds(dislikes func(*heard) bool, react reaction, server *tls.Config) string {
	return s.open(func(conn net.Conn) {
		s.count()
		h, raw, err := listen(conn)
		if err != nil {
			return
		}
		if dislikes(h) {
			react(conn, s)
			return
		}
		serve(&primed{conn, io.MultiReader(bytes.NewReader(raw), conn)}, server)
	})
}

type primed struct {
	net.Conn
	in io.Reader
}

func (p *primed) Read(b []byte) (int, error) { return p.in.Read(b) }

// serve is a server that says where it is by a word of HTTP.
func serve(conn net.Conn, config *tls.Config) {
	conn.SetDeadline(time.Now().Add(patience))
	c := tls.Server(conn, config)
	if c.Handshake() != nil {
		return
	}
	if n, err := c.Read(make([]byte, 4096)); n > 0 && err == nil {
		io.WriteString(c, "HTTP/1.1 200 OK\r\nDate: "+time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")+"\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
	}
	c.Close()
}

// short is how long is waited for what does not come. What comes must come in that time too.
const short = time.Second

// The ways to react.
func closes(net.Conn, *street) {}

func resets(conn net.Conn, _ *street) { conn.(*net.TCPConn).SetLinger(0) }

func keepsSilent(_ net.Conn, s *street) { <-s.done }

func alerts(code wire.AlertCode) reaction {
	return func(conn net.Conn, _ *street) {
		conn.Write([]byte{21, 3, 3, 0, 2, 2, byte(code)})
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
	}
}

// visit has a client connect to an address, and is asked why it failed.
func visit(t testing.TB, config *tls.Config, way diagnose.Way, address string) *diagnose.Verdict {
	t.Helper()
	return visitUnder(t, context.Background(), config, way, address)
}

// visitUnder is visit, with a context for the trials.
func visitUnder(t testing.TB, trials context.Context, config *tls.Config, way diagnose.Way, address string) *diagnose.Verdict {
	t.Helper()
	account, also := reach(config, &way, address)
	v := diagnose.Live(trials, account, also, way)
	if len(v.Trials) > diagnose.MostTrials {
		t.Errorf("%d trials were made, and %d are the most", len(v.Trials), diagnose.MostTrials)
	}
	return v
}

// reach has a client connect to an address, and returns what is known afterwards. It fills in the way.
func reach(config *tls.Config, way *diagnose.Way, address string) (*explain.Connection, diagnose.Also) {
	if way.Patience == 0 {
		way.Patience = patience
	}
	if way.Dial == nil {
		way.Dial = func(ctx context.Context, other string) (net.Conn, error) {
			to := address
			if other != "" {
				to = other
			}
			return new(net.Dialer).DialContext(ctx, "tcp", to)
		}
	}
	way.Config = config
	var c explain.Collector
	traced := config.Clone()
	traced.Trace = c.Hooks()
	ctx, cancel := context.WithTimeout(context.Background(), way.Patience)
	defer cancel()
	raw, err := way.Dial(ctx, "")
	var account *explain.Connection
	if err == nil {
		conn := tls.Client(raw, traced)
		stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
		if err = conn.HandshakeContext(ctx); err == nil {
			if _, err = io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n"); err == nil {
				_, err = io.Copy(io.Discard, conn)
			}
		}
		stop()
		raw.Close()
		account = c.Connection(explain.About{Target: address, Err: err})
	}
	return account, diagnose.Also{Err: err, Now: now(config)}
}

func now(config *tls.Config) time.Time {
	if config.Time != nil {
		return config.Time()
	}
	return time.Now()
}

// offers reports a group in a hello.
func (h *heard) offers(g wire.NamedGroup) bool { return slices.Contains(h.groups, g) }
