package tls

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// earlyPair are Configs of two ends that send and take early data.
func earlyPair() (client, server *Config) {
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	client.ClientSessionCache = NewLRUClientSessionCache(0)
	client.NextProtos, server.NextProtos = []string{"test"}, []string{"test"}
	server.EarlyData = EarlyData{MaxBytes: 16 << 10, Protocols: []string{"test"}, Replay: session.SingleUse(session.NewMemory(1 << 20))}
	return client, server
}

// earlyResult is how a connection with early data went.
type earlyResult struct {
	taken                bool
	got                  []byte // early data, as the server read it
	half                 []byte // what the server answered to it
	why                  string // by the server's choice
	clientErr, serverErr error
	c, s                 *Conn
}

// sendEarly connects, sends early data, and has data go both ways after it. The server
// answers early data at once, backwards.
func sendEarly(t testing.TB, client, server *Config, data string) (r earlyResult) {
	t.Helper()
	a, b := tcpPair(t)
	return sendEarlyOver(t, a, b, client, server, data)
}

func sendEarlyOver(t testing.TB, a, b net.Conn, client, server *Config, data string) (r earlyResult) {
	t.Helper()
	own := server.ForProtocols(server.NextProtos...)
	own.Trace = &trace.Hooks{Choice: func(c trace.Choice) {
		if c.What == "early data" && c.By == wire.Server {
			r.why = c.Why
		}
	}}
	r.c, r.s = Client(a, client), Server(b, own)
	done := make(chan struct{})
	go func() {
		defer close(done)
		early, err := r.s.AcceptEarly(context.Background())
		if early != nil {
			if early.ConnectionState().HandshakeComplete {
				err = errors.New("the handshake is complete")
			}
			for n, buf := 0, make([]byte, 1000); err == nil; {
				if n, err = early.Read(buf); n > 0 {
					r.got = append(r.got, buf[:n]...)
					if _, err := early.Write(bytes.ToUpper(buf[:n])); err != nil {
						r.serverErr = err
						return
					}
				}
			}
			if err == io.EOF {
				err = nil
			}
		}
		if err == nil {
			err = r.s.Handshake()
		}
		r.serverErr = err
	}()
	r.taken, r.clientErr = r.c.HandshakeEarly(context.Background(), []byte(data))
	if r.clientErr != nil {
		a.Close()
	}
	if r.taken {
		r.half = make([]byte, len(data))
		if _, err := io.ReadFull(r.c, r.half); err != nil {
			t.Errorf("what answers early data: %v", err)
		}
	}
	<-done
	if r.clientErr == nil && r.serverErr == nil {
		bringTickets(t, r.c, r.s)
		exchange(t, r.c, r.s)
	}
	return r
}

// Early data goes to a server that waits for it, which may answer at once; and the connection
// goes on. RFC 8446 §2.3.
func TestEarlyData(t *testing.T) {
	client, server := earlyPair()
	first := sendEarly(t, client, server, "hello")
	if first.taken || first.got != nil || first.clientErr != nil || first.c.State().EarlyData != "none" {
		t.Fatalf("without a session: %+v, %s", first, first.c.State().EarlyData)
	}
	for i, size := range []int{1, 5, 16 << 10} {
		data := strings.Repeat("e", size)
		r := sendEarly(t, client, server, data)
		if !r.taken || string(r.got) != data || string(r.half) != strings.ToUpper(data) || r.clientErr != nil || r.serverErr != nil {
			t.Fatalf("connection %d: taken %v, %d bytes, %v, %v: %s", i, r.taken, len(r.got), r.clientErr, r.serverErr, r.why)
		}
		if c, s := r.c.State(), r.s.State(); c.EarlyData != "accepted" || s.EarlyData != "accepted" || c.Resumption != "psk" {
			t.Errorf("the client says %s, the server %s", c.EarlyData, s.EarlyData)
		}
	}
	if r := sendEarly(t, client, server, strings.Repeat("e", 16<<10+1)); r.taken || r.c.State().EarlyData != "none" {
		t.Error("more was sent than the ticket allows")
	}
}

// A server that does not ask for early data refuses it, and nothing of it comes out of Read.
func TestEarlyDataNeedsAcceptEarly(t *testing.T) {
	client, server := earlyPair()
	sendEarly(t, client, server, "hello")
	a, b := tcpPair(t)
	c, s := Client(a, client), Server(b, server)
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	taken, err := c.HandshakeEarly(context.Background(), []byte("must not come"))
	if taken || err != nil || <-done != nil || s.State().EarlyData != "refused" {
		t.Fatalf("taken %v, %v, %s", taken, err, s.State().EarlyData)
	}
	exchange(t, c, s)
}

// sameSession offers the same session again and again, as somebody does who replays.
type sameSession struct{ cs *ClientSessionState }

func (o *sameSession) Get(string) (*ClientSessionState, bool) { return o.cs, o.cs != nil }
func (o *sameSession) Put(_ string, cs *ClientSessionState) {
	if o.cs == nil {
		o.cs = cs
	}
}

// brokenReplay answers as it is told.
type brokenReplay struct{ permit, claim func(context.Context) error }

func (b brokenReplay) Permit(ctx context.Context, _ string, _ time.Time) error { return b.permit(ctx) }
func (b brokenReplay) Claim(ctx context.Context, _ string, _ time.Time) error  { return b.claim(ctx) }

func agrees(context.Context) error { return nil }

// What is refused, by what differs from the session, and what is wrong with the store. The
// handshake goes on each time, as a resumption mostly.
func TestEarlyDataIsRefused(t *testing.T) {
	hangs := make(chan struct{})
	t.Cleanup(func() { close(hangs) })
	for name, test := range map[string]struct {
		change func(client, server *Config)
		why    string
	}{
		"a HelloRetryRequest": {func(c, s *Config) { c.KeyShares = []CurveID{} }, "another ClientHello"},
		"another protocol":    {func(c, s *Config) { s.NextProtos = []string{"other", "test"} }, `the application protocol is "other"`},
		"a protocol without":  {func(c, s *Config) { s.EarlyData.Protocols = []string{"other"} }, `it is not taken for the application protocol "test"`},
		"another suite":       {func(c, s *Config) { s.CipherSuites = []uint16{TLS_CHACHA20_POLY1305_SHA256} }, "the cipher suite is another"},
		"an old hello": {func(c, s *Config) {
			late := time.Now().Add(11 * time.Second)
			s.Time = func() time.Time { return late }
		}, "the age of the ticket is off by -1"},
		"a hello of the future": {func(c, s *Config) {
			late := time.Now().Add(11 * time.Second)
			c.Time = func() time.Time { return late }
		}, "the age of the ticket is off by 1"},
		"a narrow window": {func(c, s *Config) {
			s.EarlyData.Window = time.Second
			at := time.Now().Add(2 * time.Second)
			c.Time = func() time.Time { return at }
		}, "at most 1s"},
		"switched off":              {func(c, s *Config) { s.EarlyData = EarlyData{} }, "this server takes none"},
		"another ticket key":        {func(c, s *Config) { s.SetSessionTicketKeys([][32]byte{{2}}) }, "no session is resumed"},
		"a ticket that allows more": {func(c, s *Config) { s.EarlyData.MaxBytes = 1 }, "the ticket allows 16384 bytes, and this server takes 1"},
		"a store that errs": {func(c, s *Config) {
			s.EarlyData.Replay = brokenReplay{agrees, func(context.Context) error { return errors.New("down") }}
		}, "down"},
		"a store that panics": {func(c, s *Config) {
			s.EarlyData.Replay = brokenReplay{agrees, func(context.Context) error { panic("store") }}
		}, "store"},
		"a store that waits": {func(c, s *Config) {
			s.EarlyData.Replay = brokenReplay{agrees, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
		}, "did not answer in time"},
		"a store that hangs": {func(c, s *Config) {
			s.EarlyData.Replay = brokenReplay{agrees, func(ctx context.Context) error { <-hangs; return nil }}
		}, "did not answer in time"},
		"a store that begins anew": {func(c, s *Config) { s.EarlyData.Replay = session.SingleUse(session.NewMemory(1 << 20)) }, "has brought early data before, or it is not known"},
		"a recorder that begins":   {func(c, s *Config) { s.EarlyData.Replay = session.NewRecorder(10, nil) }, "before this process began"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, server := earlyPair()
			server.SetSessionTicketKeys([][32]byte{{1}})
			client.NextProtos, server.NextProtos = []string{"test", "other"}, []string{"test", "other"}
			server.EarlyData.Protocols = client.NextProtos
			sendEarly(t, client, server, "hello")
			server = server.Clone()
			server.SetSessionTicketKeys([][32]byte{{1}})
			test.change(client, server)
			r := sendEarly(t, client, server, "hello")
			if r.clientErr != nil || r.serverErr != nil {
				t.Fatalf("client: %v\nserver: %v", r.clientErr, r.serverErr)
			}
			if accepted := test.why == ""; r.taken != accepted || (r.got != nil) != accepted || !strings.Contains(r.why, test.why) {
				t.Errorf("taken %v, the server got %q: %s", r.taken, r.got, r.why)
			}
		})
	}
}

// A ticket brings early data once, however often it is offered, and resumes meanwhile.
func TestEarlyDataIsTakenOnce(t *testing.T) {
	for name, store := range map[string]session.ReplayStore{
		"single use": session.SingleUse(session.NewMemory(1 << 20)),
		"recorded": session.NewRecorder(100, func() func() time.Time {
			n := 0
			return func() time.Time {
				n++
				if n == 1 {
					return time.Now().Add(-time.Minute)
				}
				return time.Now()
			}
		}()),
	} {
		t.Run(name, func(t *testing.T) {
			client, server := earlyPair()
			server.EarlyData.Replay = store
			client.ClientSessionCache = new(sameSession)
			sendEarly(t, client, server, "hello")
			taken := 0
			for range 5 {
				r := sendEarly(t, client, server, "hello")
				if r.taken != (r.got != nil) || r.clientErr != nil || r.c.State().Resumption != "psk" {
					t.Fatalf("taken %v, got %q, %v, %s", r.taken, r.got, r.clientErr, r.c.State().Resumption)
				}
				if r.taken {
					taken++
				}
			}
			if taken != 1 {
				t.Errorf("early data was taken %d times", taken)
			}
		})
	}
}

// A server asks VerifyConnection before it takes early data, when there are no secrets yet: what
// it could export then would be known to all.
func TestVerifyConnectionBeforeEarlyDataExportsNothing(t *testing.T) {
	client, server := earlyPair()
	sendEarly(t, client, server, "hello")
	asked := 0
	server.VerifyConnection = func(cs ConnectionState) error {
		asked++
		key, err := cs.ExportKeyingMaterial("label", nil, 10)
		if err == nil || !strings.Contains(err.Error(), "keying material cannot be exported before") || cs.HandshakeComplete || !cs.DidResume {
			t.Errorf("exported %x, %v; complete: %v, resumed: %v", key, err, cs.HandshakeComplete, cs.DidResume)
		}
		return nil
	}
	if r := sendEarly(t, client, server, "hello"); !r.taken || asked != 1 {
		t.Errorf("taken %v, asked %d times", r.taken, asked)
	}
}

// claims notes until when tickets are claimed.
type claims struct {
	session.ReplayStore
	until time.Time
}

// Nothing of it waits.
func (c *claims) InMemory() bool { return true }

func (c *claims) Claim(ctx context.Context, key string, until time.Time) error {
	c.until = until
	return c.ReplayStore.Claim(ctx, key, until)
}

// The age of a ticket is counted in whole milliseconds, so a copy passes for up to one longer than
// twice the window.
func TestEarlyDataIsRememberedWhileItIsFresh(t *testing.T) {
	client, server := earlyPair()
	store := &claims{ReplayStore: server.EarlyData.Replay}
	server.EarlyData.Replay = store
	sendEarly(t, client, server, "hello")
	now := time.Now()
	server.Time = func() time.Time { return now }
	if r := sendEarly(t, client, server, "hello"); !r.taken || store.until.Sub(now) <= 2*earlyWindow+time.Millisecond {
		t.Errorf("taken %v, remembered for %v: %s", r.taken, store.until.Sub(now), r.why)
	}
}
