package passive

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// mayBeSSL2: the first record of a client may be in the format of SSL 2.0. RFC 5246 §E.2.
func (l *Listener) mayBeSSL2(d *direction) bool {
	return d.from == wire.Client && l.sum.Client.Records == 0 && l.hs == nil
}

// A streamError says why a direction is not read on.
type streamError string

func (e streamError) Error() string { return string(e) }

// maxFragment is the most bytes after a header, in any version. RFC 5246 §6.2.3.
const maxFragment = record.MaxCiphertext12

// refuse says why a header cannot be one.
func (l *Listener) refuse(d *direction, h record.Header) error {
	switch {
	case h.Type < wire.ContentChangeCipherSpec || h.Type > wire.ContentApplicationData || h.Version>>8 != 3:
		return streamError(fmt.Sprintf("the %v sends something here that is not a TLS record", d.from))
	case h.Length > maxFragment:
		return streamError(fmt.Sprintf("the record of the %v says that it has %d bytes, and at most %d are allowed", d.from, h.Length, maxFragment))
	}
	return nil
}

// refused reports what is no record, and ends the direction.
func (l *Listener) refused(d *direction, raw []byte) {
	h := record.ParseHeader(raw)
	err := l.refuse(d, h)
	l.sum.fail(err.Error())
	if l.hooks != nil && l.hooks.Record != nil {
		l.hooks.Record(trace.Record{Dir: dirOf(d.from), Epoch: d.epoch, Seq: d.seq, Type: h.Type, Wire: raw, Err: err})
	}
	l.stop(d)
}

// stop ends a direction: nothing more of it can be read.
func (l *Listener) stop(d *direction) { d.ended, d.buf, d.hand = true, nil, nil }

// dirOf is the direction of what a side sends, as the client sees it.
func dirOf(from wire.Role) trace.Direction {
	if from == wire.Client {
		return trace.Sent
	}
	return trace.Received
}

// ssl2 takes a ClientHello in the format of SSL 2.0, whose record has a header of its own.
func (l *Listener) ssl2(d *direction, rec []byte) {
	d.clear++
	body := rec[wire.SSL2HeaderLen:]
	l.report(d, trace.Record{Type: wire.ContentHandshake, Wire: rec, Plain: body})
	l.clientHello(d, body, true)
}

// report reports a record of d.
func (l *Listener) report(d *direction, x trace.Record) {
	if l.hooks != nil && l.hooks.Record != nil {
		x.Dir = dirOf(d.from)
		l.hooks.Record(x)
	}
}

// inTheClear takes a record that is not protected.
func (l *Listener) inTheClear(d *direction, h record.Header, rec []byte) {
	content := rec[record.HeaderLen:]
	x := trace.Record{Type: h.Type, Seq: d.clear, Wire: rec, Plain: content}
	if h.Type == wire.ContentChangeCipherSpec && l.hs.is13() && (d.from == wire.Client || d.epoch > 0) {
		x.Seq = 0 // it is counted nowhere: the engine does not either
	} else {
		d.clear++
	}
	if d.gapped && h.Type == wire.ContentHandshake && !readable(content) {
		x.Plain, x.Unopened = nil, "bytes before it are missing, and it does not begin with a handshake message: it goes on with one, or is protected"
		l.sum.unopened(x.Unopened)
		l.report(d, x)
		return
	}
	d.gapped = d.gapped && h.Type != wire.ContentHandshake
	l.report(d, x)
	l.content(d, h.Type, content)
}

// content takes what a record holds.
func (l *Listener) content(d *direction, typ wire.ContentType, content []byte) {
	switch typ {
	case wire.ContentHandshake:
		l.handshakeContent(d, content)
	case wire.ContentAlert:
		l.alert(d, content)
	case wire.ContentChangeCipherSpec:
		l.changeCipherSpec(d)
	}
}

func (l *Listener) alert(d *direction, content []byte) {
	a, err := wire.DecodeAlert(content, nil)
	if err != nil {
		return
	}
	l.sum.alert(d.from, a)
	if l.hooks != nil && l.hooks.Alert != nil {
		l.hooks.Alert(trace.Alert{Dir: dirOf(d.from), Level: a.Level, Code: a.Code})
	}
}

func grow(b []byte, n int) []byte { return slices.Grow(b, n) }
