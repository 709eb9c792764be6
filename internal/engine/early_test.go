package engine

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// handmade is a TLS 1.3 client put together from wire, keys, kex and record, so
// that it can say what ours never would, and see the handshake through.
type handmade struct {
	t          *testing.T
	server     *side
	hello      wire.ClientHello
	key        *kex.Private
	suite      *suite.Suite
	transcript []byte
	in, out    record.Half
	received   []byte // handshake messages not read yet
}

func newHandmade(t *testing.T, server *side, group wire.NamedGroup) *handmade {
	c := &handmade{t: t, server: server, suite: suite.ByID(wire.TLS_AES_128_GCM_SHA256)}
	c.hello = wire.ClientHello{
		LegacyVersion: wire.TLS12, Random: bytes.Repeat([]byte{7}, 32), SessionID: bytes.Repeat([]byte{9}, 32),
		CipherSuites: []wire.CipherSuite{c.suite.ID}, CompressionMethods: []wire.CompressionMethod{0},
		Extensions: wire.Extensions{
			{Type: wire.ExtSupportedVersions, Data: []byte{2, 3, 4}},
			{Type: wire.ExtSupportedGroups, Data: []byte{0, 4, 0, 0x17, 0, 0x18}},
			{Type: wire.ExtSignatureAlgorithms, Data: []byte{0, 2, 4, 3}},
			{Type: wire.ExtPSKKeyExchangeModes, Data: []byte{1, 1}},
		},
	}
	c.share(group)
	return c
}

func (c *handmade) share(group wire.NamedGroup) {
	key, err := kex.Generate(group)
	if err != nil {
		c.t.Fatal(err)
	}
	c.key = key
	set(&c.hello.Extensions, wire.ExtKeyShare, wire.AppendKeyShares(nil, []wire.KeyShareEntry{{Group: group, Share: key.Share()}})...)
}

func (c *handmade) send(m wire.Message) {
	raw := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS13, From: wire.Client})
	c.transcript = append(c.transcript, raw...)
	b, err := c.out.Seal(nil, wire.ContentHandshake, wire.TLS12, raw, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	c.server.feed(b, nil)
}

// announce has the hello announce early data.
func (c *handmade) announce() {
	c.hello.Extensions = append(c.hello.Extensions, wire.Extension{Type: wire.ExtEarlyData})
	c.offerPSK()
}

// offerPSK has the hello offer a PSK that the server does not know.
func (c *handmade) offerPSK() {
	psk := wire.OfferedPSKs{Identities: []wire.PSKIdentity{{Identity: []byte("of another server")}}, Binders: [][]byte{make([]byte, 32)}}
	c.hello.Extensions = append(c.hello.Extensions, wire.Extension{Type: wire.ExtPreSharedKey, Data: psk.Append(nil)})
}

// early sends n records of early data under keys that nobody has.
func (c *handmade) early(n, size int) {
	for range n {
		c.server.feed(clearRecord(wire.ContentApplicationData, bytes.Repeat([]byte{0xa5}, size)...), nil)
	}
}

// next returns the server's next handshake message, with its header.
func (c *handmade) next() []byte {
	for _, rec := range split(c.server.take()) {
		if wire.ContentType(rec[0]) == wire.ContentChangeCipherSpec {
			continue
		}
		if c.in.Epoch() == 0 && len(c.received) > 0 { // behind a ServerHello: not ours to open yet
			c.server.out.wake().buf = append(c.server.out.buf, rec...)
			continue
		}
		_, content, _, err := c.in.Open(rec)
		if err != nil {
			c.t.Fatal(err)
		}
		c.received = append(c.received, content...)
	}
	n := wire.MessageLen(c.received)
	if n == 0 || n > len(c.received) {
		c.t.Fatalf("the server sent nothing more: %v", c.server.err)
	}
	raw := c.received[:n:n]
	c.received = c.received[n:]
	return raw
}

func (c *handmade) serverHello() *wire.ServerHello {
	raw := c.next()
	m, err := wire.DecodeMessage(raw, wire.Context{From: wire.Server}, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	hello := m.(*wire.ServerHello)
	if hello.IsRetry() { // RFC 8446 §4.4.1
		digest := sha256.Sum256(c.transcript)
		c.transcript = append([]byte{byte(wire.TypeMessageHash), 0, 0, 32}, digest[:]...)
	}
	c.transcript = append(c.transcript, raw...)
	return hello
}

func (c *handmade) digest() []byte { d := sha256.Sum256(c.transcript); return d[:] }

// secret is Derive-Secret with the transcript so far.
func (c *handmade) secret(from []byte, label string) []byte {
	return keys.DeriveSecret(c.suite.Hash, nil, from, label, c.digest())
}

func (c *handmade) params(secret []byte) record.Params {
	p := record.Params{Version: wire.TLS13, Suite: c.suite, Key: make([]byte, 16), IV: make([]byte, 12)}
	keys.TrafficKeys(c.suite, secret, p.Key, p.IV)
	return p
}

// finish completes the handshake after the ServerHello.
func (c *handmade) finish(hello *wire.ServerHello) {
	h := c.suite.Hash
	var entry wire.KeyShareEntry
	hello.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { entry = wire.ReadKeyShare(r) })
	shared, err := c.key.Finish(entry.Share)
	if err != nil {
		c.t.Fatal(err)
	}
	early := keys.Extract(h, nil, nil, nil)
	handshake := keys.Extract(h, nil, keys.DeriveSecret(h, nil, early, keys.LabelDerived, keys.EmptyHash(h)), shared)
	client, server := c.secret(handshake, keys.LabelClientHandshakeTraffic), c.secret(handshake, keys.LabelServerHandshakeTraffic)
	c.in.SetKeys(c.params(server))
	c.out.SetKeys(c.params(client))
	for {
		raw := c.next()
		c.transcript = append(c.transcript, raw...)
		if wire.HandshakeType(raw[0]) == wire.TypeFinished {
			break
		}
	}
	master := keys.Extract(h, nil, keys.DeriveSecret(h, nil, handshake, keys.LabelDerived, keys.EmptyHash(h)), nil)
	application := c.secret(master, keys.LabelClientTraffic)
	c.send(&wire.Finished{VerifyData: keys.Finished13(h, nil, client, c.digest())})
	c.out.SetKeys(c.params(application))
}

func (c *handmade) data(text string) {
	b, err := c.out.Seal(nil, wire.ContentApplicationData, wire.TLS12, []byte(text), 0)
	if err != nil {
		c.t.Fatal(err)
	}
	c.server.feed(b, nil)
}

// Early data that the server does not accept, as it knows neither the PSK nor
// early data, is passed over as far as a bound. RFC 8446 §4.2.10.
func TestEarlyDataIsSkipped(t *testing.T) {
	const usual = 1000 // bytes in a record
	fits := maxSkipped/(usual+record.HeaderLen) - 1
	for _, test := range []struct {
		name     string
		announce bool
		retry    bool
		n, size  int // records, and their bytes
		alert    wire.AlertCode
	}{
		{"none", true, false, 0, usual, 0},
		{"some", true, false, 3, usual, 0},
		{"some before a retry", true, true, 3, usual, 0},
		{"a record of full size", true, false, 1, maxEarly, 0},
		{"a record of full size before a retry", true, true, 1, maxEarly, 0},
		{"more than a record holds before a retry", true, true, 1, maxEarly + 1, wire.AlertRecordOverflow},
		{"all that is allowed", true, false, fits, usual, 0},
		{"all that is allowed before a retry", true, true, fits, usual, 0},
		{"too much", true, false, fits + 2, usual, wire.AlertBadRecordMAC},
		{"too much before a retry", true, true, fits + 2, usual, wire.AlertUnexpectedMessage},
		{"not announced", false, false, 1, usual, wire.AlertBadRecordMAC},
		{"not announced before a retry", false, true, 1, usual, wire.AlertUnexpectedMessage},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newServerHost()
			h.config.Tickets = true
			if test.retry {
				h.config.Groups = []wire.NamedGroup{wire.GroupP384}
			}
			c := newHandmade(t, newSide(wire.Server, h), wire.GroupP256)
			first := slices.Clone(c.hello.Extensions)
			if test.announce {
				c.hello.Extensions = append(c.hello.Extensions, wire.Extension{Type: wire.ExtEarlyData})
			}
			c.offerPSK()
			c.send(&c.hello)
			c.early(test.n, test.size)
			if test.alert != 0 {
				c.server.wants(t, test.alert)
				return
			}
			hello := c.serverHello()
			if test.retry {
				c.hello.Extensions = first
				c.share(wire.GroupP384)
				c.send(&c.hello)
				hello = c.serverHello()
			}
			c.finish(hello)
			c.data("after the handshake")
			if c.server.err != nil || !c.server.Done() || string(c.server.received) != "after the handshake" {
				t.Fatalf("done %v, %v, received %q", c.server.Done(), c.server.err, c.server.received)
			}
			c.early(1, usual)
			c.server.wants(t, wire.AlertBadRecordMAC) // it is over
		})
	}
}

func (c *handmade) changeCipherSpec() {
	c.server.feed(clearRecord(wire.ContentChangeCipherSpec, wire.ChangeCipherSpecContent), nil)
}

// A client in compatibility mode sends a change_cipher_spec before its early data, and
// may send another wherever it likes: what is passed over stays so. Each order is of
// early records (e) and change_cipher_specs (c) after a ClientHello, with and without a
// second one (2). RFC 8446 §4.2.10, §D.4.
func TestEarlyDataAndChangeCipherSpecInEveryOrder(t *testing.T) {
	for _, order := range []string{"ce", "ec", "cee", "ece", "eec", "cece", "ecec", "c", "ce2", "ec2", "cee2", "ece2", "eec2", "cece2", "ecec2", "c2", "ce2c", "ec2c", "2c", "e2c"} {
		t.Run(order, func(t *testing.T) {
			h := newServerHost()
			if strings.Contains(order, "2") {
				h.config.Groups = []wire.NamedGroup{wire.GroupP384}
			}
			c := newHandmade(t, newSide(wire.Server, h), wire.GroupP256)
			first := slices.Clone(c.hello.Extensions)
			c.announce()
			c.send(&c.hello)
			hello := c.serverHello()
			for _, what := range order {
				switch what {
				case 'e':
					c.early(1, 1000)
				case 'c':
					c.changeCipherSpec()
				case '2':
					c.hello.Extensions = first
					c.share(wire.GroupP384)
					c.send(&c.hello)
					hello = c.serverHello()
				}
			}
			c.finish(hello)
			c.data("after the handshake")
			if c.server.err != nil || !c.server.Done() || string(c.server.received) != "after the handshake" {
				t.Fatalf("done %v, %v, received %q", c.server.Done(), c.server.err, c.server.received)
			}
		})
	}
}

// After the second ClientHello no early data may come in the clear part of the
// handshake any more, and a change_cipher_spec with a wrong content is refused though
// early data is passed over.
func TestSkippingEarlyDataEnds(t *testing.T) {
	for name, test := range map[string]struct {
		rec   []byte
		alert wire.AlertCode
	}{
		"a change_cipher_spec of another content": {clearRecord(wire.ContentChangeCipherSpec, 2), wire.AlertUnexpectedMessage},
		"an empty record":                         {clearRecord(wire.ContentHandshake), wire.AlertUnexpectedMessage},
	} {
		t.Run(name, func(t *testing.T) {
			h := newServerHost()
			h.config.Groups = []wire.NamedGroup{wire.GroupP384}
			c := newHandmade(t, newSide(wire.Server, h), wire.GroupP256)
			c.announce()
			c.send(&c.hello)
			c.early(1, 1000)
			c.server.feed(test.rec, nil)
			c.server.wants(t, test.alert)
		})
	}
}

// Early data may come together with its end, and is the application's all the same.
func TestEarlyDataWithItsEnd(t *testing.T) {
	e := new(Engine)
	e.in.inbox = new(inbox)
	e.in.early = &early{left: 10, data: []byte("x"), under: true}
	e.in.expectEarly(0)
	if !e.TakesEarly() {
		t.Error("early data that was accepted is lost")
	}
	e.in.early.data = nil
	e.in.forgetEarly()
	if e.TakesEarly() {
		t.Error("there is no more")
	}
}
