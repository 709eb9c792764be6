package engine

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// nextMessage finds the next handshake message or change_cipher_spec, for the
// driver.
func (e *Engine) nextMessage() (msg []byte, kind wire.HandshakeType, ok bool, err error) {
	in := &e.in
	for {
		if in.pseudo != 0 {
			return in.ssl2, in.pseudo, true, nil
		}
		size, err := e.messageLen()
		if err != nil {
			return nil, 0, false, err
		}
		if size > 0 {
			return in.hand[:size], wire.HandshakeType(in.hand[0]), true, nil
		}
		typ, content, _, err := e.open(nil)
		if err == errSkipped {
			continue
		}
		if err == ErrWantInput {
			return nil, 0, false, nil
		}
		if err == nil && in.pseudo == 0 {
			err = e.duringHandshake(typ, content)
		}
		if err != nil {
			return nil, 0, false, err
		}
		if in.err != nil {
			return nil, 0, false, *in.err
		}
	}
}

// duringHandshake takes in one record before the handshake is complete.
func (e *Engine) duringHandshake(typ wire.ContentType, content []byte) error {
	if typ == wire.ContentApplicationData && e.in.early.open() {
		return e.takeEarly(content)
	}
	return e.handshakeRecord(typ, content)
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
			return e.halt(changeCipherSpecs)
		}
		in.pseudo = handshake.ChangeCipherSpec
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
// whole. One that claims too much, or to be what is no message, is refused before
// it has come.
func (e *Engine) messageLen() (int, error) {
	if e.in.done && e.hs == nil && len(e.in.hand) > 0 && !handshake.NoMessage(wire.HandshakeType(e.in.hand[0])) {
		if _, err := e.profile.After(e.Result(), e.in.role.Peer(), wire.HandshakeType(e.in.hand[0])); err != nil {
			return 0, err
		}
	}
	return wholeMessage(e.in.hand, e.hs)
}

// wholeMessage is the size of the message that hand begins with, 0 while it is not whole.
// hs is the handshake under way, nil for none.
func wholeMessage(hand []byte, hs *handshake.State) (int, error) {
	if len(hand) > 0 && handshake.NoMessage(wire.HandshakeType(hand[0])) {
		return 0, fault(wire.AlertUnexpectedMessage, "the peer sent a handshake message of the unknown type "+strconv.Itoa(int(hand[0])), "RFC 8446 §4")
	}
	size := wire.MessageLen(hand)
	if size == 0 {
		return 0, nil
	}
	most := budget(wire.HandshakeType(hand[0]), hs)
	if size > most {
		alert := wire.AlertIllegalParameter
		if slices.Contains(fixed, wire.HandshakeType(hand[0])) {
			alert = wire.AlertDecodeError
		}
		return 0, fault(alert, fmt.Sprintf("the peer announces a %s of %d bytes; the most we take is %d",
			wire.HandshakeType(hand[0]), size, most), "")
	}
	if size > len(hand) {
		return 0, nil
	}
	return size, nil
}

// budget is how many bytes a message of type t may have. Some may be longer than others,
// but only where one is due, or may begin a further handshake.
func budget(t wire.HandshakeType, hs *handshake.State) int {
	if most, ok := longer[t]; ok && (hs == nil || hs.Due(t)) {
		return most
	}
	return maxMessage
}

var longer = map[wire.HandshakeType]int{wire.TypeClientHello: MaxHello, wire.TypeCertificate: maxCertificate, wire.TypeCompressedCertificate: maxCertificate}

// fixed are the messages whose length the protocol fixes: another one is wrong by the
// grammar, and not for what we can take. RFC 8446 §6.2.
var fixed = []wire.HandshakeType{wire.TypeHelloRequest, wire.TypeServerHelloDone, wire.TypeEndOfEarlyData, wire.TypeFinished, wire.TypeKeyUpdate}

// postHandshake handles the messages that are there after the first handshake:
// those of a further one, and those that may come at any time.
func (e *Engine) postHandshake() error {
	in := &e.in
	for {
		if in.pseudo != 0 {
			if err := e.resumeFurther(); err != nil || in.err != nil {
				return err
			}
		}
		size, err := e.messageLen()
		if err != nil || size == 0 {
			return err
		}
		step, err := e.profile.After(e.Result(), e.in.role.Peer(), wire.HandshakeType(in.hand[0]))
		if e.belongs(step) {
			if err := e.run(); err != nil || in.err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		msg := in.hand[:size]
		in.hand = in.hand[size:]
		if err := e.halt(idleMessages); err != nil {
			return err
		}
		if under := e.hs != nil; step.Prompts && (under || e.begin(step)) {
			if err := e.prompted(msg, under); err != nil {
				return err
			}
			continue
		}
		p := handshake.Post{Role: e.in.role, Result: e.Result(), Hooks: e.options.Hooks, Saver: e.saver(),
			UpdateIn: e.updateIn, Reply: e.control.keyUpdate, Refuse: e.options.RefuseFatally, Spent: e.options.Further != nil && e.options.Further.Spent(),
			Ended: e.control.has(ended),
			Warn:  func(c wire.AlertCode) { e.control.alert(wire.Alert{Level: wire.LevelWarning, Code: c}, nil) }}
		if err := p.Receive(msg); err != nil {
			return err
		}
	}
}

// saver keeps sessions; nil where none are wanted.
func (e *Engine) saver() handshake.SessionSaver {
	if !e.options.Saves {
		return nil
	}
	return e.options.Further
}

// prompted takes a HelloRequest that is not refused. While a handshake is under way
// it is ignored. RFC 5246 §7.4.1.1.
func (e *Engine) prompted(msg []byte, under bool) error {
	if h := e.options.Hooks; h != nil && h.Message != nil {
		h.Message(trace.Message{Dir: trace.Received, Raw: msg, Context: wire.Context{Version: e.Result().Version, From: e.in.role.Peer()}, PostHandshake: true})
	}
	if len(msg) != wire.HeaderLen {
		return fault(wire.AlertDecodeError, "the server's HelloRequest is not empty", "RFC 5246 §7.4.1.1")
	}
	if under {
		return nil
	}
	return e.run()
}

// belongs reports whether a message, for which step is the row of the Post table
// or nil, is for a further handshake, which it may begin. Until the peer has sent
// the first of its messages there, those of the Post table may come between.
func (e *Engine) belongs(step *handshake.PostStep) bool {
	switch {
	case e.hs == nil:
		return step != nil && step.Starts && e.begin(step)
	case step == nil || step.Starts || e.further != nil && e.further.changed:
		return true
	}
	return !step.Prompts && e.hs.Heard()
}

// resumeFurther gives what is no message to the further handshake; in the first
// the driver asks for it.
func (e *Engine) resumeFurther() error {
	if !e.in.done {
		return nil
	}
	return e.run()
}

// updateIn moves to the peer's next traffic secret. RFC 8446 §4.6.3.
func (e *Engine) updateIn() error {
	in := &e.in
	if len(in.hand) > 0 {
		return fault(wire.AlertUnexpectedMessage, "a handshake message runs across a change of keys", "RFC 8446 §5.1")
	}
	if e.control.asked.Load() > 0 {
		e.control.asked.Add(-1) // it answers, perhaps without having data of its own
	} else if in.inARow++; in.inARow > maxUpdates {
		return fault(wire.AlertUnexpectedMessage, fmt.Sprintf("the peer sent %d KeyUpdates without data between them", in.inARow), "RFC 8446 §4.6.3")
	}
	in.moved()
	in.updates++
	k := handshake.NextKeys(e.Result().Suite, in.half.Secret(), e.in.role.Peer(), int(in.updates), e.options.Hooks)
	in.install(k, int(e.Result().ReceiveLimit))
	e.reportKeys(trace.Received, in.half.Epoch(), k)
	return nil
}
