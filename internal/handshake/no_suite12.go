package handshake

import (
	"crypto"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A suite of TLS 1.2 needs more than two lists that both have it: a key, a scheme,
// a group. Where nothing fits, the error says which of these is missing, and
// not that there is no suite in common where there is one.

// need is what suites ask for beside being in both lists.
type need struct {
	met   func(*suite.Suite) bool
	unmet func() error
}

// noSuite12 finds the first need that none of the suites in common meets. There is
// a certificate where one of them asks for it: without it none would have been looked for.
func (s *State) noSuite12(own means) error {
	common := slices.DeleteFunc(s.usableSuites(), func(c *suite.Suite) bool { return !slices.Contains(s.Offer.Suites, c.ID) })
	err := disagree(wire.AlertHandshakeFailure, "cipher suite", "RFC 5246 §7.4.1.3", s.usableSuites(), s.Offer.Suites, moreSuites)
	for _, n := range s.needs12(own) {
		if len(common) == 0 {
			break
		}
		common, err = slices.DeleteFunc(common, func(c *suite.Suite) bool { return !n.met(c) }), n.unmet()
	}
	return err
}

func (s *State) needs12(own means) []need {
	hasKey := func(c *suite.Suite) bool {
		return !c.KeyExchange.Certificate() || own.pub != nil && c.Auth == authOf(own.pub)
	}
	refuse := func(rule, ref, hint string) error {
		return &Error{Alert: wire.AlertHandshakeFailure, Rule: rule, Ref: ref, Hint: hint}
	}
	return []need{
		{hasKey, func() error {
			return disagreeOn("cipher suite", "no cipher suite in common fits our certificate, whose key is "+keyName(own.pub), "RFC 5246 §7.4.2",
				slices.DeleteFunc(s.usableSuites(), func(c *suite.Suite) bool { return !hasKey(c) }), s.Offer.Suites,
				"use a certificate with another kind of key, or have the client offer other cipher suites")
		}},
		{func(c *suite.Suite) bool { return !c.KeyExchange.Encrypted() || own.decrypt }, func() error {
			return refuse("the cipher suites in common need a private key that can decrypt, and ours cannot", "RFC 5246 §7.4.7.1",
				"have the client offer suites with ECDHE, or use a key that can decrypt")
		}},
		{func(c *suite.Suite) bool { return !c.KeyExchange.Signed() || own.scheme != 0 }, func() error { return s.noScheme12(own) }},
		{func(c *suite.Suite) bool { return c.KeyExchange.Share() != wire.ShareEC || own.group != 0 }, func() error {
			return disagree(wire.AlertHandshakeFailure, "group", "RFC 8422 §5.1.1", groupsOf12(s.Config.Groups), s.Offer.Groups, moreGroups)
		}},
		{func(c *suite.Suite) bool { return c.KeyExchange.Share() != wire.ShareDH || own.dh }, func() error {
			return disagree(wire.AlertHandshakeFailure, "group", "RFC 7919 §4", dheGroups(s.Config.Groups), s.Offer.Groups, moreGroups)
		}},
		{s.admits, func() error {
			return refuse("a client certificate is required, and the cipher suites in common have no place for it", "RFC 5246 §7.4.4", "have the client offer suites with a certificate")
		}},
	}
}

// noScheme12: a client of TLS 1.2 that sends no signature_algorithms stands for SHA-1.
// RFC 5246 §7.4.1.4.1. Before, there is nothing that a client could say: it is our key.
func (s *State) noScheme12(own means) error {
	if s.profile.schemes != nil {
		return &Error{Alert: wire.AlertHandshakeFailure, Rule: "our certificate's key" + s.cannotSign(own.pub), Ref: "RFC 4346 §7.4.3",
			Hint: "use a certificate with another kind of key too, or have the client speak TLS 1.2 or later"}
	}
	var ours []wire.SignatureScheme
	for i := range signers {
		if signers[i].fits(own.pub, false) && slices.Contains(s.signable([]wire.SignatureScheme{signers[i].scheme}), signers[i].scheme) {
			ours = append(ours, signers[i].scheme)
		}
	}
	if s.asked(wire.ExtSignatureAlgorithms) {
		return disagree(wire.AlertHandshakeFailure, "signature scheme", "RFC 5246 §7.4.1.4.1", ours, s.Offer.Schemes,
			"use a certificate with another kind of key, or have the client accept other schemes")
	}
	return disagreeOn("signature scheme", "the client sent no signature_algorithms, which stands for SHA-1", "RFC 5246 §7.4.1.4.1",
		ours, []wire.SignatureScheme{wire.RSAPKCS1SHA1, wire.ECDSASHA1, wire.DSASHA1},
		"have the client send signature_algorithms, or set Legacy.SHA1Signatures")
}

// cannotSign is what to say of a key in a version whose messages do not name schemes.
func (s *State) cannotSign(pub crypto.PublicKey) string {
	return " (" + keyName(pub) + ") cannot sign in " + s.Result.Version.String() + ", which has RSA over MD5 and SHA-1, and ECDSA and DSA over SHA-1"
}

// groupsOf12 are those for ECDHE up to TLS 1.2.
func groupsOf12(groups []wire.NamedGroup) []wire.NamedGroup {
	return slices.DeleteFunc(slices.Clone(groups), func(g wire.NamedGroup) bool { return postQuantum(g) || kex.IsFF(g) })
}
