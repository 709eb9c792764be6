package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// key_share, RFC 8446 §4.2.8

// makeShares generates the client's keys: those that the Config names or, after a
// HelloRetryRequest, the one asked for. If the Config names none, it is that of the
// best group, and of that group's classical half if that is a group of ours.
func (s *State) makeShares() error {
	s.shares = s.shares[:0]
	switch {
	case !s.offers13() || len(s.Config.Groups) == 0:
		return nil
	case s.retryGroup != 0:
		return s.addShare(s.retryGroup)
	case s.Config.KeyShares == nil:
		if err := s.addShare(s.Config.Groups[0]); err != nil {
			return err
		}
		if half := kex.Lookup(s.Config.Groups[0]).Classical(); half != 0 && slices.Contains(s.Config.Groups, half) {
			return s.addShare(half)
		}
	}
	for _, g := range s.Config.KeyShares {
		if err := s.addShare(g); err != nil {
			return err
		}
	}
	return nil
}

// addShare makes a key. The classical half of a hybrid that is there already serves
// as a share of its own, and costs nothing.
func (s *State) addShare(g wire.NamedGroup) error {
	for _, have := range s.shares {
		if half := have.private.Classical(); half != nil && half.Group().ID == g {
			s.shares = append(s.shares, ownShare{g, half})
			return nil
		}
	}
	key, err := kex.Generate(g)
	if err != nil {
		return fault(wire.AlertInternalError, "no key share could be made", "", err)
	}
	s.shares = append(s.shares, ownShare{g, key})
	return nil
}

// offerKeyShares: an empty list asks for a HelloRetryRequest. RFC 8446 §4.2.8.
func offerKeyShares(s *State, b []byte) ([]byte, bool) {
	if !s.offers13() || len(s.Config.Groups) == 0 {
		return b, false
	}
	b, mark := append(b, 0, 0), len(b)
	if s.Config.GREASE && s.retryGroup == 0 {
		b = wire.AppendKeyShare(b, wire.KeyShareEntry{Group: wire.NamedGroup(s.grease(greaseGroup)), Share: []byte{0}})
	}
	for _, share := range s.shares {
		b = wire.AppendKeyShare(b, wire.KeyShareEntry{Group: share.group, Share: share.private.Share()})
	}
	size := len(b) - mark - 2
	b[mark], b[mark+1] = byte(size>>8), byte(size)
	return b, true
}

func readKeyShares(o *Offer, r *wire.Reader) { o.Shares = wire.ReadKeyShares(r, o.Shares) }

// checkShares: there is at most one share of a group, which the client lists.
// It looks at the groups that we may use, so that its work stays linear.
func (o *Offer) checkShares(ours []wire.NamedGroup) error {
	for _, g := range ours {
		n := 0
		for i := range o.Shares {
			if o.Shares[i].Group == g {
				n++
			}
		}
		if n > 1 {
			return fault(wire.AlertIllegalParameter, "the client has two key shares in "+g.String(), "RFC 8446 §4.2.8", nil)
		}
		if n == 1 && !slices.Contains(o.Groups, g) {
			return fault(wire.AlertIllegalParameter, "the client has a key share in "+g.String()+", a group that it does not list", "RFC 8446 §4.2.8", nil)
		}
	}
	return nil
}

// finishShare completes the client's key exchange with the server's share.
func (s *State) finishShare(e wire.KeyShareEntry) error {
	for _, own := range s.shares {
		if own.group != e.Group {
			continue
		}
		secret, err := own.private.Finish(e.Share)
		if err != nil {
			return fault(wire.AlertIllegalParameter, "the server's key share is not valid", "RFC 8446 §4.2.8", err)
		}
		s.setShared(secret)
		s.Result.Group = e.Group
		return nil
	}
	return fault(wire.AlertIllegalParameter, "the server's key share is in "+e.Group.String()+", for which we sent none", "RFC 8446 §4.2.8", nil)
}

func (s *State) setShared(secret []byte) {
	if cap(s.shared) < len(secret) {
		clear(s.shared) // it stays behind
	}
	s.shared = append(s.shared[:0], secret...)
	clear(secret)
}
