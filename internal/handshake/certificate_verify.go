package handshake

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// signature contexts of TLS 1.3. RFC 8446 §4.4.3.
var signatureContexts = map[wire.Role]string{
	wire.Server: "TLS 1.3, server CertificateVerify",
	wire.Client: "TLS 1.3, client CertificateVerify",
}

// sendCertificateVerify signs the handshake so far. RFC 8446 §4.4.3, RFC 5246 §7.4.8.
func sendCertificateVerify(s *State, _ context.Context) (wire.Message, error) {
	sig, err := s.signWith(s.scheme, s.signedTranscript(s.Role))
	if err != nil {
		return nil, err
	}
	s.msg.verify = wire.CertificateVerify{Scheme: s.scheme, Signature: sig}
	return &s.msg.verify, nil
}

// recvCertificateVerify checks that the peer holds its certificate's key.
func recvCertificateVerify(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.CertificateVerify)
	if err := s.verifySignature(m.Scheme, m.Signature, s.signedTranscript(s.Role.Peer())); err != nil {
		return err
	}
	if s.isServer() {
		s.Result.ClientScheme = m.Scheme
	} else {
		s.Result.ServerScheme = m.Scheme
		s.choseScheme(wire.Server, s.Config.Schemes)
	}
	return nil
}

// signedTranscript is what a CertificateVerify of role covers, unhashed.
func (s *State) signedTranscript(role wire.Role) []byte {
	if !s.profile.signsContext {
		return s.transcript.raw
	}
	b := s.sign[:0]
	for range 64 {
		b = append(b, ' ')
	}
	b = append(append(b, signatureContexts[role]...), 0)
	s.sign = s.transcript.sum(b)
	return s.sign
}

// signWith signs message with our certificate's key.
func (s *State) signWith(scheme wire.SignatureScheme, message []byte) ([]byte, error) {
	key, ok := s.certificate.PrivateKey.(crypto.Signer)
	g := signerOf(scheme)
	if !ok || g == nil {
		return nil, fault(wire.AlertInternalError, "the certificate's private key cannot sign", "", nil)
	}
	sig, err := key.Sign(rand.Reader, g.digest(message), g.opts())
	if err != nil {
		return nil, fault(wire.AlertInternalError, "signing with the certificate's key failed", "", err)
	}
	return sig, nil
}

// verifySignature checks the peer's signature over message. The scheme must be
// one that we offered and that fits the key.
func (s *State) verifySignature(scheme wire.SignatureScheme, sig, message []byte) error {
	pub := s.Result.Peer.Certificates[0].PublicKey
	g := signerOf(scheme)
	if g == nil || !slices.Contains(s.Config.Schemes, scheme) || s.profile.curveBound && !g.in13 {
		return disagree(wire.AlertIllegalParameter, "signature scheme", "RFC 8446 §4.4.3", s.Config.Schemes, []wire.SignatureScheme{scheme},
			"the peer signed with what was not offered")
	}
	if !g.fits(pub, s.profile.curveBound) {
		return fault(wire.AlertIllegalParameter, "the peer signed with "+scheme.String()+", which does not fit its key ("+keyName(pub)+")", "RFC 8446 §4.4.3", nil)
	}
	if err := g.verify(pub, sig, message); err != nil {
		return fault(wire.AlertDecryptError, "the peer's signature is wrong: it does not hold its certificate's key, or saw another handshake", "RFC 8446 §4.4.3", err)
	}
	return nil
}

func (g *signer) digest(message []byte) []byte {
	if g.hash == 0 {
		return message
	}
	h := g.hash.New()
	h.Write(message)
	return h.Sum(nil)
}

func (g *signer) opts() crypto.SignerOpts {
	if g.kind == keyRSAPSS {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: g.hash}
	}
	return g.hash
}

var errSignature = errors.New("the signature does not verify")

func (g *signer) verify(pub crypto.PublicKey, sig, message []byte) error {
	switch g.kind {
	case keyRSA:
		return rsa.VerifyPKCS1v15(pub.(*rsa.PublicKey), g.hash, g.digest(message), sig)
	case keyRSAPSS:
		return rsa.VerifyPSS(pub.(*rsa.PublicKey), g.hash, g.digest(message), sig, g.opts().(*rsa.PSSOptions))
	case keyECDSA:
		if ecdsa.VerifyASN1(pub.(*ecdsa.PublicKey), g.digest(message), sig) {
			return nil
		}
	case keyEd25519:
		if ed25519.Verify(pub.(ed25519.PublicKey), message, sig) {
			return nil
		}
	}
	return errSignature
}
