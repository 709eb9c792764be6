package tls

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// reflector sends back what it gets.
func reflector(t *testing.T) net.Listener {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() })
	return l
}

// A process that listens and dials by one Config does not take itself for its peer (Selfie),
// though Dial gives each host its name, and a server of HTTP has protocols of its own. RFC 9257 §5.1.
func TestAnEndpointDoesNotTalkToItself(t *testing.T) {
	own := externalKey(1, crypto.SHA256)
	one := &Config{PSK: PSK{External: []ExternalPSK{own}, ExternalServer: keysOf(own), Required: true}}
	for name, listening := range map[string]*Config{"the same": one, "by protocols": one.ForProtocols(), "of these again": one.ForProtocols().ForProtocols()} {
		in := must(Listen("tcp", "127.0.0.1:0", listening))
		back := reflector(t)
		go func() {
			a, err := back.Accept()
			if err != nil {
				return
			}
			defer a.Close()
			b, err := net.Dial("tcp", in.Addr().String())
			if err != nil {
				return
			}
			defer b.Close()
			go io.Copy(a, b)
			io.Copy(b, a)
		}()
		served := make(chan error, 1)
		go func() {
			c, err := in.Accept()
			if err != nil {
				served <- err
				return
			}
			defer c.Close()
			served <- c.(*Conn).Handshake()
		}()
		c, err := Dial("tcp", back.Addr().String(), one)
		if err == nil {
			c.Close()
		}
		var fault *HandshakeError
		if serverErr := <-served; err == nil || !errors.As(serverErr, &fault) || fault.Alert != wire.AlertIllegalParameter {
			t.Errorf("%s: the client's error: %v, the server's: %v", name, err, serverErr)
		}
		in.Close()
	}
	if n := handshake.OwnHellos(); n != 0 {
		t.Errorf("%d hellos are still noted", n)
	}
}

// Early data that an old ticket allows, and this server no longer takes, is passed over whole.
// RFC 8446 §4.2.10.
func TestEarlyDataOfAnOldTicketIsPassedOver(t *testing.T) {
	for name, now := range map[string]EarlyData{"none is taken": {}, "less is taken": {MaxBytes: 100, Protocols: []string{"test"}}} {
		client, server := earlyPair()
		server.EarlyData.MaxBytes = 1 << 20
		server.SetSessionTicketKeys([][32]byte{{1}})
		now.Replay = server.EarlyData.Replay
		data := string(bytes.Repeat([]byte("early "), 150_000))
		sendEarly(t, client, server, data)
		server = server.Clone()
		server.SetSessionTicketKeys([][32]byte{{1}})
		server.EarlyData = now
		if r := sendEarly(t, client, server, data); r.clientErr != nil || r.serverErr != nil || r.taken || !r.c.ConnectionState().DidResume {
			t.Errorf("%s: taken %v, resumed %v, client: %v, server: %v", name, r.taken, r.c.ConnectionState().DidResume, r.clientErr, r.serverErr)
		}
	}
}

// What WrapSession says of early data holds for the ticket, too.
func TestWrapSessionDeclinesEarlyData(t *testing.T) {
	client, server := earlyPair()
	server.WrapSession = func(cs ConnectionState, one *SessionState) ([]byte, error) {
		one.EarlyData = false
		return server.EncryptTicket(cs, one)
	}
	sendEarly(t, client, server, "hello")
	if r := sendEarly(t, client, server, "hello"); r.taken || r.why != "" || r.clientErr != nil || !r.c.ConnectionState().DidResume {
		t.Errorf("taken %v: %s; resumed %v, %v", r.taken, r.why, r.c.ConnectionState().DidResume, r.clientErr)
	}
}

// GetConfigForClient leaves the ticket keys what they were, for EncryptTicket's tickets, too.
func TestEncryptedTicketsUnderGetConfigForClient(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	client.ClientSessionCache = NewLRUClientSessionCache(0)
	server.WrapSession = server.EncryptTicket
	server.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return server.Clone(), nil }
	for _, resumed := range []bool{false, true, true} {
		c, s := mustConnect(t, client, server)
		exchange(t, c, s)
		if got := c.ConnectionState().DidResume; got != resumed {
			t.Errorf("resumed %v, wanted %v", got, resumed)
		}
	}
}

// Before a server that rejects our encrypted hello is verified nothing can be exported: the
// secrets are zeros, which are known to all.
func TestECHRejectionVerifyExportsNothing(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		client, server, _ := echPair(t)
		server.EncryptedClientHelloKeys, server.MaxVersion = nil, version
		asked := 0
		client.EncryptedClientHelloRejectionVerify = func(cs ConnectionState) error {
			asked++
			if key, err := cs.ExportKeyingMaterial("label", nil, 10); err == nil || cs.TLSUnique != nil {
				t.Errorf("%s: exported %x, unique %x", VersionName(version), key, cs.TLSUnique)
			}
			return nil
		}
		var rejected *ECHRejectionError
		if _, _, err, _ := connectInMemory(client, server); !errors.As(err, &rejected) || asked != 1 {
			t.Errorf("%s: %v, asked %d times", VersionName(version), err, asked)
		}
	}
}

// A client that wants a certificate beside its key, in an encrypted hello that is rejected after
// a HelloRetryRequest, learns of the rejection.
func TestECHRejectedBesideAKey(t *testing.T) {
	client, server, _ := echPair(t)
	own := externalKey(1, crypto.SHA256)
	client.PSK = PSK{External: []ExternalPSK{own}, WithCertificate: true}
	client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
	other := must(GenerateECHKey(publicName, ECHKeyOptions{}))
	client.EncryptedClientHelloConfigList = must(ECHConfigList(other))
	var rejected *ECHRejectionError
	if _, _, err, serverErr := connectInMemory(client, server); !errors.As(err, &rejected) || len(rejected.RetryConfigList) == 0 {
		t.Errorf("client: %v\nserver: %v", err, serverErr)
	}
}

// A turn that has nothing to give back is no fault.
func TestHandshakeTurnWithoutDone(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	server.HandshakeTurn = func(context.Context) (func(), error) { return nil, nil }
	c, s := mustConnect(t, client, server)
	exchange(t, c, s)
}

// Delegates of nil are none.
func TestNoDelegateIsNoPanic(t *testing.T) {
	var all Delegates
	cert := testPKI().server("ecdsa-p256").Certificates[0]
	all.Set(nil)
	if list := all.For(&cert); len(list) != 0 {
		t.Error(list)
	}
	if _, err := Delegate(&cert, nil, time.Now(), time.Hour); err == nil {
		t.Error("a credential without a key")
	}
}

// panicking is a connection whose first Write sends what it has, and panics.
type panicking struct {
	net.Conn
	done atomic.Bool
}

func (p *panicking) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	if !p.done.Swap(true) {
		panic("the connection below")
	}
	return n, err
}

// A connection below that panics while early data is written ends the handshake.
func TestEarlyDataOverAConnectionThatPanics(t *testing.T) {
	client, server := earlyPair()
	sendEarly(t, client, server, "hello")
	a, b := tcpPair(t)
	own := server.ForProtocols(server.NextProtos...)
	go func() {
		s := Server(b, own)
		defer s.Close()
		s.AcceptEarly(context.Background())
		s.Handshake()
	}()
	c := Client(&panicking{Conn: a}, client)
	err := bounded(t, func(ctx context.Context) error {
		_, err := c.HandshakeEarly(ctx, []byte("hello"))
		if err == nil {
			_, err = c.Read(make([]byte, 1))
		}
		return err
	})
	if err == nil {
		t.Error("nothing is said of it")
	}
}
