package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// signature_algorithms, RFC 8446 §4.2.3

func offerSchemes(s *State, b []byte) ([]byte, bool) {
	if s.Config.GREASE {
		return wire.AppendU16List(b, append([]wire.SignatureScheme{wire.SignatureScheme(s.grease(greaseScheme))}, s.Config.Schemes...)), s.offersSchemes()
	}
	return wire.AppendU16List(b, s.Config.Schemes), s.offersSchemes()
}

// readSchemes leaves out what clients alone sign with: a server must not.
// draft-ietf-tls-tls13-pkcs1 §2.
func readSchemes(o *Offer, r *wire.Reader) {
	o.Schemes = slices.DeleteFunc(wire.ReadSignatureAlgorithms(r, o.Schemes), ofClients)
}

func readCertSchemes(o *Offer, r *wire.Reader) {
	o.CertSchemes = wire.ReadSignatureAlgorithms(r, o.CertSchemes)
}
