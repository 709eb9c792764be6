package diagnose

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// refusesClient are the alerts by which servers refuse a client for its certificate.
var refusesClient = append([]wire.AlertCode{wire.AlertHandshakeFailure, wire.AlertAccessDenied}, aboutCertificates...)

// clientCertificateRules are for servers that ask for a certificate.
var clientCertificateRules = []rule{
	{id: "client-certificate-unfit", fault: Client, source: "RFC 8446 §4.4.2.3", mend: "give the client a certificate with a key, and of an authority, that the server accepts",
		settings: []string{"client-certificate", "client-ca", "signature-schemes"}, match: func(f *facts) *found {
			choice := f.choices["client certificate"]
			if !f.asked() || !f.refusedClient() || choice == nil || choice.Picked != "" || !strings.Contains(choice.Why, "does not fit") {
				return nil
			}
			return is(Certain, "the server asks for a certificate, and the client's does not fit: "+choice.Why, f.requestShows()...)
		}},
	{id: "client-certificate-missing", fault: Client, source: "RFC 8446 §4.4.2.4", mend: "give the client a certificate and its key",
		settings: []string{"client-certificate", "client-ca"}, match: missingClientCertificate},
	{id: "client-certificate-expired", fault: Client, source: "RFC 5280 §4.1.2.5", mend: "renew the client's certificate", settings: []string{"client-certificate"},
		match: func(f *facts) *found {
			gone := f.client.expired(f.now)
			if gone == nil || !f.clientRefused("valid-now", wire.AlertCertificateExpired, wire.AlertBadCertificate, wire.AlertCertificateUnknown) {
				return nil
			}
			return is(Certain, fmt.Sprintf("the client's certificate %s expired on %s", who(gone), onDay(gone.NotAfter)), f.clientShows("not after")...)
		}},
	{id: "clock-of-server", fault: Clock, source: "RFC 5280 §4.1.2.5", mend: "set the server's clock, and let it follow a time server", settings: []string{"time"},
		match: func(f *facts) *found {
			leaf := f.client.leaf()
			if leaf == nil || !f.sent(wire.Server, wire.AlertCertificateExpired) || f.client.expired(f.now) != nil || f.client.early(f.now) != nil || f.us == wire.Server {
				return nil
			}
			return is(Likely, fmt.Sprintf("the server says that the client's certificate is outside its time, and by the client's clock it is good from %s to %s: one of the two clocks is wrong",
				onDay(leaf.NotBefore), onDay(leaf.NotAfter)), append(f.clientShows("validity"), f.alertEvidence())...)
		}},
	{id: "client-certificate-early", fault: Clock, source: "RFC 5280 §4.1.2.5", mend: "check the clocks of both sides; else wait until the certificate begins", settings: []string{"time"},
		match: func(f *facts) *found {
			early := f.client.early(f.now)
			if early == nil || !f.clientRefused("valid-now", wire.AlertCertificateExpired, wire.AlertBadCertificate, wire.AlertCertificateUnknown) {
				return nil
			}
			return is(Likely, fmt.Sprintf("the client's certificate %s is not valid before %s", who(early), onDay(early.NotBefore)), f.clientShows("not before")...)
		}},
	{id: "client-certificate-purpose", fault: Client, source: "RFC 5280 §4.2.1.12", mend: "have the client's certificate issued for clients (extended key usage clientAuth)",
		settings: []string{"client-certificate"}, match: func(f *facts) *found {
			leaf := f.client.leaf()
			if leaf == nil || f.client.forClients() || !f.clientRefused("purpose", wire.AlertUnsupportedCertificate, wire.AlertBadCertificate, wire.AlertCertificateUnknown, wire.AlertHandshakeFailure) {
				return nil
			}
			return is(Certain, fmt.Sprintf("the client's certificate %s is not for clients: its extended key usage has no clientAuth", who(leaf)), f.clientShows("extended key usage")...)
		}},
	{id: "client-certificate-untrusted", fault: Somebody, source: "RFC 5280 §6", mend: "have the server trust the authority of the client's certificate, or give the client one of an authority that the server trusts",
		settings: []string{"client-ca", "client-certificate"}, match: untrustedClient},
	{id: "client-certificate-revoked", fault: Client, source: "RFC 5280 §6.3", mend: "have a new certificate issued to the client", settings: []string{"client-certificate"},
		match: func(f *facts) *found {
			if f.client.leaf() == nil || !f.clientRefused("revoked", wire.AlertCertificateRevoked) {
				return nil
			}
			return is(Certain, "the client's certificate was revoked", f.clientShows("serial number")...)
		}},
	{id: "client-certificate-refused", last: true, fault: Somebody, mend: "look into the server's log: it refuses the client's certificate, and does not say why",
		settings: []string{"client-ca", "client-certificate"}, match: func(f *facts) *found {
			switch {
			case f.client.leaf() == nil:
				return nil
			case f.httpRefuses("The SSL certificate error"):
				return is(Certain, "the server refuses the client's certificate: its answer in HTTP says so", append(f.clientShows(""), f.lastRecord()...)...)
			case f.hungUp():
				return is(Likely, "the client showed its certificate, and the server hung up without a word", f.clientShows("")...)
			case !f.sent(wire.Server, refusesClient...):
				return nil
			}
			return is(Likely, "the server refuses the client's certificate, and does not say why", append(f.clientShows(""), f.alertEvidence())...)
		}},
}

// asked reports that the server asked for a certificate.
func (f *facts) asked() bool { return f.request != nil || f.choices["client certificate"] != nil }

// refusedClient reports that the server ended the connection with an alert that may be about
// the client's certificate.
func (f *facts) refusedClient() bool { return f.sent(wire.Server, refusesClient...) }

// clientRefused reports that the server refused what the client showed: by its rule where the
// server was traced, else by its alert.
func (f *facts) clientRefused(rule string, codes ...wire.AlertCode) bool {
	if f.us == wire.Server && f.rule() != "" {
		return f.rule() == rule
	}
	return f.sent(wire.Server, codes...)
}

func (f *facts) requestShows() []Evidence {
	if f.requestAt < 0 {
		return nil
	}
	return []Evidence{f.atEvent(f.requestAt, "", "the server asks for a certificate")}
}

func (f *facts) clientShows(field string) []Evidence {
	return append(f.requestShows(), f.atEvent(f.client.event, field, "the client's certificate"))
}

func missingClientCertificate(f *facts) *found {
	if !f.asked() || !f.client.empty && f.client.event >= 0 {
		return nil
	}
	says := append(f.requestShows(), f.atEvent(f.client.event, "", "the client's Certificate is empty"))
	switch {
	case f.sent(wire.Server, wire.AlertCertificateRequired), f.says("the client sent no certificate, and one is required"):
		return is(Certain, "the server requires a certificate of the client, and the client showed none", says...)
	case f.httpRefuses("No required SSL certificate"):
		return is(Certain, "the server requires a certificate of the client, and the client showed none: its answer in HTTP says so", append(says, f.lastRecord()...)...)
	case f.httpRefuses(""):
		return is(Likely, "the server asked for a certificate of the client, the client showed none, and the answer in HTTP is a refusal", append(says, f.lastRecord()...)...)
	case f.hungUp(), f.end == endClosed && f.server.event >= 0 && f.client.empty:
		return is(Likely, "the server asked for a certificate of the client, the client showed none, and the server hung up without a word", says...)
	case f.refusedClient():
		return is(Likely, "the server asked for a certificate of the client, the client showed none, and the server ended the connection", append(says, f.alertEvidence())...)
	}
	return nil
}

// hungUp reports that the server ended a connection at once that was made, without data and
// without saying why. In TLS 1.3 the client has made its connection before the server looks at
// what it showed.
func (f *facts) hungUp() bool {
	return (f.cut() || f.end == endReset && f.c.Summary.Complete) && !f.serverSaid
}

func untrustedClient(f *facts) *found {
	leaf := f.client.leaf()
	if leaf == nil {
		return nil
	}
	unknown := f.us == wire.Server && f.refusal != nil && f.refusal.Rule == nil
	switch {
	case unknown, f.sent(wire.Server, wire.AlertUnknownCA):
		return is(Certain, fmt.Sprintf("the server does not trust the authority %s, which issued the client's certificate", whoIssued(f.client.top())), f.clientShows("issuer")...)
	case f.sent(wire.Server, refusesClient...) && f.unnamed():
		return is(Likely, fmt.Sprintf("the server refuses the client's certificate, and did not name its authority %s", whoIssued(f.client.top())),
			append(f.clientShows("issuer"), f.alertEvidence())...)
	}
	return nil
}

// unnamed reports that the server named authorities, and none is in the client's chain.
func (f *facts) unnamed() bool {
	if f.request == nil {
		return false
	}
	names := f.request.Authorities
	_, _ = f.request.Extensions.Read(wire.ExtCertificateAuthorities, func(r *wire.Reader) { names = wire.ReadAuthorities(r, 1, names) })
	return len(names) > 0 && !slices.ContainsFunc(f.client.certs, func(c parsed) bool {
		return slices.ContainsFunc(names, func(n []byte) bool { return bytes.Equal(n, c.RawIssuer) })
	})
}
