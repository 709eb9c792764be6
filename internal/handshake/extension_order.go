package handshake

import (
	"math/rand/v2"

	"github.com/vitrine-tls/vitrine/wire"
)

// shuffle draws the order of our extensions, so that nobody comes to rely on one. It is the
// same in a second hello. RFC 8446 §4.2.
func (s *State) shuffle() error {
	if !s.Config.Shuffle {
		return nil
	}
	var seed [32]byte
	if err := s.random(seed[:]); err != nil {
		return err
	}
	last := len(extensions) - 1 // pre_shared_key, which stays there
	s.order = make([]uint8, len(extensions))
	for i, at := range rand.New(rand.NewChaCha8(seed)).Perm(last) {
		s.order[i] = uint8(at)
	}
	s.order[last] = uint8(last)
	return nil
}

// nth is the row whose extension is the nth of our hello.
func (s *State) nth(n int) *extension {
	if s.order != nil {
		n = int(s.order[n])
	}
	return &extensions[n]
}

// offerExtensions fills our ClientHello.
func (s *State) offerExtensions(x wire.Extensions) wire.Extensions {
	inner := s.inInner()
	if inner {
		x = s.offerRows(x, s.ownToInner)
	}
	if s.Config.GREASE {
		x = append(x, wire.Extension{Type: wire.ExtensionType(s.grease(greaseExtension1))})
	}
	x = s.offerRows(x, func(t wire.ExtensionType) bool { return !inner || !s.ownToInner(t) })
	if s.Config.GREASE {
		x = append(x, wire.Extension{Type: wire.ExtensionType(s.grease(greaseExtension2)), Data: []byte{0}})
	}
	if s.wrapping() {
		return s.pretendPSK(x)
	}
	last := &extensions[len(extensions)-1]
	return s.body(x, last.Type, last.Offer)
}

// offerRows offers the rows of those types, but for pre_shared_key, which is the last.
func (s *State) offerRows(x wire.Extensions, types func(wire.ExtensionType) bool) wire.Extensions {
	for i := range extensions {
		if row := s.nth(i); row.Offer != nil && row.Type != wire.ExtPreSharedKey && types(row.Type) {
			x = s.body(x, row.Type, row.Offer)
		}
	}
	return x
}
