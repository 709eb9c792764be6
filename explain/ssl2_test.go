package explain

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// oldClient is a client of TLS 1.0 that says hello in the format of SSL 2.0, as
// ours does not.
type oldClient struct {
	t       *testing.T
	conn    net.Conn
	in, out record.Half
	said    []byte // the transcript
	suite   *suite.Suite
}

func (c *oldClient) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *oldClient) send(typ wire.ContentType, content []byte) {
	c.t.Helper()
	rec, err := c.out.Seal(nil, typ, wire.TLS10, content, 0)
	c.must(err)
	_, err = c.conn.Write(rec)
	c.must(err)
}

func (c *oldClient) say(m wire.Message) {
	c.t.Helper()
	raw := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS10, KeyExchange: c.suite.KeyExchange})
	c.said = append(c.said, raw...)
	c.send(wire.ContentHandshake, raw)
}

func (c *oldClient) read() []byte {
	c.t.Helper()
	rec := make([]byte, wire.RecordHeaderLen)
	_, err := io.ReadFull(c.conn, rec)
	c.must(err)
	rec = append(rec, make([]byte, int(rec[3])<<8|int(rec[4]))...)
	_, err = io.ReadFull(c.conn, rec[wire.RecordHeaderLen:])
	c.must(err)
	_, content, _, err := c.in.Open(rec)
	c.must(err)
	return content
}

// connect says everything that a client has to say, and one line.
func (c *oldClient) connect() {
	t := c.t
	challenge := bytes.Repeat([]byte{0xc4}, 16)
	hello := wire.SSL2ClientHello{Version: wire.TLS10, CipherSpecs: []wire.SSL2CipherSpec{0x010080, wire.SSL2CipherSpec(c.suite.ID)}, Challenge: challenge}
	c.said = hello.Append(nil, wire.Context{})
	_, err := c.conn.Write(append([]byte{0x80 | byte(len(c.said)>>8), byte(len(c.said))}, c.said...))
	c.must(err)
	clientRandom := hello.Hello().Random
	var serverRandom []byte
	var cert *x509.Certificate
	for done := false; !done; {
		for b := c.read(); len(b) > 0; {
			n := wire.MessageLen(b)
			m, err := wire.DecodeMessage(b[:n], wire.Context{Version: wire.TLS10, KeyExchange: c.suite.KeyExchange}, nil)
			c.must(err)
			c.said = append(c.said, b[:n]...)
			b = b[n:]
			switch p := m.(type) {
			case *wire.ServerHello:
				serverRandom = bytes.Clone(p.Random)
			case *wire.Certificate:
				cert, err = x509.ParseCertificate(p.Entries[0].DER)
				c.must(err)
			case *wire.ServerHelloDone:
				done = true
			}
		}
	}
	premaster := append([]byte{3, 1}, bytes.Repeat([]byte{0x77}, 46)...)
	//lint:ignore SA1019 it is what the protocol has
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, cert.PublicKey.(*rsa.PublicKey), premaster)
	c.must(err)
	c.say(&wire.ClientKeyExchange{Exchange: sealed})
	value := func(name string, secret, input []byte) []byte {
		r, _ := recompute.RuleFor(wire.TLS10, c.suite.KeyExchange, name, "")
		return r.Apply(wire.TLS10, recompute.MD5SHA1, recompute.Operands{Secret: secret, Input: input, Size: r.Size})
	}
	master := value("master_secret", premaster, slices.Concat(clientRandom, serverRandom))
	block := recompute.KeyBlock(wire.TLS10, c.suite, master, clientRandom, serverRandom)
	said := func() []byte {
		h := recompute.MD5SHA1.New()
		h.Write(c.said)
		return h.Sum(nil)
	}
	params := func(side wire.Role) record.Params {
		k := recompute.CutKeyBlock(wire.TLS10, c.suite, block, side)
		return record.Params{Version: wire.TLS10, Suite: c.suite, Key: k.Key, IV: k.IV, MAC: k.MAC}
	}
	c.send(wire.ContentChangeCipherSpec, []byte{1})
	c.out.SetKeys(params(wire.Client))
	c.say(&wire.Finished{VerifyData: value("client_verify_data", master, said())})
	if ccs := c.read(); len(ccs) != 1 {
		t.Fatalf("change_cipher_spec is %x", ccs)
	}
	c.in.SetKeys(params(wire.Server))
	if want := value("server_verify_data", master, said()); !bytes.HasSuffix(c.read(), want) {
		t.Fatal("the server's Finished is wrong")
	}
	c.send(wire.ContentApplicationData, []byte("hello"))
	if got := c.read(); string(got) != "hello" {
		t.Fatalf("the answer is %q", got)
	}
	c.send(wire.ContentAlert, []byte{1, 0})
}

// A hello in the format of SSL 2.0 is shown by its own grammar, and counts in the
// transcript as it was on the wire.
func TestSSL2Hello(t *testing.T) {
	s := suite.ByName("TLS_RSA_WITH_RC4_128_SHA")
	server := pairFor(t, s, wire.TLS10).server
	server.Certificates = newPairWith(t, devca.RSA).server.Certificates
	var collector Collector
	server.Trace = collector.Hooks()
	left, right := net.Pipe()
	defer left.Close()
	served := make(chan error, 1)
	go func() {
		conn := tls.Server(right, server)
		_, err := io.Copy(conn, conn)
		served <- err
		right.Close()
	}()
	(&oldClient{t: t, conn: left, suite: s}).connect()
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	m := moment{name: "ssl2-hello", kept: true,
		want: func(s Summary) bool { return s.Version == "TLS 1.0" && s.Complete },
		says: []string{"in the format of SSL 2.0 · asks for TLS 1.0 · 2 suites", "SSL_CK_RC4_128_WITH_MD5", "15 bits of length after a bit that is set",
			"they are client_random", "cipher_spec_length"}}
	account := collector.Connection(About{Target: "a client from 1999"})
	m.check(t, account)
	m.keep(t, account)
}
