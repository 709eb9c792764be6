package handshake

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendCertificateRequest12 and 13 ask the client for a certificate.
// RFC 5246 §7.4.4, RFC 8446 §4.3.2.
func sendCertificateRequest12(s *State, _ context.Context) (wire.Message, error) {
	var types []wire.ClientCertificateType
	for _, t := range []wire.ClientCertificateType{wire.CertTypeECDSASign, wire.CertTypeRSASign, wire.CertTypeDSSSign} {
		if slices.ContainsFunc(s.verifiable(), func(x wire.SignatureScheme) bool { return certificateTypes[signerOf(x).kind] == t }) {
			types = append(types, t)
		}
	}
	schemes := before13(s.Config.Schemes)
	if len(schemes) == 0 { // a list must not be empty, and a client of this version can use nothing of it
		schemes, types = s.Config.Schemes, []wire.ClientCertificateType{wire.CertTypeECDSASign}
	}
	s.msg.request = wire.CertificateRequest{
		CertificateTypes: types,
		SignatureSchemes: schemes,
		Authorities:      s.authorities(),
	}
	return &s.msg.request, nil
}

func sendCertificateRequest13(s *State, _ context.Context) (wire.Message, error) {
	s.arena = s.arena[:0]
	x := s.body(nil, wire.ExtSignatureAlgorithms, offerSchemes)
	if names := s.authorities(); len(names) > 0 {
		x = s.body(x, wire.ExtCertificateAuthorities, func(_ *State, b []byte) ([]byte, bool) {
			return wire.AppendAuthorities(b, names), true
		})
	}
	x = s.body(s.body(x, wire.ExtStatusRequest, appendNothing), wire.ExtSCT, appendNothing)
	x = s.body(x, wire.ExtCompressCertificate, offerCertCompressions)
	s.msg.request = wire.CertificateRequest{RequestContext: s.requestContext, Extensions: x}
	return &s.msg.request, nil
}

// appendNothing is for an extension that says all by being there.
func appendNothing(_ *State, b []byte) ([]byte, bool) { return b, true }

// recvCertificateRequest12 and 13 note what the server would accept. The
// message's bytes are gone when the answer is due, so they are copied.
func recvCertificateRequest12(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.CertificateRequest)
	s.Result.ClientAuth = true
	s.request = &request{
		types: slices.Clone(m.CertificateTypes), schemes: slices.Clone(m.SignatureSchemes), authorities: cloneAll(m.Authorities),
	}
	if s.profile.schemes != nil {
		s.request.schemes = s.profile.schemes
	}
	return nil
}

func recvCertificateRequest13(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.CertificateRequest)
	if len(m.RequestContext) != 0 && !s.late {
		return fault(wire.AlertIllegalParameter, "the certificate_request_context must be empty in the handshake", "RFC 8446 §4.3.2", nil)
	}
	s.Result.ClientAuth = true
	s.request = &request{context: bytes.Clone(m.RequestContext)}
	for _, x := range m.Extensions {
		read := requestExtensions[x.Type]
		if read == nil && row(x.Type) != nil {
			return stray(wire.Server, x.Type)
		}
		if read == nil {
			continue
		}
		s.reader = wire.NewReader(x.Data, nil)
		read(s.request, &s.reader)
		if err := s.finishReading(x.Type); err != nil {
			return err
		}
	}
	if !m.Extensions.Has(wire.ExtSignatureAlgorithms) {
		return fault(wire.AlertMissingExtension, "the server's CertificateRequest lacks signature_algorithms", "RFC 8446 §4.3.2", nil)
	}
	return nil
}

// requestExtensions read what a CertificateRequest of TLS 1.3 may have, of what we
// know. No choice of ours depends on the schemes of certificates. RFC 8446 §4.2, §4.4.2.1.
var requestExtensions = map[wire.ExtensionType]func(*request, *wire.Reader){
	wire.ExtSignatureAlgorithms:    func(q *request, r *wire.Reader) { q.schemes = wire.ReadSignatureAlgorithms(r, nil) },
	wire.ExtSignatureAlgsCert:      func(_ *request, r *wire.Reader) { wire.ReadSignatureAlgorithms(r, nil) },
	wire.ExtCertificateAuthorities: func(q *request, r *wire.Reader) { q.authorities = cloneAll(wire.ReadAuthorities(r, 3, nil)) },
	wire.ExtStatusRequest:          func(q *request, _ *wire.Reader) { q.staples = append(q.staples, wire.ExtStatusRequest) },
	wire.ExtCompressCertificate:    func(q *request, r *wire.Reader) { q.compressions = wire.ReadCertificateCompressions(r, nil) },
	wire.ExtSCT:                    func(q *request, _ *wire.Reader) { q.staples = append(q.staples, wire.ExtSCT) },
	wire.ExtDelegatedCredential:    func(_ *request, r *wire.Reader) { wire.ReadSignatureAlgorithms(r, nil) }, // we show none as a client
}

// Shown digests what a client shows to a server that asks for a certificate: its leaf
// in DER, nil for none. It is the Binding of a client's session, which is zero where
// the server has not asked.
func Shown(leaf []byte) [32]byte { return session.Binding([]byte("shown"), leaf) }

// answerWithRawKey is answerRequest where the server takes a raw public key.
func (s *State) answerWithRawKey(ctx context.Context, info *stdtls.CertificateRequestInfo) error {
	key, _, err := s.Config.RawKey(ctx, s, info)
	if known := new(Error); errors.As(err, &known) {
		return err
	}
	if err != nil {
		return fault(wire.AlertInternalError, "no raw public key could be had", "", err)
	}
	if key == nil {
		s.Result.ClientMisfit = "no raw public key is at hand"
		s.choseClientCertificate()
		return nil
	}
	own, err := bare(key)
	if err != nil {
		return err
	}
	theirs := s.request.schemes
	if s.profile.schemes == nil {
		theirs = s.signable(theirs)
	}
	s.scheme = pickScheme(own.Leaf.PublicKey, theirs, s.restriction(own), s.profile.curveBound)
	if s.scheme == 0 {
		s.Result.ClientMisfit = "the raw public key at hand, " + keyName(own.Leaf.PublicKey) + ", cannot sign as the server asks"
		s.choseClientCertificate()
		return nil
	}
	s.certificate, s.Result.ClientScheme, s.Result.Secrets.OwnCertificate = own, s.scheme, nil
	s.Result.Shown = Shown(own.Certificate[0])
	s.choseRawKey(wire.Client)
	return nil
}

// answerRequest picks the client's certificate and the scheme to sign with;
// both stay empty where none fits. RFC 8446 §4.4.2.3.
func (s *State) answerRequest(ctx context.Context) error {
	none := &stdtls.Certificate{}
	s.certificate, s.Result.Shown, s.Result.ClientScheme = none, Shown(nil), 0 // it may be asked again
	// A server that has rejected our encrypted hello is shown no identity. RFC 9849 §6.1.7.
	if s.ECHRejected() {
		return nil
	}
	info := s.requestInfo(ctx)
	switch t := s.Result.ClientCertificate; {
	case !slices.Contains(s.Config.shows(), t):
		return disagree(wire.AlertUnsupportedCertificate, "certificate type", "RFC 7250 §4.2", s.Config.shows(), []wire.CertificateType{t},
			"the server asks for what we do not show; list it in RawPublicKeys.Show too to go on without")
	case t == wire.CertificateTypeRawPublicKey:
		return s.answerWithRawKey(ctx, info)
	}
	c, others, err := s.Config.ClientCertificate(info)
	if known := new(Error); errors.As(err, &known) {
		return err // the application says which alert it wants
	}
	if err != nil {
		return fault(wire.AlertInternalError, "no client certificate could be had", "", err)
	}
	if c == nil || len(c.Certificate) == 0 {
		s.certificateOutcome(info, nil, others)
		return nil
	}
	pub, err := publicKey(c)
	if err != nil {
		return err
	}
	theirs := s.request.schemes
	if s.profile.schemes == nil {
		theirs = s.signable(theirs)
	}
	s.scheme = pickScheme(pub, theirs, s.restriction(c), s.profile.curveBound)
	if s.scheme != 0 {
		if err := staplesFit(c); err != nil {
			return err
		}
		s.certificate, s.Result.ClientScheme = c, s.scheme
		s.Result.Secrets.OwnCertificate, s.Result.Shown = &c.Certificate[0], Shown(c.Certificate[0])
	}
	s.certificateOutcome(info, c, nil)
	return nil
}
