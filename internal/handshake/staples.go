package handshake

import (
	"bytes"
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// What comes with a certificate: an OCSP response, and timestamps of the logs (SCTs). Up to
// TLS 1.2 a server sends the response in a message of its own and the timestamps in its
// hello; in TLS 1.3 both sides send them in extensions of the certificate.

// staple puts the staples of TLS 1.3 beside our certificates, those that the peer has asked
// for: a server in its CertificateRequest. RFC 8446 §4.4.2.1.
func (s *State) staple(entries []wire.CertificateEntry) {
	for i := range entries {
		if s.wanted(wire.ExtStatusRequest) {
			entries[i].Extensions = s.appendStaple(nil, s.ownStaple(i))
		}
	}
	if len(entries) > 0 && s.wanted(wire.ExtSCT) && len(s.certificate.SignedCertificateTimestamps) > 0 {
		entries[0].Extensions = s.body(entries[0].Extensions, wire.ExtSCT, func(s *State, b []byte) ([]byte, bool) {
			return wire.AppendSCTs(b, s.certificate.SignedCertificateTimestamps), true
		})
	}
}

func (s *State) appendStaple(x wire.Extensions, staple []byte) wire.Extensions {
	return s.body(x, wire.ExtStatusRequest, func(_ *State, b []byte) ([]byte, bool) {
		if len(staple) == 0 {
			return b, false
		}
		return (&wire.CertificateStatus{Response: staple}).Append(b, wire.Context{}), true
	})
}

// ownStaple is the OCSP response for a certificate of our chain; empty for none.
func (s *State) ownStaple(i int) []byte {
	switch {
	case i == 0:
		return s.certificate.OCSPStaple
	case s.Config.IssuerStaple == nil:
		return nil
	}
	return s.Config.IssuerStaple(s.certificate.Certificate[i])
}

// verifyStapled: up to TLS 1.2 the staple follows the certificate that it is about, or is
// left out after all. Nothing is stapled to a raw key, which is verified already. RFC 6066 §8.
func verifyStapled(s *State, ctx context.Context) error {
	if s.isServer() || s.Result.Peer.RawKey != nil {
		return nil
	}
	return s.verifyPeer(ctx)
}

// Staples are the OCSP responses that came with the peer's certificates, in their order;
// an empty one, or none at the end, for a certificate without.
func (s *State) Staples() [][]byte {
	p := s.Result.Peer
	if len(p.OCSP) == 0 && len(p.IssuerOCSP) == 0 {
		return nil
	}
	return append([][]byte{p.OCSP}, p.IssuerOCSP...)
}

// AskedForStaples reports whether the peer was asked for them, now or, in a resumption, in
// the handshake that made the session. SSL 3.0 cannot ask, and a client can be asked in
// TLS 1.3 only.
func (s *State) AskedForStaples() bool { return s.askedFor(wire.ExtStatusRequest) }

// askedFor: a server that asks for a certificate asks for all staples, as far as
// certificates have any. A request for an exported authenticator asks for none.
func (s *State) askedFor(t wire.ExtensionType) bool {
	switch {
	case s.exported:
		return false
	case s.isServer():
		return s.profile.entryExtensions && t != wire.ExtDelegatedCredential
	}
	return s.asked(t)
}

// wanted reports whether the peer has asked for the staple of that type.
func (s *State) wanted(t wire.ExtensionType) bool {
	if s.isServer() {
		return s.asked(t)
	}
	return s.request != nil && slices.Contains(s.request.staples, t)
}

// takeStaples keeps a certificate's OCSP response, and the leaf's SCTs. RFC 8446 §4.4.2.1.
// Up to TLS 1.2 certificates have no extensions, and the hello has brought the SCTs.
func (s *State) takeStaples(index int, x wire.Extensions) error {
	if len(x) == 0 {
		return nil
	}
	for _, e := range x {
		staple := e.Type == wire.ExtStatusRequest || e.Type == wire.ExtSCT || e.Type == wire.ExtDelegatedCredential
		if !staple && row(e.Type) != nil {
			return stray(s.Role.Peer(), e.Type)
		}
		if e.Type == wire.ExtDelegatedCredential && !s.askedFor(e.Type) {
			return fault(wire.AlertUnexpectedMessage, "a certificate has a delegated credential that we did not ask for", "RFC 9345 §4.1.1, §4.1.2", nil)
		}
		if !staple || !s.askedFor(e.Type) {
			return fault(wire.AlertUnsupportedExtension, "a certificate has an extension that we did not ask for: "+e.Type.String(), "RFC 8446 §4.4.2", nil)
		}
	}
	var status wire.CertificateStatus
	var scts [][]byte
	if _, err := x.Read(wire.ExtStatusRequest, func(r *wire.Reader) { status.Parse(r, wire.Context{Version: wire.TLS13}) }); err != nil {
		return syntax(err)
	}
	if _, err := x.Read(wire.ExtSCT, func(r *wire.Reader) { scts = wire.ReadSCTs(r, nil) }); err != nil {
		return syntax(err)
	}
	if index == 0 {
		s.Result.Peer.OCSP = bytes.Clone(status.Response)
		s.Result.Peer.SCTs = cloneAll(scts)
	} else if len(status.Response) > 0 {
		p := s.Result.Peer
		p.IssuerOCSP = append(p.IssuerOCSP, make([][]byte, index-1-len(p.IssuerOCSP))...)
		p.IssuerOCSP = append(p.IssuerOCSP, bytes.Clone(status.Response))
	}
	return nil
}

// maxKeptStaples is how many bytes of staples a session keeps, which lies in a cache of a
// client or in a ticket that the client carries. A chain with a response for each
// certificate has a few thousand.
const maxKeptStaples = 16 << 10

// into has a session keep what the peer has shown, and what came with it.
func (p *Peer) into(c *session.Session) {
	p.staplesInto(c)
	for _, cert := range p.Certificates {
		c.PeerChain = append(c.PeerChain, cert.Raw)
	}
	if p.RawKey != nil {
		c.PeerKey = p.RawKey.DER
	}
	if p.Delegated != nil {
		c.Delegated = p.Delegated.Raw
	}
}

// staplesInto has a session keep what the peer has stapled, as far as there is room: first
// for the leaf, then for its issuers. What is left out is missed at a resumption that needs
// it, which then gives way to a full handshake.
func (p *Peer) staplesInto(c *session.Session) {
	room := maxKeptStaples
	fits := func(sizes ...[]byte) bool {
		total := 0
		for _, b := range sizes {
			total += len(b)
		}
		if total > room {
			return false
		}
		room -= total
		return true
	}
	if fits(p.OCSP) {
		c.OCSP = p.OCSP
	}
	for i, staple := range p.IssuerOCSP {
		if len(staple) > 0 && fits(staple) {
			c.IssuerOCSP = append(c.IssuerOCSP, make([][]byte, i-len(c.IssuerOCSP))...)
			c.IssuerOCSP = append(c.IssuerOCSP, staple)
		}
	}
	if fits(p.SCTs...) {
		c.SCTs = p.SCTs
	}
}

func cloneAll(list [][]byte) [][]byte {
	var out [][]byte
	for _, b := range list {
		out = append(out, bytes.Clone(b))
	}
	return out
}

// sendCertificateStatus sends the staples of a server up to TLS 1.2, which agreeStatus has
// picked. RFC 6066 §8, RFC 6961 §2.2.
func sendCertificateStatus(s *State, _ context.Context) (wire.Message, error) {
	return &s.msg.status, nil
}

func recvCertificateStatus(s *State, _ context.Context, msg wire.Message) error {
	m, p := msg.(*wire.CertificateStatus), s.Result.Peer
	switch {
	case p.RawKey != nil: // no certificate is there that it could be about
	case m.Responses == nil:
		p.OCSP = bytes.Clone(m.Response)
	case s.statusBy != wire.ExtStatusRequestV2:
		return fault(wire.AlertIllegalParameter, "the server staples a list of OCSP responses, which was not agreed on", "RFC 6961 §2.2", nil)
	case len(m.Responses) > len(p.Certificates):
		return fault(wire.AlertIllegalParameter, "the server staples more OCSP responses than it has sent certificates", "RFC 6961 §2.2", nil)
	default:
		p.OCSP, p.IssuerOCSP = bytes.Clone(m.Responses[0]), cloneAll(m.Responses[1:])
	}
	return nil
}
