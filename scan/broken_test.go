package scan

import (
	"bytes"
	"crypto/cipher"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"io"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A broken server speaks TLS 1.2 with TLS_RSA_WITH_AES_128_CBC_SHA and nothing else, by
// hand, and has the weaknesses that its fields say; without any it is sound.
type broken struct {
	heartbleed, ccs, ticketbleed, robot bool
	// compresses, renegotiates as before RFC 5746, and forgets the extended master secret.
	compresses, renegotiates bool
	// padding is "" for right, "ignored", "told" apart from a wrong MAC, or "told of a
	// right MAC" alone.
	padding string
	// greets is what it says before it is asked, as servers of mail do, and late how long after
	// the handshake.
	greets string
	late   time.Duration
	// whims, unless nil, is how many of the first wrongly padded premasters are told apart.
	whims *atomic.Int32
	// slow is how much longer a wrongly padded premaster takes.
	slow time.Duration
}

var brokenSuite = suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA)

// brokenConn is one connection of it.
type brokenConn struct {
	*broken
	net.Conn
	cert       tls.Certificate
	hello      wire.ClientHello
	random     []byte
	transcript []byte
	master     []byte
	block      keys.KeyBlock
	in, out    record.Half
	seq        uint64 // of the client's next record
}

func (b *broken) serve(t testing.TB) Target {
	cert := certificate(t, devca.RSA)
	return serve(t, func(conn net.Conn) {
		c := &brokenConn{broken: b, Conn: conn, cert: cert, random: chance(32)}
		c.run()
	})
}

var errBroken = errors.New("the connection ends")

func (c *brokenConn) raw() (typ byte, whole []byte, err error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(c, head); err != nil {
		return 0, nil, err
	}
	body := make([]byte, binary.BigEndian.Uint16(head[3:]))
	if _, err := io.ReadFull(c, body); err != nil || head[0] < 20 || head[0] > 24 {
		return 0, nil, errBroken
	}
	return head[0], append(head, body...), nil
}

func (c *brokenConn) send(t wire.ContentType, content []byte) {
	b, err := c.out.Seal(nil, t, wire.TLS12, content, 0)
	if err == nil {
		c.Write(b)
	}
}

func (c *brokenConn) alert(code wire.AlertCode) error {
	c.send(wire.ContentAlert, wire.Alert{Level: wire.LevelFatal, Code: code}.Append(nil))
	return errBroken
}

func (c *brokenConn) say(m wire.Message) {
	raw := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS12, From: wire.Server, KeyExchange: wire.KeyExchangeRSA})
	c.transcript = append(c.transcript, raw...)
	c.send(wire.ContentHandshake, raw)
}

func (c *brokenConn) run() {
	typ, whole, err := c.raw()
	if err != nil || typ != byte(wire.ContentHandshake) {
		return
	}
	c.transcript = append(c.transcript, whole[5:]...)
	if wire.Decode(&c.hello, whole[9:], wire.Context{}, nil) != nil {
		c.alert(wire.AlertDecodeError)
		return
	}
	switch {
	case c.hello.LegacyVersion != wire.TLS12:
		c.alert(wire.AlertProtocolVersion)
	case !bytes.Contains(wire.AppendU16List(nil, c.hello.CipherSuites), []byte{0, byte(brokenSuite.ID)}) || !has(c.hello.CipherSuites, brokenSuite.ID):
		c.alert(wire.AlertHandshakeFailure)
	default:
		c.greet()
		if c.exchange() == nil {
			c.application()
		}
	}
}

func has(ids []wire.CipherSuite, id wire.CipherSuite) bool {
	for _, x := range ids {
		if x == id {
			return true
		}
	}
	return false
}

func (c *brokenConn) greet() {
	m := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: c.random, CipherSuite: brokenSuite.ID}
	if c.compresses && bytes.Contains([]byte{byte(c.hello.CompressionMethods[0])}, []byte{1}) {
		m.CompressionMethod = wire.CompressionDeflate
	}
	add := func(t wire.ExtensionType, body []byte) {
		if c.hello.Extensions.Has(t) {
			m.Extensions = append(m.Extensions, wire.Extension{Type: t, Data: body})
		}
	}
	if !c.renegotiates {
		add(wire.ExtRenegotiationInfo, []byte{0})
	}
	add(wire.ExtSessionTicket, nil)
	add(extHeartbeat, []byte{1})
	if ticket, _ := c.hello.Extensions.Find(wire.ExtSessionTicket); c.ticketbleed && len(ticket) > 0 {
		m.SessionID = append(bytes.Clone(c.hello.SessionID), bytes.Repeat([]byte{0xee}, 32-len(c.hello.SessionID))...)
	}
	m.NoExtensions = len(m.Extensions) == 0
	c.say(m)
	chain := &wire.Certificate{}
	for _, der := range c.cert.Certificate {
		chain.Entries = append(chain.Entries, wire.CertificateEntry{DER: der})
	}
	c.say(chain)
	c.say(&wire.ServerHelloDone{})
}

// exchange reads up to the client's Finished, and answers it.
func (c *brokenConn) exchange() error {
	changed := false
	for {
		typ, whole, err := c.raw()
		if err != nil {
			return err
		}
		switch body := whole[5:]; wire.ContentType(typ) {
		case contentHeartbeat:
			if n := int(binary.BigEndian.Uint16(body[1:])); c.heartbleed {
				c.send(contentHeartbeat, append([]byte{2, body[1], body[2]}, bytes.Repeat([]byte{0xdd}, n+16)...))
			}
		case wire.ContentChangeCipherSpec:
			switch {
			case c.master == nil && !c.ccs:
				return c.alert(wire.AlertUnexpectedMessage)
			case c.master == nil && changed:
				return c.alert(wire.AlertBadRecordMAC)
			}
			changed = true
			c.in.SetKeys(record.Params{Version: wire.TLS12, Suite: brokenSuite, Key: c.block.ClientKey, IV: c.block.ClientIV, MAC: c.block.ClientMAC})
		case wire.ContentHandshake:
			if c.master == nil {
				if err := c.premaster(body); err != nil {
					return err
				}
				continue
			}
			_, content, _, err := c.in.Open(whole)
			if err != nil {
				return c.alert(wire.AlertBadRecordMAC)
			}
			c.seq = 1
			return c.finish(content)
		default:
			return errBroken
		}
	}
}

func (c *brokenConn) premaster(message []byte) error {
	c.transcript = append(c.transcript, message...)
	key := c.cert.PrivateKey.(*rsa.PrivateKey)
	n := key.Size()
	if len(message) != 6+n {
		return c.alert(wire.AlertDecodeError)
	}
	m := new(big.Int).Exp(new(big.Int).SetBytes(message[6:]), key.D, key.N).FillBytes(make([]byte, n))
	secret := m[n-48:]
	if m[0] != 0 || m[1] != 2 || bytes.IndexByte(m[2:], 0) != n-49-2 {
		if c.robot || c.whims != nil && c.whims.Add(-1) >= 0 {
			return c.alert(wire.AlertHandshakeFailure)
		}
		time.Sleep(c.slow)
		secret = chance(48)
	}
	if secret[0] != 3 || secret[1] != 3 {
		secret = chance(48)
	}
	c.master = keys.TLS12.Master(suite.SHA256, nil, secret, c.hello.Random, c.random)
	c.block = keys.TLS12.KeyBlock(brokenSuite, nil, c.master, c.hello.Random, c.random)
	return nil
}

func (c *brokenConn) finish(finished []byte) error {
	running := suite.SHA256.New()
	running.Write(c.transcript)
	if !bytes.Equal(finished[4:], keys.TLS12.Finished(suite.SHA256, nil, c.master, wire.Client, running)) {
		return c.alert(wire.AlertDecryptError)
	}
	c.transcript = append(c.transcript, finished...)
	if c.hello.Extensions.Has(wire.ExtSessionTicket) {
		c.say(&wire.NewSessionTicket{Lifetime: 300, Ticket: append([]byte("a ticket that nobody reads: "), chance(16)...)})
	}
	c.send(wire.ContentChangeCipherSpec, []byte{1})
	c.out.SetKeys(record.Params{Version: wire.TLS12, Suite: brokenSuite, Key: c.block.ServerKey, IV: c.block.ServerIV, MAC: c.block.ServerMAC})
	running.Reset()
	running.Write(c.transcript)
	c.say(&wire.Finished{VerifyData: keys.TLS12.Finished(suite.SHA256, nil, c.master, wire.Server, running)})
	return nil
}

// application answers each record, and a second ClientHello.
func (c *brokenConn) application() {
	if c.greets != "" {
		time.Sleep(c.late)
		c.send(wire.ContentApplicationData, []byte(c.greets))
	}
	for {
		typ, whole, err := c.raw()
		if err != nil {
			return
		}
		content, padded, mac := c.open(typ, whole)
		switch {
		case !padded && c.padding == "told":
			c.alert(wire.AlertDecryptionFailed)
			return
		case !padded && mac && c.padding == "told of a right MAC":
			return
		case !mac, !padded && c.padding != "ignored":
			c.alert(wire.AlertBadRecordMAC)
			return
		}
		c.seq++
		switch {
		case typ == byte(wire.ContentHandshake) && c.renegotiates:
			c.say(&wire.ServerHello{LegacyVersion: wire.TLS12, Random: c.random, CipherSuite: brokenSuite.ID, NoExtensions: true})
		case typ == byte(wire.ContentHandshake):
			c.send(wire.ContentAlert, wire.Alert{Level: wire.LevelWarning, Code: wire.AlertNoRenegotiation}.Append(nil))
		case typ == byte(wire.ContentAlert):
			return
		case len(content) > 0:
			c.send(wire.ContentApplicationData, []byte("HTTP/1.1 200 OK\r\n\r\n"))
		}
	}
}

// open opens a record by hand, to say what is wrong with it.
func (c *brokenConn) open(typ byte, whole []byte) (content []byte, padded, mac bool) {
	body := whole[5:]
	if len(body) < 48 || len(body)%16 != 0 {
		return nil, false, false
	}
	block, err := brokenSuite.Cipher.Block(c.block.ClientKey)
	if err != nil {
		return nil, false, false
	}
	plain := make([]byte, len(body)-16)
	cipher.NewCBCDecrypter(block, body[:16]).CryptBlocks(plain, body[16:])
	pad := int(plain[len(plain)-1])
	end := len(plain) - 1 - pad
	if end < 20 {
		return nil, false, false
	}
	padded = bytes.Equal(plain[end:], bytes.Repeat([]byte{byte(pad)}, pad+1))
	content = plain[:end-20]
	head := binary.BigEndian.AppendUint64(nil, c.seq)
	head = append(head, typ, 3, 3, byte(len(content)>>8), byte(len(content)))
	return content, padded, bytes.Equal(keys.HMAC(suite.SHA1, nil, c.block.ClientMAC, head, content), plain[end-20:end])
}
