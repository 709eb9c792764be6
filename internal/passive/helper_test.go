package passive

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// piece is what one side sent at a time, as the client's end of the connection saw it.
type piece struct {
	from wire.Role
	b    []byte
}

// tap is the client's end of a connection, on which somebody listens.
type tap struct {
	net.Conn
	mu  sync.Mutex
	all []piece
}

func (c *tap) hear(from wire.Role, b []byte) {
	if len(b) > 0 {
		c.mu.Lock()
		c.all = append(c.all, piece{from, bytes.Clone(b)})
		c.mu.Unlock()
	}
}

func (c *tap) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	c.hear(wire.Server, b[:n])
	return n, err
}

func (c *tap) Write(b []byte) (n int, err error) {
	c.hear(wire.Client, b) // before anybody can answer
	return c.Conn.Write(b)
}

// authority has issued the certificates of all tests.
var authority = sync.OnceValues(func() (*devca.CA, error) { return devca.New() })

var issued = map[devca.KeyType]func() (tls.Certificate, error){}

func init() {
	for _, key := range []devca.KeyType{devca.ECDSA, devca.RSA, devca.DSA} {
		issued[key] = sync.OnceValues(func() (tls.Certificate, error) {
			ca, err := authority()
			if err != nil {
				return tls.Certificate{}, err
			}
			return ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: key})
		})
	}
}

// ends are the configurations of both ends of a connection.
type ends struct {
	client, server *tls.Config
	// before runs at the client after the handshake, serve at the server before it echoes.
	before, serve func(*tls.Conn) error
	// fails: the connection is not expected to succeed.
	fails bool
	// early is what the client says before the handshake is over; "" for nothing.
	early string
}

func newEnds(t testing.TB, key devca.KeyType) *ends {
	t.Helper()
	ca, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := issued[key]()
	if err != nil {
		t.Fatal(err)
	}
	return &ends{
		client: &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), ClientSessionCache: tls.NewLRUClientSessionCache(1)},
		server: &tls.Config{Certificates: []tls.Certificate{cert}},
	}
}

// heard is one connection that was listened to.
type heard struct {
	pieces []piece
	log    []byte // the client's key log
	client *events
}

// connect makes a connection: the client says something, the server echoes it, both close.
func (p *ends) connect(t testing.TB) *heard {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan error, 1)
	go func() { served <- p.answer(ln) }()
	raw, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	h := &heard{client: new(events)}
	config := p.client.Clone()
	config.Trace, config.KeyLogWriter = h.client.hooks(), &log
	listened := &tap{Conn: raw}
	conn := tls.Client(listened, config)
	err = p.speak(conn)
	conn.Close()
	if served := <-served; !p.fails && (err != nil || served != nil) {
		t.Fatal(err, served)
	}
	listened.mu.Lock()
	defer listened.mu.Unlock()
	h.pieces, h.log = listened.all, log.Bytes()
	h.client.gaveUp = p.fails
	return h
}

func (p *ends) answer(ln net.Listener) error {
	raw, err := ln.Accept()
	if err != nil {
		return err
	}
	config := p.server.Clone()
	config.SetSessionTicketKeys([][32]byte{{1}}) // a clone has keys of its own
	conn := tls.Server(raw, config)
	defer conn.Close()
	if p.serve != nil {
		if err := p.serve(conn); err != nil {
			return err
		}
	}
	_, err = io.Copy(conn, conn)
	return err
}

func (p *ends) speak(conn *tls.Conn) error {
	if p.early != "" {
		if taken, err := conn.HandshakeEarly(context.Background(), []byte(p.early)); !taken {
			return fmt.Errorf("the early data was not taken: %w", err)
		}
	}
	if err := conn.Handshake(); err != nil {
		return err
	}
	if p.before != nil {
		if err := p.before(conn); err != nil {
			return err
		}
	}
	if _, err := conn.Write([]byte("hello")); err != nil {
		return err
	}
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	_, err := io.ReadAll(conn)
	return err
}

// events are what hooks were called with.
type events struct {
	mu       sync.Mutex
	records  []trace.Record
	messages []trace.Message
	inner    []trace.Inner
	choices  []trace.Choice
	secrets  []trace.Secret
	keys     []trace.Keys
	alerts   []trace.Alert
	gaps     []trace.Gap
	ends     []trace.End
	// gaveUp: the client did not look at all that it was sent.
	gaveUp bool
}

func (e *events) hooks() *trace.Hooks {
	return &trace.Hooks{
		Record: func(x trace.Record) {
			x.Wire, x.Plain = bytes.Clone(x.Wire), bytes.Clone(x.Plain)
			add(e, &e.records, x)
		},
		Message: func(x trace.Message) { x.Raw = bytes.Clone(x.Raw); add(e, &e.messages, x) },
		Inner:   func(x trace.Inner) { x.Raw = bytes.Clone(x.Raw); add(e, &e.inner, x) },
		Choice:  func(x trace.Choice) { add(e, &e.choices, x) },
		Secret: func(x trace.Secret) {
			x.Input, x.Value = bytes.Clone(x.Input), bytes.Clone(x.Value)
			add(e, &e.secrets, x)
		},
		Keys: func(x trace.Keys) {
			x.Key, x.IV, x.MAC = bytes.Clone(x.Key), bytes.Clone(x.IV), bytes.Clone(x.MAC)
			add(e, &e.keys, x)
		},
		Alert: func(x trace.Alert) { add(e, &e.alerts, x) },
		Gap:   func(x trace.Gap) { add(e, &e.gaps, x) },
		End:   func(x trace.End) { add(e, &e.ends, x) },
	}
}

func add[T any](e *events, all *[]T, x T) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*all = append(*all, x)
}

// of are the elements of one direction.
func of[T any](all []T, d trace.Direction, dir func(T) trace.Direction) []T {
	return slices.DeleteFunc(slices.Clone(all), func(x T) bool { return dir(x) != d })
}

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// listen plays the connection to a Listener, and returns what it saw.
func (h *heard) listen(keys *Keys, sessions *Sessions) (*events, Summary) {
	e := new(events)
	l := New(e.hooks(), keys, sessions)
	h.play(l)
	return e, l.Summary()
}

func (h *heard) play(l *Listener) {
	for i, p := range h.pieces {
		l.Data(p.from, begin.Add(time.Duration(i)*time.Millisecond), p.b)
	}
	l.End(wire.Client, begin.Add(time.Second))
	l.End(wire.Server, begin.Add(time.Second))
}

// logOf are the keys of a key log.
func logOf(log []byte) *Keys {
	k := new(Keys)
	for line := range bytes.Lines(log) {
		k.AddLine(line)
	}
	return k
}
