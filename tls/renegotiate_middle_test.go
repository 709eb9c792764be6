package tls

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Write that waits for the peer's Finished heeds its deadline, and what it has not
// sent can be sent later.
func TestWriteDeadlineInARenegotiation(t *testing.T) {
	for _, later := range []bool{false, true} { // the deadline is set while Write waits
		own, peer, v := halfway(t, wire.Client, nil)
		go peer.Read(nil)
		v.set(1)
		done := make(chan error, 1)
		got := make(chan error, 1)
		go func() { got <- drain(peer, 1) }()
		go func() { done <- own.Renegotiate(context.Background()) }()
		time.Sleep(100 * time.Millisecond)
		set := func() { own.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)) }
		if later {
			time.AfterFunc(50*time.Millisecond, set)
		} else {
			set()
		}
		var all bytes.Buffer
		stop := make(chan struct{})
		close(stop)
		pour(&all, 1, 1<<20, stop)
		n, err := 0, error(nil)
		within(t, 5*time.Second, "Write", func() { n, err = own.Write(all.Bytes()) })
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("wrote %d, %v", n, err)
		}
		own.SetWriteDeadline(time.Time{})
		v.set(-1)
		if _, err := own.Write(all.Bytes()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []chan error{done, got} {
			if err := <-c; err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A renegotiation that pauses long enough for the connection to count as idle goes
// on with keys that are built anew, and with the keystream where it was.
func TestIdleInTheMiddleOfARenegotiation(t *testing.T) {
	for _, suite := range []uint16{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_RC4_128_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA} {
		for _, stop := range stops {
			t.Run(CipherSuiteName(suite)+"/"+stop.name, func(t *testing.T) {
				t.Parallel()
				own, peer, v := halfway(t, stop.role, func(client, server *Config) {
					server.Certificates = []Certificate{testPKI().certs["rsa2048"]}
					for _, c := range []*Config{client, server} {
						c.CipherSuites, c.Legacy = []uint16{suite}, weakSuites
						if suite == TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA {
							at(VersionTLS10, c)
						}
					}
				})
				echoing(t, peer)
				goesOn(t, own)
				v.set(stop.passes)
				done := make(chan error, 1)
				go func() { done <- own.Renegotiate(context.Background()) }()
				time.Sleep(3 * idleAfter)
				v.set(-1)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				goesOn(t, own)
			})
		}
	}
}

// Until a renegotiation is complete, what there was before holds; asking is no race.
func TestStateInTheMiddleOfARenegotiation(t *testing.T) {
	own, peer, v := halfway(t, wire.Client, func(client, server *Config) {
		client.Renegotiate.AllowPeerChange = true
		certs := []string{"ecdsa-p256", "ecdsa-p384"}
		server.GetCertificate = func(*ClientHelloInfo) (*Certificate, error) {
			cert := testPKI().certs[certs[0]]
			certs = certs[1:]
			return &cert, nil
		}
	})
	echoing(t, peer)
	unique := own.ConnectionState().TLSUnique
	endPoint := must(own.ChannelBinding("tls-server-end-point"))
	v.set(1) // all but the server's Finished
	done := make(chan error, 1)
	go func() { done <- own.Renegotiate(context.Background()) }()
	for own.renegotiations.current.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	for range 100 {
		time.Sleep(time.Millisecond)
		cs, state := own.ConnectionState(), own.State()
		for kind, want := range map[string][]byte{"tls-exporter": nil, "tls-unique": nil, "tls-server-end-point": endPoint} {
			if got, err := own.ChannelBinding(kind); !bytes.Equal(got, want) || (err == nil) != (want != nil) {
				t.Fatalf("%s is %x, %v; want %x", kind, got, err, want)
			}
		}
		if _, err := cs.ExportKeyingMaterial("label", nil, 16); err == nil {
			t.Fatal("keying material is exported in the middle of a renegotiation")
		}
		if cs.TLSUnique != nil || cs.PeerCertificates[0].Subject.CommonName != "ecdsa-p256" || state.Renegotiations != 0 {
			t.Fatal("the new state shows before the renegotiation is complete")
		}
	}
	v.set(-1)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if cs := own.ConnectionState(); bytes.Equal(cs.TLSUnique, unique) || cs.PeerCertificates[0].Subject.CommonName != "ecdsa-p384" || own.State().Renegotiations != 1 {
		t.Error("the old state holds")
	}
	goesOn(t, own)
}

// The keys change at the right byte: what was sent under the old ones, and what under
// the new, opens under just those, in each direction.
func TestKeysChangeWithTheirFinished(t *testing.T) {
	var mu sync.Mutex
	epochs := map[trace.Direction][]string{}
	client, server := renegotiable(VersionTLS12)
	client.Trace = &trace.Hooks{Record: func(r trace.Record) {
		mu.Lock()
		defer mu.Unlock()
		if r.Type != wire.ContentHandshake {
			epochs[r.Dir] = append(epochs[r.Dir], fmt.Sprintf("%v in %d", r.Type, r.Epoch))
		}
	}}
	c, s := open(t, "TCP", client, server)
	echoing(t, s)
	goesOn(t, c)
	renegotiate(t, c)
	goesOn(t, c)
	want := "[change_cipher_spec in 0 application_data in 1 change_cipher_spec in 1 application_data in 2]"
	mu.Lock()
	defer mu.Unlock()
	for dir, list := range epochs {
		if got := fmt.Sprint(list); got != want {
			t.Errorf("%v: %s, want %s", dir, got, want)
		}
	}
}

// What arrives for a Read that began after the renegotiation does not wait for its end,
// and the renegotiation does not wait for another Read.
func TestReadDuringARenegotiation(t *testing.T) {
	for how := range pairs {
		client, server := renegotiable(VersionTLS12)
		c, s := open(t, how, client, server)
		done := make(chan error, 1)
		go func() { done <- s.Renegotiate(context.Background()) }() // the client does not read, and so does not answer
		time.Sleep(50 * time.Millisecond)
		got := make(chan error, 1)
		go func() { _, err := io.ReadFull(s, make([]byte, 3)); got <- err }()
		time.Sleep(50 * time.Millisecond)
		go c.Write([]byte("now"))
		within(t, 5*time.Second, "Read", func() {
			if err := <-got; err != nil {
				t.Error(err)
			}
		})
		go c.Read(make([]byte, 1))
		within(t, 5*time.Second, "Renegotiate", func() {
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// One right after the other, with nobody reading but who waits for each.
func TestRenegotiationsInARow(t *testing.T) {
	for _, role := range bothRoles {
		client, server := renegotiable(VersionTLS12)
		c, s := open(t, "TCP", client, server)
		own, peer := of(role, c, s)
		go io.Copy(io.Discard, peer)
		for range 300 {
			renegotiate(t, own)
		}
	}
}

// Close ends the wait of a call that can receive no more for lack of room.
func TestCloseOfAFullRenegotiation(t *testing.T) {
	now := time.Now() // by which the certificates are valid
	client, server := renegotiable(VersionTLS12)
	client.Time = func() time.Time { return now }
	synctest.Test(t, func(t *testing.T) {
		c, s := open(t, "narrow", client, server)
		go c.Write(make([]byte, 4<<20))
		done := make(chan error, 1)
		go func() { done <- s.Renegotiate(context.Background()) }()
		synctest.Wait()
		if _, err := s.Read(make([]byte, 1)); err != nil { // there is a reader, if a slow one
			t.Fatal(err)
		}
		time.Sleep(2 * grace)
		select {
		case err := <-done:
			t.Fatalf("with a reader: %v", err)
		default:
		}
		s.Close()
		if err := <-done; err != net.ErrClosed {
			t.Error(err)
		}
	})
}

// sawEnd tells of the end of a handshake whether its alert was there.
type sawEnd struct {
	engine.Further
	pending func() bool
	saw     chan bool
}

func (s sawEnd) Ended(err error) {
	s.saw <- s.pending()
	s.Further.Ended(err)
}

// A caller that learns that it failed may close at once: the alert must be there by then. And a
// close_notify comes after what waits to be sent.
func TestNothingOvertakesTheAnswer(t *testing.T) {
	client, server := askable(VersionTLS12)
	client.Certificates = []Certificate{testPKI().certs["rsa2048"]}
	server.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errMine }
	var sealed atomic.Bool
	server.Trace = &trace.Hooks{Alert: func(a trace.Alert) {
		if a.Dir == trace.Sent {
			sealed.Store(true)
		}
	}}
	c, s := open(t, "TCP", client, server)
	go io.Copy(io.Discard, c)
	end := sawEnd{s.options.Further, func() bool {
		s.out.Lock()
		defer s.out.Unlock()
		s.engine.Flush()
		return sealed.Load() // another goroutine may have sent it by now
	}, make(chan bool, 1)}
	s.in.Lock()
	s.options.Further = end
	s.in.Unlock()
	if err := ask(t, s); !errors.Is(err, errMine) {
		t.Fatal(err)
	}
	if !<-end.saw {
		t.Error("it has ended, and there is no alert yet")
	}

	var mu sync.Mutex
	var got []string
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	client.Trace = &trace.Hooks{
		Message: func(m trace.Message) {
			mu.Lock()
			defer mu.Unlock()
			if m.Dir == trace.Received && m.Raw[0] == byte(wire.TypeKeyUpdate) {
				got = append(got, "KeyUpdate")
			}
		},
		Alert: func(a trace.Alert) {
			mu.Lock()
			defer mu.Unlock()
			if a.Dir == trace.Received {
				got = append(got, a.Code.String())
			}
		},
	}
	c, s = open(t, "TCP", client, server)
	if err := c.KeyUpdate(true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	s.out.Lock() // as if a Write were under way
	if _, err := s.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // the answer finds the lock taken
	s.out.Unlock()
	if err := s.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != "[KeyUpdate close_notify]" {
		t.Errorf("the client has got %v", got)
	}
}
