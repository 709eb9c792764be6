package root

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
)

// others are flags of curl, OpenSSL and GnuTLS, and what does the same here.
var others = map[string]string{
	"k": "--insecure", "no-check-certificate": "--insecure", "skip-verify": "--insecure",
	"servername": "--sni", "server-name": "--sni", "sni-hostname": "--sni", "verify_hostname": "--sni", "verify-hostname": "--sni",
	"CAfile": "--ca", "cafile": "--ca", "cacert": "--ca", "x509cafile": "--ca",
	"E": "--cert", "x509certfile": "--cert", "x509keyfile": "--key",
	"cipher": "--suites", "ciphers": "--suites", "ciphersuites": "--suites", "tls13-ciphers": "--suites",
	"curves": "--groups", "client_sigalgs": "--sigalgs", "signature-schemes": "--sigalgs", "pskkey": "--psk", "psk_identity": "--psk", "psk_hint": "--psk-hint",
	"reconnect": "--resume", "maxfraglen": "--max-fragment-length", "accept": "--listen", "p": "--listen", "port": "--listen",
	"verify": "--client-auth", "Verify": "--client-auth", "dhparam": "--dh-params",
	"m": "--timeout", "max-time": "--timeout", "connect-timeout": "--timeout", "out": "-o", "no_comp": "--compress",
	"ssl3": "--min ssl3.0 --max ssl3.0", "tls1": "--min tls1.0 --max tls1.0", "tls1_1": "--min tls1.1 --max tls1.1", "tls1_2": "--min tls1.2 --max tls1.2", "tls1_3": "--min tls1.3",
	"no_tls1_3": "--max tls1.2",
	"tlsv1.0":   "--min tls1.0", "tlsv1.1": "--min tls1.1", "tlsv1.2": "--min tls1.2", "tlsv1.3": "--min tls1.3", "tls-max": "--max",
}

// without are flags of OpenSSL for which there is none here, and what to do in their place.
var without = map[string]string{
	"connect":   "write HOST:PORT without a flag",
	"showcerts": "'vitrine cert show HOST' shows the certificates",
	"quiet":     "leave it out: standard output has only what the server sends",
	"ign_eof":   "leave it out: the connection ends when the server ends it",
	"brief":     "leave it out: the summary is short already",
}

// verbsOfOthers are verbs of OpenSSL and GnuTLS, and what does the same here.
var verbsOfOthers = map[string]string{
	"s_client": "connect", "gnutls-cli": "connect", "client": "connect", "s_server": "serve", "gnutls-serv": "serve", "server": "serve", "ciphers": "suites",
	"x509": "cert show", "pkcs12": "cert show", "pkcs7": "cert show", "crl": "cert show", "verify": "cert verify", "certtool": "cert show", "ca": "cert ca", "ocsp": "cert ca ocsp",
}

// flagError turns an error of the flags into one that says what to type.
func flagError(cmd *cobra.Command, err error) error {
	if args := cmd.Flags().Args(); !cmd.HasParent() && len(args) > 0 {
		return noVerb(cmd, args[0])
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return report.Usagef("--%s %q: %s; %s --help shows the flags", invalid.GetFlag().Name, invalid.GetValue(), wants(invalid), cmd.CommandPath())
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return report.Usagef("%v; %s --help shows the flags", err, cmd.CommandPath())
	}
	name, typed := unknown.GetSpecifiedName(), "--"+unknown.GetSpecifiedName()
	if cluster := unknown.GetSpecifiedShortnames(); cluster != "" {
		name, _, _ = strings.Cut(cluster, "=")
		typed = "-" + name
	}
	like := flagsLike(cmd, name)
	if connect, _, err := cmd.Root().Find([]string{"connect"}); !cmd.HasParent() && err == nil { // most likely it is meant
		for _, flag := range flagsLike(connect, name) {
			like = append(like, "vitrine connect HOST "+flag)
		}
	}
	if cluster, _, _ := strings.Cut(unknown.GetSpecifiedShortnames(), "="); len(like) == 0 && without[cluster] != "" {
		return report.Usagef("unknown flag: %s; %s", typed, without[cluster])
	}
	return report.Usagef("unknown flag: %s%s; %s --help shows the flags", typed, flags.DidYouMean(like), cmd.CommandPath())
}

// wants says what a flag takes, in place of what Go says of its parsers.
func wants(e *pflag.InvalidValueError) string {
	if words, ok := takes[e.GetFlag().Value.Type()]; ok {
		return words
	}
	return e.Unwrap().Error()
}

// takes is what flags take, by their types in pflag.
var takes = map[string]string{
	"int":         "give a whole number",
	"intSlice":    "give whole numbers with commas between them",
	"uint8":       "give a whole number from 0 to 255",
	"float64":     "give a number, like 2 or 0.5",
	"duration":    "give a time, like 5m or 1h30m",
	"bool":        "give true or false, or no value",
	"stringSlice": "give values with commas between them; a quotation mark in it has no other beside it",
}

// flagsLike are the flags of cmd that somebody may have meant by name.
func flagsLike(cmd *cobra.Command, name string) []string {
	has := func(flag string) bool {
		name, _, _ := strings.Cut(strings.TrimLeft(flag, "-"), " ")
		return cmd.Flags().Lookup(name) != nil || len(name) == 1 && cmd.Flags().ShorthandLookup(name) != nil
	}
	if other := others[name]; other != "" && has(other) {
		return []string{other}
	}
	if len(name) > 1 && cmd.Flags().Lookup(name) != nil { // with one dash
		return []string{"--" + name}
	}
	var like []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if vocabulary.Distance(f.Name, strings.ToLower(name)) <= min(2, (len(name)-1)/2) {
			like = append(like, "--"+f.Name)
		}
	})
	return like
}

// noVerb is for a word that is no verb: perhaps it is one that is mistyped, or a
// target.
func noVerb(cmd *cobra.Command, word string) error {
	if strings.ContainsAny(word, ".:") || word == "localhost" {
		return report.Usagef("%q is not a verb, did you mean vitrine connect %s?", word, word)
	}
	like := cmd.SuggestionsFor(word)
	if other := verbsOfOthers[strings.ToLower(word)]; other != "" {
		like = []string{"vitrine " + other}
	}
	return report.Usagef("there is no verb %q%s; vitrine help lists them", word, flags.DidYouMean(like))
}
