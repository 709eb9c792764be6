package diagnose

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// agreementRules are for hellos that have nothing in common.
var agreementRules = []rule{
	{id: "fallback", fault: Middle, source: "RFC 7507 §3", mend: "do not fall back to an old version; find what broke the first try",
		match: func(f *facts) *found {
			return f.onAlert(Certain, "the client fell back to an old version, and the server could do better", wire.AlertInappropriateFallback)
		}},
	{id: "key-unfit", fault: Server, source: "RFC 5246 §7.4.2", about: aboutSuite,
		mend:     "give the server a certificate with another kind of key too, or have the client offer suites for the kind that it has",
		settings: []string{"certificate-keys", "cipher-suites"}, match: func(f *facts) *found {
			if !f.says("fits our certificate, whose key is", "certificate's key (") {
				return nil
			}
			return is(Certain, "no cipher suite that both have fits the key of the server's certificate", f.helloShows("cipher_suites")...)
		}},
	{id: "no-common-version", fault: Somebody, source: "RFC 8446 §4.2.1", about: aboutVersion,
		mend: "widen the versions of one side; the side with the old ones is to be upgraded", settings: []string{"versions"}, match: noCommonVersion},
	{id: "no-common-suite", fault: Somebody, source: "RFC 8446 §4.1.1", about: aboutSuite,
		mend: "have one side accept a cipher suite of the other", settings: []string{"cipher-suites"}, match: disagrees(aboutSuite)},
	{id: "no-common-group", fault: Somebody, source: "RFC 8446 §4.1.1", about: aboutGroup,
		mend: "have one side accept a group of the other", settings: []string{"groups"}, match: disagrees(aboutGroup)},
	{id: "no-common-scheme", fault: Somebody, source: "RFC 8446 §4.4.2.2", about: aboutScheme,
		mend:     "have the client accept another signature scheme, or give the server a certificate with another kind of key",
		settings: []string{"signature-schemes", "certificate-keys"}, match: disagrees(aboutScheme)},
	{id: "no-common-alpn", fault: Somebody, source: "RFC 7301 §3.2", about: aboutALPN,
		mend: "have one side offer a protocol of the other, or no ALPN at all", settings: []string{"alpn"}, match: func(f *facts) *found {
			if f.sent(wire.Server, wire.AlertNoApplicationProtocol) {
				return is(Certain, "no application protocol in common"+f.miss(aboutALPN), append(f.helloShows("application_layer_protocol_negotiation"), f.alertEvidence())...)
			}
			return disagrees(aboutALPN)(f)
		}},
	{id: "name-unknown", fault: Client, source: "RFC 6066 §3", mend: "ask for a name that the server has, or add the name to the server",
		settings: []string{"server-names"}, match: func(f *facts) *found {
			if !f.sent(wire.Server, wire.AlertUnrecognizedName) || f.hello == nil || f.hello.name == "" || f.finishedAll() {
				return nil
			}
			return is(Certain, fmt.Sprintf("the server has no site of the name %q", f.hello.name), append(f.helloShows("server_name"), f.alertEvidence())...)
		}},
	{id: "name-missing", fault: Client, source: "RFC 6066 §3", mend: "have the client send the server's name (SNI), or give the server a default certificate",
		settings: []string{"send-name", "default-certificate"}, match: func(f *facts) *found {
			if f.hello == nil || f.hello.name != "" || !f.sent(wire.Server, wire.AlertUnrecognizedName, wire.AlertMissingExtension) || f.answer != nil {
				return nil
			}
			return is(Likely, "the server wants to be asked by a name, and the client sent none", append(f.helloShows("no server_name"), f.alertEvidence())...)
		}},
	{id: "dh-too-small", fault: Server, source: "RFC 7919 §1, Logjam", mend: "have the server use a group of 2048 bits or more, or ECDHE alone",
		settings: []string{"dh-parameters", "cipher-suites"}, match: smallDH},
	{id: "legacy-renegotiation", settingsOf: Client, fault: Server, source: "RFC 5746 §4", mend: "upgrade the server: it cannot tie a renegotiation to the handshake before it, which is how CVE-2009-3555 attacks",
		settings: []string{"legacy-renegotiation"}, match: legacyRenegotiation},
	{id: "renegotiation-refused", fault: Server, source: "RFC 5246 §7.2.2", mend: "do without renegotiation, or allow it at the peer", settings: []string{"renegotiation"},
		match: func(f *facts) *found {
			return f.onAlert(Certain, "the peer does not renegotiate", wire.AlertNoRenegotiation)
		}},
	{id: "no-extended-master-secret", fault: Server, source: "RFC 7627 §5.3", mend: "upgrade the peer, or do not demand extended master secret",
		settings: []string{"extended-master-secret"}, match: func(f *facts) *found {
			if !f.says("extended master secret") {
				return nil
			}
			return is(Certain, "one side demands extended master secret, and the other does not have it", f.atEvent(f.answerAt, "extensions", "the ServerHello"))
		}},
	{id: "downgraded", fault: Middle, source: "RFC 8446 §4.1.3", mend: "find what changes the ClientHello on the way; nothing at either end can mend it",
		match: func(f *facts) *found {
			if !f.says("someone in between has changed the hello") {
				return nil
			}
			return is(Certain, "somebody on the way made the connection fall back: the server's random says that it could do better", f.atEvent(f.answerAt, "random", "the server's random ends in the mark of a downgrade"))
		}},
}

// finishedAll reports that both sides have finished a handshake.
func (f *facts) finishedAll() bool { return f.c.Summary.Complete }

// onAlert matches alerts of the peer or of ours.
func (f *facts) onAlert(sure Confidence, sentence string, codes ...wire.AlertCode) *found {
	if !f.sent(wire.Client, codes...) && !f.sent(wire.Server, codes...) {
		return nil
	}
	return is(sure, sentence, f.alertEvidence())
}

// helloShows is evidence from the ClientHello; none where there is no hello.
func (f *facts) helloShows(field string) []Evidence {
	if f.hello == nil {
		return nil
	}
	return []Evidence{f.atEvent(f.helloAt, field, "what the client offers")}
}

// miss says where the sets miss, in words; empty where one of them is not known.
func (f *facts) miss(about string) string {
	o := f.offers(about)
	if len(o) == 0 || len(o[0].Client) == 0 {
		return ""
	}
	said := ": the client offers " + few(o[0].Client)
	if len(o[0].Server) > 0 {
		said += ", and the server takes " + few(o[0].Server)
	}
	return said
}

// few are the first of a list.
func few(list []string) string {
	const most = 4
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}

// disagrees matches a negotiation of one thing that failed, as the side knows that decided.
func disagrees(about string) func(*facts) *found {
	return func(f *facts) *found {
		failed := f.handshake != nil && f.handshake.What == about || f.says("no "+about+" in common") ||
			about == aboutScheme && f.says("no signature_algorithms, which stands for SHA-1") || about == aboutALPN && f.says("no application protocol in common")
		if !failed {
			return nil
		}
		return is(Certain, "no "+about+" in common"+f.miss(about), f.helloShows(fieldOf[about])...)
	}
}

// fieldOf is where a hello has what is negotiated.
var fieldOf = map[string]string{
	aboutVersion: "supported_versions", aboutSuite: "cipher_suites", aboutGroup: "supported_groups",
	aboutScheme: "signature_algorithms", aboutALPN: "application_layer_protocol_negotiation",
}

func noCommonVersion(f *facts) *found {
	evidence := f.helloShows("supported_versions")
	switch {
	case f.sent(wire.Server, wire.AlertProtocolVersion) && f.us == wire.Client, f.sent(wire.Server, wire.AlertProtocolVersion) && f.c.Captured:
		said := "the server speaks none of the versions that the client offers"
		if f.hello != nil {
			said += ": " + few(f.hello.offers(aboutVersion))
		}
		return is(Certain, said, append(evidence, f.alertEvidence())...)
	case f.sent(wire.Client, wire.AlertProtocolVersion):
		said := "the client does not accept the version that the server picked"
		if f.answer != nil {
			said += ": " + f.version.String()
		}
		return is(Certain, said, append(evidence, f.alertEvidence())...)
	}
	return disagrees(aboutVersion)(f)
}

// smallest is what a Diffie-Hellman group must have.
const smallest = 2048

func smallDH(f *facts) *found {
	if f.exchange == nil || len(f.exchange.P) == 0 {
		return nil
	}
	bits := bitLen(f.exchange.P)
	shows := f.atEvent(f.exchangeAt, "dh_p", fmt.Sprintf("the server's prime has %d bits", bits))
	switch {
	case f.says("Diffie-Hellman group has"):
		return is(Certain, fmt.Sprintf("the server's Diffie-Hellman group has %d bits, which the client refuses", bits), shows)
	case bits < smallest && f.sent(wire.Client, wire.AlertHandshakeFailure, wire.AlertInsufficientSecurity, wire.AlertIllegalParameter):
		return is(Likely, fmt.Sprintf("the server's Diffie-Hellman group has %d bits, and the client ended the connection at that", bits), shows, f.alertEvidence())
	}
	return nil
}

// bitLen is how many bits a big-endian number has.
func bitLen(b []byte) int {
	for i, v := range b {
		if v != 0 {
			n := 8 * (len(b) - i - 1)
			for ; v != 0; v >>= 1 {
				n++
			}
			return n
		}
	}
	return 0
}

func legacyRenegotiation(f *facts) *found {
	if f.answer == nil || f.version >= wire.TLS13 || f.answer.Extensions.Has(wire.ExtRenegotiationInfo) {
		if f.says("does not know RFC 5746") {
			return is(Certain, "one side does not know RFC 5746 (secure renegotiation), and the other demands it")
		}
		return nil
	}
	shows := f.atEvent(f.answerAt, "extensions", "the ServerHello has no renegotiation_info")
	switch {
	case f.says("does not know RFC 5746"):
		return is(Certain, "the server does not know RFC 5746 (secure renegotiation), and the client demands it", shows)
	case f.sent(wire.Client, wire.AlertHandshakeFailure) && f.server.event < 0:
		return is(Likely, "the server does not know RFC 5746 (secure renegotiation), and the client ended the connection at its ServerHello", shows, f.alertEvidence())
	}
	return nil
}
