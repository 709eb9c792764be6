package report

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// What the library says of a Config that cannot be used is about the flags that made it.

// misusePrefix begins the rule of such an error.
const misusePrefix = "the Config cannot be used: "

// misused are what the library calls what a flag sets, in errors about a Config. Longer
// names stand before those that they hold.
var misused = []struct{ setting, flag string }{
	{"the prime of DHE.Parameters", "the prime of --dh-params"},
	{"DHE.Parameters are", "--dh-params are"},
	{"Record.MaxFragmentLength", "--max-fragment-length"},
	{"Record.MaxFragment", "--fragment"},
	{"Record.SizeLimit", "--record-size-limit"},
	{"NextProtos", "--alpn"},
	{"in SignatureSchemes", "in --sigalgs"},
	{"SignatureSchemes lists ML-DSA", "--sigalgs lists ML-DSA"},
	{"SignatureSchemes lists alone", "--sigalgs lists alone"},
	{"EncryptedClientHelloConfigList", "--ech-config"},
	{"EncryptedClientHelloKeys", "--ech-key"},
	{"Delegation.Accept", "--accept-delegated"},
	{"RawPublicKeys.Show lists raw public keys, and there is no key; set Keys or Certificates", "--raw-public-key shows the key of a certificate, and there is none; give one with --cert and --key"},
	{"PSK.Hint", "--psk-hint"},
	{"what PSK.ExternalServer returned has", "the key of --psk has"},
	{"the identities and contexts in PSK.External have", "the identity of --psk has"},
	{"PSK.External has", "--psk has"},
	{"set PSK.Client", "give one with --psk"},
	{"set PSK.Server", "give one with --psk"},
	{"a server needs Certificates, GetCertificate or GetConfigForClient", "a server needs a certificate: give one with --cert and --key"},
	{"without MinVersion", "without --min"},
	{"set MinVersion too", "give --min too"},
	{"MinVersion", "--min"},
	{"MaxVersion", "--max"},
	{"a client needs ServerName, the name it means to reach (or InsecureSkipVerify, which trusts anyone)", "there is no name to verify: give one with --sni (or --insecure, which trusts anyone)"},
	{"ServerName has", "the name to ask for (--sni) has"},
}

// place is that of an entry in a list. On the command line each entry has a flag of its own.
var place = regexp.MustCompile(`\b(PSK\.External|EncryptedClientHelloKeys)\[[^\]]+\]`)

// misuse says in the words of the command why no connection can be made with its flags.
func misuse(err error) (text string, ok bool) {
	h, ok := errors.AsType[*tls.HandshakeError](err)
	if !ok {
		return "", false
	}
	text, ok = strings.CutPrefix(h.Rule, misusePrefix)
	if !ok {
		return "", false
	}
	return "the flags cannot be used: " + inFlags(flagged(text), wire.Client), true
}

// flagged puts flags in the place of what the library calls them.
func flagged(text string) string {
	text = place.ReplaceAllString(text, "$1")
	for _, m := range misused {
		text = strings.ReplaceAll(text, m.setting, m.flag)
	}
	return text
}

// Rule is what is wrong with the value of one flag, as the library says it, in the words of
// the command: for an error that names the flag already.
func Rule(err error) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return "it cannot be read: " + path.Err.Error()
	}
	h, ok := errors.AsType[*tls.HandshakeError](err)
	if !ok {
		return err.Error()
	}
	text := flagged(strings.TrimPrefix(h.Rule, misusePrefix))
	if h.Hint != "" {
		text += "; " + h.Hint
	}
	return text
}

// IsMisuse reports that no connection could be made with the flags.
func IsMisuse(err error) bool {
	_, ok := misuse(err)
	return ok
}
