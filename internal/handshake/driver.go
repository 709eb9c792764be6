package handshake

import (
	"context"
	"errors"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// What stands in a flow beside the handshake messages: ChangeCipherSpec for the
// record of that content type, NoCertificate for the alert by which a client of
// SSL 3.0 says that it has none, and SSL2Hello for a ClientHello in the format of
// SSL 2.0. The first two enter no transcript. RFC 5246 §7.1, §E.2, RFC 6101 §5.6.6.
const (
	ChangeCipherSpec wire.HandshakeType = 0xff
	NoCertificate    wire.HandshakeType = 0xfe
	SSL2Hello        wire.HandshakeType = 0xfd
)

// NoMessage reports that t stands for one of them here, so that a peer cannot send
// a handshake message of that type.
func NoMessage(t wire.HandshakeType) bool { return t >= SSL2Hello }

// Need is whether a step takes place.
type Need uint8

const (
	No   Need = iota // it does not: nobody sends it
	Must             // the next message is this one
	May              // it may be left out
)

// Step is one row of a flow: one message, for both roles and directions.
type Step struct {
	Msg  wire.HandshakeType
	From wire.Role
	When func(*State) Need
	// Send makes the message, nil to leave it out after all; Recv judges the one
	// received. Neither has it in the transcript yet.
	Send func(*State, context.Context) (wire.Message, error)
	Recv func(*State, context.Context, wire.Message) error
	// Then follows in both roles, once the message is in the transcript, or where one
	// that may be left out has not come: that is where secrets are derived and keys
	// change. It may be nil.
	Then func(*State, context.Context) error
}

// Records is what the driver needs of the record layer.
type Records interface {
	// Peek returns what arrived next and has not been consumed: a handshake
	// message, header included, valid until the following call, or one of the
	// kinds above, of which only SSL2Hello has bytes. ok is false while none is
	// complete.
	Peek() (msg []byte, kind wire.HandshakeType, ok bool, err error)
	Consume()
	// Idle reports that no byte of a further handshake message has arrived.
	Idle() bool
	Send(msg []byte) error
	SendChangeCipherSpec() error
	// SendWarning sends an alert of level warning in its place among the messages.
	SendWarning(wire.AlertCode) error
	// SendLate has a message made when it goes out, from the traffic secret that
	// we then write with. ReadSecret is the one that we read with, lent.
	SendLate(func(secret []byte) []byte)
	ReadSecret() []byte
	// SkipEarlyData has what does not open passed over, up to a bound, until
	// the first record that does. The client may have been allowed that many bytes of it.
	SkipEarlyData(allowed int)
	InstallIn(Keys)
	// InstallOut with no suite goes back to the clear, for the client's second ClientHello.
	InstallOut(Keys)
}

// Keys are those of one direction from now on.
type Keys struct {
	record.Params // with the traffic secret behind them, in TLS 1.3
	// SecretName and Label describe them to the trace.
	SecretName, Label string
	// Early is how many bytes of early data may come under them; 0 for none.
	Early uint32
}

// errWait is what a step of ours returns that cannot be taken yet: the application has
// something to decide first. Only QUIC has such.
var errWait = errors.New("handshake: the application is to decide first")

// Run takes the handshake as far as the messages received allow. Done tells
// whether it is complete; if not, more input is needed, or a decision.
func (s *State) Run(ctx context.Context) error {
	for {
		if s.at == len(s.flow) {
			if s.profile == nil || &s.flow[0] != &helloFlow[0] {
				return s.over()
			}
			s.flow, s.at = s.profile.Flow, 0
		}
		step := &s.flow[s.at]
		need := step.When(s)
		if need == No {
			s.at++
			continue
		}
		var moved bool
		var err error
		if step.From == s.Role {
			moved, err = true, s.send(ctx, step)
		} else {
			moved, err = s.receive(ctx, step, need)
		}
		if err == errWait || err == nil && !moved {
			return nil
		}
		if err != nil {
			return err
		}
		s.at++
	}
}

// Due reports that a message of type t of the peer's may come next.
func (s *State) Due(t wire.HandshakeType) bool {
	for i := s.at; i < len(s.flow); i++ {
		step := &s.flow[i]
		switch need := step.When(s); {
		case need == No:
		case step.From == s.Role:
			return false
		case step.Msg == t:
			return true
		case need == Must:
			return false
		}
	}
	return false
}

// over: with the peer's last message ends its record, too. What comes next is not
// of this handshake, and nobody has a reason to write it before it is complete.
func (s *State) over() error {
	if s.late || s.records.Idle() {
		return nil
	}
	return surplus()
}

func surplus() error {
	return fault(wire.AlertUnexpectedMessage, "the peer sent more than its flight", "RFC 8446 §4", nil)
}

// send: a flight of ours answers one of the peer's, which must be over. What follows
// it in the same record was not written in answer to anything.
func (s *State) send(ctx context.Context, step *Step) error {
	if s.heard && !s.late && !s.records.Idle() {
		return surplus()
	}
	if s.Config.QUIC != nil && s.Config.QUIC.Waits() {
		return errWait
	}
	var err error
	switch step.Msg {
	case ChangeCipherSpec:
		err, s.ccsSent = s.records.SendChangeCipherSpec(), true
	case NoCertificate:
		err = s.records.SendWarning(wire.AlertNoCertificate)
	default:
		m, sendErr := step.Send(s, ctx)
		if sendErr != nil || m == nil {
			return sendErr
		}
		err = s.sendMessage(step, m)
	}
	if err != nil {
		return err
	}
	return s.then(ctx, step)
}

func (s *State) sendMessage(step *Step, m wire.Message) error {
	if err := fits(m); err != nil {
		return err
	}
	c := s.context(s.Role)
	s.out = wire.AppendMessage(s.out[:0], m, c)
	if step.Msg == wire.TypeClientHello {
		s.bindOffer()
	}
	if step.Msg != wire.TypeNewSessionTicket || !s.profile.TicketsLast { // which are no part of it, RFC 8446 §4.4.1
		s.transcript.add(s.out)
	}
	concealed := step.Msg == wire.TypeClientHello && s.conceals()
	if concealed {
		if err := s.conceal(); err != nil {
			return err
		}
	}
	if s.Hooks.Message != nil {
		s.Hooks.Message(trace.Message{Dir: trace.Sent, Raw: s.out, Context: c, PostHandshake: s.afterwards(step)})
	}
	if concealed {
		s.reportConcealed()
	}
	s.reportInflated(trace.Sent)
	return s.records.Send(s.out)
}

// receive handles the next message if it is the step's. A message of another
// type is refused before its body is parsed.
func (s *State) receive(ctx context.Context, step *Step, need Need) (moved bool, err error) {
	raw, got, ok, err := s.records.Peek()
	if err != nil || !ok {
		return false, err
	}
	if s.profile == nil && s.Role == wire.Client {
		if err := s.pickProfile(raw, got); err != nil {
			return false, err
		}
		return true, nil
	}
	if got != step.Msg {
		if need == May {
			return true, s.then(ctx, step)
		}
		return false, unexpected(got, step.Msg)
	}
	s.records.Consume()
	s.heard = true
	if raw == nil {
		if step.Recv != nil {
			if err := step.Recv(s, ctx, nil); err != nil {
				return false, err
			}
		}
		return true, s.then(ctx, step)
	}
	c := s.context(step.From)
	if s.Hooks.Message != nil {
		s.Hooks.Message(trace.Message{Dir: trace.Received, Raw: raw, Context: c, SSL2: got == SSL2Hello, PostHandshake: s.late})
	}
	m, body := s.blank(step.Msg), raw
	if got != SSL2Hello {
		body = raw[wire.HeaderLen:]
	}
	if err := wire.Decode(m, body, c, nil); err != nil {
		return false, syntax(err)
	}
	s.Offer.Raw = raw
	if err := step.Recv(s, ctx, m); err != nil {
		return false, err
	}
	s.transcript.add(s.Offer.Raw) // the inner one, of two hellos
	return true, s.then(ctx, step)
}

// afterwards: a message that comes after the handshake, or one of a row that only
// the sender walks, once the handshake is complete for its peer, which takes it
// as one of its Post table.
func (s *State) afterwards(step *Step) bool {
	return s.late || step.Msg == wire.TypeNewSessionTicket && s.profile.TicketsLast
}

func (s *State) then(ctx context.Context, step *Step) error {
	if step.Then == nil {
		return nil
	}
	return step.Then(s, ctx)
}

// installIn is the one place where keys for reading change: nothing may have
// arrived under the old ones that belongs after the change. RFC 8446 §5.1.
func (s *State) installIn(k Keys) error {
	if !s.records.Idle() {
		return fault(wire.AlertUnexpectedMessage, "a handshake message runs across a change of keys", "RFC 8446 §5.1", nil)
	}
	s.records.InstallIn(k)
	return nil
}

// Unexpected is the error for a message of another type than the one due.
func Unexpected(got, want wire.HandshakeType) error { return unexpected(got, want) }

func unexpected(got, want wire.HandshakeType) error {
	return fault(wire.AlertUnexpectedMessage,
		"the peer sent "+stepName(got)+" where "+stepName(want)+" is due", "RFC 8446 §4", nil)
}

var stepNames = map[wire.HandshakeType]string{
	ChangeCipherSpec: "change_cipher_spec", NoCertificate: "the alert no_certificate", SSL2Hello: "a ClientHello of SSL 2.0",
}

func stepName(t wire.HandshakeType) string {
	if name, ok := stepNames[t]; ok {
		return name
	}
	return t.String()
}

func always(*State) Need { return Must }

func must(yes bool) Need {
	if yes {
		return Must
	}
	return No
}
