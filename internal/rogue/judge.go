package rogue

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/wire"
)

// judge says what is wrong with a run, nil if nothing is.
func (s *Stage) judge(d Deviation, r *run) error {
	victim := s.sides[d.Victim]
	if err := s.delivered(r); err != nil {
		return err
	}
	if !d.Mend { // a rogue that mends makes them differ, and nobody can know
		if err := s.equal(); err != nil {
			return err
		}
	}
	legal := func() bool { return s.legal(d.Victim, s.honest.Units[d.Victim.Peer()], r.got[d.Victim]) }
	switch done := victim.completed == s.handshakes(); {
	case d.want == completes && (!done || victim.err != nil || s.sides[d.Victim.Peer()].err != nil):
		return fmt.Errorf("the %v did not complete a handshake that is legal: %w; its peer: %v", d.Victim, victim.err, s.sides[d.Victim.Peer()].err)
	case r.applied && done && (d.want == never || d.want == fails && !legal()):
		return fmt.Errorf("the %v completed a handshake of %v", d.Victim, r.got[d.Victim])
	}
	return nil
}

// equal is the law of every handshake: a side that completes it has seen the same
// messages as its peer, up to and with the peer's Finished.
func (s *Stage) equal() error {
	for _, role := range roles {
		x, y := s.sides[role], s.sides[role.Peer()]
		for n := range x.completed {
			n = min(n, len(x.finished[y.role])-1) // a side that authenticates later sends no second one
			if n < 0 {
				return fmt.Errorf("the %v completed a handshake without its peer's Finished", role)
			}
			if n >= len(y.finished[y.role]) {
				return fmt.Errorf("the %v completed a handshake with a Finished that its peer has not sent", role)
			}
			if !bytes.Equal(x.transcript[:x.finished[y.role][n]], y.transcript[:y.finished[y.role][n]]) {
				return fmt.Errorf("the %v completed a handshake that is not its peer's", role)
			}
		}
	}
	return nil
}

// delivered is the law of data: what arrives is what was sent, from its start and
// without gaps, and its end is not told unless the peer has told it.
func (s *Stage) delivered(r *run) error {
	for _, role := range roles {
		x := s.sides[role]
		said := r.said[role]
		if d := r.deviation; d.wire != nil {
			said = []byte(words[role.Peer()]) // nothing can be put in
		}
		if !bytes.HasPrefix(said, x.data) {
			return fmt.Errorf("the %v received %q where it was sent %q", role, x.data, said)
		}
		if x.eof && !x.closed || errors.Is(x.err, io.EOF) && !x.closed && x.completed > 0 {
			return fmt.Errorf("the %v takes a stream that was cut for complete: %w", role, x.err)
		}
	}
	return nil
}

// verdict is what must become of a victim.
type verdict uint8

const (
	// lawful: whatever happens, so long as the laws hold.
	lawful verdict = iota
	// fails: if the deviation reaches it during the handshake, it does not complete
	// it, unless what it was sent is legal as it came.
	fails
	// never: nor even then.
	never
	// completes: what it got is unusual and legal.
	completes
)

// Deviation is one thing that a rogue does differently from an honest peer.
type Deviation struct {
	Kind   string // "bit flip on the wire"
	Name   string // which one
	Victim wire.Role
	// Mend has the rogue make every later Finished and CertificateVerify fit what
	// its receiver has seen.
	Mend bool

	want verdict
	// edit returns, for one run, what becomes of the n-th unit that is sent to the
	// victim in the handshake.
	edit func() func(n int, u Unit) []piece
	// wire returns what becomes of bytes that are sent to the victim, the first of
	// which is the at-th of the connection.
	wire func(at int, b []byte) []byte
}

func (d Deviation) String() string {
	s := fmt.Sprintf("%s, %s, to the %v", d.Kind, d.Name, d.Victim)
	if d.Mend {
		s += ", mended"
	}
	return s
}
