package engine

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// open deframes and opens the next record, into dst if it can. It returns
// ErrWantInput where it is not whole.
func (e *Engine) open(dst []byte) (typ wire.ContentType, content []byte, into bool, err error) {
	in := &e.in
	have := in.buf[in.r:in.w]
	if len(have) < record.HeaderLen {
		return 0, nil, false, ErrWantInput
	}
	if e.in.role == wire.Server && e.in.version == 0 && e.hs != nil && e.hs.TakesSSL2() {
		if taken, err := e.takeSSL2(have); taken || err != nil {
			return 0, nil, false, err
		}
	}
	h := record.ParseHeader(have)
	if err := e.checkHeader(h, have); err != nil {
		e.reportRefused(h, have, err)
		return 0, nil, false, err
	}
	size := record.HeaderLen + h.Length
	if len(have) < size {
		return 0, nil, false, ErrWantInput
	}
	rec := have[:size:size]
	in.r += size
	if e.plainCCS(h) || e.plainAlert(h) {
		e.reportPlain(h.Type, rec, record.HeaderLen)
		return h.Type, rec[record.HeaderLen:], false, nil
	}
	event := e.beforeOpen(rec)
	padding := 0
	if dst == nil || in.inflate != nil {
		typ, content, padding, err = in.half.Open(rec)
	} else {
		typ, content, padding, into, err = in.half.OpenInto(dst, rec)
	}
	if in.skip > 0 && in.skips(h, err) {
		return 0, nil, false, errSkipped
	}
	if err == nil && in.inflate != nil {
		in.keep() // part of a message may be what the last record has swollen to
		in.swollen, err = in.inflate.Append(in.swollen[:0], content)
		content = in.swollen
	}
	if err == nil && typ == wire.ContentChangeCipherSpec && h.Type != typ {
		err = fault(wire.AlertUnexpectedMessage, "the peer sent a protected change_cipher_spec", "RFC 8446 §5")
	}
	if err != nil {
		err = asFault(err)
		typ, content, padding, into = h.Type, nil, 0, false
	}
	if event != nil {
		event.Type, event.Plain, event.Padding, event.Err = typ, content, padding, err
		e.options.Hooks.Record(*event)
	}
	return typ, content, into, err
}

// skips reports that a record is early data that we do not accept: it does not
// open, or no keys are there yet because we have asked for another ClientHello.
// The first record that is none ends this, but for the change_cipher_spec of a client
// in compatibility mode, which stands before its early data. RFC 8446 §4.2.10, §D.4.
func (in *in) skips(h record.Header, err error) bool {
	if h.Type == wire.ContentChangeCipherSpec && err == nil {
		return false
	}
	if h.Type != wire.ContentApplicationData || err == nil && in.half.Epoch() > 0 {
		in.skip = 0
		return false
	}
	in.skip = max(0, in.skip-int32(record.HeaderLen+h.Length))
	return in.skip > 0
}

// maxEarly is the most bytes in the body of a protected record. RFC 8446 §5.2.
const maxEarly = record.MaxPlaintext + 256

// errSkipped says that a record was passed over.
var errSkipped = errors.New("engine: early data was skipped")

// checkHeader judges a record by its header, before its body has come.
func (e *Engine) checkHeader(h record.Header, raw []byte) error {
	first := e.in.half.Epoch() == 0 && e.in.version == 0
	if first && (h.Type < wire.ContentChangeCipherSpec || h.Type > wire.ContentApplicationData || h.Version>>8 != 3) {
		return notTLS(e.in.role.Peer(), raw)
	}
	if h.Type < wire.ContentChangeCipherSpec || h.Type > wire.ContentApplicationData {
		return fault(wire.AlertUnexpectedMessage, "the peer sent a record of unknown type "+h.Type.String(), "RFC 8446 §5")
	}
	if h.Version>>8 != 3 || e.profile != nil && !e.profile.PlainCCS && e.in.half.Epoch() > 0 && h.Version != e.profile.RecordVersion {
		return fault(wire.AlertProtocolVersion, "the peer's record claims to be of "+h.Version.String(), "RFC 5246 §E.1")
	}
	most := e.in.half.MaxFragment()
	if e.in.skip > 0 && h.Type == wire.ContentApplicationData {
		most = max(most, maxEarly) // early data is protected, though nothing else is
	}
	if h.Length > most {
		return fault(wire.AlertRecordOverflow, fmt.Sprintf("the peer sent a record of %d bytes; %d are allowed", h.Length, most), "RFC 8446 §5.2")
	}
	e.in.version = h.Version
	return nil
}

// takeSSL2 takes a ClientHello in the format of SSL 2.0, if that is what have
// starts with. The rest of the record is waited for. RFC 5246 §E.2.
func (e *Engine) takeSSL2(have []byte) (taken bool, err error) {
	in := &e.in
	size := wire.SSL2HelloLen(have)
	switch {
	case size == 0:
		return false, nil
	case len(have) < size:
		return false, ErrWantInput
	}
	in.r += size
	in.pseudo, in.ssl2 = handshake.SSL2Hello, have[wire.SSL2HeaderLen:size:size]
	in.version = wire.SSL30 // it is TLS from here on
	e.reportPlain(wire.ContentHandshake, have[:size], wire.SSL2HeaderLen)
	return true, nil
}

// plainCCS: TLS 1.3 never protects change_cipher_spec, which means nothing, and
// which only the handshake tolerates. RFC 8446 §5.
func (e *Engine) plainCCS(h record.Header) bool {
	return h.Type == wire.ContentChangeCipherSpec && e.profile != nil && e.profile.PlainCCS && !e.in.done && e.in.half.Epoch() > 0
}

// plainAlert: a client that cannot use our ServerHello has no keys to protect
// its alert with.
func (e *Engine) plainAlert(h record.Header) bool {
	return h.Type == wire.ContentAlert && h.Length == 2 && e.in.role == wire.Server && e.profile != nil && e.profile.PlainCCS && !e.in.done && e.in.half.Epoch() == 1
}

// beforeOpen prepares the trace's event, which wants the record as it was.
func (e *Engine) beforeOpen(rec []byte) *trace.Record {
	if e.options.Hooks == nil || e.options.Hooks.Record == nil {
		return nil
	}
	return &trace.Record{Dir: trace.Received, Epoch: e.in.half.Epoch(), Seq: e.in.half.Seq(), Wire: bytes.Clone(rec)}
}

// reportPlain reports a record in the clear, with a header of headerLen bytes.
func (e *Engine) reportPlain(t wire.ContentType, raw []byte, headerLen int) {
	if hooks := e.options.Hooks; hooks != nil && hooks.Record != nil {
		hooks.Record(trace.Record{Dir: trace.Received, Type: t, Wire: raw, Plain: raw[headerLen:]})
	}
}

// reportRefused reports a record that is refused by its header, with as much of
// it as is there: all of it where it is no record, and so has no length.
func (e *Engine) reportRefused(h record.Header, raw []byte, err error) {
	if notTLSIn(err) == nil {
		raw = raw[:min(len(raw), record.HeaderLen+h.Length)]
	}
	if event := e.beforeOpen(raw); event != nil {
		event.Type, event.Err = h.Type, err
		e.options.Hooks.Record(*event)
	}
}
