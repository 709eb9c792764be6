package explain

import (
	"bufio"
	"bytes"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A tape is a recorded TLS 1.3 connection: a private key of the client's and
// the records of both sides.
type tape struct {
	private *ecdh.PrivateKey
	records []taped
}

type taped struct {
	dir  trace.Direction // as the client sees it
	wire []byte
}

func readTape(t testing.TB, name string) tape {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out tape
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		words := strings.Fields(s.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		b, err := hex.DecodeString(words[len(words)-1])
		if err != nil {
			t.Fatal(err)
		}
		switch words[0] {
		case "private":
			curve := map[string]ecdh.Curve{"x25519": ecdh.X25519(), "secp256r1": ecdh.P256()}[words[1]]
			if out.private, err = curve.NewPrivateKey(b); err != nil {
				t.Fatal(err)
			}
		case "client":
			out.records = append(out.records, taped{trace.Sent, b})
		case "server":
			out.records = append(out.records, taped{trace.Received, b})
		}
	}
	return out
}

// player makes of a tape what the engine would report, with the engine's own
// key schedule and record layer. Only what the tests need is here: TLS 1.3
// with TLS_AES_128_GCM_SHA256, seen from the client.
type player struct {
	t          testing.TB
	h          *trace.Hooks
	suite      *suite.Suite
	halves     map[trace.Direction]*record.Half
	seq        map[trace.Direction]uint64
	pending    map[trace.Direction][]byte
	transcript []byte
	values     map[string][]byte
	private    *ecdh.PrivateKey
	// alter may change any event before it is reported.
	alter func(any) any
}

// collect plays a tape into a Collector whose clock ticks 250 µs an event.
func collect(t testing.TB, tp tape, alter func(any) any) *Collector {
	t.Helper()
	now := time.Unix(0, 0)
	c := &Collector{Now: func() time.Time {
		now = now.Add(250 * time.Microsecond)
		return now
	}}
	p := &player{t: t, h: c.Hooks(), suite: suite.ByID(wire.TLS_AES_128_GCM_SHA256), private: tp.private, alter: alter,
		halves:  map[trace.Direction]*record.Half{trace.Sent: {}, trace.Received: {}},
		seq:     map[trace.Direction]uint64{},
		pending: map[trace.Direction][]byte{},
		values:  map[string][]byte{},
	}
	for _, r := range tp.records {
		p.play(r)
	}
	return c
}

func (p *player) emit(e any) {
	if p.alter != nil {
		e = p.alter(e)
	}
	switch e := e.(type) {
	case trace.Record:
		p.h.Record(e)
	case trace.Message:
		p.h.Message(e)
	case trace.Secret:
		p.h.Secret(e)
	case trace.Keys:
		p.h.Keys(e)
	case trace.Choice:
		p.h.Choice(e)
	case trace.Alert:
		p.h.Alert(e)
	}
}

// play reports one record and its content: records after what they carry if
// sent, before it if received.
func (p *player) play(r taped) {
	half := p.halves[r.dir]
	typ, content, padding, err := half.Open(bytes.Clone(r.wire))
	if err != nil {
		p.t.Fatal(err)
	}
	ev := trace.Record{Dir: r.dir, Epoch: half.Epoch(), Seq: half.Seq() - 1, Type: typ, Wire: r.wire, Plain: content, Padding: padding}
	if r.dir == trace.Received {
		p.emit(ev)
	}
	var then []func()
	switch typ {
	case wire.ContentHandshake:
		then = p.handshake(r.dir, content, half.Epoch() == 2)
	case wire.ContentAlert:
		a, err := wire.DecodeAlert(content, nil)
		if err != nil {
			p.t.Fatal(err)
		}
		p.emit(trace.Alert{Dir: r.dir, Level: a.Level, Code: a.Code})
	}
	if r.dir == trace.Sent {
		p.emit(ev)
	}
	for _, f := range then {
		f()
	}
}

// handshake reports the messages in content and returns what follows them.
func (p *player) handshake(dir trace.Direction, content []byte, post bool) (then []func()) {
	for len(content) > 0 {
		raw := content[:wire.MessageLen(content)]
		content = content[len(raw):]
		typ := wire.HandshakeType(raw[0])
		if typ == wire.TypeFinished {
			p.finished(dir)
		}
		p.emit(trace.Message{Dir: dir, Raw: raw, Context: p.context(typ), PostHandshake: post})
		if !post {
			p.enter(typ, raw)
		}
		switch {
		case typ == wire.TypeServerHello:
			var sh wire.ServerHello
			if err := wire.Decode(&sh, raw[wire.HeaderLen:], wire.Context{}, nil); err != nil {
				p.t.Fatal(err)
			}
			if !sh.IsRetry() {
				p.choices(&sh)
				p.handshakeSecrets(&sh)
			}
		case typ == wire.TypeFinished && dir == trace.Received:
			p.applicationSecrets()
		case typ == wire.TypeFinished:
			then = append(then, p.complete)
		case typ == wire.TypeNewSessionTicket:
			var m wire.NewSessionTicket
			if err := wire.Decode(&m, raw[wire.HeaderLen:], wire.Context{Version: wire.TLS13}, nil); err != nil {
				p.t.Fatal(err)
			}
			p.expand("resumption_psk", "resumption_master_secret", keys.LabelResumption, m.Nonce, "ticket_nonce")
		}
	}
	return then
}

func (p *player) context(typ wire.HandshakeType) wire.Context {
	if typ == wire.TypeClientHello || typ == wire.TypeServerHello {
		return wire.Context{}
	}
	return wire.Context{Version: wire.TLS13}
}

// enter adds a message to the transcript; a first ClientHello that was not
// good enough is replaced by its hash. RFC 8446 §4.4.1.
func (p *player) enter(typ wire.HandshakeType, raw []byte) {
	if typ == wire.TypeServerHello && bytes.Contains(raw, wire.HelloRetryRandom[:]) {
		sum := sha256.Sum256(p.transcript)
		p.transcript = append([]byte{byte(wire.TypeMessageHash), 0, 0, 32}, sum[:]...)
	}
	p.transcript = append(p.transcript, raw...)
}

func (p *player) digest() []byte {
	sum := sha256.Sum256(p.transcript)
	return sum[:]
}

func (p *player) choices(sh *wire.ServerHello) {
	p.emit(trace.Choice{What: "version", By: wire.Server, Ours: []string{"TLS 1.3"}, Picked: "TLS 1.3",
		Why: "the newest that both sides speak", Ref: "RFC 8446 §4.2.1"})
	p.emit(trace.Choice{What: "cipher suite", By: wire.Server, Picked: sh.CipherSuite.String(),
		Ours: []string{"TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"},
		Why:  "the server's choice from our list", Ref: "RFC 8446 §4.1.3"})
}

func (p *player) secret(s trace.Secret) {
	p.values[s.Name] = s.Value
	s.Hash = p.suite.Hash.Name
	p.emit(s)
}

func (p *player) expand(name, from, label string, input []byte, is string) {
	value := keys.DeriveSecret(p.suite.Hash, nil, p.values[from], label, input)
	p.secret(trace.Secret{Name: name, How: "HKDF-Expand-Label", From: from, Label: label, Input: input, InputIs: is, Value: value})
}

func (p *player) keys(dir trace.Direction, secret, label string) {
	key, iv := make([]byte, 16), make([]byte, 12)
	keys.TrafficKeys(p.suite, p.values[secret], key, iv)
	half := p.halves[dir]
	half.SetKeys(record.Params{Version: wire.TLS13, Suite: p.suite, Key: key, IV: iv})
	p.emit(trace.Keys{Dir: dir, Epoch: half.Epoch(), Version: wire.TLS13, Suite: p.suite.ID, Secret: secret, Label: label, Key: key, IV: iv})
}

func (p *player) handshakeSecrets(sh *wire.ServerHello) {
	h, zeros := p.suite.Hash, make([]byte, 32)
	p.secret(trace.Secret{Name: "early_secret", How: "HKDF-Extract", Salt: "0", Input: zeros, Value: keys.Extract(h, nil, nil, nil)})
	var share []byte
	if _, err := sh.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { share = wire.ReadKeyShare(r).Share }); err != nil {
		p.t.Fatal(err)
	}
	public, err := p.private.Curve().NewPublicKey(share)
	if err != nil {
		p.t.Fatal(err)
	}
	shared, err := p.private.ECDH(public)
	if err != nil {
		p.t.Fatal(err)
	}
	p.secret(trace.Secret{Name: "shared_secret", How: "ECDHE", Value: shared})
	p.expand("derived_early", "early_secret", keys.LabelDerived, keys.EmptyHash(h), "the empty string")
	p.secret(trace.Secret{Name: "handshake_secret", How: "HKDF-Extract", Salt: "derived_early", From: "shared_secret", Input: shared,
		Value: keys.Extract(h, nil, p.values["derived_early"], shared)})
	const upTo = "ClientHello..ServerHello"
	p.expand("client_handshake_traffic_secret", "handshake_secret", keys.LabelClientHandshakeTraffic, p.digest(), upTo)
	p.expand("server_handshake_traffic_secret", "handshake_secret", keys.LabelServerHandshakeTraffic, p.digest(), upTo)
	p.keys(trace.Sent, "client_handshake_traffic_secret", "handshake")
	p.keys(trace.Received, "server_handshake_traffic_secret", "handshake")
}

func (p *player) finished(dir trace.Direction) {
	side := "client"
	if dir == trace.Received {
		side = "server"
	}
	p.expand(side+"_finished_key", side+"_handshake_traffic_secret", keys.LabelFinished, nil, "nothing")
	p.secret(trace.Secret{Name: side + "_verify_data", How: "HMAC", From: side + "_finished_key", Input: p.digest(),
		Value: keys.Finished13(p.suite.Hash, nil, p.values[side+"_handshake_traffic_secret"], p.digest())})
}

func (p *player) applicationSecrets() {
	h := p.suite.Hash
	p.expand("derived_handshake", "handshake_secret", keys.LabelDerived, keys.EmptyHash(h), "the empty string")
	p.secret(trace.Secret{Name: "master_secret", How: "HKDF-Extract", Salt: "derived_handshake", Input: make([]byte, 32),
		Value: keys.Extract(h, nil, p.values["derived_handshake"], nil)})
	const upTo = "ClientHello..server Finished"
	p.expand("client_application_traffic_secret_0", "master_secret", keys.LabelClientTraffic, p.digest(), upTo)
	p.expand("server_application_traffic_secret_0", "master_secret", keys.LabelServerTraffic, p.digest(), upTo)
	p.expand("exporter_master_secret", "master_secret", keys.LabelExporter, p.digest(), upTo)
	p.keys(trace.Received, "server_application_traffic_secret_0", "application")
}

func (p *player) complete() {
	p.expand("resumption_master_secret", "master_secret", keys.LabelResumptionMaster, p.digest(), "ClientHello..client Finished")
	p.keys(trace.Sent, "client_application_traffic_secret_0", "application")
}
