package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

var replays = flag.Int("replays", 1_000_000, "how many copies of early data the section replay sends to one server, and to three")

// copies is how often each first flight is sent: all within the window in which a copy is fresh.
const copies = 1000

// runReplay sends what clients send first, ClientHello and early data, again and again to servers that take
// early data, many at the same time. Each must come out of one server, once.
func runReplay(ctx context.Context, r *report) error {
	for _, servers := range []int{1, 3} {
		if err := replayTo(ctx, r, servers, *replays); err != nil {
			return err
		}
	}
	return nil
}

// replayTo sends that many copies to servers that share ticket keys and a store.
func replayTo(ctx context.Context, r *report, servers, most int) error {
	s, err := newReplaying(servers)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d servers: ", servers)
	if servers == 1 {
		name = "one server: "
	}
	var sent, flights, none, twice int
	began := time.Now()
	for sent < most && ctx.Err() == nil {
		n := min(copies, most-sent)
		taken, err := s.round(n)
		if err != nil {
			return err
		}
		switch {
		case taken == 0:
			none++
		case taken > 1:
			twice++
		}
		flights++
		if sent += n; flights%100 == 0 {
			r.Logf("%s%d copies of %d first flights, %.0f a second", name, sent, flights, float64(sent)/time.Since(began).Seconds())
		}
	}
	r.Figure(name+"copies of early data that were sent", "%d of %d first flights", sent, flights)
	r.Figure(name+"copies a second", "%.0f", float64(sent)/time.Since(began).Seconds())
	r.Figure(name+"early data that came out twice", "%d", twice).Want(twice == 0, "0")
	r.Figure(name+"early data that never came out", "%d", none).Want(none <= flights/100, "at most 1 in 100")
	return nil
}

// replaying is a client and the servers that its first flights are sent to.
type replaying struct {
	client  *tls.Config
	servers []*tls.Config
	rounds  int
}

func newReplaying(servers int) (*replaying, error) {
	ca, err := devca.New(loadName)
	if err != nil {
		return nil, err
	}
	leaf, err := ca.Issue(devca.Leaf{Names: []string{loadName}, Key: devca.ECDSA})
	if err != nil {
		return nil, err
	}
	var key [32]byte
	rand.Read(key[:])
	store := session.NewMemory(16 << 20)
	own := &replaying{client: &tls.Config{ServerName: loadName, RootCAs: ca.Pool(), NextProtos: []string{"soak"}, ClientSessionCache: tls.NewLRUClientSessionCache(1)}}
	for range servers {
		c := &tls.Config{Certificates: []tls.Certificate{leaf}, NextProtos: []string{"soak"},
			EarlyData: tls.EarlyData{MaxBytes: 1024, Protocols: []string{"soak"}, Replay: session.SingleUse(store)}}
		c.SetSessionTicketKeys([][32]byte{key})
		own.servers = append(own.servers, c)
	}
	return own, nil
}

// round gets a ticket, and sends that many copies of what a client sends with it. taken is how often
// that came out.
func (s *replaying) round(n int) (taken int, err error) {
	s.rounds++
	if err := s.ticket(s.servers[s.rounds%len(s.servers)]); err != nil {
		return 0, err
	}
	data := fmt.Sprintf("round %d", s.rounds)
	flight := s.flight([]byte(data))
	var got atomic.Int32
	var wrong atomic.Pointer[string]
	var wait sync.WaitGroup
	const workers = 8
	for worker := range workers {
		wait.Go(func() {
			for i := worker; i < n; i += workers {
				switch out := deliver(s.servers[i%len(s.servers)], flight); out {
				case "":
				case data:
					got.Add(1)
				default:
					wrong.Store(&out)
				}
			}
		})
	}
	wait.Wait()
	if out := wrong.Load(); out != nil {
		return 0, fmt.Errorf("a server gave out %q for %q", *out, data)
	}
	return int(got.Load()), nil
}

// ticket has the client get a ticket.
func (s *replaying) ticket(server *tls.Config) error {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	served := make(chan error, 1)
	go func() {
		c := tls.Server(b, server)
		_, err := c.Write([]byte{0}) // behind the tickets
		served <- err
	}()
	_, err := tls.Client(a, s.client).Read(make([]byte, 1))
	return errors.Join(err, <-served)
}

// flight is what the client sends before it hears anything.
func (s *replaying) flight(data []byte) []byte {
	conn := &oneWay{wrote: make(chan struct{}, 8)}
	_, _ = tls.Client(conn, s.client).HandshakeEarly(context.Background(), data) // nobody answers
	return conn.sent()
}

// deliver sends a first flight to a server, and returns what comes out of it.
func deliver(server *tls.Config, flight []byte) string {
	conn := &oneWay{in: bytes.NewReader(flight)}
	early, _ := tls.Server(conn, server).AcceptEarly(context.Background())
	if early == nil {
		return ""
	}
	out, _ := io.ReadAll(early) // up to the end of the stream
	return string(out)
}

// oneWay is a connection whose other end sends something, or nothing, and is gone.
type oneWay struct {
	net.Conn
	in    *bytes.Reader // nil: nothing comes, once something was sent
	wrote chan struct{}
	mutex sync.Mutex
	out   []byte
}

func (c *oneWay) Read(p []byte) (int, error) {
	if c.in == nil {
		<-c.wrote // the ClientHello and the early data, at once
		return 0, io.EOF
	}
	return c.in.Read(p)
}

func (c *oneWay) Write(p []byte) (int, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.in == nil {
		c.out = append(c.out, p...)
		c.wrote <- struct{}{}
	}
	return len(p), nil
}

func (c *oneWay) sent() []byte {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.out
}

func (*oneWay) Close() error                     { return nil }
func (*oneWay) SetWriteDeadline(time.Time) error { return nil }
func (*oneWay) SetReadDeadline(time.Time) error  { return nil }
func (*oneWay) SetDeadline(time.Time) error      { return nil }
