package attacks

import (
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// flooder is the attacker: one end of an honest handshake, which can then send
// any record under its keys, or just a socket.
type flooder struct {
	conn    net.Conn
	peer    *tls.Conn
	version wire.Version
	role    wire.Role
	out     record.Half
	err     error // of the socket: the victim has gone
}

// shadow has out do what the connection's own Out half does.
func (f *flooder) shadow() *trace.Hooks {
	return &trace.Hooks{
		Keys: func(k trace.Keys) {
			if k.Dir == trace.Sent {
				f.out.SetKeys(record.Params{Version: k.Version, Suite: suite.ByID(k.Suite), Key: k.Key, IV: k.IV, MAC: k.MAC, EncryptThenMAC: k.EncryptThenMAC})
			}
		},
		Record: func(r trace.Record) {
			if r.Dir == trace.Sent && r.Epoch > 0 {
				f.out.Seal(nil, r.Type, f.recordVersion(), r.Plain, r.Padding)
			}
		},
	}
}

func (f *flooder) recordVersion() wire.Version { return min(f.version, wire.TLS12) }

func (f *flooder) write(rec []byte) {
	if _, err := f.conn.Write(rec); err != nil {
		f.err = err
	}
}

// sealed sends a record under the connection's keys.
func sealed(typ wire.ContentType, content ...byte) func(*flooder) {
	return func(f *flooder) { f.write(must(f.out.Seal(nil, typ, f.recordVersion(), content, 0))) }
}

func message(m wire.Message) func(*flooder) {
	return func(f *flooder) {
		sealed(wire.ContentHandshake, wire.AppendMessage(nil, m, wire.Context{Version: f.version, From: f.role})...)(f)
	}
}

// bare sends a record in the clear.
func bare(typ wire.ContentType, content ...byte) func(*flooder) {
	return func(f *flooder) { f.write(clearRecord(typ, f.recordVersion(), content)) }
}

// run plays the flood in each of its versions, on each of its victims. open
// brings the connection to where the flood begins.
func (x *flood) run(t *testing.T, open func(f *flooder)) {
	for _, v := range x.versions {
		for _, victim := range x.victims {
			t.Run(fmt.Sprintf("%s/%v/%v", x.name, v, victim), func(t *testing.T) {
				bubble(t, func(t *testing.T) { x.play(t, v, victim, open) })
			})
		}
	}
}

// floodConfigs agree on one version.
func floodConfigs(v wire.Version) (client, server *tls.Config) {
	if v == wire.TLS13 {
		return configs(suite.ByID(wire.TLS_AES_128_GCM_SHA256), v)
	}
	return configs(suite.ByID(renegotiated), v)
}

func (x *flood) play(t *testing.T, v wire.Version, victim wire.Role, open func(*flooder)) {
	client, server := floodConfigs(v)
	server.SessionTicketsDisabled = true // they would go out some time in the flood
	if x.set != nil {
		x.set(client, server)
	}
	here, there := net.Pipe()
	f := &flooder{conn: there, version: v, role: victim.Peer()}
	var taken, answered atomic.Int64
	counting := &trace.Hooks{Record: func(r trace.Record) {
		if r.Dir == trace.Received {
			taken.Add(1)
		}
	}}
	var c *tls.Conn
	if victim == wire.Server {
		server.Trace, client.Trace = counting, f.shadow()
		c, f.peer = tls.Server(here, server), tls.Client(there, client)
	} else {
		client.Trace, server.Trace = counting, f.shadow()
		c, f.peer = tls.Client(here, client), tls.Server(there, server)
	}
	ended := runToTheEnd(c)
	open(f)
	go f.drain(&answered)
	settle() // it waits for the flood
	taken.Store(0)
	answered.Store(0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := 0; n < floodRecords && f.err == nil; n++ {
		x.send(f)
		settle()
	}
	there.Close()
	err := <-ended
	runtime.ReadMemStats(&after)

	alert := wire.AlertUnexpectedMessage
	if x.alert != 0 {
		alert = x.alert
	}
	if failure := (*tls.HandshakeError)(nil); x.heeded {
		if !errors.As(err, &failure) || !failure.Received || failure.Alert != alert {
			t.Errorf("%v; want the peer's %v", err, alert)
		}
	} else {
		refused(t, err, alert)
	}
	if n := int(taken.Load()); n != x.borne+1 {
		t.Errorf("%d records were taken; want %d", n, x.borne+1)
	}
	if most := x.answer + 2 + around; int(answered.Load()) > most {
		t.Errorf("%d bytes were sent in answer; %d are the most", answered.Load(), most)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > floodMemory {
		t.Errorf("%d bytes were allocated", n)
	}
}

// runToTheEnd reads until the connection ends and says why it did.
func runToTheEnd(c *tls.Conn) <-chan error {
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, struct{ io.Reader }{c}) // by Read: the race detector empties the pool of WriteTo
		c.Close()
		ended <- err
	}()
	return ended
}

// drain counts what the victim sends.
func (f *flooder) drain(answered *atomic.Int64) {
	for buf := make([]byte, 1<<12); ; {
		n, err := f.conn.Read(buf)
		if answered.Add(int64(n)); err != nil {
			return
		}
	}
}

// helloOf is a recorded ClientHello with one version.
func helloOf(v wire.Version) []byte {
	client, _ := floodConfigs(v)
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tls.Client(here, client).Handshake()
	}()
	rec := must(readRecord(there))
	there.Close()
	<-done
	here.Close()
	return rec
}
