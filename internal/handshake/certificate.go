package handshake

import (
	"bytes"
	"context"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// pickCertificate asks the Config for the server's certificate.
func (s *State) pickCertificate(ctx context.Context) error {
	c, err := s.Config.Certificate(ctx, s)
	if err != nil {
		return refusedBy("GetCertificate", err)
	}
	if c == nil || len(c.Certificate) == 0 {
		return fault(wire.AlertInternalError, "the server has no certificate", "", errors.New("set Certificates or GetCertificate"))
	}
	s.certificate = c
	s.Result.Secrets.OwnCertificate = &c.Certificate[0]
	s.choseCertificate()
	return staplesFit(c)
}

// publicKey is the key of the certificate we hold. A signer of the application's own may
// call a key just RSA, where the certificate says that it is for RSASSA-PSS alone, or have
// types for Ed448 and ML-DSA that are unknown here: then the certificate's word counts.
func publicKey(c *stdtls.Certificate) (crypto.PublicKey, error) {
	key, ok := c.PrivateKey.(interface{ Public() crypto.PublicKey })
	if !ok {
		return nil, fault(wire.AlertInternalError, fmt.Sprintf("the certificate's private key, a %T, can neither sign nor decrypt", c.PrivateKey), "", nil)
	}
	pub := key.Public()
	switch pub.(type) {
	case *ecdsa.PublicKey, ed25519.PublicKey, *dsa.PublicKey, *otherkeys.PSSPublicKey, otherkeys.Ed448PublicKey, otherkeys.MLDSAPublicKey:
		return pub, nil
	}
	leaf := c.Leaf
	if leaf == nil {
		chain, err := certcheck.Parse(c.Certificate[:min(1, len(c.Certificate))])
		if err != nil || len(chain) == 0 {
			return pub, nil // there is no other word on it
		}
		leaf = chain[0]
	}
	if other := otherkeys.Of(leaf); other != nil && otherkeys.NameOf(other) != "" {
		return other, nil
	}
	return pub, nil
}

// canDecrypt reports whether the certificate's key pub can open a premaster secret: one for
// RSASSA-PSS must not, whatever holds it.
func canDecrypt(c *stdtls.Certificate, pub crypto.PublicKey) bool {
	_, plain := pub.(*rsa.PublicKey)
	_, ok := c.PrivateKey.(crypto.Decrypter)
	return ok && plain
}

// keyName names a key for people.
func keyName(pub crypto.PublicKey) string {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", pub.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + pub.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case *dsa.PublicKey:
		return fmt.Sprintf("DSA-%d", pub.P.BitLen())
	case *otherkeys.PSSPublicKey:
		return fmt.Sprintf("RSA-PSS-%d", pub.Key.N.BitLen())
	case otherkeys.Ed448PublicKey:
		return "Ed448"
	case otherkeys.MLDSAPublicKey:
		return pub.Set.String()
	case nil:
		return "unknown"
	}
	return fmt.Sprintf("%T", pub)
}

func schemesFor(pub crypto.PublicKey) (out []wire.SignatureScheme) {
	for i := range signers {
		if signers[i].in13 && signers[i].kind != keyRSAOld && signers[i].fits(pub, true) {
			out = append(out, signers[i].scheme)
		}
	}
	return out
}

// sendCertificate sends our chain; the client's may be empty, which says that
// it has none. RFC 8446 §4.4.2, RFC 5246 §7.4.2, §7.4.6.
func sendCertificate(s *State, _ context.Context) (wire.Message, error) {
	m := &s.msg.cert
	s.arena = s.arena[:0]
	m.RequestContext, m.Entries = nil, m.Entries[:0]
	if s.request != nil {
		m.RequestContext = s.request.context
	}
	for _, der := range s.certificate.Certificate {
		m.Entries = append(m.Entries, wire.CertificateEntry{DER: der})
	}
	if s.profile.entryExtensions {
		s.staple(m.Entries)
		s.delegate(m.Entries)
	}
	return m, nil
}

// sendClientCertificate picks the certificate first.
func sendClientCertificate(s *State, ctx context.Context) (wire.Message, error) {
	if !s.answered {
		if err := s.answerRequest(ctx); err != nil {
			return nil, err
		}
	}
	if s.profile.NoCertificateAlert && len(s.certificate.Certificate) == 0 {
		return nil, nil // an alert says so, in the next row
	}
	s.answered = true
	return sendCertificate(s, ctx)
}

// recvCertificate takes the peer's chain and has it verified.
func recvCertificate(s *State, ctx context.Context, msg wire.Message) error {
	m := msg.(*wire.Certificate)
	s.Result.Peer.IssuerOCSP = nil
	s.answered = s.isServer()
	if !bytes.Equal(m.RequestContext, s.requestContext) {
		return fault(wire.AlertIllegalParameter, "the certificate_request_context must be empty in the handshake, and after it be that of the request", "RFC 8446 §4.4.2", nil)
	}
	if len(m.Entries) == 0 {
		return s.noCertificate()
	}
	shown := s.Result.CertificateType(s.Role.Peer())
	if err := s.notTaken(shown); err != nil {
		return err
	}
	if shown == wire.CertificateTypeRawPublicKey {
		return s.recvRawKey(ctx, m.Entries[0])
	}
	raw := make([][]byte, len(m.Entries))
	for i := range m.Entries {
		raw[i] = m.Entries[i].DER
		if err := s.takeStaples(i, m.Entries[i].Extensions); err != nil {
			return err
		}
	}
	chain, err := certcheck.Parse(raw)
	if err != nil {
		return s.refuse(err)
	}
	if err := s.sameIdentity(shown, chain[0].Raw); err != nil {
		return err
	}
	s.Result.Peer.Certificates = chain
	if !s.isServer() && status(s) != No {
		return nil // verifyStapled is next
	}
	if err := s.verifyPeer(ctx); err != nil {
		return err
	}
	return s.takeDelegated(m.Entries[0].Extensions)
}

// verifyPeer has the chain verified that the peer has shown, and looks at its key.
func (s *State) verifyPeer(ctx context.Context) (err error) {
	p := s.Result.Peer
	if p.Chains, err = s.Config.VerifyPeer(ctx, s, p.Certificates); err != nil {
		return s.refuse(err)
	}
	return s.checkKey(p.Certificates[0])
}

// noCertificate is for an empty chain: only a client may have none.
func (s *State) noCertificate() error {
	if !s.isServer() {
		return fault(wire.AlertDecodeError, "the server's Certificate is empty", "RFC 8446 §4.4.2.4", nil)
	}
	if err := s.sameIdentity(0, nil); err != nil {
		return err
	}
	if !s.requiresCertificate() {
		return nil
	}
	alert := wire.AlertCertificateRequired
	if !s.profile.signsContext {
		alert = wire.AlertHandshakeFailure // RFC 5246 §7.4.6
	}
	return &Error{Alert: alert, Rule: "the client sent no certificate, and one is required", Ref: "RFC 8446 §4.4.2.4",
		Hint: "give the client a certificate of an authority that this server accepts"}
}

// recvNoCertificate is for the alert that stands for an empty Certificate.
func recvNoCertificate(s *State, _ context.Context, _ wire.Message) error { return s.noCertificate() }

// requiresCertificate: the values of ClientAuthType are not in order of strictness.
func (s *State) requiresCertificate() bool {
	return s.Config.ClientAuth == stdtls.RequireAnyClientCert || s.Config.ClientAuth == stdtls.RequireAndVerifyClientCert
}

// checkKey: the key must be of the suite's kind up to TLS 1.2, and its
// certificate must allow the use. RFC 5246 §7.4.2, RFC 8446 §4.4.2.2.
func (s *State) checkKey(leaf *x509.Certificate) error {
	if err := s.checkKind(otherkeys.Of(leaf)); err != nil {
		return err
	}
	if _, err := keyUsage(s.Role, s.Result.Suite, leaf); err != nil && s.heedsKeyUsage() {
		return s.refuse(err)
	}
	return nil
}

// checkKind: up to TLS 1.2 the suite says what kind of key the server has.
func (s *State) checkKind(pub crypto.PublicKey) error {
	c := s.Result.Suite
	_, signsOnly := pub.(*otherkeys.PSSPublicKey)
	if !s.isServer() && !s.profile.signsContext && (authOf(pub) != c.Auth || signsOnly && c.KeyExchange.Encrypted()) {
		return fault(wire.AlertIllegalParameter, "the server's certificate has a key of the wrong kind ("+keyName(pub)+") for "+c.Name, "RFC 5246 §7.4.2", nil)
	}
	return nil
}

// heedsKeyUsage: a server that does not verify a chain takes its leaf as it is.
func (s *State) heedsKeyUsage() bool {
	return !s.Config.AnyKeyUsage && (!s.isServer() || s.Config.ClientAuth >= stdtls.VerifyClientCertIfGiven)
}

// keyUsage names what the peer of role does with its key under a suite, and errs where
// its certificate does not allow that.
func keyUsage(role wire.Role, c *suite.Suite, leaf *x509.Certificate) (name string, err error) {
	if role == wire.Client && c.KeyExchange.Encrypted() {
		return "keyEncipherment", certcheck.EncryptionKeyUsage(leaf)
	}
	return "digitalSignature", certcheck.SignatureKeyUsage(leaf)
}

// MissingKeyUsage names the key usage that the certificate of role's peer lacks for what
// its key did in the handshake; empty for none, and without a certificate.
func (r *Result) MissingKeyUsage(role wire.Role) string {
	if len(r.Peer.Certificates) == 0 {
		return ""
	}
	name, err := keyUsage(role, r.Suite, r.Peer.Certificates[0])
	if err == nil {
		return ""
	}
	return name
}

// refuse turns what certcheck or a callback found into a fault.
func (s *State) refuse(err error) error {
	var fault *Error
	if errors.As(err, &fault) {
		return err
	}
	out := &Error{Alert: wire.AlertBadCertificate, Rule: "the " + s.Role.Peer().String() + "'s certificate is refused", Err: err}
	var known *certcheck.Error
	if errors.As(err, &known) {
		out.Alert, out.Hint = known.Alert, known.Hint
	}
	return out
}

// CanUse reports whether the client can verify signatures of the certificate's
// key, in the version agreed on.
func (s *State) CanUse(c *stdtls.Certificate) bool {
	if s.profile.curveBound {
		pub, err := publicKey(c)
		return err == nil && pickScheme(pub, s.Offer.Schemes, c.SupportedSignatureAlgorithms, true) != 0
	}
	own := means{group: pickECDHE(s.Config.Groups, s.Offer.Groups), dh: s.ownDH() != nil}
	return own.have(s, c) == nil && !foreign(own.pub, s.Offer.Groups) && pickSuite(s.Config.Suites, s.Offer.Suites, s.Result.Version,
		func(x *suite.Suite) bool { return x.KeyExchange.Certificate() && own.fits(x) }) != nil
}

// CanVerify reports whether the client says that it can verify the signature on
// the certificate: by signature_algorithms_cert or, without that, by
// signature_algorithms. RFC 8446 §4.2.3.
func (s *State) CanVerify(leaf *x509.Certificate) bool {
	if len(s.Offer.CertSchemes) > 0 {
		return signedWithAny(leaf, s.Offer.CertSchemes)
	}
	return signedWithAny(leaf, s.Offer.Schemes)
}
