package explain

import (
	"crypto"
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
	key, whose := otherkeys.Of(cert), "the certificate's key"
	if delegated := hs.delegated(m.from); delegated != nil {
		key, whose = delegated, "the delegated key"
	}
	if hs.version < wire.TLS12 {
		scheme = recompute.SchemeOf(cert.PublicKey)
	}
	m.scheme = scheme
	good, known := recompute.Verify(key, scheme, x, sig)
	switch {
	case !known:
		return Check{Given, "signature: " + scheme.String() + " cannot be verified here"}, true
	case !good:
		return differ("signature: it is not one over this handshake by %s", whose), true
	}
	return agree("signature: verified again with %s", whose), true
}

// credential is the delegated credential beside the certificate that a side authenticates
// with, as its extension has it; nil for none. RFC 9345 §4.
func (hs *handshake) credential(side wire.Role) []byte {
	p := hs.certificate(side)
	if p == nil || len(p.Entries) == 0 || hs.version < wire.TLS13 {
		return nil
	}
	raw, _ := p.Entries[0].Extensions.Find(wire.ExtDelegatedCredential)
	return raw
}

// delegated is the key in it, with which the side signs; nil for none.
func (hs *handshake) delegated(side wire.Role) crypto.PublicKey {
	raw := hs.credential(side)
	if raw == nil {
		return nil
	}
	var d wire.DelegatedCredential
	r := wire.NewReader(raw, nil)
	d.Read(&r)
	key, err := x509.ParsePKIXPublicKey(d.PublicKey)
	if r.Finish("delegated_credential") != nil || err != nil {
		return nil
	}
	return key
}

// delegation verifies that the certificate's key has signed the credential beside it.
func (hs *handshake) delegation(side wire.Role) (c Check, ok bool) {
	raw := hs.credential(side)
	if raw == nil {
		return Check{}, false
	}
	var d wire.DelegatedCredential
	r := wire.NewReader(raw, nil)
	d.Read(&r)
	cert := hs.leaf(side)
	if err := r.Finish("delegated_credential"); err != nil || cert == nil {
		return Check{Given, "delegated_credential: it cannot be read here"}, true
	}
	over := recompute.OverCredential(side, cert.Raw, raw[:len(raw)-2-len(d.Signature)])
	switch good, known := recompute.Verify(otherkeys.Of(cert), d.Algorithm, over, d.Signature); {
	case !known:
		return Check{Given, "delegated_credential: " + d.Algorithm.String() + " cannot be verified here"}, true
	case !good:
		return differ("delegated_credential: its signature is not one by the certificate's key"), true
	}
	return agree("delegated_credential: the certificate's key has signed it"), true
}

// certificate is what a side has shown, or nil.
func (hs *handshake) certificate(side wire.Role) *wire.Certificate {
	if i := hs.transcript.Find(wire.TypeCompressedCertificate, side); i >= 0 {
		if in := hs.transcript.msgs[i].Inner; in != nil {
			p, _ := in.parsed.(*wire.Certificate)
			return p
		}
		return nil
	}
	p, _ := hs.transcript.last(wire.TypeCertificate, side).(*wire.Certificate)
	return p
}

// leaf is the certificate that a side authenticates with, or nil.
func (hs *handshake) leaf(side wire.Role) *x509.Certificate {
	m := hs.certificate(side)
	if m == nil || len(m.Entries) == 0 {
		return nil
	}
	cert, err := x509.ParseCertificate(m.Entries[0].DER)
	if err != nil {
		return nil
	}
	return cert
}
