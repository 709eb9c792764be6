package engine

import (
	"bytes"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Budgets against peers that keep us busy for nothing.
const (
	maxMessage     = 64 << 10      // a handshake message
	MaxHello       = 128<<10 + 328 // a ClientHello, where one is due: cipher suites and extensions of 64 KiB each
	maxCertificate = 256 << 10     // a Certificate, where one is due
	maxHalted      = 32            // records or messages of a kind in a row that do not advance anything
	maxWarnings    = 4             // the same for warning alerts
	maxUpdates     = 32            // KeyUpdates in a row without application data
	maxSkipped     = 64 << 10      // bytes of early data that we do not accept
)

// in is the half that reads.
type in struct {
	half record.Half // it keeps the traffic secret, TLS 1.3
	*inbox
	err     *error             // terminal
	updates int32              // KeyUpdates received in all
	skip    int32              // bytes of early data that may still be passed over
	halted  [len(idles)]uint8  // records and messages in a row that advance nothing, by kind
	inARow  uint8              // KeyUpdates since the last application data
	lending bool               // between Lend and Filled
	between bool               // an alert came between the records of a message
	pseudo  wire.HandshakeType // what waits to be consumed and is no message; 0 for nothing
	version wire.Version       // of the records from now on, once known

	// These two are the engine's, and stand here because there is room: 16 bytes less of an
	// Engine are 32 less of memory.
	role wire.Role
	done bool // the first handshake is
}

// failed is why nothing more is received, nil while more may be.
func (in *in) failed() error {
	if in.err == nil {
		return nil
	}
	return *in.err
}

// install puts new keys into use. limit is the most plaintext of a record; 0
// leaves that to the protocol.
func (in *in) install(k handshake.Keys, limit int) {
	in.half.SetKeys(k.Params)
	in.half.SetLimit(limit)
	if in.wake().inflate = nil; k.Compression == wire.CompressionDeflate {
		in.inflate = record.NewDecompressor()
		in.inflate.SetLimit(limit)
	}
}

// maxHeld is how much application data is kept for an application that does not
// read while a further handshake is completed.
const maxHeld = 1 << 20

// ErrFull says that so much application data waits to be read that no more is
// received.
var ErrFull error = &handshake.Error{Rule: "a further handshake is under way, and what the peer has sent before must be read first: call Read"}

// Further receives for a further handshake while nobody reads: application data
// is kept for Read. It returns as Read does, and nil once a record is handled.
func (e *Engine) Further() error {
	in := e.in.wake()
	if len(in.held) > maxHeld {
		return ErrFull
	}
	in.hold()
	n := 0
	err := e.pump(nil, &n)
	in.hold()
	e.settle()
	return err
}

// hold moves what is not delivered out of the buffer, which more is received into.
func (in *in) hold() {
	in.held = append(in.held, in.plain...)
	in.plain = nil
}

// Held is Read for what Further has kept, at any time, even between Lend and Filled.
func (e *Engine) Held(p []byte) int {
	in := e.in.wake()
	n := copy(p, in.held)
	if in.held = in.held[n:]; len(in.held) == 0 {
		in.held = nil
	}
	return n
}

// Read copies application data to p. It returns ErrWantInput where nothing is
// there; other errors are terminal: io.EOF after a close_notify. It needs a
// complete handshake.
func (e *Engine) Read(p []byte) (n int, err error) {
	in := e.in.wake()
	for n < len(p) {
		if len(in.held) > 0 {
			n += e.Held(p[n:])
			continue
		}
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

// Drained reports that Read has nothing to return before more is received.
func (e *Engine) Drained() bool {
	in := &e.in
	return in.err == nil && (in.inbox == nil || in.r == in.w && len(in.plain) == 0 && len(in.held) == 0 && len(in.hand) == 0)
}

// pump handles one record after the handshake. Application data is opened
// straight into p[*n:] where it fits, else left in plain.
func (e *Engine) pump(p []byte, n *int) error {
	in := &e.in
	if in.err != nil {
		return *in.err
	}
	if len(in.hand) > 0 && in.pseudo == 0 { // what came with the peer's last handshake record
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
		return in.failed()
	}
	if len(in.hand) > 0 && !e.mayMix() {
		return e.fail(interleaved(typ))
	}
	if e.further != nil && e.further.changed {
		return e.fail(fault(wire.AlertUnexpectedMessage, "the peer sent application data between its change of keys and its Finished", "RFC 5246 §7.4.9"))
	}
	if len(content) == 0 {
		return e.halt(emptyRecords)
	}
	in.moved()
	in.inARow = 0
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
	case wire.ContentChangeCipherSpec:
		if e.hs != nil && !e.profile.PlainCCS {
			if err := e.handshakeRecord(typ, content); err != nil {
				return err
			}
			return e.postHandshake()
		}
	}
	return fault(wire.AlertUnexpectedMessage, "the peer sent a record of type "+typ.String()+" after the handshake", "RFC 8446 §5")
}

// idle is a kind of what does not advance the connection.
type idle uint8

const (
	emptyRecords idle = iota
	warningAlerts
	changeCipherSpecs
	idleMessages
)

var idles = [...]struct {
	name string
	most int
}{{"empty records", maxHalted}, {"warning alerts", maxWarnings}, {"change_cipher_spec records", maxHalted}, {"handshake messages", maxHalted}}

// halt counts what does not advance the connection.
func (e *Engine) halt(what idle) error {
	kind := &idles[what]
	if e.in.halted[what]++; int(e.in.halted[what]) > kind.most {
		return e.fail(fault(wire.AlertUnexpectedMessage, fmt.Sprintf("the peer sent more than %d %s in a row that do nothing", kind.most, kind.name), ""))
	}
	return nil
}

// moved: the connection has advanced.
func (in *in) moved() { in.halted = [len(idles)]uint8{} }

func fault(alert wire.AlertCode, rule, ref string) error {
	return &handshake.Error{Alert: alert, Rule: rule, Ref: ref}
}

func interleaved(typ wire.ContentType) error {
	return fault(wire.AlertUnexpectedMessage, "a record of type "+typ.String()+" came inside a handshake message", "RFC 8446 §5.1")
}

// alert acts on an alert record. RFC 8446 §6, RFC 5246 §7.2.
func (e *Engine) alert(content []byte) error {
	in := &e.in
	if len(in.hand) > 0 && !e.warns() {
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
	case a.Level != wire.LevelWarning && a.Level != wire.LevelFatal:
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the peer sent the alert %v of the unknown level %d", a.Code, a.Level), "RFC 8446 §6")
	case a.Code == wire.AlertNoCertificate && a.Level == wire.LevelWarning && e.hs != nil && e.profile != nil && e.profile.NoCertificateAlert && e.in.role == wire.Server:
		if len(in.hand) > 0 {
			return interleaved(wire.ContentAlert)
		}
		in.pseudo = handshake.NoCertificate
		return e.resumeFurther()
	case a.Code == wire.AlertNoRenegotiation && a.Level == wire.LevelWarning && e.declined():
		return nil
	case a.Code == wire.AlertCloseNotify && e.in.done:
		e.end(io.EOF)
	case a.Code == wire.AlertCloseNotify:
		e.end(&handshake.Error{Alert: a.Code, Received: true, Rule: "the peer closed the connection during the handshake, by close_notify", Err: io.ErrUnexpectedEOF,
			Hint: gaveUp[e.in.role]})
	case e.passes(a):
		in.between = in.between || len(in.hand) > 0
		return e.halt(warningAlerts)
	case a.Level == wire.LevelWarning && e.in.done: // it ends the connection, as its sender should learn
		return fault(wire.AlertDecodeError, fmt.Sprintf("the peer sent the alert %v as a warning, which %s does not know", a.Code, e.Result().Version), "RFC 8446 §6.2")
	default:
		e.control.shut() // we may not write either
		e.end(handshake.Refused(e.in.role, a, e.Result()))
	}
	return nil
}

// mayMix: up to TLS 1.2 data may stand between the records of a handshake message. A
// HelloRequest has no honest reason to be cut: it is four bytes. RFC 5246 §6.2.1.
func (e *Engine) mayMix() bool {
	return e.profile.Renegotiates && wire.HandshakeType(e.in.hand[0]) != wire.TypeHelloRequest
}

// warns reports that the version knows alerts of level warning, as far as it is known.
func (e *Engine) warns() bool {
	if e.profile != nil {
		return e.profile.WarningAlerts
	}
	return e.hs.Warns()
}

// passes: the connection goes on after user_canceled in TLS 1.3, whatever its level,
// and after warnings up to TLS 1.2. All else is an error. RFC 8446 §6.1, §6.2.
func (e *Engine) passes(a wire.Alert) bool {
	if a.Code == wire.AlertUserCanceled && !e.warns() {
		return e.profile != nil || a.Level == wire.LevelWarning
	}
	return a.Level == wire.LevelWarning && e.warns()
}
