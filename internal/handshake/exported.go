package handshake

import (
	"context"
	"crypto/hmac"
	stdtls "crypto/tls"
	"errors"

	"github.com/vitrine-tls/vitrine/wire"
)

// Exported authenticators, RFC 9261: proofs of a certificate that applications carry, bound
// to a connection of TLS 1.3 by its exporter. Nothing of them goes into the connection.

// exportedContext is what their signatures begin with. RFC 9261 §5.2.2.
const exportedContext = "Exported Authenticator"

// ErrEmptyAuthenticator: the peer refuses to show a certificate, and proves that it does.
var ErrEmptyAuthenticator = errors.New("the peer shows no certificate: its authenticator is empty")

// apart is a State beside the connection that r describes. Release it.
func apart(role wire.Role, c *Config, r *Result) *State {
	next := *r
	next.ServerCertificate, next.ClientCertificate = wire.CertificateTypeX509, wire.CertificateTypeX509
	s := New(role, c, nil, nil, &next)
	s.profile, s.late, s.exported = ProfileOf(r.Version), true, true
	s.forgetPeer()
	return s
}

// exporting is a State for one authenticator of side from. Its transcript has the connection
// and the request. Release it.
func exporting(from, role wire.Role, c *Config, r *Result, request []byte) (s *State, mac []byte, err error) {
	s = apart(role, c, r)
	size := r.Suite.Hash.Size
	both := make([]byte, 2*size)
	for i, label := range []string{"handshake context", "finished key"} {
		if err := r.Export(both[i*size:(i+1)*size], "EXPORTER-"+from.String()+" authenticator "+label, []byte{}); err != nil {
			s.Release()
			return nil, nil, err
		}
	}
	s.transcript.use(r.Suite.Hash)
	s.transcript.add(both[:size])
	clear(both[:size])
	s.transcript.add(request)
	return s, both[size:], nil
}

// exportedFinished is the MAC over the transcript and more.
func (s *State) exportedFinished(mac, more []byte) []byte {
	h := s.Result.Suite.Hash
	m := hmac.New(h.New, mac)
	m.Write(s.transcript.with(h, more, nil))
	return m.Sum(nil)
}

func exportedIn(from wire.Role) wire.Context { return wire.Context{Version: wire.TLS13, From: from} }

// ExportedRequest asks the peer for an authenticator with that context, of 1 to 255 bytes; a
// client may say for which name.
func ExportedRequest(role wire.Role, c *Config, context []byte, name string) []byte {
	m := &wire.CertificateRequest{RequestContext: context}
	m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtSignatureAlgorithms, Data: wire.AppendU16List(nil, in13(c.Schemes))})
	if name != "" {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtServerName, Data: wire.AppendServerName(nil, name)})
	}
	raw := wire.AppendMessage(nil, m, exportedIn(role))
	if role == wire.Client {
		raw[0] = byte(wire.TypeClientCertificateRequest)
	}
	return raw
}

func in13(all []wire.SignatureScheme) (out []wire.SignatureScheme) {
	for _, x := range all {
		if g := signerOf(x); g != nil && g.in13 && g.kind != keyRSAOld {
			out = append(out, x)
		}
	}
	return out
}

// readExportedRequest reads the request of side from.
func (s *State) readExportedRequest(from wire.Role, raw []byte) (name string, err error) {
	want := wire.TypeCertificateRequest
	if from == wire.Client {
		want = wire.TypeClientCertificateRequest
	}
	if len(raw) == 0 || wire.MessageLen(raw) != len(raw) || wire.HandshakeType(raw[0]) != want {
		return "", fault(wire.AlertUnexpectedMessage, "this is not a request of the "+from.String()+" for an authenticator", "RFC 9261 §4", nil)
	}
	m := new(wire.CertificateRequest)
	if err := wire.Decode(m, raw[wire.HeaderLen:], exportedIn(from), nil); err != nil {
		return "", syntax(err)
	}
	if from == wire.Client { // it alone may say which name it means
		if _, err := m.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { name = wire.ReadServerName(r) }); err != nil {
			return "", syntax(err)
		}
		var rest wire.Extensions
		for _, x := range m.Extensions {
			if x.Type != wire.ExtServerName {
				rest = append(rest, x)
			}
		}
		m.Extensions = rest
	}
	if err := recvCertificateRequest13(s, context.Background(), m); err != nil {
		return "", err
	}
	if from == wire.Client { // what servers do not sign with in the handshake, they do not here
		s.request.schemes = WithoutOfClients(s.request.schemes)
	}
	return name, nil
}

// ReadExportedRequest returns the context of a request of role's peer, and the name that a
// client means.
func ReadExportedRequest(role wire.Role, c *Config, r *Result, raw []byte) (id []byte, name string, err error) {
	s := apart(role, c, r)
	defer s.Release()
	if name, err = s.readExportedRequest(role.Peer(), raw); err != nil {
		return nil, "", err
	}
	return s.request.context, name, nil
}

// AnswerExported makes the authenticator of role for a request of its peer: an empty one,
// where cert is nil. RFC 9261 §5.2, §6.
func AnswerExported(role wire.Role, c *Config, r *Result, request []byte, cert *stdtls.Certificate) ([]byte, error) {
	s, mac, err := exporting(role, role, c, r, request)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	defer clear(mac)
	if _, err := s.readExportedRequest(role.Peer(), request); err != nil {
		return nil, err
	}
	in := exportedIn(role)
	m := &wire.Certificate{RequestContext: s.request.context}
	if cert == nil {
		shown := wire.AppendMessage(nil, m, in)
		return wire.AppendMessage(nil, &wire.Finished{VerifyData: s.exportedFinished(mac, shown)}, in), nil
	}
	pub, err := publicKey(cert)
	if err != nil {
		return nil, err
	}
	scheme := pickScheme(pub, s.request.schemes, cert.SupportedSignatureAlgorithms, true)
	if scheme == 0 {
		return nil, disagree(wire.AlertHandshakeFailure, "signature scheme", "RFC 9261 §5.2.2", schemesFor(pub), s.request.schemes,
			"the peer does not verify what the certificate's key signs; answer without a certificate")
	}
	for _, der := range cert.Certificate {
		m.Entries = append(m.Entries, wire.CertificateEntry{DER: der})
	}
	s.certificate = cert
	out := wire.AppendMessage(nil, m, in)
	s.transcript.add(out)
	sig, err := s.signWith(scheme, s.signedTranscript(role))
	if err != nil {
		return nil, err
	}
	verify := wire.AppendMessage(nil, &wire.CertificateVerify{Scheme: scheme, Signature: sig}, in)
	finished := wire.AppendMessage(nil, &wire.Finished{VerifyData: s.exportedFinished(mac, verify)}, in)
	return append(append(out, verify...), finished...), nil
}

// CheckExported judges the authenticator of role's peer for a request of role, and returns a
// Result with what the peer has shown. The MAC is first, so that nobody but the peer has a
// chain verified. RFC 9261 §7.4.
func CheckExported(ctx context.Context, role wire.Role, c *Config, r *Result, id, request, authenticator []byte) (*Result, error) {
	from := role.Peer()
	s, mac, err := exporting(from, role, c, r, request)
	if err != nil {
		return nil, err
	}
	defer s.Release()
	defer clear(mac)
	parts, err := s.exportedParts(from, authenticator)
	if err != nil {
		return nil, err
	}
	end := parts[len(parts)-1]
	before := authenticator[:len(authenticator)-len(end)]
	if len(parts) == 1 {
		before = wire.AppendMessage(nil, &wire.Certificate{RequestContext: id}, exportedIn(from))
	}
	if !hmac.Equal(end[wire.HeaderLen:], s.exportedFinished(mac, before)) {
		return nil, fault(wire.AlertDecryptError, "the authenticator is not of this connection and this request, or was changed", "RFC 9261 §5.2.3", nil)
	}
	if len(parts) == 1 {
		return nil, ErrEmptyAuthenticator
	}
	return s.checkExported(ctx, id, parts)
}

// exportedParts are the messages of an authenticator: three, or Finished alone.
func (s *State) exportedParts(from wire.Role, b []byte) (parts [][]byte, err error) {
	kinds := []wire.HandshakeType{wire.TypeCertificate, wire.TypeCertificateVerify, wire.TypeFinished}
	if len(b) > 0 && wire.HandshakeType(b[0]) == wire.TypeFinished {
		kinds = kinds[2:]
	}
	for _, kind := range kinds {
		n := wire.MessageLen(b)
		if n == 0 || n > len(b) || wire.HandshakeType(b[0]) != kind {
			return nil, fault(wire.AlertDecodeError, "the "+from.String()+"'s authenticator is neither Certificate, CertificateVerify and Finished nor a Finished alone", "RFC 9261 §5.2.4", nil)
		}
		parts, b = append(parts, b[:n]), b[n:]
	}
	if len(b) > 0 {
		return nil, fault(wire.AlertDecodeError, "there are bytes behind the "+from.String()+"'s authenticator", "RFC 9261 §5.2.4", nil)
	}
	return parts, nil
}

func (s *State) checkExported(ctx context.Context, id []byte, parts [][]byte) (*Result, error) {
	in := exportedIn(s.Role.Peer())
	cert, verify := new(wire.Certificate), new(wire.CertificateVerify)
	if err := wire.Decode(cert, parts[0][wire.HeaderLen:], in, nil); err != nil {
		return nil, syntax(err)
	}
	if err := wire.Decode(verify, parts[1][wire.HeaderLen:], in, nil); err != nil {
		return nil, syntax(err)
	}
	if len(cert.Entries) == 0 {
		return nil, fault(wire.AlertDecodeError, "the authenticator's Certificate is empty", "RFC 9261 §6", nil)
	}
	for _, e := range cert.Entries {
		if len(e.Extensions) > 0 {
			return nil, fault(wire.AlertUnsupportedExtension, "the authenticator has an extension that was not asked for: "+e.Extensions[0].Type.String(), "RFC 9261 §5.2.1", nil)
		}
	}
	s.requestContext = id
	if err := recvCertificate(s, ctx, cert); err != nil {
		return nil, err
	}
	s.transcript.add(parts[0])
	if err := recvCertificateVerify(s, ctx, verify); err != nil {
		return nil, err
	}
	if err := s.approve(); err != nil {
		return nil, err
	}
	return s.Result, nil
}
