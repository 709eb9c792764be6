package handshake

import (
	"context"
	"hash"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// flowAuthenticate asks a client for its certificate after the handshake.
// RFC 8446 §4.6.2.
var flowAuthenticate = []Step{
	{wire.TypeCertificateRequest, wire.Server, always, sendCertificateRequest13, recvCertificateRequest13, nil},
	{wire.TypeCompressedCertificate, wire.Client, compressed(wire.Client, always), sendCompressedCertificate, recvCompressedCertificate, nil},
	{wire.TypeCertificate, wire.Client, uncompressed(wire.Client, always), sendClientCertificate, recvCertificate, nil},
	{wire.TypeCertificateVerify, wire.Client, certified, sendCertificateVerify, recvCertificateVerify, nil},
	{wire.TypeFinished, wire.Client, always, sendLateFinished, recvLateFinished, completeAuthentication},
}

// Authenticate starts that flow on a connection that previous describes, and
// fills in result, which must be a copy of it. The server's request has context,
// by which it knows the answer; the client's is nil.
func Authenticate(role wire.Role, c *Config, hooks *trace.Hooks, records Records, result, previous *Result, context []byte) *State {
	s := New(role, c, hooks, records, result)
	s.profile, s.flow, s.late = ProfileOf(result.Version), flowAuthenticate, true
	s.requestContext, s.previous = context, previous
	s.transcript.resume(result.Suite.Hash, previous.transcript)
	if s.isServer() {
		result.ClientAuth = true
		s.forgetPeer()
	}
	return s
}

// MayAuthenticate refuses a request that could only end the connection. How a client shows its key
// was agreed on if the first handshake asked for it; otherwise, and so after a resumption, it
// shows certificates, though it may be known by a raw public key. RFC 7250 §4.2.
func MayAuthenticate(c *Config, r *Result) error {
	t := r.ClientCertificate
	before, _ := r.Peer.shown()
	other := r.Peer.known() && before != t && !c.AllowPeerChange
	if slices.Contains(c.accepts(), t) && !other {
		return nil
	}
	return &Error{Rule: "no type of certificate was agreed on with the client, so that it can show an X.509 certificate alone", Ref: "RFC 7250 §4.2",
		Hint: "a raw public key can be asked for where the first handshake has asked for one, and no session was resumed"}
}

// keepTranscript lets the client be asked for a certificate later: what it then
// signs starts with this handshake. RFC 8446 §4.4.
func (s *State) keepTranscript() {
	if !s.isServer() {
		s.Result.PostHandshakeAuth = s.hello.Extensions.Has(wire.ExtPostHandshakeAuth) && !s.keyAlone()
	}
	if s.Result.PostHandshakeAuth {
		s.Result.transcript = s.transcript.clone()
	}
}

// clone returns the running hash as it is now, on its own.
func (t *transcript) clone() hash.Hash {
	c, _ := t.hash.(hash.Cloner).Clone() // no hash of ours errs
	return c
}

// resume goes on from a hash that clone has kept.
func (t *transcript) resume(kind *suite.Hash, from hash.Hash) {
	t.kind, t.hash = kind, from
	t.hash = t.clone()
}

// lateSecret is the RFC's name of the secret behind a Finished after the
// handshake. RFC 8446 §4.4.
const lateSecret = "client_application_traffic_secret_N"

// sendLateFinished: its key is the traffic secret that the client writes with
// when it goes out. RFC 8446 §4.4.
func sendLateFinished(s *State, _ context.Context) (wire.Message, error) {
	h, c, hooks := s.Result.Suite.Hash, s.context(s.Role), s.Hooks
	digest := slices.Clone(s.transcript.sum(nil))
	s.records.SendLate(func(secret []byte) []byte {
		m := &wire.Finished{VerifyData: keys.Finished13(h, nil, secret, digest)}
		reportFinished13(hooks, h, wire.Client, lateSecret, secret, digest, m.VerifyData)
		raw := wire.AppendMessage(nil, m, c)
		if hooks.Message != nil {
			hooks.Message(trace.Message{Dir: trace.Sent, Raw: raw, Context: c, PostHandshake: true})
		}
		return raw
	})
	return nil, nil
}

func recvLateFinished(s *State, ctx context.Context, msg wire.Message) error {
	copy(s.clientHS[:], s.records.ReadSecret())
	return recvFinished(s, ctx, msg)
}

func completeAuthentication(s *State, _ context.Context) error { return s.approve() }
