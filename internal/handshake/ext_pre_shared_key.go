package handshake

import (
	"crypto/subtle"
	"slices"
	"strconv"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// pre_shared_key, RFC 8446 §4.2.11

// A pskKind is where a PSK comes from, which its binder depends on. RFC 8446 §7.1.
type pskKind struct{ binder, how, ref string }

// ofSession is the kind of the PSKs that tickets stand for.
var ofSession = pskKind{keys.LabelResumptionBinder, "resumed", "RFC 8446 §4.6.1"}

// A pskOffer is one PSK: one that a client has on offer, or the one that a server has
// found behind an identity. The secret is that of its owner, which s does not write to.
type pskOffer struct {
	identity []byte
	age      uint32 // obfuscated, in milliseconds
	hash     *suite.Hash
	secret   []byte
	kind     *pskKind
	session  *ClientSession // on a client, behind a ticket; nil for all others
	external *ExternalPSK   // nil for a session
	nth      int            // for the trace: which of those on offer it is; 0 once it is picked
}

// called is the name of a secret of p: that of the RFC for the first on offer, and for the
// one that is picked; others have their number behind it.
func (p *pskOffer) called(name string) string {
	if p == nil || p.nth == 0 {
		return name
	}
	return name + "_" + strconv.Itoa(p.nth)
}

func hashOf(c *session.Session) *suite.Hash { return suite.ByID(c.Suite).Hash }

// listPSKs fills s.psks with what this ClientHello offers. A session is the first: early
// data belongs to that. Once the suite is known those of another hash are left out.
// RFC 8446 §4.1.4, §4.2.10.
func (s *State) listPSKs() {
	s.dropPSKs(everyPSK)
	if !s.offers13() || s.ECHRejected() {
		return
	}
	if c := s.offered; c != nil && c.isPSK() {
		age := s.Config.Time().Sub(c.CreatedAt).Milliseconds()
		s.psks = append(s.psks, pskOffer{identity: c.Ticket, age: uint32(age) + c.AgeAdd, hash: hashOf(c.Session), secret: c.Secret,
			kind: &ofSession, session: c})
	}
	s.listExternal()
	if s.Result.Suite != nil {
		s.dropPSKs(func(p *pskOffer) bool { return p.hash != s.Result.Suite.Hash })
	}
}

func everyPSK(*pskOffer) bool { return true }

// dropPSKs forgets those of s.psks that are of no use, and wipes what was made for them.
func (s *State) dropPSKs(useless func(*pskOffer) bool) {
	for i := range s.psks {
		if useless(&s.psks[i]) {
			s.psks[i].wipe()
		}
	}
	s.psks = slices.DeleteFunc(s.psks, func(p pskOffer) bool { return useless(&p) })
}

// offerPSK leaves room for the binders; bindOffer fills them in.
func offerPSK(s *State, b []byte) ([]byte, bool) {
	offer := &s.Offer.PSKs // which a client has no other use for
	offer.Identities, offer.Binders = offer.Identities[:0], offer.Binders[:0]
	for _, p := range s.psks {
		offer.Identities = append(offer.Identities, wire.PSKIdentity{Identity: p.identity, ObfuscatedTicketAge: p.age})
		offer.Binders = append(offer.Binders, noBinder[:p.hash.Size])
	}
	if len(s.psks) == 0 {
		return b, false
	}
	return offer.Append(b), true
}

// noBinder stands where a binder will.
var noBinder [maxHash]byte

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

// bindOffer signs our ClientHello in s.out with each PSK on offer. RFC 8446 §4.2.11.2.
// It ends with the first, whose early secret stays in s.early.
func (s *State) bindOffer() {
	if !s.hello.Extensions.Has(wire.ExtPreSharedKey) {
		return
	}
	size := 2 // of the list's length; each binder has one of a byte
	for _, p := range s.psks {
		size += 1 + p.hash.Size
	}
	partial, end := s.out[:len(s.out)-size], len(s.out)
	for i := len(s.psks) - 1; i >= 0; i-- {
		p := &s.psks[i]
		p.nth = i
		copy(s.out[end-p.hash.Size:], s.binder(p, partial))
		end -= 1 + p.hash.Size
	}
}

// binder computes the binder of p over the transcript and the truncated hello. It is in
// s.verify, and the early secret in s.early.
func (s *State) binder(p *pskOffer, partial []byte) []byte {
	h := p.hash
	s.earlySecret(h, p)
	key := s.expand(h, s.verify[:0], s.early[:h.Size], step13{
		name: p.called("binder_key"), from: p.called("early_secret"), label: p.kind.binder, is: "the empty string", ref: "RFC 8446 §7.1",
	}, keys.EmptyHash(h))
	digest := s.transcript.with(h, partial, s.digest[:0])
	return keys.Finished13(h, s.verify[:0], key, digest)
}

// checkBinder verifies the client's binder of p, which is behind the identity at index.
// RFC 8446 §4.2.11.2.
func (s *State) checkBinder(index int, p *pskOffer) error {
	partial := s.Offer.Raw[:len(s.Offer.Raw)-s.Offer.PSKs.BindersLen]
	if subtle.ConstantTimeCompare(s.binder(p, partial), s.Offer.PSKs.Binders[index]) != 1 {
		return wrongBinder()
	}
	return nil
}

func wrongBinder() error {
	return fault(wire.AlertDecryptError, "the client's PSK binder is wrong", "RFC 8446 §4.2.11.2", nil)
}
