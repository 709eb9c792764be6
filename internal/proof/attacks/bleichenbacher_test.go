package attacks

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Bleichenbacher's attack (1998), Klima, Pokorny and Rosa's on the version inside
// (2003), and ROBOT (2017), which found servers that leak in other ways: by the
// alert, by its number, by silence, and only if the client sends less than a
// whole flight. Whatever is wrong with an encrypted premaster, what the server
// sends must be the same in kind, number and order.
//
// That the choice takes no branch is shown by TestPremasterNoOracle of
// internal/kex, and what the server tells its trace by
// TestRSAPremastersAreAnsweredAlike of internal/engine.

// premaster is an encrypted premaster block, by what is wrong with it. The block
// is 00 02, padding, 00, version, 46 bytes.
type premaster struct {
	name string
	make func(f *forger, size int) []byte
}

var premasters = []premaster{
	{"well formed", block(48, nil)}, // but nobody has its master secret
	{"a wrong first byte", block(48, func(f *forger, b []byte) { b[0] = 1 })},
	{"a wrong block type", block(48, func(f *forger, b []byte) { b[1] = 1 })},
	{"a zero in the first eight bytes of padding", block(48, func(f *forger, b []byte) { b[5] = 0 })},
	{"a zero later in the padding", block(48, func(f *forger, b []byte) { b[len(b)-49-20] = 0 })},
	{"no zero before the premaster", block(48, func(f *forger, b []byte) { b[len(b)-49] = 1 })},
	{"no zero at all", block(48, func(f *forger, b []byte) {
		for i := range b[2:] {
			b[2+i] |= 1
		}
	})},
	{"a premaster of no bytes", block(0, nil)},
	{"a premaster of 47 bytes", block(47, nil)},
	{"a premaster of 49 bytes", block(49, nil)},
	{"another version than the one offered", block(48, func(f *forger, b []byte) {
		copy(b[len(b)-48:], []byte{byte(f.version >> 8), byte(f.version) ^ 1})
	})},
	{"another major version", block(48, func(f *forger, b []byte) { b[len(b)-48] = 2 })},
	{"a premaster that begins at once", block(48, func(f *forger, b []byte) { copy(b, b[len(b)-49:]) })},
	{"zero", func(_ *forger, size int) []byte { return make([]byte, size) }},
	{"above the modulus", func(_ *forger, size int) []byte { return bytes.Repeat([]byte{0xff}, size) }},
	{"no ciphertext", func(*forger, int) []byte { return nil }},
	{"a ciphertext that is a byte short", func(f *forger, size int) []byte { return block(48, nil)(f, size)[1:] }},
	{"a ciphertext with a byte more", func(f *forger, size int) []byte { return append(block(48, nil)(f, size), 0) }},
}

// block makes a block that ends in a premaster of n bytes, has spoil change it,
// and encrypts it.
func block(n int, spoil func(f *forger, b []byte)) func(*forger, int) []byte {
	return func(f *forger, size int) []byte {
		b := make([]byte, size)
		rand.Read(b)
		for i := range b {
			b[i] |= 0x80 // no zeros
		}
		b[0], b[1], b[size-n-1] = 0, 2, 0
		if n >= 2 {
			b[size-n], b[size-n+1] = byte(f.hello.LegacyVersion>>8), byte(f.hello.LegacyVersion)
		}
		if spoil != nil {
			spoil(f, b)
		}
		return new(big.Int).Exp(new(big.Int).SetBytes(b), big.NewInt(int64(f.peer.E)), f.peer.N).FillBytes(make([]byte, size))
	}
}

// rests are what the attacker sends after its ClientKeyExchange.
var rests = []struct {
	name string
	send func(f *forger)
}{
	{"change_cipher_spec and Finished", func(f *forger) { f.finish() }},
	{"nothing", func(*forger) {}},
	{"change_cipher_spec", func(f *forger) { f.changeKeys() }},
	{"Finished in the clear", func(f *forger) { f.send(&wire.Finished{VerifyData: make([]byte, f.schedule().FinishedLen)}) }},
	{"change_cipher_spec and an alert", func(f *forger) {
		f.changeKeys()
		f.alert(wire.LevelWarning, wire.AlertCloseNotify)
	}},
	{"change_cipher_spec and garbage", func(f *forger) {
		f.changeKeys()
		f.conn.Write(clearRecord(wire.ContentHandshake, f.version, bytes.Repeat([]byte{7}, 64)))
	}},
	{"an alert", func(f *forger) { f.alert(wire.LevelWarning, wire.AlertUserCanceled) }},
	{"application data", func(f *forger) { f.write(wire.ContentApplicationData, []byte("data")) }},
}

func TestBleichenbacher(t *testing.T) {
	for _, id := range []wire.CipherSuite{
		wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_RSA_WITH_RC4_128_SHA,
		wire.TLS_RSA_PSK_WITH_AES_128_CBC_SHA, wire.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256,
	} {
		s := suite.ByID(id)
		for _, v := range oldVersions {
			if !s.Allows(v) {
				continue
			}
			for _, rest := range rests {
				t.Run(fmt.Sprint(s.Name, "/", v, "/", rest.name), func(t *testing.T) {
					t.Parallel()
					bubble(t, func(t *testing.T) {
						want := reply(t, s, v, premasters[0], rest.send)
						for _, p := range premasters[1:] {
							if got := reply(t, s, v, p, rest.send); got != want {
								t.Errorf("%s: %s\n%s: %s", p.name, got, premasters[0].name, want)
							}
						}
					})
				})
			}
		}
	}
}

// reply is all that a server does from the ClientKeyExchange to the end of the
// connection: its records, byte for byte where they are in the clear, whether it
// falls silent, and its error.
func reply(t *testing.T, s *suite.Suite, v wire.Version, p premaster, rest func(*forger)) string {
	_, server := configs(s, v)
	var alerts []wire.AlertCode
	server.Trace = &trace.Hooks{Alert: func(a trace.Alert) {
		if a.Dir == trace.Sent {
			alerts = append(alerts, a.Code)
		}
	}}
	n := newNetwork(t, nil)
	done := make(chan error, 1)
	go func() {
		victim := tls.Server(n.server, server)
		err := victim.Handshake()
		victim.Close()
		done <- err
	}()
	f := newForger(t, n.client, wire.Client, v, s.ID)
	f.greet()
	f.serverFlight()
	before := len(n.records(wire.Server))

	m := &wire.ClientKeyExchange{Exchange: p.make(f, f.peer.Size())}
	if s.KeyExchange.PSK() {
		m.Identity = []byte(pskIdentity)
	}
	f.send(m)
	f.premaster = bytes.Repeat([]byte{1}, 48) // not what the block holds
	f.derive()
	rest(f)
	settle()
	seen := "at once:"
	for _, rec := range n.records(wire.Server)[before:] {
		seen += fmt.Sprintf(" %x", rec)
	}
	at := len(n.records(wire.Server))
	err := <-done // where it waits for more, its time runs out
	settle()
	seen += "; in the end:"
	for _, rec := range n.records(wire.Server)[at:] {
		seen += fmt.Sprintf(" %v %x", record.ParseHeader(rec), rec)
	}
	return fmt.Sprint(seen, "; ", alerts, " ", err)
}

// The twelve classes do not hide a server that refuses everything: the right
// premaster is accepted.
func TestBleichenbacherControl(t *testing.T) {
	for _, v := range oldVersions {
		t.Run(v.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, server := configs(suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA), v)
				n := newNetwork(t, nil)
				done := make(chan error, 1)
				go func() { done <- tls.Server(n.server, server).Handshake() }()
				newForger(t, n.client, wire.Client, v, wire.TLS_RSA_WITH_AES_128_CBC_SHA).asClient()
				if err := <-done; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
