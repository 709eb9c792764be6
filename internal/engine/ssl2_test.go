package engine

import (
	"bytes"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// ssl2Client is a client that starts as SSL 2.0 did, put together from wire, keys,
// kex and record: ours never would. RFC 5246 §E.2.
type ssl2Client struct {
	t          *testing.T
	server     *side
	size       func(int) int // of the pieces that the server is fed
	version    wire.Version  // that it asks for
	suite      *suite.Suite
	random     [32]byte
	transcript []byte
	in, out    record.Half
}

// ssl2Hello is a record with the hello; kinds are SSL 2.0's own ciphers.
func ssl2Hello(v wire.Version, challenge []byte, specs ...wire.SSL2CipherSpec) []byte {
	m := wire.SSL2ClientHello{Version: v, CipherSpecs: specs, Challenge: challenge}
	body := m.Append(nil, wire.Context{})
	return append([]byte{0x80 | byte(len(body)>>8), byte(len(body))}, body...)
}

func (c *ssl2Client) hello(challenge []byte) {
	rec := ssl2Hello(c.version, challenge, 0x010080, wire.SSL2CipherSpec(c.suite.ID), wire.SSL2CipherSpec(wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV))
	copy(c.random[32-len(challenge):], challenge)
	c.transcript = rec[wire.SSL2HeaderLen:]
	c.server.feed(rec, c.size)
}

// send seals a message for the version in use.
func (c *ssl2Client) send(typ wire.ContentType, v wire.Version, raw []byte) {
	b, err := c.out.Seal(nil, typ, v, raw, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	c.server.feed(b, c.size)
}

// messages are the handshake messages that the server has sent.
func (c *ssl2Client) messages() (out []byte) {
	for _, rec := range split(c.server.take()) {
		_, content, _, err := c.in.Open(rec)
		if err != nil {
			c.t.Fatal(err)
		}
		if wire.ContentType(rec[0]) == wire.ContentHandshake {
			out = append(out, content...)
		}
	}
	return out
}

// finish completes the handshake in version v and returns what the server's
// Finished has, and what it should.
func (c *ssl2Client) finish(v wire.Version, schedule *keys.Schedule) (got, want []byte) {
	first := c.messages()
	c.transcript = append(c.transcript, first...)
	ctx := wire.Context{Version: v, From: wire.Server, KeyExchange: wire.KeyExchangeRSA}
	m, err := wire.DecodeMessage(first[:wire.MessageLen(first)], ctx, nil)
	if err != nil {
		c.t.Fatal(c.server.err, err)
	}
	hello := m.(*wire.ServerHello)
	if hello.LegacyVersion != v || hello.CipherSuite != c.suite.ID || hello.CompressionMethod != wire.CompressionNull {
		c.t.Fatalf("the server picked %+v", hello)
	}
	premaster, encrypted, err := kex.SealPremaster(certificate("rsa").Leaf.PublicKey.(*rsa.PublicKey), c.version)
	if err != nil {
		c.t.Fatal(err)
	}
	ctx.From = wire.Client
	raw := wire.AppendMessage(nil, &wire.ClientKeyExchange{Exchange: encrypted}, ctx)
	c.transcript = append(c.transcript, raw...)
	c.send(wire.ContentHandshake, v, raw)
	h := schedule.Hash(c.suite)
	master := schedule.Master(h, nil, premaster[:], c.random[:], hello.Random)
	block := schedule.KeyBlock(c.suite, nil, master, c.random[:], hello.Random)
	c.send(wire.ContentChangeCipherSpec, v, []byte{1})
	c.out.SetKeys(record.Params{Version: v, Suite: c.suite, Key: block.ClientKey, IV: block.ClientIV, MAC: block.ClientMAC})
	verify := func(role wire.Role) []byte {
		t := h.New()
		t.Write(c.transcript)
		return schedule.Finished(h, nil, master, role, t)
	}
	raw = wire.AppendMessage(nil, &wire.Finished{VerifyData: verify(wire.Client)}, ctx)
	c.transcript = append(c.transcript, raw...)
	c.send(wire.ContentHandshake, v, raw)

	rest := split(c.server.take())
	if len(rest) != 2 {
		c.t.Fatalf("the server sent %d records: %v", len(rest), c.server.err)
	}
	c.in.SetKeys(record.Params{Version: v, Suite: c.suite, Key: block.ServerKey, IV: block.ServerIV, MAC: block.ServerMAC})
	_, content, _, err := c.in.Open(rest[1])
	if err != nil {
		c.t.Fatal(err)
	}
	return content[wire.HeaderLen:], verify(wire.Server)
}

// newSSL2 is such a client, and a server of the versions given, newest first.
func newSSL2(t *testing.T, asks wire.Version, versions ...wire.Version) *ssl2Client {
	_, h := hostsOld(wire.TLS10)(t)
	c := &ssl2Client{t: t, version: asks, suite: suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA)}
	h.config.Suites = []*suite.Suite{c.suite}
	h.config.Versions, h.config.SSL2Hello = versions, true
	c.server = newSide(wire.Server, h)
	return c
}

func TestSSL2HelloStartsEveryVersion(t *testing.T) {
	for _, test := range []struct {
		version  wire.Version
		schedule *keys.Schedule
	}{{wire.SSL30, keys.SSL30}, {wire.TLS10, keys.TLS10}, {wire.TLS11, keys.TLS11}, {wire.TLS12, keys.TLS12}} {
		for _, length := range []int{16, 17, 32} {
			for name, size := range map[string]func(int) int{"whole": nil, "one byte": func(int) int { return 1 }} {
				c := newSSL2(t, test.version, test.version)
				c.size = size
				c.hello(bytes.Repeat([]byte{byte(length)}, length))
				got, want := c.finish(test.version, test.schedule)
				c.send(wire.ContentApplicationData, test.version, []byte("old"))
				if !bytes.Equal(got, want) || !c.server.Done() || string(c.server.received) != "old" {
					t.Fatalf("%v, challenge of %d bytes, %s: %v", test.version, length, name, c.server.err)
				}
				if !c.server.Result().SecureRenegotiation {
					t.Error("the cipher suite value of RFC 5746 was not seen")
				}
			}
		}
	}
}

// What is asked for may be newer than what is agreed on: the premaster has the
// first. TLS 1.3 cannot be asked for, but shows in the server's random.
func TestSSL2HelloForANewerVersion(t *testing.T) {
	c := newSSL2(t, wire.TLS12, wire.TLS10, wire.SSL30)
	c.hello(make([]byte, 32))
	if got, want := c.finish(wire.TLS10, keys.TLS10); !bytes.Equal(got, want) {
		t.Error("the server's Finished is wrong")
	}
	c = newSSL2(t, wire.TLS12, wire.TLS13, wire.TLS12)
	c.hello(make([]byte, 32))
	if first := c.messages(); !bytes.Contains(first, []byte(wire.DowngradeTLS12)) {
		t.Errorf("the server's hello is %x", first[:min(len(first), 50)])
	}
}

// It is the first thing on a connection, and off unless it is switched on. A part
// of it is waited for, whatever its later bytes would say in a record's header.
func TestWhereAnSSL2HelloMayCome(t *testing.T) {
	rec := ssl2Hello(wire.TLS10, make([]byte, 32), wire.SSL2CipherSpec(wire.TLS_RSA_WITH_AES_128_CBC_SHA))
	for n := 3; n < len(rec); n++ {
		c := newSSL2(t, wire.TLS10, wire.TLS10)
		if c.server.feed(rec[:n], nil); c.server.err != nil || len(c.server.take()) > 0 {
			t.Fatalf("after %d bytes: %v", n, c.server.err)
		}
		c.server.end()
		if _, sent := c.server.alertOf(); sent || c.server.err == nil {
			t.Fatalf("cut after %d bytes: %v", n, c.server.err)
		}
	}
	twice := newSSL2(t, wire.TLS10, wire.TLS10)
	twice.server.feed(append(bytes.Clone(rec), rec...), nil)
	if _, sent := twice.server.alertOf(); !sent {
		t.Errorf("a second one: %v", twice.server.err)
	}
	after := newSSL2(t, wire.TLS10, wire.TLS10)
	after.server.feed(clearRecord(wire.ContentHandshake, 1, 0, 0, 99), nil)
	if after.server.feed(rec, nil); after.server.err == nil {
		t.Error("one behind a record was taken")
	}
	off := newSSL2(t, wire.TLS10, wire.TLS10)
	off.server.host.config.SSL2Hello = false
	off.server.feed(rec, nil)
	if alert, sent := off.server.alertOf(); !sent || alert != wire.AlertProtocolVersion || !strings.Contains(off.server.err.Error(), "Legacy.SSL2Hello") {
		t.Errorf("switched off: %v", off.server.err)
	}
	long := newSSL2(t, wire.TLS10, wire.TLS10)
	long.server.feed(append([]byte{0xff, 0xff, 1, 3, 1}, make([]byte, 0x7fff-3)...), nil)
	if alert, sent := long.server.alertOf(); !sent || alert != wire.AlertDecodeError {
		t.Errorf("a long one: %v", long.server.err)
	}
}
