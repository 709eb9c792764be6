package report

import (
	"regexp"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/wire"
)

// The library's hints name settings. Here they become the flags of the command.

// settings are what the library calls what a flag sets: an empty flag says that
// the command has none, and leaves out the part of the hint which speaks of it.
// Longer names stand before those that they hold.
var settings = []struct{ setting, client, server string }{
	{"set Certificates or GetClientCertificate to one that fits", "give one that fits with --cert and --key", "give one that fits with --cert and --key"},
	{"set Certificates or GetClientCertificate", "give one with --cert and --key", "give one with --cert and --key"},
	{"set Certificates or GetCertificate", "give one with --cert and --key", "give one with --cert and --key"},
	{"use a certificate with another kind of key", "give another certificate with --cert and --key", "give a certificate with another kind of key with --cert and --key"},
	{"as a trusted root", "with --ca FILE", "with --client-ca FILE"},
	{"give the roots to trust", "give the authorities to trust with --ca FILE", "give the authorities to trust with --client-ca FILE"},
	{"add the client's protocol to NextProtos, or have", "have", "have"},
	{"protocols in NextProtos", "protocols in --alpn", "protocols that we have"},
	{"CipherSuites and CurvePreferences", "--suites, --groups and --sigalgs", "--suites, --groups and --sigalgs"},
	{"CipherSuites", "--suites", "--suites"},
	{"in SignatureSchemes", "with --sigalgs", "with --sigalgs"},
	{"CurvePreferences", "--groups", "--groups"},
	{"MinVersion and MaxVersion", "--min and --max", "--min and --max"},
	{"(MaxVersion)", "(--max)", "(--max)"},
	{"set ServerName to", "ask with --sni for", "ask with --sni for"},
	{"(ServerName)", "(--sni)", "(--sni)"},
	{"DHE.MinBits", "--dh-min", "--dh-min"},
	{"with PSK.Client", "with --psk", "with --psk"},
	{"check PSK.Client", "check --psk", "check --psk"},
	{"with PSK.Server", "with --psk", "with --psk"},
	{", or unset Renegotiate.RequireSecure", "", ""},
	{", or unset RequireExtendedMasterSecret", "", ""},
	{"; if that is meant, set Renegotiate.AllowPeerChange", "", ""},
	{"without Renegotiate.RefuseFatally the connection would go on", "", ""},
	{"see Config.HandshakeTimeout", "", ""},
	{"; list it in RawPublicKeys.Show too to go on without", "", ""},
	{", or list one of its in RawPublicKeys", "", ""},
	{"list in RawPublicKeys.Accept what the ", "take, with --raw-public-key or without it, what the ", "have the "},
	{" shows, or have it show another", " shows, or have it show another", " show another"},
	{"over QUIC both sides need NextProtos", "over QUIC both sides need an application protocol", "over QUIC both sides need an application protocol"},
}

var legacySwitch = regexp.MustCompile(`\b(set )?Legacy\.(\w+)`)

// HintOf puts a hint for a client into the words of the command.
func HintOf(hint string) string { return inFlags(hint, wire.Client) }

// inFlags puts a hint of the library into the words of the command.
func inFlags(hint string, we wire.Role) string {
	for _, s := range settings {
		hint = strings.ReplaceAll(hint, s.setting, pick(we, s.client, s.server))
	}
	return legacySwitch.ReplaceAllStringFunc(hint, func(s string) string {
		before, field, _ := strings.Cut(s, "Legacy.")
		return strings.Replace(before, "set", "add", 1) + "--legacy " + vocabulary.LegacyWord(field)
	})
}

// cutHint divides what tls.RecordHeaderError says: what came, and what to do. The
// latter has no semicolon.
func cutHint(msg string) (what, hint string) {
	i := strings.LastIndex(msg, "; ")
	if i < 0 {
		return msg, ""
	}
	return msg[:i], msg[i+2:]
}
