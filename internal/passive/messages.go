package passive

import (
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
	case wire.TypeCertificate:
		return maxCertificate
	}
	return maxMessage
}

// handshakeContent takes the messages that are whole with content, and keeps the rest.
func (l *Listener) handshakeContent(d *direction, content []byte) {
	held := len(d.hand) > 0
	if held {
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
		l.message(d, content[:size:size], false)
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

// message takes one whole handshake message, or the body of a ClientHello in the format
// of SSL 2.0.
func (l *Listener) message(d *direction, raw []byte, ssl2 bool) {
	l.understand(d, raw, ssl2)
}

// tell reports a message.
func (l *Listener) tell(d *direction, raw []byte, ssl2, post bool) {
	if l.hooks == nil || l.hooks.Message == nil {
		return
	}
	l.hooks.Message(trace.Message{Dir: dirOf(d.from), Raw: raw, SSL2: ssl2, PostHandshake: post, Context: l.hs.context(d.from)})
}
