package handshake

import (
	"context"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"hash"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
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
	scheme := s.namedScheme(m.Scheme)
	if err := s.verifySignature(scheme, m.Signature, s.signedTranscript(s.Role.Peer())); err != nil {
		return err
	}
	if s.isServer() {
		s.Result.ClientScheme = scheme
	} else {
		s.Result.ServerScheme = scheme
		s.choseScheme(wire.Server, s.Config.Schemes)
	}
	return nil
}

// signed is what a signature covers: a message, or the hashes of one, MD5's and
// SHA-1's, which SSL 3.0 mixes with the master secret.
type signed struct{ message, digests []byte }

// signedTranscript is what a CertificateVerify of role covers.
func (s *State) signedTranscript(role wire.Role) signed {
	if s.profile.schemes != nil {
		return signed{digests: s.profile.schedule.CertificateVerify(s.sign[:0], s.master[:keys.MasterSecretLen], s.transcript.hash)}
	}
	if !s.profile.signsContext {
		return signed{message: s.transcript.raw}
	}
	b := s.sign[:0]
	for range 64 {
		b = append(b, ' ')
	}
	label := signatureContexts[role]
	if s.exported {
		label = exportedContext
	}
	b = append(append(b, label...), 0)
	s.sign = s.transcript.sum(b)
	return signed{message: s.sign}
}

// signWith signs with our certificate's key.
func (s *State) signWith(scheme wire.SignatureScheme, what signed) ([]byte, error) {
	key, ok := s.certificate.PrivateKey.(crypto.Signer)
	g := signerOf(scheme)
	if !ok || g == nil {
		return nil, fault(wire.AlertInternalError, "the certificate's private key cannot sign", "", nil)
	}
	room := s.digest[:0]
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default: // a signer of others may still be at work on the digest when it has returned
		room = nil
	}
	sig, err := fastrsa.Sign(key, rand.Reader, g.digest(what, room), g.opts())
	if err != nil {
		return nil, fault(wire.AlertInternalError, "signing with the certificate's key failed", "", err)
	}
	return sig, nil
}

// verifySignature checks the peer's signature. The scheme must be
// one that we offered and that fits the key.
func (s *State) verifySignature(scheme wire.SignatureScheme, sig []byte, what signed) error {
	pub := s.Result.Peer.key()
	if d := s.Result.Peer.Delegated; d != nil {
		pub = d.Public
		if scheme != d.Scheme {
			return disagree(wire.AlertIllegalParameter, "signature scheme", "RFC 9345 §4.1.3", []wire.SignatureScheme{d.Scheme}, []wire.SignatureScheme{scheme},
				"the peer signed with another scheme than its delegated credential names")
		}
	}
	if scheme == 0 && s.profile.schemes != nil {
		return fault(wire.AlertIllegalParameter, "the peer's key"+s.cannotSign(pub), "RFC 4346 §7.4.3", nil)
	}
	g := signerOf(scheme)
	if g == nil || !slices.Contains(s.verifiable(), scheme) || s.profile.curveBound && !g.in13 {
		return disagree(wire.AlertIllegalParameter, "signature scheme", "RFC 8446 §4.4.3", s.verifiable(), []wire.SignatureScheme{scheme},
			"the peer signed with what was not offered")
	}
	if !g.fits(pub, s.profile.curveBound) {
		return fault(wire.AlertIllegalParameter, "the peer signed with "+scheme.String()+", which does not fit its key ("+keyName(pub)+")", "RFC 8446 §4.4.3", nil)
	}
	if err := g.verify(pub, sig, what, s.digest[:0]); err != nil {
		return fault(wire.AlertDecryptError, "the peer's signature is wrong: it does not hold its certificate's key, or saw another handshake", "RFC 8446 §4.4.3", err)
	}
	return nil
}

// digest is what the key signs: a hash or, for Ed25519, Ed448 and ML-DSA, the message. A hash is
// appended to room.
func (g *signer) digest(what signed, room []byte) []byte {
	if what.digests != nil {
		return what.digests[len(what.digests)-g.hash.Size():] // SHA-1's is the last
	}
	var h hash.Hash
	switch g.hash {
	case 0:
		return what.message
	case crypto.SHA256: // those of nearly all keys allocate nothing
		sum := sha256.Sum256(what.message)
		return append(room, sum[:]...)
	case crypto.SHA384:
		sum := sha512.Sum384(what.message)
		return append(room, sum[:]...)
	case crypto.MD5SHA1:
		h = keys.MD5SHA1.New() // crypto has only its number
	default:
		h = g.hash.New()
	}
	h.Write(what.message)
	return h.Sum(room)
}

func (g *signer) opts() crypto.SignerOpts {
	if g.kind == keyRSAPSS || g.kind == keyPSS {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: g.hash}
	}
	return g.hash
}

var errSignature = errors.New("the signature does not verify")

func (g *signer) verify(pub crypto.PublicKey, sig []byte, what signed, room []byte) error {
	switch g.kind {
	case keyRSA, keyRSAPSS, keyRSAOld:
		return fastrsa.Verify(pub.(*rsa.PublicKey), g.digest(what, room), sig, g.opts())
	case keyPSS:
		return pub.(*otherkeys.PSSPublicKey).Verify(g.hash, g.digest(what, room), sig)
	case keyECDSA:
		if ecdsa.VerifyASN1(pub.(*ecdsa.PublicKey), g.digest(what, room), sig) {
			return nil
		}
	case keyDSA:
		return kex.VerifyDSS(pub.(*dsa.PublicKey), g.digest(what, room), sig)
	case keyEd25519:
		if ed25519.Verify(pub.(ed25519.PublicKey), what.message, sig) {
			return nil
		}
	case keyEd448:
		if pub.(otherkeys.Ed448PublicKey).Verify(what.message, sig) {
			return nil
		}
	case keyMLDSA:
		if pub.(otherkeys.MLDSAPublicKey).Verify(what.message, sig) {
			return nil
		}
	}
	return errSignature
}
