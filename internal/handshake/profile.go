package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/internal/keys"
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
	// schedule derives the secrets up to TLS 1.2; nil after it.
	schedule *keys.Schedule
	// schemes are what each kind of key signs with where the messages do not
	// say so; nil from TLS 1.2 on. RFC 4346 §7.4.3, RFC 8422 §5.4.
	schemes []wire.SignatureScheme
	// bare: there are no extensions but renegotiation_info. RFC 5746 §4.5.
	bare bool
	// NoCertificateAlert: a client without certificate says so by an alert of
	// level warning and sends no Certificate. RFC 6101 §5.6.6.
	NoCertificateAlert bool
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
	// Renegotiates: the handshake can be run again inside the connection.
	Renegotiates bool
	// noCompression: a hello must not even offer it. RFC 8446 §4.1.2.
	noCompression bool
	// innerType: the content's type is protected with it. RFC 8446 §5.2.
	innerType bool
	// entryExtensions: each certificate has extensions of its own, which either side asks
	// the other for. RFC 8446 §4.4.2.
	entryExtensions bool
	// HidesHello: there is Encrypted Client Hello. RFC 9849 §5.
	HidesHello bool
	// Updates: traffic keys can be updated. RFC 8446 §4.6.3.
	Updates bool
	// TicketsLast: tickets follow the last Finished. RFC 8446 §4.6.1.
	TicketsLast bool
}

var profile13 *Profile

// profiles are all versions, oldest first.
var profiles []*Profile

// oldSchemes are the signatures of the time before they had names on the wire.
var oldSchemes = []wire.SignatureScheme{wire.RSAMD5SHA1, wire.ECDSASHA1, wire.DSASHA1}

// The flows refer to handlers that refer to profiles.
func init() {
	old := Profile{
		Flow: flow12, Post: post12, accept: accept12, answers: inServerHello, verifyData: verifyData12,
		WarningAlerts: true, Renegotiates: true,
	}
	version := func(v wire.Version, schedule *keys.Schedule, set func(*Profile)) *Profile {
		p := old
		p.Version, p.RecordVersion, p.schedule = v, v, schedule
		set(&p)
		return &p
	}
	before12 := func(p *Profile) { p.schemes = oldSchemes }
	profile13 = &Profile{
		Version: wire.TLS13, Flow: flow13, Post: post13, accept: accept13, answers: inEncryptedExtensions, verifyData: verifyData13,
		RecordVersion: wire.TLS12, PlainCCS: true, curveBound: true, signsContext: true, noCompression: true, innerType: true, entryExtensions: true, HidesHello: true, Updates: true, TicketsLast: true,
	}
	profiles = []*Profile{
		version(wire.SSL30, keys.SSL30, func(p *Profile) {
			p.schemes, p.bare, p.NoCertificateAlert = []wire.SignatureScheme{wire.RSAMD5SHA1, wire.DSASHA1}, true, true
		}),
		version(wire.TLS10, keys.TLS10, before12),
		version(wire.TLS11, keys.TLS11, before12),
		version(wire.TLS12, keys.TLS12, func(*Profile) {}),
		profile13,
	}
}

// Staples reports whether a client of the version asks for OCSP responses.
func (p *Profile) Staples() bool { return !p.bare }

// ProfileOf returns the profile of v, or nil if it is not implemented.
func ProfileOf(v wire.Version) *Profile {
	for _, p := range profiles {
		if p.Version == v {
			return p
		}
	}
	return nil
}

// Profile returns the agreed version's profile, nil before it is known.
func (s *State) Profile() *Profile { return s.profile }

// Warns reports that an alert of level warning may be no more than that: not in TLS
// 1.3, nor where no other version is on offer. RFC 8446 §6.
func (s *State) Warns() bool {
	if s.profile != nil {
		return s.profile.WarningAlerts
	}
	return s.offers12()
}

// helloFlow is walked until the version is known; then the profile's flow is.
// For a client that is when a ServerHello has arrived, not yet consumed.
var helloFlow = []Step{
	{Msg: SSL2Hello, From: wire.Client, When: takesSSL2, Recv: recvSSL2Hello},
	{Msg: wire.TypeClientHello, From: wire.Client, When: unsettled, Send: sendClientHello, Recv: recvClientHello, Then: beginEarly},
	{Msg: wire.TypeServerHello, From: wire.Server, When: clientOnly},
}

// TakesSSL2 reports that the next message may be in the format of SSL 2.0.
func (s *State) TakesSSL2() bool { return takesSSL2(s) == May && s.profile == nil }

func takesSSL2(s *State) Need {
	if s.isServer() && s.Config.SSL2Hello && s.previous == nil {
		return May
	}
	return No
}

func unsettled(s *State) Need { return must(s.profile == nil) }

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
	if err := s.judgeECH(ProfileOf(v)); err != nil {
		return err
	}
	if !s.Config.supports(v) {
		return disagree(wire.AlertProtocolVersion, "version", "RFC 8446 §4.1.3", s.Config.Versions, []wire.Version{v},
			"allow that version with MinVersion and MaxVersion if you must, or upgrade the server")
	}
	if err := downgraded(s.Config.newest(), v, s.answer.Random); err != nil {
		return err
	}
	if s.early13.offered && ProfileOf(v) != profile13 {
		return fault(wire.AlertProtocolVersion, "the server answers early data, which is of TLS 1.3, with "+v.String(), "RFC 8446 §D.3", nil)
	}
	s.retry = s.answer.IsRetry()
	if s.retry && ProfileOf(v) != profile13 {
		return fault(wire.AlertIllegalParameter, "the server sent a HelloRetryRequest for an old version", "RFC 8446 §4.1.4", nil)
	}
	s.setProfile(v)
	s.choseVersion()
	return nil
}
