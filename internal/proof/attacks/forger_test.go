package attacks

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// forger is one end of a connection up to TLS 1.2 that speaks by hand: it sends
// what the test says, when the test says so, and has the keys for it.
type forger struct {
	testing.TB
	conn    net.Conn
	role    wire.Role
	version wire.Version
	suite   *suite.Suite

	in, out    record.Half
	transcript []byte
	rest       []byte // handshake bytes received and not looked at

	hello        wire.ClientHello
	answer       wire.ServerHello
	peer         *rsa.PublicKey // the server's
	premaster    []byte
	master       []byte
	extended     bool // master secret
	verify       []byte
	theirFinish  []byte
	lastReceived []byte // raw
}

func newForger(t testing.TB, conn net.Conn, role wire.Role, v wire.Version, id wire.CipherSuite) *forger {
	return &forger{TB: t, conn: conn, role: role, version: v, suite: suite.ByID(id)}
}

func (f *forger) schedule() *keys.Schedule {
	return map[wire.Version]*keys.Schedule{wire.SSL30: keys.SSL30, wire.TLS10: keys.TLS10, wire.TLS11: keys.TLS11, wire.TLS12: keys.TLS12}[f.version]
}

func (f *forger) hash() *suite.Hash { return f.schedule().Hash(f.suite) }

func (f *forger) context(from wire.Role) wire.Context {
	return wire.Context{Version: f.version, KeyExchange: f.suite.KeyExchange, From: from}
}

// write seals a record.
func (f *forger) write(typ wire.ContentType, content []byte) {
	f.Helper()
	rec, err := f.out.Seal(nil, typ, f.version, content, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.conn.Write(rec) // the victim may have gone
}

// raw sends a handshake message as it is.
func (f *forger) raw(msg []byte) {
	f.transcript = append(f.transcript, msg...)
	f.write(wire.ContentHandshake, msg)
}

func (f *forger) send(m wire.Message) { f.raw(wire.AppendMessage(nil, m, f.context(f.role))) }

func (f *forger) alert(level wire.AlertLevel, code wire.AlertCode) {
	f.write(wire.ContentAlert, []byte{byte(level), byte(code)})
}

// read opens the next record; an error is the end of the connection.
func (f *forger) read() (wire.ContentType, []byte, error) {
	rec, err := readRecord(f.conn)
	if err != nil {
		return 0, nil, err
	}
	typ, content, _, err := f.in.Open(rec)
	if err != nil {
		f.Fatalf("the victim's record does not open: %v", err)
	}
	return typ, content, nil
}

// next is the next handshake message; the test ends if something else comes.
func (f *forger) next() wire.Message {
	f.Helper()
	for wire.MessageLen(f.rest) == 0 || wire.MessageLen(f.rest) > len(f.rest) {
		typ, content, err := f.read()
		if err != nil || typ != wire.ContentHandshake {
			f.Fatalf("%v %x, %v in place of a handshake message", typ, content, err)
		}
		f.rest = append(f.rest, content...)
	}
	raw := f.rest[:wire.MessageLen(f.rest):wire.MessageLen(f.rest)]
	f.rest, f.lastReceived = f.rest[len(raw):], raw
	f.transcript = append(f.transcript, raw...)
	m, err := wire.DecodeMessage(raw, f.context(f.role.Peer()), nil)
	if err != nil {
		f.Fatal(err)
	}
	return m
}

// expect is the next handshake message, which must be an M.
func expect[M wire.Message](f *forger) M {
	f.Helper()
	m, ok := f.next().(M)
	if !ok {
		f.Fatalf("%v in place of %T", wire.HandshakeType(f.lastReceived[0]), m)
	}
	return m
}

// greet sends a ClientHello for the suite and version. It begins a transcript.
func (f *forger) greet(extensions ...wire.Extension) {
	f.transcript = nil
	random := make([]byte, 32)
	rand.Read(random)
	f.hello = wire.ClientHello{
		LegacyVersion: f.version, Random: random, CipherSuites: []wire.CipherSuite{f.suite.ID},
		CompressionMethods: []wire.CompressionMethod{0}, Extensions: extensions, NoExtensions: len(extensions) == 0,
	}
	f.send(&f.hello)
}

// serverFlight reads all up to ServerHelloDone.
func (f *forger) serverFlight() {
	f.Helper()
	f.answer = *expect[*wire.ServerHello](f)
	f.extended = f.answer.Extensions.Has(wire.ExtExtendedMasterSecret)
	for {
		switch m := f.next().(type) {
		case *wire.Certificate:
			f.peer = publicKey(f, m)
		case *wire.ServerHelloDone:
			return
		}
	}
}

func publicKey(t testing.TB, m *wire.Certificate) *rsa.PublicKey {
	for _, cert := range testPKI().all() {
		if string(cert.Certificate[0]) == string(m.Entries[0].DER) {
			key, _ := cert.Leaf.PublicKey.(*rsa.PublicKey)
			return key
		}
	}
	t.Fatal("the certificate is not one of ours")
	return nil
}

// encrypt makes a premaster and encrypts it to the server's key.
func (f *forger) encrypt() []byte {
	f.premaster = make([]byte, 48)
	rand.Read(f.premaster)
	f.premaster[0], f.premaster[1] = byte(f.hello.LegacyVersion>>8), byte(f.hello.LegacyVersion)
	return f.encryptThis(f.premaster)
}

func (f *forger) encryptThis(premaster []byte) []byte {
	f.premaster = premaster
	//lint:ignore SA1019 the protocol is PKCS #1 v1.5
	return must(rsa.EncryptPKCS1v15(rand.Reader, f.peer, f.premaster))
}

// derive computes the master secret.
func (f *forger) derive() {
	if f.extended {
		h := f.hash().New()
		h.Write(f.transcript)
		f.master = f.schedule().ExtendedMaster(f.hash(), nil, f.premaster, h.Sum(nil))
		return
	}
	f.master = f.schedule().Master(f.hash(), nil, f.premaster, f.hello.Random, f.answer.Random)
}

// params are the keys of a role's direction.
func (f *forger) params(role wire.Role) record.Params {
	block := f.schedule().KeyBlock(f.suite, nil, f.master, f.hello.Random, f.answer.Random)
	p := record.Params{Version: f.version, Suite: f.suite, Key: block.ClientKey, IV: block.ClientIV, MAC: block.ClientMAC,
		EncryptThenMAC: f.answer.Extensions.Has(wire.ExtEncryptThenMAC)}
	if role == wire.Server {
		p.Key, p.IV, p.MAC = block.ServerKey, block.ServerIV, block.ServerMAC
	}
	return p
}

// finished is the content of a role's Finished for the transcript so far.
func (f *forger) finished(role wire.Role) []byte {
	h := f.hash().New()
	h.Write(f.transcript)
	return f.schedule().Finished(f.hash(), nil, f.master, role, h)
}

// changeKeys sends a change_cipher_spec and writes with the keys behind it.
func (f *forger) changeKeys() {
	f.write(wire.ContentChangeCipherSpec, []byte{1})
	f.out.SetKeys(f.params(f.role))
}

// finish sends change_cipher_spec and Finished.
func (f *forger) finish() {
	f.changeKeys()
	f.verify = f.finished(f.role)
	f.send(&wire.Finished{VerifyData: f.verify})
}

// peerFinishes reads the victim's change_cipher_spec and Finished.
func (f *forger) peerFinishes() {
	f.Helper()
	typ, content, err := f.read()
	if err != nil || typ != wire.ContentChangeCipherSpec || len(f.rest) > 0 {
		f.Fatalf("%v %x, %v in place of change_cipher_spec", typ, content, err)
	}
	f.in.SetKeys(f.params(f.role.Peer()))
	want := f.finished(f.role.Peer())
	f.theirFinish = expect[*wire.Finished](f).VerifyData
	if string(want) != string(f.theirFinish) {
		f.Fatal("the victim's Finished does not fit our transcript")
	}
}

// renegotiationInfo is the extension of RFC 5746 with that content.
func renegotiationInfo(verifyData ...[]byte) wire.Extension {
	return wire.Extension{Type: wire.ExtRenegotiationInfo, Data: wire.AppendRenegotiationInfo(nil, bytes.Join(verifyData, nil))}
}

// asClient completes an RSA handshake with a server.
func (f *forger) asClient(extensions ...wire.Extension) *forger {
	f.Helper()
	f.greet(extensions...)
	f.serverFlight()
	f.send(&wire.ClientKeyExchange{Exchange: f.encrypt()})
	f.derive()
	f.finish()
	f.peerFinishes()
	return f
}

// asServer completes an RSA handshake with a client, showing the attacker's
// certificate.
func (f *forger) asServer(extensions ...wire.Extension) *forger {
	f.Helper()
	f.hear()
	f.respond(extensions...)
	f.keyExchange()
	f.peerFinishes()
	f.finish()
	return f
}

// hear reads a ClientHello. It begins a transcript.
func (f *forger) hear() {
	f.Helper()
	f.transcript = nil
	f.hello = *expect[*wire.ClientHello](f)
}

// respond sends a server's flight.
func (f *forger) respond(extensions ...wire.Extension) {
	random := make([]byte, 32)
	rand.Read(random)
	f.answer = wire.ServerHello{LegacyVersion: f.version, Random: random, CipherSuite: f.suite.ID, Extensions: extensions, NoExtensions: len(extensions) == 0}
	f.extended = f.answer.Extensions.Has(wire.ExtExtendedMasterSecret)
	f.send(&f.answer)
	f.send(certificateOf(testPKI().attacker.Certificate))
	f.send(&wire.ServerHelloDone{})
}

func certificateOf(chain [][]byte) *wire.Certificate {
	m := &wire.Certificate{}
	for _, der := range chain {
		m.Entries = append(m.Entries, wire.CertificateEntry{DER: der})
	}
	return m
}

// keyExchange reads the client's premaster with the attacker's key.
func (f *forger) keyExchange() {
	f.Helper()
	m := expect[*wire.ClientKeyExchange](f)
	//lint:ignore SA1019 the protocol is PKCS #1 v1.5
	opts := &rsa.PKCS1v15DecryptOptions{}
	f.premaster = must(testPKI().attacker.PrivateKey.(crypto.Decrypter).Decrypt(rand.Reader, m.Exchange, opts))
	f.derive()
}

// victim runs a client's handshake against a forger and returns the client's
// error.
func victim(t testing.TB, client *tls.Config, play func(f *forger)) error {
	t.Helper()
	n := newNetwork(t, nil)
	done := make(chan error, 1)
	go func() {
		c := tls.Client(n.client, client)
		err := c.Handshake()
		if err != nil {
			c.Close()
		}
		done <- err
	}()
	play(newForger(t, n.server, wire.Server, 0, 0))
	return <-done
}
