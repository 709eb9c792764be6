package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// askable are configs with which a server can ask in the middle of a connection.
func askable(version uint16) (client, server *Config) {
	client, server = renegotiable(version)
	client.PostHandshakeAuth = true
	client.Certificates = []Certificate{testPKI().certs[identityOf(version)]}
	server.ClientCAs = testPKI().roots
	return client, server
}

// identityOf is the kind of certificate that the client has; SSL 3.0 has no curves.
func identityOf(version uint16) string {
	if version == uint16(wire.SSL30) {
		return "rsa2048"
	}
	return "ecdsa-p384"
}

// ask is RequestClientCertificate with a bound.
func ask(t testing.TB, s *Conn) error {
	t.Helper()
	return bounded(t, s.RequestClientCertificate)
}

// shownBy is the name of the peer, empty for none.
func shownBy(c *Conn) string {
	if certs := c.ConnectionState().PeerCertificates; len(certs) > 0 {
		return certs[0].Subject.CommonName
	}
	return ""
}

// In every version a server can ask for the client's certificate while data flows in
// both directions: by renegotiation, in TLS 1.3 by authentication after the
// handshake. It can ask again.
func TestRequestClientCertificate(t *testing.T) {
	for _, v := range allVersions {
		for _, auth := range []ClientAuthType{NoClientCert, VerifyClientCertIfGiven} {
			t.Run(fmt.Sprintf("%v/%v", v, auth), func(t *testing.T) {
				t.Parallel()
				client, server := askable(uint16(v))
				show := new(atomic.Bool)
				client.GetClientCertificate = func(info *CertificateRequestInfo) (*Certificate, error) {
					if info.Version != uint16(v) || v > wire.SSL30 && len(info.AcceptableCAs) != 1 {
						return nil, fmt.Errorf("the client is told %+v", info)
					}
					if !show.Load() {
						return new(Certificate), nil
					}
					return &client.Certificates[0], nil
				}
				server.ClientAuth = auth
				verified := new(atomic.Int32)
				server.VerifyConnection = func(cs ConnectionState) error {
					if len(cs.PeerCertificates) > 0 {
						verified.Add(1)
					}
					return nil
				}
				c, s := open(t, "TCP", client, server)
				stop := traffic(c, s, 1<<18)
				if err := ask(t, s); err != nil || shownBy(s) != "" {
					t.Fatalf("a client that declines: %v; it is %q", err, shownBy(s))
				}
				show.Store(true)
				for i := range 3 {
					if err := ask(t, s); err != nil {
						t.Fatalf("time %d: %v", i+1, err)
					}
					state := s.State()
					if shownBy(s) != identityOf(uint16(v)) || state.ClientSignature == 0 || !state.ClientAuthRequested || verified.Load() != int32(i+1) {
						t.Errorf("time %d: the client is %q; %+v", i+1, shownBy(s), state)
					}
					if len(state.VerifiedChains) == 0 {
						t.Errorf("%d verified chains", len(state.VerifiedChains))
					}
				}
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				n := 4
				if v == wire.TLS13 {
					n = 0 // it is none
				}
				if c.State().ClientSignature == 0 || c.State().Renegotiations != n || s.State().Renegotiations != n {
					t.Errorf("the client: %+v", c.State())
				}
				mine, _ := c.ChannelBinding("tls-exporter")
				other, _ := s.ChannelBinding("tls-exporter")
				if string(mine) != string(other) {
					t.Error("the exporters differ")
				}
				exchange(t, c, s)
			})
		}
	}
}

// A client that has not offered to be asked is not: the server is told so.
func TestRequestClientCertificateOfUnwilling(t *testing.T) {
	for _, version := range bothVersions {
		client, server := askable(version)
		client.PostHandshakeAuth, client.Renegotiation = false, RenegotiateNever
		c, s := open(t, "TCP", client, server)
		echoing(t, c)
		err := ask(t, s)
		if version == VersionTLS12 && err != ErrNoRenegotiation || version == VersionTLS13 && (err == nil || !strings.Contains(err.Error(), "does not offer")) {
			t.Errorf("%s: %v", VersionName(version), err)
		}
		goesOn(t, s)
	}
}

// A renegotiation that the client begins afterwards does not fall back to what the
// first handshake demanded.
func TestLaterClientAuthStays(t *testing.T) {
	client, server := askable(VersionTLS12)
	server.Renegotiate.FromClient, server.Renegotiate.MinInterval = true, 1
	c, s := open(t, "TCP", client, server)
	stop := traffic(c, s, 1<<16)
	if err := errors.Join(ask(t, s), bounded(t, c.Renegotiate), stop()); err != nil {
		t.Fatal(err)
	}
	if state := s.State(); state.Renegotiations != 2 || len(state.VerifiedChains) == 0 {
		t.Errorf("after %d renegotiations there are %d verified chains", state.Renegotiations, len(state.VerifiedChains))
	}
}

// What the server makes of what the client then shows. A refusal is the end of the
// connection, with the alert that a first handshake would have had.
func TestRequestClientCertificateIsRefused(t *testing.T) {
	p := testPKI()
	good, other := p.certs["ecdsa-p384"], p.certs["rsa2048"]
	stranger := strangerCA().certificate("ecdsa-p256", &x509.Certificate{})
	thief := good
	thief.PrivateKey = newKey("ecdsa-p384")
	none := new(Certificate)
	for _, test := range []struct {
		name          string
		auth, later   ClientAuthType
		first, second *Certificate
		change        bool // AllowPeerChange
		want          wire.AlertCode
		want12        wire.AlertCode // where it is another one
	}{
		{name: "the same", auth: RequireAndVerifyClientCert, first: &good, second: &good, want: accept},
		{name: "one where there was none", auth: VerifyClientCertIfGiven, first: none, second: &good, want: accept},
		{name: "of nobody we know", auth: VerifyClientCertIfGiven, first: none, second: &stranger, want: wire.AlertUnknownCA},
		{name: "of nobody we know, unverified", auth: RequestClientCert, first: none, second: &stranger, want: accept},
		{name: "with another key", auth: RequestClientCert, first: none, second: &thief, want: wire.AlertDecryptError},
		{name: "another", auth: RequireAndVerifyClientCert, first: &good, second: &other, want: wire.AlertBadCertificate},
		{name: "another, allowed", auth: RequireAndVerifyClientCert, first: &good, second: &other, change: true, want: accept},
		{name: "none, where there was one", auth: RequestClientCert, first: &good, second: none, want: wire.AlertBadCertificate},
		{name: "none, where one is required", auth: RequireAnyClientCert, first: &good, second: none, change: true,
			want: wire.AlertCertificateRequired, want12: wire.AlertHandshakeFailure},
		{name: "later only", first: none, second: &good, want: accept},
		{name: "later only, of nobody we know", first: none, second: &stranger, want: wire.AlertUnknownCA},
		{name: "later only, of nobody we know, unverified", later: RequestClientCert, first: none, second: &stranger, want: accept},
		{name: "later only, none", first: none, second: none, want: accept},
		{name: "later only, none, where one is required", later: RequireAndVerifyClientCert, first: none, second: none,
			want: wire.AlertCertificateRequired, want12: wire.AlertHandshakeFailure},
		{name: "later verified, of nobody we know", auth: RequestClientCert, later: VerifyClientCertIfGiven, first: none, second: &stranger, want: wire.AlertUnknownCA},
	} {
		for _, version := range []uint16{VersionTLS10, VersionTLS12, VersionTLS13} {
			t.Run(VersionName(version)+"/"+test.name, func(t *testing.T) {
				client, server := askable(version)
				server.ClientAuth, server.LaterClientAuth, server.Renegotiate.AllowPeerChange = test.auth, test.later, test.change
				calls := 0
				if test.auth == NoClientCert {
					calls = 1 // the first handshake does not ask
				}
				client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) {
					if calls++; calls == 1 {
						return test.first, nil
					}
					return test.second, nil
				}
				c, s := open(t, "TCP", client, server)
				before := shownBy(s)
				ended := make(chan error, 1)
				go func() { _, err := io.Copy(c, c); ended <- err }()
				err := ask(t, s)
				want := test.want
				if version < VersionTLS13 && test.want12 != 0 {
					want = test.want12
				}
				if want == accept {
					if err != nil {
						t.Fatal(err)
					}
					goesOn(t, s)
					return
				}
				s.CloseWrite() // the alert is on its way; nothing more may follow it
				var fault *HandshakeError
				if !errors.As(err, &fault) || fault.Alert != want || fault.Received {
					t.Errorf("the server: %v; want the alert %v", err, want)
				}
				if err := <-ended; !errors.As(err, &fault) || fault.Alert != want || !fault.Received {
					t.Errorf("the client: %v; want the alert %v", err, want)
				}
				if shownBy(s) != before {
					t.Errorf("the client is %q, and was %q", shownBy(s), before)
				}
				if _, err := s.Write([]byte{1}); err == nil {
					t.Error("the connection goes on")
				}
			})
		}
	}
}

// A client that takes its time, or asks its user, holds up only the answer: in TLS 1.3
// data goes on in both directions, in a renegotiation it waits.
func TestRequestClientCertificateIsSlow(t *testing.T) {
	for _, version := range bothVersions {
		client, server := askable(version)
		asked, answer := make(chan struct{}), make(chan struct{})
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) {
			close(asked)
			<-answer
			return &client.Certificates[0], nil
		}
		c, s := open(t, "TCP", client, server)
		go io.Copy(io.Discard, c)
		done := make(chan error, 1)
		go func() { done <- s.RequestClientCertificate(context.Background()) }()
		<-asked
		crossed := make(chan struct{})
		go func() {
			defer close(crossed)
			for range 100 {
				if _, err := c.Write([]byte("x")); err != nil {
					t.Error(err)
				}
				if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
					t.Error(err)
				}
				if _, err := s.Write([]byte("y")); err != nil {
					t.Error(err)
				}
			}
		}()
		if version == VersionTLS13 {
			within(t, 5*time.Second, "data", func() { <-crossed })
		}
		if shownBy(s) != "" {
			t.Error("the server knows the client already")
		}
		close(answer)
		within(t, 5*time.Second, "data", func() { <-crossed })
		go s.Read(make([]byte, 1))
		if err := <-done; err != nil || shownBy(s) != "ecdsa-p384" {
			t.Errorf("%v; the client is %q", err, shownBy(s))
		}
	}
}

// An error of GetClientCertificate ends the connection on both sides.
func TestRequestClientCertificateFails(t *testing.T) {
	for _, version := range bothVersions {
		client, server := askable(version)
		mine := errors.New("the card is not in the reader")
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return nil, mine }
		c, s := open(t, "TCP", client, server)
		ended := make(chan error, 1)
		go func() { _, err := c.Read(make([]byte, 1)); ended <- err }()
		var alert AlertError
		if err := ask(t, s); !errors.As(err, &alert) || alert != AlertError(wire.AlertInternalError) {
			t.Errorf("the server: %v", err)
		}
		if err := <-ended; !errors.Is(err, mine) {
			t.Errorf("the client: %v", err)
		}
	}
}

// Certificates are asked for while data flows and both sides change their keys.
func TestRequestClientCertificateAmongKeyUpdates(t *testing.T) {
	for how := range pairs {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			client, server := askable(VersionTLS13)
			c, s := open(t, how, client, server)
			stop := traffic(c, s, 1<<20)
			var all sync.WaitGroup
			over := make(chan struct{})
			for _, conn := range []*Conn{c, s} {
				all.Go(func() {
					for i := 0; ; i++ {
						select {
						case <-over:
							return
						case <-time.After(5 * time.Millisecond): // 32 in a row without data are too many
						}
						if err := conn.KeyUpdate(i%2 == 0); err != nil {
							t.Errorf("%v: %v", conn.role, err)
							return
						}
					}
				})
			}
			for range 20 {
				if err := ask(t, s); err != nil {
					t.Error(err)
					break
				}
			}
			close(over)
			all.Wait()
			if err := stop(); err != nil {
				t.Fatal(err)
			}
			if shownBy(s) != "ecdsa-p384" {
				t.Errorf("the client is %q", shownBy(s))
			}
		})
	}
}

// A client of TLS 1.3 that does not answer is given up with the connection.
func TestRequestClientCertificateUnanswered(t *testing.T) {
	before, _ := inside()
	for _, ending := range endings {
		client, server := askable(VersionTLS13)
		if ending.set != nil {
			ending.set(server)
		}
		_, s := open(t, "TCP", client, server)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(50*time.Millisecond, func() { ending.end(s, cancel) })
		if err := bounded(t, func(context.Context) error { return s.RequestClientCertificate(ctx) }); !errors.Is(err, ending.want) {
			t.Errorf("%s: %v", ending.name, err)
		}
		cancel()
		if _, err := s.Write([]byte{1}); err == nil {
			t.Errorf("%s: a Write afterwards succeeds", ending.name)
		}
	}
	left(t, before)
}
