package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/wire"
)

// Profile is what differs by version. Code that needs to know the version asks
// the profile; it does not compare numbers.
type Profile struct {
	Version wire.Version
	Flow    []Step
	// Post are the messages that may come after the handshake.
	Post []PostStep
	// accept is what a server decides on a ClientHello.
	accept func(*State, context.Context) error
	// answers says where a server's answer to an extension stands.
	answers place
	// verifyData is the content of a side's Finished.
	verifyData func(*State, wire.Role) []byte
	// RecordVersion stands in the header of our records once it is known.
	RecordVersion wire.Version
	// PlainCCS: a change_cipher_spec record is never protected and means nothing.
	PlainCCS bool
	// WarningAlerts: alerts of level warning do not end the connection.
	WarningAlerts bool
	// curveBound: an ECDSA scheme fixes the curve too. RFC 8446 §4.2.3.
	curveBound bool
	// signsContext: signatures cover a context string and the transcript's
	// hash, not the transcript. RFC 8446 §4.4.3.
	signsContext bool
	// noCompression: a hello must not even offer it. RFC 8446 §4.1.2.
	noCompression bool
	// Updates: traffic keys can be updated. RFC 8446 §4.6.3.
	Updates bool
	// TicketsLast: tickets follow the last Finished. RFC 8446 §4.6.1.
	TicketsLast bool
}

var profile12, profile13 *Profile

// The flows refer to handlers that refer to profiles.
func init() {
	profile12 = &Profile{
		Version: wire.TLS12, Flow: flow12, Post: post12, accept: accept12, answers: inServerHello, verifyData: verifyData12,
		RecordVersion: wire.TLS12, WarningAlerts: true,
	}
	profile13 = &Profile{
		Version: wire.TLS13, Flow: flow13, Post: post13, accept: accept13, answers: inEncryptedExtensions, verifyData: verifyData13,
		RecordVersion: wire.TLS12, PlainCCS: true, curveBound: true, signsContext: true, noCompression: true, Updates: true, TicketsLast: true,
	}
}

// ProfileOf returns the profile of v, or nil if it is not implemented.
func ProfileOf(v wire.Version) *Profile {
	for _, p := range []*Profile{profile12, profile13} {
		if p.Version == v {
			return p
		}
	}
	return nil
}

// Profile returns the agreed version's profile, nil before it is known.
func (s *State) Profile() *Profile { return s.profile }

// helloFlow is walked until the version is known; then the profile's flow is.
// For a client that is when a ServerHello has arrived, not yet consumed.
var helloFlow = []Step{
	{Msg: wire.TypeClientHello, From: wire.Client, When: always, Send: sendClientHello, Recv: recvClientHello},
	{Msg: wire.TypeServerHello, From: wire.Server, When: clientOnly},
}

func clientOnly(s *State) Need { return must(s.Role == wire.Client) }

func (s *State) setProfile(v wire.Version) {
	s.profile = ProfileOf(v)
	s.Result.Version = v
}

// pickProfile looks into the server's answer for the version and the kind of
// answer, so that the right flow can receive it.
func (s *State) pickProfile(raw []byte, got wire.HandshakeType) error {
	if got != wire.TypeServerHello {
		return unexpected(got, wire.TypeServerHello)
	}
	if err := wire.Decode(&s.answer, raw[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		return syntax(err)
	}
	v, err := selectedVersion(&s.answer)
	if err != nil {
		return err
	}
	if !s.Config.supports(v) {
		return disagree(wire.AlertProtocolVersion, "version", "RFC 8446 §4.1.3", s.Config.Versions, []wire.Version{v},
			"allow that version with MinVersion and MaxVersion if you must, or upgrade the server")
	}
	if err := downgraded(s.Config.newest(), v, s.answer.Random); err != nil {
		return err
	}
	s.retry = s.answer.IsRetry()
	if s.retry && ProfileOf(v) != profile13 {
		return fault(wire.AlertIllegalParameter, "the server sent a HelloRetryRequest for an old version", "RFC 8446 §4.1.4", nil)
	}
	s.setProfile(v)
	s.choseVersion(wire.Server, s.Config.Versions, nil)
	return nil
}
