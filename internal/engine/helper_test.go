package engine

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Two engines run against each other in memory. A test may stand between them
// and change the records, or sit in a side, as a rogue, and change its messages
// before they are sealed.

// now is when all tests take place; the certificates of testdata are valid then.
var now = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// certificate reads a certificate and its key: "ecdsa", "rsa", "ed25519" or "dsa".
func certificate(kind string) *stdtls.Certificate {
	certificates.Lock()
	defer certificates.Unlock()
	if c := certificates.byKind[kind]; c != nil {
		return c
	}
	load := stdtls.LoadX509KeyPair
	if kind == "dsa" {
		load = loadDSA
	}
	c, err := load("testdata/"+kind+".pem", "testdata/"+kind+".pem")
	if err != nil {
		panic(err)
	}
	certificates.byKind[kind] = &c
	return &c
}

var certificates = struct {
	sync.Mutex
	byKind map[string]*stdtls.Certificate
}{byKind: map[string]*stdtls.Certificate{}}

var roots = sync.OnceValue(func() *x509.CertPool {
	pem, err := os.ReadFile("testdata/ca.pem")
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		panic("no test CA")
	}
	return pool
})

// host is what the application decides, for one side of a test.
type host struct {
	external    *handshake.ExternalPSK // that the server knows
	config      handshake.Config
	certificate *stdtls.Certificate // the server's, or what the client shows; nil for none
	name        string              // that the client verifies
	tickets     *session.TicketKeys
	ids         map[string]*session.Session
	vhost       string                   // of the binding
	saved       *handshake.ClientSession // the client's last
	offer       *handshake.ClientSession // what it offers
	keyLog      []string
	refuse      error // VerifyConnection's answer
	identity    string
	key         []byte // pre-shared, of identity
	echKeys     []handshake.ECHKey
	echFails    error
	rawKey      error // VerifyKey's answer
	delegated   []*handshake.Delegated
	// again: further handshakes may run, with config; then begins one, on a client.
	again bool
	spent bool // with again false: the peer has asked as often as it may
	then  func(*link) error
}

func (h *host) VerifyPeer(ctx context.Context, s *handshake.State, chain []*x509.Certificate) ([][]*x509.Certificate, error) {
	o := certcheck.Options{Time: now, Roots: roots(), Name: h.name}
	if s.Role == wire.Server {
		o.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	return certcheck.Verify(ctx, chain, o)
}

func (h *host) VerifyConnection(*handshake.State) error { return h.refuse }

func (h *host) KeyLog(label string, _, secret []byte) error {
	h.keyLog = append(h.keyLog, fmt.Sprintf("%s %x", label, secret))
	return nil
}

func (h *host) ClientCertificate(*stdtls.CertificateRequestInfo) (*stdtls.Certificate, []stdtls.Certificate, error) {
	if h.certificate == nil {
		return &stdtls.Certificate{}, nil, nil
	}
	return h.certificate, nil, nil
}

func (h *host) LoadSession(context.Context, *handshake.State) *handshake.ClientSession {
	return h.offer
}

func (h *host) SaveSession(_ *handshake.Result, c *handshake.ClientSession) {
	if c.CreatedAt.IsZero() {
		c.CreatedAt = now
	}
	h.saved = c
}

func (h *host) ForClient(context.Context, *handshake.State) (*handshake.Config, error) {
	return nil, nil
}

func (h *host) Certificate(context.Context, *handshake.State) (*stdtls.Certificate, error) {
	return h.certificate, nil
}

func (h *host) SealTicket(_ *handshake.State, c *session.Session) ([]byte, error) {
	blob, err := c.Append(nil)
	if err != nil {
		return nil, err
	}
	return h.tickets.Seal(nil, blob, nil)
}

func (h *host) RenewTicket([]byte) bool { return true }

func (h *host) OpenTicket(_ *handshake.State, ticket []byte) *session.Session {
	blob, err := h.tickets.Open(nil, ticket, nil)
	if err != nil {
		return nil
	}
	c, err := session.Parse(blob)
	if err != nil {
		return nil
	}
	return c
}

func (h *host) PutSession(_ context.Context, id []byte, c *session.Session) error {
	h.ids[string(id)] = c
	return nil
}

func (h *host) GetSession(_ context.Context, id []byte) *session.Session { return h.ids[string(id)] }

func (h *host) Binding(*handshake.State) [32]byte { return session.Binding([]byte(h.vhost)) }

// newHost is a host with the defaults of every test: P-256 first, because it is
// the same with and without the fast primitives.
func newHost() *host {
	h := &host{name: "example.test", identity: "client", key: []byte{1, 2, 3, 4}, ids: map[string]*session.Session{}, tickets: session.NewTicketKeys(func() time.Time { return now })}
	h.tickets.Set([][32]byte{{1}})
	h.config = handshake.Config{
		Rand: rand.Reader, Time: func() time.Time { return now }, Host: h,
		Versions: []wire.Version{wire.TLS13, wire.TLS12}, Suites: modernSuites(),
		Groups: []wire.NamedGroup{wire.GroupP256, wire.GroupP384, wire.GroupX25519},
		Schemes: []wire.SignatureScheme{wire.ECDSAP256SHA256, wire.Ed25519, wire.RSAPSSRSAESHA256,
			wire.RSAPKCS1SHA256, wire.ECDSAP384SHA384},
		LogKeys: true, Certified: true,
	}
	return h
}

// modernSuites are those with RSA and ECDHE and AES or ChaCha20.
func modernSuites() []*suite.Suite {
	return slices.DeleteFunc(suite.All(), func(c *suite.Suite) bool {
		kx := c.KeyExchange
		return kx != wire.KeyExchangeNone && kx != wire.KeyExchangeECDHE && kx != wire.KeyExchangeRSA ||
			strings.Contains(c.Name, "CCM") || c.Cipher.Bits < 128 || c.Cipher.Stream != nil
	})
}

func (h *host) ClientPSK(string) (string, []byte, error) { return h.identity, h.key, nil }

func (h *host) ECHKeys(context.Context, *handshake.State) ([]handshake.ECHKey, error) {
	return h.echKeys, h.echFails
}

func (h *host) ServerPSK(identity string) ([]byte, error) {
	if identity != h.identity {
		return nil, nil
	}
	return h.key, nil
}

func newClientHost() *host {
	h := newHost()
	h.config.ServerName = "example.test"
	return h
}

func newServerHost() *host {
	h := newHost()
	h.certificate = certificate("ecdsa")
	return h
}

// side is one end of a connection under test.
type side struct {
	*Engine
	host     *host
	hooks    trace.Hooks
	received []byte   // application data
	early    []byte   // early data
	hurried  bool     // ours is sent
	err      error    // terminal
	log      []string // of events
	secrets  []string // names and values
	sent     []wire.Alert
	steps    int     // how often the engine ran
	room     int     // for one Read; 0 for 4096
	poisoned bool    // overwrite whatever buffers the engine has given back
	edits    []edit  // a rogue in its further handshakes
	expected int     // how many of those it is to complete
	ended    []error // how they did
}

func newSide(role wire.Role, h *host, edits ...edit) *side {
	s := &side{host: h}
	s.hooks = trace.Hooks{
		Record: func(r trace.Record) {
			s.logf("record %s epoch %d seq %d %s %x", r.Dir, r.Epoch, r.Seq, r.Type, r.Plain)
		},
		Message: func(m trace.Message) { s.logf("message %s %x", m.Dir, m.Raw) },
		Secret:  func(x trace.Secret) { s.secrets = append(s.secrets, fmt.Sprintf("%s %x", x.Name, x.Value)) },
		Keys:    func(k trace.Keys) { s.logf("keys %s %d %x %x %x", k.Dir, k.Epoch, k.Key, k.IV, k.MAC) },
		Choice:  func(c trace.Choice) { s.logf("choice %s %q: %s", c.What, c.Picked, c.Why) },
		Alert: func(a trace.Alert) {
			s.logf("alert %s %s %s", a.Dir, a.Level, a.Code)
			if a.Dir == trace.Sent {
				s.sent = append(s.sent, wire.Alert{Level: a.Level, Code: a.Code})
			}
		},
	}
	o := &Options{Hooks: &s.hooks, Further: s}
	if role == wire.Client && h.config.Sessions {
		o.Saves = true
	}
	s.Engine = New(role, &h.config, o)
	if len(edits) > 0 { // the same engine, with a rogue between it and its handshake
		s.hs = handshake.New(role, &h.config, &s.hooks, &rogue{(*records)(s.Engine), edits}, s.Result())
	}
	return s
}

func (s *side) logf(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

// rogue changes what its side sends. The side's own transcript has the message
// as it was: the side that is to notice must do so before a Finished does.
type rogue struct {
	handshake.Records
	edits []edit
}

// edit returns the messages to send in place of one; raw is with its header.
// The type 0xff stands for a change_cipher_spec.
type edit func(r *records, raw []byte) [][]byte

const ccs = wire.HandshakeType(0xff)

func (r *rogue) Send(raw []byte) error {
	list := [][]byte{slices.Clone(raw)}
	for _, edit := range r.edits {
		var next [][]byte
		for _, m := range list {
			next = append(next, edit(r.Records.(*records), m)...)
		}
		list = next
	}
	for _, m := range list {
		if err := r.Records.Send(m); err != nil {
			return err
		}
	}
	if len(list) == 0 { // the engine sees that the version is known
		return r.Records.Send(nil)
	}
	return nil
}

func (r *rogue) SendChangeCipherSpec() error {
	for _, edit := range r.edits {
		if edit(r.Records.(*records), []byte{byte(ccs), 0, 0, 0}) == nil {
			return (*Engine)(r.Records.(*records)).flushFlight()
		}
	}
	return r.Records.SendChangeCipherSpec()
}

// on applies f to messages of type t and lets others pass.
func on(t wire.HandshakeType, f func(raw []byte) [][]byte) edit {
	return func(_ *records, raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) != t {
			return [][]byte{raw}
		}
		return f(raw)
	}
}

// instead sends other bytes for a message.
func instead(t wire.HandshakeType, raw ...byte) edit {
	return on(t, func([]byte) [][]byte { return [][]byte{raw} })
}

// flip changes a bit of the message's byte at; from its end where negative.
func flip(t wire.HandshakeType, at int) edit {
	return on(t, func(raw []byte) [][]byte {
		i := at
		if at < 0 {
			i += len(raw)
		}
		raw[i] ^= 0x01
		return [][]byte{raw}
	})
}

// change decodes a message, has f change it, and encodes it again.
func change[M wire.Message](f func(M)) edit {
	return func(r *records, raw []byte) [][]byte {
		e := (*Engine)(r)
		c := wire.Context{Version: e.Result().Version, From: e.in.role}
		if result := e.current(); result.Suite != nil {
			c.KeyExchange = result.Suite.KeyExchange
		}
		c.CertificateType = e.current().CertificateType(c.From)
		m, err := wire.DecodeMessage(raw, c, nil)
		if err != nil {
			return [][]byte{raw}
		}
		if m, ok := m.(M); ok {
			f(m)
			return [][]byte{wire.AppendMessage(nil, m, c)}
		}
		return [][]byte{raw}
	}
}

// once lets an edit act on the first message of type t only.
func once(t wire.HandshakeType, e edit) edit { return nth(1, t, e) }

// second lets an edit act on the second message of type t only.
func second(t wire.HandshakeType, e edit) edit { return nth(2, t, e) }

// nth counts for each connection anew, so that an edit can be used again.
func nth(n int, t wire.HandshakeType, e edit) edit {
	count := map[*records]int{}
	return func(r *records, raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) == t {
			if count[r]++; count[r] == n {
				return e(r, raw)
			}
		}
		return [][]byte{raw}
	}
}

// step runs the engine as far as it goes without more input.
func (s *side) step() {
	if s.err != nil {
		return
	}
	s.steps++
	err := s.Handshake(context.Background())
	s.poison()
	if s.OffersEarly() && !s.hurried {
		s.hurried = true
		if _, err := s.Write([]byte("early")); err != nil {
			panic(err)
		}
	}
	if s.TakesEarly() || s.in.inbox != nil && s.in.inbox.early != nil {
		s.takeEarly()
	}
	room := [4096]byte{}
	buf := room[:min(cmp.Or(s.room, len(room)), len(room))]
	for err == nil {
		var n int
		n, err = s.Read(buf)
		s.received = append(s.received, buf[:n]...)
		s.poison()
	}
	if flushErr := s.flush(); errors.Is(err, ErrWantInput) && flushErr != nil {
		err = flushErr
	}
	if !errors.Is(err, ErrWantInput) {
		s.err = err
		s.Abandon()
	}
	if s.steps%2 == 0 { // it may be idle at any time
		s.IdleIn()
		s.IdleOut()
	}
}

var poison = bytes.Repeat([]byte{0xee}, 4096)

// poison writes over the buffers in the pools, as other connections would.
func (s *side) poison() {
	if s.poisoned {
		poisonPools(poison)
	}
}

// poisonPools writes with over the start of the buffers in the pools.
func poisonPools(with []byte) {
	for i := range pools {
		var taken [3]*buffer
		for j := range taken {
			taken[j] = borrow(pools[i].size)
			copy(taken[j].bytes, with)
		}
		for _, b := range taken {
			giveBack(b)
		}
	}
}

// feed gives b to the engine in pieces whose sizes size picks; nil for whole.
func (s *side) feed(b []byte, size func(left int) int) {
	for len(b) > 0 && s.err == nil {
		n := len(b)
		if size != nil {
			n = min(len(b), max(1, size(len(b))))
		}
		n = copy(s.Lend(n), b[:n])
		s.Filled(n)
		b = b[n:]
		s.step()
	}
	if len(b) == 0 && s.err == nil {
		s.step()
	}
}

// Write is the engine's, with the largest batch.
func (s *side) Write(p []byte) (int, error) { return s.Engine.Write(p, Batch) }

// take returns what the engine has to send.
func (s *side) take() []byte {
	out := slices.Clone(s.Output())
	s.Sent(len(out))
	return out
}

// end closes the stream that s reads.
func (s *side) end() {
	if s.err == nil {
		s.EOF(io.EOF)
		s.step()
	}
}

// link joins two sides.
type link struct {
	client, server *side
	// tamper may change each record, header included, on its way; nil passes all.
	tamper func(from wire.Role, rec []byte) [][]byte
	// size picks the pieces in which bytes are fed.
	size func(left int) int
}

func connect(client, server *host, edits ...edit) *link {
	return &link{client: newSide(wire.Client, client), server: newSide(wire.Server, server, edits...)}
}

// run passes bytes until both sides are silent.
func (l *link) run() *link {
	l.client.step()
	for range 200 {
		toServer := l.pass(wire.Client, l.client.take())
		l.server.feed(toServer, l.size)
		toClient := l.pass(wire.Server, l.server.take())
		l.client.feed(toClient, l.size)
		if len(toServer)+len(toClient) == 0 {
			return l
		}
	}
	panic("two engines talk for ever")
}

func (l *link) pass(from wire.Role, b []byte) []byte {
	if l.tamper == nil {
		return b
	}
	var out []byte
	for _, rec := range split(b) {
		for _, r := range l.tamper(from, rec) {
			out = append(out, r...)
		}
	}
	return out
}

// split cuts a stream into records.
func split(b []byte) (out [][]byte) {
	for len(b) > 0 {
		n := len(b)
		if len(b) >= record.HeaderLen {
			n = min(n, record.HeaderLen+record.ParseHeader(b).Length)
		}
		out = append(out, b[:n:n])
		b = b[n:]
	}
	return out
}

// clear makes a record that is not protected.
func clearRecord(typ wire.ContentType, content ...byte) []byte {
	return append(record.AppendHeader(nil, record.Header{Type: typ, Version: wire.TLS12, Length: len(content)}), content...)
}

// inject seals a record under the current keys of s.
func (s *side) inject(t testing.TB, typ wire.ContentType, content ...byte) {
	t.Helper()
	if err := s.seal(typ, content); err != nil {
		t.Fatal(err)
	}
}

// done fails the test unless both handshakes are complete and agree.
func (l *link) done(t testing.TB) *link {
	t.Helper()
	if l.client.err != nil || l.server.err != nil || !l.client.Done() || !l.server.Done() {
		t.Fatalf("client: done %v, %v\nserver: done %v, %v", l.client.Done(), l.client.err, l.server.Done(), l.server.err)
	}
	if why := l.disagree(); why != "" {
		t.Fatal(why)
	}
	return l
}

// disagree says in what the two sides' views of the connection differ.
func (l *link) disagree() string {
	c, s := l.client.Result(), l.server.Result()
	switch {
	case c.Version != s.Version, c.Suite != s.Suite, c.Group != s.Group, c.ALPN != s.ALPN:
		return fmt.Sprintf("agreed on %v and %v", c.Agreed, s.Agreed)
	case c.Secrets.Master != s.Secrets.Master, c.Secrets.Resumption != s.Secrets.Resumption:
		return "the secrets differ"
	case c.Resumption != s.Resumption, c.ExtendedMasterSecret != s.ExtendedMasterSecret, c.EncryptThenMAC != s.EncryptThenMAC:
		return fmt.Sprintf("agreed on %v and %v", c.Agreed, s.Agreed)
	case !slices.Equal(l.client.keyLog(c), l.server.keyLog(s)):
		return "the key logs differ"
	}
	return ""
}

// keyLog leaves out the secrets of early data that the server has not taken, which only the
// client has.
func (s *side) keyLog(r *handshake.Result) []string {
	if r.EarlyData == handshake.EarlyAccepted {
		return s.host.keyLog
	}
	return slices.DeleteFunc(slices.Clone(s.host.keyLog), func(line string) bool { return strings.Contains(line, "EARLY") })
}

// talk sends data both ways.
func (l *link) talk(t testing.TB) *link {
	t.Helper()
	for _, d := range []struct{ from, to *side }{{l.client, l.server}, {l.server, l.client}} {
		d.to.received = nil
		if n, err := d.from.Write([]byte("data")); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		l.run()
		if string(d.to.received) != "data" {
			t.Fatalf("received %q; %v, %v", d.to.received, d.from.err, d.to.err)
		}
	}
	return l
}

// alertOf is the alert that s sent for its error.
func (s *side) alertOf() (wire.AlertCode, bool) {
	for _, a := range s.sent {
		if a.Level == wire.LevelFatal {
			return a.Code, true
		}
	}
	return 0, false
}
