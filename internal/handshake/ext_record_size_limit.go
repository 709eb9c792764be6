package handshake

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// record_size_limit, RFC 8449: each side says how much plaintext it takes in one
// protected record. In TLS 1.3 that counts the byte of the content's type.

// typeByte is what of a limit is not for content.
func (p *Profile) typeByte() int {
	if p.innerType {
		return 1
	}
	return 0
}

func (p *Profile) contentLimit(sizeLimit int) int {
	return min(sizeLimit-p.typeByte(), record.MaxPlaintext)
}

// ReceiveContent is the most content of a record that the peer may send; 0 for the
// protocol's own limit.
func (r *Result) ReceiveContent() int {
	p := ProfileOf(r.Version)
	if p == nil || r.ReceiveLimit == 0 {
		return 0
	}
	return p.contentLimit(int(r.ReceiveLimit))
}

func (p *Profile) sizeLimit(content int) int { return content + p.typeByte() }

// ownSizeLimit is what we say where the other side has said something.
func (s *State) ownSizeLimit() int {
	most := s.profile.sizeLimit(record.MaxPlaintext)
	if s.Config.SizeLimit == 0 {
		return most
	}
	return min(s.Config.SizeLimit, most)
}

func offerSizeLimit(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRecordSizeLimit(b, uint16(s.Config.SizeLimit)), s.Config.SizeLimit != 0
}

func readSizeLimit(o *Offer, r *wire.Reader) { o.SizeLimit = wire.ReadRecordSizeLimit(r) }

func answerSizeLimit(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRecordSizeLimit(b, uint16(s.ownSizeLimit())), true
}

func acceptSizeLimit(s *State, r *wire.Reader) error {
	limit := wire.ReadRecordSizeLimit(r)
	if err := checkSizeLimit(limit); err != nil {
		return err
	}
	if s.Result.SendLimit != 0 {
		return bothLimits
	}
	s.Result.limit(s.profile.contentLimit(int(limit)), s.ownSizeLimit())
	return nil
}

func checkSizeLimit(limit uint16) error {
	if limit < wire.MinRecordSizeLimit {
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the peer's record_size_limit of %d is below %d", limit, wire.MinRecordSizeLimit), "RFC 8449 §4", nil)
	}
	return nil
}
