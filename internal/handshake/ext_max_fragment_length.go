package handshake

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/wire"
)

// max_fragment_length, RFC 6066 §4. It limits both directions alike.

func offerMaxFragmentLength(s *State, b []byte) ([]byte, bool) {
	return wire.AppendMaxFragmentLength(b, s.Config.MaxFragmentLength), s.Config.MaxFragmentLength != 0
}

func readMaxFragmentLength(o *Offer, r *wire.Reader) {
	o.MaxFragmentLength = wire.ReadMaxFragmentLength(r)
}

// checkLimits judges what the client asks for. Where it sends both limits it means
// record_size_limit, and the other is ignored. RFC 6066 §4, RFC 8449 §4, §5.
func (s *State) checkLimits() error {
	switch {
	case s.asked(wire.ExtRecordSizeLimit):
		return checkSizeLimit(s.Offer.SizeLimit)
	case s.asked(wire.ExtMaxFragmentLength) && s.Offer.MaxFragmentLength.Size() == 0:
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the client's max_fragment_length of %d stands for no length", s.Offer.MaxFragmentLength), "RFC 6066 §4", nil)
	}
	return nil
}

// answerMaxFragmentLength: a client that sends both limits means record_size_limit.
// RFC 8449 §5.
func answerMaxFragmentLength(s *State, b []byte) ([]byte, bool) {
	return wire.AppendMaxFragmentLength(b, s.Offer.MaxFragmentLength), !s.asked(wire.ExtRecordSizeLimit)
}

func acceptMaxFragmentLength(s *State, r *wire.Reader) error {
	got := wire.ReadMaxFragmentLength(r)
	if got != s.Config.MaxFragmentLength {
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the server answers max_fragment_length %v with %v", s.Config.MaxFragmentLength, got), "RFC 6066 §4", nil)
	}
	if s.Result.SendLimit != 0 {
		return bothLimits
	}
	s.Result.limit(got.Size(), s.profile.sizeLimit(got.Size()))
	return nil
}

var bothLimits = fault(wire.AlertIllegalParameter, "the server answers both max_fragment_length and record_size_limit", "RFC 8449 §5", nil)

// FragmentLength is the max_fragment_length that a server has agreed to, which is that of
// the session too; 0 for none. RFC 6066 §4.
func (s *State) FragmentLength() wire.MaxFragmentLength {
	if s.asked(wire.ExtRecordSizeLimit) || !s.asked(wire.ExtMaxFragmentLength) {
		return 0
	}
	return s.Offer.MaxFragmentLength
}

// agreeLimits takes over what the client asks for.
func (s *State) agreeLimits() {
	r := s.Result
	switch {
	case s.asked(wire.ExtRecordSizeLimit):
		r.limit(s.profile.contentLimit(int(s.Offer.SizeLimit)), s.ownSizeLimit())
	case s.asked(wire.ExtMaxFragmentLength):
		size := s.Offer.MaxFragmentLength.Size()
		r.limit(size, s.profile.sizeLimit(size))
	}
}
