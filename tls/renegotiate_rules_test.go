package tls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// echoing has a connection return whatever comes.
func echoing(t testing.TB, c *Conn) {
	done := make(chan struct{})
	go func() { defer close(done); io.Copy(c, c) }()
	t.Cleanup(func() { c.NetConn().Close(); <-done })
}

// goesOn checks that a connection to an echoing peer still works.
func goesOn(t testing.TB, c *Conn) {
	t.Helper()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	defer c.SetDeadline(time.Time{})
	if _, err := io.WriteString(c, "still there?"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len("still there?"))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "still there?" {
		t.Fatalf("read %q, %v", got, err)
	}
}

// A side that has not been told to renegotiate does not, and says so; the connection goes
// on. That is the default on both sides.
func TestRenegotiationIsOffByDefault(t *testing.T) {
	for _, v := range allVersions[1:] {
		for _, role := range bothRoles {
			client, server := renegotiable(uint16(v))
			refuser := map[wire.Role]*Config{wire.Client: server, wire.Server: client}[role]
			refuser.Renegotiation, refuser.Renegotiate = RenegotiateNever, Renegotiate{}
			c, s := open(t, "TCP", client, server)
			own, peer := of(role, c, s)
			echoing(t, peer)
			for range 5 {
				if err := bounded(t, own.Renegotiate); err != ErrNoRenegotiation {
					t.Errorf("%v: the %v is told %v", v, role, err)
				}
				goesOn(t, own)
			}
			if own.State().Renegotiations+peer.State().Renegotiations != 0 {
				t.Error("a renegotiation is counted")
			}
		}
	}
}

// How often the peer may: each row is a number of renegotiations that succeed, at
// intervals in seconds.
func TestRenegotiationsAreLimited(t *testing.T) {
	for _, test := range []struct {
		name     string
		rules    Renegotiate
		client   RenegotiationSupport
		interval time.Duration
		server   bool // may the server's client also be asked so often
		want     int
	}{
		{name: "the default", client: RenegotiateFreelyAsClient, interval: time.Second, want: 8},
		{name: "the default, too fast", client: RenegotiateFreelyAsClient, interval: time.Second - 1, want: 1},
		{name: "three", rules: Renegotiate{Max: 3}, client: RenegotiateFreelyAsClient, interval: time.Minute, want: 3},
		{name: "a minute", rules: Renegotiate{MinInterval: time.Minute}, client: RenegotiateFreelyAsClient, interval: 59 * time.Second, want: 1},
		{name: "no interval", rules: Renegotiate{MinInterval: -1, Max: 20}, client: RenegotiateFreelyAsClient, want: 20},
		{name: "once", rules: Renegotiate{MinInterval: -1, Max: 1}, client: RenegotiateOnceAsClient, want: 1},
	} {
		for _, role := range bothRoles {
			t.Run(fmt.Sprintf("%s/%v", test.name, role), func(t *testing.T) {
				client, server := renegotiable(VersionTLS12)
				var passed atomic.Int64
				start := time.Now()
				refuser := server
				if role == wire.Server {
					refuser = client
				}
				refuser.Renegotiation, refuser.Renegotiate = test.client, test.rules
				refuser.Renegotiate.FromClient = true
				refuser.Time = func() time.Time { return start.Add(time.Duration(passed.Load())) }
				c, s := open(t, "TCP", client, server)
				own, peer := of(role, c, s)
				echoing(t, peer)
				got := 0
				for bounded(t, own.Renegotiate) == nil {
					got++
					passed.Add(int64(test.interval))
				}
				if got != test.want {
					t.Errorf("%d renegotiations, want %d", got, test.want)
				}
				goesOn(t, own)
			})
		}
	}
}

// A peer that does not know RFC 5746 is refused, unless the switch is set. At its own
// wish a server does not renegotiate with it even then. A client does, and says so, by
// which a server that knows RFC 5746 after all sees that there is somebody between.
func TestRenegotiationNeedsRFC5746(t *testing.T) {
	for _, role := range bothRoles {
		for _, unsafe := range []bool{false, true} {
			client, server := renegotiable(VersionTLS12)
			client.Legacy.UnsafeRenegotiation, server.Legacy.UnsafeRenegotiation = unsafe, unsafe
			c, s := open(t, "TCP", client, server)
			c.engine.Result().SecureRenegotiation, s.engine.Result().SecureRenegotiation = false, false
			own, peer := of(role, c, s)
			echoing(t, peer)
			err := bounded(t, own.Renegotiate)
			switch {
			case !unsafe && (err == nil || !strings.Contains(err.Error(), "RFC 5746")):
				t.Errorf("the %v renegotiates: %v", role, err)
			case unsafe && role == wire.Client && err != ErrNoRenegotiation:
				t.Errorf("a server renegotiates at the wish of a client without RFC 5746: %v", err)
			case unsafe && role == wire.Server:
				if err == nil || !strings.Contains(err.Error(), "someone may have spliced two connections") {
					t.Errorf("a server takes the renegotiation_info of a client that had none before: %v", err)
				}
				continue
			}
			goesOn(t, own)
		}
	}
}

// The peer's certificate must be the one there was, unless it may change.
func TestRenegotiationKeepsThePeer(t *testing.T) {
	p := testPKI()
	for _, changes := range bothRoles { // whose certificate changes
		for _, starts := range bothRoles {
			for _, allowed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v changes/%v starts/%v", changes, starts, allowed), func(t *testing.T) {
					client, server := renegotiable(VersionTLS12)
					first, second := p.certs["ecdsa-p256"], p.certs["ecdsa-p384"]
					var calls atomic.Int32
					next := func() (*Certificate, error) {
						if calls.Add(1) == 1 {
							return &first, nil
						}
						return &second, nil
					}
					if changes == wire.Server {
						server.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) { return next() }
						client.Renegotiate.AllowPeerChange = allowed
					} else {
						server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
						client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return next() }
						server.Renegotiate.AllowPeerChange = allowed
					}
					c, s := open(t, "TCP", client, server)
					own, peer := of(starts, c, s)
					echoing(t, peer)
					err := bounded(t, own.Renegotiate)
					judge := map[wire.Role]*Conn{wire.Client: s, wire.Server: c}[changes]
					if allowed {
						if err != nil {
							t.Fatal(err)
						}
						goesOn(t, own)
						if name := judge.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "ecdsa-p384" {
							t.Errorf("the peer is still %s", name)
						}
						return
					}
					var fault *HandshakeError
					if !errors.As(err, &fault) || fault.Alert != wire.AlertBadCertificate || fault.Received != (own != judge) {
						t.Errorf("it ends with %v", err)
					}
					if name := judge.ConnectionState().PeerCertificates[0].Subject.CommonName; name != "ecdsa-p256" {
						t.Errorf("the peer is %s before the renegotiation is complete", name)
					}
					if _, err := own.Write([]byte{1}); err == nil {
						_, err = own.Read(make([]byte, 1))
						if err == nil {
							t.Error("the connection goes on")
						}
					}
				})
			}
		}
	}
}

// What crosses: both sides ask at the same moment, over and over, and what each is
// told comes true on both sides.
func TestRenegotiationOfBothAtOnce(t *testing.T) {
	client, server := renegotiable(VersionTLS12)
	c, s := open(t, "TCP", client, server)
	go io.Copy(io.Discard, c)
	go io.Copy(io.Discard, s)
	for range 50 {
		done := make(chan error, 2)
		go func() { done <- c.Renegotiate(context.Background()) }()
		go func() { done <- s.Renegotiate(context.Background()) }()
		for range 2 {
			if err := bounded(t, func(context.Context) error { return <-done }); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A renegotiation keeps what is fixed: the version, the protocol, the name.
func TestRenegotiationKeepsTheRest(t *testing.T) {
	client, server := renegotiable(VersionTLS12)
	client.NextProtos, server.NextProtos = []string{"a", "b"}, []string{"b"}
	client.MinVersion, client.MaxVersion, server.MinVersion, server.MaxVersion = 0, VersionTLS12, VersionTLS10, 0
	c, s := open(t, "TCP", client, server)
	echoing(t, s)
	before := c.State()
	renegotiate(t, c)
	goesOn(t, c)
	after := c.State()
	if after.Version != before.Version || after.ALPN != "b" || after.ServerName != before.ServerName || after.Renegotiations != 1 {
		t.Errorf("before: %+v, after: %+v", before, after)
	}
}

// In TLS 1.3 there is none, and before the handshake and after the end there is
// none either.
func TestRenegotiationWhereThereIsNone(t *testing.T) {
	client, server := renegotiable(VersionTLS13)
	c, s := open(t, "TCP", client, server)
	for _, conn := range []*Conn{c, s} {
		if err := conn.Renegotiate(context.Background()); err == nil || !strings.Contains(err.Error(), "TLS 1.3 has no renegotiation") {
			t.Error(err)
		}
	}
	if err := c.RequestClientCertificate(context.Background()); err == nil || !strings.Contains(err.Error(), "on a client") {
		t.Error(err)
	}
	exchange(t, c, s)
	client, server = renegotiable(VersionTLS12)
	c, s = open(t, "TCP", client, server)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Renegotiate(over); err != context.Canceled {
		t.Error(err)
	}
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if err := c.Renegotiate(context.Background()); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	c.Close()
	if err := c.Renegotiate(context.Background()); err == nil || errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
