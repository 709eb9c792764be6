package attacks

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// network joins a client and a server. The attacker on it sees every record and
// may change, drop or add some.
type network struct {
	client, server net.Conn // the ends
	// tamper returns what becomes of a record, header included; nil passes all.
	tamper func(from wire.Role, rec []byte) [][]byte

	mu   sync.Mutex
	seen []sent
}

// sent is a record as its sender put it on the network.
type sent struct {
	from wire.Role
	rec  []byte
}

// bubble runs f where time stands still while anything moves, so that "there is
// no answer" can be seen and costs no waiting.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { time.Sleep(time.Second) }) // a connection's last words take a moment, and it passes only here
		f(t)
	})
}

// newNetwork must be called within a bubble.
func newNetwork(t testing.TB, tamper func(from wire.Role, rec []byte) [][]byte) *network {
	n := &network{tamper: tamper}
	var toClient, toServer net.Conn
	n.client, toClient = net.Pipe()
	n.server, toServer = net.Pipe()
	n.carry(wire.Client, toClient, toServer)
	n.carry(wire.Server, toServer, toClient)
	t.Cleanup(func() {
		for _, c := range []net.Conn{n.client, n.server, toClient, toServer} {
			c.Close()
		}
	})
	return n
}

// carry passes the records of from. However many there are, the sender does not
// wait for the receiver.
func (n *network) carry(from wire.Role, src, dst net.Conn) {
	queue := make(chan []byte, 1<<12)
	go func() {
		defer close(queue)
		for {
			rec, err := readRecord(src)
			if err != nil {
				return
			}
			for _, r := range n.note(from, rec) {
				queue <- r
			}
		}
	}()
	go func() {
		defer dst.Close()
		for rec := range queue {
			dst.Write(rec) // a receiver that has gone misses the rest
		}
	}()
}

func (n *network) note(from wire.Role, rec []byte) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = append(n.seen, sent{from, rec})
	if n.tamper == nil {
		return [][]byte{rec}
	}
	return n.tamper(from, rec)
}

// records returns what role has sent so far.
func (n *network) records(from wire.Role) (out [][]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.seen {
		if s.from == from {
			out = append(out, s.rec)
		}
	}
	return out
}

func readRecord(r io.Reader) ([]byte, error) {
	rec := make([]byte, record.HeaderLen)
	if _, err := io.ReadFull(r, rec); err != nil {
		return nil, err
	}
	rec = append(rec, make([]byte, record.ParseHeader(rec).Length)...)
	_, err := io.ReadFull(r, rec[record.HeaderLen:])
	return rec, err
}

func typeOf(rec []byte) wire.ContentType { return record.ParseHeader(rec).Type }

// clearRecord makes a record without protection.
func clearRecord(typ wire.ContentType, v wire.Version, content []byte) []byte {
	return append(record.AppendHeader(nil, record.Header{Type: typ, Version: v, Length: len(content)}), content...)
}

// inClear has edit act on each message that travels in the clear, each of which
// is a record of its own from then on.
func inClear(edit func(from wire.Role, raw []byte) [][]byte) func(wire.Role, []byte) [][]byte {
	over := map[wire.Role]bool{}
	return func(from wire.Role, rec []byte) (out [][]byte) {
		h := record.ParseHeader(rec)
		over[from] = over[from] || h.Type == wire.ContentChangeCipherSpec
		if over[from] || h.Type != wire.ContentHandshake {
			return [][]byte{rec}
		}
		content := rec[record.HeaderLen:]
		for len(content) > 0 && wire.MessageLen(content) <= len(content) {
			raw := content[:wire.MessageLen(content)]
			content = content[len(raw):]
			for _, m := range edit(from, raw) {
				out = append(out, clearRecord(h.Type, h.Version, m))
			}
		}
		return out
	}
}

// change decodes the messages of one type, has f change them and encodes them again.
func change[M wire.Message](c wire.Context, f func(M)) func(wire.Role, []byte) [][]byte {
	var want M
	return inClear(func(from wire.Role, raw []byte) [][]byte {
		c.From = from
		m, err := wire.DecodeMessage(raw, c, nil)
		if err != nil || m.Type() != want.Type() {
			return [][]byte{raw}
		}
		f(m.(M))
		return [][]byte{wire.AppendMessage(nil, m, c)}
	})
}

// ends are a connection whose handshakes have run to their ends.
type ends struct {
	*network
	client, server       *tls.Conn
	clientErr, serverErr error
}

// connect runs the handshakes over a network with that attacker.
func connect(t testing.TB, client, server *tls.Config, tamper func(wire.Role, []byte) [][]byte) *ends {
	t.Helper()
	n := newNetwork(t, tamper)
	e := &ends{network: n, client: tls.Client(n.client, client), server: tls.Server(n.server, server)}
	var wg sync.WaitGroup
	for _, side := range []struct {
		conn *tls.Conn
		err  *error
	}{{e.client, &e.clientErr}, {e.server, &e.serverErr}} {
		wg.Go(func() {
			if *side.err = side.conn.Handshake(); *side.err != nil {
				side.conn.Close()
			}
		})
	}
	wg.Wait()
	return e
}

// well fails the test unless both handshakes are complete.
func (e *ends) well(t testing.TB) *ends {
	t.Helper()
	if e.clientErr != nil || e.serverErr != nil {
		t.Fatalf("client: %v\nserver: %v", e.clientErr, e.serverErr)
	}
	return e
}

// talk sends data both ways.
func (e *ends) talk(t testing.TB) {
	t.Helper()
	for _, dir := range [][2]*tls.Conn{{e.client, e.server}, {e.server, e.client}} {
		if _, err := dir[0].Write([]byte("data")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 4)
		if _, err := io.ReadFull(dir[1], got); err != nil || string(got) != "data" {
			t.Fatalf("read %q, %v", got, err)
		}
	}
}

// refused fails the test unless err is a refusal of our own, with that alert.
func refused(t testing.TB, err error, want wire.AlertCode) {
	t.Helper()
	var failure *tls.HandshakeError
	if !errors.As(err, &failure) || failure.Received || failure.Alert != want {
		t.Errorf("%v; want a refusal with %v", err, want)
	}
}

// settle waits until nothing moves any more.
func settle() { synctest.Wait() }
