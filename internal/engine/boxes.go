package engine

import (
	"sync"

	"github.com/vitrine-tls/vitrine/internal/record"
)

// inbox is what has been received and not taken, outbox what is to be sent. A half has
// one while it is in use: an idle connection has neither.
type inbox struct {
	// buf[r:w] is what has been received and not looked at.
	buf  []byte
	lent *buffer
	r, w int
	// hand is handshake content not consumed yet. It aliases buf unless own
	// holds it: a message that runs over several records is gathered there.
	hand    []byte
	own     []byte
	plain   []byte               // application data opened and not delivered; aliases buf
	ssl2    []byte               // a ClientHello in the format of SSL 2.0
	held    []byte               // application data that came while nobody read
	early   *early               // data that came before the handshake is complete; nil for none
	inflate *record.Decompressor // nil: none
	swollen []byte               // what it has made of a record
}

type outbox struct {
	buf      []byte             // sealed bytes not sent yet
	lent     *buffer            // the pooled buffer below buf
	flight   []byte             // handshake messages not sealed yet
	deflate  *record.Compressor // nil: none
	squeezed []byte             // what it has made of a record
}

var (
	inboxes  = sync.Pool{New: func() any { return new(inbox) }}
	outboxes = sync.Pool{New: func() any { return new(outbox) }}
)

// wake makes sure that there is an inbox. What the rest of the package calls begins with
// it.
func (in *in) wake() *in {
	if in.inbox == nil {
		in.inbox = inboxes.Get().(*inbox)
	}
	return in
}

// sleep gives an inbox back with nothing in it. A compression goes on from record to record.
func (in *in) sleep() {
	b := in.inbox
	if b == nil || in.lending || in.pseudo != 0 || b.lent != nil || b.inflate != nil || len(b.hand) > 0 || len(b.plain) > 0 || len(b.held) > 0 || b.early != nil {
		return
	}
	in.inbox, *b = nil, inbox{}
	inboxes.Put(b)
}

// wake makes sure that there is an outbox.
func (o *out) wake() *out {
	if o.outbox == nil {
		o.outbox = outboxes.Get().(*outbox)
	}
	return o
}

// drop gives up all that is not sent.
func (o *out) drop() {
	if o.outbox != nil {
		giveBack(o.lent)
		*o.outbox = outbox{}
		o.sleep()
	}
}

// sleep gives back an outbox with nothing in it, and its buffer.
func (o *out) sleep() {
	b := o.outbox
	if b == nil || len(b.buf) > 0 || len(b.flight) > 0 {
		return
	}
	giveBack(b.lent)
	b.buf, b.lent = nil, nil
	if b.deflate == nil {
		o.outbox, *b = nil, outbox{}
		outboxes.Put(b)
	}
}
