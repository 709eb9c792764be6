package engine

import (
	"bytes"
	"crypto/cipher"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Ciphers that cannot be built, as a build for FIPS 140 has them, and keys that
// are worn out: what cannot be sealed is an error, and nothing is sent.

var errNotBuilt = errors.New("not in this build")

// unbuilt is a suite like another, whose cipher is not there.
func unbuilt(id wire.CipherSuite) *suite.Suite {
	s := *suite.ByID(id)
	c := *s.Cipher
	if c.AEAD != nil {
		c.AEAD = func([]byte) (cipher.AEAD, error) { return nil, errNotBuilt }
	} else {
		c.Block = func([]byte) (cipher.Block, error) { return nil, errNotBuilt }
	}
	s.Cipher = &c
	return &s
}

// dumb is an engine after a handshake whose next record cannot be sealed.
func dumb(t *testing.T, v wire.Version) *Engine {
	id, hosts := wire.TLS_RSA_WITH_AES_128_CBC_SHA, hostsOld(v)
	if v == wire.TLS13 {
		id, hosts = wire.TLS_AES_128_GCM_SHA256, hosts13
	}
	e := connect(hosts(t)).run().done(t).client.Engine
	s := unbuilt(id)
	p := record.Params{Version: v, Suite: s, Key: make([]byte, s.Cipher.KeyLen), IV: make([]byte, s.Cipher.FixedIVLen)}
	if v == wire.TLS10 {
		p.IV = make([]byte, s.Cipher.BlockLen)
	}
	if s.MAC != nil {
		p.MAC = make([]byte, s.MAC.Len)
	}
	e.out.half.SetKeys(p)
	return e
}

// setSeq makes a Half believe that it has sealed n records.
func setSeq(h *record.Half, n uint64) {
	seq := reflect.ValueOf(h).Elem().FieldByName("seq")
	reflect.NewAt(seq.Type(), seq.Addr().UnsafePointer()).Elem().SetUint(n)
}

func TestWhatCannotBeSealed(t *testing.T) {
	write := func(data string) func(*Engine) error {
		return func(e *Engine) error {
			n, err := e.Write([]byte(data), Batch)
			if n != 0 {
				t.Errorf("%d bytes are said to be on their way", n)
			}
			return err
		}
	}
	flush := func(items ...item) func(*Engine) error {
		return func(e *Engine) error { e.control.add(items...); return e.Flush() }
	}
	message := item{message: wire.AppendMessage(nil, &wire.HelloRequest{}, wire.Context{})}
	for _, test := range []struct {
		name string
		v    wire.Version
		do   func(*Engine) error
	}{
		{"data", wire.TLS12, write("x")},
		{"the first byte of data", wire.TLS10, write("xyz")},
		{"data behind an answer", wire.TLS13, func(e *Engine) error { e.control.keyUpdate(); return write("x")(e) }},
		{"a KeyUpdate", wire.TLS13, func(e *Engine) error { return e.KeyUpdate(true) }},
		{"the KeyUpdate that is due", wire.TLS13, func(e *Engine) error { setSeq(&e.out.half, 1<<23); return write("x")(e) }},
		{"an answer to a KeyUpdate", wire.TLS13, func(e *Engine) error { e.control.keyUpdate(); return e.Flush() }},
		{"a close_notify", wire.TLS12, (*Engine).CloseNotify},
		{"a fatal alert", wire.TLS12, func(e *Engine) error { e.Fail(errNotBuilt); return e.Flush() }},
		{"a message", wire.TLS12, flush(message)},
		{"a message and the end", wire.TLS12, func(e *Engine) error { e.out.wake().flight = message.message; return e.CloseNotify() }},
		{"change_cipher_spec", wire.TLS12, flush(item{ccs: true})},
		{"change_cipher_spec behind a message", wire.TLS12, flush(message, item{ccs: true})},
		{"a message before new keys", wire.TLS12, flush(message, item{keys: &handshake.Keys{}})},
		{"a warning", wire.TLS12, flush(item{warning: wire.AlertNoRenegotiation})},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := dumb(t, test.v)
			epoch := e.out.half.Epoch()
			err := test.do(e)
			var broken *record.Error
			if !errors.As(err, &broken) || broken.Alert != wire.AlertInternalError || !errors.Is(err, errNotBuilt) {
				t.Errorf("the error is %v", err)
			}
			if out := e.Output(); len(out) > 0 || e.out.half.Epoch() != epoch {
				t.Errorf("%x goes out, and the epoch is %d after %d", out, e.out.half.Epoch(), epoch)
			}
		})
	}
}

// In the handshake it ends the connection, with an error that says so. The peer
// hears nothing: an alert could not be sealed either.
func TestHandshakeThatCannotBeSealed(t *testing.T) {
	for _, test := range []struct {
		name string
		id   wire.CipherSuite
		v    wire.Version
		by   wire.Role // who is the first to need the cipher
	}{
		{"TLS 1.3", wire.TLS_AES_128_GCM_SHA256, wire.TLS13, wire.Server},
		{"TLS 1.2", wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS12, wire.Client},
		{"TLS 1.0", wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, wire.TLS10, wire.Client},
	} {
		t.Run(test.name, func(t *testing.T) {
			row := suite.ByID(test.id)
			defer func(c *suite.Cipher) { row.Cipher = c }(row.Cipher)
			row.Cipher = unbuilt(test.id).Cipher
			l := connect(only(test.v, suites(test.id))(t)).run()
			us, peer := l.of(test.by), l.of(test.by.Peer())
			var fault *handshake.Error
			if !errors.As(us.err, &fault) || fault.Alert != wire.AlertInternalError || !strings.Contains(us.err.Error(), "the cipher cannot be built: not in this build") {
				t.Errorf("the error is %v", us.err)
			}
			if peer.err != nil || peer.Done() || us.Done() {
				t.Errorf("the peer: done %v, %v; we: done %v", peer.Done(), peer.err, us.Done())
			}
		})
	}
}

// In TLS 1.3 a key that has sealed enough is followed by the next, in the middle
// of the data. RFC 8446 §5.5.
func TestKeysAreUpdatedInTime(t *testing.T) {
	l := connect(hosts13(t)).run().done(t)
	setSeq(&l.client.out.half, 1<<23-1)
	setSeq(&l.server.in.half, 1<<23-1)
	epoch := l.client.out.half.Epoch()
	data := bytes.Repeat([]byte("0123456789"), 5000)
	if n, err := l.client.Write(data); n != len(data) || err != nil {
		t.Fatal(n, err)
	}
	if l.run(); !bytes.Equal(l.server.received, data) || l.server.err != nil {
		t.Errorf("%d bytes were received, %v", len(l.server.received), l.server.err)
	}
	if out, in := l.client.out.half.Epoch(), l.server.in.half.Epoch(); out != epoch+1 || in != epoch+1 {
		t.Errorf("epochs %d and %d, after %d", out, in, epoch)
	}
	l.talk(t)
}

// Output that nobody takes may outgrow the largest buffer of the pools, and is whole.
func TestOutputBeyondThePools(t *testing.T) {
	l := connect(hosts13(t)).run().done(t)
	data := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	var want []byte
	for len(l.client.Output()) <= Bulk {
		for rest := data; len(rest) > 0; {
			n, err := l.client.Write(rest)
			if err != nil {
				t.Fatal(err)
			}
			want, rest = append(want, rest[:n]...), rest[n:]
		}
	}
	if l.run(); !slices.Equal(l.server.received, want) || l.server.err != nil {
		t.Errorf("%d bytes of %d were received, %v", len(l.server.received), len(want), l.server.err)
	}
}

// A side that gives up before a version is known says goodbye in the oldest form that
// everybody reads.
func TestGoodbyeBeforeTheHello(t *testing.T) {
	e := newSide(wire.Server, newServerHost()).Engine
	e.Abandon()
	if err := e.CloseNotify(); err != nil {
		t.Fatal(err)
	}
	if got, want := e.Output(), []byte{21, 3, 1, 0, 2, 1, 0}; !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}
