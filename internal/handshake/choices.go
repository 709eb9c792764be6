package handshake

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// What was decided and why, for the trace. Nothing here changes a decision.

func (s *State) choseVersion() {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "version", By: wire.Server, Ours: names(s.Config.Versions), Ref: "RFC 8446 §4.2.1",
		Why: "the newest that both sides speak"}
	if s.isServer() {
		c.Theirs = s.Offer.versionNames()
	}
	if s.profile != nil {
		c.Picked = s.Result.Version.String()
	}
	s.Hooks.Choice(c)
}

func (s *State) choseSuite(picked *suite.Suite, because string) {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "cipher suite", By: wire.Server, Ours: names(s.Config.Suites), Theirs: names(s.Offer.Suites), Ref: "RFC 8446 §4.1.1"}
	c.Why = "the first of ours that the client offers"
	if because != "" {
		c.Why += "; " + because
	}
	if picked != nil {
		c.Picked = picked.Name
	}
	s.Hooks.Choice(c)
}

func (s *State) choseSuiteByPeer() {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: "cipher suite", By: wire.Server, Ours: names(s.hello.CipherSuites), Picked: s.Result.Suite.Name,
			Why: "the server's choice from our list", Ref: "RFC 8446 §4.1.3"})
	}
}

func (s *State) choseGroup(by wire.Role, why string) {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: "group", By: by, Ours: names(s.groupsFor()), Theirs: names(s.Offer.Groups),
			Picked: s.Result.Group.String(), Why: why, Ref: "RFC 8446 §4.2.8"})
	}
}

// groupsFor are ours that the key exchange can use: up to TLS 1.2 a server's own
// parameters have no number, so that finite fields need not be listed.
func (s *State) groupsFor() []wire.NamedGroup {
	if s.profile.schedule == nil {
		return s.Config.Groups
	}
	field := s.Result.Suite.KeyExchange.Share() == wire.ShareDH
	return slices.DeleteFunc(slices.Clone(s.Config.Groups), func(g wire.NamedGroup) bool { return postQuantum(g) || kex.IsFF(g) != field })
}

func (s *State) choseScheme(by wire.Role, offered []wire.SignatureScheme) {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "signature scheme", By: by, Ref: "RFC 8446 §4.2.3", Why: "the client's first that fits the server's key"}
	if s.isServer() {
		c.Theirs = names(offered)
	} else {
		c.Ours = names(offered)
	}
	if s.Result.ServerScheme != 0 {
		c.Picked = s.Result.ServerScheme.String()
	}
	s.Hooks.Choice(c)
}

func (s *State) choseALPN(by wire.Role, ours []string, theirs [][]byte) {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: "ALPN", By: by, Ours: ours, Theirs: names(theirs), Picked: s.Result.ALPN,
			Why: "the first of the server's protocols that the client offers", Ref: "RFC 7301 §3.2"})
	}
}

func (s *State) choseResumption(kind Resumption, refusal string) {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "resumption", By: wire.Server, Picked: kind.String(), Ref: "RFC 8446 §2.2", Why: "the session is ours, fresh, and bound to the same rules"}
	if refusal != "" {
		c.Picked, c.Why = "", "a full handshake is needed: "+refusal
	}
	s.Hooks.Choice(c)
}

// choseTickets tells how many tickets the server will send to a client that asks for q.
func (s *State) choseTickets(q wire.TicketRequest) {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "number of tickets", By: wire.Server, Picked: fmt.Sprint(s.Result.TicketsExpected),
		Why: "what the client asks for, up to what the server gives", Ref: "RFC 9149 §3"}
	asked := []string{fmt.Sprintf("%d after a full handshake", q.NewSession), fmt.Sprintf("%d after one that resumes", q.Resumption)}
	if s.isServer() {
		c.Ours, c.Theirs = []string{fmt.Sprintf("%d at most", s.Config.TicketsMost)}, asked
	} else {
		c.Ours = asked
	}
	s.Hooks.Choice(c)
}

func (s *State) choseExternal() {
	if s.Hooks.Choice == nil {
		return
	}
	why := "the first identity of the client whose key the server has"
	if s.key.kind == &ofImported {
		why += ", imported for " + s.key.hash.Name
	}
	s.Hooks.Choice(trace.Choice{What: "pre-shared key", By: wire.Server, Picked: s.Result.PSKIdentity, Why: why, Ref: s.key.kind.ref})
}

func (s *State) choseCertificate() {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: "certificate", By: wire.Server, Picked: subject(s.certificate.Certificate[0]),
			Why: fmt.Sprintf("the client asks for the name %q", s.Result.ServerName), Ref: "RFC 8446 §4.4.2.2"})
	}
}

func (s *State) choseClientCertificate() {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "client certificate", By: wire.Client, Theirs: names(s.request.schemes), Ref: "RFC 8446 §4.4.2.3",
		Why: s.Result.ClientMisfit}
	if len(s.certificate.Certificate) > 0 {
		c.Picked, c.Why = subject(s.certificate.Certificate[0]), "its key can sign with "+s.scheme.String()
		if misfit := s.Result.ClientMisfit; misfit != "" {
			c.Why += "; but " + misfit
		}
	}
	s.Hooks.Choice(c)
}

// choseHello tells which of two hellos counts.
func (s *State) choseHello() {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "encrypted_client_hello", By: wire.Server, Picked: "ClientHelloInner", Ref: "RFC 9849 §7.1",
		Why: "the server has a key by which it opens"}
	if !s.ech.accepted {
		c.Picked, c.Why = "ClientHelloOuter", "no key of the server opens the inner one"
	}
	s.Hooks.Choice(c)
}

// choseType is by the server: how whose key is shown.
func (s *State) choseType(whose wire.Role, t wire.CertificateType, ours, theirs []wire.CertificateType) {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: whose.String() + " certificate type", By: wire.Server, Ours: names(ours), Theirs: names(orX509(theirs)),
			Picked: t.String(), Why: "the first of the server's types that the client has too", Ref: "RFC 7250 §4.2"})
	}
}

func (s *State) choseCompression(a *certcompress.Algorithm, from, to int, gain bool) {
	if s.Hooks.Choice == nil {
		return
	}
	c := trace.Choice{What: "certificate compression", By: s.Role, Picked: a.ID.String(), Ref: "RFC 8879 §3",
		Why: fmt.Sprintf("the first of ours that the %v takes; %d bytes become %d", s.Role.Peer(), from, to)}
	for i := range s.Config.CertCompressions {
		c.Ours = append(c.Ours, s.Config.CertCompressions[i].ID.String())
	}
	if c.Theirs = names(s.Offer.CertCompressions); !s.isServer() {
		c.Theirs = names(s.request.compressions)
	}
	if !gain {
		c.Picked, c.Why = "", fmt.Sprintf("%d bytes would become %d, which saves nothing", from, to)
	}
	s.Hooks.Choice(c)
}

func (s *State) choseDelegated(d *Delegated) {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: "delegated credential", By: wire.Server, Theirs: names(s.Offer.Delegated), Picked: d.Scheme.String(),
			Why: "the client takes delegated credentials of this scheme, signed with " + d.Algorithm.String(), Ref: "RFC 9345 §4.1.1"})
	}
}

func (s *State) choseRawKey(by wire.Role) {
	if s.Hooks.Choice == nil {
		return
	}
	what := "certificate"
	if by == wire.Client {
		what = "client certificate"
	}
	s.Hooks.Choice(trace.Choice{What: what, By: by, Picked: "raw public key, " + keyName(s.certificate.Leaf.PublicKey),
		Why: "the first of our raw public keys that the " + by.Peer().String() + " can verify", Ref: "RFC 7250 §4.2"})
}

func subject(der []byte) string {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return "a certificate that does not parse"
	}
	return c.Subject.String()
}

// choseEarly tells of early data: what the client can, and what the server makes of it.
func (s *State) choseEarly(by wire.Role, picked, why string) {
	if s.Hooks.Choice != nil {
		s.Hooks.Choice(trace.Choice{What: "early data", By: by, Picked: picked, Why: why, Ref: "RFC 8446 §4.2.10"})
	}
}
