package handshake

import (
	"crypto/subtle"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// pre_shared_key, RFC 8446 §4.2.11

func hashOf(c *ClientSession) *suite.Hash { return suite.ByID(c.Suite).Hash }

// offerPSK leaves room for the binder; bindOffer fills it in.
func offerPSK(s *State, b []byte) ([]byte, bool) {
	if s.offered == nil || !s.offers13() || !s.offered.isPSK() {
		return b, false
	}
	age := s.Config.Time().Sub(s.offered.CreatedAt).Milliseconds()
	offer := wire.OfferedPSKs{
		Identities: []wire.PSKIdentity{{Identity: s.offered.Ticket, ObfuscatedTicketAge: uint32(age) + s.offered.AgeAdd}},
		Binders:    [][]byte{make([]byte, hashOf(s.offered).Size)},
	}
	return offer.Append(b), true
}

// demandPSK reads the client's offer, where it has one, and judges its form. Servers
// of an earlier version know nothing of it. RFC 8446 §4.2.9, §4.2.11.
func (s *State) demandPSK() error {
	x, p := s.hello.Extensions, &s.Offer.PSKs
	data, found := x.Find(wire.ExtPreSharedKey)
	switch {
	case !found:
		return nil
	case x[len(x)-1].Type != wire.ExtPreSharedKey:
		return fault(wire.AlertIllegalParameter, "pre_shared_key is not the client's last extension", "RFC 8446 §4.2.11", nil)
	}
	s.reader = wire.NewReader(data, nil)
	p.Read(&s.reader)
	if err := s.finishReading(wire.ExtPreSharedKey); err != nil {
		return err
	}
	switch {
	case !x.Has(wire.ExtPSKKeyExchangeModes):
		return fault(wire.AlertMissingExtension, "the client offers a PSK without psk_key_exchange_modes", "RFC 8446 §4.2.9", nil)
	case len(p.Identities) != len(p.Binders):
		return fault(wire.AlertIllegalParameter, "the client does not offer one binder for each PSK", "RFC 8446 §4.2.11", nil)
	}
	return nil
}

// bindOffer signs our ClientHello in s.out with the PSK on offer. RFC 8446 §4.2.11.2.
func (s *State) bindOffer() {
	if !s.hello.Extensions.Has(wire.ExtPreSharedKey) {
		return
	}
	h := hashOf(s.offered)
	binder := s.out[len(s.out)-h.Size:]
	partial := s.out[:len(s.out)-h.Size-3] // without the binders and their two lengths
	s.earlySecret(h, s.offered.Secret)
	copy(binder, s.binder(h, partial))
}

// binder computes the binder over the transcript and the truncated hello. It is in
// s.verify.
func (s *State) binder(h *suite.Hash, partial []byte) []byte {
	key := s.expand(h, s.verify[:0], s.early[:h.Size], step13{
		name: "binder_key", from: "early_secret", label: keys.LabelResumptionBinder, is: "the empty string", ref: "RFC 8446 §7.1",
	}, keys.EmptyHash(h))
	digest := s.transcript.with(h, partial, s.digest[:0])
	return keys.Finished13(h, s.verify[:0], key, digest)
}

// checkBinder verifies the client's binder of the PSK at index. RFC 8446 §4.2.11.2.
func (s *State) checkBinder(index int) error {
	h := s.Result.Suite.Hash
	partial := s.Offer.Raw[:len(s.Offer.Raw)-s.Offer.PSKs.BindersLen]
	if subtle.ConstantTimeCompare(s.binder(h, partial), s.Offer.PSKs.Binders[index]) != 1 {
		return fault(wire.AlertDecryptError, "the client's PSK binder is wrong", "RFC 8446 §4.2.11.2", nil)
	}
	return nil
}
