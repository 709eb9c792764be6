package certcheck

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// Pin is the SHA-256 of a key's SubjectPublicKeyInfo in DER, as HPKP and curl's
// --pinnedpubkey have it. RFC 7469 §2.4.
type Pin [sha256.Size]byte

// PinOf returns the pin of c's key.
func PinOf(c *x509.Certificate) Pin { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// pinned reports whether c's key is among o.Pins.
func (o *Options) pinned(c *x509.Certificate) bool {
	return len(o.Pins) > 0 && slices.Contains(o.Pins, PinOf(c))
}

// pinRules are about keys that the one who asks knows already.
var pinRules = []Rule{
	{
		Name: "pins", Demands: "where Options.Pins has some, one certificate of the path has a key among them",
		Source: "RFC 7469 §2.6", Alert: wire.AlertBadCertificate, Hint: "pin the peer's new key, or one of its authority; or somebody is in between",
		on: onPath, whole: true,
		check: func(p *path, leaf *x509.Certificate) string {
			ok := len(p.o.Pins) == 0 || slices.ContainsFunc(p.chain, p.o.pinned)
			return broken(!ok, "no key in the path of %s is among those that are pinned", leaf)
		},
	},
}
