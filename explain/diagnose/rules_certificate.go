package diagnose

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// certificateRules are for servers whose certificate is refused.
var certificateRules = []rule{
	{id: "intercepted", settingsOf: Client, fault: Middle, mend: "if the network does this on purpose, trust its authority at the client; else somebody reads along",
		settings: []string{"trust"}, match: func(f *facts) *found {
			name := f.server.interceptor()
			if name == "" || !f.serverRefused("") && !f.sent(wire.Client, wire.AlertUnknownCA, wire.AlertBadCertificate, wire.AlertCertificateUnknown) {
				return nil
			}
			return is(Likely, fmt.Sprintf("something on the way ends the connection and signs a certificate of its own: its authority is %q", name), f.serverShows("issuer")...)
		}},
	{id: "revoked", fault: Server, source: "RFC 5280 §6.3", mend: "have a new certificate issued, for a new key", settings: []string{"certificate"}, match: func(f *facts) *found {
		return f.byRule("revoked", wire.AlertCertificateRevoked, "the server's certificate was revoked")
	}},
	{id: "staple-missing", fault: Server, source: "RFC 7633 §4.2.3", mend: "turn on OCSP stapling at the server, and see that it can reach its responder",
		settings: []string{"ocsp-stapling"}, match: func(f *facts) *found { return staple(f, false) }},
	{id: "staple-stale", fault: Server, source: "RFC 6960 §4.2.2.1", mend: "see why the server does not fetch a new OCSP response: it may not reach the responder, or its clock is wrong",
		settings: []string{"ocsp-stapling", "time"}, match: func(f *facts) *found { return staple(f, true) }},
	{id: "clock-of-client", fault: Clock, source: "RFC 5280 §4.1.2.5", mend: "set the client's clock, and let it follow a time server", settings: []string{"time"}, match: clockByStamps},
	{id: "expired", fault: Server, source: "RFC 5280 §4.1.2.5", mend: "renew the server's certificate, have it renewed by itself, and reload the server", settings: []string{"renewal", "certificate"},
		match: func(f *facts) *found {
			gone := f.server.expired(f.now)
			if gone == nil || !f.serverRefused("valid-now", wire.AlertCertificateExpired, wire.AlertBadCertificate, wire.AlertCertificateUnknown) {
				return nil
			}
			what := "the server's certificate "
			if gone != f.server.leaf() {
				what = "the authority's certificate "
			}
			return is(Certain, fmt.Sprintf("%s%s expired on %s, %s ago", what, who(gone), onDay(gone.NotAfter), days(f.now.Sub(gone.NotAfter))), f.serverShows("not after")...)
		}},
	{id: "not-yet-valid", fault: Clock, source: "RFC 5280 §4.1.2.5", mend: "check the clocks of both sides, which is the usual cause; else wait until the certificate begins", settings: []string{"time", "certificate"},
		match: func(f *facts) *found {
			early := f.server.early(f.now)
			if early == nil || !f.serverRefused("valid-now", wire.AlertCertificateExpired, wire.AlertBadCertificate, wire.AlertCertificateUnknown) {
				return nil
			}
			return is(Likely, fmt.Sprintf("the server's certificate %s is not valid before %s, and by the client's clock it is %s", who(early), onDay(early.NotBefore), onDay(f.now)), f.serverShows("not before")...)
		}},
	{id: "default-certificate", fault: Client, source: "RFC 6066 §3", mend: "have the client send the server's name (SNI), or make the certificate for that name the server's default",
		settings: []string{"send-name", "default-certificate"}, match: func(f *facts) *found {
			if f.hello == nil || f.hello.name != "" || f.server.leaf() == nil || !f.serverRefused("name", wire.AlertBadCertificate, wire.AlertCertificateUnknown) || f.outsideTime() {
				return nil
			}
			sentence := fmt.Sprintf("the client sent no name, so the server showed its default certificate, which is for %s", few(f.names()))
			if f.us == wire.Client {
				sentence += fmt.Sprintf(" and not for %q", f.wanted())
			}
			return is(Likely, sentence, append(f.helloShows("no server_name"), f.serverShows("names")...)...)
		}},
	{id: "wrong-host", fault: Somebody, source: "RFC 9525 §6", mend: "connect by one of the certificate's names, or have one issued for the name that is asked for",
		settings: []string{"certificate", "server-names"}, match: wrongHost},
	{id: "self-signed", fault: Server, source: "RFC 5280 §6.1", mend: "have the certificate issued by an authority that clients trust; or, if it is yours, trust it at the client",
		settings: []string{"certificate", "trust"}, match: func(f *facts) *found {
			leaf := f.server.leaf()
			if leaf == nil || !selfIssued(leaf) || !f.untrusted() {
				return nil
			}
			return is(Certain, fmt.Sprintf("the server's certificate %s is signed by itself, and the client does not trust it", who(leaf)), f.serverShows("issuer")...)
		}},
	{id: "chain-incomplete", fault: Server, source: "RFC 5246 §7.4.2", mend: "install the whole chain at the server: its certificate, and the intermediates behind it (fullchain.pem)",
		settings: []string{"chain", "trust"}, match: func(f *facts) *found {
			top := f.server.top()
			if top == nil || selfIssued(top) || !f.untrusted() || len(top.IssuingCertificateURL) == 0 {
				return nil
			}
			return is(Likely, fmt.Sprintf("the server did not send the intermediate %s, which issued %s", whoIssued(top), who(top)), f.serverShows("issuer")...)
		}},
	{id: "untrusted-root", settingsOf: Client, fault: Somebody, source: "RFC 5280 §6.1.1", mend: "if the authority is yours, trust its root at the client; else have the certificate issued by one that clients trust",
		settings: []string{"trust", "chain"}, match: func(f *facts) *found {
			top := f.server.top()
			if top == nil || !f.untrusted() || selfIssued(f.server.leaf()) {
				return nil
			}
			x := is(Certain, fmt.Sprintf("the client does not trust the authority %s, to which the server's certificate leads", whoIssued(top)), f.serverShows("issuer")...)
			if len(f.server.certs) == 1 && !selfIssued(top) {
				x.sure, x.others = Likely, []string{"chain-incomplete"} // its issuer may be an intermediate
			}
			if f.server.interceptor() != "" {
				x.sure = Likely // its name speaks for somebody on the way
			}
			return x
		}},
	{id: "sha1-chain", fault: Server, source: "RFC 9155, CA/Browser Forum baseline requirements §7.1.3.2", mend: "have the chain issued anew with SHA-256; an old intermediate may have a newer twin",
		settings: []string{"certificate", "chain"}, match: func(f *facts) *found {
			weak := f.server.weakHash()
			if weak == nil || !f.serverRefused("signature-hash", wire.AlertBadCertificate, wire.AlertUnsupportedCertificate, wire.AlertHandshakeFailure, wire.AlertInsufficientSecurity) {
				return nil
			}
			return is(Certain, fmt.Sprintf("the certificate %s is signed with %v, which can be forged", who(weak), weak.SignatureAlgorithm), f.serverShows("signature algorithm")...)
		}},
	{id: "weak-key", fault: Server, source: "NIST SP 800-131A §3", mend: "have the certificate issued for a key of RSA 2048 bits or more, or ECDSA P-256", settings: []string{"certificate"},
		match: func(f *facts) *found {
			weak := f.server.weakKey()
			if weak == nil || !f.serverRefused("rsa-size", wire.AlertBadCertificate, wire.AlertUnsupportedCertificate, wire.AlertInsufficientSecurity) && !f.says("RSA key") {
				return nil
			}
			return is(Certain, fmt.Sprintf("the key in the certificate %s is too small", who(weak)), f.serverShows("subject public key")...)
		}},
	{id: "chain-order", fault: Server, source: "RFC 5246 §7.4.2", mend: "put the certificates in their order: the server's own first, then each that issued the one before it", settings: []string{"chain"},
		match: func(f *facts) *found {
			out := f.server.misordered()
			if out == nil || f.us == wire.Client && f.refusedPeer() {
				return nil // we do not mind the order
			}
			if f.sent(wire.Client, wire.AlertUnknownCA, wire.AlertBadCertificate, wire.AlertCertificateUnknown) {
				return is(Likely, "the server's certificates are not in their order, and the client refuses them", append(f.serverShows("certificate_list"), f.alertEvidence())...)
			}
			return is(Certain, fmt.Sprintf("the server's certificates are not in their order: %s did not issue the one before it; clients that do not sort them refuse the chain", who(out)), f.serverShows("certificate_list")...)
		}},
	{id: "purpose", fault: Server, source: "RFC 5280 §4.2.1.12", mend: "have the certificate issued for servers (extended key usage serverAuth)", settings: []string{"certificate"}, match: func(f *facts) *found {
		if f.us != wire.Client || f.rule() != "purpose" {
			return nil
		}
		return is(Certain, f.reason(), f.serverShows("extended key usage")...)
	}},
	{id: "certificate-rule", last: true, fault: Server, mend: "have the certificate issued anew by the rule that it breaks", settings: []string{"certificate"}, match: func(f *facts) *found {
		if f.us != wire.Client || f.rule() == "" {
			return nil
		}
		return is(Certain, f.reason(), f.serverShows("")...)
	}},
	{id: "certificate-refused", last: true, fault: Somebody, mend: "look into the client's log: it refuses the server's certificate, and does not say why", settings: []string{"chain", "certificate", "trust"},
		match: func(f *facts) *found {
			if f.server.leaf() == nil || !f.sent(wire.Client, aboutCertificates...) || f.us == wire.Client && !f.c.Captured {
				return nil
			}
			return is(Likely, "the client refuses the server's certificate", append(f.serverShows(""), f.alertEvidence())...)
		}},
}

// outsideTime reports that a certificate of the server's has ended, or not begun.
func (f *facts) outsideTime() bool {
	return f.server.expired(f.now) != nil || f.server.early(f.now) != nil
}

func (f *facts) serverShows(field string) []Evidence {
	return []Evidence{f.atEvent(f.server.event, field, "the server's certificate")}
}

// serverRefused reports that the client refused what the server showed: by its rule where the
// client was traced and knows it, else by its alert.
func (f *facts) serverRefused(rule string, codes ...wire.AlertCode) bool {
	if f.us == wire.Client && !f.c.Captured {
		switch known := f.rule(); {
		case known != "":
			return known == rule
		case f.refusedPeer() && (f.refusal != nil || f.c.Verdict != nil):
			return rule == "" // no path was found
		}
	}
	return f.sent(wire.Client, codes...)
}

// untrusted reports that the client found no path to a root that it trusts.
func (f *facts) untrusted() bool { return f.serverRefused("", wire.AlertUnknownCA) }

// byRule matches a rule of the client's verification, or the alert that says the same.
func (f *facts) byRule(rule string, code wire.AlertCode, sentence string) *found {
	if f.server.leaf() == nil || !f.serverRefused(rule, code) {
		return nil
	}
	evidence := f.serverShows("")
	if f.alert != nil {
		evidence = append(evidence, f.alertEvidence())
	}
	if reason := f.reason(); reason != "" {
		sentence += ": " + reason
	}
	return is(Certain, sentence, evidence...)
}

// staple matches a server that must staple an OCSP response: one that is stale, or none.
func staple(f *facts, stale bool) *found {
	if found := f.byRule("must-staple", wire.AlertBadCertificateStatusResponse, "the server's certificate demands a stapled OCSP response"); found != nil {
		if stale != f.stapledBad() {
			return nil
		}
		return found
	}
	if stale && f.rule() == "revocation-known" && strings.Contains(f.reason(), "stapled") {
		return f.byRule("revocation-known", wire.AlertBadCertificateStatusResponse, "the OCSP response that the server staples will not do")
	}
	return nil
}

// stapledBad reports that a staple came, and will not do.
func (f *facts) stapledBad() bool {
	said := f.reason() + f.why
	return strings.Contains(said, "stapled OCSP") && !strings.Contains(said, "none came")
}

// wanted is the name that the client wants the certificate to be for.
func (f *facts) wanted() string {
	switch {
	case f.c.Verdict != nil && f.c.Verdict.ServerName != "":
		return f.c.Verdict.ServerName
	case f.hello != nil && f.hello.name != "":
		return f.hello.name
	}
	host, _, err := net.SplitHostPort(f.c.Target)
	if err != nil {
		return f.c.Target
	}
	return host
}

// names are those of the server's certificate.
func (f *facts) names() (names []string) {
	leaf := f.server.leaf()
	if leaf == nil {
		return nil
	}
	names = append(names, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return []string{"no name"}
	}
	for i, n := range names {
		names[i] = fmt.Sprintf("%q", n)
	}
	return names
}

func wrongHost(f *facts) *found {
	leaf := f.server.leaf()
	if leaf == nil {
		return nil
	}
	sentence := fmt.Sprintf("the server's certificate is for %s, and the client wants %q", few(f.names()), f.wanted())
	switch {
	case f.hello != nil && f.hello.name == "" && net.ParseIP(f.wanted()) == nil:
		return nil // it could not know
	case f.us == wire.Client && !f.c.Captured && f.rule() == "name" && f.hello != nil && f.hello.name == "":
		return is(Likely, sentence, f.serverShows("names")...) // or the default was meant for another
	case f.us == wire.Client && !f.c.Captured && f.rule() == "name":
		return is(Certain, sentence, f.serverShows("names")...)
	case f.hello != nil && f.hello.name != "" && leaf.VerifyHostname(f.hello.name) != nil && f.sent(wire.Client, wire.AlertBadCertificate, wire.AlertCertificateUnknown, wire.AlertAccessDenied):
		return is(Likely, sentence, append(f.serverShows("names"), f.alertEvidence())...)
	}
	return nil
}

// clockByStamps: a stapled response that was made after the client's now shows that the client's clock
// is behind.
func clockByStamps(f *facts) *found {
	if f.us != wire.Client || f.server.early(f.now) == nil || !f.serverRefused("valid-now", wire.AlertCertificateExpired) {
		return nil
	}
	at := f.server.stapledAt()
	if !at.After(f.now.Add(time.Hour)) {
		return nil
	}
	return is(Likely, fmt.Sprintf("the client's clock is behind: by it, it is %s, and the server staples a response of %s", onDay(f.now), onDay(at)), f.serverShows("")...)
}

// days is a time in words.
func days(d time.Duration) string {
	switch n := int(d / (24 * time.Hour)); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}
