package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// The hints name settings by the fields of tls.Config, so that a program which
// has other names for them, like the command with its flags, can put those in.

// hints say what a peer may have meant by an alert, and what to do: for the side
// that received it.
var hints = map[wire.AlertCode]struct{ client, server string }{
	wire.AlertHandshakeFailure: {
		"it accepts no cipher suite, group or signature scheme of our offer, or wants a client certificate: offer more with CipherSuites and CurvePreferences, or set Certificates or GetClientCertificate",
		"it does not accept what was chosen of its offer"},
	wire.AlertProtocolVersion: {
		"it does not speak the versions on offer: widen MinVersion and MaxVersion",
		"it does not accept the version that was chosen: widen MinVersion and MaxVersion"},
	wire.AlertInsufficientSecurity: {
		"it wants stronger cipher suites or groups than those of CipherSuites and CurvePreferences",
		"it wants stronger cipher suites or groups than those of CipherSuites and CurvePreferences"},
	wire.AlertBadCertificate: {
		"it does not accept our certificate: check that the chain is whole, and that it is meant for clients",
		"it does not accept our certificate: it must trust the authority, and ask for one of the certificate's names"},
	wire.AlertUnsupportedCertificate: both("it does not support the type of our certificate's key, or its use"),
	wire.AlertCertificateExpired:     both("our certificate is outside its validity: renew it, or check the clocks"),
	wire.AlertCertificateRevoked:     both("our certificate was revoked: get a new one"),
	wire.AlertCertificateUnknown: {
		"it does not accept our certificate, for a reason that it keeps to itself",
		"it does not accept our certificate: it must trust the authority, and ask for one of the certificate's names"},
	wire.AlertUnknownCA: both(
		"it does not know the authority that signed our certificate: it must trust that authority, or we need another certificate"),
	wire.AlertCertificateRequired: {
		"it wants a client certificate: set Certificates or GetClientCertificate", "it asks for a certificate of its client, which we are not"},
	wire.AlertUnrecognizedName: {
		"it serves no such name: set ServerName to one that it serves", "it does not know a name that we sent"},
	wire.AlertNoApplicationProtocol: {
		"it speaks none of the protocols in NextProtos: offer others, or none", "it speaks none of the protocols that we have"},
	wire.AlertInappropriateFallback: both("it could do better than the version on offer: do not fall back"),
	wire.AlertDecryptError:          both("it could not verify our signature or Finished"),
	wire.AlertBadRecordMAC: {
		"a record was changed on the way; or, with PSK.Client, its identity or its key is wrong",
		"a record was changed on the way; or, with PSK.Server, the client has another key"},
	wire.AlertUnknownPSKIdentity: {
		"it does not know the identity of our pre-shared key: check PSK.Client", "it does not know our PSK"},
	wire.AlertInternalError:        both("something failed on its side, and its log may tell"),
	wire.AlertAccessDenied:         both("our certificate is valid, but has no access there"),
	wire.AlertUnexpectedMessage:    both("it got a message that it did not expect at that point"),
	wire.AlertMissingExtension:     both("our hello lacks an extension that it needs"),
	wire.AlertUnsupportedExtension: both("we answered with an extension that it did not ask for"),
	wire.AlertIllegalParameter:     both("a field of our messages has a value that it does not allow"),
	wire.AlertDecodeError:          both("it could not parse one of our messages"),
	wire.AlertRecordOverflow:       both("a record was longer than it allows"),
	wire.AlertNoRenegotiation:      both("it does not renegotiate"),
	wire.AlertUserCanceled:         both("its user gave up"),
}

func both(hint string) struct{ client, server string } {
	return struct{ client, server string }{hint, hint}
}

// hintFor is the hint on an alert that the side role has received. Where our
// certificate did not fit what the server asked for, that is the reason.
func hintFor(role wire.Role, alert wire.AlertCode, r *Result) string {
	hint := hints[alert].client
	if role == wire.Server {
		hint = hints[alert].server
	}
	switch {
	case r.ClientMisfit == "" || !slices.Contains(aboutCertificates, alert):
		return hint
	case r.ClientScheme != 0:
		return hint + "; it was sent, though " + r.ClientMisfit
	}
	return "it asked for a client certificate, and none was sent: " + r.ClientMisfit + "; set Certificates or GetClientCertificate to one that fits"
}

// Hints on offers that have nothing in common, for a server.
const (
	moreVersions = "have the client allow another version, or widen MinVersion and MaxVersion"
	moreSuites   = "have the client offer other cipher suites, or add one of its to CipherSuites"
	moreGroups   = "have the client offer other groups, or add one of its to CurvePreferences"
)
