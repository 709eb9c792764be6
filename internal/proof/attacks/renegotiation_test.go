package attacks

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Prefix injection (CVE-2009-3555): the attacker connects to the server, says
// something, and has a victim's first handshake run as a renegotiation inside its
// own connection. The server believes that the victim said it all. RFC 5746 ties
// a renegotiation to the handshake before it, and without it there is none.

const renegotiated = wire.TLS_RSA_WITH_AES_128_CBC_SHA

const prefix, request = "GET /pay?to=attacker HTTP/1.1\r\nX-Ignore: ", "GET / HTTP/1.1\r\nCookie: secret\r\n\r\n"

// sameName is the name that the victim asks for; SSL 3.0 does not look at it.
var sameName = wire.Extension{Type: wire.ExtServerName, Data: wire.AppendServerName(nil, serverName)}

// injection is the attack under way.
type injection struct {
	server   *tls.Conn
	attacker *forger
	victim   net.Conn // what the victim takes for its connection to the server
	read     string   // what the server's application has read
	err      error    // how that ended
	done     chan struct{}
	alerts   []wire.Alert // that the server has sent
}

// inject connects the attacker to a server, sends the prefix and makes ready to
// pass on whatever comes from the victim. The attacker knows RFC 5746 where it
// shows extensions.
func inject(t *testing.T, server *tls.Config, v wire.Version, extensions ...wire.Extension) *injection {
	x := &injection{done: make(chan struct{})}
	server.Trace = &trace.Hooks{Alert: func(a trace.Alert) {
		if a.Dir == trace.Sent {
			x.alerts = append(x.alerts, wire.Alert{Level: a.Level, Code: a.Code})
		}
	}}
	n := newNetwork(t, nil)
	x.server = tls.Server(n.server, server)
	shaken := make(chan error, 1)
	go func() { shaken <- x.server.Handshake() }()
	x.attacker = newForger(t, n.client, wire.Client, v, renegotiated).asClient(append(extensions, sameName)...)
	x.attacker.write(wire.ContentApplicationData, []byte(prefix))
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	toVictim := newNetwork(t, nil)
	x.victim = toVictim.client
	go x.pass(toVictim.server, false)
	return x
}

// listen has the server's application read from now on.
func (x *injection) listen() {
	go func() {
		defer close(x.done)
		for buf := make([]byte, 1<<10); x.err == nil; {
			var m int
			m, x.err = x.server.Read(buf)
			x.read += string(buf[:m])
		}
		x.server.Close()
	}()
}

// pass carries records between victim and server. Until both have changed keys,
// which the attacker does not know, those of the victim travel under the
// attacker's.
func (x *injection) pass(victim net.Conn, back bool) {
	if !back {
		go x.pass(victim, true)
	}
	f, src, dst := x.attacker, victim, x.attacker.conn
	if back {
		src, dst = dst, src
	}
	for changed := false; ; {
		rec, err := readRecord(src)
		if err != nil {
			return
		}
		if changed {
			dst.Write(rec)
			continue
		}
		typ, content := typeOf(rec), rec[record.HeaderLen:]
		if changed = typ == wire.ContentChangeCipherSpec; !back {
			f.write(typ, content)
			continue
		}
		if typ, content, _, err = f.in.Open(rec); err != nil {
			return
		}
		changed = typ == wire.ContentChangeCipherSpec
		if typ == wire.ContentHandshake && wire.HandshakeType(content[0]) == wire.TypeHelloRequest {
			continue
		}
		victim.Write(clearRecord(typ, f.version, content))
	}
}

// handshake has a client of ours be the victim.
func (x *injection) handshake(client *tls.Config) {
	go func() {
		c := tls.Client(x.victim, client)
		if c.Handshake() == nil {
			io.WriteString(c, request)
		}
		c.Close()
	}()
}

func eachOldVersion(t *testing.T, f func(t *testing.T, v wire.Version, client, server *tls.Config)) {
	for _, v := range oldVersions {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				client, server := configs(suite.ByID(renegotiated), v)
				server.Renegotiate = tls.Renegotiate{FromClient: true, MinInterval: -1}
				f(t, v, client, server)
			})
		})
	}
}

// The attacker knows RFC 5746: the victim's hello does not have what ties it to
// the attacker's handshake.
func TestPrefixInjection(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, v wire.Version, client, server *tls.Config) {
		x := inject(t, server, v, renegotiationInfo())
		x.listen()
		x.handshake(client)
		<-x.done
		refused(t, x.err, wire.AlertHandshakeFailure)
		if x.read != prefix {
			t.Errorf("the server has read %q", x.read)
		}
	})
}

// The attacker does not: it is told that there is no renegotiation.
func TestPrefixInjectionWithoutRFC5746(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, v wire.Version, client, server *tls.Config) {
		x := inject(t, server, v)
		x.listen()
		x.handshake(client)
		settle()
		if want := (wire.Alert{Level: wire.LevelWarning, Code: wire.AlertNoRenegotiation}); len(x.alerts) != 1 || x.alerts[0] != want {
			t.Errorf("the server sent %v", x.alerts)
		}
		if x.read != prefix || x.err != nil {
			t.Errorf("the server has read %q, %v", x.read, x.err)
		}
		if err := x.server.Renegotiate(context.Background()); err == nil || !strings.Contains(err.Error(), "RFC 5746") {
			t.Errorf("the server asks the attacker for a renegotiation: %v", err)
		}
	})
}

// Legacy.UnsafeRenegotiation opens the attack: on victims that do not know
// RFC 5746. Those that do are still safe, because the server sees that.
func TestPrefixInjectionWithTheSwitch(t *testing.T) {
	for _, old := range []bool{true, false} {
		eachOldVersion(t, func(t *testing.T, v wire.Version, client, server *tls.Config) {
			server.Legacy.UnsafeRenegotiation = true
			x := inject(t, server, v)
			asked := make(chan error, 1)
			go func() { asked <- x.server.Renegotiate(context.Background()) }()
			settle()
			if old {
				f := newForger(t, x.victim, wire.Client, v, renegotiated).asClient(sameName)
				f.write(wire.ContentApplicationData, []byte(request))
				err := <-asked
				x.listen()
				settle()
				if err != nil || x.read != prefix+request || x.err != nil {
					t.Errorf("the attack, for which the switch is, fails: the server has read %q, %v, %v", x.read, x.err, err)
				}
				return
			}
			x.handshake(client)
			if err := <-asked; err == nil {
				t.Error("the renegotiation is complete")
			}
			x.listen()
			if <-x.done; strings.Contains(x.read, "secret") {
				t.Errorf("the server has read %q", x.read)
			}
			refused(t, x.err, wire.AlertHandshakeFailure)
		})
	}
}

// A first handshake that speaks of an earlier one: the client is in the middle of
// a renegotiation, with the attacker.
func TestSplicedClientHello(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, v wire.Version, _, server *tls.Config) {
		n := newNetwork(t, nil)
		done := make(chan error, 1)
		go func() {
			c := tls.Server(n.server, server)
			err := c.Handshake()
			c.Close()
			done <- err
		}()
		newForger(t, n.client, wire.Client, v, renegotiated).greet(renegotiationInfo(make([]byte, 12)))
		refused(t, <-done, wire.AlertHandshakeFailure)
	})
}

// Our client is asked by the attacker for a renegotiation, and gets the answer
// that a server has for somebody's first handshake.
func TestSplicedServer(t *testing.T) {
	for name, answer := range map[string]func(f *forger) []wire.Extension{
		"of a first handshake": func(*forger) []wire.Extension { return []wire.Extension{renegotiationInfo()} },
		"of an old server":     func(*forger) []wire.Extension { return nil },
		"of another connection": func(f *forger) []wire.Extension {
			return []wire.Extension{renegotiationInfo(make([]byte, 2*len(f.verify)))}
		},
		"of the client's half":   func(f *forger) []wire.Extension { return []wire.Extension{renegotiationInfo(f.theirFinish)} },
		"of the wrong order":     func(f *forger) []wire.Extension { return []wire.Extension{renegotiationInfo(f.verify, f.theirFinish)} },
		"right, as a comparison": func(f *forger) []wire.Extension { return []wire.Extension{renegotiationInfo(f.theirFinish, f.verify)} },
	} {
		eachOldVersion(t, func(t *testing.T, v wire.Version, client, _ *tls.Config) {
			client.Renegotiation = tls.RenegotiateFreelyAsClient
			f, read := renegotiatingClient(t, client, v, renegotiationInfo())
			f.send(&wire.HelloRequest{})
			f.hear()
			if info := extension(f.hello.Extensions, wire.ExtRenegotiationInfo); info != string(renegotiationInfo(f.theirFinish).Data) {
				t.Errorf("the client's hello has %x", info)
			}
			extensions := answer(f)
			if strings.HasPrefix(name, "right") {
				f.respond(extensions...)
				f.keyExchange()
				f.peerFinishes()
				f.finish()
				f.write(wire.ContentApplicationData, []byte("data"))
				f.alert(wire.LevelWarning, wire.AlertCloseNotify)
				if got, err := read(); got != "data" || err != nil {
					t.Errorf("%s: %q, %v", name, got, err)
				}
				return
			}
			f.respond(extensions...)
			if _, err := read(); true {
				refused(t, err, wire.AlertHandshakeFailure)
			}
		})
	}
}

// A server that does not know RFC 5746 is not renegotiated with: it hears so, and
// the connection goes on.
func TestOldServerAsksForRenegotiation(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, v wire.Version, client, _ *tls.Config) {
		client.Renegotiation = tls.RenegotiateFreelyAsClient
		f, read := renegotiatingClient(t, client, v)
		f.write(wire.ContentHandshake, wire.AppendMessage(nil, &wire.HelloRequest{}, f.context(wire.Server)))
		typ, content, err := f.read()
		if err != nil || typ != wire.ContentAlert || string(content) != string([]byte{byte(wire.LevelWarning), byte(wire.AlertNoRenegotiation)}) {
			t.Fatalf("the client answers %v %x, %v", typ, content, err)
		}
		f.write(wire.ContentApplicationData, []byte("data"))
		f.alert(wire.LevelWarning, wire.AlertCloseNotify)
		if got, err := read(); got != "data" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// Behind the switch a client follows such a server. Its hello speaks of the handshake
// before all the same, and a server that answers it has been known not to.
func TestOldServerIsFollowedWithTheSwitch(t *testing.T) {
	for name, answer := range map[string]func(f *forger) []wire.Extension{
		"an old server":         nil,
		"of a first handshake":  func(*forger) []wire.Extension { return []wire.Extension{renegotiationInfo()} },
		"of this renegotiation": func(f *forger) []wire.Extension { return []wire.Extension{renegotiationInfo(f.theirFinish, f.verify)} },
	} {
		eachOldVersion(t, func(t *testing.T, v wire.Version, client, _ *tls.Config) {
			client.Renegotiation, client.Legacy.UnsafeRenegotiation = tls.RenegotiateFreelyAsClient, true
			f, read := renegotiatingClient(t, client, v)
			f.send(&wire.HelloRequest{})
			f.hear()
			if info := extension(f.hello.Extensions, wire.ExtRenegotiationInfo); info != string(renegotiationInfo(f.theirFinish).Data) {
				t.Errorf("%s: the client's hello has %x", name, info)
			}
			if answer != nil {
				f.respond(answer(f)...)
				_, err := read()
				refused(t, err, wire.AlertHandshakeFailure)
				return
			}
			f.respond()
			f.keyExchange()
			f.peerFinishes()
			f.finish()
			f.write(wire.ContentApplicationData, []byte("data"))
			f.alert(wire.LevelWarning, wire.AlertCloseNotify)
			if got, err := read(); got != "data" || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		})
	}
}

// renegotiatingClient connects a client to a forger. read returns all that the
// client has read by the end of the connection.
func renegotiatingClient(t *testing.T, client *tls.Config, v wire.Version, extensions ...wire.Extension) (f *forger, read func() (string, error)) {
	n := newNetwork(t, nil)
	type result struct {
		read string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		c := tls.Client(n.client, client)
		b, err := io.ReadAll(c)
		c.Close()
		done <- result{string(b), err}
	}()
	f = newForger(t, n.server, wire.Server, v, renegotiated).asServer(extensions...)
	return f, func() (string, error) {
		r := <-done
		return r.read, r.err
	}
}

func extension(x wire.Extensions, typ wire.ExtensionType) string {
	for _, e := range x {
		if e.Type == typ {
			return string(e.Data)
		}
	}
	return "none"
}

// Off by default, on both sides, and bounded where it is on.
func TestRenegotiationIsOffAndBounded(t *testing.T) {
	eachOldVersion(t, func(t *testing.T, v wire.Version, client, server *tls.Config) {
		for _, test := range []struct {
			name string
			set  tls.Renegotiate
			goes int // how many renegotiations go through
		}{
			{"off", tls.Renegotiate{}, 0},
			{"the default interval", tls.Renegotiate{FromClient: true}, 1},
			{"the default number", tls.Renegotiate{FromClient: true, MinInterval: -1}, 8},
			{"two", tls.Renegotiate{FromClient: true, MinInterval: -1, Max: 2}, 2},
		} {
			server.Renegotiate = test.set
			e := connect(t, client, server, nil).well(t)
			go io.Copy(io.Discard, e.server)
			for i := range 10 {
				err := e.client.Renegotiate(t.Context())
				if i < test.goes && err != nil || i >= test.goes && !errors.Is(err, tls.ErrNoRenegotiation) {
					t.Errorf("%s: renegotiation %d: %v", test.name, i+1, err)
				}
			}
			e.client.Close()
		}
		server.Renegotiate = tls.Renegotiate{}
		e := connect(t, client, server, nil).well(t)
		go io.Copy(io.Discard, e.client)
		if err := e.server.Renegotiate(t.Context()); !errors.Is(err, tls.ErrNoRenegotiation) {
			t.Errorf("a default client: %v", err)
		}
		e.talkFrom(t, e.client, e.server)
	})
}

// talkFrom sends data one way.
func (e *ends) talkFrom(t *testing.T, from, to *tls.Conn) {
	t.Helper()
	write(t, from, []byte("data"))
	got := make([]byte, 4)
	if _, err := io.ReadFull(to, got); err != nil || string(got) != "data" {
		t.Fatalf("%q, %v", got, err)
	}
}
