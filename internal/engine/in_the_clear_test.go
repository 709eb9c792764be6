package engine

import (
	"errors"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// bare never changes the keys that it writes with, and does not say that it does.
type bare struct{ *records }

func (bare) SendChangeCipherSpec() error { return nil }
func (bare) InstallOut(handshake.Keys)   {}

// A peer that leaves out change_cipher_spec and goes on in the clear, with a Finished that
// is right, is refused for that alone (SKIP-TLS, CVE-2014-6593). RFC 5246 §7.1.
func TestNobodyGoesOnInTheClear(t *testing.T) {
	for name, hosts := range map[string]func(testing.TB) (client, server *host){
		"TLS 1.0": hostsOld(wire.TLS10), "TLS 1.2": hosts12, "TLS 1.2 resumed": resumed(only(wire.TLS12, tickets)),
		"TLS 1.2 with a certificate of the client": hostsAuth12,
	} {
		for _, role := range []wire.Role{wire.Client, wire.Server} {
			c, s := hosts(t)
			l := connect(c, s)
			rogue, victim := l.client, l.server
			if role == wire.Server {
				rogue, victim = victim, rogue
			}
			rogue.hs = handshake.New(role, &rogue.host.config, &rogue.hooks, bare{(*records)(rogue.Engine)}, rogue.Result())
			l.run()
			if got, _ := victim.alertOf(); victim.Done() || got != wire.AlertUnexpectedMessage {
				t.Errorf("%s, from the %v: done %v, sent %v for %v", name, role, victim.Done(), got, victim.err)
			}
		}
	}
}

// Once there are keys, what is not protected is nobody's: a close_notify in the
// clear would make a stream that was cut look whole. RFC 8446 §5, RFC 5246 §7.1.
func TestNothingIsHeardInTheClear(t *testing.T) {
	for name, hosts := range map[string]func(testing.TB) (client, server *host){
		"TLS 1.2": hosts12, "TLS 1.3": hosts13, "TLS 1.2, a block cipher": hostsOld(wire.TLS12),
	} {
		for what, rec := range map[string][]byte{
			"close_notify":       clearRecord(wire.ContentAlert, byte(wire.LevelWarning), byte(wire.AlertCloseNotify)),
			"a fatal alert":      clearRecord(wire.ContentAlert, byte(wire.LevelFatal), byte(wire.AlertInternalError)),
			"change_cipher_spec": clearRecord(wire.ContentChangeCipherSpec, wire.ChangeCipherSpecContent),
			"a HelloRequest":     clearRecord(wire.ContentHandshake, byte(wire.TypeHelloRequest), 0, 0, 0),
			"data":               clearRecord(wire.ContentApplicationData, 'x'),
		} {
			for _, role := range []wire.Role{wire.Client, wire.Server} {
				c, s := hosts(t)
				l := connect(c, s).run().done(t)
				victim := l.server
				if role == wire.Client {
					victim = l.client
				}
				victim.feed(rec, nil)
				_, refused := victim.alertOf()
				if !refused || errors.Is(victim.err, io.EOF) || len(victim.received) > 0 {
					t.Errorf("%s, %s in the clear to the %v: %v, received %q", name, what, role, victim.err, victim.received)
				}
			}
		}
	}
}
