package attacks

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Triple handshake (CVE-2014-1295 and others): the attacker is a server of its
// own, which the client wants to talk to. It makes two connections with one master
// secret, client to attacker and attacker to server; resumes both, so that they
// have one Finished; and lets the two renegotiate through it, by which the client
// proves itself to a server that it has never heard of. Each handshake has a rule
// against it: the extended master secret (RFC 7627), sessions that do not go from
// one with it to one without (TestSessionsNeverCrossExtendedMasterSecret of
// internal/engine), and a certificate that stays the same in a renegotiation.

// triple is what the two honest sides have in the first handshake.
type triple struct {
	client, server *tls.Conn
	masters        [2][]byte // as the attacker knows them
}

// unknownKeyShare runs the first handshake: the attacker takes over the server's
// random and the client's premaster.
func unknownKeyShare(t *testing.T, client, server *tls.Config, v wire.Version) triple {
	t.Helper()
	toClient, toServer := newNetwork(t, nil), newNetwork(t, nil)
	x := triple{client: tls.Client(toClient.client, client), server: tls.Server(toServer.server, server)}
	errs := make(chan error, 2)
	go func() { errs <- x.client.Handshake() }()
	go func() { errs <- x.server.Handshake() }()

	a := newForger(t, toClient.server, wire.Server, v, renegotiated)
	b := newForger(t, toServer.client, wire.Client, v, renegotiated)
	a.hear()
	b.hello = a.hello
	b.raw(a.lastReceived)
	b.serverFlight()
	a.answer, a.extended = b.answer, b.extended
	a.send(&a.answer)
	a.send(certificateOf(testPKI().attacker.Certificate))
	a.send(&wire.ServerHelloDone{})
	a.keyExchange()
	b.send(&wire.ClientKeyExchange{Exchange: b.encryptThis(a.premaster)})
	b.derive()
	b.finish()
	b.peerFinishes()
	a.peerFinishes()
	a.finish()
	for range 2 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	x.masters = [2][]byte{a.master, b.master}
	return x
}

// With the extended master secret the two have nothing in common, because the
// certificates differ; without, which needs a switch, they have one master secret,
// and then nothing that an application could take for a proof is exported.
func TestTripleHandshakeKeys(t *testing.T) {
	for _, v := range oldVersions {
		for _, off := range []bool{false, true} {
			t.Run(fmt.Sprint(v, "/", off), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					client, server := configs(suite.ByID(renegotiated), v)
					client.Legacy.NoExtendedMasterSecret = off
					server.SessionTicketsDisabled = true
					x := unknownKeyShare(t, client, server, v)
					bound := !off && v > wire.SSL30 // which has no extensions
					if same := bytes.Equal(x.masters[0], x.masters[1]); same == bound {
						t.Errorf("the client and the server have the same master secret: %v", same)
					}
					for _, c := range []*tls.Conn{x.client, x.server} {
						cs := c.ConnectionState()
						_, err := cs.ExportKeyingMaterial("label", nil, 16)
						if (err == nil) != bound || (cs.TLSUnique != nil) != bound {
							t.Errorf("exported: %v; tls-unique: %x", err, cs.TLSUnique)
						}
					}
				})
			})
		}
	}
}

// A renegotiation shows another certificate: refused on both sides, unless
// Renegotiate.AllowPeerChange is set.
func TestTripleHandshakeChangeOfIdentity(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		for _, role := range []wire.Role{wire.Client, wire.Server} { // who changes
			for _, v := range oldVersions {
				t.Run(fmt.Sprint(v, "/", role, "/", allowed), func(t *testing.T) {
					bubble(t, func(t *testing.T) { changeOfIdentity(t, v, role, allowed) })
				})
			}
		}
	}
}

func changeOfIdentity(t *testing.T, v wire.Version, role wire.Role, allowed bool) {
	p := testPKI()
	client, server := configs(suite.ByID(renegotiated), v)
	client.Renegotiation, server.ClientAuth = tls.RenegotiateFreelyAsClient, tls.RequireAndVerifyClientCert
	client.Renegotiate.AllowPeerChange, server.Renegotiate.AllowPeerChange = allowed, allowed
	shown := 0
	client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if role == wire.Client {
			shown++
			return &p.client[shown-1], nil
		}
		return &p.client[0], nil
	}
	server.Certificates = nil
	server.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		c := p.server[suite.AuthRSA]
		if role == wire.Server {
			if shown++; shown > 1 {
				c = p.attacker
			}
		}
		return &c, nil
	}
	e := connect(t, client, server, nil).well(t)
	clientErr := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, e.client)
		e.client.Close()
		clientErr <- err
	}()
	err := e.server.Renegotiate(t.Context())
	if allowed {
		if err != nil || e.server.State().Renegotiations != 1 {
			t.Fatal(err)
		}
		e.server.Close()
		<-clientErr
		return
	}
	victim := err
	e.server.Close()
	if err := <-clientErr; role == wire.Server {
		victim = err
	}
	refused(t, victim, wire.AlertBadCertificate)
	if victim != nil && !strings.Contains(victim.Error(), "another certificate") {
		t.Error(victim)
	}
}

// A renegotiation may not give up the extended master secret either: by a client,
// and by a server.
func TestTripleHandshakeGivesUpExtendedMasterSecret(t *testing.T) {
	extended := wire.Extension{Type: wire.ExtExtendedMasterSecret}
	for _, v := range oldVersions[1:] {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := configs(suite.ByID(renegotiated), v)
				server.Renegotiate = tls.Renegotiate{FromClient: true, MinInterval: -1}
				n := newNetwork(t, nil)
				done := make(chan error, 1)
				go func() {
					c := tls.Server(n.server, server)
					_, err := io.ReadAll(c)
					c.Close()
					done <- err
				}()
				f := newForger(t, n.client, wire.Client, v, renegotiated).asClient(renegotiationInfo(), extended)
				f.asClient(renegotiationInfo(f.verify), extended) // as it should be
				f.greet(renegotiationInfo(f.verify))
				refused(t, <-done, wire.AlertHandshakeFailure)

				client.Renegotiation = tls.RenegotiateFreelyAsClient
				f, read := renegotiatingClient(t, client, v, renegotiationInfo(), extended)
				f.send(&wire.HelloRequest{})
				f.hear()
				f.respond(renegotiationInfo(f.theirFinish, f.verify))
				_, err := read()
				refused(t, err, wire.AlertHandshakeFailure)
			})
		})
	}
}
