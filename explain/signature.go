package explain

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// schemeHash is the hash that a signature scheme runs before it signs.
var schemeHash = map[wire.SignatureScheme]crypto.Hash{
	wire.RSAMD5SHA1: crypto.MD5SHA1, wire.DSASHA1: crypto.SHA1, wire.DSASHA256: crypto.SHA256,
	wire.RSAPKCS1SHA1: crypto.SHA1, wire.ECDSASHA1: crypto.SHA1,
	wire.RSAPKCS1SHA256: crypto.SHA256, wire.ECDSAP256SHA256: crypto.SHA256, wire.RSAPSSRSAESHA256: crypto.SHA256, wire.RSAPSSPSSSHA256: crypto.SHA256,
	wire.RSAPKCS1SHA384: crypto.SHA384, wire.ECDSAP384SHA384: crypto.SHA384, wire.RSAPSSRSAESHA384: crypto.SHA384, wire.RSAPSSPSSSHA384: crypto.SHA384,
	wire.RSAPKCS1SHA512: crypto.SHA512, wire.ECDSAP521SHA512: crypto.SHA512, wire.RSAPSSRSAESHA512: crypto.SHA512, wire.RSAPSSPSSSHA512: crypto.SHA512,
	wire.Ed25519: 0,
}

// oldScheme is what a key signs with until TLS 1.1, where no message says so.
// RFC 4346 §7.4.3, RFC 8422 §5.4.
func oldScheme(key crypto.PublicKey) wire.SignatureScheme {
	switch key.(type) {
	case *rsa.PublicKey:
		return wire.RSAMD5SHA1
	case *dsa.PublicKey:
		return wire.DSASHA1
	case *ecdsa.PublicKey:
		return wire.ECDSASHA1
	}
	return 0
}

// signed is what is under a signature: data or, in a CertificateVerify of SSL
// 3.0, its two digests, which take the master secret in.
type signed struct{ data, digests []byte }

// digest is the hash that is signed; Ed25519 signs the data itself.
func (x signed) digest(hash crypto.Hash) []byte {
	switch {
	case x.digests != nil && hash == crypto.MD5SHA1:
		return x.digests
	case x.digests != nil:
		return x.digests[suite.MD5.Size:]
	case hash == crypto.MD5SHA1:
		return hashOf(bothHashes, x.data)
	case hash == 0:
		return x.data
	}
	d := hash.New()
	d.Write(x.data)
	return d.Sum(nil)
}

// verify checks a signature over x; known is false for a scheme or key that
// cannot be judged here.
func verify(key crypto.PublicKey, scheme wire.SignatureScheme, x signed, sig []byte) (good, known bool) {
	hash, known := schemeHash[scheme]
	if !known {
		return false, false
	}
	sum := x.digest(hash)
	switch key := key.(type) {
	case *rsa.PublicKey:
		if strings.Contains(scheme.String(), "_pss_") {
			return rsa.VerifyPSS(key, hash, sum, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil, true
		}
		return rsa.VerifyPKCS1v15(key, hash, sum, sig) == nil, true
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, sum, sig), true
	case *dsa.PublicKey:
		return verifyDSA(key, sum, sig), true
	case ed25519.PublicKey:
		return ed25519.Verify(key, x.data, sig), true
	}
	return false, false
}

// verifyDSA takes the two numbers in DER and, as some send it in SSL 3.0, bare.
// A key that is too large to compute with in reasonable time is not tried.
func verifyDSA(key *dsa.PublicKey, sum, sig []byte) bool {
	const most = 4096
	if key.P == nil || key.Q == nil || key.P.BitLen() > most || key.Q.BitLen() > key.P.BitLen() {
		return false
	}
	n := (key.Q.BitLen() + 7) / 8
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(sig, &v); err != nil || len(rest) > 0 {
		if len(sig) != 2*n {
			return false
		}
		v.R, v.S = new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])
	}
	return dsa.Verify(key, sum[:min(n, len(sum))], v.R, v.S)
}

// signed is what is under a message's signature; ok is false if it has none.
func (hs *handshake) signed(m *Message) (x signed, ok bool) {
	i := slices.Index(hs.transcript.msgs, m)
	switch p := m.parsed.(type) {
	case *wire.ServerKeyExchange: // RFC 5246 §7.4.3, RFC 8422 §5.4
		client, server := hs.randoms()
		x.data = p.AppendParams(slices.Concat(client, server), hs.context())
		return x, p.Signature != nil
	case *wire.CertificateVerify:
		switch {
		case i < 0:
			return x, false
		case hs.version >= wire.TLS13: // RFC 8446 §4.4.3
			if hs.suite == nil {
				return x, false
			}
			text := strings.Repeat(" ", 64) + "TLS 1.3, " + m.From + " CertificateVerify\x00"
			x.data = append([]byte(text), hs.transcript.hash(hs.suite.Hash, i)...)
		case hs.version == wire.SSL30: // RFC 6101 §5.6.8
			x.digests = finished30(hs.value("master_secret"), hs.transcript.bytes(i), "")
		default: // RFC 5246 §7.4.8, RFC 2246 §7.4.8
			x.data = hs.transcript.bytes(i)
		}
		return x, true
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
		scheme = oldScheme(cert.PublicKey)
	}
	m.scheme = scheme
	good, known := verify(cert.PublicKey, scheme, x, sig)
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
	i := hs.transcript.find(wire.TypeCertificate, side)
	if i < 0 {
		return nil
	}
	m, ok := hs.transcript.msgs[i].parsed.(*wire.Certificate)
	if !ok || len(m.Entries) == 0 {
		return nil
	}
	cert, err := x509.ParseCertificate(m.Entries[0].DER)
	if err != nil {
		return nil
	}
	return cert
}
