package passive

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// handshake is what the messages of one run of the handshake have agreed on.
type handshake struct {
	hello   *wire.ClientHello
	answer  *wire.ServerHello // nil before it has come
	version wire.Version
	suite   *suite.Suite
}

// context is that of a message of from's. hs may be nil.
func (hs *handshake) context(from wire.Role) wire.Context {
	c := wire.Context{From: from}
	if hs != nil && hs.answer != nil {
		c.Version = hs.version
		if hs.suite != nil {
			c.KeyExchange = hs.suite.KeyExchange
		}
	}
	return c
}

// understand takes in what a message says.
func (l *Listener) understand(d *direction, raw []byte, ssl2 bool) {
	switch t := wire.HandshakeType(raw[0]); {
	case t == wire.TypeClientHello && d.from == wire.Client:
		l.clientHello(d, raw, ssl2)
	case t == wire.TypeServerHello && d.from == wire.Server:
		l.tell(d, raw, false, false)
		l.serverHello(raw)
	default:
		l.tell(d, raw, false, false)
	}
}

func (l *Listener) clientHello(d *direction, raw []byte, ssl2 bool) {
	l.tell(d, raw, ssl2, false)
	raw = bytes.Clone(raw) // the hello is kept
	var hello *wire.ClientHello
	if ssl2 {
		m := new(wire.SSL2ClientHello)
		if wire.Decode(m, raw, wire.Context{}, nil) != nil {
			return
		}
		hello = m.Hello()
	} else if hello = new(wire.ClientHello); wire.Decode(hello, raw[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return
	}
	if l.sum.ClientHello == nil {
		l.sum.ClientHello = raw
	}
	l.hs = &handshake{hello: hello}
	l.sum.hello(hello)
}

func (l *Listener) serverHello(raw []byte) {
	raw = bytes.Clone(raw)
	answer := new(wire.ServerHello)
	if wire.Decode(answer, raw[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return
	}
	if l.hs == nil {
		l.hs = new(handshake)
	}
	if answer.IsRetry() {
		l.sum.HelloRetry = true
		return
	}
	l.sum.ServerHello = raw
	hs := l.hs
	hs.answer, hs.version, hs.suite = answer, versionOf(answer), suite.ByID(answer.CipherSuite)
	l.sum.answer(hs)
	if hs.version >= wire.TLS13 {
		for _, from := range []wire.Role{wire.Client, wire.Server} {
			l.dirs[from].epoch, l.dirs[from].seq = 1, 0
		}
	}
}

// versionOf is the version that a ServerHello selects. RFC 8446 §4.2.1.
func versionOf(m *wire.ServerHello) wire.Version {
	v := m.LegacyVersion
	_, _ = m.Extensions.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { v = wire.U16[wire.Version](r, "selected_version") })
	return v
}

// changeCipherSpec begins a new epoch up to TLS 1.2. In TLS 1.3 it means nothing.
func (l *Listener) changeCipherSpec(d *direction) {
	if l.hs != nil && l.hs.answer != nil && l.hs.version >= wire.TLS13 {
		return
	}
	if l.hs != nil && l.hs.answer == nil && l.hs.hello != nil && l.hs.hello.Extensions.Has(wire.ExtSupportedVersions) {
		return // a client of TLS 1.3 in compatibility mode, between its hellos
	}
	d.epoch, d.seq = d.epoch+1, 0
}

// protects reports that a record with that header is protected.
func (l *Listener) protects(d *direction, h record.Header) bool {
	switch {
	case d.epoch == 0:
		return h.Type == wire.ContentApplicationData
	case l.hs != nil && l.hs.version >= wire.TLS13:
		return h.Type == wire.ContentApplicationData
	}
	return true
}

// protected takes a protected record.
func (l *Listener) protected(d *direction, h record.Header, rec []byte) {
	d.seq++
	if h.Type == wire.ContentChangeCipherSpec {
		l.changeCipherSpec(d)
	}
}
