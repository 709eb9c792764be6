package certcheck

import "fmt"

// Profile is how strict the rules for a path are. Each profile has the rules of
// those before it and more.
type Profile uint8

const (
	// Interoperable has every rule that protects a relying party. A formality that
	// only binds issuers, and that OpenSSL, BoringSSL and NSS all let pass, is a
	// warning: private authorities must go on working.
	Interoperable Profile = iota
	// RFC5280 has every MUST of RFC 5280, those for issuers too.
	RFC5280
	// WebPKI has the CA/Browser Forum's baseline requirements for server certificates
	// as well.
	WebPKI
)

var profileNames = [...]string{"interoperable", "rfc5280", "webpki"}

func (p Profile) String() string {
	if int(p) < len(profileNames) {
		return profileNames[p]
	}
	return fmt.Sprintf("profile(%d)", uint8(p))
}

// ParseProfile is the opposite of [Profile.String].
func ParseProfile(name string) (Profile, bool) {
	for i, n := range profileNames {
		if n == name {
			return Profile(i), true
		}
	}
	return 0, false
}
