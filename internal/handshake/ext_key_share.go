package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// key_share, RFC 8446 §4.2.8

// makeShares generates the client's keys: for its best group or, after a
// HelloRetryRequest, the one asked for. A hybrid's classical half serves as a
// share of its own too.
func (s *State) makeShares() error {
	s.shares = s.shares[:0]
	if !s.offers13() || len(s.Config.Groups) == 0 {
		return nil
	}
	group := s.Config.Groups[0]
	if s.retryGroup != 0 {
		group = s.retryGroup
	}
	key, err := kex.Generate(group)
	if err != nil {
		return fault(wire.AlertInternalError, "no key share could be made", "", err)
	}
	s.shares = append(s.shares, ownShare{group, key})
	if c := key.Classical(); c != nil && s.retryGroup == 0 && slices.Contains(s.Config.Groups, c.Group().ID) {
		s.shares = append(s.shares, ownShare{c.Group().ID, c})
	}
	return nil
}

func offerKeyShares(s *State, b []byte) ([]byte, bool) {
	if len(s.shares) == 0 {
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
