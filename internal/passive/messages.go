package passive

import (
	"bytes"
	"fmt"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// The most bytes of a handshake message, as the engine has it.
const (
	maxMessage     = 64 << 10
	maxHello       = 128<<10 + 328
	maxCertificate = 256 << 10
)

func budget(t wire.HandshakeType) int {
	switch t {
	case wire.TypeClientHello:
		return maxHello
	case wire.TypeCertificate, wire.TypeCompressedCertificate:
		return maxCertificate
	}
	return maxMessage
}

// handshakeContent takes the messages that are whole with content, and keeps the rest.
func (l *Listener) handshakeContent(d *direction, content []byte) {
	if len(d.hand) > 0 {
		d.hand = append(d.hand, content...)
		content = d.hand
	}
	for len(content) >= wire.HeaderLen && !d.ended {
		size := wire.HeaderLen + int(content[1])<<16 + int(content[2])<<8 + int(content[3])
		if t := wire.HandshakeType(content[0]); size > budget(t) {
			l.sum.fail(fmt.Sprintf("the %v announces a %v of %d bytes, more than any may have", d.from, t, size))
			l.stop(d)
			return
		}
		if len(content) < size {
			break
		}
		l.understand(d, content[:size:size])
		content = content[size:]
	}
	switch {
	case d.ended:
	case len(content) == 0 && cap(d.hand) > maxKept:
		d.hand = nil
	default:
		d.hand = append(d.hand[:0], content...)
	}
}

// maxKept is how much room for messages is kept while there is none to gather.
const maxKept = 4 << 10

// tell reports a message.
func (l *Listener) tell(d *direction, raw []byte, ssl2, post bool) {
	if l.hooks == nil || l.hooks.Message == nil {
		return
	}
	l.hooks.Message(trace.Message{Dir: dirOf(d.from), Raw: raw, SSL2: ssl2, PostHandshake: post, Context: l.hs.context(d.from)})
}

// understand takes in what a whole message says.
func (l *Listener) understand(d *direction, raw []byte) {
	t := wire.HandshakeType(raw[0])
	switch {
	case t == wire.TypeClientHello && d.from == wire.Client:
		l.clientHello(d, raw, false)
	case t == wire.TypeServerHello && d.from == wire.Server:
		l.tell(d, raw, false, false)
		l.serverHello(raw)
	case l.hs == nil:
		l.newHandshake().torn = true // in mid-handshake
		l.tell(d, raw, false, false)
	case l.hs.is13():
		l.understand13(d, t, raw)
	default:
		l.understand12(d, t, raw)
	}
}

// understand12 takes a message of a version up to TLS 1.2.
func (l *Listener) understand12(d *direction, t wire.HandshakeType, raw []byte) {
	hs := l.hs
	if t == wire.TypeHelloRequest {
		l.tell(d, raw, false, true)
		return
	}
	if t == wire.TypeFinished {
		l.finished12(hs, d.from)
	}
	l.tell(d, raw, false, false)
	hs.transcript.add(raw)
	m, err := wire.DecodeMessage(raw, hs.context(d.from), nil)
	if err != nil {
		return
	}
	switch m := m.(type) {
	case *wire.Certificate:
		if d.from == wire.Server && len(m.Entries) > 0 {
			hs.leaf = bytes.Clone(m.Entries[0].DER)
		}
	case *wire.ClientKeyExchange:
		hs.exchanged, hs.resumed, hs.session = true, false, hs.transcript.sum()
		hs.exchange = wire.ClientKeyExchange{Identity: bytes.Clone(m.Identity), Exchange: bytes.Clone(m.Exchange)}
		l.findMaster(hs)
	case *wire.NewSessionTicket:
		hs.ticket = bytes.Clone(m.Ticket)
	case *wire.Finished:
		hs.finished[d.from] = true
		if hs.complete() {
			l.completed12(hs)
		}
	}
}

// understand13 takes a message of TLS 1.3.
func (l *Listener) understand13(d *direction, t wire.HandshakeType, raw []byte) {
	hs := l.hs
	if hs.finished[d.from] {
		l.afterwards13(d, t, raw)
		return
	}
	if t == wire.TypeFinished {
		l.finished13(hs, d.from, &hs.transcript, nameHandshake(d.from), l.trafficOf(hs, handshaking, d.from))
	}
	l.tell(d, raw, false, false)
	hs.transcript.add(raw)
	switch t {
	case wire.TypeCompressedCertificate:
		l.inflate(d, raw)
	case wire.TypeEncryptedExtensions:
		m := new(wire.EncryptedExtensions)
		if wire.Decode(m, raw[wire.HeaderLen:], hs.context(d.from), nil) == nil {
			l.sum.alpn(m.Extensions)
		}
	case wire.TypeEndOfEarlyData:
		if d.stage == early {
			l.enter(d, handshaking)
		}
	case wire.TypeFinished:
		hs.finished[d.from] = true
		hs.alone.goOn(hs, d.from)
		if d.from == wire.Server {
			l.reveal13(hs)
		}
		l.enter(d, application)
		if hs.complete() {
			l.sum.Complete = true
		}
	}
}

// afterwards13 takes a message that comes after the Finished of its sender.
func (l *Listener) afterwards13(d *direction, t wire.HandshakeType, raw []byte) {
	hs := l.hs
	if t == wire.TypeCertificateRequest {
		hs.late = hs.transcript.clone()
	}
	ofLate := hs.late != nil && (t == wire.TypeCertificateRequest || d.from == wire.Client && t != wire.TypeKeyUpdate)
	if ofLate && t == wire.TypeFinished && d.opener != nil {
		l.finished13(hs, d.from, hs.late, nameLate, d.opener.secret)
	}
	l.tell(d, raw, false, true)
	if ofLate {
		hs.late.add(raw)
	}
	if t == wire.TypeCompressedCertificate {
		l.inflate(d, raw)
	}
	if t == wire.TypeNewSessionTicket {
		l.ticket13(hs, raw)
	}
	if t == wire.TypeKeyUpdate && d.opener != nil && d.stage == application {
		l.update(d)
	}
}
