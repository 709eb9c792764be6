package explain

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// schemeHash is the hash that a signature scheme runs before it signs.
var schemeHash = map[wire.SignatureScheme]crypto.Hash{
	wire.RSAPKCS1SHA1: crypto.SHA1, wire.ECDSASHA1: crypto.SHA1,
	wire.RSAPKCS1SHA256: crypto.SHA256, wire.ECDSAP256SHA256: crypto.SHA256, wire.RSAPSSRSAESHA256: crypto.SHA256, wire.RSAPSSPSSSHA256: crypto.SHA256,
	wire.RSAPKCS1SHA384: crypto.SHA384, wire.ECDSAP384SHA384: crypto.SHA384, wire.RSAPSSRSAESHA384: crypto.SHA384, wire.RSAPSSPSSSHA384: crypto.SHA384,
	wire.RSAPKCS1SHA512: crypto.SHA512, wire.ECDSAP521SHA512: crypto.SHA512, wire.RSAPSSRSAESHA512: crypto.SHA512, wire.RSAPSSPSSSHA512: crypto.SHA512,
	wire.Ed25519: 0,
}

// verify checks a signature over data; known is false for a scheme or key that
// cannot be judged here.
func verify(key crypto.PublicKey, scheme wire.SignatureScheme, data, sig []byte) (good, known bool) {
	hash, known := schemeHash[scheme]
	if !known {
		return false, false
	}
	sum := data
	if hash != 0 {
		h := hash.New()
		h.Write(data)
		sum = h.Sum(nil)
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if strings.Contains(scheme.String(), "_pss_") {
			return rsa.VerifyPSS(key, hash, sum, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil, true
		}
		return rsa.VerifyPKCS1v15(key, hash, sum, sig) == nil, true
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum, sig), true
	case ed25519.PublicKey:
		return ed25519.Verify(key, data, sig), true
	}
	return false, false
}

// signed is the data under a message's signature; nil if it has none.
func (d *deriver) signed(m *Message) []byte {
	i := slices.Index(d.transcript.msgs, m)
	switch p := m.parsed.(type) {
	case *wire.ServerKeyExchange: // RFC 5246 §7.4.3, RFC 8422 §5.4
		if p.Signature == nil || d.suite == nil {
			return nil
		}
		return p.AppendParams(slices.Concat(d.clientRandom, d.serverRandom), wire.Context{KeyExchange: d.suite.KeyExchange})
	case *wire.CertificateVerify:
		switch {
		case i < 0:
			return nil
		case d.version >= wire.TLS13: // RFC 8446 §4.4.3
			if d.suite == nil {
				return nil
			}
			text := strings.Repeat(" ", 64) + "TLS 1.3, " + m.From + " CertificateVerify\x00"
			return append([]byte(text), d.transcript.hash(d.suite.Hash, i)...)
		default: // RFC 5246 §7.4.8
			var all []byte
			for _, m := range d.transcript.msgs[:i] {
				all = append(all, m.Raw...)
			}
			return all
		}
	}
	return nil
}

// signature verifies the signature of m, if it has one, with the certificate
// that its sender showed. ok is false where there is nothing to say.
func (d *deriver) signature(m *Message) (c Check, ok bool) {
	data := d.signed(m)
	if data == nil {
		return Check{}, false
	}
	var scheme wire.SignatureScheme
	var sig []byte
	switch p := m.parsed.(type) {
	case *wire.ServerKeyExchange:
		scheme, sig = p.Scheme, p.Signature
	case *wire.CertificateVerify:
		scheme, sig = p.Scheme, p.Signature
	}
	cert := d.leaf(m.from)
	if cert == nil {
		return Check{Given, "signature: the " + m.From + "'s certificate cannot be read here"}, true
	}
	good, known := verify(cert.PublicKey, scheme, data, sig)
	switch {
	case !known:
		return Check{Given, "signature: " + scheme.String() + " cannot be verified here"}, true
	case !good:
		return differ("signature: it is not one over this handshake by the certificate's key"), true
	}
	return agree("signature: verified again with the certificate's key"), true
}

// leaf is the certificate that a side authenticates with, or nil.
func (d *deriver) leaf(side wire.Role) *x509.Certificate {
	i := d.transcript.find(wire.TypeCertificate, side)
	if i < 0 {
		return nil
	}
	m, ok := d.transcript.msgs[i].parsed.(*wire.Certificate)
	if !ok || len(m.Entries) == 0 {
		return nil
	}
	cert, err := x509.ParseCertificate(m.Entries[0].DER)
	if err != nil {
		return nil
	}
	return cert
}
