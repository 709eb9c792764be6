package tls

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// freely has both sides renegotiate as often as anyone likes.
func freely(configs ...*Config) {
	for _, c := range configs {
		c.Renegotiation = RenegotiateFreelyAsClient
		c.Renegotiate = Renegotiate{FromClient: true, Max: 1000, MinInterval: -1}
	}
}

// renegotiable are configs for one version that may renegotiate freely.
func renegotiable(version uint16) (client, server *Config) {
	kind := "ecdsa-p256"
	if version == uint16(wire.SSL30) {
		kind = "rsa2048" // elliptic curves need extensions
	}
	client, server = testPKI().client(), testPKI().server(kind)
	client.Legacy.SSL30, server.Legacy.SSL30 = true, true
	at(version, client, server)
	freely(client, server)
	return client, server
}

// pairs are the ways to connect: with room for much that is under way, for little,
// and for nothing.
var pairs = map[string]func(testing.TB) (a, b net.Conn){
	"TCP": tcpPair, "pipe": pipePair,
	"narrow": func(testing.TB) (a, b net.Conn) { return narrowPipe(3000) },
}

// open connects over one of them.
func open(t testing.TB, how string, client, server *Config) (c, s *Conn) {
	t.Helper()
	a, b := pairs[how](t)
	c, s = Client(a, client), Server(b, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, s
}

// of picks the end that a role stands for.
func of(role wire.Role, c, s *Conn) (own, peer *Conn) {
	if role == wire.Client {
		return c, s
	}
	return s, c
}

var bothRoles = []wire.Role{wire.Client, wire.Server}

// pattern is a stream of bytes that no two places of have in common.
type pattern struct{ r *rand.ChaCha8 }

func newPattern(seed byte) pattern { return pattern{rand.NewChaCha8([32]byte{seed})} }

func (p pattern) next(b []byte) []byte {
	p.r.Read(b)
	return b
}

// pour writes a pattern in pieces of all sizes, each after its length: n bytes at
// least, and until stop is closed.
func pour(w io.Writer, seed byte, n int, stop <-chan struct{}) error {
	p, sizes := newPattern(seed), rand.New(rand.NewPCG(uint64(seed), 1))
	for last := false; !last; {
		size := 1 + sizes.IntN(1<<sizes.IntN(18))
		if n -= size; n <= 0 {
			select {
			case <-stop:
				size, last = 0, true
			default:
			}
		}
		piece := make([]byte, 4+size)
		binary.BigEndian.PutUint32(piece, uint32(size))
		p.next(piece[4:])
		if _, err := w.Write(piece); err != nil {
			return fmt.Errorf("writing with %d bytes to go: %w", n, err)
		}
		if n <= 0 {
			time.Sleep(time.Millisecond) // nothing but keeping on
		}
	}
	return nil
}

// drain reads to the end of what pour writes, into buffers of all sizes, and
// compares.
func drain(r io.Reader, seed byte) error {
	p, n := newPattern(seed), 0
	r = &uneven{r, rand.New(rand.NewPCG(uint64(seed), 2))}
	for {
		var length [4]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return fmt.Errorf("reading at %d: %w", n, err)
		}
		got := make([]byte, binary.BigEndian.Uint32(length[:]))
		if len(got) == 0 {
			return nil
		}
		if _, err := io.ReadFull(r, got); err != nil {
			return fmt.Errorf("reading at %d: %w", n, err)
		}
		if !bytes.Equal(got, p.next(make([]byte, len(got)))) {
			return fmt.Errorf("what arrived after byte %d is not what was sent", n)
		}
		n += len(got)
	}
}

// uneven reads into buffers of all sizes.
type uneven struct {
	io.Reader
	sizes *rand.Rand
}

func (u *uneven) Read(p []byte) (int, error) {
	return u.Reader.Read(p[:min(len(p), 1+u.sizes.IntN(1<<u.sizes.IntN(18)))])
}

// traffic runs in both directions at once, n bytes in each at least, until stop is
// called, which tells of errors.
func traffic(c, s *Conn, n int) (stop func() error) {
	var all, writers sync.WaitGroup
	errs, stopped, written := make(chan error, 4), make(chan struct{}), make(chan struct{})
	writers.Add(2)
	go func() { writers.Wait(); close(written) }()
	for what, f := range map[string]func() error{
		"client":        func() error { defer writers.Done(); return pour(c, 1, n, stopped) },
		"server":        func() error { defer writers.Done(); return pour(s, 2, n, stopped) },
		"to the server": func() error { return drainAll(s, 1, written) },
		"to the client": func() error { return drainAll(c, 2, written) },
	} {
		all.Go(func() {
			if err := f(); err != nil {
				errs <- fmt.Errorf("%s: %w", what, err)
				c.Close()
				s.Close()
			}
		})
	}
	return func() error {
		close(stopped)
		all.Wait()
		close(errs)
		return <-errs
	}
}

// drainAll drains and then reads on until all is written: the peer's last Write may have to answer
// a KeyUpdate too, which a pipe takes only when somebody reads it.
func drainAll(c *Conn, seed byte, written <-chan struct{}) error {
	if err := drain(c, seed); err != nil {
		return err
	}
	defer c.SetReadDeadline(time.Time{})
	for {
		select {
		case <-written:
			return nil
		default:
		}
		c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("behind the end: %d bytes, %w", n, err)
		}
	}
}

// renegotiate is Conn.Renegotiate with a bound, after which all stacks are shown.
func renegotiate(t testing.TB, c *Conn) {
	t.Helper()
	if err := bounded(t, c.Renegotiate); err != nil {
		t.Fatalf("the %v renegotiates: %v", c.role, err)
	}
}

func bounded(t testing.TB, f func(context.Context) error) (err error) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); err = f(context.Background()) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		_, stacks := inside()
		os.Stderr.WriteString(stacks)
		t.Fatal("it hangs")
	}
	return err
}

// exchangeKinds are one suite for each key exchange, and each kind of key that
// signs it, in a version.
func exchangeKinds(v wire.Version) (out []*suite.Suite) {
	seen := map[string]bool{}
	for _, s := range suite.All() {
		if kind := s.KeyExchange.String() + s.Auth.String(); s.Allows(v) && !seen[kind] {
			seen[kind] = true
			out = append(out, s)
		}
	}
	return out
}

// Every key exchange, in every version, begun by either side, while data goes in
// both directions.
func TestRenegotiation(t *testing.T) {
	for _, v := range allVersions[1:] {
		for _, s := range exchangeKinds(v) {
			for _, role := range bothRoles {
				t.Run(fmt.Sprintf("%v/%s/%v", v, s.Name, role), func(t *testing.T) {
					t.Parallel()
					client, server := forSuite(s, v)
					freely(client, server)
					c, srv := open(t, "TCP", client, server)
					own, _ := of(role, c, srv)
					before := c.engine.Result()
					stop := traffic(c, srv, 1<<17)
					for range 3 {
						renegotiate(t, own)
					}
					if err := stop(); err != nil {
						t.Fatal(err)
					}
					checkRenegotiated(t, c, srv, 3)
					if after := c.engine.Result(); after.Secrets.Master == before.Secrets.Master || after.Secrets.ClientRandom == before.Secrets.ClientRandom {
						t.Error("the keys are those of before")
					}
					if state := srv.State(); state.Version != v || state.CipherSuite != s.ID || state.Resumption != "none" {
						t.Errorf("agreed on %v, %v, resumed by %s", state.Version, state.CipherSuite, state.Resumption)
					}
					exchange(t, c, srv)
				})
			}
		}
	}
}

// checkRenegotiated compares what the two ends know after n renegotiations.
func checkRenegotiated(t testing.TB, c, s *Conn, n int) {
	t.Helper()
	for _, dir := range [][2]*Conn{{s, c}, {c, s}} { // what completes it has then been read by both
		go dir[0].Write([]byte{1})
		if _, err := io.ReadFull(dir[1], make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	a, b := c.engine.Result(), s.engine.Result()
	if c.State().Renegotiations != n || s.State().Renegotiations != n {
		t.Errorf("%d and %d renegotiations are counted, want %d", c.State().Renegotiations, s.State().Renegotiations, n)
	}
	if a.Secrets.Master != b.Secrets.Master || !bytes.Equal(a.Finished(wire.Client), b.Finished(wire.Client)) ||
		!bytes.Equal(a.Finished(wire.Server), b.Finished(wire.Server)) {
		t.Error("the two sides do not have the same secrets")
	}
	if !bytes.Equal(c.ConnectionState().TLSUnique, s.ConnectionState().TLSUnique) {
		t.Error("tls-unique differs")
	}
	for _, kind := range []string{"tls-exporter", "tls-unique"} {
		mine, mineErr := c.ChannelBinding(kind)
		other, otherErr := s.ChannelBinding(kind)
		if !bytes.Equal(mine, other) || (mineErr == nil) != (otherErr == nil) {
			t.Errorf("%s differs: %x, %v; %x, %v", kind, mine, mineErr, other, otherErr)
		}
	}
}

// Megabytes in both directions, and twenty renegotiations in between: of one side,
// or of both sides at the same moment.
func TestRenegotiationUnderTraffic(t *testing.T) {
	for how := range pairs {
		for _, v := range allVersions[1:] {
			for name, who := range map[string][]wire.Role{"client": {wire.Client}, "server": {wire.Server}, "both": bothRoles} {
				t.Run(fmt.Sprintf("%s/%v/%s", how, v, name), func(t *testing.T) {
					t.Parallel()
					client, server := renegotiable(uint16(v))
					c, s := open(t, how, client, server)
					n := 20
					if v != wire.TLS12 {
						n = 3
					}
					stop := traffic(c, s, n<<17)
					var all sync.WaitGroup
					for _, role := range who {
						own, _ := of(role, c, s)
						all.Go(func() {
							for range n {
								if err := bounded(t, own.Renegotiate); err != nil {
									t.Errorf("the %v renegotiates: %v", role, err)
									return
								}
							}
						})
					}
					all.Wait()
					if err := stop(); err != nil {
						t.Fatal(err)
					}
					if len(who) == 1 { // with two, one may serve both
						checkRenegotiated(t, c, s, n)
					}
					if how == "TCP" {
						exchange(t, c, s)
					}
				})
			}
		}
	}
}

// Each side has one goroutine, and each renegotiates when it has the word.
func TestRenegotiationInTurns(t *testing.T) {
	for how := range pairs {
		for _, role := range bothRoles {
			t.Run(fmt.Sprintf("%s/%v", how, role), func(t *testing.T) {
				t.Parallel()
				client, server := renegotiable(VersionTLS12)
				c, s := open(t, how, client, server)
				own, peer := of(role, c, s)
				echoed := make(chan error, 1)
				go func() {
					_, err := io.Copy(peer, peer)
					echoed <- err
				}()
				for i := range 20 {
					renegotiate(t, own)
					want := newPattern(byte(i)).next(make([]byte, 1+i*800))
					if _, err := own.Write(want); err != nil {
						t.Fatal(err)
					}
					got := make([]byte, len(want))
					if _, err := io.ReadFull(own, got); err != nil || !bytes.Equal(got, want) {
						t.Fatalf("the echo is wrong: %v", err)
					}
				}
				own.CloseWrite()
				if err := <-echoed; err != nil {
					t.Error(err)
				}
				if n := own.State().Renegotiations; n != 20 {
					t.Errorf("%d renegotiations", n)
				}
			})
		}
	}
}

// One side only writes, the other only reads; either renegotiates, the writer
// between its writes or beside them.
func TestRenegotiationInOneDirection(t *testing.T) {
	const n = 1 << 20
	for how := range pairs {
		for _, writer := range bothRoles {
			for _, by := range []string{"the writer, in turn", "the writer, beside", "the reader, beside"} {
				t.Run(fmt.Sprintf("%s/%v writes/%s", how, writer, by), func(t *testing.T) {
					t.Parallel()
					client, server := renegotiable(VersionTLS12)
					c, s := open(t, how, client, server)
					w, r := of(writer, c, s)
					done, stop := make(chan error, 2), make(chan struct{})
					go func() { done <- drain(r, 1) }()
					switch by {
					case "the writer, in turn":
						close(stop)
						go func() { done <- pour(&turns{Conn: w}, 1, n, stop) }()
					case "the writer, beside":
						go func() { done <- pour(w, 1, n, stop) }()
						for range 5 {
							renegotiate(t, w)
						}
						close(stop)
					case "the reader, beside":
						// The writer must read too: there is no other way to hear of it.
						go w.Read(make([]byte, 1))
						go func() { done <- pour(w, 1, n, stop) }()
						for range 5 {
							renegotiate(t, r)
						}
						close(stop)
					}
					for range 2 {
						if err := <-done; err != nil {
							t.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// turns renegotiates before every 16th write.
type turns struct {
	*Conn
	n int
}

func (w *turns) Write(p []byte) (int, error) {
	if w.n++; w.n%16 == 0 {
		if err := w.Conn.Renegotiate(context.Background()); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(p)
}
