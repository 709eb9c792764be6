package interop

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// valid reports whether the protocol itself allows the combination.
func (c cell) valid() bool {
	s := suite.ByID(c.Suite)
	return s != nil && s.Allows(c.Version) && c.validKey() && c.validGroup() && c.validAuth() && c.validExtras()
}

// keyVersions are the versions that a kind of key can be used in; the others
// are for all. RSA-PSS is of TLS 1.3 and TLS 1.2, and which padding is used can be chosen
// in those only; Ed25519 is RFC 8422's.
var keyVersions = map[keyType][2]wire.Version{
	keyPKCS1:   {wire.TLS12, wire.TLS12},
	keyPSS:     {wire.TLS12, wire.TLS13},
	keyEd25519: {wire.TLS12, wire.TLS13},
	keyPSSKey:  {wire.TLS12, wire.TLS13},
	keyEd448:   {wire.TLS12, wire.TLS13},
	keyDSA:     {wire.SSL30, wire.TLS12},
	keyRSA1024: {wire.SSL30, wire.TLS12},
	keyP256:    {wire.TLS10, wire.TLS13},
	keyP384:    {wire.TLS10, wire.TLS13},
	keyP521:    {wire.TLS10, wire.TLS13},
}

func (k keyType) allows(v wire.Version) bool {
	bounds, ok := keyVersions[k]
	if k.other() && !haveOpenSSL() {
		return false
	}
	return !ok || bounds[0] <= v && v <= bounds[1]
}

func (c cell) validKey() bool {
	if !c.Key.allows(c.Version) || !c.ClientKey.allows(c.Version) {
		return false
	}
	s, kx := suite.ByID(c.Suite), c.kx()
	switch {
	case c.Version == wire.TLS13:
		return c.Key != ""
	case !kx.Certificate():
		return c.Key == ""
	case kx.Encrypted():
		return c.Key == keyRSA || c.Key == keyRSA1024
	case s.Auth == suite.AuthDSS:
		return c.Key == keyDSA
	case s.Auth == suite.AuthECDSA:
		return c.Key.curve() != 0 || c.Key == keyEd25519 || c.Key == keyEd448
	}
	return c.Key.isRSA()
}

func (c cell) validGroup() bool {
	if c.Hint && !c.kx().PSK() {
		return false
	}
	if c.Version == wire.TLS13 {
		return c.Group != 0 && c.DH == 0
	}
	switch c.kx().Share() {
	case wire.ShareEC:
		return slices.Contains(ecGroups, c.Group) && c.DH == 0
	case wire.ShareDH:
		return isDH(c.Group) != (c.Group == 0 && c.DH != 0)
	}
	return c.Group == 0 && c.DH == 0
}

func (c cell) validAuth() bool {
	switch {
	case c.Auth == "":
		return c.ClientKey == ""
	case c.Auth != "request" && c.ClientKey == "":
		return false
	case c.Version == wire.TLS13:
		return true
	}
	return c.kx().Certificate() && !c.kx().PSK()
}

func (c cell) validExtras() bool {
	is13, ssl := c.Version == wire.TLS13, c.Version == wire.SSL30
	switch {
	case is13 && (c.NoEMS || c.Resume == "id" || c.Resume == "ticket" || c.Renegotiate != ""),
		!is13 && (c.Retry || c.Padding || c.KeyUpdate != "" || c.Resume == "psk"),
		ssl && (c.NoEMS || c.NoEtM || c.ALPN || c.GREASE || c.Resume == "ticket" || c.MaxFragment != 0 || c.SizeLimit != 0),
		c.NoEtM && !c.cbc(),
		c.Retry && c.Group == wire.GroupX25519,
		c.Cookie && !c.Retry,
		c.Auth == "later" && (c.Resume == "id" || c.Resume == "ticket"), // of which policy would the session be?
		c.Auth == "later" && (c.Renegotiate != "" || c.KeyUpdate != ""),
		c.Resume != "" && c.kx().PSK(), // we keep no session of a pre-shared key
		c.Unsafe && c.Renegotiate == "",
		c.MaxFragment != 0 && c.SizeLimit != 0: // RFC 8449 §5: the latter rules
		return false
	}
	return true
}
