package attacks

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Floods: a peer keeps us busy with what costs it little and is legal once or
// twice. The work is bounded: so many records are taken, so little is answered,
// and then the connection ends.

const (
	floodRecords  = 1000    // in a flood
	floodMost     = 32      // that are borne, of most kinds
	floodWarnings = 4       // of warning alerts
	floodMemory   = 1 << 20 // bytes that may be allocated, read buffers included
)

// A flood is what an attacker sends after an honest handshake, or during one.
type flood struct {
	name     string
	versions []wire.Version
	victims  []wire.Role
	// set changes the configs, if not nil.
	set func(client, server *tls.Config)
	// send sends one record more.
	send func(f *flooder)
	// borne is how many records the victim bears. The next ends the connection,
	// with unexpected_message where there is no other alert here.
	borne int
	alert wire.AlertCode
	// heeded: the first is an alert of the peer's that ends the connection as it is.
	heeded bool
	// answer is how many bytes it sends at most, the last alert excepted.
	answer int
}

var (
	everyVersion = append(oldVersions[:len(oldVersions):len(oldVersions)], wire.TLS13)
	onlyTLS13    = []wire.Version{wire.TLS13}
	either       = []wire.Role{wire.Client, wire.Server}
	onClient     = []wire.Role{wire.Client}
	onServer     = []wire.Role{wire.Server}
)

// Any record has at most that much around its content: an IV, a MAC and padding.
const around = record.HeaderLen + 16 + 20 + 16

var floodsAfter = []flood{
	{name: "empty records", versions: everyVersion, victims: either, send: sealed(wire.ContentApplicationData), borne: floodMost},
	{name: "warning alerts", versions: oldVersions, victims: either, send: sealed(wire.ContentAlert, 1, 90), borne: floodWarnings},
	{name: "user_canceled", versions: onlyTLS13, victims: either, send: sealed(wire.ContentAlert, 1, 90), borne: floodWarnings},
	{name: "refusals to renegotiate", versions: oldVersions, victims: either, send: sealed(wire.ContentAlert, 1, 100), borne: floodWarnings},
	{name: "empty alerts", versions: everyVersion, victims: either, send: sealed(wire.ContentAlert)},
	{name: "empty handshake records", versions: everyVersion, victims: either, send: sealed(wire.ContentHandshake)},
	{name: "change_cipher_spec", versions: everyVersion, victims: either, send: sealed(wire.ContentChangeCipherSpec, 1)},

	{name: "KeyUpdates", versions: onlyTLS13, victims: either, send: func(f *flooder) { f.err = f.peer.KeyUpdate(false) }, borne: floodMost},
	{name: "KeyUpdates to be answered", versions: onlyTLS13, victims: either, send: func(f *flooder) { f.err = f.peer.KeyUpdate(true) },
		borne: floodMost, answer: floodMost * (5 + around)},
	{name: "KeyUpdates where there are none", versions: oldVersions, victims: either, send: sealed(wire.ContentHandshake, 24, 0, 0, 1, 0)},
	{name: "tickets", versions: onlyTLS13, victims: onClient, send: message(&wire.NewSessionTicket{Lifetime: 1, Ticket: []byte{1}}), borne: floodMost},
	{name: "late requests for a certificate", versions: onlyTLS13, victims: onClient, set: func(client, _ *tls.Config) { client.PostHandshakeAuth = true },
		send: message(lateRequest), borne: floodMost, answer: floodMost * (8 + 36 + 2*around)},

	{name: "HelloRequests, refused", versions: oldVersions, victims: onClient, send: message(&wire.HelloRequest{}), borne: floodMost, answer: floodMost * (2 + around)},
	{name: "HelloRequests, allowed", versions: oldVersions, victims: onClient, send: message(&wire.HelloRequest{}), borne: floodMost, answer: 1 << 10,
		set: func(client, _ *tls.Config) { client.Renegotiation = tls.RenegotiateFreelyAsClient }},
	{name: "HelloRequests where there are none", versions: onlyTLS13, victims: onClient, send: sealed(wire.ContentHandshake, 0, 0, 0, 0)},
	{name: "ClientHellos, refused", versions: oldVersions, victims: onServer, send: message(anotherHello), borne: floodMost, answer: floodMost * (2 + around)},
	{name: "ClientHellos, allowed", versions: oldVersions, victims: onServer, send: message(anotherHello), alert: wire.AlertHandshakeFailure,
		set: func(_, server *tls.Config) { server.Renegotiate.FromClient = true }}, // without RFC 5746
	{name: "ClientHellos where there are none", versions: onlyTLS13, victims: onServer, send: message(anotherHello)},
}

var (
	lateRequest = &wire.CertificateRequest{RequestContext: []byte{1}, Extensions: wire.Extensions{{Type: wire.ExtSignatureAlgorithms, Data: []byte{0, 2, 4, 3}}}}

	anotherHello = &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuites: []wire.CipherSuite{renegotiated},
		CompressionMethods: []wire.CompressionMethod{0}}
)

func TestFloodsAfterTheHandshake(t *testing.T) {
	for _, x := range floodsAfter {
		x.run(t, func(f *flooder) {
			if err := f.peer.Handshake(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Before there are keys.
var floodsBefore = []flood{
	{name: "warning alerts", versions: oldVersions, victims: either, send: bare(wire.ContentAlert, 1, 112), borne: floodWarnings},
	// Where TLS 1.3 alone is on offer, no alert is a mere warning. RFC 8446 §6.2.
	{name: "warning alerts", versions: onlyTLS13, victims: either, send: bare(wire.ContentAlert, 1, 112), alert: wire.AlertUnrecognizedName, heeded: true},
	{name: "empty alerts", versions: everyVersion, victims: either, send: bare(wire.ContentAlert)},
	{name: "empty handshake records", versions: everyVersion, victims: either, send: bare(wire.ContentHandshake)},
	{name: "empty records", versions: everyVersion, victims: either, send: bare(wire.ContentApplicationData)},
	{name: "change_cipher_spec", versions: everyVersion, victims: either, send: bare(wire.ContentChangeCipherSpec, 1)},
	{name: "HelloRequests", versions: everyVersion, victims: onClient, send: bare(wire.ContentHandshake, 0, 0, 0, 0)},
}

func TestFloodsBeforeTheHandshake(t *testing.T) {
	for _, x := range floodsBefore {
		x.run(t, func(f *flooder) {
			if f.role == wire.Server {
				readRecord(f.conn) // its ClientHello
			}
		})
	}
}

// In the middle: a server has had a ClientHello and has answered.
var floodsAfterHello = []flood{
	{name: "ClientHellos", versions: everyVersion, victims: onServer, send: func(f *flooder) { f.write(helloOf(f.version)) }},
	{name: "warning alerts", versions: oldVersions, victims: onServer, send: bare(wire.ContentAlert, 1, 112), borne: floodWarnings},
	{name: "change_cipher_spec", versions: onlyTLS13, victims: onServer, send: bare(wire.ContentChangeCipherSpec, 1), borne: floodMost},
}

func TestFloodsAfterTheClientHello(t *testing.T) {
	for _, x := range floodsAfterHello {
		x.run(t, func(f *flooder) { f.write(helloOf(f.version)) })
	}
}

// A ClientHello whose key share is for no group of the server's is answered with
// a HelloRetryRequest, once.
func TestFloodsOfRetries(t *testing.T) {
	again := flood{name: "ClientHellos", versions: onlyTLS13, victims: onServer, alert: wire.AlertIllegalParameter,
		set: func(client, server *tls.Config) { server.CurvePreferences = []tls.CurveID{tls.CurveP256} }}
	again.send = func(f *flooder) { f.write(helloOf(wire.TLS13)) } // that has no share for P-256 either
	again.run(t, func(f *flooder) { f.write(helloOf(wire.TLS13)) })
}

// Renegotiations that are allowed cost work, and so there are few of them. Who
// goes on asking is refused, and then the connection ends.
func TestFloodsOfRenegotiations(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, _ wire.Version, client, server *tls.Config) {
		client.Renegotiation = tls.RenegotiateFreelyAsClient
		for _, test := range []struct {
			interval time.Duration
			most     int // that are completed
		}{{0, 1}, {-1, 8}} {
			client.Renegotiate.MinInterval, server.Renegotiate.MinInterval = test.interval, test.interval
			for _, victim := range either {
				e := connect(t, client, server, nil).well(t)
				attacker, attacked := e.client, e.server
				if victim == wire.Client {
					attacker, attacked = e.server, e.client
				}
				ended := runToTheEnd(attacked)
				done, refusals := 0, 0
				var err error
				for range floodRecords {
					if err = attacker.Renegotiate(t.Context()); err == nil {
						done++
					} else if refusals++; !errors.Is(err, tls.ErrNoRenegotiation) {
						break
					}
				}
				if done != test.most || refusals > floodMost+1 {
					t.Errorf("%v: %d renegotiations, %d refusals, %v", victim, done, refusals, err)
				}
				attacker.Close()
				refused(t, <-ended, wire.AlertUnexpectedMessage)
			}
		}
	})
}

// A renegotiation is begun and begun again: the second ClientHello is one too many.
func TestFloodOfHalfRenegotiations(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, v wire.Version, _, server *tls.Config) {
		n := newNetwork(t, nil)
		ended := runToTheEnd(tls.Server(n.server, server))
		f := newForger(t, n.client, wire.Client, v, renegotiated).asClient(renegotiationInfo(), sameName)
		for range floodRecords {
			f.greet(renegotiationInfo(f.verify), sameName)
		}
		refused(t, <-ended, wire.AlertUnexpectedMessage)
		settle()
		if hellos := len(n.records(wire.Server)); hellos > 12 {
			t.Errorf("the server sent %d records", hellos)
		}
	})
}

// Many connections send a ClientHello each, and nothing more: each costs one
// handshake's worth of memory, until the handshake's time is over.
func TestFloodOfConnections(t *testing.T) {
	const connections, most = 500, 64 << 10 // bytes for each, sockets included
	for _, v := range everyVersion {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				hello := helloOf(v)
				_, server := floodConfigs(v)
				began, before := time.Now(), liveHeap()
				var all sync.WaitGroup
				for range connections {
					here, there := net.Pipe()
					all.Go(func() {
						c := tls.Server(here, server)
						if err := c.Handshake(); !errors.Is(err, os.ErrDeadlineExceeded) {
							t.Errorf("a handshake without a second flight ended with %v", err)
						}
						c.Close()
					})
					go func() {
						there.Write(hello)
						io.Copy(io.Discard, there)
					}()
				}
				settle()
				if each := (liveHeap() - before) / connections; each > most {
					t.Errorf("a connection keeps %d bytes", each)
				}
				if all.Wait(); time.Since(began) > 30*time.Second {
					t.Errorf("they were kept for %v", time.Since(began))
				}
			})
		})
	}
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
