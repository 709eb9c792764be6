package tls

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Every method that needs a handshake says why there is none.
func TestMethodsAfterAFailedHandshake(t *testing.T) {
	for name, f := range map[string]func(*Conn) error{
		"Handshake":      (*Conn).Handshake,
		"Read":           func(c *Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"Write":          func(c *Conn) error { _, err := c.Write([]byte{1}); return err },
		"KeyUpdate":      func(c *Conn) error { return c.KeyUpdate(true) },
		"Renegotiate":    func(c *Conn) error { return c.Renegotiate(context.Background()) },
		"ChannelBinding": func(c *Conn) error { _, err := c.ChannelBinding("tls-exporter"); return err },
	} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		client.VerifyConnection = func(ConnectionState) error { return errMine }
		c, s, clientErr, _ := connectInMemory(client, server)
		if err := f(c); !errors.Is(err, errMine) || err.Error() != clientErr.Error() {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.RequestClientCertificate(context.Background()); err == nil {
			t.Error("RequestClientCertificate succeeds")
		}
	}
}

// A Write after the peer has ended the connection says why it did, and one after
// CloseWrite that this was our doing.
func TestWriteSaysWhyTheConnectionEnded(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	at(VersionTLS13, client, server)
	server.ClientAuth = RequireAnyClientCert
	c, _, _, _ := connectInMemory(client, server)
	_, readErr := c.Read(make([]byte, 1))
	var alert AlertError
	if _, err := c.Write([]byte{1}); !errors.As(err, &alert) || alert != AlertError(wire.AlertCertificateRequired) || err.Error() != readErr.Error() {
		t.Errorf("refused: %v", err)
	}

	c, s := mustConnect(t, testPKI().client(), testPKI().server("ecdsa-p256"))
	for _, conn := range []*Conn{c, s} {
		if err := conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	if _, err := c.Write([]byte{1}); err != engine.ErrClosed {
		t.Errorf("closed by both: %v", err)
	}
}

// VerifyHostname passes only a name that the verified certificate is for.
func TestVerifyHostname(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, testPKI().roots
	client.Certificates = server.Certificates // a client's certificate has the same name
	c, s := mustConnect(t, client, server)
	careless := client.Clone()
	careless.InsecureSkipVerify = true
	unverified, _ := mustConnect(t, careless, server)
	for _, test := range []struct {
		what string
		conn *Conn
		host string
		good bool
	}{
		{"the client", c, "example.test", true},
		{"another name", c, "other.test", false},
		{"the server", s, "example.test", false},
		{"a client that verified nothing", unverified, "example.test", false},
	} {
		if err := test.conn.VerifyHostname(test.host); (err == nil) != test.good {
			t.Errorf("%s: %v", test.what, err)
		}
	}
}

// Where a socket's address has no host and port, all of it is the server's name.
func TestUnixSockets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := Listen("unix", path, testPKI().server("ecdsa-p256"))
	if err != nil {
		t.Skip("no Unix sockets here: ", err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(conn, conn); conn.Close() }()
		}
	}()
	conn, err := Dial("unix", path, testPKI().client())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	testDeadline(t, conn)
	sent, enough := make(chan error, 1), make(chan struct{})
	close(enough)
	go func() { sent <- pour(conn, 1, 1<<20, enough) }() // more than a socket holds
	if err := drain(conn, 1); err != nil {
		t.Error(err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	for addr, want := range map[string]string{path: path, "[::1]:443": "::1", "a.test:443": "a.test"} {
		if got := withName(nil, addr).ServerName; got != want {
			t.Errorf("%s: the name is %q", addr, got)
		}
	}
	if l, err := Listen("unix", path, testPKI().server("ecdsa-p256")); err == nil {
		l.Close()
		t.Error("two listeners at one path")
	}
}

// No Config is a Config without settings, and no keys are a mistake.
func TestNilConfig(t *testing.T) {
	if (*Config)(nil).Clone() != nil {
		t.Error("a clone of nothing")
	}
	a, b := pipePair(t)
	for _, conn := range []*Conn{Client(a, nil), Server(b, nil)} {
		var failure *HandshakeError
		if err := conn.Handshake(); !errors.As(err, &failure) {
			t.Errorf("the %v without a Config: %v", conn.role, err)
		}
	}
	defer func() {
		if why := recover(); why != "tls: keys must have at least one key" { // as crypto/tls's
			t.Errorf("SetSessionTicketKeys without keys: %v", why)
		}
	}()
	new(Config).SetSessionTicketKeys(nil)
}

// A session that has expired at the client is not offered, and forgotten.
func TestExpiredSessionsAreForgotten(t *testing.T) {
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		resumption(t, client, server)
		if got := resumption(t, client, server); got != kind.name {
			t.Fatalf("%s: resumed by %s", kind.name, got)
		}
		key := (&Conn{config: client}).sessionKey()
		if _, ok := client.ClientSessionCache.Get(key); !ok {
			t.Fatalf("%s: nothing was cached", kind.name)
		}
		client.Time = func() time.Time { return time.Now().Add(8 * 24 * time.Hour) } // no certificate is good then
		if _, _, err, _ := connectInMemory(client, server); err == nil {
			t.Errorf("%s: the certificate has not expired", kind.name)
		}
		if _, ok := client.ClientSessionCache.Get(key); ok {
			t.Errorf("%s: the session is still there", kind.name)
		}
	}
}

// A session that no blob can say, because of a clock far off, is not kept: the
// connection is good without.
func TestSessionsThatCannotBeKept(t *testing.T) {
	far := time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		server.Time = func() time.Time { return far }
		for range 2 {
			if got := resumption(t, client, server); got != "none" {
				t.Errorf("%s: resumed by %s", kind.name, got)
			}
		}
	}
}

// What a store or a ticket holds that is no session is none, and no error.
func TestWhatIsNoSession(t *testing.T) {
	client, server := resumable(VersionTLS12, kinds[0].server)
	store := session.NewMemory(1 << 20)
	server.Resumption.Store = overwriting{store}
	for range 2 {
		if got := resumption(t, client, server); got != "none" {
			t.Errorf("resumed by %s", got)
		}
	}
	sealed := must(server.ticketKeys().Seal(nil, []byte("no session"), nil))
	if state, err := server.DecryptTicket(sealed, ConnectionState{}); state != nil || err != nil {
		t.Errorf("%v, %v", state, err)
	}
}

// overwriting is a store that spoils what it keeps.
type overwriting struct{ session.Store }

func (o overwriting) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	return o.Store.Put(ctx, key, []byte("no session"), expiry)
}

// A server without a name and a host has no place in the cache.
func TestSessionKeyOfNobody(t *testing.T) {
	for addr, cached := range map[string]bool{"": false, ":443": false, "192.0.2.1:443": true} {
		c := &Conn{conn: remote{addr: addr}, config: new(Config)}
		if got := c.sessionKey() != ""; got != cached {
			t.Errorf("%q: cached: %v", addr, got)
		}
	}
}

type remote struct {
	net.Conn
	addr string
}

func (r remote) RemoteAddr() net.Addr { return r }
func (remote) Network() string        { return "tcp" }
func (r remote) String() string       { return r.addr }
