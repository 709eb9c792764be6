package handshake

import (
	"bytes"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// PostStep is a message that may come at any time after the handshake.
type PostStep struct {
	Msg  wire.HandshakeType
	From wire.Role
	// Recv handles it; where it could start a further handshake, only if that
	// is refused.
	Recv func(*Post, wire.Message) error
	// When says whether it may come on this connection; nil for always.
	When func(*Result) bool
	// Starts is set for the first message of a further handshake, Prompts for
	// one that asks us for the first message.
	Starts, Prompts bool
}

// Post is the connection as such a message finds it.
type Post struct {
	Role   wire.Role
	Result *Result
	Hooks  *trace.Hooks // may be nil
	// Saver keeps a session; nil where none is wanted.
	Saver SessionSaver
	// UpdateIn changes the keys for reading, Reply has our own changed and the
	// peer told, Warn sends a warning alert.
	UpdateIn func() error
	Reply    func()
	Warn     func(wire.AlertCode)
	// Refuse ends the connection of a peer that asks for a renegotiation.
	Refuse bool
	// Spent: it has asked for as many further handshakes as it may.
	Spent bool
	// Ended: we have said that we write no more.
	Ended bool
}

var post12 = []PostStep{
	{Msg: wire.TypeHelloRequest, From: wire.Server, Recv: refuseRenegotiation, Prompts: true},
	{Msg: wire.TypeClientHello, From: wire.Client, Recv: refuseRenegotiation, Starts: true},
}

var post13 = []PostStep{
	{Msg: wire.TypeNewSessionTicket, From: wire.Server, Recv: recvTicket13},
	{Msg: wire.TypeKeyUpdate, From: wire.Client, Recv: recvKeyUpdate, When: hasRecords},
	{Msg: wire.TypeKeyUpdate, From: wire.Server, Recv: recvKeyUpdate, When: hasRecords},
	{Msg: wire.TypeCertificateRequest, From: wire.Server, Recv: refuseAuthentication, Starts: true, When: offeredAuthentication},
}

// hasRecords: QUIC updates the keys of its packets itself. RFC 9001 §6.
func hasRecords(r *Result) bool { return !r.QUIC }

// Receive handles one message, header included.
func (p *Post) Receive(raw []byte) error {
	t := wire.HandshakeType(raw[0])
	c := wire.Context{Version: p.Result.Version, From: p.Role.Peer(), KeyExchange: p.Result.Suite.KeyExchange}
	step, err := ProfileOf(p.Result.Version).After(p.Result, p.Role.Peer(), t)
	if err != nil {
		return err
	}
	if p.Hooks != nil && p.Hooks.Message != nil {
		p.Hooks.Message(trace.Message{Dir: trace.Received, Raw: raw, Context: c, PostHandshake: true})
	}
	m, err := wire.DecodeMessage(raw, c, nil)
	if err != nil {
		return syntax(err)
	}
	return step.Recv(p, m)
}

// After finds the step for a message that from sends after the handshake r. It
// errs where no such message may come, which its first byte tells already.
func (p *Profile) After(r *Result, from wire.Role, t wire.HandshakeType) (*PostStep, error) {
	for i := range p.Post {
		if step := &p.Post[i]; step.Msg == t && step.From == from && (step.When == nil || step.When(r)) {
			return step, nil
		}
	}
	return nil, fault(wire.AlertUnexpectedMessage, "the peer sent "+stepName(t)+" after the handshake", "RFC 8446 §4.6", nil)
}

// refuseRenegotiation: the peer may go on without, unless the Config says that it
// is not to. RFC 5746 §5, RFC 5246 §7.2.2.
func refuseRenegotiation(p *Post, _ wire.Message) error {
	if p.Refuse {
		return &Error{Alert: wire.AlertNoRenegotiation, Ref: "RFC 5246 §7.2.2", Rule: "the peer asks for a renegotiation, which is not allowed",
			Hint: "without Renegotiate.RefuseFatally the connection would go on"}
	}
	p.Warn(wire.AlertNoRenegotiation)
	return nil
}

// offeredAuthentication: a client that does not offer it must not be asked. RFC 8446 §4.6.2.
func offeredAuthentication(r *Result) bool { return r.PostHandshakeAuth }

// refuseAuthentication: there is no way to say no but an empty Certificate, which
// is for the handshake to send. A client that has ended its side can send none, but may
// go on reading: the server learns of the end in place of an answer.
func refuseAuthentication(p *Post, _ wire.Message) error {
	if p.Ended {
		return nil
	}
	if p.Spent {
		return fault(wire.AlertUnexpectedMessage, "the server asks for a certificate more often than a client answers on one connection", "RFC 8446 §4.6.2", nil)
	}
	return fault(wire.AlertInternalError, "the server asks for a certificate, and the Config is no longer usable", "RFC 8446 §4.6.2", nil)
}

// recvKeyUpdate follows the peer to its next traffic secret. RFC 8446 §4.6.3.
func recvKeyUpdate(p *Post, msg wire.Message) error {
	request := msg.(*wire.KeyUpdate).Request
	if request > wire.UpdateRequested {
		return fault(wire.AlertIllegalParameter, "the KeyUpdate's request_update is neither 0 nor 1", "RFC 8446 §4.6.3", nil)
	}
	if err := p.UpdateIn(); err != nil {
		return err
	}
	if request == wire.UpdateRequested {
		p.Reply()
	}
	return nil
}

// QUICEarlyData is what a ticket of QUIC says of early data: how much there may be is for QUIC to
// say. RFC 9001 §4.6.1.
const QUICEarlyData = 0xffffffff

// recvTicket13 keeps a session for next time. RFC 8446 §4.6.1.
func recvTicket13(p *Post, msg wire.Message) error {
	m := msg.(*wire.NewSessionTicket)
	r := p.Result
	lifetime := time.Duration(m.Lifetime) * time.Second
	if lifetime > maxLifetime {
		return fault(wire.AlertIllegalParameter, "the ticket's lifetime is above seven days", "RFC 8446 §4.6.1", nil)
	}
	early, err := checkTicket13(m.Extensions)
	if err != nil {
		return err
	}
	if r.QUIC && early != 0 && early != QUICEarlyData {
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the ticket limits early data to %d bytes, which QUIC does itself", early), "RFC 9001 §4.6.1", nil)
	}
	if p.Saver == nil || lifetime == 0 {
		return nil
	}
	c := &ClientSession{
		Session: &session.Session{
			Version: r.Version, Suite: r.Suite.ID, Secret: resumptionPSK(r, p.Hooks, nil, r.Suite.Hash.Size, m.Nonce),
			ALPN: r.ALPN, ServerName: r.ServerName, Group: r.Group, SignatureScheme: r.ServerScheme,
			Lifetime: lifetime, AgeAdd: m.AgeAdd, MaxEarlyData: early, Binding: r.Shown, PSK: r.PSK,
		},
		Ticket: bytes.Clone(m.Ticket),
	}
	r.Peer.into(c.Session)
	p.Saver.SaveSession(r, c)
	return nil
}

// checkTicket13: early data is what a ticket's extensions may speak of, and nothing
// else that we know. It returns how many bytes of it are allowed. RFC 8446 §4.2, §4.6.1.
func checkTicket13(x wire.Extensions) (early uint32, err error) {
	for _, e := range x {
		if e.Type != wire.ExtEarlyData && row(e.Type) != nil {
			return 0, stray(wire.Server, e.Type)
		}
	}
	_, err = x.Read(wire.ExtEarlyData, func(r *wire.Reader) { early = uint32(r.U32("max_early_data_size")) })
	return early, syntax(err)
}
