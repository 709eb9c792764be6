package explain

import (
	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// handshake is one run of the handshake: the first, a renegotiation, or the
// authentication of a client after the handshake. It computes the key schedule
// again, from the values that the engine reported as its inputs and from the
// messages as they were on the wire.
type handshake struct {
	account *Connection
	// before is the run before it; nil for the first.
	before *handshake
	// late: a client is authenticated after the handshake, and its transcript
	// starts with that of the handshake. RFC 8446 §4.4, §4.6.2.
	late bool
	// torn: a listener has missed some of its messages, or may have.
	torn       bool
	transcript *transcript
	version    wire.Version
	suite      *suite.Suite // nil: not known
	exchange   wire.KeyExchange
	// hello is in an SSL 2.0-format one what that stands for; answer is nil for
	// a handshake that had none.
	hello  *wire.ClientHello
	answer *wire.ServerHello
	// limits are those of records, by who sends them.
	limits map[wire.Role]limit
	// latest is the last value of each secret, by name.
	latest map[string]*Secret
}

// split finds the runs of the handshake, and tells each event of which one it
// is part.
func (c *Connection) split() {
	hs := c.newHandshake(nil)
	for i := range c.Events {
		e := &c.Events[i]
		if m := e.Message; m != nil {
			switch {
			case m.PostHandshake && m.typ == wire.TypeCertificateRequest:
				hs = c.newHandshake(hs)
				hs.late = true
				hs.transcript.take(hs.before.transcript)
			case m.typ == wire.TypeClientHello && !m.PostHandshake && hs.transcript.Complete():
				hs = c.newHandshake(hs)
			}
			if hs.late == m.PostHandshake && m.belongs() {
				hs.transcript.add(m)
			}
			m.hs = hs
		}
		e.hs = hs
		if e.tears() && !hs.transcript.Complete() {
			hs.torn = true
		}
	}
	for _, hs := range c.handshakes {
		hs.agree()
	}
}

func (c *Connection) newHandshake(before *handshake) *handshake {
	hs := &handshake{account: c, before: before, transcript: new(transcript), latest: map[string]*Secret{}, version: wire.TLS13}
	if before != nil {
		hs.version = before.version
	}
	c.handshakes = append(c.handshakes, hs)
	return hs
}

// belongs reports that a message enters the transcript.
func (m *Message) belongs() bool {
	switch m.typ {
	case wire.TypeHelloRequest, wire.TypeKeyUpdate:
		return false
	case wire.TypeNewSessionTicket:
		return !m.PostHandshake
	}
	return true
}

// agree reads what was negotiated, as the ServerHello has it; while there is
// none, it is what was before, and at first TLS 1.3.
func (hs *handshake) agree() {
	if hs.late {
		b := hs.before
		hs.version, hs.suite, hs.exchange, hs.hello, hs.answer = b.version, b.suite, b.exchange, b.hello, b.answer
	}
	for _, m := range hs.transcript.msgs {
		if m.typ != wire.TypeServerHello {
			continue
		}
		p, err := wire.DecodeMessage(m.Raw, wire.Context{}, nil)
		if err != nil {
			return
		}
		sh := p.(*wire.ServerHello)
		hs.version, hs.exchange = helloVersion(sh), wire.KeyExchangeNone
		if hs.suite = suite.ByID(sh.CipherSuite); hs.suite != nil {
			hs.exchange = hs.suite.KeyExchange
		}
	}
}

func (hs *handshake) context() wire.Context {
	return wire.Context{Version: hs.version, KeyExchange: hs.exchange}
}

// read takes what the decoded hellos say.
func (hs *handshake) read() {
	for _, m := range hs.transcript.msgs {
		switch p := m.counting().parsed.(type) {
		case *wire.ClientHello:
			hs.hello = p
		case *wire.SSL2ClientHello:
			hs.hello = p.Hello()
		case *wire.ServerHello:
			hs.answer = p
		}
	}
	hs.limits = hs.recordLimits()
}

func (hs *handshake) randoms() (client, server []byte) {
	if hs.hello != nil {
		client = hs.hello.Random
	}
	if hs.answer != nil {
		server = hs.answer.Random
	}
	return client, server
}

// compressed reports that DEFLATE was agreed.
func (hs *handshake) compressed() bool {
	return hs.answer != nil && hs.version < wire.TLS13 && hs.answer.CompressionMethod == wire.CompressionDeflate
}

// known is the last value of a secret; what happens after the handshake can
// start from its secrets.
func (hs *handshake) known(name string) *Secret {
	if s := hs.latest[name]; s != nil || !hs.late {
		return s
	}
	return hs.before.known(name)
}

func (hs *handshake) value(name string) []byte {
	if s := hs.known(name); s != nil {
		return s.Value
	}
	return nil
}

// current is the name of a side's traffic secret in use: the last one reported.
func (hs *handshake) current(side wire.Role) string {
	for n := 0; ; n++ {
		if hs.known(recompute.TrafficSecret(side, n+1)) == nil {
			return recompute.TrafficSecret(side, n)
		}
	}
}

// limit is the most content and padding of a record that its receiver takes, and
// by what.
type limit struct {
	bytes int // 0: what the protocol allows
	by    string
}

// recordLimits are those of RFC 6066 §4 and, which goes before it, RFC 8449.
func (hs *handshake) recordLimits() map[wire.Role]limit {
	if hs.hello == nil || hs.answer == nil {
		return nil
	}
	offer, answer := hs.hello.Extensions, hs.answer.Extensions
	if p, ok := hs.transcript.last(wire.TypeEncryptedExtensions, wire.Server).(*wire.EncryptedExtensions); ok {
		answer = p.Extensions
	}
	sizeLimit := func(x wire.Extensions) (n uint16) {
		_, _ = x.Read(wire.ExtRecordSizeLimit, func(r *wire.Reader) { n = wire.ReadRecordSizeLimit(r) })
		return n
	}
	if ofClient, ofServer := sizeLimit(offer), sizeLimit(answer); ofClient > 0 && ofServer > 0 {
		const by = "record_size_limit"
		inner := 0
		if hs.version >= wire.TLS13 { // the content's type counts too
			inner = 1
		}
		return map[wire.Role]limit{wire.Server: {int(ofClient) - inner, by}, wire.Client: {int(ofServer) - inner, by}}
	}
	var code wire.MaxFragmentLength
	_, _ = answer.Read(wire.ExtMaxFragmentLength, func(r *wire.Reader) { code = wire.ReadMaxFragmentLength(r) })
	if code.Size() == 0 || !offer.Has(wire.ExtMaxFragmentLength) {
		return nil
	}
	both := limit{bytes: code.Size(), by: "max_fragment_length"}
	return map[wire.Role]limit{wire.Server: both, wire.Client: both}
}

// broken reports that x has more than the limit allows.
func (l limit) broken(x recompute.Opened) bool {
	return l.bytes > 0 && len(x.Content)+x.Padding > l.bytes
}
