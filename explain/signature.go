package explain

import (
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// signed is what is under a message's signature; ok is false if it has none.
func (hs *handshake) signed(m *Message) (x recompute.Signed, ok bool) {
	i := slices.Index(hs.transcript.msgs, m)
	switch p := m.parsed.(type) {
	case *wire.ServerKeyExchange:
		client, server := hs.randoms()
		return recompute.OverParams(client, server, p.AppendParams(nil, hs.context())), p.Signature != nil
	case *wire.CertificateVerify:
		switch {
		case i < 0:
			return x, false
		case hs.version < wire.TLS13:
			return recompute.OverMessages(hs.version, hs.transcript.Bytes(i), hs.value("master_secret")), true
		case hs.suite != nil:
			return recompute.OverTranscript(m.from, hs.transcript.Hash(hs.suite.Hash, i)), true
		}
	}
	return x, false
}

// signature verifies the signature of m, if it has one, with the certificate
// that its sender showed. ok is false where there is nothing to say.
func (hs *handshake) signature(m *Message) (c Check, ok bool) {
	x, ok := hs.signed(m)
	if !ok {
		return Check{}, false
	}
	if hs.unsigned(m) {
		return Check{Given, "signature: not verified, for what it covers was not captured whole"}, true
	}
	var scheme wire.SignatureScheme
	var sig []byte
	switch p := m.parsed.(type) {
	case *wire.ServerKeyExchange:
		scheme, sig = p.Scheme, p.Signature
	case *wire.CertificateVerify:
		scheme, sig = p.Scheme, p.Signature
	}
	cert := hs.leaf(m.from)
	if cert == nil {
		return Check{Given, "signature: the " + m.From + "'s certificate cannot be read here"}, true
	}
	if hs.version < wire.TLS12 {
		scheme = recompute.SchemeOf(cert.PublicKey)
	}
	m.scheme = scheme
	good, known := recompute.Verify(otherkeys.Of(cert), scheme, x, sig)
	switch {
	case !known:
		return Check{Given, "signature: " + scheme.String() + " cannot be verified here"}, true
	case !good:
		return differ("signature: it is not one over this handshake by the certificate's key"), true
	}
	return agree("signature: verified again with the certificate's key"), true
}

// leaf is the certificate that a side authenticates with, or nil.
func (hs *handshake) leaf(side wire.Role) *x509.Certificate {
	m, ok := hs.transcript.last(wire.TypeCertificate, side).(*wire.Certificate)
	if !ok || len(m.Entries) == 0 {
		return nil
	}
	cert, err := x509.ParseCertificate(m.Entries[0].DER)
	if err != nil {
		return nil
	}
	return cert
}
