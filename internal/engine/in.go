package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Budgets against peers that keep us busy for nothing.
const (
	maxMessage     = 64 << 10  // a handshake message
	maxCertificate = 256 << 10 // a Certificate
	maxHalted      = 16        // records in a row that do not advance anything
	maxUpdates     = 32        // KeyUpdates in a row without application data
	maxSkipped     = 64 << 10  // bytes of early data that we do not accept
)

// in is the half that reads.
type in struct {
	half   record.Half
	secret [48]byte // the traffic secret, TLS 1.3
	// buf[r:w] is what has been received and not looked at.
	buf  []byte
	lent *buffer
	r, w int
	// hand is handshake content not consumed yet. It aliases buf unless own
	// holds it: a message that runs over several records is gathered there.
	hand  []byte
	own   []byte
	plain []byte // application data opened and not delivered; aliases buf
	err   error  // terminal

	secretLen int
	updates   int // KeyUpdates received in all
	inARow    int // KeyUpdates since the last application data
	halted    int
	skip      int          // bytes of early data that may still be passed over
	ccs       bool         // a change_cipher_spec waits to be consumed
	version   wire.Version // of the records from now on, once known
}

// Lend returns room for at least min bytes to receive into; Filled tells how
// many came. The room is valid until then.
func (e *Engine) Lend(min int) []byte {
	in := &e.in
	if in.w == in.r && len(in.hand) == 0 && len(in.plain) == 0 {
		in.r, in.w = 0, 0
	}
	switch {
	case in.buf == nil:
		in.lent = borrow(min)
		in.buf = in.lent.bytes
	case len(in.buf)-in.w >= min:
	default:
		in.move(in.w - in.r + min)
	}
	return in.buf[in.w:]
}

// move brings what was received to the start of a buffer of at least size.
func (in *in) move(size int) {
	in.keep()
	old, lent := in.buf, in.lent
	if size > len(old) {
		in.lent = borrow(size)
		in.buf = in.lent.bytes
	}
	in.w = copy(in.buf, old[in.r:in.w])
	in.r = 0
	if lent != in.lent {
		giveBack(lent)
	}
}

// keep saves what aliases the buffer. Undelivered data never needs it: Read
// takes it all before more is received.
func (in *in) keep() {
	if len(in.hand) > 0 && !in.owned() {
		in.own = append(in.own[:0], in.hand...)
		in.hand = in.own
	}
}

func (in *in) owned() bool {
	return len(in.own) > 0 && len(in.hand) > 0 && len(in.hand) <= len(in.own) && &in.own[len(in.own)-1] == &in.hand[len(in.hand)-1]
}

// Filled says that n bytes were received into what Lend returned.
func (e *Engine) Filled(n int) { e.in.w += n }

// Want is how many more bytes the next record needs at least.
func (e *Engine) Want() int {
	in := &e.in
	have := in.w - in.r
	if have < record.HeaderLen {
		return record.HeaderLen - have
	}
	return max(1, record.HeaderLen+record.ParseHeader(in.buf[in.r:]).Length-have)
}

// EOF says that the peer's stream has ended; err is io.EOF or why it broke.
func (e *Engine) EOF(err error) {
	if e.in.err != nil {
		return
	}
	if errors.Is(err, io.EOF) {
		err = ErrTruncated
		if !e.done {
			err = &handshake.Error{Received: true, Rule: "the peer closed the connection during the handshake", Err: io.ErrUnexpectedEOF,
				Hint: "it may not speak TLS here, or refuse us without saying why"}
		}
	}
	e.in.err = err
	e.in.drop()
}

// Unlend gives back what Lend returned where nothing came.
func (e *Engine) Unlend() { e.settle() }

// settle gives the buffer back once nothing in it is needed.
func (e *Engine) settle() {
	in := &e.in
	if len(in.plain) == 0 {
		in.plain = nil // an empty slice would keep the buffer alive
	}
	if in.r == in.w && in.plain == nil && (len(in.hand) == 0 || in.owned()) {
		giveBack(in.lent)
		in.buf, in.lent, in.r, in.w = nil, nil, 0, 0
	}
	if len(in.hand) == 0 {
		in.hand, in.own = nil, nil
	}
}

func (in *in) drop() {
	giveBack(in.lent)
	in.buf, in.lent, in.r, in.w, in.plain, in.hand, in.own = nil, nil, 0, 0, nil, nil, nil
}

// Read copies application data to p. It returns ErrWantInput where nothing is
// there; other errors are terminal: io.EOF after a close_notify. It needs a
// complete handshake.
func (e *Engine) Read(p []byte) (n int, err error) {
	in := &e.in
	for n < len(p) {
		if len(in.plain) > 0 {
			m := copy(p[n:], in.plain)
			in.plain = in.plain[m:]
			n += m
			continue
		}
		if err = e.pump(p, &n); err != nil {
			break
		}
	}
	e.settle()
	if n > 0 {
		return n, nil // a terminal error stays for the next call
	}
	return n, err
}

// pump handles one record after the handshake. Application data is opened
// straight into p[*n:] where it fits, else left in plain.
func (e *Engine) pump(p []byte, n *int) error {
	in := &e.in
	if in.err != nil {
		return in.err
	}
	if len(in.hand) > 0 { // what came with the peer's last handshake record
		if err := e.postHandshake(); err != nil {
			return e.fail(err)
		}
	}
	typ, content, into, err := e.open(p[*n:])
	if err != nil {
		if err == ErrWantInput {
			return err
		}
		return e.fail(err)
	}
	if typ != wire.ContentApplicationData {
		if into { // the room is the caller's: a message may need more records
			content = bytes.Clone(content)
		}
		if err := e.other(typ, content); err != nil {
			return e.fail(err)
		}
		return in.err
	}
	if len(in.hand) > 0 {
		return e.fail(interleaved(typ))
	}
	if len(content) == 0 {
		return e.halt("empty records")
	}
	in.halted, in.inARow = 0, 0
	if into {
		*n += len(content)
	} else {
		in.plain = content
	}
	return nil
}

// other handles a record that is no application data, after the handshake.
func (e *Engine) other(typ wire.ContentType, content []byte) error {
	switch typ {
	case wire.ContentHandshake:
		if err := e.gather(content); err != nil {
			return err
		}
		return e.postHandshake()
	case wire.ContentAlert:
		return e.alert(content)
	}
	return fault(wire.AlertUnexpectedMessage, "the peer sent a record of type "+typ.String()+" after the handshake", "RFC 8446 §5")
}

func (e *Engine) postHandshake() error {
	in := &e.in
	for {
		size, err := e.messageLen()
		if err != nil || size == 0 {
			return err
		}
		msg := in.hand[:size]
		in.hand = in.hand[size:]
		if err := e.halt("handshake messages"); err != nil {
			return err
		}
		p := handshake.Post{Role: e.role, Result: &e.result, Hooks: e.options.Hooks, Saver: e.options.Saver,
			UpdateIn: e.updateIn, Reply: e.control.keyUpdate,
			Warn: func(c wire.AlertCode) { e.control.alert(wire.Alert{Level: wire.LevelWarning, Code: c}, nil) }}
		if err := p.Receive(msg); err != nil {
			return err
		}
	}
}

// updateIn moves to the peer's next traffic secret. RFC 8446 §4.6.3.
func (e *Engine) updateIn() error {
	in := &e.in
	if len(in.hand) > 0 {
		return fault(wire.AlertUnexpectedMessage, "a handshake message runs across a change of keys", "RFC 8446 §5.1")
	}
	if in.inARow++; in.inARow > maxUpdates {
		return fault(wire.AlertUnexpectedMessage, fmt.Sprintf("the peer sent %d KeyUpdates without data between them", in.inARow), "RFC 8446 §4.6.3")
	}
	in.halted = 0
	in.updates++
	(*records)(e).InstallIn(handshake.NextKeys(e.result.Suite, in.secret[:in.secretLen], e.role.Peer(), in.updates, e.options.Hooks))
	return nil
}

// halt counts what does not advance the connection.
func (e *Engine) halt(what string) error {
	if e.in.halted++; e.in.halted > maxHalted {
		return e.fail(fault(wire.AlertUnexpectedMessage, fmt.Sprintf("the peer sent more than %d %s in a row that do nothing", maxHalted, what), ""))
	}
	return nil
}

func fault(alert wire.AlertCode, rule, ref string) error {
	return &handshake.Error{Alert: alert, Rule: rule, Ref: ref}
}

func interleaved(typ wire.ContentType) error {
	return fault(wire.AlertUnexpectedMessage, "a record of type "+typ.String()+" came inside a handshake message", "RFC 8446 §5.1")
}

// nextMessage finds the next handshake message or change_cipher_spec, for the
// driver.
func (e *Engine) nextMessage() (msg []byte, ccs, ok bool, err error) {
	in := &e.in
	for {
		if in.ccs {
			return nil, true, true, nil
		}
		size, err := e.messageLen()
		if err != nil {
			return nil, false, false, err
		}
		if size > 0 {
			return in.hand[:size], false, true, nil
		}
		typ, content, _, err := e.open(nil)
		if err == errSkipped {
			continue
		}
		if err == ErrWantInput {
			return nil, false, false, nil
		}
		if err == nil {
			err = e.handshakeRecord(typ, content)
		}
		if err != nil {
			return nil, false, false, err
		}
		if in.err != nil {
			return nil, false, false, in.err
		}
	}
}

// handshakeRecord takes in one record during the handshake.
func (e *Engine) handshakeRecord(typ wire.ContentType, content []byte) error {
	in := &e.in
	switch typ {
	case wire.ContentHandshake:
		return e.gather(content)
	case wire.ContentAlert:
		return e.alert(content)
	case wire.ContentChangeCipherSpec:
		if len(content) != 1 || content[0] != wire.ChangeCipherSpecContent {
			return fault(wire.AlertUnexpectedMessage, "the change_cipher_spec's content is not 1", "RFC 8446 §5")
		}
		if len(in.hand) > 0 {
			return interleaved(typ)
		}
		if e.profile != nil && e.profile.PlainCCS {
			return e.halt("change_cipher_spec records")
		}
		in.ccs = true
		return nil
	}
	return fault(wire.AlertUnexpectedMessage, "the peer sent "+typ.String()+" during the handshake", "RFC 8446 §5")
}

// gather adds the content of a handshake record to what is there.
func (e *Engine) gather(content []byte) error {
	in := &e.in
	if len(content) == 0 {
		return fault(wire.AlertUnexpectedMessage, "the peer sent an empty handshake record", "RFC 8446 §5.1")
	}
	if len(in.hand) == 0 {
		in.hand, in.own = content, in.own[:0]
		return nil
	}
	in.keep()
	in.own = append(in.hand, content...)
	in.hand = in.own
	return nil
}

// messageLen is the size of the handshake message at hand, 0 while it is not
// whole. One that claims too much is refused before it has come.
func (e *Engine) messageLen() (int, error) {
	size := wire.MessageLen(e.in.hand)
	if size == 0 {
		return 0, nil
	}
	most := maxMessage
	if t := wire.HandshakeType(e.in.hand[0]); t == wire.TypeCertificate {
		most = maxCertificate
	}
	if size > most {
		return 0, fault(wire.AlertIllegalParameter, fmt.Sprintf("the peer announces a %s of %d bytes; the most we take is %d",
			wire.HandshakeType(e.in.hand[0]), size, most), "")
	}
	if size > len(e.in.hand) {
		return 0, nil
	}
	return size, nil
}

// open deframes and opens the next record, into dst if it can. It returns
// ErrWantInput where it is not whole.
func (e *Engine) open(dst []byte) (typ wire.ContentType, content []byte, into bool, err error) {
	in := &e.in
	have := in.buf[in.r:in.w]
	if len(have) < record.HeaderLen {
		return 0, nil, false, ErrWantInput
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
		e.reportPlain(h, rec)
		return h.Type, rec[record.HeaderLen:], false, nil
	}
	event := e.beforeOpen(rec)
	padding := 0
	if dst == nil {
		typ, content, padding, err = in.half.Open(rec)
	} else {
		typ, content, padding, into, err = in.half.OpenInto(dst, rec)
	}
	if in.skip > 0 && in.early(h, err) {
		return 0, nil, false, errSkipped
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

// early reports that a record is early data that we do not accept: it does not
// open, or no keys are there yet because we have asked for another ClientHello.
// The first record that is none ends this. RFC 8446 §4.2.10.
func (in *in) early(h record.Header, err error) bool {
	if h.Type != wire.ContentApplicationData || err == nil && in.half.Epoch() > 0 {
		in.skip = 0
		return false
	}
	in.skip = max(0, in.skip-record.HeaderLen-h.Length)
	return in.skip > 0
}

// errSkipped says that a record was passed over.
var errSkipped = errors.New("engine: early data was skipped")

// plainCCS: TLS 1.3 never protects change_cipher_spec, which means nothing, and
// which only the handshake tolerates. RFC 8446 §5.
func (e *Engine) plainCCS(h record.Header) bool {
	return h.Type == wire.ContentChangeCipherSpec && e.profile != nil && e.profile.PlainCCS && !e.done && e.in.half.Epoch() > 0
}

// plainAlert: a client that cannot use our ServerHello has no keys to protect
// its alert with.
func (e *Engine) plainAlert(h record.Header) bool {
	return h.Type == wire.ContentAlert && h.Length == 2 && e.role == wire.Server && e.profile != nil && e.profile.PlainCCS && !e.done && e.in.half.Epoch() == 1
}

func (e *Engine) reportPlain(h record.Header, raw []byte) {
	if hooks := e.options.Hooks; hooks != nil && hooks.Record != nil {
		hooks.Record(trace.Record{Dir: trace.Received, Type: h.Type, Wire: raw, Plain: raw[record.HeaderLen:]})
	}
}

// reportRefused reports a record that is refused by its header, with as much of
// it as is there: all of it where it is no record, and so has no length.
func (e *Engine) reportRefused(h record.Header, raw []byte, err error) {
	if !silent(err) {
		raw = raw[:min(len(raw), record.HeaderLen+h.Length)]
	}
	if event := e.beforeOpen(raw); event != nil {
		event.Type, event.Err = h.Type, err
		e.options.Hooks.Record(*event)
	}
}

// beforeOpen prepares the trace's event, which wants the record as it was.
func (e *Engine) beforeOpen(rec []byte) *trace.Record {
	if e.options.Hooks == nil || e.options.Hooks.Record == nil {
		return nil
	}
	return &trace.Record{Dir: trace.Received, Epoch: e.in.half.Epoch(), Seq: e.in.half.Seq(), Wire: bytes.Clone(rec)}
}

// checkHeader judges a record by its header, before its body has come.
func (e *Engine) checkHeader(h record.Header, raw []byte) error {
	first := e.in.half.Epoch() == 0 && e.in.version == 0
	if first && (h.Type < wire.ContentChangeCipherSpec || h.Type > wire.ContentApplicationData || h.Version>>8 != 3) {
		return notTLS(e.role.Peer(), raw)
	}
	if h.Type < wire.ContentChangeCipherSpec || h.Type > wire.ContentApplicationData {
		return fault(wire.AlertUnexpectedMessage, "the peer sent a record of unknown type "+h.Type.String(), "RFC 8446 §5")
	}
	if h.Version>>8 != 3 || e.profile != nil && !e.profile.PlainCCS && e.in.half.Epoch() > 0 && h.Version != e.profile.RecordVersion {
		return fault(wire.AlertProtocolVersion, "the peer's record claims to be of "+h.Version.String(), "RFC 5246 §E.1")
	}
	if h.Length > e.in.half.MaxFragment() {
		return fault(wire.AlertRecordOverflow, fmt.Sprintf("the peer sent a record of %d bytes; %d are allowed", h.Length, e.in.half.MaxFragment()), "RFC 8446 §5.2")
	}
	e.in.version = h.Version
	return nil
}

// notTLS says in plain words what came instead.
func notTLS(from wire.Role, raw []byte) error {
	e := &NotTLSError{Reason: fmt.Sprintf("the %s does not speak TLS here: its first bytes are %q", from, raw[:record.HeaderLen])}
	copy(e.Header[:], raw)
	switch {
	case from == wire.Client && bytes.ContainsAny(raw[:1], "GHPDOCT") && bytes.IndexFunc(raw[:5], notRequest) < 0:
		e.Reason = "the client sent an HTTP request to a TLS port"
	case from == wire.Server && bytes.HasPrefix(raw, []byte("HTTP/")):
		e.Reason = "the server speaks plain HTTP on this port, not TLS"
	case from == wire.Client && raw[0]&0x80 != 0 && raw[2] == byte(wire.TypeClientHello):
		e.Reason = "the client sent a ClientHello in the format of SSL 2.0, which is not accepted"
	}
	return e
}

func notRequest(r rune) bool { return (r < 'A' || r > 'Z') && r != ' ' && r != '/' }

// alert acts on an alert record. RFC 8446 §6, RFC 5246 §7.2.
func (e *Engine) alert(content []byte) error {
	in := &e.in
	if len(in.hand) > 0 && e.profile != nil && e.profile.PlainCCS {
		return interleaved(wire.ContentAlert)
	}
	if len(content) == 0 {
		return fault(wire.AlertUnexpectedMessage, "the peer sent an empty alert record", "RFC 8446 §5.4")
	}
	a, err := wire.DecodeAlert(content, nil)
	if err != nil {
		return fault(wire.AlertDecodeError, "the peer's alert does not parse", "RFC 8446 §6")
	}
	if h := e.options.Hooks; h != nil && h.Alert != nil {
		h.Alert(trace.Alert{Dir: trace.Received, Level: a.Level, Code: a.Code})
	}
	switch {
	case a.Code == wire.AlertCloseNotify && e.done:
		in.err = io.EOF
	case a.Code == wire.AlertCloseNotify:
		in.err = &handshake.Error{Alert: a.Code, Received: true, Rule: "the peer closed the connection during the handshake", Err: io.ErrUnexpectedEOF}
	case a.Code == wire.AlertUserCanceled && (e.profile == nil || e.profile.PlainCCS),
		a.Level == wire.LevelWarning && (e.profile == nil || e.profile.WarningAlerts):
		return e.halt("warning alerts")
	default:
		in.err = handshake.Refused(e.role, a)
		e.control.shut() // we may not write either
	}
	in.drop()
	return nil
}

// LendBulk is Lend for a socket that is known to have something: it lends a
// large buffer, and at least min bytes of it.
func (e *Engine) LendBulk(min int) []byte {
	if in := &e.in; in.buf == nil {
		in.lent = borrow(Bulk)
		in.buf = in.lent.bytes
	}
	return e.Lend(min)
}
