package handshake

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// A key exchange up to TLS 1.2 is made of up to three parts: a pre-shared key, an
// ephemeral key of each side, and a premaster encrypted to the server's
// certificate. wire.KeyExchange says which has which; this file has the
// ephemeral keys, psk.go the pre-shared ones, and the two messages join them.

// ephemeral is our key of a Diffie-Hellman exchange.
type ephemeral interface {
	Share() []byte
	Finish(peerShare []byte) (secret []byte, err error)
}

// shareKind is what is done about one kind of ephemeral key.
type shareKind struct {
	ref string
	// offer makes the server's key and puts it into the message.
	offer func(*State, *wire.ServerKeyExchange) (ephemeral, error)
	// judge says whether the client takes the server's group.
	judge func(*State, *wire.ServerKeyExchange) error
	// answer makes the client's key: its share and the secret.
	answer func(*State, *wire.ServerKeyExchange) (share, secret []byte, err error)
}

var shareKinds = map[wire.Share]shareKind{
	wire.ShareEC: {"RFC 8422 §5.4", offerEC, judgeEC, answerEC},
	wire.ShareDH: {"RFC 5246 §7.4.3", offerDH, judgeDH, answerDH},
}

func offerEC(s *State, m *wire.ServerKeyExchange) (ephemeral, error) {
	key, err := kex.Generate(s.Result.Group)
	if err != nil {
		return nil, err
	}
	m.Group, m.Share = s.Result.Group, key.Share()
	return key, nil
}

func judgeEC(s *State, m *wire.ServerKeyExchange) error {
	if pickECDHE(s.Config.Groups, []wire.NamedGroup{m.Group}) == 0 {
		return disagree(wire.AlertIllegalParameter, "group", "RFC 8422 §5.4", s.Config.Groups, []wire.NamedGroup{m.Group},
			"the server picked what was not offered")
	}
	return nil
}

func answerEC(s *State, m *wire.ServerKeyExchange) (share, secret []byte, err error) {
	s.Result.Group = m.Group
	return kex.Respond(m.Group, m.Share)
}

// ownDH is the server's group for DHE: one of RFC 7919 that the client lists
// or, for a client that lists none of those, our own parameters. RFC 7919 §4.
func (s *State) ownDH() *kex.DH {
	if g := pickDHE(s.Config.Groups, s.Offer.Groups); g != 0 {
		return kex.DHOf(g)
	}
	if slices.ContainsFunc(s.Offer.Groups, kex.IsFF) {
		return nil
	}
	if s.Config.DH != nil {
		return s.Config.DH
	}
	if i := slices.IndexFunc(s.Config.Groups, kex.IsFF); i >= 0 {
		return kex.DHOf(s.Config.Groups[i])
	}
	return kex.DHOf(wire.GroupFFDHE2048)
}

func offerDH(s *State, m *wire.ServerKeyExchange) (ephemeral, error) {
	dh := s.ownDH()
	key, err := dh.Generate()
	if err != nil {
		return nil, err
	}
	m.P, m.G, m.Share = dh.P(), dh.G(), key.Share()
	s.Result.DHBits, s.Result.Group = dh.Bits(), kex.KnownDH(m.P, m.G)
	return key, nil
}

// judgeDH holds the floor: a small group can be broken while the handshake
// waits (Logjam). Whether p is prime is not checked: that costs more than the
// exchange, and a server that wants to give our secret away has easier ways.
func judgeDH(s *State, m *wire.ServerKeyExchange) error {
	dh, err := kex.NewDH(m.P, m.G)
	if err != nil {
		return fault(wire.AlertIllegalParameter, "the server's Diffie-Hellman group is not valid", "RFC 5246 §7.4.3", err)
	}
	if dh.Bits() < s.Config.MinDHBits {
		return &Error{Alert: wire.AlertInsufficientSecurity, Ref: "RFC 7919 §5.1",
			Rule: fmt.Sprintf("the server's Diffie-Hellman group has %d bits; at least %d are demanded", dh.Bits(), s.Config.MinDHBits),
			Hint: "have the server use a group of RFC 7919, or ECDHE; if you must, lower DHE.MinBits"}
	}
	if dh.Bits() > maxForeignBits && kex.KnownDH(m.P, m.G) == 0 {
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the server's own Diffie-Hellman group has %d bits; the most we take is %d", dh.Bits(), maxForeignBits), "", nil)
	}
	s.dh = dh
	s.Result.DHBits, s.Result.Group = dh.Bits(), kex.KnownDH(m.P, m.G)
	return nil
}

// maxForeignBits bounds the work that a server can cause with a group of its own,
// whose exponents are long.
const maxForeignBits = 4096

func answerDH(s *State, m *wire.ServerKeyExchange) (share, secret []byte, err error) {
	key, err := s.dh.Generate()
	if err != nil {
		return nil, nil, err
	}
	secret, err = key.Finish(m.Share)
	return key.Share(), secret, err
}
