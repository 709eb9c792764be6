package scan

import (
	"bytes"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A broken13 server speaks TLS 1.3 with TLS_AES_128_GCM_SHA256 and X25519, by hand. It gives
// one answer of HTTP and ends the connection. Its fields are its faults; without any it is
// sound.
type broken13 struct {
	// updates is how it takes a KeyUpdate: "" as it should, "refused" or "unanswered".
	updates string
	// greets is what it says before it is asked, as servers of mail do.
	greets string
	// silent has it say nothing to what it does not take.
	silent bool
	// forgets has it take no ticket of its own.
	forgets bool
	// abrupt ends connections without close_notify, ours and its own.
	abrupt bool
	// ticket makes the ticket for a pre-shared key; nil for one of chance.
	ticket func(psk []byte) []byte
	// hosts are those with a certificate of their own, and which of them demand one of
	// clients; anywhere takes the tickets of one host at another.
	hosts    map[string]bool
	anywhere bool
	// fields are those of its answer.
	fields string

	mu      sync.Mutex
	tickets map[string]ticket13
}

type ticket13 struct {
	psk  []byte
	host string
}

var suite13 = suite.ByID(wire.TLS_AES_128_GCM_SHA256)

type conn13 struct {
	*broken13
	net.Conn
	cert           tls.Certificate
	host           string
	hello          wire.ClientHello
	transcript     []byte
	in, out        record.Half
	client, server []byte
	master, psk    []byte
}

func (b *broken13) serve(t testing.TB) Target {
	certs := map[string]tls.Certificate{}
	for host := range b.hosts {
		c, err := authority().Issue(devca.Leaf{Names: []string{host}})
		if err != nil {
			t.Fatal(err)
		}
		certs[host] = c
	}
	plain, err := authority().Issue(devca.Leaf{Names: append([]string{"example.test"}, slices.Sorted(maps.Keys(b.hosts))...)})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, func(conn net.Conn) {
		c := &conn13{broken13: b, Conn: conn}
		if !c.greet() {
			return
		}
		c.cert = plain
		if of, ok := certs[c.host]; ok {
			c.cert = of
		}
		if c.handshake() {
			c.application()
		}
	})
}

func (c *conn13) read() (wire.ContentType, []byte, bool) {
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(c, head); err != nil {
			return 0, nil, false
		}
		body := make([]byte, int(head[3])<<8|int(head[4]))
		if _, err := io.ReadFull(c, body); err != nil {
			return 0, nil, false
		}
		switch {
		case wire.ContentType(head[0]) == wire.ContentChangeCipherSpec:
			continue
		case c.in.Epoch() == 0:
			return wire.ContentType(head[0]), body, true
		}
		of, content, _, err := c.in.Open(append(head, body...))
		return of, content, err == nil
	}
}

func (c *conn13) send(t wire.ContentType, content []byte) {
	if b, err := c.out.Seal(nil, t, wire.TLS12, content, 0); err == nil {
		c.Write(b)
	}
}

func (c *conn13) say(m wire.Message) {
	raw := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS13, From: wire.Server})
	c.transcript = append(c.transcript, raw...)
	c.send(wire.ContentHandshake, raw)
}

func (c *conn13) digest() []byte {
	h := suite.SHA256.New()
	h.Write(c.transcript)
	return h.Sum(nil)
}

// greet reads the hello; where it is none to go on with, it is answered.
func (c *conn13) greet() bool {
	of, body, ok := c.read()
	if !ok || of != wire.ContentHandshake || len(body) < 4 || wire.Decode(&c.hello, body[4:], wire.Context{}, nil) != nil {
		return false
	}
	c.transcript = append(c.transcript, body...)
	var versions []wire.Version
	c.hello.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { versions = wire.ReadSupportedVersions(r, nil) })
	if !slices.Contains(versions, wire.TLS13) || !has(c.hello.CipherSuites, suite13.ID) {
		if c.silent {
			io.Copy(io.Discard, c)
			return false
		}
		c.send(wire.ContentAlert, wire.Alert{Level: wire.LevelFatal, Code: wire.AlertProtocolVersion}.Append(nil))
		return false
	}
	c.hello.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { c.host = string(wire.ReadServerName(r)) })
	return true
}

// handshake goes up to the client's Finished.
func (c *conn13) handshake() bool {
	m := &wire.ServerHello{LegacyVersion: wire.TLS12, Random: chance(32), SessionID: c.hello.SessionID, CipherSuite: suite13.ID}
	m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtSupportedVersions, Data: []byte{3, 4}})
	var shares []wire.KeyShareEntry
	c.hello.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { shares = wire.ReadKeyShares(r, nil) })
	i := slices.IndexFunc(shares, func(e wire.KeyShareEntry) bool { return e.Group == wire.GroupX25519 })
	if i < 0 {
		m.Random = wire.HelloRetryRandom[:]
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtKeyShare, Data: []byte{0, 29}})
		c.say(m)
		return false
	}
	share, shared, err := kex.Respond(wire.GroupX25519, shares[i].Share)
	if err != nil {
		return false
	}
	m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtKeyShare, Data: append([]byte{0, 29, 0, 32}, share...)})
	if c.psk = c.offered(); c.psk != nil {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtPreSharedKey, Data: []byte{0, 0}})
	}
	c.say(m)
	h := suite.SHA256
	derived := keys.DeriveSecret(h, nil, keys.Extract(h, nil, nil, c.psk), keys.LabelDerived, keys.EmptyHash(h))
	secret := keys.Extract(h, nil, derived, shared)
	digest := c.digest()
	c.client = keys.DeriveSecret(h, nil, secret, keys.LabelClientHandshakeTraffic, digest)
	c.server = keys.DeriveSecret(h, nil, secret, keys.LabelServerHandshakeTraffic, digest)
	install13(&c.in, suite13, c.client)
	install13(&c.out, suite13, c.server)
	c.say(&wire.EncryptedExtensions{})
	if c.psk == nil {
		c.prove()
	}
	c.say(&wire.Finished{VerifyData: keys.Finished13(h, nil, c.server, c.digest())})
	c.master = keys.Extract(h, nil, keys.DeriveSecret(h, nil, secret, keys.LabelDerived, keys.EmptyHash(h)), nil)
	digest = c.digest()
	c.server = keys.DeriveSecret(h, nil, c.master, keys.LabelServerTraffic, digest)
	install13(&c.out, suite13, c.server)
	return c.finished(digest)
}

// prove shows the certificate, with a signature that nobody looks at.
func (c *conn13) prove() {
	if c.hosts[c.host] {
		c.say(&wire.CertificateRequest{Extensions: wire.Extensions{{Type: wire.ExtSignatureAlgorithms, Data: wire.AppendU16List(nil, schemes[:3])}}})
	}
	chain := &wire.Certificate{}
	for _, der := range c.cert.Certificate {
		chain.Entries = append(chain.Entries, wire.CertificateEntry{DER: der})
	}
	c.say(chain)
	c.say(&wire.CertificateVerify{Scheme: wire.ECDSAP256SHA256, Signature: make([]byte, 70)})
}

// finished reads up to the client's Finished.
func (c *conn13) finished(digest []byte) bool {
	h := suite.SHA256
	for {
		of, body, ok := c.read()
		if !ok || of != wire.ContentHandshake {
			return false
		}
		c.transcript = append(c.transcript, body...)
		if wire.HandshakeType(body[0]) == wire.TypeFinished {
			break
		}
		if c.hosts[c.host] { // the client's certificate, of which there is none
			c.send(wire.ContentAlert, wire.Alert{Level: wire.LevelFatal, Code: wire.AlertCertificateRequired}.Append(nil))
			return false
		}
	}
	c.client = keys.DeriveSecret(h, nil, c.master, keys.LabelClientTraffic, digest)
	install13(&c.in, suite13, c.client)
	psk := keys.ResumptionPSK(h, nil, keys.DeriveSecret(h, nil, c.master, keys.LabelResumptionMaster, c.digest()), []byte{0})
	ticket := chance(32)
	if c.ticket != nil {
		ticket = c.ticket(psk)
	}
	c.mu.Lock()
	if c.tickets == nil {
		c.tickets = map[string]ticket13{}
	}
	c.tickets[string(ticket)] = ticket13{psk, c.host}
	c.mu.Unlock()
	c.say(&wire.NewSessionTicket{Lifetime: 7200, Nonce: []byte{0}, Ticket: ticket})
	return true
}

// offered is the pre-shared key that the client offers, nil for none that is known here.
func (c *conn13) offered() []byte {
	body, ok := c.hello.Extensions.Find(wire.ExtPreSharedKey)
	if !ok {
		return nil
	}
	var o wire.OfferedPSKs
	r := wire.NewReader(body, nil)
	if o.Read(&r); len(o.Identities) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tickets[string(o.Identities[0].Identity)]
	if c.forgets || t.host != c.host && !c.anywhere {
		return nil
	}
	return t.psk
}

// application answers a request once, and whatever else may come.
func (c *conn13) application() {
	if c.greets != "" {
		c.send(wire.ContentApplicationData, []byte(c.greets))
	}
	for {
		of, body, ok := c.read()
		switch {
		case !ok:
			return
		case of == wire.ContentAlert:
			c.bye()
			return
		case of == wire.ContentHandshake && bytes.HasPrefix(body, []byte{byte(wire.TypeKeyUpdate)}):
			if c.updates == "refused" {
				c.send(wire.ContentAlert, wire.Alert{Level: wire.LevelFatal, Code: wire.AlertUnexpectedMessage}.Append(nil))
				return
			}
			c.client = keys.NextTrafficSecret(suite.SHA256, nil, c.client)
			install13(&c.in, suite13, c.client)
			if body[4] == byte(wire.UpdateRequested) && c.updates == "" {
				c.say(&wire.KeyUpdate{})
				c.server = keys.NextTrafficSecret(suite.SHA256, nil, c.server)
				install13(&c.out, suite13, c.server)
			}
		case of == wire.ContentApplicationData:
			c.send(wire.ContentApplicationData, []byte("HTTP/1.1 200 OK\r\n"+c.fields+"\r\n"))
			c.bye()
			return
		}
	}
}

func (c *conn13) bye() {
	if !c.abrupt {
		c.send(wire.ContentAlert, closing.Append(nil))
	}
}
