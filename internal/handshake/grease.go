package handshake

// The places where our ClientHello has a reserved value, each drawn on its own.
// RFC 8701 §3.
const (
	greaseSuite = iota
	greaseGroup
	greaseVersion
	greaseExtension1
	greaseExtension2
	greaseScheme
)

// grease returns the reserved value for a place; it stays the same for the
// whole handshake, and the two extensions differ.
func (s *State) grease(place int) uint16 {
	if place == greaseScheme {
		return greaseValue(s.greaseSeed[0] >> 4) // the half that nothing else uses
	}
	n := s.greaseSeed[place] & 0x0f
	if place == greaseExtension2 && n == s.greaseSeed[greaseExtension1]&0x0f {
		n ^= 1
	}
	return greaseValue(n)
}

// greaseValue is the nth reserved value, of 16.
func greaseValue(n byte) uint16 {
	b := uint16(n)<<4 | 0x0a
	return b<<8 | b
}
